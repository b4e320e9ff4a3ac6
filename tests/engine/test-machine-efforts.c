/* SPDX-License-Identifier: Apache-2.0 */

/* What an enrollment waits for, and where one ends and another begins: shut gates, a disk that takes no record, boots
 * in a loop, a person's retry, a changed spec, the wall. */

#include "machine-walk.h"

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

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shut_gates),
                cmocka_unit_test(test_unrecorded),
                cmocka_unit_test(test_loop_breaker),
                cmocka_unit_test(test_retry_begins_anew),
                cmocka_unit_test(test_changed_spec),
                cmocka_unit_test(test_wall_over_restarts),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
