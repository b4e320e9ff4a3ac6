/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The machine on its known ways: each path is a table of events with the state and the actions that
 * must come of each (ARM, DISARM and REPORT left out, they have tests of their own). And the graph
 * against the golden file of the manual.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"

#include "machine-walk.h"

static void test_new_host(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_VERIFYING,
                         { FAIL_OF(VIEWED, TRANSIENT, 76), STATE_VERIFYING, "" },
                         { FIRES(WAIT), STATE_VERIFYING, "LOOK" },
                         { ON(VIEWED), STATE_VERIFYING, "" },
                         { FIRES(WAIT), STATE_VERIFYING, "LOOK" },
                         { ON(VIEWED), STATE_ENROLLED, "WIPE_TOKEN SAVE" });

        assert_int_equal(m.window, 1);
        assert_int_equal(m.attempt, 1);
        assert_true(m.was_enrolled && !m.half_joined && !m.installer_pending && !m.unsettled);
        assert_int_equal(m.exit_code, 0);
}

/* A person has an enrolled host looked at while its token could not be revoked yet: what is owed is not forgotten over it. */
static void test_a_look_while_a_token_is_owed(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m;

        p.drift_every_us = 0;
        m = WALK(machine_fresh(), p, now, TO_PROBING, { SEES(AS_PLANNED), STATE_ENROLLED, "WIPE_TOKEN SAVE" });
        m.token_owed = true;
        m = WALK(m, p, now, { ON(RETRY), STATE_ENROLLED, "LOOK" }, { ON(VIEWED), STATE_ENROLLED, "" },
                 { FIRES(WAIT), STATE_ENROLLED, "REVOKE_TOKEN" }, { ON(REVOKED), STATE_ENROLLED, "SAVE" });
        assert_false(m.token_owed);
}

/* Running it again on a member costs one look. */
static void test_member(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_PROBING,
                         { SEES(AS_PLANNED), STATE_ENROLLED, "WIPE_TOKEN SAVE" });

        assert_int_equal(m.window, 0);
        assert_int_equal(m.attempt, 0);
}

static void test_member_that_differs(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;

        WALK(machine_fresh(), p, now, TO_PROBING, { SEES(DIFFERS), STATE_VERIFYING, "SAVE LOOK" });
        p.on_member_ignore = true;
        now = NOW_US;
        WALK(machine_fresh(), p, now, TO_PROBING, { SEES(DIFFERS), STATE_ENROLLED, "WIPE_TOKEN SAVE" });
}

static void test_disconnected_runner(void **state) {
        static const Event stale = { .kind = EVENT_PROBED, .membership = MEMBERSHIP_DISCONNECTED,
                                     .class = CLASS_PERMANENT, .exit_code = 76 };
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = machine_fresh();

        /* A stranger's: refused, unless the spec says replace; and then only once without a
         * pause. */
        assert_int_equal(WALK(m, p, now, TO_PROBING, { stale, STATE_FAILED, "WIPE_TOKEN SAVE" }).exit_code, 76);
        p.on_stale_replace = true;
        now = NOW_US;
        WALK(m, p, now, TO_PROBING, { stale, STATE_PROBING, "REPLACE_RUNNER" },
             { ON(REPLACED), STATE_PROBING, "PROBE" }, { stale, STATE_BACKOFF, "SAVE" },
             { FIRES(WAIT), STATE_PROBING, "SAVE PROBE" }, { stale, STATE_PROBING, "REPLACE_RUNNER" });

        /* Our own unfinished work goes on; a member that comes up again is waited for. */
        p.on_stale_replace = false;
        m.half_joined = true;
        now = NOW_US;
        WALK(m, p, now, TO_PROBING, { stale, STATE_PREPARING, "SAVE PREPARE" });
        m.half_joined = false;
        m.was_enrolled = true;
        now = NOW_US;
        WALK(m, p, now, TO_PREFLIGHT, THROUGH_GATES, /* no splay for a known host */
             { stale, STATE_VERIFYING, "SAVE LOOK" });
}

static void test_foreign_runner_is_never_replaced(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;

        p.on_stale_replace = true;
        WALK(machine_fresh(), p, now, TO_PROBING,
             { { .kind = EVENT_PROBED, .membership = MEMBERSHIP_FOREIGN, .class = CLASS_PERMANENT, .exit_code = 76 },
               STATE_FAILED, "WIPE_TOKEN SAVE" });
}

static void test_no_spec(void **state) {
        Policy p = usual(), run = run_policy();
        usec_t now = NOW_US;

        WALK(machine_fresh(), p, now, { ON(START), STATE_LOADING, "SAVE LOAD_SPEC" },
             { ON(SPEC_ABSENT), STATE_UNCONFIGURED, "WIPE_TOKEN SAVE" },
             { ON(SPEC_CHANGED), STATE_LOADING, "SAVE LOAD_SPEC" },
             { FAIL_OF(SPEC_REFUSED, PERMANENT, 78), STATE_FAILED, "WIPE_TOKEN SAVE" },
             { ON(SPEC_CHANGED), STATE_LOADING, "SAVE LOAD_SPEC" },
             { ON(SPEC_LOADED), STATE_PREFLIGHT, "SAVE ATTACH" });
        WALK(machine_fresh(), run, now, { ON(START), STATE_LOADING, "SAVE LOAD_SPEC" },
             { ON(SPEC_ABSENT), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(78)" });
        WALK(machine_fresh(), run, now, { ON(START), STATE_LOADING, "SAVE LOAD_SPEC" },
             { FAIL_OF(SPEC_REFUSED, PERMANENT, 78), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(78)" });
}

/* Within the window the same token is used again; when it is too old a new one is minted; then
 * no more. */
static void test_windows(void **state) {
        static const Event failed = FAIL_OF(INSTALL_EXITED, TRANSIENT, 75);
        Policy p = run_policy();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_INSTALLING,
                         { failed, STATE_SETTLING, "SAVE ACKNOWLEDGE SETTLE" },
                         { ON(SETTLED), STATE_BACKOFF, "SAVE" },
                         { FIRES(WAIT), STATE_PROBING, "SAVE PROBE" },
                         { SEES(NONE), STATE_INSTALLING, "SAVE INSTALL" }); /* same token, no second pull */

        assert_int_equal(m.window, 1);
        assert_int_equal(m.attempt, 2);
        now = NOW_US + 50 * USEC_PER_MINUTE;
        m = WALK(m, p, now, { failed, STATE_SETTLING, "SAVE ACKNOWLEDGE SETTLE" },
                 { ON(SETTLED), STATE_BACKOFF, "WIPE_TOKEN SAVE" },
                 { FIRES(WAIT), STATE_PROBING, "SAVE PROBE" },
                 { SEES(NONE), STATE_MINTING, "SAVE MINT" });
        assert_int_equal(m.window, 2);
        m = WALK(m, p, now, { TOKEN_LIVES(2 * USEC_PER_HOUR), STATE_INSTALLING, "SAVE INSTALL" },
                 { { .kind = EVENT_INSTALL_EXITED, .class = CLASS_TRANSIENT, .exit_code = 75, .token_spent = true },
                   STATE_SETTLING, "WIPE_TOKEN SAVE ACKNOWLEDGE SETTLE" },
                 { ON(SETTLED), STATE_BACKOFF, "SAVE" }, { FIRES(WAIT), STATE_PROBING, "SAVE PROBE" },
                 { SEES(NONE), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(75)" });
        assert_int_equal(m.end, END_WINDOWS);
}

/* Windows are for tokens: a request that never got through costs none, one whose reply was lost
 * does. */
static void test_window_of_a_failed_mint(void **state) {
        static const Event refused = FAIL_OF(FAILED, TRANSIENT, 69);
        static const Event lost = { .kind = EVENT_FAILED, .class = CLASS_TRANSIENT, .exit_code = 69, .maybe_minted = true };
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m;

        p.prepull = false;
        m = WALK(machine_fresh(), p, now, TO_PROBING, { SEES(NONE), STATE_MINTING, "SAVE MINT" });
        assert_int_equal(m.window, 1);
        m = WALK(m, p, now, { refused, STATE_BACKOFF, "SAVE" }, { FIRES(WAIT), STATE_PROBING, "SAVE PROBE" });
        assert_int_equal(m.window, 0);
        m = WALK(m, p, now, { SEES(NONE), STATE_MINTING, "SAVE MINT" }, { lost, STATE_BACKOFF, "SAVE" },
                 { FIRES(WAIT), STATE_PROBING, "SAVE PROBE" }, { SEES(NONE), STATE_MINTING, "SAVE MINT" },
                 { FIRES(GUARD), STATE_BACKOFF, "CANCEL SAVE" });
        assert_int_equal(m.window, 2);
}

static void test_token_too_short(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m;

        p.prepull = false;
        m = WALK(machine_fresh(), p, now, TO_PROBING, { SEES(NONE), STATE_MINTING, "SAVE MINT" },
                 { TOKEN_LIVES(21 * USEC_PER_MINUTE), STATE_BACKOFF, "WIPE_TOKEN SAVE" });
        assert_int_equal(m.attempt, 0);
        assert_false(m.token_held);
}

static void test_permanent_failures_end_at_once(void **state) {
        static const Event denied = FAIL_OF(FAILED, PERMANENT, 77);
        Policy p = run_policy();
        usec_t now = NOW_US;

        WALK(machine_fresh(), p, now, TO_PREFLIGHT, { denied, STATE_FAILED, "WIPE_TOKEN SAVE EXIT(77)" });
        now = NOW_US;
        WALK(machine_fresh(), p, now, TO_PROBING, { denied, STATE_FAILED, "WIPE_TOKEN SAVE EXIT(77)" });
        now = NOW_US;
        WALK(machine_fresh(), p, now, TO_VERIFYING, { denied, STATE_FAILED, "WIPE_TOKEN SAVE EXIT(77)" });
        now = NOW_US;
        WALK(machine_fresh(), p, now, TO_INSTALLING,
             { FAIL_OF(INSTALL_EXITED, PERMANENT, 73), STATE_SETTLING, "SAVE ACKNOWLEDGE SETTLE" },
             { ON(SETTLED), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(73)" });
        now = NOW_US; /* also when it can't be settled: the record knows, the reason stays the first one */
        WALK(machine_fresh(), p, now, TO_INSTALLING,
             { FAIL_OF(INSTALL_EXITED, PERMANENT, 73), STATE_SETTLING, "SAVE ACKNOWLEDGE SETTLE" },
             { FAIL_OF(FAILED, HOST, 78), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(73)" });
}

/* Benefit of the doubt, bounded; an accepted question in between clears the record. */
static void test_refused_credential(void **state) {
        static const Event refused = FAIL_OF(FAILED, CREDENTIAL, 77);
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_PROBING, { refused, STATE_BACKOFF, "SAVE" });

        assert_true(m.armed_us[TIMER_WAIT] - now >= p.backoff_max_us);
        m = WALK(m, p, now, PROBING_AGAIN, { refused, STATE_BACKOFF, "SAVE" }, PROBING_AGAIN);
        WALK(m, p, now, { refused, STATE_FAILED, "WIPE_TOKEN SAVE" });
        m = WALK(m, p, now, { SEES(NONE), STATE_PREPARING, "SAVE PREPARE" }, { ON(PREPARED), STATE_MINTING, "SAVE MINT" });
        assert_int_equal(m.credential_refusals, 0);
}

/* Who may look and not mint: good looks between the refusals do not make it endless. */
static void test_refused_token_request(void **state) {
        static const Event refused = FAIL_OF(FAILED, CREDENTIAL, 77);
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_PROBING, { refused, STATE_BACKOFF, "SAVE" }, PROBING_AGAIN,
                         { SEES(NONE), STATE_PREPARING, "SAVE PREPARE" }, { ON(PREPARED), STATE_MINTING, "SAVE MINT" });

        for (unsigned tries = 1; tries < p.credential_tries; tries++)
                m = WALK(m, p, now, { refused, STATE_BACKOFF, "SAVE" },
                         { FIRES(WAIT), STATE_PROBING, "SAVE PROBE" }, { SEES(NONE), STATE_MINTING, "SAVE MINT" });
        WALK(m, p, now, { refused, STATE_FAILED, "WIPE_TOKEN SAVE" });
}

static void test_attempt_takes_too_long(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_INSTALLING,
                         { FIRES(ATTEMPT), STATE_TERMINATING, "SAVE TERMINATE" });

        WALK(m, p, now, { FAIL_OF(INSTALL_EXITED, TRANSIENT, 75), STATE_SETTLING, "SAVE ACKNOWLEDGE SETTLE" },
             { ON(SETTLED), STATE_BACKOFF, "SAVE" });
        /* It came to a good end in just that moment. */
        WALK(m, p, now, { ON(INSTALL_EXITED), STATE_VERIFYING, "WIPE_TOKEN SAVE ACKNOWLEDGE LOOK" });
}

/* After a lost keeper nothing starts before it has said what it holds and what was left is
 * settled. */
static void test_keeper_lost(void **state) {
        static const Event lost = FAIL_OF(KEEPER_LOST, TRANSIENT, 75);
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_INSTALLING, { lost, STATE_BACKOFF, "SAVE" },
                         { FIRES(WAIT), STATE_PREFLIGHT, "SAVE ATTACH" });

        assert_true(m.installer_pending);
        WALK(m, p, now, { ON(KEEPER_RUNNING), STATE_INSTALLING, "SAVE" },
             { ON(INSTALL_EXITED), STATE_VERIFYING, "WIPE_TOKEN SAVE ACKNOWLEDGE LOOK" });
        WALK(m, p, now, { ON(INSTALL_EXITED), STATE_VERIFYING, "WIPE_TOKEN SAVE ACKNOWLEDGE LOOK" });
        WALK(m, p, now, { ON(KEEPER_IDLE), STATE_SETTLING, "SAVE SETTLE" },
             { lost, STATE_BACKOFF, "CANCEL SAVE" }, { ON(RETRY), STATE_PREFLIGHT, "SAVE ATTACH" },
             { ON(KEEPER_IDLE), STATE_SETTLING, "SAVE SETTLE" }, { ON(SETTLED), STATE_PREFLIGHT, "SAVE ATTACH" },
             THROUGH_GATES);
        /* Even a keeper that is lost for good is asked once more before the run ends. */
        WALK(m, p, now, { FAIL_OF(FAILED, PERMANENT, 78), STATE_FAILED, "WIPE_TOKEN SAVE" });
}

static void test_deadline(void **state) {
        Policy p = run_policy();
        usec_t now = NOW_US;
        Machine m;

        m = WALK(machine_fresh(), p, now, TO_PROBING, { FAIL_OF(FAILED, TRANSIENT, 69), STATE_BACKOFF, "SAVE" });
        m = WALK(m, p, now, { FIRES(GIVE_UP), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(69)" });
        assert_int_equal(m.end, END_DEADLINE);

        now = NOW_US;
        p.attempt_timeout_us = 5 * USEC_PER_HOUR;
        m = WALK(machine_fresh(), p, now, TO_PROBING, { SEES(NONE), STATE_PREPARING, "SAVE PREPARE" },
                 { ON(PREPARED), STATE_MINTING, "SAVE MINT" },
                 { { .kind = EVENT_MINTED, .token_deadline_us = USEC_INFINITY }, STATE_INSTALLING, "SAVE INSTALL" },
                 { FIRES(GIVE_UP), STATE_TERMINATING, "SAVE TERMINATE" });
        WALK(m, p, now, { FAIL_OF(INSTALL_EXITED, TRANSIENT, 75), STATE_SETTLING, "SAVE ACKNOWLEDGE SETTLE" },
             { ON(SETTLED), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(75)" });
        WALK(m, p, now, { FIRES(GUARD), STATE_FAILED, "CANCEL WIPE_TOKEN SAVE EXIT(75)" });
}

/* The wall may be reached while nobody knows whether an installer runs: then the answer is
 * waited for, and what runs is stopped, before the run ends. */
static void test_deadline_while_asking_the_keeper(void **state) {
        Policy p = run_policy();
        usec_t now = NOW_US;
        Machine m;

        p.guard_us = p.attach_guard_us = 5 * USEC_PER_HOUR;
        m = WALK(machine_fresh(), p, now, TO_INSTALLING,
                 { FAIL_OF(KEEPER_LOST, TRANSIENT, 75), STATE_BACKOFF, "SAVE" },
                 { FIRES(WAIT), STATE_PREFLIGHT, "SAVE ATTACH" }, { FIRES(GIVE_UP), STATE_PREFLIGHT, "" });
        WALK(m, p, now, { ON(KEEPER_RUNNING), STATE_TERMINATING, "SAVE TERMINATE" });
        WALK(m, p, now, { ON(KEEPER_IDLE), STATE_SETTLING, "SAVE SETTLE" },
             { ON(SETTLED), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(75)" });
        WALK(m, p, now, { FIRES(GUARD), STATE_FAILED, "CANCEL WIPE_TOKEN SAVE EXIT(75)" });

        /* Also while waiting to ask again. */
        now = NOW_US;
        p.backoff_min_us = p.backoff_max_us = 5 * USEC_PER_HOUR;
        WALK(machine_fresh(), p, now, TO_INSTALLING,
             { FAIL_OF(KEEPER_LOST, TRANSIENT, 75), STATE_BACKOFF, "WIPE_TOKEN SAVE" },
             { FIRES(GIVE_UP), STATE_PREFLIGHT, "SAVE ATTACH" });
}

/* An answer to a question that is no longer asked changes nothing. */
static void test_late_answers(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;

        WALK(machine_fresh(), p, now, TO_PREFLIGHT, { ON(HOST_READY), STATE_PREFLIGHT, "" },
             { ON(NETWORK_READY), STATE_PREFLIGHT, "" }, { ON(KEEPER_IDLE), STATE_PREFLIGHT, "CHECK_HOST" },
             { ON(KEEPER_IDLE), STATE_PREFLIGHT, "" }, { ON(KEEPER_RUNNING), STATE_PREFLIGHT, "" },
             { ON(INSTALL_EXITED), STATE_PREFLIGHT, "" }, { ON(NETWORK_READY), STATE_PREFLIGHT, "" },
             { ON(HOST_READY), STATE_BACKOFF, "SAVE" }, { ON(PREPARED), STATE_BACKOFF, "" },
             { TOKEN_LIVES(USEC_PER_HOUR), STATE_BACKOFF, "" }, { ON(VIEWED), STATE_BACKOFF, "" },
             { FIRES(WAIT), STATE_PREFLIGHT, "SAVE ATTACH" }, { FAIL_OF(FAILED, HOST, 78), STATE_PREFLIGHT, "" },
             { ON(KEEPER_IDLE), STATE_PREFLIGHT, "" }, { ON(FAILED), STATE_PREFLIGHT, "" },
             { FIRES(WAIT), STATE_PREFLIGHT, "ATTACH" }, THROUGH_GATES, { ON(REPLACED), STATE_PROBING, "" },
             { ON(SETTLED), STATE_PROBING, "" }, { ON(KEEPER_LOST), STATE_PROBING, "" });
}

static void test_verification_fails(void **state) {
        static const Event differs = FAIL_OF(VIEWED, TRANSIENT, 76), blind = FAIL_OF(FAILED, TRANSIENT, 69);
        Policy p = run_policy();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_VERIFYING);

        WALK(m, p, now, { differs, STATE_VERIFYING, "" },
             { FIRES(VERIFY), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(76)" });
        /* What can't be seen is not held against the host before the wall; what is seen after
         * the time is. */
        now = NOW_US;
        m = WALK(machine_fresh(), p, now, TO_VERIFYING, { differs, STATE_VERIFYING, "" },
                 { FIRES(WAIT), STATE_VERIFYING, "LOOK" }, { blind, STATE_VERIFYING, "" },
                 { FIRES(VERIFY), STATE_VERIFYING, "" }, { FIRES(WAIT), STATE_VERIFYING, "LOOK" });
        WALK(m, p, now, { differs, STATE_FAILED, "WIPE_TOKEN SAVE EXIT(76)" });
        WALK(m, p, now, { ON(VIEWED), STATE_VERIFYING, "" }, { FIRES(WAIT), STATE_VERIFYING, "LOOK" },
             { ON(VIEWED), STATE_ENROLLED, "WIPE_TOKEN SAVE EXIT(0)" });
        WALK(m, p, now, { blind, STATE_VERIFYING, "" },
             { FIRES(GIVE_UP), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(69)" });
        WALK(m, p, now, { FAIL_OF(VIEWED, PERMANENT, 76), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(76)" });
}

/* stable_for counts from the first good look after the last bad one, or after a time without looks that was too long. */
static void test_stability_starts_over(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m;

        m = WALK(machine_fresh(), p, now, TO_VERIFYING, { ON(VIEWED), STATE_VERIFYING, "" },
                 { FIRES(WAIT), STATE_VERIFYING, "LOOK" }, { FAIL_OF(FAILED, TRANSIENT, 69), STATE_VERIFYING, "" },
                 { FIRES(WAIT), STATE_VERIFYING, "LOOK" });
        now += p.stable_for_us + p.backoff_max_us;
        WALK(m, p, now, { ON(VIEWED), STATE_VERIFYING, "" },
             { FIRES(WAIT), STATE_VERIFYING, "LOOK" }, { ON(VIEWED), STATE_ENROLLED, "WIPE_TOKEN SAVE" });
}

/* One failed look between two good ones is bridged, if they are no further apart than stable_for and one pause. */
static void test_a_short_gap_is_bridged(void **state) {
        Policy p = usual();
        usec_t now = NOW_US, since_us;
        Machine m;

        p.poll_us = 5 * USEC_PER_SEC;
        m = WALK(machine_fresh(), p, now, TO_VERIFYING, { ON(VIEWED), STATE_VERIFYING, "" });
        since_us = m.stable_since_us;
        m = WALK(m, p, now, { FIRES(WAIT), STATE_VERIFYING, "LOOK" }, { FAIL_OF(FAILED, TRANSIENT, 69), STATE_VERIFYING, "" },
                 { FIRES(WAIT), STATE_VERIFYING, "LOOK" }, { ON(VIEWED), STATE_VERIFYING, "" });
        assert_int_equal(m.stable_since_us, since_us);
        /* A look that takes long is no gap. */
        m = WALK(m, p, now, { FIRES(WAIT), STATE_VERIFYING, "LOOK" });
        now += USEC_PER_MINUTE;
        WALK(m, p, now, { ON(VIEWED), STATE_ENROLLED, "WIPE_TOKEN SAVE" });
}

/* A member of old is believed at once; what an installer of ours has left here has to show that it stays. */
static void test_half_joined_has_to_stay(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = machine_fresh();

        m.half_joined = true;
        WALK(m, p, now, TO_PROBING, { SEES(AS_PLANNED), STATE_VERIFYING, "SAVE LOOK" }, { ON(VIEWED), STATE_VERIFYING, "" },
             { FIRES(WAIT), STATE_VERIFYING, "LOOK" }, { ON(VIEWED), STATE_ENROLLED, "WIPE_TOKEN SAVE" });
}

static void test_stopping_the_daemon(void **state) {
        static const Event term = { .kind = EVENT_STOP, .signal_number = 15 };
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_INSTALLING, { term, STATE_STOPPING, "WIPE_TOKEN SAVE EXIT(0)" });

        assert_true(m.installer_pending); /* it lives on with the keeper and is adopted at the next start */
        now = NOW_US;
        WALK(machine_fresh(), p, now, TO_PROBING, { term, STATE_STOPPING, "CANCEL WIPE_TOKEN SAVE EXIT(0)" });
}

static void test_stopping_a_run(void **state) {
        static const Event interrupt = { .kind = EVENT_STOP, .signal_number = 2 };
        Policy p = run_policy();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_INSTALLING, { interrupt, STATE_TERMINATING, "SAVE TERMINATE" });

        WALK(m, p, now, { FAIL_OF(INSTALL_EXITED, TRANSIENT, 75), STATE_SETTLING, "SAVE ACKNOWLEDGE SETTLE" },
             { ON(SETTLED), STATE_STOPPING, "WIPE_TOKEN SAVE EXIT(130)" });
        WALK(m, p, now, { ON(INSTALL_EXITED), STATE_STOPPING, "WIPE_TOKEN SAVE ACKNOWLEDGE EXIT(130)" });
        WALK(m, p, now, { interrupt, STATE_STOPPING, "CANCEL WIPE_TOKEN SAVE EXIT(130)" });
        WALK(m, p, now, { FIRES(GUARD), STATE_STOPPING, "CANCEL WIPE_TOKEN SAVE EXIT(130)" });
        now = NOW_US;
        WALK(machine_fresh(), p, now, TO_PROBING,
             { { .kind = EVENT_STOP, .signal_number = 15 }, STATE_STOPPING, "CANCEL WIPE_TOKEN SAVE EXIT(143)" });
}

/* A timer that is not armed is a ghost; one that comes early is armed again. */
static void test_timers(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_PREFLIGHT, { FIRES(ATTEMPT), STATE_PREFLIGHT, "" },
                         { { .kind = EVENT_TIMER, .timer = _TIMER_MAX }, STATE_PREFLIGHT, "" });
        Actions actions;
        Machine after = machine_step(m, &p, &(Event) FIRES(GUARD), now, &actions);

        assert_int_equal(after.state, STATE_PREFLIGHT);
        assert_int_equal(actions.n, 1);
        assert_int_equal(actions.item[0].kind, ACTION_ARM);
        assert_int_equal(actions.item[0].timer, TIMER_GUARD);
        assert_int_equal(actions.item[0].at_us, m.armed_us[TIMER_GUARD]);
        assert_int_equal(after.armed_us[TIMER_GUARD], m.armed_us[TIMER_GUARD]);
}

static void test_next(void **state) {
        Policy p = usual();
        usec_t now = NOW_US, at;
        Machine m = machine_fresh();

        assert_int_equal(machine_next(&m, &at), STATE_PREFLIGHT);
        assert_int_equal(at, USEC_INFINITY);
        m = WALK(m, p, now, TO_PREFLIGHT, { ON(KEEPER_IDLE), STATE_PREFLIGHT, "CHECK_HOST" },
                 { ON(HOST_READY), STATE_BACKOFF, "SAVE" });
        assert_int_equal(machine_next(&m, &at), STATE_PREFLIGHT);
        assert_int_equal(at, NOW_US + p.splay_us);
        m = WALK(m, p, now, { FIRES(WAIT), STATE_PREFLIGHT, "SAVE ATTACH" });
        assert_int_equal(machine_next(&m, &at), STATE_PROBING);
        assert_int_equal(at, USEC_INFINITY);
        m = WALK(m, p, now, { FAIL_OF(FAILED, HOST, 78), STATE_PREFLIGHT, "" });
        assert_int_equal(machine_next(&m, &at), STATE_PREFLIGHT); /* looks again */
        assert_true(at > now && at <= now + p.gate_poll_us);
        m.state = STATE_ENROLLED;
        assert_int_equal(machine_next(&m, &at), _STATE_INVALID);
}

static void test_due(void **state) {
        Machine m = machine_fresh();

        m.armed_us[TIMER_GIVE_UP] = NOW_US;
        assert_int_equal(machine_due_us(&m), USEC_INFINITY); /* that nobody moves until then is what is to be found out */
        m.armed_us[TIMER_GUARD] = NOW_US + 1;
        m.armed_us[TIMER_VERIFY] = NOW_US + 3;
        m.armed_us[TIMER_WAIT] = NOW_US + 2;
        m.armed_us[TIMER_GIVE_UP] = NOW_US + 4;
        assert_int_equal(machine_due_us(&m), NOW_US + 3);
}

static void test_names(void **state) {
        for (State s = 0; s < _STATE_MAX; s++)
                assert_int_equal(state_from_string(state_to_string(s)), s);
        assert_int_equal(state_from_string("backoff"), _STATE_INVALID);
        assert_int_equal(state_from_string(""), _STATE_INVALID);
        for (Timer t = 0; t < _TIMER_MAX; t++)
                assert_non_null(timer_to_string(t));
        for (EventKind k = 0; k < _EVENT_KIND_MAX; k++)
                assert_non_null(event_kind_to_string(k));
        for (ActionKind k = 0; k < _ACTION_KIND_MAX; k++)
                assert_non_null(action_kind_to_string(k));
}

/* The manual's picture of the machine. When an edge was changed on purpose, write the file anew
 * with ECE_ENROLL_UPDATE_GOLDEN set and read the difference. */
static void test_graph_is_the_manuals(void **state) {
        static const char path[] = TOP_SRCDIR "/doc/state-machine.txt";
        _cleanup_buffer_ Buffer golden = BUFFER_INIT(64U * 1024U);
        _cleanup_free_ char *graph = machine_graph();

        assert_non_null(graph);
        if (getenv("ECE_ENROLL_UPDATE_GOLDEN")) {
                _cleanup_fclose_ FILE *file = fopen(path, "we");

                assert_non_null(file);
                assert_true(fputs(graph, file) >= 0);
        }
        assert_int_equal(file_read(path, &golden), 0);
        assert_string_equal(graph, buffer_string(&golden));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_new_host),
                cmocka_unit_test(test_a_look_while_a_token_is_owed),
                cmocka_unit_test(test_member),
                cmocka_unit_test(test_member_that_differs),
                cmocka_unit_test(test_disconnected_runner),
                cmocka_unit_test(test_foreign_runner_is_never_replaced),
                cmocka_unit_test(test_no_spec),
                cmocka_unit_test(test_windows),
                cmocka_unit_test(test_window_of_a_failed_mint),
                cmocka_unit_test(test_token_too_short),
                cmocka_unit_test(test_permanent_failures_end_at_once),
                cmocka_unit_test(test_refused_credential),
                cmocka_unit_test(test_refused_token_request),
                cmocka_unit_test(test_attempt_takes_too_long),
                cmocka_unit_test(test_keeper_lost),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_deadline_while_asking_the_keeper),
                cmocka_unit_test(test_late_answers),
                cmocka_unit_test(test_verification_fails),
                cmocka_unit_test(test_stability_starts_over),
                cmocka_unit_test(test_a_short_gap_is_bridged),
                cmocka_unit_test(test_half_joined_has_to_stay),
                cmocka_unit_test(test_stopping_the_daemon),
                cmocka_unit_test(test_stopping_a_run),
                cmocka_unit_test(test_timers),
                cmocka_unit_test(test_next),
                cmocka_unit_test(test_due),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_graph_is_the_manuals),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
