/* SPDX-License-Identifier: Apache-2.0 */

/* The list of gates, in the order in which they were put. Nothing fails; a list that is full is a
 * programming error, as the gates are a fixed number. */

#include "model/gate.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/text.h"

static const char *const state_words[_GATE_STATE_MAX] = {
        [GATE_UNTRIED] = "untried",
        [GATE_OPEN] = "open",
        [GATE_SHUT] = "shut",
};

const char *gate_state_to_string(GateState state) {
        assert(state >= 0 && state < _GATE_STATE_MAX);
        return state_words[state];
}

GateState gate_state_from_string(const char *word) {
        for (GateState s = 0; s < _GATE_STATE_MAX; s++)
                if (streq(state_words[s], word))
                        return s;
        return _GATE_STATE_INVALID;
}

Gate gate_named(const char *name) {
        Gate gate = { .seen = OBSERVATION_NONE };

        assert(strlen(name) < sizeof(gate.name));
        (void) memcpy(gate.name, name, strlen(name) + 1);
        return gate;
}

void gate_found(Gate *gate, const char *format, ...) {
        char text[2 * GATE_FOUND_SIZE] = "";
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        (void) text_copy_printable(gate->found, sizeof(gate->found), text);
}

void gate_leave_untried(Gate *gate, const char *why) {
        gate->state = GATE_UNTRIED;
        gate->seen = OBSERVATION_NONE;
        gate_found(gate, "%s", why);
}

void gate_judge(Gate *gate, const Observation *seen) {
        gate->seen = *seen;
        gate->state = observation_is_none(seen) ? GATE_OPEN : GATE_SHUT;
}

Gate *gates_put(Gates *gates, const Gate *gate) {
        size_t i = 0;

        while (i < gates->n && !streq(gates->items[i].name, gate->name))
                i++;
        assert(i < GATES_MAX);
        if (i == gates->n)
                gates->n++;
        gates->items[i] = *gate;
        return &gates->items[i];
}

const Gate *gates_find(const Gates *gates, const char *name) {
        for (size_t i = 0; i < gates->n; i++)
                if (streq(gates->items[i].name, name))
                        return &gates->items[i];
        return NULL;
}

const Gate *gates_first_shut(const Gates *gates) {
        for (size_t i = 0; i < gates->n; i++)
                if (gates->items[i].state == GATE_SHUT)
                        return &gates->items[i];
        return NULL;
}
