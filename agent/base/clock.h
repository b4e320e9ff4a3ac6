/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Time. Every decision of the agent hangs on CLOCK_BOOTTIME (it counts suspend and ignores steps of the
 * wall clock); CLOCK_REALTIME is for showing and recording only. Microseconds in uint64_t, saturating.
 * A boottime value that was written down means something only under the same boot id.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t usec_t;

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_INFINITY UINT64_MAX

usec_t clock_boottime_us(void);
usec_t clock_realtime_us(void);

/* a + b, at most USEC_INFINITY; a - b, at least 0, and still USEC_INFINITY when a is. */
usec_t usec_add(usec_t a, usec_t b);
usec_t usec_sub(usec_t a, usec_t b);

/* RFC 3339 in UTC, whole seconds: "2026-01-31T12:00:00Z". A time past year 9999 shows as its last second. */
#define RFC3339_SIZE 32
const char *clock_format_rfc3339(usec_t realtime_us, char buffer[static RFC3339_SIZE]);

/* The other way, with a fraction (dropped) and any offset. 0, or -EINVAL, also for a time without a zone and one outside of
 * the years 0 to 9999 in UTC. */
int clock_parse_rfc3339(const char *text, int64_t *ret_seconds);

/* An HTTP date (RFC 9110, 5.6.7: IMF-fixdate, RFC 850, asctime; always GMT) as seconds since the epoch.
 * 0 or -EINVAL. Does not depend on locale or time zone. */
int clock_parse_http_date(const char *text, int64_t *ret_seconds);

/* The same with the present passed in, which decides the century of RFC 850's two-digit year. */
int clock_parse_http_date_at(const char *text, int64_t now_seconds, int64_t *ret_seconds);

/* A duration of the spec: a whole number with unit us, ms, s, m, h or d, or "0". One number, one unit.
 * 0, -EINVAL for another form, -ERANGE past 365 days. */
int duration_parse(const char *text, usec_t *ret);

/* The units, n from 0; NULL behind the last. */
const char *duration_unit(size_t n);

/* "1h 5m", "42s", "350ms", "0s": two neighbouring units at most, the rest is cut off. Milliseconds follow
 * seconds only below 10 s ("1s 500ms"). USEC_INFINITY is "infinity". */
#define DURATION_SIZE 48
const char *duration_format(usec_t duration_us, char buffer[static DURATION_SIZE]);

/* The kernel's boot id as 32 hex digits; -errno when /proc/sys is hidden. */
#define BOOT_ID_SIZE 33
int clock_boot_id(char ret[static BOOT_ID_SIZE]);

/* What the kernel says of its own wall clock; never sets it. */
typedef enum ClockSync {
        CLOCK_SYNC_UNKNOWN, /* this process may not ask */
        CLOCK_UNSYNCHRONISED,
        CLOCK_SYNCHRONISED,
        _CLOCK_SYNC_MAX,
} ClockSync;
ClockSync clock_sync(void);
const char *clock_sync_to_string(ClockSync sync); /* "synchronised", "not synchronised", "not known to be synchronised" */
