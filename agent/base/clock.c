/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The two clocks and arithmetic on their values.
 *
 * Reading them can't fail on a kernel that we support, so there is nothing to return but the time. Sums
 * saturate: a deadline of "never" plus anything is still never, and a deadline that has passed is 0 away.
 */

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <systemd/sd-id128.h>
#include <time.h>

#define NSEC_PER_USEC 1000

/* 9999-12-31T23:59:59Z: RFC 3339 has no way to write a later year. */
#define RFC3339_LAST_SECOND INT64_C(253402300799)

static usec_t clock_now_us(clockid_t clock) {
        struct timespec now;
        int r;

        r = clock_gettime(clock, &now);
        assert(r == 0);
        assert(now.tv_sec >= 0);

        return (usec_t) now.tv_sec * USEC_PER_SEC + (usec_t) now.tv_nsec / NSEC_PER_USEC;
}

usec_t clock_boottime_us(void) {
        return clock_now_us(CLOCK_BOOTTIME);
}

usec_t clock_realtime_us(void) {
        return clock_now_us(CLOCK_REALTIME);
}

usec_t usec_add(usec_t a, usec_t b) {
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

usec_t usec_sub(usec_t a, usec_t b) {
        if (a == USEC_INFINITY)
                return USEC_INFINITY;
        return a > b ? a - b : 0;
}

const char *clock_format_rfc3339(usec_t realtime_us, char buffer[static RFC3339_SIZE]) {
        int64_t seconds = (int64_t) (realtime_us / USEC_PER_SEC);
        time_t shown = seconds < RFC3339_LAST_SECOND ? seconds : RFC3339_LAST_SECOND;
        struct tm utc;
        size_t n;

        if (!gmtime_r(&shown, &utc))
                assert(false);

        n = strftime(buffer, RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
        assert(n > 0);
        return buffer;
}

int clock_boot_id(char ret[static BOOT_ID_SIZE]) {
        sd_id128_t id;
        int r;

        static_assert(BOOT_ID_SIZE == SD_ID128_STRING_MAX, "room for exactly one id");

        r = sd_id128_get_boot(&id);
        if (r < 0)
                return r;

        (void) sd_id128_to_string(id, ret);
        return 0;
}
