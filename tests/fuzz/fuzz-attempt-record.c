/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keeper's own record, as a disk may give it back: any bytes are refused or are a record that says nothing
 * impossible. What has the form of an object is tried a second time with the seal that it lacks.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "installer/attempt-record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

static void try(const char *text, size_t size) {
        AttemptRecord r = { .state = RECORD_NONE };

        int error = attempt_record_decode(text, size, &r);
        expect(error == 0 || error == -EBADMSG);
        if (error < 0)
                return;
        expect(r.state >= RECORD_NONE && r.state <= RECORD_ACKNOWLEDGED && r.pid >= 0);
        expect(memchr(r.id, '\0', sizeof(r.id)) && memchr(r.runner_id, '\0', sizeof(r.runner_id)));
        expect(text_consists_of(r.id, "0123456789abcdef"));
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
