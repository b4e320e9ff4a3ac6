/* SPDX-License-Identifier: Apache-2.0 */

/* The world of the promises: see model-world.h. One function for each thing that can happen, one
 * for each action that can be asked for, and the checks between them. */

#include "model-world.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define NOTHING _ACTION_KIND_MAX

static void step(World *w, Event event);

static void check(World *w, bool holds, const char *promise) {
        if (!holds && !w->broken)
                w->broken = promise;
}

static bool bit(const World *w, unsigned n) {
        return (w->choice.bits >> n) & 1;
}

/* 0 to n - 1, from the bits above the n-th that single decisions use. */
static unsigned pick(const World *w, unsigned n) {
        return (unsigned) (w->choice.bits >> 4) % n;
}

/* The agent's memory is gone; the disk, the keeper and the platform go on. */
static void start_again(World *w) {
        char boot_id[BOOT_ID_SIZE];

        (void) snprintf(boot_id, sizeof(boot_id), "%032u", w->boot);
        w->m = record_resume(&w->disk, boot_id, w->now_us);
        w->gone = w->connected = w->token = w->may_end = w->seen_since_mint = w->unrecorded = w->stale = false;
        w->asked = w->keeper_asked = NOTHING;
        for (Timer t = 0; t < _TIMER_MAX; t++)
                w->armed_us[t] = USEC_INFINITY;
        if (w->m.started_us == 0)
                w->minted = 0; /* a new effort has a new budget */
        if (!w->m.token_owed)
                w->stored = false; /* its answer was lost with the agent, before anybody could write it down */
        w->choice.die_after = 0;
        step(w, (Event) { .kind = EVENT_START });
}

static void save(World *w) {
        w->stale = w->full;
        if (w->full)
                return;
        w->disk.machine = w->m;
        (void) snprintf(w->disk.boot_id, sizeof(w->disk.boot_id), "%032u", w->boot);
}

static bool is_on_disk(const World *w) {
        const Machine *a = &w->disk.machine, *b = &w->m;

        return a->state == b->state && a->started_us == b->started_us && a->spent_us == b->spent_us &&
               a->window == b->window && a->attempt == b->attempt && a->installer_pending == b->installer_pending &&
               a->unsettled == b->unsettled && a->half_joined == b->half_joined && a->was_enrolled == b->was_enrolled &&
               a->vain_efforts == b->vain_efforts && a->token_owed == b->token_owed;
}

static void install(World *w) {
        check(w, !w->running && !w->left_over, "never two installers");
        check(w, w->token && w->token_deadline_us >= w->now_us + w->policy.attempt_timeout_us +
                                                             w->policy.token_margin_us,
              "no installer without a token that outlives it");
        check(w, w->disk.machine.installer_pending, "a started installer is on record");
        check(w, !w->stored || w->disk.machine.token_owed, "a persistent token is on record before it is used");
        w->keeper_asked = ACTION_INSTALL;
        w->ended = false;
        w->running = !bit(w, 3); /* else the request got lost on its way */
}

static void mint(World *w) {
        check(w, w->seen_since_mint, "look before minting");
        check(w, !w->stored, "one persistent token at a time");
        w->seen_since_mint = false;
        w->asked = ACTION_MINT;
        w->minted++; /* until the contrary is proved */
        w->minted_in_vain++;
        check(w, w->minted <= w->policy.windows, "tokens are bounded");
        check(w, w->policy.one_shot || w->minted_in_vain <= w->policy.windows * w->policy.vain_efforts_max,
              "tokens are bounded over all reboots");
        check(w, w->disk.machine.window >= w->minted, "a minted token is on record");
}

/* As the agent does it: what only looks goes on, the rest has to be on disk. */
static bool must_be_on_disk(ActionKind kind) {
        return kind == ACTION_MINT || kind == ACTION_INSTALL || kind == ACTION_REPLACE_RUNNER ||
               kind == ACTION_ACKNOWLEDGE;
}

static void act_on_world(World *w, ActionKind kind) {
        if (w->stale && must_be_on_disk(kind))
                save(w); /* once more */
        if (w->stale && must_be_on_disk(kind)) {
                w->unrecorded = kind != ACTION_ACKNOWLEDGE;
                return;
        }
        check(w, w->stale || is_on_disk(w), "the record is on disk before the world is touched");
        check(w, kind == ACTION_ACKNOWLEDGE || (w->asked == NOTHING && w->keeper_asked == NOTHING) ||
                         (kind == ACTION_TERMINATE && w->keeper_asked == ACTION_INSTALL),
              "one question at a time");
        if (kind == ACTION_INSTALL)
                install(w);
        else if (kind == ACTION_MINT)
                mint(w);
        else if (kind == ACTION_ACKNOWLEDGE)
                w->ended = w->ended && bit(w, 1); /* it may get lost, too */
        else if (kind == ACTION_REPLACE_RUNNER) {
                check(w, w->policy.on_stale_replace && w->last_probed == MEMBERSHIP_DISCONNECTED,
                      "nothing of others is deleted");
                w->asked = kind;
        } else if (kind == ACTION_SET_ROLES) {
                check(w, w->policy.assign_roles && w->m.half_joined, "roles are given to nobody but a host that we have joined");
                w->asked = kind;
        } else if (kind == ACTION_PROBE || kind == ACTION_LOOK || kind == ACTION_REVOKE_TOKEN || kind == ACTION_LOAD_SPEC ||
                   kind == ACTION_CHECK_NETWORK)
                w->asked = kind;
        else
                w->keeper_asked = kind;
}

static void act(World *w, const Action *action) {
        switch (action->kind) {
        case ACTION_WIPE_TOKEN:
                w->token = false;
                return;
        case ACTION_SAVE:
                save(w);
                return;
        case ACTION_REPORT:
                return;
        case ACTION_CANCEL:
                w->asked = w->keeper_asked = NOTHING;
                return;
        case ACTION_ARM:
                w->armed_us[action->timer] = action->at_us;
                return;
        case ACTION_DISARM:
                w->armed_us[action->timer] = USEC_INFINITY;
                return;
        case ACTION_EXIT:
                w->gone = true;
                return;
        case ACTION_LOAD_SPEC:
        case ACTION_ATTACH:
        case ACTION_CHECK_HOST:
        case ACTION_CHECK_NETWORK:
        case ACTION_PROBE:
        case ACTION_REPLACE_RUNNER:
        case ACTION_PREPARE:
        case ACTION_MINT:
        case ACTION_INSTALL:
        case ACTION_TERMINATE:
        case ACTION_SETTLE:
        case ACTION_ACKNOWLEDGE:
        case ACTION_LOOK:
        case ACTION_SET_ROLES:
        case ACTION_REVOKE_TOKEN:
                act_on_world(w, action->kind);
                return;
        case _ACTION_KIND_MAX:
                check(w, false, "actions are known ones");
        }
}

/* CANCEL and DISARM, WIPE_TOKEN, SAVE, REPORT, the world, ARM, EXIT. */
static int rank(ActionKind kind) {
        static const int ranks[_ACTION_KIND_MAX] = {
                [ACTION_WIPE_TOKEN] = 2, [ACTION_SAVE] = 3, [ACTION_REPORT] = 4, [ACTION_DISARM] = 1,
                [ACTION_CANCEL] = 1,     [ACTION_ARM] = 6,  [ACTION_EXIT] = 7,
        };

        return ranks[kind] != 0 ? ranks[kind] : 5;
}

static void check_end(World *w, const Machine *before) {
        if (w->m.state == STATE_ENROLLED)
                check(w, !w->running, "enrolled means that no installer runs");
        if (w->m.state != STATE_FAILED || before->state == STATE_FAILED)
                return;
        check(w, w->m.exit_code > 0, "a failure has an exit code");
        if (w->m.end == END_DEADLINE)
                check(w, w->now_us >= machine_deadline_us(before, &w->policy), "no end before the wall");
        else if (w->m.end == END_LOOP)
                check(w, w->m.vain_efforts >= w->policy.vain_efforts_max && !w->policy.one_shot,
                      "no end before the efforts are spent");
        else if (w->m.end == END_WINDOWS)
                check(w, w->m.window >= w->policy.windows, "no end before the windows are spent");
        else
                check(w, w->m.end == END_OUTCOME && w->may_end, "what passes by itself never ends a run");
}

/* At rest there is an end to waiting, but for a token to be deleted and a look now and then. */
static bool has_rest_to_do(const World *w) {
        return !w->gone && (w->m.token_owed || (w->m.state == STATE_ENROLLED && w->policy.drift_every_us > 0 && !w->policy.one_shot));
}

static void check_state(World *w, const Machine *before) {
        bool armed = false;

        check(w, w->m.state >= 0 && w->m.state < _STATE_MAX, "states are known ones");
        for (Timer t = 0; t < _TIMER_MAX; t++) {
                armed = armed || w->armed_us[t] != USEC_INFINITY;
                check(w, w->armed_us[t] == w->m.armed_us[t], "timers are armed as the machine believes");
        }
        if (state_is_final(w->m.state) && !w->gone) {
                bool busy = has_rest_to_do(w) && w->m.state != STATE_UNCONFIGURED;

                check(w, !w->token && !w->m.token_held, "a final state holds no token");
                check(w, armed || !busy, "who has something left to do waits for it");
                check(w, !armed || busy || w->asked == ACTION_LOOK || w->m.odd_looks == 1, "a final state waits for nothing else");
                check(w, before->state != STATE_ENROLLED || w->m.state != STATE_FAILED, "nobody falls out of ENROLLED");
        } else if (!w->gone) {
                check(w, armed, "who waits has something armed");
                check(w, machine_due_us(&w->m) != USEC_INFINITY, "and not the wall alone: it tells by when it is heard of");
        }
        check(w, w->token == w->m.token_held, "the machine knows whether there is a token");
        check_end(w, before);
}

/* A budget starts anew only where an effort has ended: in a final state, behind the wall, with a
 * changed spec. */
static bool effort_ended(const World *w, const Machine *before, const Event *event) {
        return state_is_final(before->state) || state_is_final(w->m.state) || before->spec_changed ||
               (event->kind == EVENT_SPEC_LOADED && (before->started_us == 0 || w->policy.one_shot ||
                                                     event->spec_differs ||
                                                     machine_deadline_us(before, &w->policy) <= w->now_us));
}

static bool is_a_persons_doing(const World *w, const Event *event) {
        return event->kind == EVENT_RETRY || event->kind == EVENT_SPEC_CHANGED || event->spec_differs ||
               w->m.state == STATE_ENROLLED;
}

static void step(World *w, Event event) {
        Machine before = w->m;
        unsigned die_after = w->choice.die_after;
        Actions actions;
        int last = 0;

        event.random = w->choice.random;
        w->steps++;
        w->m = machine_step(before, &w->policy, &event, w->now_us, &actions);
        if (w->m.window == 0 && before.window > 0 && effort_ended(w, &before, &event))
                w->minted = 0;
        if (w->m.vain_efforts <= 1 && is_a_persons_doing(w, &event))
                w->minted_in_vain = w->m.vain_efforts == 0 ? 0 : w->minted; /* 0: what it has cost was not in vain */
        check(w, actions.n <= ACTIONS_MAX, "actions are bounded");
        for (size_t i = 0; i < actions.n; i++) {
                check(w, rank(actions.item[i].kind) >= last, "actions come in their order");
                last = rank(actions.item[i].kind);
        }
        for (size_t i = 0; i < actions.n; i++) {
                act(w, &actions.item[i]);
                if (die_after == i + 1) {
                        start_again(w);
                        return;
                }
        }
        check_state(w, &before);
        if (w->unrecorded) {
                w->unrecorded = false;
                step(w, (Event) { .kind = EVENT_UNRECORDED, .class = CLASS_HOST, .exit_code = 78 });
        }
}

static Event failure(World *w, EventKind kind) {
        static const OutcomeClass classes[] = {
                CLASS_TRANSIENT, CLASS_TRANSIENT, CLASS_TRANSIENT, CLASS_THROTTLED, CLASS_HOST, CLASS_TIME,
                CLASS_EXPIRED, CLASS_OPERATOR, CLASS_CREDENTIAL, CLASS_PERMANENT,
        };
        Event event = { .kind = kind, .class = classes[pick(w, ELEMENTS(classes))], .exit_code = 75,
                        .token_spent = bit(w, 0) };

        if (event.class == CLASS_THROTTLED)
                event.retry_after_us = pick(w, 4000) * USEC_PER_SEC;
        if (event.class == CLASS_PERMANENT || event.class == CLASS_CREDENTIAL)
                w->may_end = true;
        return event;
}

static Event exited(World *w) {
        w->keeper_asked = w->keeper_asked == ACTION_SETTLE ? ACTION_SETTLE : NOTHING;
        return w->ended_well ? (Event) { .kind = EVENT_INSTALL_EXITED } : failure(w, EVENT_INSTALL_EXITED);
}

/* The installer comes to its end; only a connected agent hears of it. */
static void end_installer(World *w, bool well) {
        if (!w->running)
                return;
        w->running = false;
        w->ended = true;
        w->ended_well = well;
        w->left_over = !well && bit(w, 1);
        if (well)
                w->runner = bit(w, 2) ? MEMBERSHIP_AS_PLANNED : MEMBERSHIP_DIFFERS;
        else if (bit(w, 2) && w->runner == MEMBERSHIP_NONE)
                w->runner = MEMBERSHIP_DISCONNECTED;
        if (w->connected && !w->gone)
                step(w, exited(w));
}

static void answer_keeper(World *w) {
        ActionKind asked = w->keeper_asked;

        w->keeper_asked = NOTHING;
        w->connected = true;
        if (asked == ACTION_ATTACH)
                step(w, w->running ? (Event) { .kind = EVENT_KEEPER_RUNNING }
                        : w->ended ? exited(w)
                                   : (Event) { .kind = EVENT_KEEPER_IDLE });
        else if (asked == ACTION_CHECK_HOST)
                step(w, (Event) { .kind = EVENT_HOST_READY });
        else if (asked == ACTION_PREPARE)
                step(w, (Event) { .kind = EVENT_PREPARED });
        else if (asked == ACTION_INSTALL && w->running)
                step(w, (Event) { .kind = EVENT_KEEPER_RUNNING });
        else if (asked == ACTION_TERMINATE && w->running)
                end_installer(w, bit(w, 0));
        else if (asked == ACTION_TERMINATE && w->ended)
                step(w, exited(w));
        else if (asked == ACTION_SETTLE && !w->running) {
                w->left_over = false;
                step(w, (Event) { .kind = EVENT_SETTLED });
        } else
                step(w, (Event) { .kind = EVENT_FAILED, .class = CLASS_HOST, .exit_code = 75 });
}

static void probed(World *w) {
        Event event = { .kind = EVENT_PROBED, .membership = w->runner };

        w->seen_since_mint = true;
        w->last_probed = w->runner;
        if (w->runner == MEMBERSHIP_DISCONNECTED || w->runner == MEMBERSHIP_FOREIGN) {
                event.class = CLASS_PERMANENT;
                event.exit_code = 76;
                w->may_end = true;
        }
        step(w, event);
}

static void answer(World *w) {
        ActionKind asked = w->asked;

        if (asked == NOTHING) {
                if (w->keeper_asked != NOTHING)
                        answer_keeper(w);
                return;
        }
        w->asked = NOTHING;
        if (asked == ACTION_LOAD_SPEC)
                step(w, (Event) { .kind = EVENT_SPEC_LOADED, .spec_differs = pick(w, 16) == 0 });
        else if (asked == ACTION_CHECK_NETWORK)
                step(w, (Event) { .kind = EVENT_NETWORK_READY });
        else if (asked == ACTION_PROBE)
                probed(w);
        else if (asked == ACTION_REPLACE_RUNNER) {
                w->runner = bit(w, 0) ? MEMBERSHIP_NONE : w->runner;
                step(w, (Event) { .kind = EVENT_REPLACED });
        } else if (asked == ACTION_REVOKE_TOKEN) {
                w->stored = false;
                step(w, (Event) { .kind = EVENT_REVOKED });
        } else if (asked == ACTION_SET_ROLES) {
                w->runner = bit(w, 0) ? MEMBERSHIP_AS_PLANNED : w->runner;
                step(w, (Event) { .kind = EVENT_ROLES_SET });
        } else if (asked == ACTION_MINT) {
                static const unsigned minutes[] = { 5, 20, 21, 45, 60, 600 };

                w->token = true;
                w->stored = w->persistent;
                w->token_deadline_us = w->persistent ? USEC_INFINITY : w->now_us + minutes[pick(w, ELEMENTS(minutes))] * USEC_PER_MINUTE;
                step(w, (Event) { .kind = EVENT_MINTED, .token_deadline_us = w->token_deadline_us, .token_stored = w->persistent });
        } else {
                bool good = w->runner == MEMBERSHIP_AS_PLANNED;

                w->may_end = w->may_end || !good; /* verify.timeout may be over */
                step(w, good ? (Event) { .kind = EVENT_VIEWED }
                             : (Event) { .kind = EVENT_VIEWED, .class = CLASS_TRANSIENT, .exit_code = 76, .lacks_roles = bit(w, 3) });
        }
}

static void fail(World *w) {
        ActionKind asked = w->asked != NOTHING ? w->asked : w->keeper_asked;
        Event event;

        if (asked == NOTHING)
                return;
        if (asked == ACTION_INSTALL && w->running)
                return; /* what was started is not refused */
        w->asked = w->keeper_asked = NOTHING;
        event = failure(w, EVENT_FAILED);
        if (asked == ACTION_LOAD_SPEC && bit(w, 1)) {
                event.kind = bit(w, 2) ? EVENT_SPEC_ABSENT : EVENT_SPEC_REFUSED;
                w->may_end = true;
        }
        if (asked == ACTION_MINT) {
                event.maybe_minted = bit(w, 1);
                if (!event.maybe_minted) {
                        w->minted--;
                        w->minted_in_vain--;
                }
        }
        step(w, event);
}

static void lose(World *w) {
        ActionKind asked = w->keeper_asked;
        bool running = w->m.installer_pending || w->m.unsettled;

        w->connected = false;
        w->keeper_asked = NOTHING;
        if (running || asked == ACTION_PREPARE)
                step(w, failure(w, EVENT_KEEPER_LOST));
        else if (asked != NOTHING)
                step(w, failure(w, EVENT_FAILED));
}

static void pass_time(World *w, usec_t by_us) {
        w->now_us += by_us;
        w->realtime_us += by_us;
}

static void fire(World *w) {
        Timer next = TIMER_GIVE_UP;

        for (Timer t = 0; t < _TIMER_MAX; t++)
                if (w->armed_us[t] < w->armed_us[next])
                        next = t;
        if (w->armed_us[next] == USEC_INFINITY)
                return;
        pass_time(w, usec_sub(w->armed_us[next], w->now_us));
        w->armed_us[next] = USEC_INFINITY;
        step(w, (Event) { .kind = EVENT_TIMER, .timer = next });
}

/* Containers don't come up again by themselves; the name of a dead one may stay taken. */
static void reboot(World *w) {
        if (w->running) {
                w->running = w->ended_well = false;
                w->ended = bit(w, 0);
                w->left_over = bit(w, 1);
        }
        w->boot++;
        w->now_us = 30 * USEC_PER_SEC;
        w->realtime_us += 90 * USEC_PER_SEC;
        start_again(w);
}

static void change_runner(World *w) {
        static const Membership some[] = { MEMBERSHIP_NONE, MEMBERSHIP_NONE, MEMBERSHIP_AS_PLANNED,
                                           MEMBERSHIP_DIFFERS, MEMBERSHIP_DISCONNECTED, MEMBERSHIP_HALF_JOINED,
                                           MEMBERSHIP_FOREIGN };

        w->runner = some[pick(w, ELEMENTS(some))];
}

void world_do(World *w, const Choice *choice) {
        w->choice = *choice;
        if (w->gone && choice->deed != DEED_REBOOT && choice->deed != DEED_END && choice->deed != DEED_TIME) {
                start_again(w);
                return;
        }
        switch ((Deed) choice->deed) {
        case DEED_ANSWER:
                return answer(w);
        case DEED_FAIL:
                return fail(w);
        case DEED_TIMER:
                return fire(w);
        case DEED_TIME:
                return pass_time(w, choice->random % (10 * USEC_PER_MINUTE));
        case DEED_END:
                return end_installer(w, bit(w, 0));
        case DEED_LOSE:
                return lose(w);
        case DEED_CRASH:
                return start_again(w);
        case DEED_REBOOT:
                return reboot(w);
        case DEED_RUNNER:
                return change_runner(w);
        case DEED_STOP:
                return step(w, (Event) { .kind = EVENT_STOP, .signal_number = bit(w, 0) ? 2 : 15 });
        case DEED_RETRY:
                return step(w, (Event) { .kind = EVENT_RETRY });
        case DEED_SPEC:
                return step(w, (Event) { .kind = EVENT_SPEC_CHANGED });
        case DEED_DISK:
                w->full = !w->full;
                return;
        case _DEED_MAX:
                return;
        }
}

/* Chance of the best kind: long tokens, installers that do their work, a platform that sees it. */
static void do_kindly(World *w) {
        w->choice = (Choice) { .bits = 5 | (5 << 4) };
        if (w->gone)
                start_again(w);
        else if (w->asked != NOTHING || w->keeper_asked == ACTION_SETTLE || w->keeper_asked == ACTION_TERMINATE)
                answer(w);
        else if (w->running && w->connected)
                end_installer(w, true);
        else if (w->keeper_asked != NOTHING && (w->keeper_asked != ACTION_INSTALL || w->running))
                answer(w);
        else
                fire(w);
        if (w->runner == MEMBERSHIP_DIFFERS || w->runner == MEMBERSHIP_HALF_JOINED || w->runner == MEMBERSHIP_FOREIGN)
                w->runner = MEMBERSHIP_AS_PLANNED;
}

void world_be_kind(World *w) {
        unsigned left = 3000;

        w->full = false;
        w->runner = w->runner == MEMBERSHIP_DISCONNECTED ? MEMBERSHIP_NONE : w->runner;
        while (!w->broken && left-- > 0 && (w->m.state != STATE_ENROLLED || w->m.token_owed)) {
                if (w->m.state == STATE_FAILED || w->m.state == STATE_UNCONFIGURED)
                        step(w, (Event) { .kind = EVENT_RETRY });
                do_kindly(w);
        }
        check(w, w->m.state == STATE_ENROLLED, "it comes to a right end");
        check(w, !w->running && !w->left_over, "nothing is left of it");
        check(w, !w->stored, "no persistent token is left");
}

static usec_t one_of(uint64_t *seed, const usec_t of[], size_t n) {
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return of[(*seed >> 33) % n];
}

#define ONE_OF(seed, ...) one_of((seed), (const usec_t[]) { __VA_ARGS__ }, ELEMENTS(((const usec_t[]) { __VA_ARGS__ })))

void world_begin(World *w, uint64_t seed) {
        *w = (World) { .now_us = USEC_PER_HOUR, .realtime_us = UINT64_C(1767268800) * USEC_PER_SEC,
                       .runner = MEMBERSHIP_NONE };
        w->policy = (Policy) {
                .splay_us = ONE_OF(&seed, 0, USEC_PER_MINUTE),
                .backoff_min_us = 5 * USEC_PER_SEC,
                .backoff_max_us = ONE_OF(&seed, 5 * USEC_PER_SEC, USEC_PER_MINUTE),
                .windows = (unsigned) ONE_OF(&seed, 1, 2, 3, 8),
                .give_up_after_us = ONE_OF(&seed, 10 * USEC_PER_MINUTE, USEC_PER_HOUR, 4 * USEC_PER_HOUR),
                .attempt_timeout_us = 20 * USEC_PER_MINUTE,
                .token_margin_us = USEC_PER_MINUTE,
                .verify_timeout_us = ONE_OF(&seed, USEC_PER_MINUTE, 10 * USEC_PER_MINUTE),
                .stable_for_us = ONE_OF(&seed, 0, 30 * USEC_PER_SEC),
                .poll_us = 5 * USEC_PER_SEC,
                .gate_poll_us = 4 * USEC_PER_SEC,
                .vain_efforts_max = (unsigned) ONE_OF(&seed, 1, 2, 5),
                .guard_us = 2 * USEC_PER_MINUTE,
                .credential_tries = (unsigned) ONE_OF(&seed, 1, 3),
                .prepull = ONE_OF(&seed, 0, 1) != 0,
                .on_member_ignore = ONE_OF(&seed, 0, 0, 1) != 0,
                .on_stale_replace = ONE_OF(&seed, 0, 1) != 0,
                .one_shot = ONE_OF(&seed, 0, 1) != 0,
                .assign_roles = ONE_OF(&seed, 0, 0, 1) != 0,
                .drift_every_us = ONE_OF(&seed, 0, USEC_PER_HOUR),
        };
        w->persistent = ONE_OF(&seed, 0, 0, 1) != 0;
        w->policy.stop_terminates = w->policy.one_shot;
        w->disk.machine = machine_fresh();
        start_again(w);
}
