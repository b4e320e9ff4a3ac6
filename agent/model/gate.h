/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Gate: one thing that must hold before a secret is spent, and what was found when somebody looked. A shut
 * gate is an Observation; its class says whether it is waited for. The keeper, the agent and `ece-enroll check`
 * look with the same functions, and all that people see is made from this value.
 */

#include <errno.h>
#include <stddef.h>

#include "model/outcome.h"

typedef enum GateState {
        GATE_UNTRIED, /* nobody has looked yet, or could not; `found` says why */
        GATE_OPEN,
        GATE_SHUT,
        _GATE_STATE_MAX,
        _GATE_STATE_INVALID = -EINVAL,
} GateState;

const char *gate_state_to_string(GateState state); /* "untried", "open", "shut" */
GateState gate_state_from_string(const char *word);

#define GATE_NAME_SIZE 24
#define GATE_FOUND_SIZE 160

typedef struct Gate {
        char name[GATE_NAME_SIZE]; /* "engine-socket": the public name */
        GateState state;
        char found[GATE_FOUND_SIZE]; /* printable: "/var/run/docker.sock" */
        Observation seen;            /* none unless shut */
        usec_t took_us;
} Gate;

Gate gate_named(const char *name); /* untried */
void gate_found(Gate *gate, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Nobody can tell, for the reason that is given. */
void gate_leave_untried(Gate *gate, const char *why);
/* Shut by what was seen, open when that is nothing. */
void gate_judge(Gate *gate, const Observation *seen);

#define GATES_MAX 24

typedef struct Gates {
        size_t n;
        Gate items[GATES_MAX];
} Gates;

/* Puts the gate in the place of the one of its name, or behind the last one. Returns its place. */
Gate *gates_put(Gates *gates, const Gate *gate);
const Gate *gates_find(const Gates *gates, const char *name); /* or NULL */
/* The first shut one, NULL when there is none. */
const Gate *gates_first_shut(const Gates *gates);
