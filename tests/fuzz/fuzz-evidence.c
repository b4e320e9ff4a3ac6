/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What an installer's lines are made to say: the first two bytes are its end, the rest are lines. The verdict has an
 * origin and a printable sentence, a status of 0 is never a failure, and nothing that is not 0 is ever a success.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "installer/evidence.h"
#include "installer/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

static void on_line(void *userdata, const char *line) {
        const char *stage = evidence_stage(line);

        expect(!stage || (*stage && strlen(stage) < 64));
        evidence_line(userdata, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static Evidence e;
        LineReader reader;

        if (size < 2)
                return 0;
        e = (Evidence) { .run_watched = (data[1] & 1) != 0, .run_reached = (data[1] & 2) != 0 };
        line_reader_init(&reader, NULL, on_line, &e);
        (void) line_reader_feed(&reader, (const char *) data + 2, size - 2);
        line_reader_finish(&reader);
        line_reader_done(&reader);
        expect(memchr(e.message, '\0', sizeof(e.message)) && memchr(e.last, '\0', sizeof(e.last)));

        Observation seen = evidence_conclude(&e, data[0], (data[1] & 4) != 0, (EvidenceEnd) (data[1] / 8 % 3));
        if (data[0] == 0 && (data[1] & 4) == 0)
                expect(observation_is_none(&seen));
        else if (data[0] > 5)
                expect(!observation_is_none(&seen));
        for (const char *c = seen.detail; *c; c++)
                expect((unsigned char) *c >= 0x20 && *c != 0x7f);
        return 0;
}
