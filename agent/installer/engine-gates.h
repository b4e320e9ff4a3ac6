/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The engine's gates, which only the engine itself can open. In their order, each with a limit:
 *
 *   engine             the daemon behind the socket answers
 *   foreign-installer  no container that is alive and not ours has the installer's fixed name
 *
 * For the keeper and for `ece-enroll check`.
 */

#include <systemd/sd-event.h>

#include "http/http.h"
#include "installer/attempt-record.h"
#include "model/gate.h"

#define ENGINE_GATE_LIMIT_US (3 * USEC_PER_SEC)

typedef struct EngineGates EngineGates;

typedef struct EngineQuestion {
        const char *socket_path;
        /* By which a container of ours is told; copied. NULL: whoever asks has none, and takes every one that bears a
         * label of ours for ours. */
        const AttemptRecord *record;
        usec_t limit_us; /* of each gate; 0: ENGINE_GATE_LIMIT_US */
} EngineQuestion;

/* gates: both. ours_alive: an installer of ours is at work, and has the ports. Runs from the loop. */
typedef void (*EngineGatesHandler)(void *userdata, const Gates *gates, bool ours_alive);

size_t engine_gates_n(void);
const char *engine_gate_name(size_t which);

/* 0 or negative errno. Frees itself before its handler runs. */
int engine_gates_start(sd_event *event, Http *http, const EngineQuestion *question, EngineGatesHandler handler,
                       void *userdata, EngineGates **ret);
/* Ends it without the handler. NULL is accepted. */
void engine_gates_cancel(EngineGates *e);

/* Both untried, for the reason that is given. */
void engine_gates_untried(const char *why, Gates *ret);
