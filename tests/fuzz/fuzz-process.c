/* SPDX-License-Identifier: Apache-2.0 */

/* The one file of /proc whose text is taken apart: it holds the name of somebody else's program, who may have chosen it
 * to look like the rest of the line. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "installer/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        uint64_t ticks = 77;

        if (!text)
                return 0;
        int r = process_stat_parse(text, &ticks);
        if (r != 0 && r != -ESRCH && r != -EBADMSG)
                abort();
        if (r < 0 && ticks != 77) /* outputs are untouched on failure */
                abort();
        return 0;
}
