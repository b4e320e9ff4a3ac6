/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What means the same in every state: failures by class, an installer's end, the wall, a stop, a
 * changed spec.
 */

#include "engine/machine-step.h"

/* A refused credential has the benefit of the doubt for a bounded number of times in a row: a
 * coordinator whose security cluster is just starting refuses good ones too. Each question has a row of
 * its own: who may look need not be allowed to mint, so a good look between two refused token requests
 * proves nothing, and the two must not go on taking turns until the deadline. */
bool step_is_final_failure(Step *s) {
        switch (s->event->class) {
        case CLASS_PERMANENT:
                return true;
        case CLASS_CREDENTIAL:
                if (s->m.refused_in != s->m.state)
                        s->m.credential_refusals = 0;
                s->m.refused_in = s->m.state;
                return ++s->m.credential_refusals >= s->policy->credential_tries;
        case CLASS_OK:
        case CLASS_TRANSIENT:
        case CLASS_THROTTLED:
        case CLASS_HOST:
        case CLASS_TIME:
        case CLASS_EXPIRED:
        case CLASS_OPERATOR:
        case _CLASS_MAX:
                break;
        }
        return false;
}

static void wipe_spent_token(Step *s) {
        if (s->m.token_held && (s->event->token_spent || s->event->class == CLASS_EXPIRED))
                step_wipe(s);
}

void step_fail(Step *s, State next) {
        bool final = step_is_final_failure(s);

        step_abandon(s);
        step_note_event(s);
        wipe_spent_token(s);
        if (final)
                enter_failed(s, END_OUTCOME, s->m.last_exit_code);
        else
                enter_backoff(s, next);
}

void step_lose_keeper(Step *s) {
        step_abandon(s);
        step_note_event(s);
        enter_backoff(s, STATE_PREFLIGHT);
}

bool step_on_the_way_out(const Step *s) {
        return s->m.stop_signal != 0 || s->m.end == END_DEADLINE;
}

void step_installer_ended(Step *s) {
        bool final;

        step_answered(s);
        step_world(s, ACTION_ACKNOWLEDGE);
        s->m.installer_pending = false;

        if (s->event->class == CLASS_OK) {
                s->m.unsettled = false;
                if (step_on_the_way_out(s))
                        enter_backoff(s, STATE_PREFLIGHT); /* which leads them out */
                else
                        enter_verifying(s);
                return;
        }
        final = step_is_final_failure(s);
        step_note_event(s);
        wipe_spent_token(s);
        enter_settling(s, final ? STATE_FAILED : STATE_BACKOFF);
}

static int deadline_exit_code(const Machine *m) {
        return m->last_class != CLASS_OK ? m->last_exit_code : EXIT_TRANSIENT;
}

/* The wall is reached. What may be running on the host is stopped and settled first, everything
 * else ends here. `end` stays set on the way: BACKOFF, through which all detours lead, then
 * means FAILED. */
void step_give_up(Step *s) {
        int exit_code = deadline_exit_code(&s->m);

        s->m.end = END_DEADLINE;
        s->m.last_exit_code = exit_code;
        switch (s->m.state) {
        case STATE_INSTALLING:
                enter_terminating(s);
                return;
        case STATE_TERMINATING:
        case STATE_SETTLING:
                return;
        case STATE_LOADING:
        case STATE_PREFLIGHT:
                if (step_installer_may_live(s))
                        return; /* the answer under way, or its guard, decides */
                break;
        case STATE_BACKOFF:
                if (step_installer_may_live(s)) {
                        enter_preflight(s); /* one last question to the keeper */
                        return;
                }
                break;
        case STATE_PROBING:
        case STATE_PREPARING:
        case STATE_MINTING:
        case STATE_VERIFYING:
        case STATE_UNCONFIGURED:
        case STATE_ENROLLED:
        case STATE_FAILED:
        case STATE_STOPPING:
        case _STATE_MAX:
        case _STATE_INVALID:
                break;
        }
        step_abandon(s);
        enter_failed(s, END_DEADLINE, exit_code);
}

/* Stops what may run on the host, where that is our duty. False: there is nothing to stop. */
static bool stop_installer(Step *s) {
        switch (s->m.state) {
        case STATE_INSTALLING:
                enter_terminating(s);
                return true;
        case STATE_TERMINATING:
        case STATE_SETTLING:
                return true;
        case STATE_PREFLIGHT:
        case STATE_BACKOFF:
                if (!step_installer_may_live(s))
                        return false;
                step_abandon(s);
                if (s->m.installer_pending)
                        enter_terminating(s);
                else
                        enter_settling(s, STATE_BACKOFF);
                return true;
        case STATE_LOADING: /* the keeper was not met yet; the record knows, the next start settles */
        case STATE_PROBING:
        case STATE_PREPARING:
        case STATE_MINTING:
        case STATE_VERIFYING:
        case STATE_UNCONFIGURED:
        case STATE_ENROLLED:
        case STATE_FAILED:
        case STATE_STOPPING:
        case _STATE_MAX:
        case _STATE_INVALID:
                break;
        }
        return false;
}

/*
 * The daemon leaves at once: an installer lives on with the keeper and is adopted at the next
 * start. A run in the foreground takes its installer with it, unless it is told a second time.
 */
void step_stop(Step *s) {
        bool again = s->m.stop_signal != 0;
        bool over = state_is_final(s->m.state);
        int exit_code = 0;

        if (s->policy->one_shot && over)
                exit_code = s->m.exit_code;
        else if (s->policy->one_shot)
                exit_code = 128 + (s->event->signal_number > 0 ? s->event->signal_number : 15);

        if (s->m.state == STATE_STOPPING) {
                s->exit = true;
                return;
        }
        if (over)
                step_end_enrollment(s);
        s->m.stop_signal = s->event->signal_number > 0 ? s->event->signal_number : 15;
        if (s->policy->stop_terminates && !again && stop_installer(s)) {
                s->report = true;
                return;
        }
        step_abandon(s);
        enter_stopping(s, exit_code);
}

void step_spec_changed(Step *s) {
        if (s->policy->one_shot)
                return;
        step_forgive(s);
        switch (s->m.state) {
        case STATE_UNCONFIGURED:
        case STATE_ENROLLED:
        case STATE_FAILED:
                step_abandon(s); /* a look, or a revocation: it is gone on with later */
                step_end_enrollment(s);
                step_forgive(s);
                s->m.splayed = false; /* a spec is often changed on many hosts at once */
                enter_loading(s);
                return;
        case STATE_PREFLIGHT:
                step_abandon(s);
                enter_loading(s);
                return;
        case STATE_BACKOFF:
                enter_loading(s);
                return;
        case STATE_LOADING:
        case STATE_PROBING:
        case STATE_PREPARING:
        case STATE_MINTING:
        case STATE_INSTALLING:
        case STATE_TERMINATING:
        case STATE_SETTLING:
        case STATE_VERIFYING:
                s->m.spec_changed = true;
                return;
        case STATE_STOPPING:
        case _STATE_MAX:
        case _STATE_INVALID:
                return;
        }
}
