/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The eight basic colours of ECMA-48 (SGR), which every terminal since the VT340 either shows or ignores. What is told to
 * be one of DEC's (TERM=vt220 is what systemd gives to a serial console) gets none: some consoles of management boards
 * print what they don't know. Nothing can fail.
 */

#include "report/paint.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

bool paint_wanted(int fd) {
        const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

        return isatty(fd) && term && !streq(term, "dumb") && !text_starts_with(term, "vt") && !(no_color && no_color[0]);
}

const char *paint_start(Paint paint, bool colour) {
        if (!colour)
                return "";
        switch (paint) {
        case PAINT_PLAIN:
                return "";
        case PAINT_GOOD:
                return "\x1b[32m";
        case PAINT_BAD:
                return "\x1b[31m";
        case PAINT_WAIT:
                return "\x1b[33m";
        case PAINT_DIM:
                return "\x1b[2m";
        case PAINT_BOLD:
                return "\x1b[1m";
        }
        return "";
}

const char *paint_end(bool colour) {
        return colour ? "\x1b[0m" : "";
}

Paint paint_of_state(const char *state) {
        if (streq(state, "ENROLLED"))
                return PAINT_GOOD;
        if (streq(state, "FAILED"))
                return PAINT_BAD;
        if (streq(state, "BACKOFF") || streq(state, "UNCONFIGURED"))
                return PAINT_WAIT;
        return PAINT_BOLD;
}
