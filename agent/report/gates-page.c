/* SPDX-License-Identifier: Apache-2.0 */

/* Lines are made from the JSON, as all of the status is: `status` has nothing else, and `check` then can't say
 * anything else. Only memory can fail. */

#include "report/gates-page.h"

#include "base/text.h"
#include "report/paint.h"

#define NAME_WIDTH 18
#define STATE_WIDTH 8

static json_t *gate_to_json(const ReportGate *g) {
        bool shut = g->state == GATE_SHUT;

        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "name", g->name, "state",
                         gate_state_to_string(g->state), "found", g->found, "reason", shut ? g->reason.reason : "",
                         "text", shut ? g->reason.text : "", "remedy", shut ? g->reason.remedy : "", "took_ms",
                         (json_int_t) (g->took_us / USEC_PER_MSEC));
}

json_t *gates_to_json(const ReportGate gates[], size_t n) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; array && i < n; i++)
                if (json_array_append_new(array, gate_to_json(&gates[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static const char *member(const json_t *gate, const char *name) {
        return json_member_string(gate, name) ?: "";
}

static void write_line(const json_t *gate, const char *margin, bool colour, Buffer *page) {
        const char *state = member(gate, "state"), *remedy = member(gate, "remedy");
        bool shut = streq(state, "shut");
        Paint paint = shut ? PAINT_WAIT : streq(state, "open") ? PAINT_GOOD : PAINT_DIM;

        (void) buffer_append_format(page, "%s%s%-*s%s%-*s %s", margin, paint_start(paint, colour), STATE_WIDTH, state,
                                    paint_end(colour), NAME_WIDTH, member(gate, "name"),
                                    shut ? member(gate, "text") : member(gate, "found"));
        if (shut)
                (void) buffer_append_format(page, " [%s]", member(gate, "reason"));
        (void) buffer_append_string(page, "\n");
        if (shut && remedy[0])
                (void) buffer_append_format(page, "%s%*s %s\n", margin, STATE_WIDTH + NAME_WIDTH, "", remedy);
}

void gates_write_lines(const json_t *gates, const char *margin, bool colour, Buffer *page) {
        json_t *gate;
        size_t i;

        json_array_foreach(gates, i, gate)
                write_line(gate, margin, colour, page);
}

bool gates_have_shut(const json_t *gates) {
        json_t *gate;
        size_t i;

        json_array_foreach(gates, i, gate)
                if (streq(member(gate, "state"), "shut"))
                        return true;
        return false;
}
