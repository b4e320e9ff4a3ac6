/* SPDX-License-Identifier: Apache-2.0 */

/* Times are counted in microseconds, saturate at both ends and are shown in UTC. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

static void test_clocks_agree_with_the_kernel(void **state) {
        struct timespec before, after;
        usec_t boot, real;

        assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &before), 0);
        boot = clock_boottime_us();
        assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &after), 0);
        assert_true(boot >= (usec_t) before.tv_sec * USEC_PER_SEC + (usec_t) before.tv_nsec / 1000);
        assert_true(boot <= (usec_t) after.tv_sec * USEC_PER_SEC + (usec_t) after.tv_nsec / 1000);

        assert_int_equal(clock_gettime(CLOCK_REALTIME, &before), 0);
        real = clock_realtime_us();
        assert_true(real / USEC_PER_SEC >= (usec_t) before.tv_sec);
}

static void test_arithmetic(void **state) {
        assert_int_equal(usec_add(1, 2), 3);
        assert_true(usec_add(USEC_INFINITY - 1, 1) == USEC_INFINITY);
        assert_true(usec_add(USEC_INFINITY - 1, 2) == USEC_INFINITY);
        assert_true(usec_add(USEC_INFINITY, USEC_INFINITY) == USEC_INFINITY);
        assert_true(usec_add(0, USEC_INFINITY) == USEC_INFINITY);

        assert_int_equal(usec_sub(3, 2), 1);
        assert_int_equal(usec_sub(2, 2), 0);
        assert_int_equal(usec_sub(2, 3), 0);
        assert_int_equal(usec_sub(2, USEC_INFINITY), 0);
        assert_true(usec_sub(USEC_INFINITY, 5) == USEC_INFINITY);
}

static void test_rfc3339(void **state) {
        static const struct {
                usec_t time_us;
                const char *expected;
        } cases[] = {
                { 0, "1970-01-01T00:00:00Z" },
                { 999999, "1970-01-01T00:00:00Z" },
                { UINT64_C(1769860800) * USEC_PER_SEC, "2026-01-31T12:00:00Z" },
                { UINT64_C(951782400) * USEC_PER_SEC, "2000-02-29T00:00:00Z" },
                { UINT64_C(253402300799) * USEC_PER_SEC, "9999-12-31T23:59:59Z" },
                { UINT64_C(253402300800) * USEC_PER_SEC, "9999-12-31T23:59:59Z" },
                { USEC_INFINITY, "9999-12-31T23:59:59Z" },
        };
        char buffer[RFC3339_SIZE];

        /* The time zone of the host has no say. */
        assert_int_equal(setenv("TZ", "America/St_Johns", 1), 0);
        tzset();
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_string_equal(clock_format_rfc3339(cases[i].time_us, buffer), cases[i].expected);
}

static void test_reading_rfc3339(void **state) {
        static const struct {
                const char *text;
                int64_t seconds; /* -1: refused */
        } rows[] = {
                { "1970-01-01T00:00:00Z", 0 },
                { "1970-01-01T00:00:00z", 0 },
                { "2026-01-31T12:00:00Z", 1769860800 },
                { "2026-01-31T12:00:00.987654321Z", 1769860800 },
                { "2026-01-31T12:00:00+05:30", 1769860800 - 19800 },
                { "2026-01-31T12:00:00-00:00", 1769860800 },
                { "2026-01-31T12:00:00-14:00", 1769860800 + 50400 },
                { "9999-12-31T23:59:59Z", INT64_C(253402300799) },
                /* An offset that leads out of four digits */
                { "0000-01-01T00:00:00+02:00", -1 },
                { "9999-12-31T23:59:59-02:00", -1 },
                { "2026-01-31T12:00:00", -1 },
                { "2026-01-31 12:00:00Z", -1 },
                { "2026-01-31T12:00:00.Z", -1 },
                { "2026-01-31T12:00:00+24:00", -1 },
                { "2026-01-31T12:00:00+0100", -1 },
                { "2026-01-31T12:00:00Z ", -1 },
                { "+026-01-31T12:00:00Z", -1 },
                { "2026-13-31T12:00:00Z", -1 },
                { "", -1 },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                int64_t seconds = 7;

                assert_int_equal(clock_parse_rfc3339(rows[i].text, &seconds), rows[i].seconds == -1 ? -EINVAL : 0);
                assert_true(seconds == (rows[i].seconds == -1 ? 7 : rows[i].seconds));
        }
}

static void test_boot_id(void **state) {
        char id[BOOT_ID_SIZE] = "", again[BOOT_ID_SIZE] = "";

        if (clock_boot_id(id) < 0)
                return; /* /proc/sys is hidden here */
        assert_int_equal(strlen(id), BOOT_ID_SIZE - 1);
        assert_true(text_consists_of(id, "0123456789abcdef"));
        assert_int_equal(clock_boot_id(again), 0);
        assert_string_equal(id, again);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clocks_agree_with_the_kernel),
                cmocka_unit_test(test_arithmetic),
                cmocka_unit_test(test_rfc3339),
                cmocka_unit_test(test_reading_rfc3339),
                cmocka_unit_test(test_boot_id),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
