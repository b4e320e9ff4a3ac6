/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The story of an enrollment as it happens, for whoever watches `ece-enroll run`: one line for each step on
 * standard output, with colours on a terminal and plain in a pipe. Never blocks on anything but the output itself. */

#include "model/report.h"

typedef struct Story {
        int fd;
        bool colour;
        unsigned columns; /* 0: lines are not folded */
        usec_t started_us; /* boottime; lines show the time since then */
        char last_reason[REASON_ID_SIZE]; /* told already: not repeated while nothing changes */
} Story;

Story story_begin(int fd, usec_t now_us);

void story_transition(Story *story, const Report *report, usec_t now_us);
void story_trouble(Story *story, const Report *report, usec_t now_us); /* only a reason not told yet */
void story_installer_line(Story *story, const char *line, usec_t now_us);
void story_note(Story *story, const char *note, usec_t now_us);

/* A gate that is waited for, and that it has opened. Whoever calls tells each once. */
void story_gate_shut(Story *story, const char *name, const Outcome *why, usec_t now_us);
void story_gate_open(Story *story, const char *name, usec_t now_us);
