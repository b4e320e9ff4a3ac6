/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside the machine: the step under way, and the ways into each state. Private to
 * engine/machine*.c.
 *
 * A state's function never writes actions itself. It moves the Machine and notes what it wants in
 * the Step; machine_step() compares before and after and writes the actions in their one right
 * order. So no state can forget to disarm, to save before it touches the world, or to wipe.
 */

#include "engine/machine.h"

#define STEP_WORLD_MAX 3

typedef struct Step {
        Machine m;
        const Policy *policy;
        const Event *event;
        usec_t now_us;

        bool cancel, wipe, save, report, exit;
        size_t n_world;
        ActionKind world[STEP_WORLD_MAX]; /* in the order in which they are wanted */
} Step;

/* What the step asks of the world; operate() also arms the guard that waits for its answer. */
void step_world(Step *s, ActionKind kind);
void step_operate(Step *s, ActionKind kind);
void step_answered(Step *s); /* the operation under way is over */
void step_abandon(Step *s);  /* and its answer, if one may still come, is not wanted any more */
void step_arm(Step *s, Timer timer, usec_t delay_us);
void step_disarm(Step *s, Timer timer);
void step_wipe(Step *s);

/* Remembers the event's outcome as the last one that was not OK. */
void step_note(Step *s, OutcomeClass class, int exit_code);
void step_note_event(Step *s);

bool step_token_fits(const Step *s);
bool step_installer_may_live(const Step *s);
bool step_on_the_way_out(const Step *s); /* the wall is reached, or somebody wants us to stop */

/* Somebody has done something about it: earlier efforts in vain count no more. */
void step_forgive(Step *s);

/* The enrollment is over and another one begins with the next SPEC_LOADED. */
void step_end_enrollment(Step *s);

/* Ways into the states. Some lead elsewhere when the machine is on its way out (deadline, stop)
 * or has a changed spec to take up. */
void enter_loading(Step *s);
void enter_unconfigured(Step *s);
void enter_preflight(Step *s);
void step_ask_keeper(Step *s); /* PREFLIGHT's first question */
void enter_probing(Step *s);
void enter_preparing(Step *s);
void enter_minting(Step *s); /* FAILED when no window is left */
void step_open_window(Step *s); /* MINTING: ask for a token */
void enter_installing(Step *s);
void enter_adopted(Step *s); /* INSTALLING without an order of ours: it runs already */
void enter_terminating(Step *s);
void enter_settling(Step *s, State next);
void enter_verifying(Step *s);
void enter_backoff(Step *s, State next);
void enter_backoff_for(Step *s, State next, usec_t wait_us);
void enter_enrolled(Step *s);
void enter_failed(Step *s, EndCause cause, int exit_code);
void enter_stopping(Step *s, int exit_code);

/* Where a failed operation leads: by the class of the event's outcome to FAILED, or to BACKOFF
 * and then `next`. */
void step_fail(Step *s, State next);
bool step_is_final_failure(Step *s); /* counts refused credentials */

/* The keeper is gone or silent while an installer of ours may live: never final, it is asked
 * again. */
void step_lose_keeper(Step *s);

/* An installer's end was reported: record and acknowledge it, then verify or settle. */
void step_installer_ended(Step *s);

/* Revokes the persistent token that is owed: the answer is REVOKED or FAILED. */
void step_revoke(Step *s);

/* What is done in ENROLLED and FAILED, and on the way out of a run: revoke, look again, leave. */
void step_rest(Step *s);
void step_leave(Step *s);

/* One function per state; every event has a place in each. */
void state_loading(Step *s);
void state_unconfigured(Step *s);
void state_preflight(Step *s);
void state_probing(Step *s);
void state_preparing(Step *s);
void state_minting(Step *s);
void state_installing(Step *s);
void state_terminating(Step *s);
void state_settling(Step *s);
void state_verifying(Step *s);
void state_backoff(Step *s);
void state_enrolled(Step *s);
void state_failed(Step *s);
void state_stopping(Step *s);

/* The same in all states: the wall is reached, somebody wants us to stop, the spec changed. */
void step_give_up(Step *s);
void step_stop(Step *s);
void step_spec_changed(Step *s);
