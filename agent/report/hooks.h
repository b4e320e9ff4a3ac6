/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Hooks: the operator's own programs, told what happens to this host. hooks_dir/EVENT/NAME, in the order of their names,
 * with status.json on standard input and ECE_ENROLL_STATE, ECE_ENROLL_REASON, ECE_ENROLL_RUNNER_ID, ECE_ENROLL_ROLES and
 * ECE_ENROLL_DEADLINE_S in the environment. None of it is a secret. What a hook does wrong is told and stops nothing.
 */

#include "base/clock.h"
#include "model/role.h"

#define HOOK_TIMEOUT_US (30 * USEC_PER_SEC)

typedef struct HookCall {
        const char *hooks_dir; /* NULL: there are none */
        const char *event;     /* "leaving" */
        const char *state, *reason, *runner_id;
        RoleSet roles;
        usec_t left_us;          /* until the deadline; USEC_INFINITY: none, and the variable is empty */
        const char *status_path; /* read anew for each; nothing on standard input when it can't be */
        usec_t timeout_us;       /* of each */
} HookCall;

typedef void (*HookTrouble)(void *userdata, const char *path, const char *why);

/* Runs them one after the other, and waits. How many were run; -ENOMEM. A directory that is not there has none; a hook that somebody
 * else than root or we could change is not run, and that is told like every other trouble. */
int hooks_run(const HookCall *call, HookTrouble trouble, void *userdata);
