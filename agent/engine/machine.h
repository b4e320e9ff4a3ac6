/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The state machine: step(machine, policy, event, now) -> actions. A pure function: no I/O, clock,
 * allocation or log. Everything else translates the world into Events and Actions into calls.
 *
 *   LOADING -> UNCONFIGURED            no spec: wait for one
 *   LOADING -> PREFLIGHT               ask the keeper what it holds (adopt it: INSTALLING, SETTLING), then
 *                                      the gates of the host, then those of the network; as long as
 *                                      one is shut, all of it again every few seconds,
 *                                      and with growing pauses when it is the coordinators who are not there
 *   PREFLIGHT -> BACKOFF(splay) -> PREFLIGHT    first contact is spread
 *   PREFLIGHT -> PROBING               all gates are open
 *   PROBING -> ENROLLED                already a member, all as planned: nothing is minted
 *   PROBING -> VERIFYING               connected but not (yet) as planned; or as planned by our own unfinished work
 *   PROBING -> PREPARING -> MINTING -> INSTALLING
 *   INSTALLING -> VERIFYING            installer exited 0; that proves nothing
 *   INSTALLING -> TERMINATING          attempt timeout, stop
 *   INSTALLING, TERMINATING -> SETTLING      any other end: prove that no installer container is left
 *   SETTLING -> BACKOFF -> PROBING -> INSTALLING (same token while an attempt fits) or MINTING (next window)
 *   VERIFYING -> ENROLLED, FAILED
 *   ENROLLED                           looked at again every hour or so; what has changed is told and not repaired
 *   ENROLLED, FAILED, before MINTING   a persistent token of ours is revoked, as often as it takes
 * Every edge stands in doc/state-machine.txt, which machine_graph() writes.
 *
 * An enrollment is one continuous effort: it has a wall (give_up_after) and a budget of token
 * windows. It ends in a final state; what leaves a final state (a person's retry, a changed spec, a
 * new start) begins another one.
 *
 * A changed spec is taken up at once in UNCONFIGURED, PREFLIGHT, BACKOFF, ENROLLED and FAILED. Elsewhere it is
 * remembered and taken up as soon as the machine comes to one of these, so an installer is never
 * pulled from under its own verification. `ece-enroll run` reads its spec once.
 *
 * Promises (each a property test): never two installers; none starts unless the token outlives an
 * attempt; probe before mint; SAVE precedes every action that touches the world; each non-final
 * state has a timer armed; windows and attempts are bounded, over reboots as well; permanent causes
 * stop at once, transient ones never end a run before its deadline; a crash after any action,
 * replayed from the last SAVE, comes to a right end.
 *
 * No wall clock has a part in any of this, and of an earlier boot only what the record says was used up.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/policy.h"

typedef enum State {
        STATE_LOADING,
        STATE_UNCONFIGURED,
        STATE_PREFLIGHT,
        STATE_PROBING,
        STATE_PREPARING,
        STATE_MINTING,
        STATE_INSTALLING,
        STATE_TERMINATING,
        STATE_SETTLING,
        STATE_VERIFYING,
        STATE_BACKOFF,
        STATE_ENROLLED,
        STATE_FAILED,
        STATE_STOPPING,
        _STATE_MAX,
        _STATE_INVALID = -EINVAL,
} State;

const char *state_to_string(State s); /* "BACKOFF": the public names */
State state_from_string(const char *s);
bool state_is_final(State s); /* UNCONFIGURED, ENROLLED, FAILED: wait for a person or a change; STOPPING: on the way out */

typedef enum Timer {
        TIMER_GIVE_UP, /* wall of the whole enrollment; armed from the start to a final state */
        TIMER_WAIT,    /* BACKOFF is over; the gates again in PREFLIGHT; the next look while VERIFYING */
        TIMER_ATTEMPT, /* the installer has had its time */
        TIMER_VERIFY,  /* the coordinator's view has had its time */
        TIMER_GUARD,   /* the operation under way should have answered long ago */
        _TIMER_MAX,
} Timer;
const char *timer_to_string(Timer t);

/* What PROBING found out (coordinator's view, held against the plan). */
typedef enum Membership {
        MEMBERSHIP_NONE,         /* no runner under our id */
        MEMBERSHIP_AS_PLANNED,   /* connected, healthy, everything as planned */
        MEMBERSHIP_DIFFERS,      /* connected, something differs (perhaps not yet) */
        MEMBERSHIP_DISCONNECTED, /* our id and our address, not connected: stale, rebooting or half-joined */
        MEMBERSHIP_HALF_JOINED,  /* disconnected, and a runner that we have not brought is on this host */
        MEMBERSHIP_FOREIGN,      /* our id, another host's address; or a runner here that the platform does not know */
        _MEMBERSHIP_MAX,
} Membership;

typedef enum EventKind {
        EVENT_START,          /* once, first */
        EVENT_SPEC_LOADED,
        EVENT_SPEC_ABSENT,
        EVENT_SPEC_REFUSED,   /* outcome */
        EVENT_KEEPER_IDLE,    /* ATTACH: it holds nothing */
        EVENT_KEEPER_RUNNING, /* ATTACH: an installer of ours is running; INSTALL: it has started */
        EVENT_HOST_READY,     /* the gates of this host are open */
        EVENT_NETWORK_READY,  /* and those on the way to a coordinator */
        EVENT_PROBED,         /* membership; outcome names the difference, if any */
        EVENT_REPLACED,       /* the stale runner is gone */
        EVENT_PREPARED,
        EVENT_MINTED,         /* token_deadline_us */
        EVENT_INSTALL_EXITED, /* outcome; OK: exit status 0. Also the answer to ATTACH when it ended meanwhile */
        EVENT_SETTLED,        /* proved: no installer container is left */
        EVENT_VIEWED,         /* one look while VERIFYING or ENROLLED; outcome OK: as planned */
        EVENT_ROLES_SET,      /* the platform was told which roles the runner is to have */
        EVENT_REVOKED,        /* the persistent token is gone, and seen to be gone */
        EVENT_FAILED,         /* the operation under way failed; outcome (gates shut, probe, prepare, mint, settle, look...) */
        EVENT_UNRECORDED,     /* the record could not be written, so MINT, INSTALL or REPLACE_RUNNER was not done */
        EVENT_KEEPER_LOST,    /* the connection to the keeper broke while an installer may be running */
        EVENT_TIMER,          /* timer */
        EVENT_STOP,           /* signal_number */
        EVENT_RETRY,          /* a person wants it tried again (after FAILED) or now (in BACKOFF) */
        EVENT_SPEC_CHANGED,   /* the file changed: start over from the spec when no installer is running */
        _EVENT_KIND_MAX,
} EventKind;
const char *event_kind_to_string(EventKind k);

typedef struct Event {
        EventKind kind;
        OutcomeClass class;       /* of the outcome that comes with the event; CLASS_OK without one */
        int exit_code;            /* of that outcome */
        usec_t retry_after_us;    /* of that outcome */
        bool token_spent;         /* of that outcome: this token must not be used again */
        bool spec_differs;        /* SPEC_LOADED: not the spec that the record was written under */
        bool token_stored;        /* MINTED: the platform keeps this token until we delete it */
        bool nobody_answered;     /* FAILED in PREFLIGHT: the coordinators were asked, and the host has done its part */
        bool lacks_roles;         /* VIEWED: connected, and without a role that it is to have */
        bool maybe_minted;        /* FAILED while MINTING: the request may have had its effect, so its window is spent */
        Membership membership;    /* PROBED */
        usec_t token_deadline_us; /* MINTED */
        Timer timer;              /* TIMER */
        int signal_number;        /* STOP */
        uint32_t random;          /* uniform; the only chance in the machine */
} Event;

typedef enum ActionKind {
        ACTION_WIPE_TOKEN,
        ACTION_SAVE,   /* the record to disk, synced; always before what touches the world */
        ACTION_REPORT, /* tell everyone who looks */
        ACTION_LOAD_SPEC,
        ACTION_ATTACH,         /* ask the keeper what it holds */
        ACTION_CHECK_HOST,    /* the gates that the keeper knows of */
        ACTION_CHECK_NETWORK, /* and those that the agent knows of */
        ACTION_PROBE,
        ACTION_REPLACE_RUNNER, /* delete the disconnected runner of our id and address */
        ACTION_PREPARE,
        ACTION_MINT,
        ACTION_INSTALL,
        ACTION_TERMINATE,
        ACTION_SETTLE,
        ACTION_ACKNOWLEDGE, /* the keeper may forget the attempt's outcome: it is recorded */
        ACTION_LOOK,        /* one look at the coordinator's view */
        ACTION_SET_ROLES,   /* give the runner its roles: it has joined without */
        ACTION_REVOKE_TOKEN, /* delete the persistent token of ours, and see that it is gone */
        ACTION_CANCEL,      /* forget the operation under way; its answer, if any, is not wanted any more */
        ACTION_ARM,         /* timer, at_us (boottime); replaces an earlier arming */
        ACTION_DISARM,      /* timer */
        ACTION_EXIT,        /* exit_code */
        _ACTION_KIND_MAX,
} ActionKind;
const char *action_kind_to_string(ActionKind k);

typedef struct Action {
        ActionKind kind;
        Timer timer;
        usec_t at_us;
        int exit_code;
} Action;

#define ACTIONS_MAX 16

typedef struct Actions {
        size_t n;
        Action item[ACTIONS_MAX];
} Actions;

/* Why a run ended, beside the outcome that was the last straw. */
typedef enum EndCause {
        END_NONE,
        END_OUTCOME,  /* the outcome was a permanent one */
        END_DEADLINE, /* the wall was reached; set from then on, also while what is left is being stopped and settled */
        END_WINDOWS,  /* another token would have been needed than the spec allows */
        END_LOOP,     /* one enrollment after another has come to nothing, and nobody has changed anything */
        END_SIGNAL,
} EndCause;

/* What PREFLIGHT asks, in this order. */
typedef enum Question {
        QUESTION_KEEPER,  /* what does it hold? */
        QUESTION_HOST,    /* are the host's gates open? */
        QUESTION_NETWORK, /* are the network's? */
} Question;

typedef struct Machine {
        State state;
        usec_t since_us; /* boottime of entering the state */

        /* Durable: what the record keeps over a restart (boottimes only under the same boot id). */
        usec_t started_us;      /* of this enrollment under this boot; 0: none under way */
        usec_t spent_us;        /* of its wall, under earlier boots and as far as was on record: the wall is
                                   started_us + give_up_after_us - spent_us */
        unsigned window;        /* token windows opened */
        unsigned attempt;       /* installers started */
        bool installer_pending; /* an installer was started and its end is not recorded yet */
        bool unsettled;         /* an installer ended badly and no proof yet that nothing of it is left */
        bool half_joined;       /* an installer of ours ran here since the host was last enrolled, so a disconnected
                                   runner under our id and address is our own unfinished work */
        bool was_enrolled;
        bool token_owed;        /* a persistent token of ours is on the platform; its id is on record */
        unsigned vain_efforts;  /* enrollments that came to asking for a token, since the last success, a person's
                                   retry or a changed spec: the loop breaker's count, over all reboots */

        /* Volatile. */
        bool token_held;
        usec_t token_deadline_us;
        State next;             /* BACKOFF: where it leads; SETTLING: PREFLIGHT, BACKOFF or FAILED */
        usec_t backoff_us;      /* the last wait, for the jitter */
        unsigned credential_refusals; /* in a row, of the question that is asked in refused_in */
        State refused_in;
        usec_t stable_since_us; /* VERIFYING: as planned since; 0 while not */
        usec_t seen_good_us;    /* VERIFYING: the last look that saw it so */
        bool blind;             /* VERIFYING: a look has failed since */
        Question question;      /* PREFLIGHT: the one that is open */
        usec_t vain_since_us;   /* PREFLIGHT: no coordinator has answered since; 0: one has, or none was asked */
        bool splayed, prepared;
        bool was_half_joined;   /* INSTALLING: half_joined before, should the installer not be started after all */
        bool replaced;          /* PROBING: the stale runner was deleted and is not deleted again without a pause */
        bool revoking;          /* the operation under way is REVOKE_TOKEN */
        bool roles_set;         /* VERIFYING: the runner was given its roles */
        unsigned odd_looks;     /* ENROLLED: looks in a row that found the host changed */
        bool drifted;           /* ENROLLED: so it has changed */
        bool differs;           /* VERIFYING: what the last answered look found */
        bool spec_changed;      /* remembered until it can be taken up */
        OutcomeClass last_class; /* of the last outcome that was not OK */
        int last_exit_code;
        EndCause end;
        int exit_code;      /* FAILED, STOPPING */
        int stop_signal;
        usec_t armed_us[_TIMER_MAX]; /* USEC_INFINITY: not armed */
} Machine;

/* A machine before its first event. */
Machine machine_fresh(void);

/* Total: defined for every state and event; what does not concern the state changes nothing (a
 * late answer, a timer that was disarmed meanwhile). The actions are to be carried out in their
 * order; an answer to one that was cancelled must not be fed back. With SPEC_LOADED the policy
 * is the one of the new spec. */
Machine machine_step(Machine machine, const Policy *policy, const Event *event, usec_t now_us,
                     Actions *ret);

/* For the status: where the machine goes next by itself, _STATE_INVALID in a final state, and when
 * (USEC_INFINITY: unknown). */
State machine_next(const Machine *machine, usec_t *ret_at_us);

/* Wall of the enrollment; USEC_INFINITY in a final state. */
usec_t machine_deadline_us(const Machine *machine, const Policy *policy);

/* By when something happens by itself, however silent the world is: the last of the timers that are armed, the wall left out.
 * USEC_INFINITY when nothing does before a person acts. */
usec_t machine_due_us(const Machine *machine);

/* Every edge of the graph, by driving the real function over all states, events and guard
 * classes: "PROBING -> MINTING  on PROBED, ..." lines in the order of State, one for each pair
 * of states; for the manual and its golden test. malloc()ed, NULL without memory. */
char *machine_graph(void);
