/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The fleet against what is known without it: the whole agent in virtual time (test-fleet-lone.c), arithmetic, and its own
 * books.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "test-fleet.h"

#define ARRIVALS_MAX 65536U

static void note(void *userdata, unsigned host, unsigned coordinator, Arrival arrival, Door answer, usec_t at_us) {
        Log *log = userdata;

        assert_true(log->n < ARRIVALS_MAX);
        log->item[log->n++] = (Arrived) { host, coordinator, arrival, answer, at_us };
}

void log_follow(Log *log, FleetPlan *plan) {
        plan->seen = note;
        plan->userdata = log;
        log->n = 0;
}

FleetPlan plan_of(const char *words) {
        static char kept[1024]; /* policy= points into it */
        FleetPlan p = fleet_plan_usual();
        char *word = kept;

        assert_true((size_t) snprintf(kept, sizeof(kept), "%s", words) < sizeof(kept));
        while (*word) {
                size_t n = strcspn(word, " ");
                bool last = word[n] == '\0';

                word[n] = '\0';
                if (!fleet_plan_take(&p, word))
                        fail_msg("'%s' is no word of a plan", word);
                word += n + !last;
        }
        return p;
}

static FleetResult play_words(const char *words, Log *log) {
        FleetPlan p = plan_of(words);
        FleetResult r = { 0 };

        if (log)
                log_follow(log, &p);
        assert_int_equal(fleet_play(&p, &r), 0);
        return r;
}

static FleetResult play_seeded(const char *words, uint64_t seed) {
        FleetPlan p = plan_of(words);
        FleetResult r = { 0 };

        p.seed = seed;
        assert_int_equal(fleet_play(&p, &r), 0);
        return r;
}

Log log_new(void) {
        Log log = { .item = calloc(ARRIVALS_MAX, sizeof(Arrived)) };

        assert_non_null(log.item);
        return log;
}

/* --- Its own books ----------------------------------------------------------------------------- */

static void test_the_same_plan_is_the_same_run(void **state) {
        static const char words[] = "hosts=200 coordinators=3 capacity=10 limit=429 outage=0-60s:refused@1";
        FleetResult a = play_words(words, NULL), b = play_words(words, NULL);
        FleetResult other = play_seeded(words, 2);

        assert_int_equal(a.n_curve, b.n_curve);
        assert_memory_equal(a.curve, b.curve, a.n_curve * sizeof(*a.curve));
        assert_memory_equal(a.curve_requests, b.curve_requests, a.n_curve * sizeof(*a.curve_requests));
        assert_true(a.requests == b.requests && a.handshakes == b.handshakes && a.knocks == b.knocks);
        assert_true(a.requests != other.requests);
        fleet_result_done(&a);
        fleet_result_done(&b);
        fleet_result_done(&other);
}

static const char *const healthy_in_time[] = {
        "hosts=100",
        "hosts=100 outage=0-180s:refused",
        "hosts=100 outage=0-10m:silence",
        "hosts=100 outage=0-180s:429 retry-after=30s",
        "hosts=100 outage=0-180s:503-ece retry-after=drained",
        "hosts=100 capacity=20 limit=429 retry-after=drained",
        "hosts=100 capacity=20 limit=queue",
        "hosts=100 coordinators=3 outage=0-1d:silence@0",
        "hosts=100 coordinators=3 outage=30s-90s:refused@0 outage=90s-150s:refused@1 outage=150s-210s:refused@2",
        "hosts=100 policy=nomad outage=0-180s:refused",
        "hosts=100 policy=elastic-agent splayed=yes outage=0-180s:503",
};

static uint64_t sum(const unsigned *curve, size_t n) {
        uint64_t total = 0;

        for (size_t i = 0; i < n; i++)
                total += curve[i];
        return total;
}

static void test_every_host_gets_in_and_is_silent_then(void **state) {
        char words[256];

        for (size_t i = 0; i < ELEMENTS(healthy_in_time); i++) {
                FleetResult r = play_words(healthy_in_time[i], NULL), longer;

                (void) snprintf(words, sizeof(words), "%s until=3h", healthy_in_time[i]);
                longer = play_words(words, NULL);
                if (r.enrolled != 100 || r.tokens != 100)
                        fail_msg("%s: %u enrolled, %u tokens", healthy_in_time[i], r.enrolled, (unsigned) r.tokens);
                assert_true(r.token_99_s > 0 && r.enrolled_99_s > r.token_99_s);
                assert_true(sum(r.curve, r.n_curve) == r.requests + r.bare + r.knocks);
                assert_true(sum(r.curve_requests, r.n_curve) == r.requests);
                assert_true(sum(r.curve_handshakes, r.n_curve) == r.handshakes);
                assert_true(longer.requests == r.requests && longer.handshakes == r.handshakes);
                fleet_result_done(&r);
                fleet_result_done(&longer);
        }
}

/* Version, runner, role, allocator, on one connection; by the defaults two or three times in what is left of three hours. */
static void test_enrolled_hosts_look_and_do_nothing_else(void **state) {
        FleetResult r = play_words("hosts=100", NULL), longer = play_words("hosts=100 drift=yes until=3h", NULL);
        uint64_t more = longer.requests - r.requests;

        assert_true((longer.handshakes - r.handshakes) * 4 == more);
        assert_true(more % 4 == 0 && more >= 4 * 2 * 100 && more <= 4 * 3 * 100);
        fleet_result_done(&r);
        fleet_result_done(&longer);
}

/* Probe, token, four looks at three requests. A POST goes only on a connection that was used in the second before, and what a
 * coordinator had open goes down with it. */
static void test_connections_are_kept_like_the_agents(void **state) {
        static const struct {
                const char *words;
                unsigned handshakes;
        } rows[] = {
                { "hosts=1 spread=0", 3 },
                { "hosts=1 spread=0 pull=0s", 2 },
                { "hosts=1 spread=0 pull=10s", 3 },
                { "hosts=1 spread=0 pull=0s install=15s", 1 },
                { "hosts=1 spread=0 pull=0s install=30s", 2 },
                { "hosts=1 spread=0 splay=0 pull=0s install=15s outage=5s-6s:refused", 2 },
                { "hosts=1 spread=0 splay=0 pull=0s install=15s outage=5s-6s:503", 1 },
                { "hosts=1 spread=0 policy=k3s", 3 },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                FleetResult r = play_words(rows[i].words, NULL);

                if (r.requests != 2 + 1 + 4 * 3 || r.handshakes != rows[i].handshakes || r.bare != 0)
                        fail_msg("%s: %u requests, %u handshakes", rows[i].words, (unsigned) r.requests, (unsigned) r.handshakes);
                fleet_result_done(&r);
        }
}

static void test_who_gives_up_stays_outside(void **state) {
        FleetResult r = play_words("hosts=100 policy=afterburn outage=0-10m:refused", NULL);

        assert_int_equal(r.enrolled, 0);
        assert_int_equal(r.failed, 100);
        assert_true(r.knocks == 10 * 100 && r.token_99_s < 0);
        fleet_result_done(&r);
}

/* --- Arithmetic -------------------------------------------------------------------------------- */

/* Two requests each in less than a tenth of a second: binomial, so six standard deviations are never passed. */
static void test_splay_bounds_the_peak(void **state) {
        FleetResult none = play_words("hosts=6000 boot=0 spread=0 pull=5m splay=0", NULL);
        FleetResult r = play_words("hosts=6000 boot=0 spread=0 pull=5m splay=60s", NULL);
        double mean = 6000.0 / 60;
        unsigned peak = 0;

        for (size_t i = 0; i < 62; i++)
                peak = r.curve[i] > peak ? r.curve[i] : peak;
        assert_int_equal(none.curve[0], 2 * 6000);
        assert_true(sum(r.curve, 62) == 2 * 6000);
        assert_true(peak >= 2 * mean && peak <= 2 * (mean + 6 * sqrt(mean)));
        assert_true(fabs(r.first_mean_s - 30) < 1);
        fleet_result_done(&none);
        fleet_result_done(&r);
}

static void test_no_more_is_served_than_there_is_capacity(void **state) {
        static const char *const words[] = { "hosts=300 splay=0 pull=0 capacity=7 limit=429 until=100s",
                                             "hosts=300 splay=0 pull=0 capacity=7 limit=503-ece retry-after=drained until=100s" };
        Log log = log_new();

        for (size_t i = 0; i < ELEMENTS(words); i++) {
                FleetResult r = play_words(words[i], &log);
                unsigned served = 0;

                for (size_t n = 0; n < log.n; n++)
                        served += log.item[n].arrival != ARRIVAL_HANDSHAKE && log.item[n].answer == DOOR_OPEN;
                assert_in_range(served, 6 * 100, 7 * 101);
                fleet_result_done(&r);
        }
        free(log.item);
}

/* Who has the dead one first finds nobody, shakes hands with it again and then with the others, and avoids it for longer than it takes
 * to come to a token. */
static void test_a_dead_coordinator_costs_what_it_should(void **state) {
        static const struct {
                const char *words;
                double cost_s;
        } rows[] = { { "silence", 2.5 + 0.25 + 0.030 }, { "refused", 3 * 0.030 } };
        unsigned dearer[ELEMENTS(rows)] = { 0 };
        char words[128];

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                for (unsigned seed = 1; seed <= 30; seed++) {
                        FleetResult all, two;
                        double cost_s;

                        (void) snprintf(words, sizeof(words), "hosts=1 spread=0 coordinators=3 outage=0-1d:%s@0", rows[i].words);
                        all = play_seeded("hosts=1 spread=0 coordinators=3", seed);
                        two = play_seeded(words, seed);
                        cost_s = two.token_99_s - all.token_99_s;
                        assert_int_equal(two.enrolled, 1);
                        assert_true(fabs(cost_s) < 0.0005 || fabs(cost_s - rows[i].cost_s) < 0.0005);
                        dearer[i] += cost_s > 0.0005;
                        fleet_result_done(&all);
                        fleet_result_done(&two);
                }
        assert_int_equal(dearer[0], dearer[1]);
        assert_in_range(dearer[0], 3, 20); /* a third of 30 */
}

/* Requests that came earlier than their host was asked to come. */
static unsigned impatient(const Log *log, usec_t asked_us) {
        static usec_t until_us[100];
        unsigned n = 0;

        memset(until_us, 0, sizeof(until_us));
        for (size_t i = 0; i < log->n; i++) {
                const Arrived *s = &log->item[i];

                if (s->arrival == ARRIVAL_HANDSHAKE)
                        continue;
                n += s->at_us < until_us[s->host];
                if (s->answer != DOOR_OPEN)
                        until_us[s->host] = s->at_us + asked_us;
        }
        return n;
}

static void test_retry_after_is_obeyed(void **state) {
        Log log = log_new();
        FleetResult r = play_words("hosts=100 outage=0-90s:429 retry-after=120s", &log);

        assert_int_equal(impatient(&log, 120 * USEC_PER_SEC), 0);
        assert_int_equal(r.enrolled, 100);
        fleet_result_done(&r);
        r = play_words("hosts=100 outage=0-90s:429 retry-after=120s policy=kubeadm", &log);
        assert_true(impatient(&log, 120 * USEC_PER_SEC) > 100);
        fleet_result_done(&r);
        free(log.item);
}

static void test_plans_that_make_no_sense(void **state) {
        static const char *const words[] = { "hosts=many", "hosts=-1", "outage=0-10s", "outage=0-10s:asleep", "outage=0-10s:429@9",
                                             "limit=refused", "splay=60", "spread=101", "drift=maybe", "hosts", "colour=red" };
        FleetPlan p = fleet_plan_usual();
        FleetResult r;

        for (size_t i = 0; i < ELEMENTS(words); i++)
                assert_false(fleet_plan_take(&p, words[i]));
        p = fleet_plan_usual();
        p.limit = LIMIT_QUEUE; /* of what? */
        assert_int_equal(fleet_play(&p, &r), -EINVAL);
        p = fleet_plan_usual();
        p.policy = "nobody";
        assert_int_equal(fleet_play(&p, &r), -EINVAL);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_lone_host_is_the_agent),
                cmocka_unit_test(test_a_lone_host_fails_over_like_the_agent),
                cmocka_unit_test(test_the_same_plan_is_the_same_run),
                cmocka_unit_test(test_every_host_gets_in_and_is_silent_then),
                cmocka_unit_test(test_enrolled_hosts_look_and_do_nothing_else),
                cmocka_unit_test(test_connections_are_kept_like_the_agents),
                cmocka_unit_test(test_who_gives_up_stays_outside),
                cmocka_unit_test(test_splay_bounds_the_peak),
                cmocka_unit_test(test_no_more_is_served_than_there_is_capacity),
                cmocka_unit_test(test_a_dead_coordinator_costs_what_it_should),
                cmocka_unit_test(test_retry_after_is_obeyed),
                cmocka_unit_test(test_plans_that_make_no_sense),
        };

        log_open("test-fleet", 0);
        log_quiet_stderr(true);
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
