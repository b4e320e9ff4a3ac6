/* SPDX-License-Identifier: Apache-2.0 */

/*
 * PROBE and LOOK: what is this host? Two witnesses can be heard (verify.by): the platform, which knows what the
 * host is to it, and the engine of this host, which the keeper asks, and which shows what runs here. With `both` the
 * engine is asked when the platform has nothing against the host.
 *
 * A host without a credential asks the platform one thing only, who it is, and is content with being refused: the
 * answer proves that a coordinator is alive and tells its time, by which a token's life is measured.
 *
 * The engine can't tell a member from a host that was left half-way. So an unfinished join of our own that is not as
 * planned is gone on with, and that of somebody else is looked at until verify.timeout, and never touched.
 */

#include "enrolld/agent-private.h"

#include <stdio.h>

#include "base/text.h"

static bool hears_platform(const Agent *a) {
        return !a->anonymous && a->spec->verify.by != VERIFY_BY_LOCAL;
}

static bool hears_engine(const Agent *a) {
        return a->anonymous || a->spec->verify.by != VERIFY_BY_COORDINATOR;
}

const char *agent_witness(const Agent *a) {
        if (!a->spec || !hears_engine(a))
                return "coordinator";
        return hears_platform(a) ? "both" : "local";
}

static Membership membership_by_platform(const RunnerView *view, const Verdict *verdict) {
        if (!view->found)
                return MEMBERSHIP_NONE;
        for (size_t i = 0; i < verdict->n; i++)
                if (verdict->items[i].kind == DIFFERENCE_FOREIGN_HOST)
                        return MEMBERSHIP_FOREIGN;
        if (!view->connected)
                return MEMBERSHIP_DISCONNECTED;
        return verdict->enrolled ? MEMBERSHIP_AS_PLANNED : MEMBERSHIP_DIFFERS;
}

static Membership membership_by_engine(const Agent *a, const LocalView *view, const Verdict *verdict) {
        if (verdict->enrolled)
                return MEMBERSHIP_AS_PLANNED;
        if (hears_platform(a)) /* it has called the host a member before */
                return MEMBERSHIP_DIFFERS;
        if (view->state[LOCAL_RUNNER] == LOCAL_ABSENT)
                return MEMBERSHIP_NONE;
        return a->machine.half_joined ? MEMBERSHIP_DISCONNECTED : MEMBERSHIP_DIFFERS;
}

/* A host that was verified once and is to join again, with nothing to join by. */
static bool misses_what_it_forgot(const Agent *a, Membership membership) {
        return a->probing && membership == MEMBERSHIP_NONE && a->anonymous && a->spec->credential.kind != CREDENTIAL_NONE;
}

/* Connected, and without a role that it is to have: its token has assigned less than its spec names. */
static bool lacks_roles(const Verdict *verdict) {
        bool lacks = false;

        for (size_t i = 0; i < verdict->n; i++) {
                DifferenceKind kind = verdict->items[i].kind;

                if (kind <= DIFFERENCE_NOT_HEALTHY)
                        return false;
                lacks |= kind == DIFFERENCE_ROLE_MISSING || kind == DIFFERENCE_ROLE_NOT_BLESSED;
        }
        return lacks;
}

/* The answer to PROBE or LOOK, whichever was asked. */
static void answer(Agent *a, Membership membership, const Verdict *verdict) {
        Observation seen = verdict_observation(verdict, a->plan->runner_id);
        Event event = { .kind = a->probing ? EVENT_PROBED : EVENT_VIEWED,
                        .membership = membership,
                        .lacks_roles = lacks_roles(verdict) };

        if (misses_what_it_forgot(a, membership))
                return agent_miss_credential(a);
        if (a->probing && membership == MEMBERSHIP_DISCONNECTED && hears_platform(a))
                seen = observe(ORIGIN_PLAN, 0, "stale-runner", a->plan->runner_id,
                               "the platform knows a runner with this id and address that is not connected");
        else if (a->probing && membership == MEMBERSHIP_NONE)
                seen = OBSERVATION_NONE; /* not to be a member yet is no trouble */
        agent_post_event(a, &event, &seen);
}

static void note_warnings(Agent *a, const Verdict *verdict) {
        for (size_t i = 0; i < verdict->n; i++)
                if (verdict->items[i].kind == DIFFERENCE_MAINTENANCE)
                        agent_note(a, verdict->items[i].text);
}

/* ECE on a host that the platform does not know, or knows as gone, and that we have not begun to install: another installation's, or
 * somebody else's half-done work. There may be data behind it. */
static bool may_be_anothers(const Agent *a, Membership membership) {
        if (!a->probing || a->machine.half_joined)
                return false;
        return membership == MEMBERSHIP_NONE || (membership == MEMBERSHIP_DISCONNECTED && !a->machine.was_enrolled);
}

static void on_strangers(Agent *a, const LocalView *view) {
        Observation seen;

        a->looking_for_strangers = false;
        if (view->state[LOCAL_RUNNER] == LOCAL_ABSENT)
                return answer(a, a->membership, &a->verdict);
        if (a->membership == MEMBERSHIP_DISCONNECTED)
                return answer(a, MEMBERSHIP_HALF_JOINED, &a->verdict);
        seen = observe(ORIGIN_HOST, 0, "other-installation", local_part_container(LOCAL_RUNNER),
                       "the container is %s here, and the platform knows no runner %s", local_state_to_string(view->state[LOCAL_RUNNER]),
                       a->plan->runner_id);
        agent_post_event(a, &(Event) { .kind = EVENT_PROBED, .membership = MEMBERSHIP_FOREIGN }, &seen);
}

void agent_on_local_view(Agent *a, const LocalView *view) {
        Verdict verdict;

        if (a->looking_for_strangers)
                return on_strangers(a, view);

        local_view_judge(a->plan, view, &verdict);
        answer(a, membership_by_engine(a, view, &verdict), &verdict);
}

static void on_view(void *userdata, const RunnerView *view, const Observation *failure) {
        Agent *a = userdata;
        Membership membership;
        Verdict verdict;

        if (!observation_is_none(failure))
                return agent_post_seen(a, EVENT_FAILED, failure);
        agent_warn_of_key(a);
        verdict_judge(a->plan, view, &verdict);
        note_warnings(a, &verdict);
        if (verdict.enrolled && hears_engine(a))
                return agent_keeper_request(a, MESSAGE_LOOK);
        membership = membership_by_platform(view, &verdict);
        if (!may_be_anothers(a, membership))
                return answer(a, membership, &verdict);
        a->looking_for_strangers = true;
        a->membership = membership;
        a->verdict = verdict;
        agent_keeper_request(a, MESSAGE_LOOK);
}

static void ask_witness(Agent *a) {
        int error;

        if (!hears_platform(a))
                return agent_keeper_request(a, MESSAGE_LOOK);
        error = coordinator_look(a->coordinator, a->plan, on_view, a);
        if (error < 0)
                agent_fail(a, error, "can't ask the platform for this host");
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

/* Refused for want of a credential, in whatever words: there is a coordinator. */
static bool is_expected_refusal(const Agent *a, const Observation *failure) {
        bool replied = failure->origin == ORIGIN_ECE || failure->origin == ORIGIN_HTTP || failure->origin == ORIGIN_REPLY;

        return a->anonymous && replied && (failure->number == 401 || failure->number == 403);
}

static void on_platform(void *userdata, const PlatformFacts *platform, const Observation *failure) {
        Agent *a = userdata;

        if (!observation_is_none(failure) && !is_expected_refusal(a, failure))
                return agent_post_seen(a, EVENT_FAILED, failure);
        if (platform)
                a->platform = *platform;
        /* What an enrolled host is held against is the installation as it is now; whether its script could still install it
         * is no question any more. */
        if (a->machine.state == STATE_ENROLLED && a->plan && platform)
                (void) snprintf(a->plan->version, sizeof(a->plan->version), "%s", platform->version);
        else if (!resolve_plan(a))
                return;
        a->platform_known = true;
        ask_witness(a);
}

/* The version first, since a plan without one can't be held against anything; then the witness. */
static void begin(Agent *a, bool probing) {
        int error;

        a->probing = probing;
        a->looking_for_strangers = false;
        if (probing && a->asked.valid) { /* by the gates, a moment ago, of the client that is there since */
                a->asked.valid = false;
                return on_platform(a, a->asked.has_platform ? &a->asked.platform : NULL, &a->asked.failure);
        }
        if (!agent_has_coordinator(a))
                return;
        if (!probing && a->platform_known && a->machine.state != STATE_ENROLLED) /* after an adoption it is not */
                return ask_witness(a);
        error = coordinator_ask_platform(a->coordinator, on_platform, a);
        if (error < 0)
                agent_fail(a, error, "can't ask the platform for its version");
}

void agent_probe(Agent *a) {
        begin(a, true);
}

void agent_look(Agent *a) {
        begin(a, false);
}
