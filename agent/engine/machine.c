/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The step: one event in, one machine and its actions out.
 *
 * Three things happen here and nowhere else. Timers are checked (one that is not armed is a ghost
 * and changes nothing; one that comes early is armed again, so a clock that disagrees with the loop
 * can't strand us). The event goes to what handles it in every state (deadline, stop, changed spec)
 * or to the state's own function. And the difference between the machine before and after becomes
 * actions, in the order that the promises need: forget and disarm, wipe, save, tell, touch the
 * world, arm, leave.
 *
 * Nothing can fail: no memory, no I/O. An impossible state is a programming error and asserts.
 */

#include "engine/machine.h"

#include <assert.h>

#include "engine/machine-step.h"

Machine machine_fresh(void) {
        Machine m = { .state = STATE_LOADING, .next = STATE_LOADING };

        for (size_t t = 0; t < _TIMER_MAX; t++)
                m.armed_us[t] = USEC_INFINITY;
        return m;
}

bool state_is_final(State s) {
        return s == STATE_UNCONFIGURED || s == STATE_ENROLLED || s == STATE_FAILED || s == STATE_STOPPING;
}

usec_t machine_deadline_us(const Machine *machine, const Policy *policy) {
        if (state_is_final(machine->state) || machine->started_us == 0)
                return USEC_INFINITY;
        return usec_add(machine->started_us, usec_sub(policy->give_up_after_us, machine->spent_us));
}

/* The last and not the first: while VERIFYING, one look after another may find nothing to tell. */
usec_t machine_due_us(const Machine *machine) {
        usec_t due_us = 0;

        for (Timer t = 0; t < _TIMER_MAX; t++)
                if (t != TIMER_GIVE_UP && machine->armed_us[t] != USEC_INFINITY && machine->armed_us[t] > due_us)
                        due_us = machine->armed_us[t];
        return due_us > 0 ? due_us : USEC_INFINITY;
}

/* The next station of an undisturbed journey; only BACKOFF knows the hour. */
State machine_next(const Machine *machine, usec_t *ret_at_us) {
        static const State usual[_STATE_MAX] = {
                [STATE_LOADING] = STATE_PREFLIGHT,     [STATE_UNCONFIGURED] = _STATE_INVALID,
                [STATE_PREFLIGHT] = STATE_PROBING,     [STATE_PROBING] = STATE_MINTING,
                [STATE_PREPARING] = STATE_MINTING,     [STATE_MINTING] = STATE_INSTALLING,
                [STATE_INSTALLING] = STATE_VERIFYING,  [STATE_TERMINATING] = STATE_SETTLING,
                [STATE_SETTLING] = STATE_BACKOFF,      [STATE_VERIFYING] = STATE_ENROLLED,
                [STATE_BACKOFF] = STATE_PROBING,       [STATE_ENROLLED] = _STATE_INVALID,
                [STATE_FAILED] = _STATE_INVALID,       [STATE_STOPPING] = _STATE_INVALID,
        };

        *ret_at_us = USEC_INFINITY;
        switch (machine->state) {
        case STATE_PREFLIGHT: /* a gate is shut: when it is looked at again */
                *ret_at_us = machine->armed_us[TIMER_WAIT];
                return *ret_at_us == USEC_INFINITY ? usual[machine->state] : STATE_PREFLIGHT;
        case STATE_BACKOFF:
                *ret_at_us = machine->armed_us[TIMER_WAIT];
                return machine->next;
        case STATE_SETTLING:
                return machine->next;
        case STATE_LOADING:
        case STATE_UNCONFIGURED:
        case STATE_PROBING:
        case STATE_PREPARING:
        case STATE_MINTING:
        case STATE_INSTALLING:
        case STATE_TERMINATING:
        case STATE_VERIFYING:
        case STATE_ENROLLED:
        case STATE_FAILED:
        case STATE_STOPPING:
                break;
        case _STATE_MAX:
        case _STATE_INVALID:
                return _STATE_INVALID;
        }
        return usual[machine->state];
}

/* Everything that the record keeps; a step that changes any of it saves. */
static bool durable_equal(const Machine *a, const Machine *b) {
        return a->state == b->state && a->started_us == b->started_us && a->spent_us == b->spent_us &&
               a->window == b->window && a->attempt == b->attempt &&
               a->installer_pending == b->installer_pending && a->unsettled == b->unsettled &&
               a->half_joined == b->half_joined && a->was_enrolled == b->was_enrolled &&
               a->vain_efforts == b->vain_efforts && a->token_owed == b->token_owed;
}

static void emit(Actions *actions, Action action) {
        assert(actions->n < ACTIONS_MAX);
        actions->item[actions->n++] = action;
}

/* Order is the promise here: what is on disk is always at least as old as what the world was
 * told. */
static void emit_all(const Step *s, const Machine *before, Actions *ret) {
        ret->n = 0;

        if (s->cancel)
                emit(ret, (Action) { .kind = ACTION_CANCEL });
        for (Timer t = 0; t < _TIMER_MAX; t++)
                if (before->armed_us[t] != USEC_INFINITY && s->m.armed_us[t] == USEC_INFINITY)
                        emit(ret, (Action) { .kind = ACTION_DISARM, .timer = t });

        if (s->wipe)
                emit(ret, (Action) { .kind = ACTION_WIPE_TOKEN });
        if (s->save || !durable_equal(before, &s->m))
                emit(ret, (Action) { .kind = ACTION_SAVE });
        if (s->report || s->save)
                emit(ret, (Action) { .kind = ACTION_REPORT });

        for (size_t i = 0; i < s->n_world; i++)
                emit(ret, (Action) { .kind = s->world[i] });

        for (Timer t = 0; t < _TIMER_MAX; t++)
                if (s->m.armed_us[t] != USEC_INFINITY && s->m.armed_us[t] != before->armed_us[t])
                        emit(ret, (Action) { .kind = ACTION_ARM, .timer = t, .at_us = s->m.armed_us[t] });
        if (s->exit)
                emit(ret, (Action) { .kind = ACTION_EXIT, .exit_code = s->m.exit_code });
}

static void dispatch_state(Step *s) {
        static void (*const function[_STATE_MAX])(Step *) = {
                [STATE_LOADING] = state_loading,         [STATE_UNCONFIGURED] = state_unconfigured,
                [STATE_PREFLIGHT] = state_preflight,     [STATE_PROBING] = state_probing,
                [STATE_PREPARING] = state_preparing,     [STATE_MINTING] = state_minting,
                [STATE_INSTALLING] = state_installing,   [STATE_TERMINATING] = state_terminating,
                [STATE_SETTLING] = state_settling,       [STATE_VERIFYING] = state_verifying,
                [STATE_BACKOFF] = state_backoff,         [STATE_ENROLLED] = state_enrolled,
                [STATE_FAILED] = state_failed,           [STATE_STOPPING] = state_stopping,
        };

        function[s->m.state](s);
}

static void dispatch(Step *s) {
        if (s->event->kind == EVENT_STOP)
                step_stop(s);
        else if (s->event->kind == EVENT_SPEC_CHANGED)
                step_spec_changed(s);
        else if (s->event->kind == EVENT_TIMER && s->event->timer == TIMER_GIVE_UP)
                step_give_up(s);
        else
                dispatch_state(s);
}

/* True when the timer of this event is armed and due. A fired timer counts as disarmed from here
 * on; one that came early is armed again by the comparison of before (where it is cleared) and
 * after. */
static bool timer_is_due(Machine *before, Step *s) {
        Timer t = s->event->timer;

        if (t >= _TIMER_MAX || before->armed_us[t] == USEC_INFINITY)
                return false;
        if (s->now_us < before->armed_us[t]) {
                before->armed_us[t] = USEC_INFINITY;
                return false;
        }
        before->armed_us[t] = USEC_INFINITY;
        s->m.armed_us[t] = USEC_INFINITY;
        return true;
}

Machine machine_step(Machine machine, const Policy *policy, const Event *event, usec_t now_us,
                     Actions *ret) {
        Step s = { .m = machine, .policy = policy, .event = event, .now_us = now_us };

        assert(machine.state >= 0 && machine.state < _STATE_MAX);
        assert(event->kind < _EVENT_KIND_MAX);

        if (event->kind != EVENT_TIMER || timer_is_due(&machine, &s))
                dispatch(&s);
        emit_all(&s, &machine, ret);
        return s.m;
}
