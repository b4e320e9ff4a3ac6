/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The states that talk to the coordinator: PROBING, PREPARING, MINTING, VERIFYING.
 *
 * The order is the promise: look first, pull second, mint third, so that running the agent on a
 * member costs one question and mints nothing, and no token grows old while an image is pulled.
 */

#include "engine/machine-step.h"

/* Everything is ready for an installer but, perhaps, a token that lives long enough. */
static void install_or_mint(Step *s) {
        if (step_installer_may_live(s))
                enter_preflight(s);
        else if (step_token_fits(s))
                enter_installing(s);
        else
                enter_minting(s);
}

/* Enrollments that begin by themselves, at each boot, and come to nothing, each with tokens of its
 * own: that is a host that only a person can help. One that has become a member all the same was
 * seen before this is asked. */
static bool goes_round_in_circles(const Step *s) {
        return s->m.window == 0 && s->m.vain_efforts >= s->policy->vain_efforts_max;
}

static void go_on_joining(Step *s) {
        if (goes_round_in_circles(s))
                enter_failed(s, END_LOOP, EXIT_TRANSIENT);
        else if (s->policy->prepull && !s->m.prepared)
                enter_preparing(s);
        else
                install_or_mint(s);
}

static void refuse(Step *s) {
        step_note(s, CLASS_PERMANENT, s->event->exit_code > 0 ? s->event->exit_code : EXIT_DIFFERS);
        enter_failed(s, END_OUTCOME, s->m.last_exit_code);
}

/*
 * A disconnected runner under our id and our address. Our own unfinished work is simply finished; a
 * member that is coming up again is waited for; anything else is a stale host of which only the
 * spec can say whether it may be replaced. It is replaced once; if it is still there, after a
 * pause.
 */
static void found_disconnected(Step *s) {
        if (s->m.half_joined) {
                go_on_joining(s);
        } else if (s->m.was_enrolled) {
                enter_verifying(s);
        } else if (!s->policy->on_stale_replace) {
                refuse(s);
        } else if (s->m.replaced) {
                step_note(s, CLASS_TRANSIENT, EXIT_DIFFERS);
                enter_backoff(s, STATE_PROBING);
        } else {
                s->m.replaced = true;
                step_operate(s, ACTION_REPLACE_RUNNER);
        }
}

static void probed(Step *s) {
        step_answered(s);
        if (s->m.refused_in == STATE_PROBING)
                s->m.credential_refusals = 0;
        switch (s->event->membership) {
        case MEMBERSHIP_NONE:
                go_on_joining(s);
                return;
        case MEMBERSHIP_AS_PLANNED:
                /* One good look is enough for a member of old; what an installer of ours has just left here
                 * has to show that it stays. */
                if (s->m.half_joined)
                        enter_verifying(s);
                else
                        enter_enrolled(s);
                return;
        case MEMBERSHIP_DIFFERS:
                step_note_event(s);
                if (s->policy->on_member_ignore)
                        enter_enrolled(s);
                else
                        enter_verifying(s);
                return;
        case MEMBERSHIP_DISCONNECTED:
                found_disconnected(s);
                return;
        case MEMBERSHIP_HALF_JOINED: /* it may connect any moment; if it does not, a person has to look */
                step_note_event(s);
                enter_verifying(s);
                return;
        case MEMBERSHIP_FOREIGN: /* never replaced: it is somebody else's host */
        case _MEMBERSHIP_MAX:
                refuse(s);
                return;
        }
}

/* A coordinator that does not answer may be gone: its gate is looked at before it is asked again. */
void state_probing(Step *s) {
        switch (s->event->kind) {
        case EVENT_PROBED:
                probed(s);
                return;
        case EVENT_REPLACED:
                if (s->m.replaced)
                        step_operate(s, ACTION_PROBE);
                return;
        case EVENT_FAILED:
        case EVENT_UNRECORDED: /* of REPLACE_RUNNER */
        case EVENT_TIMER:
                step_fail(s, STATE_PREFLIGHT);
                return;
        case EVENT_START:
        case EVENT_SPEC_LOADED:
        case EVENT_SPEC_ABSENT:
        case EVENT_SPEC_REFUSED:
        case EVENT_KEEPER_IDLE:
        case EVENT_KEEPER_RUNNING:
        case EVENT_HOST_READY:
        case EVENT_NETWORK_READY:
        case EVENT_PREPARED:
        case EVENT_MINTED:
        case EVENT_INSTALL_EXITED:
        case EVENT_SETTLED:
        case EVENT_VIEWED:
        case EVENT_ROLES_SET:
        case EVENT_REVOKED:
        case EVENT_KEEPER_LOST:
        case EVENT_STOP:
        case EVENT_RETRY:
        case EVENT_SPEC_CHANGED:
        case _EVENT_KIND_MAX:
                return;
        }
}

/* A failed pull leads back to PROBING, so that the look is still the last thing before a token
 * is minted. */
void state_preparing(Step *s) {
        switch (s->event->kind) {
        case EVENT_PREPARED:
                step_answered(s);
                s->m.prepared = true;
                install_or_mint(s);
                return;
        case EVENT_FAILED:
        case EVENT_TIMER:
                step_fail(s, STATE_PROBING);
                return;
        case EVENT_KEEPER_LOST:
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
        case EVENT_MINTED:
        case EVENT_INSTALL_EXITED:
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

/* A token too short for one attempt is of no use to anybody; its window is spent all the same. */
static void minted(Step *s) {
        step_answered(s);
        s->m.token_owed = s->event->token_stored;
        s->m.credential_refusals = 0;
        s->m.token_held = true;
        s->m.token_deadline_us = s->event->token_deadline_us;
        if (!step_token_fits(s)) {
                step_note_event(s);
                step_wipe(s);
                enter_backoff(s, STATE_PROBING);
                return;
        }
        install_or_mint(s);
}

/* A request that surely had no effect gives its window back: an unreachable coordinator must not
 * use up the budget of tokens. A guard that fires proves nothing, so there the window stays
 * spent. */
static void mint_failed(Step *s) {
        bool answered = s->event->kind == EVENT_FAILED || s->event->kind == EVENT_UNRECORDED;

        if (!s->m.revoking && answered && !s->event->maybe_minted && s->m.window > 0 && --s->m.window == 0)
                s->m.vain_efforts--;
        step_fail(s, STATE_PROBING);
}

static void revoked_before_minting(Step *s) {
        step_answered(s);
        s->m.revoking = s->m.token_owed = false;
        step_open_window(s);
}

void state_minting(Step *s) {
        switch (s->event->kind) {
        case EVENT_MINTED:
                if (!s->m.revoking)
                        minted(s);
                return;
        case EVENT_REVOKED:
                if (s->m.revoking)
                        revoked_before_minting(s);
                return;
        case EVENT_FAILED:
        case EVENT_UNRECORDED:
        case EVENT_TIMER:
                mint_failed(s);
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
        case EVENT_INSTALL_EXITED:
        case EVENT_SETTLED:
        case EVENT_VIEWED:
        case EVENT_ROLES_SET:
        case EVENT_KEEPER_LOST:
        case EVENT_STOP:
        case EVENT_RETRY:
        case EVENT_SPEC_CHANGED:
        case _EVENT_KIND_MAX:
                return;
        }
}

/* Looks failed since the last good one, for longer than the host would have had to be stable and one pause may be: a platform that is
 * short of breath, and asks everyone to stay away for a while, must not make everyone begin anew. */
static bool blind_for_too_long(const Step *s) {
        usec_t most_us = usec_add(s->policy->stable_for_us, s->policy->backoff_max_us);

        return s->m.blind && usec_sub(s->now_us, s->m.seen_good_us) > most_us;
}

static void viewed_as_planned(Step *s) {
        usec_t stable_us;

        if (s->m.stable_since_us == 0 || blind_for_too_long(s))
                s->m.stable_since_us = s->now_us > 0 ? s->now_us : 1; /* 0 means: not stable */
        s->m.differs = s->m.blind = false;
        s->m.seen_good_us = s->now_us;
        stable_us = usec_sub(s->now_us, s->m.stable_since_us);
        if (stable_us >= s->policy->stable_for_us) {
                enter_enrolled(s);
                return;
        }
        step_arm(s, TIMER_WAIT, policy_stable_wait_us(s->policy, s->policy->stable_for_us - stable_us));
}

/* A host of ours that has joined without a role that it is to have, and a platform that may be told. */
static bool may_set_roles(const Step *s) {
        return s->policy->assign_roles && s->m.half_joined && s->event->lacks_roles && !s->m.roles_set &&
               s->m.armed_us[TIMER_VERIFY] != USEC_INFINITY;
}

/* How long the host has had already. */
static usec_t verified_for_us(const Step *s) {
        return usec_sub(s->policy->verify_timeout_us, usec_sub(s->m.armed_us[TIMER_VERIFY], s->now_us));
}

/* "Not yet" until VERIFY has fired, after that a failure. */
static void viewed_different(Step *s) {
        bool final = step_is_final_failure(s);

        step_note_event(s);
        s->m.differs = true;
        s->m.stable_since_us = 0;
        if (final)
                enter_failed(s, END_OUTCOME, s->m.last_exit_code);
        else if (s->m.armed_us[TIMER_VERIFY] == USEC_INFINITY)
                enter_failed(s, END_OUTCOME, EXIT_DIFFERS);
        else if (may_set_roles(s))
                step_operate(s, ACTION_SET_ROLES);
        else
                step_arm(s, TIMER_WAIT, policy_look_wait_us(s->policy, verified_for_us(s), s->event->random));
}

static void roles_are_set(Step *s) {
        step_answered(s);
        s->m.roles_set = true;
        step_operate(s, ACTION_LOOK);
}

/* Nothing was seen, so nothing is known: it neither differs nor counts as stable. A gap that is not much longer than
 * stable_for is bridged by the good looks on both sides of it, or a host on a bad link would never be believed. */
static void look_failed(Step *s) {
        bool final = step_is_final_failure(s);
        usec_t left_us = usec_sub(machine_deadline_us(&s->m, s->policy), s->now_us);

        step_abandon(s);
        step_note_event(s);
        s->report = true;
        s->m.differs = false;
        s->m.blind = true;
        if (final) {
                enter_failed(s, END_OUTCOME, s->m.last_exit_code);
                return;
        }
        s->m.backoff_us = policy_backoff_us(s->policy, s->m.last_class, s->m.backoff_us,
                                            s->event->retry_after_us, left_us, s->event->random);
        step_arm(s, TIMER_WAIT, s->m.backoff_us);
}

static void viewed(Step *s) {
        step_answered(s);
        s->m.backoff_us = 0;
        s->m.credential_refusals = 0;
        s->report = true;
        if (s->event->class == CLASS_OK)
                viewed_as_planned(s);
        else
                viewed_different(s);
}

static void verifying_timer(Step *s) {
        switch (s->event->timer) {
        case TIMER_WAIT:
                step_operate(s, ACTION_LOOK);
                return;
        case TIMER_GUARD:
                look_failed(s);
                return;
        case TIMER_VERIFY:
                if (!s->m.differs)
                        return; /* nothing to hold against it; the next look, or the wall, decides */
                step_abandon(s);
                enter_failed(s, END_OUTCOME, EXIT_DIFFERS);
                return;
        case TIMER_GIVE_UP:
        case TIMER_ATTEMPT:
        case _TIMER_MAX:
                return;
        }
}

void state_verifying(Step *s) {
        switch (s->event->kind) {
        case EVENT_VIEWED:
                if (s->m.armed_us[TIMER_GUARD] != USEC_INFINITY) /* else nobody asked */
                        viewed(s);
                return;
        case EVENT_ROLES_SET:
                if (s->m.armed_us[TIMER_GUARD] != USEC_INFINITY)
                        roles_are_set(s);
                return;
        case EVENT_FAILED:
                if (s->m.armed_us[TIMER_GUARD] != USEC_INFINITY)
                        look_failed(s);
                return;
        case EVENT_TIMER:
                verifying_timer(s);
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
