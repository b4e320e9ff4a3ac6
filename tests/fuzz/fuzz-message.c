/* SPDX-License-Identifier: Apache-2.0 */

/* The decoder of messages, which both sides use on what the other sent. Whatever it accepts must be
 * encoded again, and decoded to the same once more: then nothing was accepted that is not
 * understood. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "installer/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buffer_ Buffer once = BUFFER_INIT(MESSAGE_SIZE_MAX), again = BUFFER_INIT(MESSAGE_SIZE_MAX);
        Message m, back;

        if (message_decode((const char *) data, size, &m) < 0)
                return 0;
        if (message_encode(&m, &once) < 0)
                return 0; /* -EMSGSIZE: escapes make it longer */
        assert(message_decode(once.data, once.size, &back) == 0);
        assert(message_encode(&back, &again) == 0);
        assert(strcmp(buffer_string(&once), buffer_string(&again)) == 0);
        return 0;
}
