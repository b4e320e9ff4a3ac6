/* SPDX-License-Identifier: Apache-2.0 */

/* Items of the preparation beside the gates: the same columns and the same members, other words for their states, so that
 * nobody takes one for the other. Only memory can fail. */

#include "cli/preparation-page.h"

#include <errno.h>

#include "report/paint.h"

#define NAME_WIDTH 22
#define STATE_WIDTH 8

#define HEADING "Preparation of this host, as ECE's documentation has it. No gate: nothing waits for it."

static json_t *advice_to_json(const Advice *a) {
        bool advised = a->state == ADVICE_ADVISED;

        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s}", "name", a->name, "state",
                         advice_state_to_string(a->state), "found", a->found, "reason", "", "text",
                         advised ? "not as documented" : "", "remedy", a->fix, "took_ms", 0,
                         "documented", a->documented, "source", a->source);
}

int advices_add_json(const Advices *advices, json_t *array) {
        for (size_t i = 0; i < advices->n; i++)
                if (json_array_append_new(array, advice_to_json(&advices->items[i])) < 0)
                        return -ENOMEM;
        return 0;
}

static Paint paint_of(AdviceState state) {
        switch (state) {
        case ADVICE_ADVISED:
                return PAINT_WAIT;
        case ADVICE_PREPARED:
                return PAINT_GOOD;
        case ADVICE_UNTRIED:
        case _ADVICE_STATE_MAX:
                break;
        }
        return PAINT_DIM;
}

static void write_item(const Advice *a, bool colour, Buffer *page) {
        const char *state = advice_state_to_string(a->state);
        int margin = STATE_WIDTH + 1 + NAME_WIDTH;

        (void) buffer_append_format(page, "%s%-*s%s %-*s %s", paint_start(paint_of(a->state), colour), STATE_WIDTH, state,
                                    paint_end(colour), NAME_WIDTH, a->name, a->found);
        if (a->state == ADVICE_ADVISED)
                (void) buffer_append_format(page, "; documented: %s\n%*s %s\n%*s %s", a->documented, margin, "", a->fix,
                                            margin, "", a->source);
        (void) buffer_append_string(page, "\n");
}

void advices_write_lines(const Advices *advices, bool colour, Buffer *page) {
        (void) buffer_append_string(page, "\n" HEADING "\n");
        for (size_t i = 0; i < advices->n; i++)
                write_item(&advices->items[i], colour, page);
}
