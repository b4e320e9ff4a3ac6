/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The ways into the states, and the few verbs that the states share.
 *
 * Each enter_*() leaves the machine complete: timers of the old state disarmed, the new one's first
 * question asked and guarded. Whoever is on the way out (wall reached, stop signal) can't be sent
 * round again: BACKOFF and FAILED, through which every detour leads, turn such a machine towards
 * its exit.
 */

#include <assert.h>

#include "engine/machine-step.h"

void step_world(Step *s, ActionKind kind) {
        assert(s->n_world < STEP_WORLD_MAX);
        s->world[s->n_world++] = kind;
}

void step_arm(Step *s, Timer timer, usec_t delay_us) {
        s->m.armed_us[timer] = usec_add(s->now_us, delay_us);
}

void step_disarm(Step *s, Timer timer) {
        s->m.armed_us[timer] = USEC_INFINITY;
}

/* An operation is under way exactly while its guard is armed. Before the first spec there may be
 * no policy worth the name; a guard of nothing would fire before any answer. */
static void operate_within(Step *s, ActionKind kind, usec_t guard_us) {
        step_world(s, kind);
        step_arm(s, TIMER_GUARD, guard_us > 0 ? guard_us : USEC_PER_MINUTE);
}

void step_operate(Step *s, ActionKind kind) {
        operate_within(s, kind, s->policy->guard_us);
}

void step_answered(Step *s) {
        step_disarm(s, TIMER_GUARD);
}

/* A failure that was reported is an answer, and what was not recorded was not even asked; without one
 * (guard, lost keeper, wall, stop) it may still come. */
void step_abandon(Step *s) {
        bool fired = s->event->kind == EVENT_TIMER && s->event->timer == TIMER_GUARD;

        bool answered = s->event->kind == EVENT_FAILED || s->event->kind == EVENT_UNRECORDED;

        if (fired || (s->m.armed_us[TIMER_GUARD] != USEC_INFINITY && !answered))
                s->cancel = true;
        step_disarm(s, TIMER_GUARD);
}

void step_wipe(Step *s) {
        s->wipe = true;
        s->m.token_held = false;
        s->m.token_deadline_us = 0;
}

void step_note(Step *s, OutcomeClass class, int exit_code) {
        s->m.last_class = class;
        s->m.last_exit_code = exit_code > 0 ? exit_code : EXIT_TRANSIENT;
}

/* A failure that comes without an outcome is taken for one that passes. */
void step_note_event(Step *s) {
        step_note(s, s->event->class != CLASS_OK ? s->event->class : CLASS_TRANSIENT, s->event->exit_code);
}

bool step_token_fits(const Step *s) {
        return s->m.token_held && policy_attempt_fits(s->policy, s->m.token_deadline_us, s->now_us);
}

bool step_installer_may_live(const Step *s) {
        return s->m.installer_pending || s->m.unsettled;
}

void step_forgive(Step *s) {
        s->m.vain_efforts = s->m.window > 0 ? 1 : 0;
}

void step_end_enrollment(Step *s) {
        s->m.started_us = s->m.spent_us = 0;
        s->m.window = s->m.attempt = 0;
        s->m.credential_refusals = 0;
        s->m.backoff_us = 0;
        s->m.last_class = CLASS_OK;
        s->m.last_exit_code = s->m.exit_code = 0;
        s->m.end = END_NONE;
}

/* The common part of all entries. Only the wall stays armed; what belonged to the old state is
 * forgotten. */
static void enter(Step *s, State state) {
        s->m.state = state;
        s->m.since_us = s->now_us;
        for (Timer t = 0; t < _TIMER_MAX; t++)
                if (t != TIMER_GIVE_UP)
                        step_disarm(s, t);
        s->m.replaced = s->m.differs = s->m.blind = false;
        s->m.revoking = s->m.roles_set = s->m.drifted = false;
        s->m.odd_looks = 0;
        s->m.stable_since_us = 0;
        s->save = s->report = true;
}

/* A final state waits for nothing and holds no secret. */
static void enter_final(Step *s, State state) {
        enter(s, state);
        step_disarm(s, TIMER_GIVE_UP);
        step_wipe(s);
}

/* True when a changed spec was to be taken up instead, and was. */
static bool entered_new_spec(Step *s) {
        if (!s->m.spec_changed || s->policy->one_shot)
                return false;
        step_end_enrollment(s);
        step_disarm(s, TIMER_GIVE_UP);
        enter_loading(s);
        return true;
}

/* What a token was minted for and an image was pulled for stands in the spec: both start over
 * with it. */
void enter_loading(Step *s) {
        enter(s, STATE_LOADING);
        if (s->m.token_held)
                step_wipe(s);
        s->m.prepared = s->m.spec_changed = false;
        step_operate(s, ACTION_LOAD_SPEC);
}

void enter_unconfigured(Step *s) {
        if (entered_new_spec(s))
                return;
        enter_final(s, STATE_UNCONFIGURED);
        step_end_enrollment(s);
}

/* Always from the first question on: whatever was known of keeper and host may be an hour old. */
void step_ask_keeper(Step *s) {
        s->m.question = QUESTION_KEEPER;
        operate_within(s, ACTION_ATTACH, s->policy->attach_guard_us);
}

void enter_preflight(Step *s) {
        enter(s, STATE_PREFLIGHT);
        step_ask_keeper(s);
}

void enter_probing(Step *s) {
        enter(s, STATE_PROBING);
        step_operate(s, ACTION_PROBE);
}

/* Pulling an image may take as long as an attempt may. */
void enter_preparing(Step *s) {
        usec_t longest = s->policy->attempt_timeout_us;

        enter(s, STATE_PREPARING);
        operate_within(s, ACTION_PREPARE, longest > s->policy->guard_us ? longest : s->policy->guard_us);
}

/* Exit code of a run whose windows are spent: 75, unless the last trouble is of a kind that
 * needs a person. */
static int windows_exit_code(const Machine *m) {
        switch (m->last_class) {
        case CLASS_HOST:
        case CLASS_CREDENTIAL:
        case CLASS_OPERATOR:
        case CLASS_PERMANENT:
                return m->last_exit_code;
        case CLASS_OK:
        case CLASS_TRANSIENT:
        case CLASS_THROTTLED:
        case CLASS_TIME:
        case CLASS_EXPIRED:
        case _CLASS_MAX:
                break;
        }
        return EXIT_TRANSIENT;
}

/* The window is counted, and saved, before the request goes out: a reply that gets lost has
 * minted all the same. */
void enter_minting(Step *s) {
        if (s->m.window >= s->policy->windows) {
                enter_failed(s, END_WINDOWS, windows_exit_code(&s->m));
                return;
        }
        enter(s, STATE_MINTING);
        if (s->m.token_held)
                step_wipe(s);
        if (s->m.token_owed)
                step_revoke(s); /* two at a time would be one too many */
        else
                step_open_window(s);
}

void step_open_window(Step *s) {
        if (s->m.window++ == 0)
                s->m.vain_efforts++;
        step_operate(s, ACTION_MINT);
}

void enter_installing(Step *s) {
        assert(step_token_fits(s));
        assert(!step_installer_may_live(s));

        enter(s, STATE_INSTALLING);
        s->m.attempt++;
        s->m.was_half_joined = s->m.half_joined;
        s->m.installer_pending = s->m.half_joined = true;
        step_operate(s, ACTION_INSTALL);
        step_arm(s, TIMER_ATTEMPT, s->policy->attempt_timeout_us);
}

void enter_adopted(Step *s) {
        enter(s, STATE_INSTALLING);
        if (s->m.attempt == 0)
                s->m.attempt = 1;
        s->m.installer_pending = s->m.half_joined = true;
        step_arm(s, TIMER_ATTEMPT, s->policy->attempt_timeout_us);
}

/* The answer to INSTALL may still be under way; it stays wanted, for it tells of the end. */
void enter_terminating(Step *s) {
        enter(s, STATE_TERMINATING);
        step_operate(s, ACTION_TERMINATE);
}

void enter_settling(Step *s, State next) {
        enter(s, STATE_SETTLING);
        s->m.installer_pending = false;
        s->m.unsettled = true;
        s->m.next = next;
        step_operate(s, ACTION_SETTLE);
}

void enter_verifying(Step *s) {
        enter(s, STATE_VERIFYING);
        if (s->m.token_held)
                step_wipe(s);
        s->m.backoff_us = 0;
        step_operate(s, ACTION_LOOK);
        step_arm(s, TIMER_VERIFY, s->policy->verify_timeout_us);
}

/* A token that will be too old when the wait is over has no further use. */
void enter_backoff_for(Step *s, State next, usec_t wait_us) {
        if (s->m.stop_signal != 0) {
                enter_stopping(s, 128 + s->m.stop_signal);
                return;
        }
        if (s->m.end == END_DEADLINE) {
                enter_failed(s, END_DEADLINE, s->m.last_exit_code);
                return;
        }
        if (s->m.spec_changed && !s->policy->one_shot)
                next = STATE_LOADING;

        enter(s, STATE_BACKOFF);
        s->m.next = next;
        step_arm(s, TIMER_WAIT, wait_us);
        if (s->m.token_held &&
            !policy_attempt_fits(s->policy, s->m.token_deadline_us, s->m.armed_us[TIMER_WAIT]))
                step_wipe(s);
}

void enter_backoff(Step *s, State next) {
        OutcomeClass class = s->m.last_class != CLASS_OK ? s->m.last_class : CLASS_TRANSIENT;
        usec_t deadline_us = machine_deadline_us(&s->m, s->policy);

        s->m.backoff_us = policy_backoff_us(s->policy, class, s->m.backoff_us, s->event->retry_after_us,
                                            usec_sub(deadline_us, s->now_us), s->event->random);
        enter_backoff_for(s, next, s->m.backoff_us);
}

void enter_enrolled(Step *s) {
        s->m.was_enrolled = true;
        s->m.half_joined = false;
        s->m.vain_efforts = 0;
        if (entered_new_spec(s))
                return;

        enter_final(s, STATE_ENROLLED);
        s->m.end = END_NONE;
        s->m.exit_code = EXIT_DONE;
        s->m.last_class = CLASS_OK;
        s->m.backoff_us = 0;
        step_rest(s);
}

void enter_failed(Step *s, EndCause cause, int exit_code) {
        if (s->m.stop_signal != 0) {
                enter_stopping(s, 128 + s->m.stop_signal);
                return;
        }
        if (entered_new_spec(s))
                return;

        enter_final(s, STATE_FAILED);
        s->m.end = cause;
        s->m.exit_code = exit_code > 0 ? exit_code : EXIT_TRANSIENT;
        s->m.backoff_us = 0;
        step_rest(s);
}

void enter_stopping(Step *s, int exit_code) {
        enter_final(s, STATE_STOPPING);
        s->m.end = END_SIGNAL;
        s->m.exit_code = exit_code;
        step_leave(s);
}
