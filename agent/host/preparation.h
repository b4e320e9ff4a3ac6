/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How ECE's documentation wants a host to be prepared, held against how this one is: for `ece-enroll check` alone.
 *
 * Nothing here is a gate. ECE checks hosts itself, and what it accepts is not refused here; what is not as documented is
 * said, with what mends it and where that is written. What could not be seen is said as well and never warned of.
 */

#include "host/preparation-facts.h"
#include "model/gate.h"

typedef enum AdviceState {
        ADVICE_UNTRIED, /* nobody could look, or what is right is not known; `found` says why */
        ADVICE_PREPARED,
        ADVICE_ADVISED, /* not as documented */
        _ADVICE_STATE_MAX,
} AdviceState;

const char *advice_state_to_string(AdviceState state); /* "untried", "prepared", "advised" */

#define ADVICE_FIX_SIZE 640

typedef struct Advice {
        const char *name; /* "sysctl-swappiness": the public name */
        AdviceState state;
        char found[GATE_FOUND_SIZE]; /* printable */
        const char *documented;      /* what the documentation says */
        char fix[ADVICE_FIX_SIZE];   /* a command, or a line and the file that it belongs into; "" unless advised */
        char source[128];            /* the page */
} Advice;

#define ADVICES_MAX 40

typedef struct Advices {
        size_t n;
        Advice items[ADVICES_MAX];
} Advices;

/* All items that apply to the engine of the question, in the order of doc/host-preparation.md. engine_why: why the engine
 * was not asked; "" when it was. Pure. */
void preparation_judge(const PreparationQuestion *question, const PreparationFacts *facts, const EngineFacts *engine,
                       const char *engine_why, Advices *ret);
