/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Policy: from the spec's durations to the numbers of the state machine, and the arithmetic of
 * waiting.
 *
 * All of it is integer arithmetic on microseconds, saturating, without floating point and without a
 * source of chance of its own: the same arguments give the same wait. Nothing can fail.
 */

#include "engine/policy.h"

/* The spec is held to a margin of a tenth of a token's life, at most a minute, beyond one attempt
 * (model/spec-check.c). An installer starts when half of it is left: the other half is for the way
 * from the request for a token to the installer's start, or a spec that is just good enough would
 * never see a token that is. */
#define MARGIN_MAX_US (USEC_PER_MINUTE / 2)
#define MARGIN_SHARE 20
#define POLL_MAX_US (5 * USEC_PER_SEC)
#define POLL_MIN_US (200 * USEC_PER_MSEC)
#define LOOK_MAX_US (30 * USEC_PER_SEC)
#define BACKOFF_FLOOR_US (100 * USEC_PER_MSEC)
#define RETRY_AFTER_MAX_US USEC_PER_HOUR

/* A good credential may be refused once by a platform whose security is just starting; a wrong one
 * costs one request too many, and locks no account. */
#define DRIFT_EVERY_MIN_US USEC_PER_SEC
#define CREDENTIAL_TRIES 2

/* With a look's own time (the slowest gate: connecting, 2.5 s) and a margin, the host goes on
 * within 10 s of the last gate's opening. */
#define GATE_POLL_US (4 * USEC_PER_SEC)

/* Some boots may come too early for something that then is there; five in a row that all came to
 * starting an installer are no coincidence. */
#define VAIN_EFFORTS_MAX 5

/* A question goes from endpoint to endpoint, and a hanging one costs it a whole request's time. */
#define GUARD_BASE_US (90 * USEC_PER_SEC)

/* What a keeper holds it knows without asking anyone; systemd may have to start it first. */
#define ATTACH_GUARD_US (20 * USEC_PER_SEC)
#define GUARD_PER_COORDINATOR_US (30 * USEC_PER_SEC)

static usec_t smaller(usec_t a, usec_t b) {
        return a < b ? a : b;
}

static usec_t larger(usec_t a, usec_t b) {
        return a > b ? a : b;
}

/* span * fraction / 2^32 without overflow: the halves are multiplied apart. */
static usec_t scale(usec_t span, uint32_t fraction) {
        usec_t high = span >> 32, low = span & UINT32_MAX;

        return high * fraction + ((low * fraction) >> 32);
}

/* FNV-1a with a final mix, so that ids which differ in their last digit only are spread as well
 * as others. */
static uint32_t hash32(const char *text) {
        uint64_t h = UINT64_C(0xcbf29ce484222325);

        for (const char *c = text; *c; c++)
                h = (h ^ (uint64_t) (unsigned char) *c) * UINT64_C(0x100000001b3);
        h ^= h >> 33;
        h *= UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 33;
        h *= UINT64_C(0xc4ceb9fe1a85ec53);
        return (uint32_t) (h >> 32);
}

/* Often enough to see a state settle within stable_for, never so often that it hurts. */
static usec_t poll_for(const Spec *spec) {
        usec_t poll_us = smaller(POLL_MAX_US, spec->verify.timeout_us / 10);

        if (spec->verify.stable_for_us > 0)
                poll_us = smaller(poll_us, spec->verify.stable_for_us / 2);
        return larger(poll_us, POLL_MIN_US);
}

Policy policy_from_spec(const Spec *spec, const char *machine_id, bool one_shot) {
        return (Policy) {
                .splay_us = scale(spec->retry.splay_us, hash32(machine_id)),
                .backoff_min_us = larger(spec->retry.backoff_min_us, BACKOFF_FLOOR_US),
                .backoff_max_us = larger(spec->retry.backoff_max_us,
                                         larger(spec->retry.backoff_min_us, BACKOFF_FLOOR_US)),
                .windows = spec->retry.windows,
                .give_up_after_us = spec->retry.give_up_after_us,
                .attempt_timeout_us = spec->installer.attempt_timeout_us,
                .token_margin_us = smaller(MARGIN_MAX_US, spec->token.validity_us / MARGIN_SHARE),
                .verify_timeout_us = spec->verify.timeout_us,
                .stable_for_us = spec->verify.stable_for_us,
                .poll_us = poll_for(spec),
                .gate_poll_us = smaller(GATE_POLL_US, larger(spec->retry.backoff_max_us, BACKOFF_FLOOR_US)),
                .guard_us = GUARD_BASE_US +
                            GUARD_PER_COORDINATOR_US * string_list_size(spec->coordinators),
                .credential_tries = CREDENTIAL_TRIES,
                .vain_efforts_max = VAIN_EFFORTS_MAX,
                .attach_guard_us = ATTACH_GUARD_US,
                .drift_every_us = spec->verify.drift_every_us > 0 ? larger(spec->verify.drift_every_us, DRIFT_EVERY_MIN_US) : 0,
                .assign_roles = spec->token.source == TOKEN_PRE_MINTED && spec->credential.kind != CREDENTIAL_NONE &&
                                spec->verify.by != VERIFY_BY_LOCAL,
                .prepull = spec->installer.prepull,
                .on_member_ignore = spec->on_member == ON_MEMBER_IGNORE,
                .on_stale_replace = spec->on_stale_runner == ON_STALE_REPLACE,
                .one_shot = one_shot,
                .stop_terminates = one_shot,
        };
}

/* Kinds of trouble that a quick retry only makes worse: a person has to act, or accounts get
 * locked. */
static bool wants_patience(OutcomeClass class) {
        switch (class) {
        case CLASS_OPERATOR:
        case CLASS_CREDENTIAL:
                return true;
        case CLASS_OK:
        case CLASS_TRANSIENT:
        case CLASS_THROTTLED:
        case CLASS_HOST:
        case CLASS_TIME:
        case CLASS_EXPIRED:
        case CLASS_PERMANENT:
        case _CLASS_MAX:
                break;
        }
        return false;
}

usec_t policy_drift_wait_us(const Policy *policy, uint32_t random) {
        return policy->drift_every_us - scale(policy->drift_every_us / 4, random);
}

usec_t policy_look_wait_us(const Policy *policy, usec_t waited_us, uint32_t random) {
        usec_t wait_us = larger(policy->poll_us, smaller(waited_us / 4, LOOK_MAX_US));

        return wait_us + scale(wait_us / 4, random);
}

usec_t policy_stable_wait_us(const Policy *policy, usec_t left_us) {
        return smaller(left_us, larger(policy->poll_us, policy->stable_for_us / 3));
}

usec_t policy_gate_wait_us(const Policy *policy, usec_t waited_us, uint32_t random) {
        usec_t wait_us = larger(policy->gate_poll_us, smaller(waited_us / 4, policy->backoff_max_us));

        return wait_us - scale(wait_us / 2, random);
}

usec_t policy_backoff_us(const Policy *policy, OutcomeClass class, usec_t previous_us,
                         usec_t retry_after_us, usec_t remaining_us, uint32_t random) {
        usec_t floor_us = larger(policy->backoff_min_us, BACKOFF_FLOOR_US);
        usec_t ceiling_us = larger(smaller(policy->backoff_max_us, remaining_us / 4), floor_us);
        usec_t thrice_us = previous_us > USEC_INFINITY / 3 ? USEC_INFINITY : 3 * larger(previous_us, floor_us);
        usec_t wait_us = floor_us + scale(smaller(ceiling_us, thrice_us) - floor_us, random);
        usec_t asked_us = smaller(smaller(retry_after_us, RETRY_AFTER_MAX_US), remaining_us);

        if (class == CLASS_TIME)
                wait_us = smaller(wait_us, larger(policy->gate_poll_us, BACKOFF_FLOOR_US));
        if (wants_patience(class))
                wait_us = larger(wait_us, policy->backoff_max_us + scale(policy->backoff_max_us / 10, random));
        /* What was asked of all is spread upwards, or all would come back in the same second. */
        if (asked_us > 0)
                wait_us = larger(wait_us, asked_us + scale(asked_us / 10, random));
        return wait_us;
}

bool policy_attempt_fits(const Policy *policy, usec_t token_deadline_us, usec_t now_us) {
        if (token_deadline_us == USEC_INFINITY)
                return true;
        return usec_sub(token_deadline_us, now_us) >=
               usec_add(policy->attempt_timeout_us, policy->token_margin_us);
}
