/* SPDX-License-Identifier: Apache-2.0 */

/* Durations are read strictly and written for people. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define DAY (24 * USEC_PER_HOUR)
#define UNTOUCHED UINT64_C(4711)

static void test_parse(void **state) {
        static const struct {
                const char *text;
                usec_t expected_us;
        } cases[] = {
                { "0", 0 },
                { "0s", 0 },
                { "1us", 1 },
                { "350ms", 350 * USEC_PER_MSEC },
                { "90s", 90 * USEC_PER_SEC },
                { "20m", 20 * USEC_PER_MINUTE },
                { "1h", USEC_PER_HOUR },
                { "007s", 7 * USEC_PER_SEC },
                { "2d", 2 * DAY },
                { "365d", 365 * DAY },
                { "8760h", 365 * DAY },
                { "31536000000000us", 365 * DAY },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                usec_t duration = UNTOUCHED;

                assert_int_equal(duration_parse(cases[i].text, &duration), 0);
                assert_int_equal(duration, cases[i].expected_us);
        }
}

static void test_parse_refuses(void **state) {
        static const struct {
                const char *text;
                int expected;
        } cases[] = {
                { "", -EINVAL },
                { "s", -EINVAL },
                { "1", -EINVAL },
                { "00", -EINVAL },
                { "-1s", -EINVAL },
                { "+1s", -EINVAL },
                { " 1s", -EINVAL },
                { "1s ", -EINVAL },
                { "1 s", -EINVAL },
                { "1S", -EINVAL },
                { "1.5h", -EINVAL },
                { "1h30m", -EINVAL },
                { "1w", -EINVAL },
                { "1min", -EINVAL },
                { "0x10s", -EINVAL },
                { "366d", -ERANGE },
                { "8761h", -ERANGE },
                { "31536000000001us", -ERANGE },
                { "18446744073709551616us", -ERANGE },
                { "99999999999999999999999999999999999999d", -ERANGE },
                { "99999999999999999999999999999999999999", -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                usec_t duration = UNTOUCHED;

                assert_int_equal(duration_parse(cases[i].text, &duration), cases[i].expected);
                assert_int_equal(duration, UNTOUCHED);
        }
}

static void test_format(void **state) {
        static const struct {
                usec_t duration_us;
                const char *expected;
        } cases[] = {
                { 0, "0s" },
                { 1, "1us" },
                { 999, "999us" },
                { 1500, "1ms" },
                { 350 * USEC_PER_MSEC, "350ms" },
                { USEC_PER_SEC, "1s" },
                { 1500 * USEC_PER_MSEC, "1s 500ms" },
                { USEC_PER_SEC + 900, "1s" },
                { 10 * USEC_PER_SEC - 1, "9s 999ms" },
                { 10 * USEC_PER_SEC + 1, "10s" },
                { 42 * USEC_PER_SEC + 999 * USEC_PER_MSEC, "42s" },
                { USEC_PER_MINUTE - 1, "59s" },
                { 90 * USEC_PER_SEC, "1m 30s" },
                { 65 * USEC_PER_MINUTE, "1h 5m" },
                { USEC_PER_HOUR + 5 * USEC_PER_SEC, "1h" },
                { DAY + 23 * USEC_PER_HOUR, "1d 23h" },
                { DAY + 59 * USEC_PER_MINUTE, "1d" },
                { USEC_INFINITY - 1, "213503982d 8h" },
                { USEC_INFINITY, "infinity" },
        };
        char buffer[DURATION_SIZE];

        for (size_t i = 0; i < ELEMENTS(cases); i++)
                assert_string_equal(duration_format(cases[i].duration_us, buffer), cases[i].expected);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_parse_refuses),
                cmocka_unit_test(test_format),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
