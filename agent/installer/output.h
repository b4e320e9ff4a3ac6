/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Output: one pipe of a child on the event loop, drained to its end and handed on as lines. */

#include <systemd/sd-event.h>

#include "installer/lines.h"

typedef void (*OutputEndHandler)(void *userdata);

typedef struct Output {
        int fd; /* -1: at its end, or never started */
        sd_event_source *io;
        LineReader lines;
        OutputEndHandler on_end;
        void *userdata;
} Output;

#define OUTPUT_INIT ((Output) { .fd = -1 })

/* Takes fd over (also on failure) and makes it non-blocking. line and end run from the loop; end
 * once, at end of file. */
int output_start(Output *o, sd_event *event, int fd, const Fingerprint *print, LineHandler line,
                 OutputEndHandler end, void *userdata);

/* Reads what is there at this moment, then lets go of the pipe; end is not called. */
void output_stop(Output *o);

/* Lets go of the pipe with what is in it. */
void output_close(Output *o);

static inline bool output_ended(const Output *o) {
        return o->fd < 0;
}
