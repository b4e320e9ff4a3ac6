/* SPDX-License-Identifier: Apache-2.0 */

/* The three forms of an HTTP date, what is nearly one, and the century of a two-digit year. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define UNTOUCHED INT64_C(4711)
#define YEAR_2026 INT64_C(1767225600)

static void test_forms(void **state) {
        static const struct {
                const char *text;
                int64_t expected;
        } cases[] = {
                { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
                { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
                { "Sun Nov  6 08:49:37 1994", 784111777 },
                { "Sun Nov 06 08:49:37 1994", 784111777 },
                { "Wed Nov 16 08:49:37 1994", 784975777 },
                { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
                { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
                { "Sat, 31 Jan 2026 12:00:00 GMT", 1769860800 },
                { "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
                { "Thu, 29 Feb 2024 23:59:59 GMT", 1709251199 },
                { "Fri, 01 Mar 2024 00:00:00 GMT", 1709251200 },
                { "Tue, 19 Jan 2038 03:14:08 GMT", INT64_C(2147483648) },
                { "Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799) },
                { "Sat, 01 Jan 0000 00:00:00 GMT", INT64_C(-62167219200) },
                { "Tue, 29 Feb 0000 00:00:00 GMT", INT64_C(-62162121600) },
                /* The leap second is the first of the next day. */
                { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
                /* The day's name is not held against the date. */
                { "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                int64_t seconds = UNTOUCHED;

                assert_int_equal(clock_parse_http_date_at(cases[i].text, YEAR_2026, &seconds), 0);
                assert_int_equal(seconds, cases[i].expected);
        }
}

static void test_refused(void **state) {
        static const char *const cases[] = {
                "",
                "Sun",
                "Sun, 06 Nov 1994 08:49:37",
                "Sun, 06 Nov 1994 08:49:37 UTC",
                "Sun, 06 Nov 1994 08:49:37 gmt",
                "Sun, 06 Nov 1994 08:49:37 +0000",
                "Sun, 06 Nov 1994 08:49:37 GMT ",
                " Sun, 06 Nov 1994 08:49:37 GMT",
                "Sun,  06 Nov 1994 08:49:37 GMT",
                "Sun, 6 Nov 1994 08:49:37 GMT",
                "Sun,  6 Nov 1994 08:49:37 GMT",
                "Sun, 06 Nov 94 08:49:37 GMT",
                "Sun, 06 Nov 01994 08:49:37 GMT",
                "Sun, 06 Nov 1994 8:49:37 GMT",
                "Sun, 06 Nov 1994 08:49 GMT",
                "Sun, 06 nov 1994 08:49:37 GMT",
                "sun, 06 Nov 1994 08:49:37 GMT",
                "SUN, 06 NOV 1994 08:49:37 GMT",
                "Son, 06 Nov 1994 08:49:37 GMT",
                "Sun, 06 Okt 1994 08:49:37 GMT",
                "Sun, 06-Nov-1994 08:49:37 GMT",
                "Sun, 06-Nov-94 08:49:37 GMT",
                "Sunday, 06 Nov 1994 08:49:37 GMT",
                "Sunday, 06-Nov-1994 08:49:37 GMT",
                "Sun Nov 6 08:49:37 1994",
                "Sun Nov   6 08:49:37 1994",
                "Sun Nov  6 08:49:37 1994 GMT",
                "Sun Nov  6 08:49:37 94",
                /* Forms are right, values are not. */
                "Sun, 00 Nov 1994 08:49:37 GMT",
                "Sun, 31 Nov 1994 08:49:37 GMT",
                "Sun, 32 Dec 1994 08:49:37 GMT",
                "Tue, 29 Feb 2023 08:49:37 GMT",
                "Thu, 29 Feb 1900 08:49:37 GMT",
                "Mon, 30 Feb 2024 08:49:37 GMT",
                "Sun, 06 Nov 1994 24:00:00 GMT",
                "Sun, 06 Nov 1994 08:60:00 GMT",
                "Sun, 06 Nov 1994 08:49:61 GMT",
                "Sun, 06 Nov 1994 08:49:60 GMT",
                "Sun, 06 Nov 1994 23:58:60 GMT",
                "Sun Nov  0 08:49:37 1994",
                "Wednesday, 29-Feb-23 08:49:37 GMT",
                "1994-11-06T08:49:37Z",
                "784111777",
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                int64_t seconds = UNTOUCHED;

                assert_int_equal(clock_parse_http_date_at(cases[i], YEAR_2026, &seconds), -EINVAL);
                assert_int_equal(clock_parse_http_date(cases[i], &seconds), -EINVAL);
                assert_int_equal(seconds, UNTOUCHED);
        }
}

/* One character broken at a time, or the text cut off there: never a date. */
static void test_each_character_counts(void **state) {
        static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";

        for (size_t i = 0; i < strlen(date); i++) {
                char broken[sizeof(date)];
                int64_t seconds = UNTOUCHED;

                memcpy(broken, date, sizeof(date));
                broken[i] = '%';
                assert_int_equal(clock_parse_http_date_at(broken, YEAR_2026, &seconds), -EINVAL);
                broken[i] = '\0';
                assert_int_equal(clock_parse_http_date_at(broken, YEAR_2026, &seconds), -EINVAL);
        }
}

/* Every day of 800 years, against the C library. */
static void test_calendar(void **state) {
        static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

        for (int64_t day = -200 * 365; day < 600 * 365; day++) {
                time_t expected = day * 86400 + 43200;
                int64_t seconds = UNTOUCHED;
                char text[64];
                struct tm utc;

                assert_non_null(gmtime_r(&expected, &utc));
                (void) snprintf(text, sizeof(text), "Mon, %02d %s %04d 12:00:00 GMT", utc.tm_mday,
                                months[utc.tm_mon], utc.tm_year + 1900);
                assert_int_equal(clock_parse_http_date_at(text, YEAR_2026, &seconds), 0);
                assert_int_equal(seconds, expected);
        }
}

static void test_century(void **state) {
        static const struct {
                int64_t now;
                const char *two_digits, *four_digits;
        } cases[] = {
                { YEAR_2026, "Friday, 01-Jan-26 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 GMT" },
                { YEAR_2026, "Friday, 01-Jan-70 00:00:00 GMT", "Wed, 01 Jan 2070 00:00:00 GMT" },
                { YEAR_2026, "Friday, 31-Dec-75 00:00:00 GMT", "Tue, 31 Dec 2075 00:00:00 GMT" },
                /* More than fifty years ahead: the most recent past year with these digits. */
                { YEAR_2026, "Friday, 02-Jan-76 00:00:00 GMT", "Fri, 02 Jan 1976 00:00:00 GMT" },
                { YEAR_2026, "Friday, 01-Jan-77 00:00:00 GMT", "Sat, 01 Jan 1977 00:00:00 GMT" },
                { YEAR_2026, "Friday, 31-Dec-99 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:59 GMT" },
                { YEAR_2026, "Friday, 29-Feb-00 00:00:00 GMT", "Tue, 29 Feb 2000 00:00:00 GMT" },
                /* Close to the turn of a century both sides of it are near. */
                { INT64_C(946684799), "Friday, 01-Jan-00 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT" },
                { INT64_C(4102444799), "Friday, 01-Jan-05 00:00:00 GMT", "Thu, 01 Jan 2105 00:00:00 GMT" },
                { INT64_C(4102444799), "Friday, 01-Jan-98 00:00:00 GMT", "Wed, 01 Jan 2098 00:00:00 GMT" },
                /* A host whose clock was never set. */
                { 0, "Friday, 01-Jan-05 00:00:00 GMT", "Thu, 01 Jan 2005 00:00:00 GMT" },
                { 0, "Friday, 01-Jan-26 00:00:00 GMT", "Fri, 01 Jan 1926 00:00:00 GMT" },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                int64_t seconds = UNTOUCHED, expected = 0;

                assert_int_equal(clock_parse_http_date_at(cases[i].four_digits, 0, &expected), 0);
                assert_int_equal(clock_parse_http_date_at(cases[i].two_digits, cases[i].now, &seconds), 0);
                assert_int_equal(seconds, expected);
        }
}

/* Absurd clocks still give an answer. */
static void test_century_of_absurd_clocks(void **state) {
        static const int64_t clocks[] = { INT64_MIN, -1, INT64_MAX };

        for (size_t i = 0; i < ELEMENTS(clocks); i++) {
                static const char date[] = "Friday, 01-Jan-26 00:00:00 GMT";
                int64_t seconds = UNTOUCHED;

                assert_int_equal(clock_parse_http_date_at(date, clocks[i], &seconds), 0);
                assert_int_not_equal(seconds, UNTOUCHED);
        }
}

static void test_zone_does_not_matter(void **state) {
        int64_t seconds = UNTOUCHED;

        assert_int_equal(setenv("TZ", "Asia/Kathmandu", 1), 0);
        tzset();
        assert_int_equal(clock_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &seconds), 0);
        assert_int_equal(seconds, 784111777);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forms),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_each_character_counts),
                cmocka_unit_test(test_calendar),
                cmocka_unit_test(test_century),
                cmocka_unit_test(test_century_of_absurd_clocks),
                cmocka_unit_test(test_zone_does_not_matter),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
