/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading the times of RFC 3339, in the form in which container engines and APIs write them: a date, a "T", a time
 * of day, perhaps a fraction, and "Z" or an offset. All of the text has to be that; a time without a zone
 * is refused, because nobody knows which one was meant. The fraction is dropped.
 */

#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define DIGITS "0123456789"
#define YEAR_0_S INT64_C(-62167219200)
#define YEAR_10000_S INT64_C(253402300800) /* reached by a leap second only */

static int two_digits(const char *text) {
        return (text[0] - '0') * 10 + (text[1] - '0');
}

/* "Z" or "+01:00", and nothing behind it. */
static bool read_offset(const char *text, int64_t *ret_s) {
        bool west = *text == '-';

        if (*text == 'Z' || *text == 'z') {
                *ret_s = 0;
                return text[1] == '\0';
        }
        if ((*text != '+' && !west) || strlen(text) != sizeof("+01:00") - 1 || strspn(text + 1, DIGITS) != 2 ||
            text[3] != ':' || strspn(text + 4, DIGITS) != 2 || two_digits(text + 1) > 23 || two_digits(text + 4) > 59)
                return false;
        *ret_s = two_digits(text + 1) * INT64_C(3600) + two_digits(text + 4) * INT64_C(60);
        if (west)
                *ret_s = -*ret_s;
        return true;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_seconds) {
        struct tm tm = { 0 };
        /* Digits first: strptime(3) would take blanks and signs as well. */
        const char *rest = strspn(text, DIGITS) == 4 ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
        int64_t offset_s, seconds;

        if (!rest || rest - text != sizeof("2026-01-31T12:00:00") - 1)
                return -EINVAL;
        if (*rest == '.') {
                size_t digits = strspn(rest + 1, DIGITS);

                if (digits == 0)
                        return -EINVAL;
                rest += 1 + digits;
        }
        if (!read_offset(rest, &offset_s))
                return -EINVAL;
        /* An offset can lead out of what the format's four digits can say. */
        seconds = (int64_t) timegm(&tm) - offset_s;
        if (seconds < YEAR_0_S || seconds > YEAR_10000_S)
                return -EINVAL;
        *ret_seconds = seconds;
        return 0;
}
