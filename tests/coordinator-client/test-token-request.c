/* SPDX-License-Identifier: Apache-2.0 */

/* The body of the token request, byte by byte: its form is a public contract. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "coordinator/token-request.h"

#define BIT(role) ((RoleSet) (1U << (role)))

static const struct {
        RoleSet roles;
        usec_t validity_us;
        bool persistent;
        const char *expected;
} cases[] = {
        { BIT(ROLE_ALLOCATOR), USEC_PER_HOUR, false,
          "{\"persistent\":false,\"roles\":[\"allocator\"],\"validity_in_seconds\":3600}" },
        { 0, 90 * USEC_PER_SEC, false, "{\"persistent\":false,\"roles\":[],\"validity_in_seconds\":90}" },
        { BIT(ROLE_PROXY) | BIT(ROLE_ALLOCATOR) | BIT(ROLE_DIRECTOR) | BIT(ROLE_COORDINATOR), USEC_PER_HOUR,
          false,
          "{\"persistent\":false,\"roles\":[\"allocator\",\"coordinator\",\"director\",\"proxy\"],"
          "\"validity_in_seconds\":3600}" },
        { BIT(ROLE_PROXY), USEC_PER_HOUR, true, "{\"persistent\":true,\"roles\":[\"proxy\"]}" },
};

static void test_bodies(void **state) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_buffer_ Buffer body = BUFFER_INIT(1024);
                assert_int_equal(
                        token_request_body(cases[i].roles, cases[i].validity_us, cases[i].persistent, &body),
                        0);
                assert_string_equal(buffer_string(&body), cases[i].expected);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_bodies) };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
