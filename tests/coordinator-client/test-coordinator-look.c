/* SPDX-License-Identifier: Apache-2.0 */

/* The look at a host: which questions it takes, in which order, and what each answer makes of the
 * view. One server whose script is the sequence of answers; its log is the sequence of questions.
 * */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "desk.h"

#define INFRASTRUCTURE "/api/v1/platform/infrastructure/"
#define ASK_RUNNER "GET " INFRASTRUCTURE "runners/r1"
#define ASK_ROLE(name) " GET " INFRASTRUCTURE "blueprinter/roles/" name
#define ASK_ALLOCATOR " GET " INFRASTRUCTURE "allocators/r1"
#define ASK_ALLOCATORS " GET " INFRASTRUCTURE "allocators?size=500"
#define ASK_PROXIES " GET " INFRASTRUCTURE "proxies"

#define BODY(json) "{\"body\": \"" json "\"}"
#define ECE(status, code) "{\"status\": " status ", \"body\": \"{\\\"errors\\\":[{\\\"code\\\":\\\"" code \
                          "\\\",\\\"message\\\":\\\"m\\\"}]}\"}"
#define Q "\\\""
#define RUNNER                                                                                               \
        BODY("{" Q "runner_id" Q ":" Q "r1" Q "," Q "host_ip" Q ":" Q "192.0.2.7" Q "," Q "connected" Q      \
             ":true," Q "healthy" Q ":true," Q "roles" Q ":[{" Q "role_name" Q ":" Q "allocator" Q "}]}")
#define ROLE BODY("{" Q "role" Q ":{" Q "value" Q ":{" Q "auto_blessed" Q ":true}}}")
#define ALLOCATOR_JSON                                                                                       \
        "{" Q "zone_id" Q ":" Q "z1" Q "," Q "host_ip" Q ":" Q "192.0.2.7" Q "," Q "status" Q ":{" Q         \
        "connected" Q ":true}}"
#define ALLOCATOR BODY(ALLOCATOR_JSON)
#define NO_ALLOCATOR ECE("404", "allocators.allocator_not_found")
#define ALLOCATORS BODY("{" Q "zones" Q ":[{" Q "allocators" Q ":[" ALLOCATOR_JSON "]}]}")
#define NO_ALLOCATORS BODY("{" Q "zones" Q ":[]}")
#define PROXIES BODY("{" Q "proxies" Q ":[{" Q "runner_id" Q ":" Q "r1" Q "," Q "healthy" Q ":true}]}")

#define A (1U << ROLE_ALLOCATOR)
#define C (1U << ROLE_COORDINATOR)
#define D (1U << ROLE_DIRECTOR)
#define P (1U << ROLE_PROXY)

static const struct {
        unsigned roles;
        const char *script, *asked;
        Origin origin;
        const char *code;
        bool found;
        Tristate allocator, proxy; /* effects */
} cases[] = {
        /* not there, which is a view */
        { A, "[" ECE("404", "runners.runner_not_found") "]", ASK_RUNNER, ORIGIN_NONE, "", false, NO, NO },
        /* any other absence is none */
        { A, "[" ECE("404", "root.resource_not_found") "]", ASK_RUNNER, ORIGIN_ECE, "root.resource_not_found",
          false, NO, NO },
        { A, "[{\"status\": 404}]", ASK_RUNNER, ORIGIN_HTTP, "", false, NO, NO },
        { A, "[" ECE("403", "runners.runner_not_found") "]", ASK_RUNNER, ORIGIN_ECE,
          "runners.runner_not_found", false, NO, NO },
        { A, "[" BODY("{}") "]", ASK_RUNNER, ORIGIN_REPLY, "wrong-type", false, NO, NO },
        /* roles */
        { 0, "[" RUNNER "]", ASK_RUNNER, ORIGIN_NONE, "", true, UNKNOWN, UNKNOWN },
        { C | D, "[" RUNNER "," ROLE "]", ASK_RUNNER ASK_ROLE("coordinator") ASK_ROLE("director"),
          ORIGIN_NONE, "", true, UNKNOWN, UNKNOWN },
        { A, "[" RUNNER "," ROLE "," ALLOCATOR "]", ASK_RUNNER ASK_ROLE("allocator") ASK_ALLOCATOR,
          ORIGIN_NONE, "", true, YES, UNKNOWN },
        { P, "[" RUNNER "," ROLE "," PROXIES "]", ASK_RUNNER ASK_ROLE("proxy") ASK_PROXIES, ORIGIN_NONE, "",
          true, UNKNOWN, YES },
        { A | C | D | P, "[" RUNNER "," ROLE "," ALLOCATOR "," ROLE "," ROLE "," ROLE "," PROXIES "]",
          ASK_RUNNER ASK_ROLE("allocator") ASK_ALLOCATOR ASK_ROLE("coordinator") ASK_ROLE("director")
                  ASK_ROLE("proxy") ASK_PROXIES,
          ORIGIN_NONE, "", true, YES, YES },
        /* an allocator under another id, or none */
        { A, "[" RUNNER "," ROLE "," NO_ALLOCATOR "," ALLOCATORS "]",
          ASK_RUNNER ASK_ROLE("allocator") ASK_ALLOCATOR ASK_ALLOCATORS, ORIGIN_NONE, "", true, YES,
          UNKNOWN },
        { A, "[" RUNNER "," ROLE "," NO_ALLOCATOR "," NO_ALLOCATORS "]",
          ASK_RUNNER ASK_ROLE("allocator") ASK_ALLOCATOR ASK_ALLOCATORS, ORIGIN_NONE, "", true, NO, UNKNOWN },
        { A, "[" RUNNER "," ROLE "," NO_ALLOCATOR ", {\"body\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}]",
          ASK_RUNNER ASK_ROLE("allocator") ASK_ALLOCATOR ASK_ALLOCATORS, ORIGIN_NONE, "", true, NO, UNKNOWN },
        { A | P, "[" RUNNER "," ROLE "," NO_ALLOCATOR "," NO_ALLOCATORS "," ROLE "," PROXIES "]",
          ASK_RUNNER ASK_ROLE("allocator") ASK_ALLOCATOR ASK_ALLOCATORS ASK_ROLE("proxy") ASK_PROXIES,
          ORIGIN_NONE, "", true, NO, YES },
        /* a failure half way ends the look: half a view is none */
        { A, "[" RUNNER "," ECE("404", "roles.not_found") "]", ASK_RUNNER ASK_ROLE("allocator"), ORIGIN_ECE,
          "roles.not_found", false, NO, NO },
        { A, "[" RUNNER "," BODY("{}") "]", ASK_RUNNER ASK_ROLE("allocator"), ORIGIN_REPLY, "wrong-type",
          false, NO, NO },
        { A, "[" RUNNER "," ROLE ", {\"status\": 404}]", ASK_RUNNER ASK_ROLE("allocator") ASK_ALLOCATOR,
          ORIGIN_HTTP, "", false, NO, NO },
        { A, "[" RUNNER "," ROLE "," NO_ALLOCATOR ", {\"status\": 503}]",
          ASK_RUNNER ASK_ROLE("allocator") ASK_ALLOCATOR ASK_ALLOCATORS, ORIGIN_HTTP, "", false, NO, NO },
        { P, "[" RUNNER "," ROLE "," BODY("{}") "]", ASK_RUNNER ASK_ROLE("proxy") ASK_PROXIES, ORIGIN_REPLY,
          "wrong-type", false, NO, NO },
};

static void test_sequences(void **state) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Desk desk;
                desk_open(&desk, CREDENTIAL_API_KEY, &cases[i].script, 1);
                desk_look(&desk, (RoleSet) cases[i].roles);
                desk_close(&desk);
                assert_int_equal(desk.failure.origin, cases[i].origin);
                assert_string_equal(desk.failure.code, cases[i].code);
                assert_string_equal(log_lines(desk.logs[0]), cases[i].asked);
                if (cases[i].origin == ORIGIN_NONE)
                        assert_int_equal(desk.view.found, cases[i].found);
                if (cases[i].found) {
                        const RoleView *role = desk.view.role;
                        assert_string_equal(desk.view.runner_id, "r1");
                        assert_int_equal(role[ROLE_ALLOCATOR].effect, cases[i].allocator);
                        assert_int_equal(role[ROLE_PROXY].effect, cases[i].proxy);
                        for (Role r = 0; r < _ROLE_MAX; r++)
                                assert_int_equal(role[r].blessed, (cases[i].roles >> r) & 1 ? YES : UNKNOWN);
                        assert_int_equal(role[ROLE_ALLOCATOR].effect_detail[0] != '\0',
                                         cases[i].allocator == NO);
                        assert_string_equal(desk.view.allocator_zone, cases[i].allocator == YES ? "z1" : "");
                }
                desk_done(&desk);
        }
}

/* Each question of a look goes on to the next coordinator by itself. */
static void test_fail_over(void **state) {
        const char *const scripts[] = { "[" RUNNER ", {\"status\": 503}]", "[" ROLE "," ALLOCATOR "]" };
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, scripts, 2);
        desk_look(&desk, A);
        assert_int_equal(desk.failure.origin, ORIGIN_NONE);
        assert_int_equal(desk.view.role[ROLE_ALLOCATOR].effect, YES);
        desk_close(&desk);
        /* Who could not answer is not the first to be asked the next thing. */
        assert_string_equal(log_lines(desk.logs[0]), ASK_RUNNER ASK_ROLE("allocator"));
        assert_string_equal(log_lines(desk.logs[1]), &(ASK_ROLE("allocator") ASK_ALLOCATOR)[1]);
        desk_done(&desk);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sequences),
                cmocka_unit_test(test_fail_over),
        };

        bench_open();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
