/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The platform's side: who it is asked as, a token please. The credential is read when the
 * platform is first asked and again before each question after it was refused, until one is accepted, because a
 * person may have put a better one in its place meanwhile.
 */

#include "enrolld/agent-private.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "coordinator/credential.h"

/* Differs from host to host and is the same at every boot, so that a fleet spreads over the coordinators. */
uint64_t agent_host_seed(void) {
        char id[MACHINE_ID_SIZE];
        uint64_t seed = UINT64_C(14695981039346656037); /* FNV-1a */

        host_machine_id(id);
        for (const char *c = id; *c; c++)
                seed = (seed ^ (uint64_t) (unsigned char) *c) * UINT64_C(1099511628211);
        return seed;
}

/* A verified host that needs it no more: whoever wants it to do more than to look has to bring it again. */
static bool was_forgotten(const Agent *a, const Observation *refusal) {
        return a->spec->forget_credential && a->record.credential_forgotten && streq(refusal->code, "missing");
}

void agent_forget_via(Agent *a) {
        a->coordinator = coordinator_free(a->coordinator);
        a->via = via_free(a->via);
}

/* What the spec names for the way there is read once, and again after a refusal. 0, with a->via or a refusal; or negative errno. */
static int make_via(Agent *a, Observation *refusal) {
        return a->via ? 0 : via_new(a->spec, a->options.one_shot, &a->via, refusal);
}

bool agent_has_via(Agent *a) {
        Observation refusal = OBSERVATION_NONE;
        int error = make_via(a, &refusal);

        if (error < 0)
                agent_fail(a, error, "can't take in what the spec names for the way to the coordinators");
        else if (!a->via)
                agent_post_seen(a, EVENT_FAILED, &refusal);
        return a->via != NULL;
}

/* The same for a client: 0 with a->coordinator or a refusal; or negative errno. */
static int make_coordinator(Agent *a, Observation *refusal) {
        Secret *secret = NULL;
        int error;

        if (a->coordinator && a->machine.credential_refusals == 0)
                return 0;
        a->coordinator = coordinator_free(a->coordinator);
        error = make_via(a, refusal);
        if (error < 0 || !a->via)
                return error;
        if (a->spec->credential.kind != CREDENTIAL_NONE)
                error = credential_read(&a->spec->credential.secret, a->options.one_shot, &secret, refusal);
        if (was_forgotten(a, refusal))
                *refusal = OBSERVATION_NONE;
        a->anonymous = secret == NULL;
        if (error >= 0 && observation_is_none(refusal))
                error = coordinator_new(a->event, a->http, a->spec, secret, agent_host_seed(), &a->coordinator, refusal);
        if (a->coordinator)
                coordinator_use_via(a->coordinator, a->via);
        return error;
}

/* True when there is a coordinator client to ask; otherwise the failure is on its way to the machine. */
bool agent_has_coordinator(Agent *a) {
        Observation refusal = OBSERVATION_NONE;
        int error = make_coordinator(a, &refusal);

        if (!observation_is_none(&refusal))
                agent_post_seen(a, EVENT_FAILED, &refusal);
        else if (error < 0)
                agent_fail(a, error, "can't make a client for the coordinators");
        return a->coordinator != NULL;
}

bool agent_may_have_coordinator(Agent *a) {
        Observation refusal = OBSERVATION_NONE;

        return make_coordinator(a, &refusal) >= 0 && a->coordinator;
}

/* It was forgotten when the host was verified, and now there is something to do again. */
void agent_miss_credential(Agent *a) {
        Observation seen = observe(ORIGIN_CREDENTIAL, 0, "missing", "credential",
                                   "it was removed when this host was verified (forget_credential)");

        agent_post_seen(a, EVENT_FAILED, &seen);
}

static void on_replaced(void *userdata, const Observation *failure) {
        if (observation_is_none(failure))
                agent_post(userdata, EVENT_REPLACED);
        else
                agent_post_seen(userdata, EVENT_FAILED, failure);
}

void agent_replace_runner(Agent *a) {
        int error;

        if (a->anonymous)
                return agent_miss_credential(a);
        error = coordinator_delete_runner(a->coordinator, a->plan->runner_id, on_replaced, a);

        if (error < 0)
                agent_fail(a, error, "can't ask for the stale runner's removal");
}

/* A token that dies before an attempt may be over is of no use; the machine drops it and wants to know why. */
static Observation token_is_short(const Agent *a, const Token *token) {
        usec_t now_us = clock_boottime_us();
        char lives[DURATION_SIZE], wanted[DURATION_SIZE];

        if (policy_attempt_fits(&a->policy, token->deadline_us, now_us))
                return OBSERVATION_NONE;
        return observe(ORIGIN_TOKEN, 0, "short-lived", NULL, "it lives %s more, an attempt may take %s",
                       duration_format(token_remaining_us(token, now_us), lives),
                       duration_format(a->policy.attempt_timeout_us, wanted));
}

static void use_token(Agent *a, Token *token) {
        Event event = { .kind = EVENT_MINTED, .token_deadline_us = token->deadline_us };
        Observation seen = token_is_short(a, token);
        char extra[ROLE_SET_STRING_SIZE];

        /* What the platform keeps is remembered before it is used. */
        event.token_stored = a->spec->token.source == TOKEN_FROM_COORDINATOR && token->token_id[0];
        if (event.token_stored)
                (void) text_copy_printable(a->record.token_id, sizeof(a->record.token_id), token->token_id);
        (void) token_free(a->token);
        a->token = token;
        if (token->extra_roles) {
                char note[160];

                (void) snprintf(note, sizeof(note), "the token carries roles that were not asked for: %s",
                                role_set_format(token->extra_roles, ",", extra));
                agent_note(a, note);
        }
        agent_post_event(a, &event, &seen);
}

static void on_minted(void *userdata, Token *token, const Observation *failure) {
        Agent *a = userdata;

        if (!observation_is_none(failure)) {
                if (failure->maybe_minted && failure->origin != ORIGIN_TOKEN)
                        agent_note(a, a->spec->token.persistent
                                              ? "the reply to a token request was lost: a persistent token may be left, see ece-enroll token list"
                                              : "the reply to a token request was lost: a token may live on unused until it expires");
                return agent_post_seen(a, EVENT_FAILED, failure);
        }
        use_token(a, token);
}

/* A command may mint one each time; a file or a credential yields the same again. */
static bool gives_a_new_one(const Agent *a) {
        return a->spec->token.pre_minted.kind == SECRET_FROM_COMMAND;
}

static Observation given_is_short(const Agent *a, const Token *token) {
        Observation seen = token_is_short(a, token);

        return observation_is_none(&seen) ? seen : observe(ORIGIN_TOKEN, 0, "given-too-short", NULL, "%s", seen.detail);
}

/* A token that was minted elsewhere; its claims are all we know of it. */
static void use_pre_minted(Agent *a) {
        TokenRequest request = {
                .roles = a->spec->host.roles,
                .validity_us = a->spec->token.validity_us,
                .pre_minted = true,
                .roles_later = a->policy.assign_roles,
                .sent_us = clock_boottime_us(),
        };
        Observation refusal = OBSERVATION_NONE;
        Secret *secret = NULL;
        Token *token = NULL;
        int error;

        error = credential_read(&a->spec->token.pre_minted, a->options.one_shot, &secret, &refusal);
        if (error >= 0 && observation_is_none(&refusal)) {
                request.has_server_time = coordinator_server_time_s(a->coordinator, &request.server_time_s);
                error = token_accept(secret, NULL, &request, &token, &refusal);
        }
        if (error < 0)
                return agent_fail(a, error, "can't take in the token");
        if (token && !gives_a_new_one(a)) /* waiting makes it only shorter */
                refusal = given_is_short(a, token);
        if (token && observation_is_none(&refusal))
                return use_token(a, token);
        (void) token_free(token);
        agent_post_seen(a, EVENT_FAILED, &refusal);
}

void agent_mint(Agent *a) {
        TokenWish wish;
        int error;

        if (!agent_has_coordinator(a))
                return;
        if (a->spec->token.source == TOKEN_PRE_MINTED)
                return use_pre_minted(a);
        if (a->anonymous)
                return agent_miss_credential(a);
        wish = (TokenWish) { .roles = a->spec->host.roles,
                             .persistent = a->spec->token.persistent,
                             .validity_us = a->spec->token.validity_us };
        error = coordinator_mint(a->coordinator, &wish, on_minted, a);
        if (error < 0)
                agent_fail(a, error, "can't ask for a token");
}
