/* SPDX-License-Identifier: Apache-2.0 */

/* The end of an API key: four forms are read, nothing that is nearly one of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "model/key-expiration.h"

static void test_forms(void **state) {
        static const char *const good[] = {
                "2026-01-01T00:00:10Z",          "2026-01-01T00:00:10.123Z", "2026-01-01T01:00:10+01:00",
                "2025-12-31T23:00:10.5-01:00",   "1767225610",               "1767225610999",
                "Thu, 01 Jan 2026 00:00:10 GMT",
        };
        static const char *const bad[] = {
                "", "never", "0", "-1", "+1767225610", " 1767225610", "1767225610 ", "17672256100", "2026-01-01",
                "2026-01-01T00:00:10", "2026-01-01T00:00:10+0100", "2026-01-01T00:00:10.Z", "2026-01-01T00:00:10Z ",
                "2026-13-01T00:00:10Z", "2026-1-1T0:0:1Z", "+026-01-01T00:00:10Z", "2026-01-01T00:00:10+24:00",
                "2026-01-01T00:00:10+00:60", "Thu, 01 Jan 2026 00:00:10",
        };

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                int64_t s = 0;

                print_message("# %s\n", good[i]);
                assert_int_equal(key_expiration_parse(good[i], &s), 0);
                assert_int_equal(s, 1767225610);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                int64_t s = 42;

                print_message("# %s\n", bad[i]);
                assert_int_equal(key_expiration_parse(bad[i], &s), -EINVAL);
                assert_int_equal(s, 42);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_forms) };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
