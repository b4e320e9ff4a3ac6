/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The states in which an installer of ours may live: INSTALLING, TERMINATING, SETTLING.
 *
 * None of them is left towards another installer without proof. A lost keeper, a silent one and a
 * refusal all lead back to PREFLIGHT, which asks the keeper what it holds before anything else
 * happens.
 */

#include "engine/machine-step.h"

static void installing_timer(Step *s) {
        if (s->event->timer == TIMER_ATTEMPT)
                enter_terminating(s);
        else
                step_lose_keeper(s); /* no word whether it has started: ask */
}

/* The order stands on no disk, so it was not given. */
static void install_unrecorded(Step *s) {
        s->m.attempt--;
        s->m.installer_pending = false;
        s->m.half_joined = s->m.was_half_joined;
        step_fail(s, STATE_PROBING);
}

/* The keeper refused to start it. That should mean that nothing runs; it is proved all the same. */
static void install_refused(Step *s) {
        bool final = step_is_final_failure(s);

        step_note_event(s);
        if (s->m.token_held && (s->event->token_spent || s->event->class == CLASS_EXPIRED))
                step_wipe(s);
        enter_settling(s, final ? STATE_FAILED : STATE_BACKOFF);
}

void state_installing(Step *s) {
        switch (s->event->kind) {
        case EVENT_KEEPER_RUNNING:
                step_answered(s);
                s->report = true;
                return;
        case EVENT_INSTALL_EXITED:
                step_installer_ended(s);
                return;
        case EVENT_FAILED:
                install_refused(s);
                return;
        case EVENT_UNRECORDED:
                install_unrecorded(s);
                return;
        case EVENT_KEEPER_LOST:
                step_lose_keeper(s);
                return;
        case EVENT_TIMER:
                installing_timer(s);
                return;
        case EVENT_START:
        case EVENT_SPEC_LOADED:
        case EVENT_SPEC_ABSENT:
        case EVENT_SPEC_REFUSED:
        case EVENT_KEEPER_IDLE:
        case EVENT_HOST_READY:
        case EVENT_NETWORK_READY:
        case EVENT_PROBED:
        case EVENT_REPLACED:
        case EVENT_PREPARED:
        case EVENT_MINTED:
        case EVENT_SETTLED:
        case EVENT_VIEWED:
        case EVENT_ROLES_SET:
        case EVENT_REVOKED:
        case EVENT_STOP:
        case EVENT_RETRY:
        case EVENT_SPEC_CHANGED:
        case _EVENT_KIND_MAX:
                return;
        }
}

/* The end may still be a good one: the installer can finish in the moment in which it is told to
 * stop. */
void state_terminating(Step *s) {
        switch (s->event->kind) {
        case EVENT_INSTALL_EXITED:
                step_installer_ended(s);
                return;
        case EVENT_FAILED:
        case EVENT_KEEPER_LOST:
        case EVENT_TIMER:
                step_lose_keeper(s);
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
        case EVENT_SETTLED:
        case EVENT_VIEWED:
        case EVENT_ROLES_SET:
        case EVENT_REVOKED:
        case EVENT_UNRECORDED:
        case EVENT_STOP:
        case EVENT_RETRY:
        case EVENT_SPEC_CHANGED:
        case _EVENT_KIND_MAX:
                return;
        }
}

static void settled(Step *s) {
        step_answered(s);
        s->m.unsettled = false;
        if (s->m.next == STATE_FAILED)
                enter_failed(s, END_OUTCOME, s->m.last_exit_code);
        else if (s->m.end == END_DEADLINE || s->m.stop_signal != 0 || s->m.next == STATE_BACKOFF)
                enter_backoff(s, STATE_PROBING);
        else
                enter_preflight(s);
}

/* Without proof nothing starts again. A permanent failure is told all the same and not held up
 * by it; the record keeps `unsettled`, so whoever tries again begins by settling. */
static void not_settled(Step *s) {
        if (s->m.next == STATE_FAILED) {
                step_abandon(s);
                enter_failed(s, END_OUTCOME, s->m.last_exit_code);
                return;
        }
        if (s->event->kind == EVENT_KEEPER_LOST)
                step_lose_keeper(s);
        else
                step_fail(s, STATE_PREFLIGHT);
}

void state_settling(Step *s) {
        switch (s->event->kind) {
        case EVENT_SETTLED:
                settled(s);
                return;
        case EVENT_FAILED:
        case EVENT_KEEPER_LOST:
        case EVENT_TIMER:
                not_settled(s);
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
        case EVENT_VIEWED:
        case EVENT_ROLES_SET:
        case EVENT_REVOKED:
        case EVENT_UNRECORDED:
        case EVENT_STOP:
        case EVENT_RETRY:
        case EVENT_SPEC_CHANGED:
        case _EVENT_KIND_MAX:
                return;
        }
}
