/* SPDX-License-Identifier: Apache-2.0 */

/* Invariants: a secret that a rule knows does not come out, wherever it stands in the line; what is
 * merely said about secrets stays readable. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "installer/redact.h"

#define JWT "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6WyJhbGxvY2F0b3IiXX0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"

static const struct {
        const char *line, *redacted;
} rows[] = {
        { "", "" },
        { "nothing to hide", "nothing to hide" },
        /* what looks like a token */
        { "token is " JWT, "token is [redacted]" },
        { "x" JWT, "[redacted]" },
        { "(" JWT ")", "([redacted])" },
        { "RUNNER=" JWT "&next", "RUNNER=[redacted]&next" },
        { "half of one: eyJhbGciOiJIUzI1NiJ9.eyJyb2", "half of one: [redacted]" },
        { "abcdefghijklmnop.abcdefghijklmnop.abcdefghijklmnop", "[redacted]" },
        { "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3",
          "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3" },
        { "192.0.2.10 and eyJ", "192.0.2.10 and eyJ" },
        /* what an announcing word is followed by */
        { "password: hunter2", "password: [redacted]" },
        { "Password=hunter2 ok", "Password=[redacted] ok" },
        { "the password hunter2", "the password [redacted]" },
        { "Admin passwords are hunter2", "Admin passwords are [redacted]" },
        { "adminconsole_root_password\":\"hunter2\",", "adminconsole_root_password\":\"[redacted]\"," },
        { "Authorization: Bearer abc.def", "Authorization: Bearer [redacted]" },
        { "authorization: ApiKey bG9uZw==", "authorization: ApiKey [redacted]" },
        { "client secret -> s3cr3t", "client secret -> [redacted]" },
        { "--env RUNNER_ROLES_TOKEN=abc", "--env RUNNER_ROLES_TOKEN=[redacted]" },
        { "password for user admin: hunter2", "password for [redacted] admin: [redacted]" },
        { "secret", "secret" },
        { "password:", "password:" },
        { "the token has expired", "the token has expired" },
        { "token expired", "token expired" },
        { "Argument '--roles-token' does not have a value", "Argument '--roles-token' does not have a value" },
        { "Unknown argument '--roles-token'", "Unknown argument '--roles-token'" },
        { "token not valid: abc", "token not valid: [redacted]" },
        /* bytes that the function itself uses as a mark */
        { "\x01\x01 plain", "?? plain" },
};

static void rows_hold(void **state) {
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_buffer_ Buffer out = BUFFER_INIT(4096);
                char line[512];

                (void) snprintf(line, sizeof(line), "%s", rows[i].line);
                assert_int_equal(redact(line, strlen(line), NULL, &out), 0);
                assert_string_equal(buffer_string(&out), rows[i].redacted);
        }
}

static void known_secret_goes_wherever_it_is(void **state) {
        static const char opaque[] = "Zx9-odd_value.1";
        static const char *const frames[][2] = { { "", "" }, { "said ", " loudly" }, { "aZx9-odd_valueb", "" },
                                                 { "Zx9-odd_value.", "" }, { "", "Zx9-odd_value.1" } };
        _cleanup_(secret_freep) Secret *secret = NULL;
        Fingerprint print;

        assert_int_equal(secret_new(opaque, strlen(opaque), &secret), 0);
        assert_int_equal(fingerprint_take(secret, &print), 0);
        for (size_t i = 0; i < ELEMENTS(frames); i++) {
                _cleanup_buffer_ Buffer out = BUFFER_INIT(4096);
                char line[256];

                (void) snprintf(line, sizeof(line), "%s%s%s", frames[i][0], opaque, frames[i][1]);
                assert_int_equal(redact(line, strlen(line), &print, &out), 0);
                assert_null(strstr(buffer_string(&out), opaque));
                assert_non_null(strstr(buffer_string(&out), REDACTED));
        }
}

/* Many announcing words, many assignments: the work stays in proportion to the line. */
static void long_lines_are_no_trap(void **state) {
        enum { SIZE = 32 * 1024 };
        _cleanup_buffer_ Buffer out = BUFFER_INIT(64 * 1024);
        char *line = malloc(SIZE);

        assert_non_null(line);
        for (size_t i = 0; i < SIZE; i++)
                line[i] = "token "[i % 6];
        assert_true(redact(line, SIZE, NULL, &out) == 0 || out.size > 0);
        free(line);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_hold),
                cmocka_unit_test(known_secret_goes_wherever_it_is),
                cmocka_unit_test(long_lines_are_no_trap),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
