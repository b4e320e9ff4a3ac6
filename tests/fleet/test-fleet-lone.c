/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A fleet of one host, held against the agent of tests/simulation, whose world is linked here: it has to send the same
 * requests and to shake the same hands at the same microseconds. Machine, policy and classification are the same code in both,
 * all the rest is not.
 *
 * That requests share connections is below the line at which that simulation replaces the agent's HTTP; tests/http and
 * tests/e2e hold it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../simulation/play.h"
#include "base/text.h"
#include "test-fleet.h"

static World agent_world, chance_world;

static uint32_t chance_of_agent(void) {
        World *was = world;
        uint32_t value;

        world = &chance_world;
        value = agent_random();
        world = was;
        return value;
}

static void name_an_attempt(void) {
        World *was = world;
        char name[33];

        world = &chance_world;
        assert_int_equal(text_random_hex(16, name), 0);
        world = was;
}

/* Plays a scenario whose lines stand in `lines` with the whole agent. */
static void play_agent(const char *lines) {
        static Scenario *scenarios;
        size_t n = 0;
        char directory[] = "/tmp/ece-enroll-fleet-XXXXXX", file[64], path[64];
        FILE *f;

        assert_non_null(mkdtemp(directory));
        (void) snprintf(file, sizeof(file), "%s/scenario", directory);
        f = fopen(file, "we");
        assert_non_null(f);
        (void) fprintf(f, "scenario: alone\n%s  then: ENROLLED\n", lines);
        assert_int_equal(fclose(f), 0);
        scenarios = NULL;
        assert_int_equal(scenarios_read(file, &scenarios, &n), 0);
        assert_int_equal(unlink(file), 0);
        play(scenarios, directory, 0, false, false, &agent_world);
        assert_null(agent_world.broken);
        chance_world = (World) { .chance = play_seed(scenarios->name) };
        play_done(&agent_world);
        free(scenarios);
        for (const char *const *name = (const char *const[]) { "lock", RECORD_FILE, NULL }; *name; name++) {
                (void) snprintf(path, sizeof(path), "%s/%s", directory, *name);
                (void) unlink(path);
        }
        assert_int_equal(rmdir(directory), 0);
}

static void play_alone(const char *words, Log *log) {
        char id[MACHINE_ID_SIZE];
        FleetPlan p = plan_of(words);
        FleetResult r = { 0 };

        host_machine_id(id);
        p.hosts = 1;
        p.spread = 0;
        p.machine_id = id;
        p.chance = chance_of_agent;
        p.attempt = name_an_attempt;
        log_follow(log, &p);
        assert_int_equal(fleet_play(&p, &r), 0);
        assert_int_equal(r.enrolled, agent_world.ending.state == STATE_ENROLLED);
        assert_int_equal(r.tokens, agent_world.count.tokens);
        fleet_result_done(&r);
}

/* Of the host's arrivals those that are handshakes alone, or those that are not. */
static void assert_same(const Log *log, bool bare, const usec_t *agent_us, size_t n_agent, const char *what) {
        const char *kind = bare ? "handshake" : "request";
        size_t n = 0;

        for (size_t i = 0; i < log->n; i++) {
                if ((log->item[i].arrival == ARRIVAL_HANDSHAKE) != bare)
                        continue;
                if (n < n_agent && log->item[i].at_us != agent_us[n])
                        fail_msg("%s: %s %zu at %llu us, of the agent at %llu us", what, kind, n, (unsigned long long) log->item[i].at_us,
                                 (unsigned long long) agent_us[n]);
                n++;
        }
        if (n != n_agent)
                fail_msg("%s: %zu %ss, of the agent %zu", what, n, kind, n_agent);
}

static void assert_same_arrivals(const Log *log, const char *what) {
        assert_same(log, false, agent_world.request_us, agent_world.n_request_us, what);
        assert_same(log, true, agent_world.handshake_us, agent_world.n_handshake_us, what);
}

void test_a_lone_host_is_the_agent(void **state) {
        static const struct {
                const char *agent, *fleet;
        } rows[] = {
                { "", "" },
                { "  a until 30s: refuses\n", "outage=0-30s:refused" },
                { "  a until 10m: refuses\n", "outage=0-10m:refused" },
                { "  a until 10m: is a black hole\n", "outage=0-10m:silence" },
                { "  a until 10m: says 503 in html\n", "outage=0-10m:503" },
                { "  a until 10m: says 503 root.busy\n", "outage=0-10m:503-ece" },
                { "  a until 3m: says 429 retry after 60\n", "outage=0-3m:429 retry-after=60s" },
                { "  a from 1m until 90s: says 429\n", "outage=1m-90s:429" },
                { "  a from 60s until 62s: is a black hole\n", "outage=60s-62s:silence" },
                { "  a from 410s until 460s: says 503 in html\n", "outage=410s-460s:503" },
                { "  a from 7m until 12m: refuses\n", "outage=7m-12m:refused" },
                { "  spec: retry.splay = 0\n  a until 5m: says 503 in html\n", "splay=0 outage=0-5m:503" },
                { "  spec: retry.backoff.max = 5m\n  a until 20m: says 429\n", "max=5m outage=0-20m:429" },
        };
        Log log = log_new();

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                play_agent(rows[i].agent);
                play_alone(rows[i].fleet, &log);
                assert_same_arrivals(&log, rows[i].fleet);
        }
        free(log.item);
}

static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void append(char *text, size_t size, const char *format, ...) {
        size_t n = strlen(text);
        va_list arguments;

        va_start(arguments, format);
        assert_true((size_t) vsnprintf(text + n, size - n, format, arguments) < size - n);
        va_end(arguments);
}

/* Each host has an order of its own. Who is asked while those that are known in it are dead is the next. */
static unsigned next_of_fleet(const Log *log) {
        for (size_t i = 0; i < log->n; i++)
                if (log->item[i].arrival != ARRIVAL_HANDSHAKE && log->item[i].answer == DOOR_OPEN)
                        return log->item[i].coordinator;
        fail_msg("nobody has answered");
        return 0;
}

static unsigned next_of_agent(unsigned known) {
        unsigned most = 0;

        for (unsigned i = 0; i < 3; i++)
                if (!(known >> i & 1) && (known >> most & 1 || agent_world.count.asked[i] > agent_world.count.asked[most]))
                        most = i;
        return most;
}

static void find_orders(Log *log, unsigned of_agent[static 3], unsigned of_fleet[static 3]) {
        char lines[256] = "  coordinators: a b c\n", words[128] = "coordinators=3";
        unsigned known = 0;

        for (size_t i = 0; i < 2; i++) {
                play_agent(lines);
                play_alone(words, log);
                of_agent[i] = next_of_agent(known);
                of_fleet[i] = next_of_fleet(log);
                known |= 1U << of_agent[i];
                append(lines, sizeof(lines), "  %c: refuses\n", 'a' + (int) of_agent[i]);
                append(words, sizeof(words), " outage=0-1d:refused@%u", of_fleet[i]);
        }
        of_agent[2] = 3 - of_agent[0] - of_agent[1];
        of_fleet[2] = 3 - of_fleet[0] - of_fleet[1];
}

typedef struct Kind {
        const char *agent, *fleet;
} Kind;

static const Kind refused = { "refuses", "refused" }, silence = { "is a black hole", "silence" }, busy = { "says 503 in html", "503" },
                  busy_ece = { "says 503 root.busy", "503-ece" }, later = { "says 429", "429" }, well = { NULL, NULL };

void test_a_lone_host_fails_over_like_the_agent(void **state) {
        const struct {
                Kind kind[3]; /* of the first that this host asks, the second, the third */
                const char *until;
        } rows[] = {
                { { refused, well, well }, "24h" },      { { silence, well, well }, "24h" },     { { busy, well, well }, "24h" },
                { { busy_ece, well, well }, "24h" },     { { later, well, well }, "24h" },       { { well, silence, silence }, "24h" },
                { { silence, refused, well }, "24h" },   { { busy, silence, well }, "24h" },     { { busy_ece, refused, later }, "5m" },
                { { refused, refused, refused }, "7m" }, { { silence, silence, silence }, "7m" }, { { silence, silence, refused }, "7m" },
                { { refused, silence, busy }, "5m" },    { { later, later, silence }, "3m" },    { { silence, busy, silence }, "410s" },
                { { busy, busy, well }, "8m" },
        };
        unsigned of_agent[3], of_fleet[3];
        Log log = log_new();

        find_orders(&log, of_agent, of_fleet);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                char lines[256] = "  coordinators: a b c\n", words[256] = "coordinators=3";

                for (size_t n = 0; n < 3; n++) {
                        const Kind *kind = &rows[i].kind[n];

                        if (!kind->agent)
                                continue;
                        append(lines, sizeof(lines), "  %c until %s: %s\n", 'a' + (int) of_agent[n], rows[i].until, kind->agent);
                        append(words, sizeof(words), " outage=0-%s:%s@%u", rows[i].until, kind->fleet, of_fleet[n]);
                }
                play_agent(lines);
                play_alone(words, &log);
                assert_same_arrivals(&log, words);
        }
        free(log.item);
}
