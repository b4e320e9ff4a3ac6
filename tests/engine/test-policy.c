/* SPDX-License-Identifier: Apache-2.0 */

/* The arithmetic of waiting: bounds hold for all arguments, extremes included; the splay
 * spreads; production defaults fit together. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "engine/policy.h"

static const Policy plain = {
        .backoff_min_us = 5 * USEC_PER_SEC,
        .backoff_max_us = 60 * USEC_PER_SEC,
        .gate_poll_us = 4 * USEC_PER_SEC,
        .attempt_timeout_us = 20 * USEC_PER_MINUTE,
        .token_margin_us = USEC_PER_MINUTE,
};

static const usec_t times[] = {
        0, 1, USEC_PER_SEC, 5 * USEC_PER_SEC, 20 * USEC_PER_SEC, USEC_PER_MINUTE, USEC_PER_HOUR,
        USEC_INFINITY / 3, USEC_INFINITY - 1, USEC_INFINITY,
};
static const uint32_t chances[] = { 0, 1, UINT32_MAX / 2, UINT32_MAX };

static void check_bounds(OutcomeClass class, usec_t previous, usec_t retry_after, usec_t remaining,
                         uint32_t random) {
        usec_t wait = policy_backoff_us(&plain, class, previous, retry_after, remaining, random);
        usec_t asked = retry_after < USEC_PER_HOUR ? retry_after : USEC_PER_HOUR;

        if (asked > remaining)
                asked = remaining;
        assert_true(wait >= (class == CLASS_TIME ? plain.gate_poll_us : plain.backoff_min_us));
        assert_true(wait >= asked);
        assert_true(wait <= USEC_PER_HOUR + USEC_PER_HOUR / 10);
        if (retry_after == 0 && class == CLASS_TRANSIENT)
                assert_true(wait <= plain.backoff_max_us);
        if (class == CLASS_OPERATOR || class == CLASS_CREDENTIAL)
                assert_true(wait >= plain.backoff_max_us);
}

static void test_backoff_is_bounded(void **state) {
        for (OutcomeClass class = CLASS_TRANSIENT; class < _CLASS_MAX; class++)
                for (size_t p = 0; p < ELEMENTS(times); p++)
                        for (size_t a = 0; a < ELEMENTS(times); a++)
                                for (size_t r = 0; r < ELEMENTS(times); r++)
                                        for (size_t c = 0; c < ELEMENTS(chances); c++)
                                                check_bounds(class, times[p], times[a], times[r], chances[c]);
}

static void test_backoff_grows_from_min_to_max(void **state) {
        usec_t wait = 0;

        assert_int_equal(policy_backoff_us(&plain, CLASS_TRANSIENT, 0, 0, USEC_INFINITY, 0), 5 * USEC_PER_SEC);
        for (unsigned i = 0; i < 5; i++) {
                usec_t next = policy_backoff_us(&plain, CLASS_TRANSIENT, wait, 0, USEC_INFINITY, UINT32_MAX);

                assert_true(next >= wait);
                assert_true(next <= 3 * (wait > plain.backoff_min_us ? wait : plain.backoff_min_us));
                wait = next;
        }
        assert_true(wait > 59 * USEC_PER_SEC);
}

/* Near the wall the waits get shorter, so that the last minutes are used. */
static void test_backoff_leaves_room_before_the_wall(void **state) {
        usec_t wait = policy_backoff_us(&plain, CLASS_TRANSIENT, USEC_PER_MINUTE, 0, 40 * USEC_PER_SEC, UINT32_MAX);

        assert_true(wait <= 10 * USEC_PER_SEC);
}

static void test_retry_after_is_spread_upwards(void **state) {
        usec_t low = policy_backoff_us(&plain, CLASS_THROTTLED, 0, 2 * USEC_PER_MINUTE, USEC_INFINITY, 0);
        usec_t high = policy_backoff_us(&plain, CLASS_THROTTLED, 0, 2 * USEC_PER_MINUTE, USEC_INFINITY, UINT32_MAX);

        assert_int_equal(low, 2 * USEC_PER_MINUTE);
        assert_true(high > low + 11 * USEC_PER_SEC && high <= low + 12 * USEC_PER_SEC);
}

static void test_attempt_fits(void **state) {
        usec_t need = plain.attempt_timeout_us + plain.token_margin_us, now = 7 * USEC_PER_HOUR;

        assert_true(policy_attempt_fits(&plain, now + need, now));
        assert_false(policy_attempt_fits(&plain, now + need - 1, now));
        assert_false(policy_attempt_fits(&plain, now - 1, now));
        assert_false(policy_attempt_fits(&plain, 0, now));
        assert_true(policy_attempt_fits(&plain, USEC_INFINITY, now));
}

/* The spec's defaults, as the manual gives them. */
static Spec default_spec(void) {
        Spec spec = {
                .token = { .validity_us = USEC_PER_HOUR },
                .installer = { .attempt_timeout_us = 20 * USEC_PER_MINUTE, .prepull = true },
                .retry = { .splay_us = USEC_PER_MINUTE, .backoff_min_us = 5 * USEC_PER_SEC,
                           .backoff_max_us = USEC_PER_MINUTE, .windows = 3,
                           .give_up_after_us = 4 * USEC_PER_HOUR },
                .verify = { .timeout_us = 10 * USEC_PER_MINUTE, .stable_for_us = 30 * USEC_PER_SEC },
        };

        return spec;
}

static void test_defaults_fit_together(void **state) {
        Spec spec = default_spec();
        Policy p = policy_from_spec(&spec, "0123456789abcdef0123456789abcdef", false);
        usec_t window = spec.token.validity_us;

        /* A token has room for two attempts and the wait between them; the wall for all windows. */
        assert_true(2 * p.attempt_timeout_us + p.token_margin_us + p.backoff_max_us <= window);
        assert_true(p.windows * window <= p.give_up_after_us);
        assert_true(p.backoff_min_us <= p.backoff_max_us);
        assert_true(2 * p.poll_us <= p.stable_for_us && p.stable_for_us < p.verify_timeout_us);
        assert_true(p.guard_us < p.attempt_timeout_us);
        assert_int_equal(p.credential_tries, 2); /* a wrong one costs one further request */
        assert_true(p.vain_efforts_max > 1);
        /* A gate's opening is noticed within 10 s: the wait, and a look that takes its time (2.5 s). */
        assert_true(p.gate_poll_us + 2500 * USEC_PER_MSEC < 10 * USEC_PER_SEC);
        assert_true(p.prepull && !p.one_shot && !p.stop_terminates && !p.on_stale_replace);
        assert_true(policy_from_spec(&spec, "", true).stop_terminates);
}

/* The longest attempt that the spec's check lets through (spec-check.c: a tenth of the validity, at
 * most 60 s, is left) fits into a token that was half a minute, or half of the margin, on its way. */
static void test_the_longest_attempt_fits_a_fresh_token(void **state) {
        static const usec_t validities_us[] = { USEC_PER_MINUTE, 10 * USEC_PER_MINUTE, USEC_PER_HOUR, 24 * USEC_PER_HOUR };

        for (size_t i = 0; i < ELEMENTS(validities_us); i++) {
                Spec spec = default_spec();
                usec_t left_us = validities_us[i] / 10 < USEC_PER_MINUTE ? validities_us[i] / 10 : USEC_PER_MINUTE;
                Policy p;

                spec.token.validity_us = validities_us[i];
                spec.installer.attempt_timeout_us = validities_us[i] - left_us;
                p = policy_from_spec(&spec, "", false);
                assert_true(p.token_margin_us > 0);
                assert_true(policy_attempt_fits(&p, validities_us[i], left_us / 2));
                assert_false(policy_attempt_fits(&p, validities_us[i], left_us));
        }
}

/* Durations of a test bench still give a policy that works. */
static void test_short_durations_stay_sane(void **state) {
        Spec spec = { .verify = { .timeout_us = 1 } };
        Policy p = policy_from_spec(&spec, "", false);

        assert_true(p.backoff_min_us > 0 && p.backoff_max_us >= p.backoff_min_us);
        assert_true(p.poll_us > 0 && p.guard_us > 0 && p.gate_poll_us > 0);
        assert_int_equal(p.splay_us, 0);
}

static void test_splay_is_even_and_stable(void **state) {
        enum { HOSTS = 6000, PARTS = 6 };
        Spec spec = default_spec();
        unsigned part[PARTS] = {};

        for (unsigned i = 0; i < HOSTS; i++) {
                char id[33];
                usec_t splay;

                (void) snprintf(id, sizeof(id), "%032x", i); /* neighbours: the hardest case for a hash */
                splay = policy_from_spec(&spec, id, false).splay_us;
                assert_true(splay < spec.retry.splay_us);
                assert_int_equal(splay, policy_from_spec(&spec, id, false).splay_us);
                part[splay * PARTS / spec.retry.splay_us]++;
        }
        for (unsigned i = 0; i < PARTS; i++)
                assert_in_range(part[i], HOSTS / PARTS - 150, HOSTS / PARTS + 150);
}

static void test_gates_are_looked_at_often(void **state) {
        static const Policy p = { .backoff_min_us = 5 * USEC_PER_SEC, .backoff_max_us = USEC_PER_HOUR,
                                  .gate_poll_us = 4 * USEC_PER_SEC };

        for (size_t i = 0; i < ELEMENTS(chances); i++) {
                usec_t wait = policy_gate_wait_us(&p, 0, chances[i]);

                assert_true(wait >= 2 * USEC_PER_SEC && wait <= 4 * USEC_PER_SEC);
                /* So is a clock, however long others have been waiting. */
                wait = policy_backoff_us(&p, CLASS_TIME, USEC_PER_HOUR, 0, USEC_INFINITY, chances[i]);
                assert_true(wait > 0 && wait <= p.gate_poll_us);
        }
        assert_true(policy_gate_wait_us(&p, 0, 0) > policy_gate_wait_us(&p, 0, UINT32_MAX));
}

/* Whoever waits for a coordinator comes back at most a quarter later than he would have had to, and never later than the longest
 * pause; who has not waited long yet as soon as for a gate of his own. */
static void test_coordinators_are_given_time(void **state) {
        static const Policy p = { .backoff_max_us = USEC_PER_MINUTE, .gate_poll_us = 4 * USEC_PER_SEC };
        static const struct {
                usec_t waited_s, most_s;
        } cases[] = { { 0, 4 }, { 10, 4 }, { 40, 10 }, { 120, 30 }, { 240, 60 }, { 100000, 60 } };

        for (size_t c = 0; c < ELEMENTS(cases); c++)
                for (size_t i = 0; i < ELEMENTS(chances); i++) {
                        usec_t wait = policy_gate_wait_us(&p, cases[c].waited_s * USEC_PER_SEC, chances[i]);

                        assert_true(wait >= cases[c].most_s * USEC_PER_SEC / 2 && wait <= cases[c].most_s * USEC_PER_SEC);
                }
        assert_true(policy_gate_wait_us(&p, USEC_INFINITY, 0) <= p.backoff_max_us);
}

/* A look at what is not yet as planned: as often as ever at first, then after a quarter of the time that it takes already, and not all
 * hosts at once. */
static void test_looks_grow_rare(void **state) {
        static const Policy p = { .poll_us = 5 * USEC_PER_SEC, .stable_for_us = 30 * USEC_PER_SEC };
        static const struct {
                usec_t waited_s, least_ms;
        } cases[] = { { 0, 5000 }, { 20, 5000 }, { 60, 15000 }, { 120, 30000 }, { 100000, 30000 } };
        usec_t waited_us = 0;
        unsigned looks = 0;

        for (size_t c = 0; c < ELEMENTS(cases); c++)
                for (size_t i = 0; i < ELEMENTS(chances); i++) {
                        usec_t wait = policy_look_wait_us(&p, cases[c].waited_s * USEC_PER_SEC, chances[i]);

                        assert_true(wait >= cases[c].least_ms * USEC_PER_MSEC && wait <= cases[c].least_ms * 1250);
                }
        for (; waited_us < 10 * USEC_PER_MINUTE; looks++)
                waited_us += policy_look_wait_us(&p, waited_us, UINT32_MAX / 2);
        assert_in_range(looks, 20, 40); /* one every five seconds would be 120 */

        assert_int_equal(policy_stable_wait_us(&p, 30 * USEC_PER_SEC), 10 * USEC_PER_SEC);
        assert_int_equal(policy_stable_wait_us(&p, 3 * USEC_PER_SEC), 3 * USEC_PER_SEC);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_backoff_is_bounded),
                cmocka_unit_test(test_backoff_grows_from_min_to_max),
                cmocka_unit_test(test_backoff_leaves_room_before_the_wall),
                cmocka_unit_test(test_retry_after_is_spread_upwards),
                cmocka_unit_test(test_attempt_fits),
                cmocka_unit_test(test_defaults_fit_together),
                cmocka_unit_test(test_the_longest_attempt_fits_a_fresh_token),
                cmocka_unit_test(test_short_durations_stay_sane),
                cmocka_unit_test(test_gates_are_looked_at_often),
                cmocka_unit_test(test_coordinators_are_given_time),
                cmocka_unit_test(test_looks_grow_rare),
                cmocka_unit_test(test_splay_is_even_and_stable),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
