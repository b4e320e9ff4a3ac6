/* SPDX-License-Identifier: Apache-2.0 */

/* What a probe is answered: code and body by path and state. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/health.h"

#define HEALTHY "{\"ApplicationHealthState\":\"Healthy\",\"reason\":\"\",\"state\":\"ENROLLED\"}\n"
#define UNHEALTHY "{\"ApplicationHealthState\":\"Unhealthy\",\"reason\":\"verify.zone\",\"state\":\"FAILED\"}\n"

static json_t *status_of(const char *word) {
        if (!word)
                return NULL;
        return streq(word, "FAILED") ? json_pack("{s:s, s:{s:s}}", "state", word, "reason", "id", "verify.zone")
                                     : json_pack("{s:s, s:n}", "state", word, "reason");
}

static uint64_t number_behind(const char *text, const char *words) {
        char digits[24];
        uint64_t number = 0;

        text += strlen(words);
        (void) snprintf(digits, sizeof(digits), "%.*s", (int) strspn(text, "0123456789"), text);
        assert_int_equal(text_to_u64(digits, UINT64_MAX, &number), 0);
        return number;
}

static void test_answers(void **state) {
        static const struct {
                const char *request, *state;
                int code;
                const char *body; /* NULL: not looked at */
        } rows[] = {
                { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "ENROLLED", 200, "{\"reason\":\"\",\"state\":\"ENROLLED\"}\n" },
                { "GET / HTTP/1.0\n\n", "ENROLLED", 200, NULL },
                { "GET /?from=lb HTTP/1.1\r\n\r\n", "ENROLLED", 200, NULL },
                { "GET / HTTP/1.1\r\n\r\n", "FAILED", 503, "{\"reason\":\"verify.zone\",\"state\":\"FAILED\"}\n" },
                { "GET / HTTP/1.1\r\n\r\n", "INSTALLING", 503, "{\"reason\":\"\",\"state\":\"INSTALLING\"}\n" },
                { "GET / HTTP/1.1\r\n\r\n", NULL, 503, "{\"reason\":\"\",\"state\":\"\"}\n" },
                { "HEAD / HTTP/1.1\r\n\r\n", "ENROLLED", 200, "" },
                { "GET /azure HTTP/1.1\r\n\r\n", "ENROLLED", 200, HEALTHY },
                { "GET /azure HTTP/1.1\r\n\r\n", "FAILED", 200, UNHEALTHY },
                { "GET /azure HTTP/1.1\r\n\r\n", "INSTALLING", 503, "{\"reason\":\"\",\"state\":\"INSTALLING\"}\n" },
                { "GET /azure HTTP/1.1\r\n\r\n", NULL, 503, NULL },
                { "GET /azurex HTTP/1.1\r\n\r\n", "ENROLLED", 404, "{}\n" },
                { "GET /etc/passwd HTTP/1.1\r\n\r\n", "ENROLLED", 404, "{}\n" },
                { "POST / HTTP/1.1\r\n\r\n", "ENROLLED", 405, "{}\n" },
                { "GET /", "ENROLLED", 400, "{}\n" },
                { "", "ENROLLED", 400, "{}\n" },
                { "\r\n\r\n", "ENROLLED", 400, "{}\n" },
                { "GET /\x1b[2J HTTP/1.1\r\n\r\n", "ENROLLED", 400, "{}\n" },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_json_ json_t *status = status_of(rows[i].state);
                _cleanup_buffer_ Buffer answer = BUFFER_INIT(HEALTH_ANSWER_MAX);
                const char *body, *length;

                print_message("# %zu\n", i);
                assert_int_equal(health_answer(rows[i].request, status, &answer), 0);
                assert_true(text_starts_with(buffer_string(&answer), "HTTP/1.1 "));
                assert_int_equal(number_behind(buffer_string(&answer), "HTTP/1.1 "), rows[i].code);
                body = strstr(buffer_string(&answer), "\r\n\r\n");
                length = strstr(buffer_string(&answer), "Content-Length: ");
                assert_non_null(body);
                assert_non_null(length);
                if (*(body + 4))
                        assert_int_equal(number_behind(length, "Content-Length: "), strlen(body + 4));
                if (rows[i].body)
                        assert_string_equal(body + 4, rows[i].body);
        }
}

static void test_the_end_of_a_request(void **state) {
        assert_false(health_request_is_whole(""));
        assert_false(health_request_is_whole("GET / HTTP/1.1\r\nHost: x\r\n"));
        assert_true(health_request_is_whole("GET / HTTP/1.1\r\n\r\n"));
        assert_true(health_request_is_whole("GET / HTTP/1.1\n\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_the_end_of_a_request),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
