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
#include "engine/machine.h"

#define NOW_US (100 * USEC_PER_HOUR)

typedef struct Row {
        Event event;
        State state;         /* expected after it */
        const char *actions; /* expected, in order */
} Row;

static Policy usual(void) {
        return (Policy) {
                .splay_us = 30 * USEC_PER_SEC,
                .backoff_min_us = 5 * USEC_PER_SEC,
                .backoff_max_us = USEC_PER_MINUTE,
                .windows = 2,
                .give_up_after_us = 4 * USEC_PER_HOUR,
                .attempt_timeout_us = 20 * USEC_PER_MINUTE,
                .token_margin_us = USEC_PER_MINUTE,
                .verify_timeout_us = 10 * USEC_PER_MINUTE,
                .stable_for_us = 30 * USEC_PER_SEC,
                .poll_us = 30 * USEC_PER_SEC,
                .guard_us = 2 * USEC_PER_MINUTE,
                .credential_tries = 3,
                .gate_poll_us = 4 * USEC_PER_SEC,
                .vain_efforts_max = 3,
                .prepull = true,
        };
}

static Policy run_policy(void) {
        Policy p = usual();

        p.one_shot = p.stop_terminates = true;
        return p;
}

static void format_actions(const Actions *actions, Buffer *ret) {
        for (size_t i = 0; i < actions->n; i++) {
                ActionKind kind = actions->item[i].kind;

                if (kind == ACTION_ARM || kind == ACTION_DISARM || kind == ACTION_REPORT)
                        continue;
                assert_int_equal(buffer_append_format(ret, "%s%s", ret->size > 0 ? " " : "",
                                                      action_kind_to_string(kind)), 0);
                if (kind == ACTION_EXIT)
                        assert_int_equal(buffer_append_format(ret, "(%d)", actions->item[i].exit_code), 0);
        }
}

/* Time passes only by timers: one that is fed fires exactly when it is due. */
static Machine walk(Machine m, const Policy *policy, const Row rows[], size_t n_rows, usec_t *now_us) {
        for (size_t i = 0; i < n_rows; i++) {
                _cleanup_buffer_ Buffer text = BUFFER_INIT(1024);
                const Event *event = &rows[i].event;
                Actions actions;

                if (event->kind == EVENT_TIMER && event->timer < _TIMER_MAX && m.armed_us[event->timer] != USEC_INFINITY)
                        *now_us = m.armed_us[event->timer];
                m = machine_step(m, policy, event, *now_us, &actions);
                format_actions(&actions, &text);
                if (m.state != rows[i].state || !streq(buffer_string(&text), rows[i].actions))
                        print_error("row %zu, %s: %s, %s\n", i, event_kind_to_string(event->kind),
                                    state_to_string(m.state), buffer_string(&text));
                assert_string_equal(state_to_string(m.state), state_to_string(rows[i].state));
                assert_string_equal(buffer_string(&text), rows[i].actions);
        }
        return m;
}

#define WALK(machine, policy, now, ...) \
        walk((machine), &(policy), (const Row[]) { __VA_ARGS__ }, ELEMENTS(((const Row[]) { __VA_ARGS__ })), &(now))

#define ON(k, ...) { .kind = EVENT_##k, __VA_ARGS__ }
#define FAIL_OF(k, c, x) { .kind = EVENT_##k, .class = CLASS_##c, .exit_code = (x) }
#define FIRES(t) { .kind = EVENT_TIMER, .timer = TIMER_##t }
#define SEES(what) { .kind = EVENT_PROBED, .membership = MEMBERSHIP_##what }
#define TOKEN_LIVES(us) { .kind = EVENT_MINTED, .token_deadline_us = NOW_US + (us) }

/* What most ways begin with. */
#define TO_PREFLIGHT                                                                    \
        { ON(START), STATE_LOADING, "SAVE LOAD_SPEC" },                                 \
        { ON(SPEC_LOADED), STATE_PREFLIGHT, "SAVE ATTACH" }
#define THROUGH_GATES                                                                   \
        { ON(KEEPER_IDLE), STATE_PREFLIGHT, "CHECK_HOST" },                             \
        { ON(HOST_READY), STATE_PREFLIGHT, "CHECK_NETWORK" },                           \
        { ON(NETWORK_READY), STATE_PROBING, "SAVE PROBE" }
#define PROBING_AGAIN                                                                   \
        { FIRES(WAIT), STATE_PREFLIGHT, "SAVE ATTACH" },                                \
        THROUGH_GATES
#define TO_PROBING                                                                      \
        TO_PREFLIGHT,                                                                   \
        { ON(KEEPER_IDLE), STATE_PREFLIGHT, "CHECK_HOST" },                             \
        { ON(HOST_READY), STATE_BACKOFF, "SAVE" }, /* the splay */                      \
        PROBING_AGAIN
#define TO_INSTALLING                                                                   \
        TO_PROBING,                                                                     \
        { SEES(NONE), STATE_PREPARING, "SAVE PREPARE" },                                \
        { ON(PREPARED), STATE_MINTING, "SAVE MINT" },                                   \
        { TOKEN_LIVES(USEC_PER_HOUR), STATE_INSTALLING, "SAVE INSTALL" },               \
        { ON(KEEPER_RUNNING), STATE_INSTALLING, "" }
#define TO_VERIFYING                                                                    \
        TO_INSTALLING,                                                                  \
        { ON(INSTALL_EXITED), STATE_VERIFYING, "WIPE_TOKEN SAVE ACKNOWLEDGE LOOK" }

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

        p.guard_us = 5 * USEC_PER_HOUR;
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

/* stable_for counts from the first good look after the last bad or missing one. */
static void test_stability_starts_over(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;

        WALK(machine_fresh(), p, now, TO_VERIFYING, { ON(VIEWED), STATE_VERIFYING, "" },
             { FIRES(WAIT), STATE_VERIFYING, "LOOK" }, { FAIL_OF(FAILED, TRANSIENT, 69), STATE_VERIFYING, "" },
             { FIRES(WAIT), STATE_VERIFYING, "LOOK" }, { ON(VIEWED), STATE_VERIFYING, "" },
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

static void test_retry_begins_anew(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = machine_fresh();

        m.half_joined = true;
        m = WALK(m, p, now, TO_PROBING, { FAIL_OF(FAILED, PERMANENT, 77), STATE_FAILED, "WIPE_TOKEN SAVE" });
        assert_int_equal(machine_deadline_us(&m, &p), USEC_INFINITY);
        now += 3 * USEC_PER_HOUR;
        m = WALK(m, p, now, { ON(RETRY), STATE_LOADING, "SAVE LOAD_SPEC" },
                 { ON(SPEC_LOADED), STATE_PREFLIGHT, "SAVE ATTACH" },
                 THROUGH_GATES); /* a person waits: no splay */
        assert_int_equal(m.started_us, now);
        assert_int_equal(m.window, 0);
        assert_true(m.half_joined); /* what we left there is ours still */
        assert_int_equal(machine_deadline_us(&m, &p), now + p.give_up_after_us);
}

/* In PREFLIGHT, BACKOFF and the final states at once, elsewhere as soon as one of these is reached; a token
 * goes with the spec that it was minted for. */
static void test_changed_spec(void **state) {
        Policy p = usual(), run = run_policy();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_INSTALLING, { ON(SPEC_CHANGED), STATE_INSTALLING, "" });

        WALK(m, p, now, { FAIL_OF(INSTALL_EXITED, TRANSIENT, 75), STATE_SETTLING, "SAVE ACKNOWLEDGE SETTLE" },
             { ON(SETTLED), STATE_BACKOFF, "SAVE" }, { FIRES(WAIT), STATE_LOADING, "WIPE_TOKEN SAVE LOAD_SPEC" });
        WALK(m, p, now, { FAIL_OF(INSTALL_EXITED, PERMANENT, 73), STATE_SETTLING, "SAVE ACKNOWLEDGE SETTLE" },
             { ON(SETTLED), STATE_LOADING, "WIPE_TOKEN SAVE LOAD_SPEC" });
        now = NOW_US;
        WALK(machine_fresh(), p, now, TO_PROBING, { FAIL_OF(FAILED, TRANSIENT, 69), STATE_BACKOFF, "SAVE" },
             { ON(SPEC_CHANGED), STATE_LOADING, "SAVE LOAD_SPEC" });
        now = NOW_US;
        WALK(machine_fresh(), p, now, TO_PROBING, { SEES(AS_PLANNED), STATE_ENROLLED, "WIPE_TOKEN SAVE" },
             { ON(SPEC_CHANGED), STATE_LOADING, "SAVE LOAD_SPEC" },
             { ON(SPEC_LOADED), STATE_PREFLIGHT, "SAVE ATTACH" });
        now = NOW_US;
        WALK(machine_fresh(), run, now, TO_PROBING, { FAIL_OF(FAILED, TRANSIENT, 69), STATE_BACKOFF, "SAVE" },
             { ON(SPEC_CHANGED), STATE_BACKOFF, "" });
}

/* The wall belongs to the effort: it goes on over a restart, and one that has passed meanwhile
 * is not held against whoever starts us now. */
static void test_wall_over_restarts(void **state) {
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = machine_fresh();

        m.started_us = NOW_US - USEC_PER_HOUR;
        m.spent_us = USEC_PER_HOUR;
        m.window = 1;
        m = WALK(m, p, now, TO_PREFLIGHT);
        assert_int_equal(m.armed_us[TIMER_GIVE_UP], NOW_US + 2 * USEC_PER_HOUR);
        assert_int_equal(m.window, 1);

        m = machine_fresh();
        m.started_us = NOW_US - USEC_PER_HOUR;
        m.spent_us = 365 * 24 * USEC_PER_HOUR;
        m.window = 2;
        m = WALK(m, p, now, TO_PREFLIGHT);
        assert_int_equal(m.armed_us[TIMER_GIVE_UP], NOW_US + p.give_up_after_us);
        assert_int_equal(m.window, 0);
}

/* A shut gate keeps the state, so that since when it is shut can be seen; everything is asked again
 * after a short while, whatever the backoff has grown to. */
static void test_shut_gates(void **state) {
        static const Event shut = FAIL_OF(FAILED, HOST, 78), refused = FAIL_OF(FAILED, PERMANENT, 78);
        Policy p = usual(), run = run_policy();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_PREFLIGHT);
        usec_t since_us = m.since_us;

        for (unsigned i = 0; i < 100; i++) {
                usec_t before = now;

                m = WALK(m, p, now, { ON(KEEPER_IDLE), STATE_PREFLIGHT, "CHECK_HOST" }, { shut, STATE_PREFLIGHT, "" },
                         { FIRES(WAIT), STATE_PREFLIGHT, "ATTACH" });
                assert_true(now - before >= p.gate_poll_us / 2 && now - before <= p.gate_poll_us);
        }
        assert_int_equal(m.since_us, since_us);
        /* Meanwhile the splay has passed. */
        m = WALK(m, p, now, { ON(KEEPER_IDLE), STATE_PREFLIGHT, "CHECK_HOST" },
                 { ON(HOST_READY), STATE_PREFLIGHT, "CHECK_NETWORK" }, { shut, STATE_PREFLIGHT, "" });
        WALK(m, p, now, { ON(RETRY), STATE_PREFLIGHT, "ATTACH" }, { ON(RETRY), STATE_PREFLIGHT, "" });
        WALK(m, p, now, { ON(SPEC_CHANGED), STATE_LOADING, "SAVE LOAD_SPEC" });
        WALK(m, p, now, { FIRES(GIVE_UP), STATE_FAILED, "WIPE_TOKEN SAVE" });
        WALK(m, p, now, { FIRES(WAIT), STATE_PREFLIGHT, "ATTACH" }, { FIRES(GUARD), STATE_PREFLIGHT, "CANCEL" },
             { FIRES(WAIT), STATE_PREFLIGHT, "ATTACH" }, { ON(SPEC_CHANGED), STATE_LOADING, "CANCEL SAVE LOAD_SPEC" });
        m = WALK(m, p, now, { FIRES(WAIT), STATE_PREFLIGHT, "ATTACH" }, { refused, STATE_FAILED, "WIPE_TOKEN SAVE" });
        assert_int_equal(m.exit_code, 78);

        now = NOW_US;
        m = WALK(machine_fresh(), run, now, TO_PREFLIGHT, { ON(KEEPER_IDLE), STATE_PREFLIGHT, "CHECK_HOST" },
                 { shut, STATE_PREFLIGHT, "" }, { FIRES(GIVE_UP), STATE_FAILED, "WIPE_TOKEN SAVE EXIT(78)" });
        assert_int_equal(m.end, END_DEADLINE);
}

/* What must be on record and is not was not done: it is taken back, and tried again. */
static void test_unrecorded(void **state) {
        static const Event unrecorded = FAIL_OF(UNRECORDED, HOST, 78);
        Policy p = usual();
        usec_t now = NOW_US;
        Machine m = WALK(machine_fresh(), p, now, TO_PROBING, { SEES(NONE), STATE_PREPARING, "SAVE PREPARE" },
                         { ON(PREPARED), STATE_MINTING, "SAVE MINT" }, { unrecorded, STATE_BACKOFF, "SAVE" });

        assert_int_equal(m.window, 0);
        assert_int_equal(m.vain_efforts, 0);
        m = WALK(m, p, now, { FIRES(WAIT), STATE_PROBING, "SAVE PROBE" }, { SEES(NONE), STATE_MINTING, "SAVE MINT" },
                 { TOKEN_LIVES(USEC_PER_HOUR), STATE_INSTALLING, "SAVE INSTALL" }, { unrecorded, STATE_BACKOFF, "SAVE" });
        assert_true(m.token_held && !m.installer_pending && !m.half_joined);
        assert_int_equal(m.attempt, 0);
        m = WALK(m, p, now, { FIRES(WAIT), STATE_PROBING, "SAVE PROBE" }, { SEES(NONE), STATE_INSTALLING, "SAVE INSTALL" });
        assert_int_equal(m.window, 1);
        assert_int_equal(m.attempt, 1);

        now = NOW_US;
        p.on_stale_replace = true;
        WALK(machine_fresh(), p, now, TO_PROBING, { SEES(DISCONNECTED), STATE_PROBING, "REPLACE_RUNNER" },
             { unrecorded, STATE_BACKOFF, "SAVE" }, PROBING_AGAIN,
             { SEES(DISCONNECTED), STATE_PROBING, "REPLACE_RUNNER" }, { ON(REPLACED), STATE_PROBING, "PROBE" });
}

static Machine boot_again(const Machine *before) {
        Machine m = machine_fresh();

        m.vain_efforts = before->vain_efforts; /* what the record keeps */
        m.splayed = true;
        return m;
}

/* Boot after boot an enrollment asks for tokens and comes to nothing: the breaker opens, until a person
 * says so or the spec changes. A host that has become a member is seen all the same. */
static void test_loop_breaker(void **state) {
        Policy p = usual(), run = run_policy();
        Machine m = machine_fresh(), broken;
        usec_t now = NOW_US;

        p.prepull = run.prepull = false;
        /* A refusal that is sure to have minted nothing does not count. */
        m = WALK(boot_again(&m), p, now, TO_PREFLIGHT, THROUGH_GATES, { SEES(NONE), STATE_MINTING, "SAVE MINT" },
                 { FAIL_OF(FAILED, PERMANENT, 77), STATE_FAILED, "WIPE_TOKEN SAVE" });
        assert_int_equal(m.vain_efforts, 0);
        for (unsigned boot = 1; boot <= p.vain_efforts_max; boot++) {
                m = WALK(boot_again(&m), p, now, TO_PREFLIGHT, THROUGH_GATES, { SEES(NONE), STATE_MINTING, "SAVE MINT" },
                         { TOKEN_LIVES(USEC_PER_HOUR), STATE_INSTALLING, "SAVE INSTALL" },
                         { FAIL_OF(INSTALL_EXITED, PERMANENT, 73), STATE_SETTLING, "SAVE ACKNOWLEDGE SETTLE" },
                         { ON(SETTLED), STATE_FAILED, "WIPE_TOKEN SAVE" });
                assert_int_equal(m.vain_efforts, boot);
        }
        broken = boot_again(&m);
        m = WALK(broken, p, now, TO_PREFLIGHT, THROUGH_GATES, { SEES(NONE), STATE_FAILED, "WIPE_TOKEN SAVE" });
        assert_int_equal(m.end, END_LOOP);
        assert_int_equal(m.exit_code, 75);
        m = WALK(m, p, now, { ON(RETRY), STATE_LOADING, "SAVE LOAD_SPEC" },
                 { ON(SPEC_LOADED), STATE_PREFLIGHT, "SAVE ATTACH" }, THROUGH_GATES,
                 { SEES(NONE), STATE_MINTING, "SAVE MINT" });
        assert_int_equal(m.vain_efforts, 1);

        m = WALK(broken, p, now, TO_PREFLIGHT, THROUGH_GATES, { SEES(AS_PLANNED), STATE_ENROLLED, "WIPE_TOKEN SAVE" });
        assert_int_equal(m.vain_efforts, 0);
        WALK(broken, p, now, { ON(START), STATE_LOADING, "SAVE LOAD_SPEC" },
             { ON(SPEC_LOADED, .spec_differs = true), STATE_PREFLIGHT, "SAVE ATTACH" }, THROUGH_GATES,
             { SEES(NONE), STATE_MINTING, "SAVE MINT" });
        /* `run` is somebody's order each time. */
        WALK(broken, run, now, TO_PREFLIGHT, THROUGH_GATES, { SEES(NONE), STATE_MINTING, "SAVE MINT" });
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
                cmocka_unit_test(test_attempt_takes_too_long),
                cmocka_unit_test(test_keeper_lost),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_deadline_while_asking_the_keeper),
                cmocka_unit_test(test_late_answers),
                cmocka_unit_test(test_verification_fails),
                cmocka_unit_test(test_stability_starts_over),
                cmocka_unit_test(test_stopping_the_daemon),
                cmocka_unit_test(test_stopping_a_run),
                cmocka_unit_test(test_retry_begins_anew),
                cmocka_unit_test(test_changed_spec),
                cmocka_unit_test(test_wall_over_restarts),
                cmocka_unit_test(test_shut_gates),
                cmocka_unit_test(test_unrecorded),
                cmocka_unit_test(test_loop_breaker),
                cmocka_unit_test(test_timers),
                cmocka_unit_test(test_next),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_graph_is_the_manuals),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
