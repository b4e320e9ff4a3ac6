/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Four forms are told apart by what they look like; nothing is guessed beyond that. What comes out warns a
 * person and decides nothing: a key has ended when the platform refuses it.
 */

#include "model/key-expiration.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define DIGITS_OF_SECONDS 10U /* 2001 to 2286 */
#define DIGITS_OF_MILLISECONDS 13U

static int parse_number(const char *text, int64_t *ret_seconds) {
        size_t n = strlen(text);
        uint64_t value;

        if ((n != DIGITS_OF_SECONDS && n != DIGITS_OF_MILLISECONDS) || text_to_u64(text, INT64_MAX, &value) < 0)
                return -EINVAL;
        *ret_seconds = (int64_t) (n == DIGITS_OF_SECONDS ? value : value / 1000);
        return 0;
}

int key_expiration_parse(const char *text, int64_t *ret_seconds) {
        if (clock_parse_rfc3339(text, ret_seconds) == 0 || clock_parse_http_date(text, ret_seconds) == 0)
                return 0;
        return parse_number(text, ret_seconds);
}
