/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The platform's side: is this host a member, a token please, look again. The credential is read when the
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
static uint64_t host_seed(void) {
        char id[MACHINE_ID_SIZE];
        uint64_t seed = UINT64_C(14695981039346656037); /* FNV-1a */

        host_machine_id(id);
        for (const char *c = id; *c; c++)
                seed = (seed ^ (uint64_t) (unsigned char) *c) * UINT64_C(1099511628211);
        return seed;
}

/* True when there is a coordinator client to ask; otherwise the failure is on its way to the machine. */
static bool have_coordinator(Agent *a) {
        Observation refusal = OBSERVATION_NONE;
        Secret *secret = NULL;
        int error = 0;

        if (a->coordinator && a->machine.credential_refusals == 0)
                return true;
        a->coordinator = coordinator_free(a->coordinator);
        if (a->spec->credential.kind != CREDENTIAL_NONE)
                error = credential_read(&a->spec->credential.secret, a->options.one_shot, &secret, &refusal);
        if (error >= 0 && observation_is_none(&refusal))
                error = coordinator_new(a->event, a->http, a->spec, secret, host_seed(), &a->coordinator,
                                        &refusal);
        if (!observation_is_none(&refusal)) {
                agent_post_seen(a, EVENT_FAILED, &refusal);
                return false;
        }
        if (error < 0) {
                agent_fail(a, error, "can't make a client for the coordinators");
                return false;
        }
        return true;
}

static Membership membership_of(const RunnerView *view, const Verdict *verdict) {
        if (!view->found)
                return MEMBERSHIP_NONE;
        for (size_t i = 0; i < verdict->n; i++)
                if (verdict->items[i].kind == DIFFERENCE_FOREIGN_HOST)
                        return MEMBERSHIP_FOREIGN;
        if (!view->connected)
                return MEMBERSHIP_DISCONNECTED;
        return verdict->enrolled ? MEMBERSHIP_AS_PLANNED : MEMBERSHIP_DIFFERS;
}

static void note_warnings(Agent *a, const Verdict *verdict) {
        for (size_t i = 0; i < verdict->n; i++)
                if (verdict->items[i].kind == DIFFERENCE_MAINTENANCE)
                        agent_note(a, verdict->items[i].text);
}

static void on_probe_view(void *userdata, const RunnerView *view, const Observation *failure) {
        Agent *a = userdata;
        Observation seen;
        Verdict verdict;
        Event event = { .kind = EVENT_PROBED };

        if (!observation_is_none(failure))
                return agent_post_seen(a, EVENT_FAILED, failure);
        verdict_judge(a->plan, view, &verdict);
        note_warnings(a, &verdict);
        event.membership = membership_of(view, &verdict);
        switch (event.membership) {
        case MEMBERSHIP_NONE:
        case MEMBERSHIP_AS_PLANNED:
                return agent_post_event(a, &event, NULL);
        case MEMBERSHIP_DISCONNECTED:
                seen = observe(ORIGIN_PLAN, 0, "stale-runner", a->plan->runner_id,
                               "the platform knows a runner with this id and address that is not connected");
                return agent_post_event(a, &event, &seen);
        case MEMBERSHIP_DIFFERS:
        case MEMBERSHIP_FOREIGN:
        case _MEMBERSHIP_MAX:
                break;
        }
        seen = verdict_observation(&verdict, a->plan->runner_id);
        agent_post_event(a, &event, &seen);
}

static bool resolve_plan(Agent *a) {
        Observation refusal = OBSERVATION_NONE;
        Plan *plan = NULL;
        int error = 0;

        /* After an adoption nobody has been through the gates. */
        if (!a->facts.script_sha256[0])
                error = host_facts_gather(a->spec, &a->facts);
        if (error >= 0)
                error = plan_resolve(a->spec, &a->facts, &a->platform, &plan, &refusal);
        if (error < 0) {
                agent_fail(a, error, "can't resolve the plan");
                return false;
        }
        if (!plan) {
                agent_post_seen(a, EVENT_FAILED, &refusal);
                return false;
        }
        (void) plan_free(a->plan);
        a->plan = plan;
        return true;
}

static void on_platform(void *userdata, const PlatformFacts *platform, const Observation *failure) {
        Agent *a = userdata;
        int error;

        if (!observation_is_none(failure))
                return agent_post_seen(a, EVENT_FAILED, failure);
        a->platform = *platform;
        if (!resolve_plan(a))
                return;
        error = coordinator_look(a->coordinator, a->plan, a->on_view, a);
        if (error < 0)
                agent_fail(a, error, "can't ask the platform for this host");
}

/* Version first, since a plan without one can't be held against anything; then the platform's view. */
static void ask_version_and_view(Agent *a, CoordinatorViewHandler handler) {
        int error;

        a->on_view = handler;
        error = coordinator_ask_platform(a->coordinator, on_platform, a);
        if (error < 0)
                agent_fail(a, error, "can't ask the platform for its version");
}

void agent_probe(Agent *a) {
        if (have_coordinator(a))
                ask_version_and_view(a, on_probe_view);
}

static void on_replaced(void *userdata, const Observation *failure) {
        if (observation_is_none(failure))
                agent_post(userdata, EVENT_REPLACED);
        else
                agent_post_seen(userdata, EVENT_FAILED, failure);
}

void agent_replace_runner(Agent *a) {
        int error = coordinator_delete_runner(a->coordinator, a->plan->runner_id, on_replaced, a);

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
                        agent_note(a, "the reply to a token request was lost: a token may live on unused until it expires");
                return agent_post_seen(a, EVENT_FAILED, failure);
        }
        use_token(a, token);
}

/* A token that was minted elsewhere; its claims are all we know of it. */
static void use_pre_minted(Agent *a) {
        TokenRequest request = {
                .roles = a->spec->host.roles,
                .validity_us = a->spec->token.validity_us,
                .pre_minted = true,
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
        if (!token)
                return agent_post_seen(a, EVENT_FAILED, &refusal);
        use_token(a, token);
}

void agent_mint(Agent *a) {
        int error;

        if (a->spec->token.source == TOKEN_PRE_MINTED)
                return use_pre_minted(a);
        if (!have_coordinator(a))
                return;
        error = coordinator_mint(a->coordinator, a->spec->host.roles, a->spec->token.validity_us, on_minted, a);
        if (error < 0)
                agent_fail(a, error, "can't ask for a token");
}

static void on_look(void *userdata, const RunnerView *view, const Observation *failure) {
        Agent *a = userdata;
        Observation seen;
        Verdict verdict;

        if (!observation_is_none(failure))
                return agent_post_seen(a, EVENT_FAILED, failure);
        verdict_judge(a->plan, view, &verdict);
        note_warnings(a, &verdict);
        seen = verdict_observation(&verdict, a->plan->runner_id);
        agent_post_seen(a, EVENT_VIEWED, &seen);
}

void agent_look(Agent *a) {
        int error;

        if (!have_coordinator(a))
                return;
        /* After an adoption nobody has asked for the platform's version yet. */
        if (!a->plan || !a->plan->version[0])
                return ask_version_and_view(a, on_look);
        error = coordinator_look(a->coordinator, a->plan, on_look, a);
        if (error < 0)
                agent_fail(a, error, "can't look at the platform's view");
}
