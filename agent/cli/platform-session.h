/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The platform, for a command that asks one thing after the other and waits for each answer: coordinator.h's questions with
 * an event loop of their own. Each returns what went wrong, none when all is well; what was asked for is in ret then.
 *
 * Nothing is retried beyond the fail-over between coordinators: a person or a script is there to decide.
 */

#include "coordinator/coordinator.h"
#include "model/spec.h"

typedef struct PlatformSession PlatformSession;

/* Reads credential, certificates and trust of the spec (borrowed). 0 and *ret; or 0 with *ret NULL and why not; -errno. A
 * spec without a credential is refused: these questions need one. */
int platform_session_open(const Spec *spec, PlatformSession **ret, Observation *refusal);

PlatformSession *platform_session_close(PlatformSession *session);
static inline void platform_session_closep(PlatformSession **slot) {
        (void) platform_session_close(*slot);
}

Observation platform_ask_version(PlatformSession *s, PlatformFacts *ret);

/* The token is the caller's. */
Observation platform_mint(PlatformSession *s, const TokenWish *wish, Token **ret);
/* The listing is the caller's (token_listing_done), empty on failure. */
Observation platform_list_tokens(PlatformSession *s, TokenListing *ret);
Observation platform_delete_token(PlatformSession *s, const char *id);

Observation platform_look(PlatformSession *s, const char *runner_id, const char *host_ip, RoleSet roles, RunnerView *ret);
Observation platform_set_roles(PlatformSession *s, const char *runner_id, RoleSet roles);
Observation platform_find_other(PlatformSession *s, Role role, const char *runner_id, bool *ret);

Observation platform_ask_load(PlatformSession *s, const char *allocator_id, AllocatorLoad *ret);
Observation platform_start_maintenance(PlatformSession *s, const char *allocator_id);
Observation platform_move_instances(PlatformSession *s, const char *allocator_id, Moves *ret);
Observation platform_delete_allocator(PlatformSession *s, const char *allocator_id);
Observation platform_delete_runner(PlatformSession *s, const char *runner_id);

/* Lets time pass. 0, or -errno. */
int platform_session_wait(PlatformSession *s, usec_t wait_us);
