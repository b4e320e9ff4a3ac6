/* SPDX-License-Identifier: Apache-2.0 */

/*
 * record_decode(): any bytes are refused, or are a record that survives being written and read again and
 * that a machine can be resumed from. What has the form of an object is tried a second time with the
 * seal that it lacks, or the seal would keep the fuzzer out of everything behind it.
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

static void try(const char *text, size_t size) {
        _cleanup_buffer_ Buffer first = BUFFER_INIT(RECORD_SIZE_MAX), second = BUFFER_INIT(RECORD_SIZE_MAX);
        Record record, again;
        Machine m;
        int r;

        r = record_decode(text, size, &record);
        if (r < 0) {
                expect(r == -EBADMSG || r == -EPROTONOSUPPORT || r == -ENOMEM);
                return;
        }
        expect(record_encode(&record, &first) == 0);
        expect(record_decode(first.data, first.size, &again) == 0);
        expect(record_encode(&again, &second) == 0);
        expect(strcmp(buffer_string(&first), buffer_string(&second)) == 0);

        m = record_resume(&record, "0123456789abcdef0123456789abcdef", USEC_PER_HOUR);
        expect(m.state == STATE_LOADING && !m.token_held);
        expect(m.installer_pending == record.machine.installer_pending);
        expect(m.unsettled == record.machine.unsettled);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *sealed = NULL;

        try((const char *) data, size);
        if (json_read((const char *) data, size, &object, NULL) < 0 || !json_is_object(object) ||
            json_seal(object) < 0)
                return 0;
        sealed = json_write_compact(object);
        if (sealed)
                try(sealed, strlen(sealed));
        return 0;
}
