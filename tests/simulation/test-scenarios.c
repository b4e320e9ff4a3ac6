/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Plays every scenario in virtual time and holds what is seen against what must be; then plays it
 * again for each moment in which the agent touches the world (writes its record, asks a coordinator
 * or the keeper), with a crash just before and just after that moment.
 *
 *     test-scenarios [FILE...]          TAP, one point for each scenario with all its crashes
 *     test-scenarios --table [FILE...]  scenario, expected, seen, how long, tokens, installers
 *     test-scenarios --story NAME [--crash N | --crash-before N]
 *                                       what happens in one scenario, with virtual times
 *
 *     test-scenarios --thorough [FILE...]
 *                                       TAP as well, with a crash at every single moment: some minutes
 *
 * Without FILE: all of tests/simulation/scenarios. Long scenarios touch the world thousands of
 * times and mostly in the same way. Unless asked to be thorough, of those a bounded number of
 * moments is tried: the first ones and as many again, evenly spread up to the last (TOUCHES_MAX is
 * what all replays of one scenario may cost together). Under valgrind, which would take an hour for
 * them, there are none.
 */

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "judge.h"
#include "play.h"

#define TOUCHES_MAX 1500U
#define MOMENTS_MIN 2U

static Scenario *scenarios;
static size_t n_scenarios;
static bool thorough, without_crashes;
static char directory[] = "/tmp/ece-enroll-scenarios-XXXXXX";

static unsigned long long plays, crashes;
static usec_t virtual_us;

static void count_play(const World *w) {
        plays++;
        virtual_us += w->now_us;
}

/* Is a crash tried at this moment? Two replays each, of about as many touches as the play had. */
static bool moment_is_tried(unsigned touch, unsigned touches) {
        unsigned moments = TOUCHES_MAX / 2 / touches, first, stride;

        if (moments < MOMENTS_MIN)
                moments = MOMENTS_MIN;
        if (thorough || moments >= touches)
                return true;
        first = moments / 2;
        stride = (touches - first) / (moments - first);
        return touch <= first || (touches - touch) % (stride > 0 ? stride : 1) == 0;
}

/* 0, or the first moment at which a crash leads elsewhere. */
static unsigned crash_everywhere(const Scenario *s, const World *undisturbed, bool *ret_before,
                                 char why[static WHY_SIZE]) {
        static World w;

        for (unsigned touch = 1; touch <= undisturbed->touches; touch++)
                for (int before = 0; before < 2 && moment_is_tried(touch, undisturbed->touches); before++) {
                        bool good;

                        play(s, directory, touch, before, false, &w);
                        good = judge_crash(s, undisturbed, &w, why);
                        count_play(&w);
                        crashes++;
                        play_done(&w);
                        *ret_before = before;
                        if (!good)
                                return touch;
                }
        return 0;
}

static bool test(size_t number, const Scenario *s) {
        static World w;
        char why[WHY_SIZE] = "";
        bool good, before = false;
        unsigned touch = 0;

        play(s, directory, 0, false, false, &w);
        good = judge(s, &w, why);
        count_play(&w);
        if (good && !without_crashes) {
                touch = crash_everywhere(s, &w, &before, why);
                world = &w;
        }
        (void) printf("%sok %zu - %s\n", good && touch == 0 ? "" : "not ", number, s->name);
        if (!good)
                (void) printf("# %s\n", why);
        if (touch > 0)
                (void) printf("# %s:%u: with a crash %s touch %u: %s\n", s->file, s->line, before ? "before" : "after",
                              touch, why);
        (void) fflush(stdout);
        play_done(&w);
        return good && touch == 0;
}

static double cpu_s(void) {
        return (double) clock() / CLOCKS_PER_SEC;
}

static int test_all(void) {
        bool good = true;

        (void) printf("1..%zu\n", n_scenarios);
        for (size_t i = 0; i < n_scenarios; i++)
                good &= test(i + 1, &scenarios[i]);
        (void) printf("# %zu scenarios, %llu crashes, %llu plays: %.0f virtual hours in %.1f s of processor time\n",
                      n_scenarios, crashes, plays, (double) virtual_us / (double) USEC_PER_HOUR, cpu_s());
        return good ? 0 : 1;
}

/* --- The table --------------------------------------------------------------------------------- */

static void format_expected(const Scenario *s, char ret[static WHY_SIZE]) {
        Ending wanted = { .state = STATE_ENROLLED };

        for (size_t i = 0; i < s->n_clause; i++)
                if (s->clause[i].kind == CLAUSE_END) {
                        wanted = (Ending) { .state = s->clause[i].state,
                                            .exit_code = s->clause[i].number > 0 ? s->clause[i].number : 0 };
                        memcpy(wanted.reason, s->clause[i].text, sizeof(wanted.reason));
                }
        ending_format(&wanted, ret);
}

static int widest_name(void) {
        size_t widest = 0;

        for (size_t i = 0; i < n_scenarios; i++)
                if (strlen(scenarios[i].name) > widest)
                        widest = strlen(scenarios[i].name);
        return (int) widest;
}

static bool print_row(const Scenario *s, int width) {
        static World w;
        char expected[WHY_SIZE], seen[WHY_SIZE], why[WHY_SIZE], after[DURATION_SIZE];
        bool right;

        play(s, directory, 0, false, false, &w);
        right = judge(s, &w, why);
        count_play(&w);
        format_expected(s, expected);
        ending_format(&w.ending, seen);
        (void) printf("%-*s  %-46s  %-11s  %-8s  %6u  %10u\n", width, s->name, expected, right ? "as expected" : seen,
                      duration_format(w.final_us, after), w.count.tokens, w.count.installers);
        if (!right)
                (void) printf("        %s\n", why);
        play_done(&w);
        return right;
}

static int print_table(void) {
        int width = widest_name();
        bool good = true;

        (void) printf("%-*s  %-46s  %-11s  %-8s  %6s  %10s\n", width, "scenario", "expected", "seen", "after", "tokens",
                      "installers");
        for (size_t i = 0; i < n_scenarios; i++)
                good &= print_row(&scenarios[i], width);
        (void) printf("\n%zu scenarios: %.0f virtual hours in %.1f s of processor time\n", n_scenarios,
                      (double) virtual_us / (double) USEC_PER_HOUR, cpu_s());
        return good ? 0 : 1;
}

/* --- A story ----------------------------------------------------------------------------------- */

static int tell_story(const char *name, unsigned crash_at, bool before) {
        static World w;
        char why[WHY_SIZE];
        bool good;

        for (size_t i = 0; i < n_scenarios; i++) {
                if (!streq(scenarios[i].name, name))
                        continue;
                play(&scenarios[i], directory, crash_at, before, true, &w);
                good = judge(&scenarios[i], &w, why);
                (void) printf("%s\n", good ? "as it must be" : why);
                (void) printf("%u tokens, %u installers, %u requests, %u touches\n", w.count.tokens, w.count.installers,
                              w.count.requests, w.touches);
                play_done(&w);
                return good ? 0 : 1;
        }
        (void) fprintf(stderr, "no scenario is called '%s'\n", name);
        return 2;
}

/* --- Beginning and end ------------------------------------------------------------------------- */

static int read_all(char *const files[]) {
        static glob_t found;
        int error = 0;

        if (!*files) {
                if (glob(TOP_SRCDIR "/tests/simulation/scenarios/*.txt", 0, NULL, &found) != 0)
                        return -1;
                files = found.gl_pathv;
        }
        for (; *files; files++)
                error |= scenarios_read(*files, &scenarios, &n_scenarios);
        return error;
}

static void remove_directory(void) {
        static const char *const files[] = { "lock", RECORD_FILE, RECORD_FILE ".damaged" };
        char path[256];

        for (size_t i = 0; i < ELEMENTS(files); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
                (void) unlink(path);
        }
        (void) rmdir(directory);
}

int main(int argc, char *argv[]) {
        bool table = false, before = false;
        const char *story = NULL, *preloaded = getenv("LD_PRELOAD");
        uint64_t crash_at = 0;
        int at = 1, result;

        for (; at < argc && argv[at][0] == '-'; at++) {
                bool more = at + 1 < argc;

                if (streq(argv[at], "--table"))
                        table = true;
                else if (streq(argv[at], "--thorough"))
                        thorough = true;
                else if (streq(argv[at], "--story") && more)
                        story = argv[++at];
                else if (text_starts_with(argv[at], "--crash") && more) {
                        before = streq(argv[at], "--crash-before");
                        if (text_to_u64(argv[++at], 1000000, &crash_at) < 0)
                                return 2;
                } else
                        return 2;
        }
        without_crashes = preloaded && strstr(preloaded, "vgpreload");
        log_open("test-scenarios", 0);
        log_quiet_stderr(true);
        if (read_all(argv + at) < 0 || !mkdtemp(directory))
                return 99;
        result = story ? tell_story(story, (unsigned) crash_at, before) : table ? print_table() : test_all();
        remove_directory();
        free(scenarios);
        return result;
}
