/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The states before any secret is spent, and those that wait: LOADING, UNCONFIGURED, PREFLIGHT,
 * BACKOFF.
 *
 * Each switch names every event, so that a new one can't be forgotten anywhere; those in the last
 * group do not concern the state (late answers, mostly) and change nothing.
 */

#include "engine/machine-step.h"

/*
 * Does the enrollment on record go on, or does another one begin? Another one, when none is under
 * way; when the wall of the old one was passed while nobody was there to see it; when the spec was
 * changed meanwhile; and for each `ece-enroll run` that has nothing to take over from a killed one.
 */
static bool begins_another(const Step *s) {
        if (s->m.end == END_DEADLINE)
                return false;
        return s->m.started_us == 0 || s->event->spec_differs || machine_deadline_us(&s->m, s->policy) <= s->now_us ||
               (s->policy->one_shot && !step_installer_may_live(s));
}

static void spec_loaded(Step *s) {
        step_answered(s);
        s->m.vain_since_us = 0;
        if (s->m.spec_changed && !s->policy->one_shot) {
                enter_loading(s); /* it changed while it was read */
                return;
        }
        if (begins_another(s)) {
                step_end_enrollment(s);
                s->m.started_us = s->now_us > 0 ? s->now_us : 1; /* 0 means none */
        }
        if (s->policy->one_shot || s->event->spec_differs)
                step_forgive(s);
        if (s->m.end != END_DEADLINE)
                s->m.armed_us[TIMER_GIVE_UP] = machine_deadline_us(&s->m, s->policy);
        enter_preflight(s);
}

void state_loading(Step *s) {
        switch (s->event->kind) {
        case EVENT_START:
                enter_loading(s);
                return;
        case EVENT_SPEC_LOADED:
                spec_loaded(s);
                return;
        case EVENT_SPEC_ABSENT:
                step_answered(s);
                if (s->policy->one_shot)
                        enter_failed(s, END_OUTCOME, EXIT_CONFIGURATION);
                else
                        enter_unconfigured(s);
                return;
        case EVENT_SPEC_REFUSED:
                step_answered(s);
                step_note(s, CLASS_PERMANENT,
                          s->event->exit_code > 0 ? s->event->exit_code : EXIT_CONFIGURATION);
                enter_failed(s, END_OUTCOME, s->m.last_exit_code);
                return;
        case EVENT_FAILED:
        case EVENT_TIMER:
                step_fail(s, STATE_LOADING);
                return;
        case EVENT_KEEPER_IDLE:
        case EVENT_KEEPER_RUNNING:
        case EVENT_HOST_READY:
        case EVENT_NETWORK_READY:
        case EVENT_PROBED:
        case EVENT_REPLACED:
        case EVENT_PREPARED:
        case EVENT_MINTED:
        case EVENT_INSTALL_EXITED:
        case EVENT_SETTLED:
        case EVENT_VIEWED:
        case EVENT_ROLES_SET:
        case EVENT_REVOKED:
        case EVENT_KEEPER_LOST:
        case EVENT_UNRECORDED:
        case EVENT_STOP:
        case EVENT_RETRY:
        case EVENT_SPEC_CHANGED:
        case _EVENT_KIND_MAX:
                return;
        }
}

void state_unconfigured(Step *s) {
        switch (s->event->kind) {
        case EVENT_RETRY:
                enter_loading(s);
                return;
        case EVENT_START:
        case EVENT_SPEC_LOADED:
        case EVENT_SPEC_ABSENT:
        case EVENT_SPEC_REFUSED:
        case EVENT_KEEPER_IDLE:
        case EVENT_KEEPER_RUNNING:
        case EVENT_HOST_READY:
        case EVENT_NETWORK_READY:
        case EVENT_PROBED:
        case EVENT_REPLACED:
        case EVENT_PREPARED:
        case EVENT_MINTED:
        case EVENT_INSTALL_EXITED:
        case EVENT_SETTLED:
        case EVENT_VIEWED:
        case EVENT_ROLES_SET:
        case EVENT_REVOKED:
        case EVENT_FAILED:
        case EVENT_KEEPER_LOST:
        case EVENT_TIMER:
        case EVENT_UNRECORDED:
        case EVENT_STOP:
        case EVENT_SPEC_CHANGED:
        case _EVENT_KIND_MAX:
                return;
        }
}

/* What this host lacks costs nobody anything to look for. A coordinator that is not there is one that a whole fleet looks for:
 * whoever came every few seconds would be what it meets first when it is up again. */
static usec_t gate_wait_us(Step *s) {
        if (!s->event->nobody_answered)
                s->m.vain_since_us = 0;
        else if (s->m.vain_since_us == 0)
                s->m.vain_since_us = s->now_us;
        return policy_gate_wait_us(s->policy, s->m.vain_since_us > 0 ? usec_sub(s->now_us, s->m.vain_since_us) : 0, s->event->random);
}

/* A gate is shut, or nobody answered. The state stays, so that whoever looks sees what is waited for
 * and since when; all questions are asked again after a short while. */
static void wait_for_gates(Step *s) {
        bool final = step_is_final_failure(s);

        step_abandon(s);
        step_note_event(s);
        s->report = true;
        if (final)
                enter_failed(s, END_OUTCOME, s->m.last_exit_code);
        else if (step_on_the_way_out(s))
                enter_backoff(s, STATE_PREFLIGHT); /* which leads out */
        else
                step_arm(s, TIMER_WAIT, gate_wait_us(s));
}

/* The keeper holds nothing. If the record says otherwise (we crashed, it lost its memory, the
 * host was rebooted), nobody knows what is left: that is proved first. */
static void keeper_is_idle(Step *s) {
        step_answered(s);
        if (step_installer_may_live(s)) {
                enter_settling(s, STATE_PREFLIGHT);
                return;
        }
        s->m.question = QUESTION_HOST;
        step_operate(s, ACTION_CHECK_HOST);
}

static void keeper_is_running(Step *s) {
        step_answered(s);
        if (s->m.end == END_DEADLINE) {
                s->m.installer_pending = true;
                enter_terminating(s);
                return;
        }
        enter_adopted(s);
}

/* First contact of many hosts that were booted together is spread; never that of a host that is
 * known. It counts from the start: who had to wait for an engine has waited for this as well. */
static void host_is_ready(Step *s) {
        usec_t until_us = usec_add(s->m.started_us, s->policy->splay_us);
        bool known = s->m.splayed || s->m.was_enrolled || s->m.window > 0;

        step_answered(s);
        s->m.splayed = true;
        if (until_us > s->now_us && !known) {
                enter_backoff_for(s, STATE_PREFLIGHT, until_us - s->now_us);
                return;
        }
        s->m.question = QUESTION_NETWORK;
        step_operate(s, ACTION_CHECK_NETWORK);
}

static void network_is_ready(Step *s) {
        s->m.vain_since_us = 0;
        enter_probing(s);
}

static void preflight_timer(Step *s) {
        if (s->event->timer == TIMER_WAIT)
                step_ask_keeper(s);
        else
                wait_for_gates(s); /* no answer within the guard's time */
}

/* Now, please. */
static void preflight_retry(Step *s) {
        step_forgive(s);
        if (s->m.armed_us[TIMER_WAIT] == USEC_INFINITY)
                return;
        step_disarm(s, TIMER_WAIT);
        step_ask_keeper(s);
}

/* Only an answer to the question that is open counts. */
static bool answers(const Step *s, Question question) {
        return s->m.question == question && s->m.armed_us[TIMER_GUARD] != USEC_INFINITY;
}

void state_preflight(Step *s) {
        switch (s->event->kind) {
        case EVENT_KEEPER_IDLE:
                if (answers(s, QUESTION_KEEPER))
                        keeper_is_idle(s);
                return;
        case EVENT_KEEPER_RUNNING:
                if (answers(s, QUESTION_KEEPER))
                        keeper_is_running(s);
                return;
        case EVENT_INSTALL_EXITED:
                if (answers(s, QUESTION_KEEPER))
                        step_installer_ended(s);
                return;
        case EVENT_HOST_READY:
                if (answers(s, QUESTION_HOST))
                        host_is_ready(s);
                return;
        case EVENT_NETWORK_READY:
                if (answers(s, QUESTION_NETWORK))
                        network_is_ready(s);
                return;
        case EVENT_FAILED:
        case EVENT_KEEPER_LOST:
                if (s->m.armed_us[TIMER_GUARD] != USEC_INFINITY)
                        wait_for_gates(s);
                return;
        case EVENT_TIMER:
                preflight_timer(s);
                return;
        case EVENT_RETRY:
                preflight_retry(s);
                return;
        case EVENT_START:
        case EVENT_SPEC_LOADED:
        case EVENT_SPEC_ABSENT:
        case EVENT_SPEC_REFUSED:
        case EVENT_PROBED:
        case EVENT_REPLACED:
        case EVENT_PREPARED:
        case EVENT_MINTED:
        case EVENT_SETTLED:
        case EVENT_VIEWED:
        case EVENT_ROLES_SET:
        case EVENT_REVOKED:
        case EVENT_UNRECORDED:
        case EVENT_STOP:
        case EVENT_SPEC_CHANGED:
        case _EVENT_KIND_MAX:
                return;
        }
}

static void leave_backoff(Step *s) {
        if (s->m.next == STATE_LOADING)
                enter_loading(s);
        else if (s->m.next == STATE_PROBING && !step_installer_may_live(s))
                enter_probing(s);
        else
                enter_preflight(s); /* the safe way for whatever else: ask the keeper first */
}

void state_backoff(Step *s) {
        switch (s->event->kind) {
        case EVENT_RETRY:
                step_forgive(s);
                leave_backoff(s);
                return;
        case EVENT_TIMER:
                leave_backoff(s);
                return;
        case EVENT_START:
        case EVENT_SPEC_LOADED:
        case EVENT_SPEC_ABSENT:
        case EVENT_SPEC_REFUSED:
        case EVENT_KEEPER_IDLE:
        case EVENT_KEEPER_RUNNING:
        case EVENT_HOST_READY:
        case EVENT_NETWORK_READY:
        case EVENT_PROBED:
        case EVENT_REPLACED:
        case EVENT_PREPARED:
        case EVENT_MINTED:
        case EVENT_INSTALL_EXITED:
        case EVENT_SETTLED:
        case EVENT_VIEWED:
        case EVENT_ROLES_SET:
        case EVENT_REVOKED:
        case EVENT_FAILED:
        case EVENT_KEEPER_LOST:
        case EVENT_UNRECORDED:
        case EVENT_STOP:
        case EVENT_SPEC_CHANGED:
        case _EVENT_KIND_MAX:
                return;
        }
}
