/* SPDX-License-Identifier: Apache-2.0 */

/*
 * record_decode(): any bytes are refused, or are a record that survives being written and read again and
 * that a machine can be resumed from.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buffer_ Buffer first = BUFFER_INIT(RECORD_SIZE_MAX), second = BUFFER_INIT(RECORD_SIZE_MAX);
        Record record, again;
        Machine m;
        int r;

        r = record_decode((const char *) data, size, &record);
        if (r < 0) {
                expect(r == -EBADMSG || r == -ENOMEM);
                return 0;
        }
        expect(record_encode(&record, &first) == 0);
        expect(record_decode(first.data, first.size, &again) == 0);
        expect(record_encode(&again, &second) == 0);
        expect(strcmp(buffer_string(&first), buffer_string(&second)) == 0);

        m = record_resume(&record, "0123456789abcdef0123456789abcdef", USEC_PER_HOUR, USEC_PER_HOUR);
        expect(m.state == STATE_LOADING && !m.token_held);
        expect(m.installer_pending == record.machine.installer_pending);
        expect(m.unsettled == record.machine.unsettled);
        return 0;
}
