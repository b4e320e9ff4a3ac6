/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Policy: the numbers the state machine decides by, from the spec; and the arithmetic of
 * waiting. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "model/outcome.h"
#include "model/spec.h"

typedef struct Policy {
        usec_t splay_us; /* this host's own share of the spec's splay */
        usec_t backoff_min_us, backoff_max_us;
        unsigned windows;
        usec_t give_up_after_us;
        usec_t attempt_timeout_us;
        usec_t token_margin_us;    /* life that must be left beyond one attempt */
        usec_t verify_timeout_us;
        usec_t stable_for_us;
        usec_t poll_us;            /* between two looks while verifying, at first */
        usec_t gate_poll_us;       /* longest wait between two looks at the gates of this host */
        usec_t guard_us;           /* an operation that has not answered by then is taken for failed */
        usec_t attach_guard_us;    /* the same for the keeper's first word, which costs it nothing */
        unsigned credential_tries; /* refusals in a row before the credential is believed to be wrong */
        unsigned vain_efforts_max; /* enrollments in a row that may begin by themselves and come to nothing */
        usec_t drift_every_us;     /* between two looks at an enrolled host; 0: none */
        bool assign_roles;         /* a host that was joined with somebody else's token may be given its roles */
        bool prepull;
        bool on_member_ignore;
        bool on_stale_replace;
        bool one_shot;        /* `ece-enroll run`: exit in a final state */
        bool stop_terminates; /* a stop signal ends the installer (run); else it lives on with the keeper (daemon) */
} Policy;

/* machine_id: 32 hex digits (machine-id(5)), spreads the splay evenly and the same at every
 * boot. */
Policy policy_from_spec(const Spec *spec, const char *machine_id, bool one_shot);

/* The next wait: decorrelated jitter, min(max, remaining/4, U(min, 3 * previous)), at least min;
 * a Retry-After is a floor under it, clamped to an hour and to what remains, and spread upwards
 * by up to a tenth; CLASS_OPERATOR and CLASS_CREDENTIAL wait at least max; CLASS_TIME at most
 * gate_poll_us, for a clock is set in a moment. random: uniform over all values. */
usec_t policy_backoff_us(const Policy *policy, OutcomeClass class, usec_t previous_us,
                         usec_t retry_after_us, usec_t remaining_us, uint32_t random);

/* The next look at an enrolled host: three quarters of drift_every_us up to all of it. */
usec_t policy_drift_wait_us(const Policy *policy, uint32_t random);

/* The next look at a host that is not as planned yet, waited_us after the first: poll_us in the beginning; then a quarter of what was
 * waited, so that a look comes at most that much later than it would have had to, up to half a minute; spread upwards by a
 * quarter, for hosts that were let go together would otherwise stay together. */
usec_t policy_look_wait_us(const Policy *policy, usec_t waited_us, uint32_t random);

/* The next look at a host that is as planned and has to stay so for left_us more: a third of stable_for, not below poll_us. What
 * happens in between is seen at the next look as well. */
usec_t policy_stable_wait_us(const Policy *policy, usec_t left_us);

/* The next look at a shut gate: half of gate_poll_us up to all of it. Of one behind which coordinators are, who have not answered for
 * waited_us (else 0): a quarter of that, if it is longer, up to backoff_max_us, again half of it up to all. */
usec_t policy_gate_wait_us(const Policy *policy, usec_t waited_us, uint32_t random);

/* May an attempt start with a token that dies at deadline_us? */
bool policy_attempt_fits(const Policy *policy, usec_t token_deadline_us, usec_t now_us);
