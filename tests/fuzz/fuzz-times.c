/* SPDX-License-Identifier: Apache-2.0 */

/* Moments and durations as specs, headers and files of others write them: refused, or within what the rest counts with. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/key-expiration.h"
#include "report/status-text.h"

#define YEAR_0_S INT64_C(-62167219200)
#define YEAR_10000_S INT64_C(253402300800)
#define DURATION_MAX_US (365 * 24 * USEC_PER_HOUR)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

static void expect_moment(int r, int64_t seconds) {
        expect(r <= 0 && (r < 0 || (seconds >= YEAR_0_S && seconds <= YEAR_10000_S)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        int64_t seconds = 0;
        usec_t duration_us = 0, realtime_us = 0;
        int r;

        if (!text)
                return 0;
        r = clock_parse_rfc3339(text, &seconds);
        expect_moment(r, seconds);
        r = key_expiration_parse(text, &seconds);
        expect_moment(r, seconds);
        r = duration_parse(text, &duration_us);
        expect(r <= 0 && (r < 0 || duration_us <= DURATION_MAX_US));
        r = status_parse_time(text, &realtime_us);
        expect(r <= 0 && (r < 0 || realtime_us != USEC_INFINITY));
        return 0;
}
