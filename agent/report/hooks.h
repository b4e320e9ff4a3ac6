/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Hooks: the operator's own programs, told what happens to this host. hooks_dir/EVENT/NAME, in the order of their names,
 * with status.json on standard input and ECE_ENROLL_STATE, ECE_ENROLL_REASON, ECE_ENROLL_RUNNER_ID, ECE_ENROLL_ROLES and
 * ECE_ENROLL_DEADLINE_S in the environment. None of it is a secret: those that a hook wants come to it as systemd's credentials,
 * whose directory ($CREDENTIALS_DIRECTORY) is passed on. What a hook does wrong is told and stops nothing.
 */

#include <stdbool.h>

#include "base/bounded-program.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "model/role.h"

#define HOOK_TIMEOUT_US (30 * USEC_PER_SEC)

/* A hook that ends with this (EX_TEMPFAIL of sysexits.h) wants to be run again later. */
#define HOOK_AGAIN 75

typedef struct HookCall {
        const char *hooks_dir; /* NULL: there are none */
        const char *event;     /* "progress", "enrolled", "failed", "leaving" */
        const char *state, *reason, *runner_id;
        RoleSet roles;
        usec_t left_us;       /* until the deadline; USEC_INFINITY: none, and the variable is empty */
        const Buffer *status; /* what is on each one's standard input; NULL: nothing */
        usec_t timeout_us;    /* of each */
        Buffer *through;      /* names of those not to be run, a blank behind each; who is through is added. NULL: all are run */
        const BoundedProgramEnd *end; /* what may end a hook, and keep back those behind it; NULL: nothing */
} HookCall;

typedef void (*HookTrouble)(void *userdata, const char *path, const char *why);

/* Runs them one after the other, and waits. 0, or 1 when one of them wants to be run again; -ECANCELED when end said so; -ENOMEM.
 * A directory that is not there has none; a hook that somebody else than root or we could change is not run, and that is told
 * like every other trouble. */
int hooks_run(const HookCall *call, HookTrouble trouble, void *userdata);
