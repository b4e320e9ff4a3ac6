/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The promises of the machine, over random worlds (model-world.h): never two installers, none
 * without a token that outlives it, look before minting, record before world, never without a
 * timer, no persistent token left behind, tokens bounded in an enrollment and over all reboots, nothing of others deleted, no early
 * end for what passes by itself; and after any crash, and whenever the disk is full, a right end.
 *
 * SEED=N in the environment repeats a run. A run that breaks a promise is cut at the breaking step
 * and shrunk by leaving out whatever it does not need, and printed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "model-world.h"

#define STEPS_WANTED 1000000U
#define CHOICES_MAX 400U

static uint64_t chance;

static uint64_t next_chance(void) {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        return chance;
}

/* Mostly the world answers; the rest is shared by everything that may go wrong. */
static Choice random_choice(void) {
        static const uint8_t deeds[] = {
                DEED_ANSWER, DEED_ANSWER, DEED_ANSWER, DEED_ANSWER, DEED_ANSWER, DEED_ANSWER, DEED_ANSWER,
                DEED_ANSWER, DEED_ANSWER, DEED_ANSWER, DEED_FAIL, DEED_FAIL, DEED_TIMER, DEED_TIMER, DEED_TIMER,
                DEED_TIMER, DEED_TIME, DEED_END, DEED_END, DEED_LOSE, DEED_CRASH, DEED_REBOOT, DEED_RUNNER,
                DEED_STOP, DEED_RETRY, DEED_SPEC, DEED_DISK, DEED_DISK,
        };
        uint64_t r = next_chance();

        return (Choice) {
                .deed = deeds[(r >> 8) % ELEMENTS(deeds)],
                .die_after = (r & 0xff) < 12 ? (uint8_t) (1 + (r & 0xff) % 10) : 0,
                .bits = (uint16_t) (r >> 48),
                .random = (uint32_t) next_chance(),
        };
}

/* Plays; returns the number of choices that were needed to break a promise, or n + 1 when none
 * is broken. */
static size_t play(World *w, uint64_t seed, const Choice choices[], size_t n) {
        world_begin(w, seed);
        for (size_t i = 0; i < n; i++) {
                if (w->broken)
                        return i;
                world_do(w, &choices[i]);
        }
        if (!w->broken)
                world_be_kind(w);
        return w->broken ? n : n + 1;
}

static bool breaks(uint64_t seed, const Choice choices[], size_t n, const char *promise) {
        World w;

        (void) play(&w, seed, choices, n);
        return streq_ptr(w.broken, promise);
}

/* Leaves out ever smaller pieces for as long as the same promise stays broken. */
static size_t shrink(uint64_t seed, Choice choices[], size_t n, const char *promise) {
        for (size_t piece = n / 2 > 0 ? n / 2 : 1; piece > 0; piece /= 2)
                for (size_t at = 0; at + piece <= n;) {
                        Choice shorter[CHOICES_MAX];

                        memcpy(shorter, choices, at * sizeof(Choice));
                        memcpy(shorter + at, choices + at + piece, (n - at - piece) * sizeof(Choice));
                        if (breaks(seed, shorter, n - piece, promise)) {
                                n -= piece;
                                memcpy(choices, shorter, n * sizeof(Choice));
                        } else
                                at++;
                }
        return n;
}

static void tell(uint64_t seed, const Choice choices[], size_t n) {
        static const char *const words[_DEED_MAX] = { "answer", "fail", "timer", "time", "end", "lose", "crash",
                                                      "reboot", "runner", "stop", "retry", "spec", "disk" };
        World w;

        world_begin(&w, seed);
        for (size_t i = 0; i < n; i++) {
                world_do(&w, &choices[i]);
                print_error("#   %2zu %-6s bits %04x dies %u -> %s%s%s\n", i, words[choices[i].deed], choices[i].bits,
                            choices[i].die_after, state_to_string(w.m.state), w.broken ? "  BROKEN: " : "",
                            w.broken ? w.broken : "");
        }
}

static void test_promises(void **state) {
        const char *asked = getenv("SEED");
        uint64_t seed = clock_realtime_us();
        unsigned long steps = 0, worlds = 0, enrolled = 0;

        if (asked && text_to_u64(asked, UINT64_MAX, &seed) < 0)
                fail_msg("SEED is no number");
        print_message("# SEED=%llu\n", (unsigned long long) seed);
        chance = seed ^ UINT64_C(0x9e3779b97f4a7c15);
        if (chance == 0)
                chance = 1;

        while (steps < STEPS_WANTED) {
                Choice choices[CHOICES_MAX];
                uint64_t world_seed = next_chance();
                size_t n = 1 + next_chance() % CHOICES_MAX, played;
                World w;

                for (size_t i = 0; i < n; i++)
                        choices[i] = random_choice();
                played = play(&w, world_seed, choices, n);
                steps += w.steps;
                worlds++;
                enrolled += w.m.was_enrolled;
                if (!w.broken)
                        continue;
                n = shrink(world_seed, choices, played, w.broken);
                print_error("# broken: %s, after %zu choices\n", w.broken, n);
                tell(world_seed, choices, n);
                fail_msg("SEED=%llu: %s", (unsigned long long) seed, w.broken);
        }
        print_message("# %lu steps in %lu worlds\n", steps, worlds);
        assert_int_equal(enrolled, worlds);
}

/* Any machine that fits its type, any event: a state that exists, and no more actions than fit.
 * No truth is needed for this one, so the events lie. Facts that the machine keeps as invariants
 * are kept. */
static void test_total(void **state) {
        for (unsigned round = 0; round < 200000; round++) {
                uint64_t r = next_chance(), q = next_chance();
                Policy policy = { .windows = r & 1, .prepull = r & 2, .on_stale_replace = r & 4, .one_shot = r & 8,
                                  .stop_terminates = r & 16, .on_member_ignore = r & 32, .splay_us = r & 64,
                                  .assign_roles = q & (UINT64_C(1) << 40), .drift_every_us = q & (UINT64_C(1) << 41) };
                Machine m = machine_fresh();
                Event event = { .kind = (EventKind) (q % _EVENT_KIND_MAX), .class = (OutcomeClass) ((q >> 8) % _CLASS_MAX),
                                .membership = (Membership) ((q >> 16) % _MEMBERSHIP_MAX), .timer = (Timer) ((q >> 20) % _TIMER_MAX),
                                .token_deadline_us = (q >> 24) & 1 ? USEC_INFINITY : 0, .random = (uint32_t) r,
                                .signal_number = (int) ((q >> 25) & 15), .retry_after_us = (q >> 30) & 1 ? USEC_INFINITY : 0 };
                Actions actions;

                m.state = (State) ((r >> 8) % _STATE_MAX);
                m.next = (State) ((r >> 12) % _STATE_MAX);
                m.window = (r >> 16) & 1;
                m.installer_pending = (r >> 17) & 1;
                m.unsettled = (r >> 18) & 1;
                m.was_enrolled = (r >> 19) & 1;
                m.half_joined = (r >> 20) & 1;
                m.prepared = (r >> 21) & 1;
                m.question = (Question) ((r >> 20) % 3);
                m.spec_changed = (r >> 23) & 1;
                m.token_held = (r >> 24) & 1;
                m.token_deadline_us = (r >> 25) & 1 ? USEC_INFINITY : 0;
                m.end = (r >> 26) & 1 ? END_DEADLINE : END_NONE;
                m.stop_signal = (r >> 27) & 1 ? 15 : 0;
                m.token_owed = (q >> 42) & 1;
                m.revoking = (q >> 43) & 1;
                m.odd_looks = (q >> 44) & 3;
                m.drifted = (q >> 46) & 1;
                event.lacks_roles = (q >> 47) & 1;
                event.token_stored = (q >> 48) & 1;
                m.started_us = (r >> 28) & 3;
                for (Timer t = 0; t < _TIMER_MAX; t++)
                        m.armed_us[t] = (r >> (32 + t)) & 1 ? 0 : USEC_INFINITY;

                m = machine_step(m, &policy, &event, (r >> 40) & 1 ? 0 : USEC_PER_HOUR, &actions);
                assert_true(m.state >= 0 && m.state < _STATE_MAX);
                assert_true(actions.n <= ACTIONS_MAX);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_promises),
                cmocka_unit_test(test_total),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
