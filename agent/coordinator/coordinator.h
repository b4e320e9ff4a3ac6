/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The platform as the agent sees it: a few questions, asked of whichever coordinator answers.
 *
 * Coordinators are shuffled once per host and asked in turn: a transport failure, TLS failure, 429
 * or 5xx of one moves the same question on to the next, and so does ECE's "controller_not_ready"
 * (the mint only when no byte of it left us); an endpoint that failed at the transport is asked
 * last for the next 30 s. Any other answer ends the question. When no endpoint answers, the failure
 * is that of the one that said most: a reply before silence before an untrusted certificate.
 * Nothing is repeated beyond that: retry belongs to the state machine. With bearer the first
 * question logs in; a 401 in a session of an earlier question logs in once more, then stands.
 *
 * One question at a time (-EBUSY). Handlers run from the event loop. Observations carry the URL as
 * `where`.
 */

#include <systemd/sd-event.h>

#include "coordinator/via.h"
#include "http/http.h"
#include "model/allocator-load.h"
#include "model/facts.h"
#include "model/plan.h"
#include "model/token-listing.h"
#include "model/token.h"
#include "model/verdict.h"

typedef struct Coordinator Coordinator;

/* seed: any number that differs from host to host (the shuffle). credential_secret is taken over
 * (key or password; NULL: anonymous, nothing is sent that would prove who asks). 0; -EINVAL with refusal
 * (trust), or with none when the spec does not fit (no coordinator); -ENOMEM. */
int coordinator_new(sd_event *event, Http *http, const Spec *spec, Secret *credential_secret, uint64_t seed,
                    Coordinator **ret, Observation *refusal);
/* How the coordinators are reached; borrowed. Before the first question. */
void coordinator_use_via(Coordinator *c, const Via *via);

Coordinator *coordinator_free(Coordinator *c); /* cancels */
static inline void coordinator_freep(Coordinator **slot) {
        (void) coordinator_free(*slot);
}

/* GET /platform: the version. */
typedef void (*CoordinatorPlatformHandler)(void *userdata, const PlatformFacts *platform,
                                           const Observation *failure);
int coordinator_ask_platform(Coordinator *c, CoordinatorPlatformHandler handler, void *userdata);
/* The same, to see whether anyone is there: the first coordinator that says nothing for REACH_TIMEOUT_US, or can't be
 * connected to or trusted, ends it. */
int coordinator_ask_platform_in_haste(Coordinator *c, CoordinatorPlatformHandler handler, void *userdata);

/* POST enrollment-tokens with exactly {"persistent":...,"roles":[...],"validity_in_seconds":N} (the
 * last one only when not persistent). token is handed over to the handler. maybe_minted is set in
 * the failure when the POST was sent and its reply was lost, can't be read, or is a 5xx without
 * ECE's words, and when the token is refused. */
typedef void (*CoordinatorMintHandler)(void *userdata, Token *token, const Observation *failure);
typedef struct TokenWish {
        RoleSet roles;
        bool persistent;
        usec_t validity_us; /* of an ephemeral one */
} TokenWish;
int coordinator_mint(Coordinator *c, const TokenWish *wish, CoordinatorMintHandler handler, void *userdata);

/* The persistent tokens. listing is borrowed for the call. */
typedef void (*CoordinatorTokensHandler)(void *userdata, const TokenListing *listing, const Observation *failure);
int coordinator_list_tokens(Coordinator *c, CoordinatorTokensHandler handler, void *userdata);

typedef void (*CoordinatorDoneHandler)(void *userdata, const Observation *failure);

/* DELETE a persistent token; one that is not there is a failure (ORIGIN_ECE, enrollment_tokens.invalid_token_id).
 * -EINVAL: no sound id. */
int coordinator_delete_token(Coordinator *c, const char *id, CoordinatorDoneHandler handler, void *userdata);
/* The same, and then the list, in which it must not be any more (else ORIGIN_TOKEN "still-listed"); one that was not
 * there is what was wanted. */
int coordinator_revoke_token(Coordinator *c, const char *id, CoordinatorDoneHandler handler, void *userdata);

/* One look at this host: the runner; if it is found and connected, for each wanted role the blessing, the
 * allocator, the proxies. A runner that is not there is a view (found = false), no failure. */
typedef void (*CoordinatorViewHandler)(void *userdata, const RunnerView *view, const Observation *failure);
int coordinator_look(Coordinator *c, const Plan *plan, CoordinatorViewHandler handler, void *userdata);
/* The same at any runner: host_ip is by what proxies and allocators under other names are known. */
int coordinator_look_at(Coordinator *c, const char *runner_id, const char *host_ip, RoleSet roles, CoordinatorViewHandler handler,
                        void *userdata);

/* Sets the runner's roles of the four, and blesses them; what else it has stays. No proof: look afterwards. */
int coordinator_set_roles(Coordinator *c, const char *runner_id, RoleSet roles, CoordinatorDoneHandler handler, void *userdata);

/* Is another connected runner there that has the role? */
typedef void (*CoordinatorFoundHandler)(void *userdata, bool found, const Observation *failure);
int coordinator_find_other(Coordinator *c, Role role, const char *runner_id, CoordinatorFoundHandler handler, void *userdata);

/* An allocator to be emptied. */
typedef void (*CoordinatorLoadHandler)(void *userdata, const AllocatorLoad *load, const Observation *failure);
int coordinator_ask_load(Coordinator *c, const char *allocator_id, CoordinatorLoadHandler handler, void *userdata);
int coordinator_start_maintenance(Coordinator *c, const char *allocator_id, CoordinatorDoneHandler handler, void *userdata);
typedef void (*CoordinatorMovesHandler)(void *userdata, const Moves *moves, const Observation *failure);
int coordinator_move_instances(Coordinator *c, const char *allocator_id, CoordinatorMovesHandler handler, void *userdata);
int coordinator_delete_allocator(Coordinator *c, const char *allocator_id, CoordinatorDoneHandler handler, void *userdata);

/* DELETE the runner; one that is not there is what was wanted. */
int coordinator_delete_runner(Coordinator *c, const char *runner_id, CoordinatorDoneHandler handler,
                              void *userdata);

/* 404 with this code: ECE's own "there is no such thing". */
#define TOKEN_ABSENT_CODE "enrollment_tokens.invalid_token_id"
bool observation_is_absence(const Observation *o, const char *code);

/* Nothing was said by anyone who is trusted: no connection, no trust, no reply. */
bool observation_is_silence(const Observation *o);

/* From here on anonymous; the secret is wiped. Not while a question is under way. */
void coordinator_forget_credential(Coordinator *c);

/* Forgets the question under way; its handler is not called. */
void coordinator_cancel(Coordinator *c);

/* For the status: endpoints in this host's order. */
typedef struct CoordinatorState {
        const char *url;
        const char *state; /* "ok", "failing", "untried" */
        char last[160];    /* last answer or trouble in a few words, "" when untried */
} CoordinatorState;
size_t coordinator_states(const Coordinator *c, CoordinatorState *ret, size_t maximum);

/* The URL of the coordinator that answered last, else of the first in order. */
const char *coordinator_url(const Coordinator *c);
/* Host part (no brackets) of the coordinator that answered last, else of the first in order: the
 * installer joins there. */
const char *coordinator_host(const Coordinator *c);
/* X-Elastic-Api-Key-Expiration as last seen, "" without one. */
const char *coordinator_key_expiration(const Coordinator *c);
/* The platform's time now: Date of the last reply that had one, and what has passed since on a clock that nobody sets.
 * False when it is not known. */
bool coordinator_server_time_s(const Coordinator *c, int64_t *ret);
/* The same minus this host's wall clock: for telling of a wrong clock, not for deciding anything. */
bool coordinator_clock_offset_s(const Coordinator *c, int64_t *ret);
