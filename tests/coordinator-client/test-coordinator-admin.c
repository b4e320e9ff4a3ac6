/* SPDX-License-Identifier: Apache-2.0 */

/* The administrator's questions: tokens, roles, an allocator to be emptied. Which requests each takes, in which order, and
 * what comes of each answer. One server whose script is the sequence of answers; its log is the sequence of requests. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/token-request.h"
#include "desk.h"

#define RUNNERS "/api/v1/platform/infrastructure/runners/"
#define ROLES "/api/v1/platform/infrastructure/blueprinter/roles/"
#define ALLOCATOR "/api/v1/platform/infrastructure/allocators/r1"
#define LIST "GET " TOKEN_REQUEST_PATH
#define DELETE "DELETE " TOKEN_REQUEST_PATH "/t1"

#define Q "\\\""
#define BODY(json) "{\"body\": \"" json "\"}"
#define ECE(status, code)                                                                                                        \
        "{\"status\": " status ", \"body\": \"{\\\"errors\\\":[{\\\"code\\\":\\\"" code "\\\",\\\"message\\\":\\\"m\\\"}]}\"}"
#define TOKEN(id, roles) "{" Q "token_id" Q ":" Q id Q "," Q "roles" Q ":[" roles "]}"
#define TOKENS(items) BODY("{" Q "tokens" Q ":[" items "]}")
#define NO_TOKEN ECE("404", "enrollment_tokens.invalid_token_id")
#define OK BODY("{}")
#define RUNNER(id, connected, roles)                                                                                             \
        BODY("{" Q "runner_id" Q ":" Q id Q "," Q "host_ip" Q ":" Q "192.0.2.7" Q "," Q "connected" Q ":" connected "," Q        \
             "healthy" Q ":true," Q "roles" Q ":[" roles "]}")
#define NAMED(role) "{" Q "role_name" Q ":" Q role Q "}"
#define BLESSED(items) BODY("{" Q "blessings" Q ":{" Q "value" Q ":{" Q "runner_ids_to_blessing" Q ":{" items "}}}}")
#define BLESSING(id, value) Q id Q ":{" Q "value" Q ":" value "}"
#define GONE ECE("404", "runners.runner_not_found")
#define LOAD(maintenance, instances)                                                                                             \
        BODY("{" Q "status" Q ":{" Q "connected" Q ":true," Q "maintenance_mode" Q ":" maintenance "}," Q "instances" Q          \
             ":[" instances "]," Q "capacity" Q ":{" Q "memory" Q ":{" Q "used" Q ":2048}}}")
#define MOVED(refused)                                                                                                           \
        BODY("{" Q "moves" Q ":{" Q "elasticsearch_clusters" Q ":[{},{}]," Q "kibana_clusters" Q ":[{}]}," Q "failures" Q ":{" Q \
             "apm_clusters" Q ":[" refused "]}}")
#define REFUSED                                                                                                                  \
        "{" Q "cluster_id" Q ":" Q "c1" Q "," Q "errors" Q ":[{" Q "code" Q ":" Q "no.capacity" Q "," Q "message" Q ":" Q        \
        "no room" Q "}]}"

static void revoke_t1(Desk *desk) {
        desk_revoke(desk, "t1");
}

static void delete_t1(Desk *desk) {
        desk_delete_token(desk, "t1");
}

static void set_allocator(Desk *desk) {
        desk_set_roles(desk, role_bit(ROLE_ALLOCATOR));
}

static void set_none(Desk *desk) {
        desk_set_roles(desk, 0);
}

static void find_coordinator(Desk *desk) {
        desk_find_other(desk, ROLE_COORDINATOR);
}

static const struct {
        void (*ask)(Desk *desk);
        const char *script, *asked;
        Origin origin;
        const char *code;
        size_t listed;
        bool found;
} rows[] = {
        { desk_list, "[" TOKENS("") "]", LIST, ORIGIN_NONE, "", 0, false },
        { desk_list, "[" TOKENS(TOKEN("t1", Q "proxy" Q) "," TOKEN("t2", "") "," TOKEN("t3", Q "beats-runner" Q)) "]", LIST,
          ORIGIN_NONE, "", 3, false },
        { desk_list, "[" OK "]", LIST, ORIGIN_REPLY, "wrong-type", 0, false },
        { desk_list, "[" TOKENS("{}") "]", LIST, ORIGIN_REPLY, "wrong-type", 0, false },
        { desk_list, "[" TOKENS(TOKEN("a/b", "")) "]", LIST, ORIGIN_REPLY, "wrong-type", 0, false },
        { desk_list, "[" TOKENS(TOKEN("t1", "7")) "]", LIST, ORIGIN_REPLY, "wrong-type", 0, false },
        { desk_list, "[" ECE("403", "root.unauthorized.rbac") "]", LIST, ORIGIN_ECE, "root.unauthorized.rbac", 0, false },

        { delete_t1, "[" OK "]", DELETE, ORIGIN_NONE, "", 0, false },
        { delete_t1, "[" NO_TOKEN "]", DELETE, ORIGIN_ECE, "enrollment_tokens.invalid_token_id", 0, false },

        /* Revoked is deleted and seen to be gone. */
        { revoke_t1, "[" OK "," TOKENS(TOKEN("t2", "")) "]", DELETE " " LIST, ORIGIN_NONE, "", 0, false },
        { revoke_t1, "[" NO_TOKEN "," TOKENS("") "]", DELETE " " LIST, ORIGIN_NONE, "", 0, false },
        { revoke_t1, "[" OK "," TOKENS(TOKEN("t1", "")) "]", DELETE " " LIST, ORIGIN_TOKEN, "still-listed", 0, false },
        { revoke_t1, "[" NO_TOKEN "," TOKENS(TOKEN("t1", "")) "]", DELETE " " LIST, ORIGIN_TOKEN, "still-listed", 0, false },
        { revoke_t1, "[" OK ", {\"status\": 503}]", DELETE " " LIST, ORIGIN_HTTP, "", 0, false },
        { revoke_t1, "[" OK "," OK "]", DELETE " " LIST, ORIGIN_REPLY, "wrong-type", 0, false },
        { revoke_t1, "[{\"status\": 404}]", DELETE, ORIGIN_HTTP, "", 0, false },
        { revoke_t1, "[" ECE("403", "root.unauthorized.rbac") "]", DELETE, ORIGIN_ECE, "root.unauthorized.rbac", 0, false },

        { set_allocator, "[" RUNNER("r1", "true", NAMED("beats-runner")) "," OK "]",
          "GET " RUNNERS "r1 PUT " RUNNERS "r1/roles?bless=true", ORIGIN_NONE, "", 0, false },
        { set_none, "[" RUNNER("r1", "true", NAMED("proxy")) "," OK "]", "GET " RUNNERS "r1 PUT " RUNNERS "r1/roles?bless=true",
          ORIGIN_NONE, "", 0, false },
        { set_allocator, "[" GONE "]", "GET " RUNNERS "r1", ORIGIN_ECE, "runners.runner_not_found", 0, false },
        { set_allocator, "[" OK "]", "GET " RUNNERS "r1", ORIGIN_REPLY, "wrong-type", 0, false },
        { set_allocator, "[" RUNNER("r1", "true", "{}") "]", "GET " RUNNERS "r1", ORIGIN_REPLY, "wrong-type", 0, false },
        { set_allocator, "[" RUNNER("r1", "true", "") "," ECE("400", "runners.runner_set_roles_failed") "]",
          "GET " RUNNERS "r1 PUT " RUNNERS "r1/roles?bless=true", ORIGIN_ECE, "runners.runner_set_roles_failed", 0, false },

        /* A blessing outlives its host, and our own is none of another's. */
        { find_coordinator, "[" BLESSED("") "]", "GET " ROLES "coordinator", ORIGIN_NONE, "", 0, false },
        { find_coordinator, "[" BLESSED(BLESSING("r1", "true") "," BLESSING("r2", "false") "," BLESSING("a/b", "true")) "]",
          "GET " ROLES "coordinator", ORIGIN_NONE, "", 0, false },
        { find_coordinator, "[" BLESSED(BLESSING("r2", "true")) "," RUNNER("r2", "true", NAMED("coordinator")) "]",
          "GET " ROLES "coordinator GET " RUNNERS "r2", ORIGIN_NONE, "", 0, true },
        { find_coordinator,
          "[" BLESSED(BLESSING("r2", "true") "," BLESSING("r3", "true") "," BLESSING("r4", "true")) "," GONE "," RUNNER(
                  "r3", "false", NAMED("coordinator")) "," RUNNER("r4", "true", NAMED("proxy")) "]",
          "GET " ROLES "coordinator GET " RUNNERS "r2 GET " RUNNERS "r3 GET " RUNNERS "r4", ORIGIN_NONE, "", 0, false },
        { find_coordinator, "[" BLESSED(BLESSING("r2", "true")) ", {\"status\": 503}]",
          "GET " ROLES "coordinator GET " RUNNERS "r2", ORIGIN_HTTP, "", 0, false },
        { find_coordinator, "[" OK "]", "GET " ROLES "coordinator", ORIGIN_REPLY, "wrong-type", 0, false },

        { desk_load, "[" LOAD("false", "{},{}") "]", "GET " ALLOCATOR, ORIGIN_NONE, "", 0, true },
        { desk_load, "[" ECE("404", "allocators.allocator_not_found") "]", "GET " ALLOCATOR, ORIGIN_NONE, "", 0, false },
        { desk_load, "[" OK "]", "GET " ALLOCATOR, ORIGIN_REPLY, "wrong-type", 0, false },
        { desk_start_maintenance, "[{\"status\": 202, \"body\": \"{}\"}]", "POST " ALLOCATOR "/maintenance-mode/_start",
          ORIGIN_NONE, "", 0, false },
        { desk_start_maintenance, "[" ECE("403", "root.unauthorized.rbac") "]", "POST " ALLOCATOR "/maintenance-mode/_start",
          ORIGIN_ECE, "root.unauthorized.rbac", 0, false },
        { desk_move, "[" ECE("403", "clusters.command_prohibited") "]", "POST " ALLOCATOR "/clusters/_move", ORIGIN_ECE,
          "clusters.command_prohibited", 0, false },
        { desk_move, "[" BODY("[[[[[[[[[[[[[[[[[[[[[[[[[[[[") "]", "POST " ALLOCATOR "/clusters/_move", ORIGIN_NONE, "", 0,
          false },
        { desk_delete_allocator, "[" OK "]", "DELETE " ALLOCATOR, ORIGIN_NONE, "", 0, false },
        { desk_delete_allocator, "[" ECE("404", "allocators.allocator_not_found") "]", "DELETE " ALLOCATOR, ORIGIN_NONE, "", 0,
          false },
        { desk_delete_allocator, "[" ECE("400", "allocators.delete_connected_allocator_attempt") "]", "DELETE " ALLOCATOR,
          ORIGIN_ECE, "allocators.delete_connected_allocator_attempt", 0, false },
};

static void test_sequences(void **state) {
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Desk desk;

                desk_open(&desk, CREDENTIAL_API_KEY, &rows[i].script, 1);
                rows[i].ask(&desk);
                if (desk.listing.n != rows[i].listed || (desk.found || desk.load.found) != rows[i].found)
                        fail_msg("row %zu: %zu listed, found %d", i, desk.listing.n, desk.found);
                desk_close(&desk);
                if (desk.failure.origin != rows[i].origin || strcmp(desk.failure.code, rows[i].code) != 0)
                        fail_msg("row %zu: %d %s", i, desk.failure.origin, desk.failure.code);
                assert_string_equal(log_lines(desk.logs[0]), rows[i].asked);
                desk_done(&desk);
        }
}

static void test_what_is_listed(void **state) {
        const char *const script = "[" TOKENS(TOKEN("t1", Q "proxy" Q "," Q "allocator" Q) "," TOKEN(
                "t2", Q "coordinator" Q "," Q "director" Q "," Q "proxy" Q "," Q "other" Q)) "]";
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, &script, 1);
        desk_list(&desk);
        assert_int_equal(desk.listing.n, 2);
        assert_string_equal(desk.listing.items[0].id, "t1");
        assert_int_equal(desk.listing.items[0].roles, role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY));
        assert_int_equal(token_kind(desk.listing.items), TOKEN_KIND_ORDINARY);
        assert_int_equal(token_kind(desk.listing.items + 1), TOKEN_KIND_EMERGENCY);
        assert_int_equal(desk.listing.items[1].foreign_roles, 1);
        desk_close(&desk);
        desk_done(&desk);
}

/* What ECE has put there stays, what is not wanted goes, what is wanted comes once. */
static void test_roles_that_are_kept(void **state) {
        const char *const script =
                "[" RUNNER("r1", "true",
                           NAMED("beats-runner") "," NAMED("proxy") "," NAMED("allocator") "," NAMED("services-forwarder")) "," OK
                                                                                                                            "]";
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, &script, 1);
        set_allocator(&desk);
        desk_close(&desk);
        assert_non_null(strstr(desk.logs[0], "\r\n\r\n{\"roles\":[{\"role_name\":\"beats-runner\"},{\"role_name\":\"services-"
                                             "forwarder\"},{\"role_name\":\"allocator\"}]}\n~~"));
        desk_done(&desk);
}

static void test_load_and_moves(void **state) {
        const char *const script =
                "[" LOAD("true", "{" Q "moving" Q ":true},{}") "," MOVED(REFUSED "," REFUSED) "," MOVED("{}") "," MOVED("") "]";
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, &script, 1);
        desk_load(&desk);
        assert_true(desk.load.found && desk.load.connected && desk.load.maintenance);
        assert_int_equal(desk.load.instances, 2);
        assert_int_equal(desk.load.moving, 1);
        assert_int_equal(desk.load.memory_mb, 2048);
        desk_move(&desk);
        assert_int_equal(desk.moves.begun, 3);
        assert_int_equal(desk.moves.refused, 2);
        assert_string_equal(desk.moves.first_refusal, "c1: no.capacity: no room");
        desk_move(&desk);
        assert_int_equal(desk.moves.refused, 1);
        assert_string_equal(desk.moves.first_refusal, "a cluster: no reason was given");
        desk_move(&desk);
        assert_int_equal(desk.moves.refused, 0);
        assert_string_equal(desk.moves.first_refusal, "");
        desk_close(&desk);
        desk_done(&desk);
}

/* What would lead elsewhere in the path is not asked at all. */
static void test_unsound_ids(void **state) {
        const char *const script = "[]";
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, &script, 1);
        assert_int_equal(coordinator_delete_token(desk.coordinator, "../x", NULL, NULL), -EINVAL);
        assert_int_equal(coordinator_revoke_token(desk.coordinator, "", NULL, NULL), -EINVAL);
        desk_close(&desk);
        assert_string_equal(log_lines(desk.logs[0]), "");
        desk_done(&desk);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sequences),           cmocka_unit_test(test_what_is_listed),
                cmocka_unit_test(test_roles_that_are_kept), cmocka_unit_test(test_load_and_moves),
                cmocka_unit_test(test_unsound_ids),
        };

        bench_open();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
