/* SPDX-License-Identifier: Apache-2.0 */

/*
 * json_read(): any bytes are refused with a reason, or become a value that survives being written and read
 * again.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *value = NULL, *again = NULL;
        _cleanup_free_ char *text = NULL;
        char why[JSON_WHY_SIZE] = "";
        int r;

        r = json_read((const char *) data, size, &value, why);
        if (r < 0) {
                expect(r == -EBADMSG || r == -EMSGSIZE || r == -ENOMEM);
                expect(!value && *why && memchr(why, '\0', sizeof(why)));
                return 0;
        }

        text = json_write_compact(value);
        expect(text != NULL);

        /* Escapes make a text longer, so what was just small enough may be too large by now. */
        r = json_read(text, strlen(text), &again, why);
        expect(r == 0 || (r == -EMSGSIZE && strlen(text) > JSON_SIZE_MAX));
        expect(r < 0 || json_equal(value, again));
        return 0;
}
