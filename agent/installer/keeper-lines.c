/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the installer says, on its way to the agent.
 *
 * An installer may print faster than an agent reads, by any amount. So lines are kept in a ring of the last KEPT_LINES, and go to
 * the agent from there, no more at a time than the outbox has room for beside answers; what the ring has lost meanwhile is
 * counted, and told in the place where it is missing. So memory has a bound, an agent that reads is never cut off for the
 * installer's sake, and the last lines before the end, which are those that people need, come in any case.
 *
 * Evidence is not taken from here: it is found in every line as it comes (keeper-attempt.c).
 */

#include "installer/keeper-private.h"

#include <stdio.h>

#include "base/text.h"

void lines_begin(Attempt *a) {
        a->first_line = a->n_lines = 0;
        a->heard = a->told = 0;
        a->stage[0] = '\0';
        a->stage_owed = false;
}

static void keep(Attempt *a, const char *line) {
        size_t at = (a->first_line + a->n_lines) % KEPT_LINES;

        if (a->n_lines == KEPT_LINES)
                a->first_line = (a->first_line + 1) % KEPT_LINES;
        else
                a->n_lines++;
        a->heard++;
        (void) snprintf(a->lines[at], sizeof(a->lines[at]), "%s", line);
}

/* Lines that were pushed out of the ring before it was their turn. */
static void tell_gap(Keeper *k) {
        Attempt *a = &k->attempt;
        uint64_t oldest = a->heard - a->n_lines;
        char text[128];

        if (a->told >= oldest)
                return;
        (void) snprintf(text, sizeof(text), "[%llu lines are left out here: they come faster than they are taken]",
                        (unsigned long long) (oldest - a->told));
        a->told = oldest;
        keeper_send_text(k, MESSAGE_LINE, text);
}

static void tell_next(Keeper *k) {
        Attempt *a = &k->attempt;
        size_t back = (size_t) (a->heard - a->told); /* at most n_lines, behind tell_gap() */

        a->told++;
        keeper_send_text(k, MESSAGE_LINE, a->lines[(a->first_line + a->n_lines - back) % KEPT_LINES]);
}

static void pump(Keeper *k, size_t most) {
        Attempt *a = &k->attempt;

        while (k->peer_fd >= 0 && a->told < a->heard && k->n_out < most) {
                tell_gap(k);
                if (k->peer_fd >= 0)
                        tell_next(k);
        }
        if (k->peer_fd >= 0 && a->stage_owed && k->n_out < most) {
                a->stage_owed = false;
                keeper_send_text(k, MESSAGE_STAGE, a->stage);
        }
}

void lines_pump(Keeper *k) {
        pump(k, OUTBOX_LINES);
}

void lines_finish(Keeper *k) {
        pump(k, OUTBOX_MAX - OUTBOX_ANSWERS);
}

void lines_add(Keeper *k, const char *line) {
        keep(&k->attempt, line);
        lines_pump(k);
}

void lines_stage(Keeper *k, const char *stage) {
        Attempt *a = &k->attempt;

        if (streq(a->stage, stage))
                return;
        (void) snprintf(a->stage, sizeof(a->stage), "%s", stage);
        a->stage_owed = true;
        lines_pump(k);
}

void lines_replay(Keeper *k) {
        Attempt *a = &k->attempt;

        a->told = a->heard - a->n_lines;
        a->stage_owed = a->stage[0] != '\0';
        lines_pump(k);
}
