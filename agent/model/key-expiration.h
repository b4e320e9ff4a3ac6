/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The header X-Elastic-Api-Key-Expiration: when the API key of this request ends. ECE's documents name the
 * header and not its form, so whatever is a moment without doubt is taken, and all else is only shown as it came.
 */

#include <stdint.h>

/* RFC 3339, an HTTP date, or seconds or milliseconds since 1970 (a number of ten or thirteen digits). 0 with the
 * seconds since 1970, or -EINVAL. Pure. */
int key_expiration_parse(const char *text, int64_t *ret_seconds);
