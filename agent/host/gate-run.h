/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Runs the host's gates (gates.h) without ever hanging on one: in a worker, one after the other, each within
 * a limit of its own. A gate that has not answered when its time is up is shut with "no answer within N s",
 * the ones behind it are left untried, and whoever asks again is answered the same way until it ends: a
 * second look is never started while one hangs.
 */

#include <systemd/sd-event.h>

#include "model/facts.h"
#include "model/gate.h"
#include "model/spec.h"

#define GATE_LIMIT_US (2 * USEC_PER_SEC)

typedef struct GateRun GateRun;

/* gates: all of host_gates_n(). facts: what was found on the way, NULL when a gate hangs. Runs from the loop. */
typedef void (*GateRunHandler)(void *userdata, const Gates *gates, const HostFacts *facts);

/* limit_us: of each gate; 0: GATE_LIMIT_US. */
int gate_run_new(sd_event *event, usec_t limit_us, GateRun **ret);
GateRun *gate_run_free(GateRun *r); /* cancels */

/* One question at a time: the handler of an earlier one is forgotten. What it needs of the spec is copied.
 * 0 or negative errno. */
int gate_run_start(GateRun *r, const Spec *spec, const char *path, GateRunHandler handler, void *userdata);
void gate_run_cancel(GateRun *r);
bool gate_run_asked(const GateRun *r); /* is there somebody to be answered? */
