/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The dates of HTTP, in the three forms that RFC 9110 (5.6.7) asks a recipient to know:
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT        IMF-fixdate, what everybody sends
 *     Sunday, 06-Nov-94 08:49:37 GMT       RFC 850
 *     Sun Nov  6 08:49:37 1994             asctime()
 *
 * A `Date` header decides how long we believe that a token lives, so a text that is nearly a date is not
 * taken for one. strptime() is no help here: it follows the locale and forgives much. The forms are written
 * down as patterns and read by one small loop; whatever doesn't fit is -EINVAL.
 *
 * The name of the day must be one, but it is not held against the date: the RFC asks no recipient to.
 */

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

#define SECONDS_PER_DAY INT64_C(86400)
#define FIFTY_YEARS_S (50 * INT64_C(31556952)) /* of the mean Gregorian year */

typedef struct DateFields {
        int year, month, day, hour, minute, second; /* month and day count from 1 */
        bool short_year;
} DateFields;

/*
 * %a day name (Sun)   %A day name (Sunday)   %b month (Nov)   %d day of the month   %e the same, blank-padded
 * %Y four-digit year   %y two-digit year   %H %M %S time of day; all else is literal.
 */
static const char *const date_patterns[] = {
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
};

static const char *const day_names[] = {
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
};

static const char *const month_names[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

/* Each reader moves *text behind what it took and says whether the text was as it should be. */

static bool read_digits(const char **text, unsigned n, int *ret) {
        int value = 0;

        for (; n > 0; n--, (*text)++) {
                if (**text < '0' || **text > '9')
                        return false;
                value = value * 10 + (**text - '0');
        }

        *ret = value;
        return true;
}

/* length 0: the whole name, otherwise that many letters of it. */
static bool read_name(const char **text, const char *const names[], size_t n_names, size_t length,
                      size_t *ret_index) {
        for (size_t i = 0; i < n_names; i++) {
                size_t n = length > 0 ? length : strlen(names[i]);

                if (strncmp(*text, names[i], n) != 0)
                        continue;
                *text += n;
                *ret_index = i;
                return true;
        }
        return false;
}

static bool read_month(const char **text, int *ret) {
        size_t index;

        if (!read_name(text, month_names, ELEMENTS(month_names), 0, &index))
                return false;

        *ret = (int) index + 1;
        return true;
}

static bool read_padded_day(const char **text, int *ret) {
        if (**text != ' ')
                return read_digits(text, 2, ret);

        (*text)++;
        return read_digits(text, 1, ret);
}

static bool read_field(const char **text, char field, DateFields *date) {
        size_t ignored;

        switch (field) {
        case 'a':
                return read_name(text, day_names, ELEMENTS(day_names), 3, &ignored);
        case 'A':
                return read_name(text, day_names, ELEMENTS(day_names), 0, &ignored);
        case 'b':
                return read_month(text, &date->month);
        case 'd':
                return read_digits(text, 2, &date->day);
        case 'e':
                return read_padded_day(text, &date->day);
        case 'Y':
                return read_digits(text, 4, &date->year);
        case 'y':
                date->short_year = true;
                return read_digits(text, 2, &date->year);
        case 'H':
                return read_digits(text, 2, &date->hour);
        case 'M':
                return read_digits(text, 2, &date->minute);
        case 'S':
                return read_digits(text, 2, &date->second);
        default:
                assert(false); /* no pattern has another field */
                return false;
        }
}

static bool read_date(const char *text, const char *pattern, DateFields *ret) {
        DateFields date = {};

        for (; *pattern; pattern++) {
                if (*pattern == '%') {
                        if (!read_field(&text, *++pattern, &date))
                                return false;
                } else if (*text++ != *pattern)
                        return false;
        }
        if (*text)
                return false;

        *ret = date;
        return true;
}

static bool is_leap_year(int year) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month) {
        static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

        return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

/* A second 60 exists only as the leap second that ends a day. */
static bool date_is_valid(const DateFields *date) {
        bool leap_second = date->hour == 23 && date->minute == 59 && date->second == 60;

        return date->day >= 1 && date->day <= days_in_month(date->year, date->month) &&
               date->hour <= 23 && date->minute <= 59 && (date->second <= 59 || leap_second);
}

/* Days from the first of March of year 0 (of the Gregorian calendar, extended backwards). A year that
 * starts in March has its leap day last, so the months before any month have the same length each year. */
static int64_t days_since_march_0(int year, int month, int day) {
        int64_t y = month > 2 ? year : year - 1;
        int64_t months_from_march = (month + 9) % 12;
        int64_t leap_days = y >= 0 ? y / 4 - y / 100 + y / 400 : -1; /* y is -1 at least */

        return 365 * y + leap_days + (153 * months_from_march + 2) / 5 + (day - 1);
}

static int64_t date_seconds(const DateFields *date) {
        int64_t days = days_since_march_0(date->year, date->month, date->day) -
                       days_since_march_0(1970, 1, 1);

        return days * SECONDS_PER_DAY + date->hour * INT64_C(3600) + date->minute * INT64_C(60) +
               date->second;
}

/* A two-digit year means the latest year with these digits that is at most 50 years ahead of now. A clock
 * that is absurdly wrong ends at one of the four-digit centuries like any other. */
static void complete_year(DateFields *date, int64_t now_seconds) {
        int digits = date->year;

        for (int century = 9900; century >= 0; century -= 100) {
                date->year = century + digits;
                if (date_seconds(date) - FIFTY_YEARS_S <= now_seconds)
                        return;
        }
}

int clock_parse_http_date_at(const char *text, int64_t now_seconds, int64_t *ret_seconds) {
        assert(text);
        assert(ret_seconds);

        for (size_t i = 0; i < ELEMENTS(date_patterns); i++) {
                DateFields date;

                if (!read_date(text, date_patterns[i], &date))
                        continue;
                if (date.short_year)
                        complete_year(&date, now_seconds);
                if (!date_is_valid(&date))
                        return -EINVAL;

                *ret_seconds = date_seconds(&date);
                return 0;
        }
        return -EINVAL;
}

int clock_parse_http_date(const char *text, int64_t *ret_seconds) {
        return clock_parse_http_date_at(text, (int64_t) (clock_realtime_us() / USEC_PER_SEC), ret_seconds);
}
