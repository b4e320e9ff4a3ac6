/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A host of ours: the real machine with the real policy, and around it, instead of the agent, as little as carries its
 * actions out: a keeper that answers at once, an image that takes its time, an installer that works, a platform that
 * knows the host when it is done.
 */

#include <assert.h>

#include "fleet-private.h"

static void carry_out(Fleet *f, Host *h, const Actions *actions);

static void step(Fleet *f, Host *h, const Event *event) {
        bool was_final = state_is_final(h->machine.state);
        Policy policy = h->policy;
        Actions actions = { 0 };

        if (h->machine.state == STATE_PREFLIGHT && f->plan->gate_max_us != USEC_INFINITY)
                policy.backoff_max_us = f->plan->gate_max_us;
        h->machine = machine_step(h->machine, &policy, event, f->now_us, &actions);
        carry_out(f, h, &actions);
        if (h->machine.state == STATE_ENROLLED && h->enrolled_us == 0)
                h->enrolled_us = f->now_us;
        if (!was_final && state_is_final(h->machine.state))
                fleet_over(f, h);
}

static void tell(Fleet *f, Host *h, Event event) {
        event.random = fleet_chance(f, h);
        step(f, h, &event);
}

void host_begin(Fleet *f, Host *h, const char *machine_id) {
        h->machine = machine_fresh();
        h->policy = policy_from_spec(f->spec, machine_id, false);
        h->installer_us = USEC_INFINITY;
        h->wish = WISH_KEEPER;
        h->told = EVENT_START;
        h->answer_us = h->boot_us;
}

/* --- Actions ----------------------------------------------------------------------------------- */

static void look(Fleet *f, Host *h) {
        h->with_version = h->machine.state == STATE_ENROLLED;
        question_ask(f, h, WISH_LOOK);
}

static void install(Fleet *f, Host *h) {
        if (f->plan->attempt)
                f->plan->attempt();
        question_keeper(f, h, KEEPER_US, EVENT_KEEPER_RUNNING);
        h->installer_us = f->now_us + fleet_install_us(f, h) + KEEPER_US;
}

static void terminate(Fleet *f, Host *h) {
        h->installer_us = USEC_INFINITY;
        question_keeper(f, h, TERMINATE_US, EVENT_INSTALL_EXITED);
}

static void carry_out_one(Fleet *f, Host *h, ActionKind kind) {
        switch (kind) {
        case ACTION_LOAD_SPEC:
                return question_keeper(f, h, 0, EVENT_SPEC_LOADED);
        case ACTION_ATTACH:
                return question_keeper(f, h, KEEPER_US, EVENT_KEEPER_IDLE);
        case ACTION_CHECK_HOST:
                return question_keeper(f, h, KEEPER_US, EVENT_HOST_READY);
        case ACTION_CHECK_NETWORK:
                return question_ask(f, h, WISH_REACH);
        case ACTION_PROBE:
                return question_ask(f, h, WISH_PROBE);
        case ACTION_PREPARE:
                return question_keeper(f, h, fleet_pull_us(f, h), EVENT_PREPARED);
        case ACTION_MINT:
                return question_ask(f, h, WISH_MINT);
        case ACTION_INSTALL:
                return install(f, h);
        case ACTION_TERMINATE:
                return terminate(f, h);
        case ACTION_SETTLE:
                return question_keeper(f, h, SETTLE_US, EVENT_SETTLED);
        case ACTION_LOOK:
                return look(f, h);
        case ACTION_CANCEL:
                return question_cancel(h);
        case ACTION_WIPE_TOKEN:
        case ACTION_SAVE:
        case ACTION_REPORT:
        case ACTION_ACKNOWLEDGE:
        case ACTION_ARM: /* the machine knows its timers, host_due() reads them there */
        case ACTION_DISARM:
        case ACTION_EXIT:
                return;
        case ACTION_REPLACE_RUNNER: /* no host here has a stale runner, lacks a role or has a persistent token */
        case ACTION_SET_ROLES:
        case ACTION_REVOKE_TOKEN:
        case _ACTION_KIND_MAX:
                break;
        }
        assert(!"an action that no plan leads to");
}

static void carry_out(Fleet *f, Host *h, const Actions *actions) {
        for (size_t i = 0; i < actions->n; i++)
                carry_out_one(f, h, actions->item[i].kind);
}

/* --- Answers ----------------------------------------------------------------------------------- */

static void failed(Fleet *f, Host *h, const Ended *ended) {
        bool gate = h->machine.state == STATE_PREFLIGHT;

        h->gate_shut = h->gate_shut || gate;
        tell(f, h, (Event) { .kind = EVENT_FAILED, .nobody_answered = gate, .class = ended->outcome->class,
                             .exit_code = ended->outcome->exit_code, .retry_after_us = ended->retry_after_us,
                             .maybe_minted = ended->maybe_minted });
}

static void minted(Fleet *f, Host *h) {
        f->result.tokens++;
        if (h->token_us == 0)
                h->token_us = f->now_us;
        tell(f, h, (Event) { .kind = EVENT_MINTED, .token_deadline_us = f->now_us + f->spec->token.validity_us });
}

/* A platform that knows nothing of the host says little of what runs on it: the keeper is asked. */
static void probed(Fleet *f, Host *h) {
        if (!h->joined && !h->machine.half_joined && !h->keeper_follows) {
                h->keeper_follows = true;
                question_keeper(f, h, KEEPER_US, EVENT_PROBED);
                return;
        }
        h->keeper_follows = false;
        tell(f, h, (Event) { .kind = EVENT_PROBED, .membership = h->joined ? MEMBERSHIP_AS_PLANNED : MEMBERSHIP_NONE });
}

static void told_by_keeper(Fleet *f, Host *h) {
        Event event = { .kind = h->told };

        if (h->told == EVENT_PROBED)
                return probed(f, h);
        if (h->told == EVENT_INSTALL_EXITED) { /* it was terminated */
                event.class = CLASS_TRANSIENT;
                event.exit_code = EXIT_INSTALLER;
        }
        tell(f, h, event);
}

static void answered(Fleet *f, Host *h) {
        Wish wish = h->wish;
        Ended ended;

        if (!question_go_on(f, h, &ended))
                return;
        h->wish = WISH_NONE;
        if (!ended.good)
                return failed(f, h, &ended);
        switch (wish) {
        case WISH_REACH:
                h->gate_shut = false;
                return tell(f, h, (Event) { .kind = EVENT_NETWORK_READY });
        case WISH_PROBE:
                return probed(f, h);
        case WISH_MINT:
                return minted(f, h);
        case WISH_LOOK:
                return tell(f, h, (Event) { .kind = EVENT_VIEWED });
        case WISH_KEEPER:
                return told_by_keeper(f, h);
        case WISH_NONE:
                break;
        }
}

static void installed(Fleet *f, Host *h) {
        h->installer_us = USEC_INFINITY;
        h->joined = true;
        tell(f, h, (Event) { .kind = EVENT_INSTALL_EXITED });
}

static Timer first_timer(const Host *h) {
        Timer first = 0;

        for (Timer t = 1; t < _TIMER_MAX; t++)
                if (h->machine.armed_us[t] < h->machine.armed_us[first])
                        first = t;
        return first;
}

static usec_t earlier(usec_t a, usec_t b) {
        return a < b ? a : b;
}

usec_t host_due(const Host *h) {
        return earlier(earlier(h->answer_us, h->installer_us), h->machine.armed_us[first_timer(h)]);
}

void host_go_on(Fleet *f, Host *h) {
        if (h->answer_us <= f->now_us)
                answered(f, h);
        else if (h->installer_us <= f->now_us)
                installed(f, h);
        else
                tell(f, h, (Event) { .kind = EVENT_TIMER, .timer = first_timer(h) });
}
