/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Report: the state of an enrollment as one plain value, told in every place that someone looks
 * (status.json, journal, terminal). Times are absolute inside and made relative where they are shown. Holds no secret.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "model/gate.h"
#include "model/outcome.h"
#include "model/role.h"

#define REPORT_HISTORY_MAX 20U
#define REPORT_COORDINATORS_MAX 16U
#define REPORT_PHASES_MAX 16U
#define REPORT_RETRIES_MAX 32U

typedef struct ReportCoordinator {
        char url[280];
        char state[16];
        char last[160];
} ReportCoordinator;

typedef struct ReportTransition {
        usec_t at_realtime_us;
        char state[16];
        char reason[REASON_ID_SIZE];
        char text[160];
} ReportTransition;

typedef struct ReportGate {
        char name[GATE_NAME_SIZE];
        GateState state;
        char found[GATE_FOUND_SIZE];
        Outcome reason; /* CLASS_OK unless shut */
        usec_t took_us;
} ReportGate;

typedef struct ReportPhase {
        char state[16];
        usec_t spent_us;
} ReportPhase;

typedef struct ReportRetry {
        char reason[REASON_ID_SIZE];
        unsigned n;
} ReportRetry;

typedef struct Report {
        char state[16];
        usec_t since_realtime_us;
        Outcome reason;          /* CLASS_OK: none */
        unsigned times;          /* a transition's: how often it was made since the last news; 0: it is none */
        char runner_id[129];     /* "" until known */
        RoleSet roles;
        bool roles_known;
        unsigned window, attempt;
        bool token_held;
        RoleSet token_roles, token_extra_roles;
        usec_t token_remaining_us;
        usec_t token_age_at_start_us; /* of the last installer start; 0: none yet */
        char next_state[16];     /* "" when nothing follows by itself */
        bool next_known;
        usec_t next_in_us;
        bool deadline_known;
        usec_t deadline_in_us;           /* 0 when it is past */
        usec_t deadline_at_realtime_us;
        usec_t due_at_realtime_us;       /* by when the agent tells something again; 0 when it waits for a person */
        bool verified;
        char verified_by[16];
        usec_t verified_at_realtime_us;
        char key_expiration[64];
        char handoff[8];         /* "shim", "argv" */
        char stage[64];          /* of the running installer, "" when none is known */
        size_t n_coordinators;
        ReportCoordinator coordinators[REPORT_COORDINATORS_MAX];
        size_t n_gates; /* of PREFLIGHT, as last seen */
        ReportGate gates[GATES_MAX];
        size_t n_phases; /* since the agent was started */
        ReportPhase phases[REPORT_PHASES_MAX];
        size_t n_retries; /* likewise; a reason beyond the first REPORT_RETRIES_MAX is not counted */
        ReportRetry retries[REPORT_RETRIES_MAX];
        size_t n_history;
        ReportTransition history[REPORT_HISTORY_MAX];
        size_t webhook_pending;  /* reports that it does not have yet */
        char webhook_last[160];  /* why, "" when nothing is known to be wrong */
        size_t n_notes;          /* things worth knowing that are no failure: warnings of spec and plan, extra roles */
        char notes[16][200];
} Report;
