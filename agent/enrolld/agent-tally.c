/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is counted for the metrics: time by state, pauses by reason. Kept in memory alone: Prometheus knows what a counter that
 * begins again at nought means, and a record is no place for statistics. Nothing fails.
 */

#include "enrolld/agent-private.h"

#include <stdio.h>

#include "base/text.h"

_Static_assert(_STATE_MAX <= REPORT_PHASES_MAX, "a report has room for each state");

static void count_retry(Agent *a, const char *reason) {
        size_t i = 0;

        while (i < a->n_retries && !streq(a->retries[i].reason, reason))
                i++;
        if (i == a->n_retries) {
                if (i == ELEMENTS(a->retries))
                        return;
                (void) snprintf(a->retries[i].reason, sizeof(a->retries[i].reason), "%s", reason);
                a->n_retries++;
        }
        a->retries[i].n++;
}

void agent_tally(Agent *a, const Machine *before) {
        a->spent_us[before->state] = usec_add(a->spent_us[before->state], usec_sub(a->machine.since_us, before->since_us));
        if (a->machine.state == STATE_BACKOFF && a->reason.reason[0])
                count_retry(a, a->reason.reason);
}

void agent_tally_fill(const Agent *a, Report *r) {
        for (State s = 0; s < _STATE_MAX; s++) {
                ReportPhase *phase = &r->phases[r->n_phases];

                if (a->spent_us[s] == 0)
                        continue;
                (void) snprintf(phase->state, sizeof(phase->state), "%s", state_to_string(s));
                phase->spent_us = a->spent_us[s];
                r->n_phases++;
        }
        r->n_retries = a->n_retries;
        for (size_t i = 0; i < a->n_retries; i++)
                r->retries[i] = a->retries[i];
}
