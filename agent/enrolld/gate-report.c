/* SPDX-License-Identifier: Apache-2.0 */

/* The one place where a shut gate gets its reason for those who look, so that status and check say the same. */

#include "enrolld/gate-report.h"

#include <stdio.h>

#include "engine/classify.h"

void gate_report(const Gate *gate, ReportGate *ret) {
        *ret = (ReportGate) { .state = gate->state, .reason = OUTCOME_OK, .took_us = gate->took_us };
        (void) snprintf(ret->name, sizeof(ret->name), "%s", gate->name);
        (void) snprintf(ret->found, sizeof(ret->found), "%s", gate->found);
        if (gate->state == GATE_SHUT)
                classify(&gate->seen, &ret->reason);
}
