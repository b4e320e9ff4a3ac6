/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The states at the end: ENROLLED, FAILED, STOPPING. Nothing leads on from here by itself, and two things are done.
 *
 * A persistent token that was made for this host outlives everything, so it is revoked as soon as it is of no further
 * use: here, and before another one is asked for (MINTING). Its id is on record before it is used, so neither a crash nor a
 * reboot loses it. When the platform can't be asked it is tried again, at growing distances; a run in the foreground
 * tries once and leaves it to the next one.
 *
 * An enrolled host is looked at again, slowly. A single odd look says little (a coordinator that restarts, a runner that
 * connects anew), so a second one a minute later decides. What has changed is told and never repaired: somebody may have
 * wanted it so. A look that fails says nothing at all.
 */

#include "engine/machine-step.h"

#define AGAIN_MIN_US USEC_PER_MINUTE
#define AGAIN_MAX_US USEC_PER_HOUR
#define STOPPING_GUARD_US (10 * USEC_PER_SEC)

void step_revoke(Step *s) {
        s->m.revoking = true;
        step_operate(s, ACTION_REVOKE_TOKEN);
}

static void try_again_later(Step *s) {
        usec_t wait_us = s->m.backoff_us > AGAIN_MAX_US / 2 ? AGAIN_MAX_US : 2 * s->m.backoff_us;

        s->m.backoff_us = wait_us < AGAIN_MIN_US ? AGAIN_MIN_US : wait_us;
        step_arm(s, TIMER_WAIT, s->m.backoff_us);
}

/* A person may have had the host looked at while a token was still owed: that goes on first. */
static void wait_for_drift(Step *s) {
        if (s->m.token_owed)
                try_again_later(s);
        else if (s->m.state == STATE_ENROLLED && s->policy->drift_every_us > 0)
                step_arm(s, TIMER_WAIT, policy_drift_wait_us(s->policy, s->event->random));
}

void step_rest(Step *s) {
        if (s->m.token_owed)
                step_revoke(s);
        else if (s->policy->one_shot)
                s->exit = true;
        else
                wait_for_drift(s);
}

static void revoked(Step *s) {
        step_answered(s);
        s->m.revoking = s->m.token_owed = false;
        s->m.backoff_us = 0;
        s->report = true;
        if (s->m.state == STATE_STOPPING)
                s->exit = true;
        else
                step_rest(s);
}

/* What is owed stays on record; what was to be looked at is looked at another time. */
static void not_done(Step *s) {
        bool revoking = s->m.revoking;

        if (s->m.armed_us[TIMER_GUARD] == USEC_INFINITY && s->event->kind != EVENT_TIMER)
                return; /* nobody asked */
        step_abandon(s);
        s->m.revoking = false;
        s->report = true;
        if (s->policy->one_shot)
                s->exit = true;
        else if (revoking)
                try_again_later(s);
        else
                wait_for_drift(s);
}

static void viewed(Step *s) {
        usec_t usually_us = s->policy->drift_every_us;
        bool was_drifted = s->m.drifted;

        step_answered(s);
        s->m.odd_looks = s->event->class == CLASS_OK ? 0 : s->m.odd_looks + 1;
        s->m.drifted = s->m.odd_looks > 1 || (was_drifted && s->m.odd_looks > 0);
        s->report = true;
        if (s->m.odd_looks == 1 && !was_drifted)
                step_arm(s, TIMER_WAIT, usually_us > 0 && usually_us < AGAIN_MIN_US ? usually_us : AGAIN_MIN_US);
        else
                wait_for_drift(s);
}

static void timer(Step *s) {
        if (s->event->timer == TIMER_GUARD)
                not_done(s);
        else if (s->event->timer == TIMER_WAIT && s->m.token_owed)
                step_revoke(s);
        else if (s->event->timer == TIMER_WAIT && s->m.state == STATE_ENROLLED)
                step_operate(s, ACTION_LOOK);
}

/* A person wants it tried again; what is owed can wait until then. */
static void start_over(Step *s) {
        step_abandon(s);
        step_end_enrollment(s);
        step_forgive(s);
        s->m.splayed = true; /* a person is waiting */
        enter_loading(s);
}

static void look_now(Step *s) {
        if (s->m.armed_us[TIMER_GUARD] != USEC_INFINITY || s->policy->one_shot)
                return;
        step_disarm(s, TIMER_WAIT);
        step_operate(s, ACTION_LOOK);
}

static void rest(Step *s) {
        switch (s->event->kind) {
        case EVENT_REVOKED:
                if (s->m.revoking)
                        revoked(s);
                return;
        case EVENT_VIEWED:
                if (s->m.state == STATE_ENROLLED && !s->m.revoking && s->m.armed_us[TIMER_GUARD] != USEC_INFINITY)
                        viewed(s);
                return;
        case EVENT_FAILED:
        case EVENT_KEEPER_LOST:
                not_done(s);
                return;
        case EVENT_TIMER:
                timer(s);
                return;
        case EVENT_RETRY:
                if (s->m.state == STATE_FAILED)
                        start_over(s);
                else if (s->m.state == STATE_ENROLLED)
                        look_now(s);
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
        case EVENT_ROLES_SET:
        case EVENT_UNRECORDED:
        case EVENT_STOP:
        case EVENT_SPEC_CHANGED:
        case _EVENT_KIND_MAX:
                return;
        }
}

void state_enrolled(Step *s) {
        rest(s);
}

void state_failed(Step *s) {
        rest(s);
}

/* A daemon leaves at once; its next start revokes. Nobody may start a run again, so it takes the time. */
void step_leave(Step *s) {
        if (!s->policy->one_shot || !s->m.token_owed) {
                s->exit = true;
                return;
        }
        step_revoke(s);
        step_arm(s, TIMER_GUARD, STOPPING_GUARD_US);
}

void state_stopping(Step *s) {
        rest(s);
}
