/* SPDX-License-Identifier: Apache-2.0 */

/* The installer's script, a foreign text: what is found in it has the form of a version,
 * whatever the rest is. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "host/host-facts.h"
#include "model/allow-list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char version[64] = "";
        int r = script_version_find((const char *) data, size, version);

        if (r == 0 && allow_list_check(VALUE_VERSION, version, NULL) < 0)
                abort();
        if (r < 0 && (r != -ENOENT || version[0] != '\0'))
                abort();
        return 0;
}
