/* SPDX-License-Identifier: Apache-2.0 */

/*
 * allow_list_check(): the first byte chooses the kind, the rest is the value. Whatever passes holds
 * nothing that a shell would look at twice, for any kind; whatever is refused has a reason.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/allow-list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char why[ALLOW_LIST_WHY_SIZE] = "";

        if (size == 0)
                return 0;
        ValueKind kind = (ValueKind) (data[0] % _VALUE_KIND_MAX);
        _cleanup_free_ char *value = strndup((const char *) data + 1, size - 1);
        if (!value)
                return 0;

        int r = allow_list_check(kind, value, why);
        expect(r == allow_list_check(kind, value, NULL));
        if (r < 0) {
                expect(r == -EINVAL && why[0] != '\0' && memchr(why, '\0', sizeof(why)));
                return 0;
        }
        expect(why[0] == '\0' && value[0] != '\0' && (value[0] != '-' || kind == VALUE_OPTION));
        expect(strpbrk(value, " \t\n\r'`$\\;&|<>()*?[]!#~%^") == NULL);
        /* Quotes and braces only as memory settings, which are compared with our own form byte by
         * byte. */
        expect(kind == VALUE_MEMORY_SETTINGS || strpbrk(value, "\"{}") == NULL);
        return 0;
}
