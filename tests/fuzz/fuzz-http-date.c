/* SPDX-License-Identifier: Apache-2.0 */

/*
 * clock_parse_http_date_at(): any text is refused, or is a time within the years 0 to 9999, and the same one
 * each time. The first 8 bytes are the present.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define YEAR_0_S INT64_C(-62167219200)
#define YEAR_10000_S INT64_C(253402300800)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = NULL;
        int64_t now, seconds, same;

        if (size < sizeof(now))
                return 0;
        memcpy(&now, data, sizeof(now));

        text = strndup((const char *) data + sizeof(now), size - sizeof(now));
        expect(text != NULL);

        if (clock_parse_http_date_at(text, now, &seconds) < 0)
                return 0;

        expect(seconds >= YEAR_0_S && seconds <= YEAR_10000_S);
        expect(clock_parse_http_date_at(text, now, &same) == 0 && same == seconds);
        return 0;
}
