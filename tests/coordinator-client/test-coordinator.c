/* SPDX-License-Identifier: Apache-2.0 */

/* Questions of one exchange, and what carries them: fail-over, the mint that must not happen twice,
 * the bearer's login. The servers' logs are the witnesses. */

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "base/text.h"
#include "desk.h"

#define OK "[{\"body\": \"{\\\"version\\\":\\\"3.8.0\\\"}\"}]"
#define ECE(status, code) "{\"status\": " status ", \"body\": \"{\\\"errors\\\":[{\\\"code\\\":\\\"" code \
                          "\\\",\\\"message\\\":\\\"m\\\"}]}\"}"
#define PLATFORM "GET /api/v1/platform"
#define MINT "POST /api/v1/platform/configuration/security/enrollment-tokens"
#define LOGIN "POST /api/v1/users/auth/_login"

/* {"typ":"JWT","alg":"HS256"} . {"sub":"s","roles":["allocator"],"iss":"current","exp":1795518000}
 * (3600 s after DATE) */
#define DATE "\"Date: Tue, 24 Nov 2026 10:00:00 GMT\""
#define JWT "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9." \
            "eyJzdWIiOiJzIiwicm9sZXMiOlsiYWxsb2NhdG9yIl0sImlzcyI6ImN1cnJlbnQiLCJleHAiOjE3OTU1MTgwMDB9.c2ln"
#define MINTED "{\"headers\": [" DATE "], \"body\": \"{\\\"token\\\":\\\"" JWT "\\\"}\"}"

/* Who is asked, who isn't, and what is said in the end. */
static const struct {
        const char *scripts[3]; /* "-": refuses */
        const char *asked[3];   /* request lines that each server saw */
        Origin origin;
        int number;
        const char *code;
} fail_over[] = {
        { { OK }, { PLATFORM }, ORIGIN_NONE, 0, "" },
        { { OK, OK }, { PLATFORM, "" }, ORIGIN_NONE, 0, "" },
        { { "-", OK, OK }, { NULL, PLATFORM, "" }, ORIGIN_NONE, 0, "" },
        { { "[{\"do\": \"cut\"}]", OK }, { "", PLATFORM }, ORIGIN_NONE, 0, "" },
        { { "[{\"do\": \"empty\"}]", OK }, { PLATFORM, PLATFORM }, ORIGIN_NONE, 0, "" },
        { { "[{\"status\": 503}]", "[{\"status\": 429}]", OK },
          { PLATFORM, PLATFORM, PLATFORM },
          ORIGIN_NONE,
          0,
          "" },
        { { "[" ECE("200", "controller_route.controller_not_ready") "]", OK },
          { PLATFORM, PLATFORM },
          ORIGIN_NONE,
          0,
          "" },
        /* answers of their own end the question */
        { { "[" ECE("403", "root.unauthorized.rbac") "]", OK },
          { PLATFORM, "" },
          ORIGIN_ECE,
          403,
          "root.unauthorized.rbac" },
        { { "[" ECE("401", "root.unauthenticated") "]", OK },
          { PLATFORM, "" },
          ORIGIN_ECE,
          401,
          "root.unauthenticated" },
        { { "[{\"body\": \"<html>\"}]", OK }, { PLATFORM, "" }, ORIGIN_REPLY, 200, "html" },
        { { "[{\"status\": 302}]", OK }, { PLATFORM, "" }, ORIGIN_REPLY, 302, "redirect" },
        { { "[{\"body\": \"{\\\"version\\\":\\\"$(id)\\\"}\"}]", OK },
          { PLATFORM, "" },
          ORIGIN_REPLY,
          200,
          "wrong-type" },
        /* nobody answers: the one that said most is told */
        { { "-", "-" }, { NULL, NULL }, ORIGIN_CURL, CURLE_COULDNT_CONNECT, "" },
        { { "[{\"status\": 503}]", "-" }, { PLATFORM, NULL }, ORIGIN_HTTP, 503, "" },
        { { "-", "[{\"status\": 500}]", "[{\"do\": \"cut\"}]" },
          { NULL, PLATFORM, "" },
          ORIGIN_HTTP,
          500,
          "" },
        { { "[{\"do\": \"plain\"}]", "-" }, { "", NULL }, ORIGIN_CURL, CURLE_COULDNT_CONNECT, "" },
        { { "-", "[{\"do\": \"plain\"}]" }, { NULL, "" }, ORIGIN_CURL, CURLE_COULDNT_CONNECT, "" },
};

static size_t scripts_of(const char *const from[3], const char *ret[3]) {
        size_t n = 0;

        for (; n < 3 && from[n]; n++)
                ret[n] = streq(from[n], "-") ? NULL : from[n];
        return n;
}

static void check_logs(const Desk *desk, const char *const expected[]) {
        for (size_t i = 0; i < desk->n; i++)
                if (desk->logs[i])
                        assert_string_equal(log_lines(desk->logs[i]), expected[i]);
}

static void test_fail_over(void **state) {
        for (size_t i = 0; i < ELEMENTS(fail_over); i++) {
                const char *scripts[3];
                Desk desk;
                desk_open(&desk, CREDENTIAL_API_KEY, scripts, scripts_of(fail_over[i].scripts, scripts));
                desk_platform(&desk);
                desk_close(&desk);
                assert_int_equal(desk.failure.origin, fail_over[i].origin);
                assert_string_equal(desk.failure.code, fail_over[i].code);
                if (fail_over[i].origin == ORIGIN_NONE)
                        assert_string_equal(desk.platform.version, "3.8.0");
                else {
                        assert_int_equal(desk.failure.number, fail_over[i].number);
                        assert_true(text_starts_with(desk.failure.where, "https://127.0.0.1:"));
                        assert_non_null(strstr(desk.failure.where, "/api/v1/platform"));
                }
                assert_false(desk.failure.maybe_minted);
                check_logs(&desk, fail_over[i].asked);
                desk_done(&desk);
        }
}

/* Who failed at the transport steps back: the second question goes to the second first, and comes
 * back when that fails. */
static void test_avoided(void **state) {
        const char *const scripts[] = {
                "[{\"do\": \"empty\"}, {\"body\": \"{\\\"version\\\":\\\"3.8.0\\\"}\"}]",
                "[{\"body\": \"{\\\"version\\\":\\\"3.8.1\\\"}\"}, {\"status\": 503}]"
        };
        CoordinatorState states[2];
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, scripts, 2);
        coordinator_states(desk.coordinator, states, 2);
        assert_string_equal(states[0].state, "untried");
        assert_string_equal(states[0].last, "");
        desk_platform(&desk);
        assert_string_equal(desk.platform.version, "3.8.1");
        coordinator_states(desk.coordinator, states, 2);
        assert_string_equal(states[0].state, "failing");
        assert_true(states[0].last[0] != '\0');
        assert_string_equal(states[1].state, "ok");
        assert_string_equal(states[1].last, "status 200");
        desk_platform(&desk); /* 503 of the second leads back to the first */
        assert_string_equal(desk.platform.version, "3.8.0");
        coordinator_states(desk.coordinator, states, 2);
        assert_string_equal(states[0].state, "ok");
        assert_string_equal(states[1].state, "failing");
        desk_close(&desk);
        check_logs(&desk, (const char *const[]) { PLATFORM " " PLATFORM, PLATFORM " " PLATFORM });
        desk_done(&desk);
}

static void test_mint(void **state) {
        const char *const scripts[] = { "[" MINTED "]" };
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, scripts, 1);
        usec_t before = clock_boottime_us();
        desk_mint(&desk, role_bit(ROLE_ALLOCATOR), USEC_PER_HOUR);
        assert_int_equal(desk.failure.origin, ORIGIN_NONE);
        assert_string_equal(secret_bytes(desk.token->secret), JWT);
        assert_true(desk.token->deadline_us >= before + USEC_PER_HOUR);
        assert_true(desk.token->deadline_us <= clock_boottime_us() + USEC_PER_HOUR);
        desk_close(&desk);
        check_logs(&desk, (const char *const[]) { MINT });
        assert_non_null(strstr(desk.logs[0], "\r\nAuthorization: ApiKey " DESK_KEY "\r\n"));
        assert_non_null(strstr(desk.logs[0], "\r\n\r\n{\"persistent\":false,\"roles\":[\"allocator\"],"
                                             "\"validity_in_seconds\":3600}\n~~\n"));
        desk_done(&desk);
}

/* The second server would always mint: it is asked only when the first can't have. */
static const struct {
        const char *first;
        bool moves_on;
        Origin origin;
        const char *code;
        bool maybe_minted;
} mints[] = {
        { "-", true, ORIGIN_NONE, "", false },
        { "[{\"do\": \"cut\"}]", true, ORIGIN_NONE, "", false },
        { "[{\"do\": \"plain\"}]", true, ORIGIN_NONE, "", false },
        { "[{\"do\": \"empty\"}]", false, ORIGIN_CURL, "", true },
        { "[{\"do\": \"reset\"}]", false, ORIGIN_CURL, "", true },
        { "[{\"raw\": \"HTTP/1.1 200 OK\\r\\nContent-Length: 99\\r\\n\\r\\n{\"}]", false, ORIGIN_CURL, "",
          true },
        { "[{\"body\": \"{\\\"token\\\":\\\"ey\"}]", false, ORIGIN_REPLY, "truncated", true },
        { "[{\"body\": \"<html>\"}]", false, ORIGIN_REPLY, "html", true },
        { "[{\"body\": \"{}\"}]", false, ORIGIN_TOKEN, "absent", true },
        { "[{\"body\": \"{\\\"token\\\":\\\"nonsense\\\"}\"}]", false, ORIGIN_TOKEN, "malformed", true },
        { "[{\"status\": 502, \"body\": \"bad gateway\"}]", false, ORIGIN_HTTP, "", true },
        { "[{\"status\": 429}]", false, ORIGIN_HTTP, "", false },
        { "[{\"status\": 404}]", false, ORIGIN_HTTP, "", false },
        { "[{\"status\": 302}]", false, ORIGIN_REPLY, "redirect", false },
        { "[" ECE("403", "enrollment_tokens.signing_key_not_found") "]", false, ORIGIN_ECE,
          "enrollment_tokens.signing_key_not_found", false },
        { "[" ECE("200", "controller_route.controller_not_ready") "]", false, ORIGIN_ECE,
          "controller_route.controller_not_ready", false },
        { "[" ECE("500", "internal.server.error") "]", false, ORIGIN_ECE, "internal.server.error", false },
};

static void test_mint_once(void **state) {
        for (size_t i = 0; i < ELEMENTS(mints); i++) {
                const char *scripts[] = { streq(mints[i].first, "-") ? NULL : mints[i].first,
                                          "[" MINTED "]" };
                Desk desk;
                desk_open(&desk, CREDENTIAL_API_KEY, scripts, 2);
                desk_mint(&desk, role_bit(ROLE_ALLOCATOR), USEC_PER_HOUR);
                assert_int_equal(desk.failure.origin, mints[i].origin);
                assert_string_equal(desk.failure.code, mints[i].code);
                assert_int_equal(desk.failure.maybe_minted, mints[i].maybe_minted);
                assert_int_equal(desk.token != NULL, mints[i].origin == ORIGIN_NONE);
                desk_close(&desk);
                assert_string_equal(log_lines(desk.logs[1]), mints[i].moves_on ? MINT : "");
                desk_done(&desk);
        }
}

#define SESSION(token) "{\"body\": \"{\\\"token\\\":\\\"" token "\\\"}\"}"
#define ANSWER "{\"body\": \"{\\\"version\\\":\\\"3.8.0\\\"}\"}"
#define UNAUTHORIZED ECE("401", "root.unauthorized")

/* One server; two questions. */
static const struct {
        const char *script, *asked;
        Origin origins[2];
        const char *bearer; /* of the last question */
} bearers[] = {
        { "[" SESSION("t1") "," ANSWER "]",
          LOGIN " " PLATFORM " " PLATFORM,
          { ORIGIN_NONE, ORIGIN_NONE },
          "t1" },
        /* the session ends between two questions: one login more */
        { "[" SESSION("t1") "," ANSWER "," UNAUTHORIZED "," SESSION("t2") "," ANSWER "]",
          LOGIN " " PLATFORM " " PLATFORM " " LOGIN " " PLATFORM,
          { ORIGIN_NONE, ORIGIN_NONE },
          "t2" },
        /* the refusal of a fresh session stands, and the next question begins with what it has */
        { "[" SESSION("t1") "," UNAUTHORIZED "," ANSWER "]",
          LOGIN " " PLATFORM " " PLATFORM,
          { ORIGIN_ECE, ORIGIN_NONE },
          "t1" },
        { "[" SESSION("t1") "," UNAUTHORIZED "," UNAUTHORIZED "," SESSION("t2") "," ANSWER "]",
          LOGIN " " PLATFORM " " PLATFORM " " LOGIN " " PLATFORM,
          { ORIGIN_ECE, ORIGIN_NONE },
          "t2" },
        /* so does that of a second one in the same question */
        { "[" SESSION("t1") "," ANSWER "," UNAUTHORIZED "," SESSION("t2") "," UNAUTHORIZED "]",
          LOGIN " " PLATFORM " " PLATFORM " " LOGIN " " PLATFORM,
          { ORIGIN_NONE, ORIGIN_ECE },
          "t2" },
        /* a refused login is the answer, and is tried anew by the next question */
        { "[" ECE("401", "root.unauthenticated") "," SESSION("t1") "," ANSWER "]",
          LOGIN " " LOGIN " " PLATFORM,
          { ORIGIN_ECE, ORIGIN_NONE },
          "t1" },
        { "[{\"body\": \"{}\"}," SESSION("t1") "," ANSWER "]",
          LOGIN " " LOGIN " " PLATFORM,
          { ORIGIN_REPLY, ORIGIN_NONE },
          "t1" },
        { "[{\"status\": 302}," SESSION("t1") "," ANSWER "]",
          LOGIN " " LOGIN " " PLATFORM,
          { ORIGIN_REPLY, ORIGIN_NONE },
          "t1" },
};

static void test_bearer(void **state) {
        for (size_t i = 0; i < ELEMENTS(bearers); i++) {
                char line[64];
                Desk desk;
                desk_open(&desk, CREDENTIAL_BEARER, &bearers[i].script, 1);
                for (size_t q = 0; q < 2; q++) {
                        desk_platform(&desk);
                        assert_int_equal(desk.failure.origin, bearers[i].origins[q]);
                }
                desk_close(&desk);
                check_logs(&desk, &bearers[i].asked);
                assert_non_null(strstr(desk.logs[0],
                                       "\r\n\r\n{\"username\":\"ops\",\"password\":\"" DESK_KEY "\"}\n~~\n"));
                (void) snprintf(line, sizeof(line), "\r\nAuthorization: Bearer %s\r\n", bearers[i].bearer);
                assert_non_null(strstr(desk.logs[0], line));
                desk_done(&desk);
        }
}

/* A mint may follow a login although that was a POST that left us, and a login may be repeated at
 * the next server. A login that fails has minted nothing. */
static void test_bearer_mint(void **state) {
        const char *const works[] = { "[{\"do\": \"empty\"}]", "[" SESSION("t1") "," MINTED "]" };
        const char *const ended[] = { "[" SESSION("t1") "," MINTED "," UNAUTHORIZED "," SESSION("t2") "," MINTED "]" };
        const char *const fails[] = { "[{\"status\": 503}]" };
        Desk desk;

        desk_open(&desk, CREDENTIAL_BEARER, works, 2);
        desk_mint(&desk, role_bit(ROLE_ALLOCATOR), USEC_PER_HOUR);
        assert_int_equal(desk.failure.origin, ORIGIN_NONE);
        desk_close(&desk);
        check_logs(&desk, (const char *const[]) { LOGIN, LOGIN " " MINT });
        desk_done(&desk);

        /* A session that has ended refuses a mint before it has any effect, so it may be said again. */
        desk_open(&desk, CREDENTIAL_BEARER, ended, 1);
        for (unsigned i = 0; i < 2; i++) {
                desk_mint(&desk, role_bit(ROLE_ALLOCATOR), USEC_PER_HOUR);
                assert_int_equal(desk.failure.origin, ORIGIN_NONE);
        }
        desk_close(&desk);
        check_logs(&desk, (const char *const[]) { LOGIN " " MINT " " MINT " " LOGIN " " MINT });
        desk_done(&desk);

        desk_open(&desk, CREDENTIAL_BEARER, fails, 1);
        desk_mint(&desk, role_bit(ROLE_ALLOCATOR), USEC_PER_HOUR);
        assert_int_equal(desk.failure.origin, ORIGIN_HTTP);
        assert_false(desk.failure.maybe_minted);
        assert_non_null(strstr(desk.failure.where, "_login"));
        desk_close(&desk);
        desk_done(&desk);
}

static void test_schemes(void **state) {
        static const struct {
                CredentialKind kind;
                const char *line; /* NULL: none */
        } cases[] = {
                { CREDENTIAL_NONE, NULL },
                { CREDENTIAL_API_KEY, "Authorization: ApiKey " DESK_KEY "\r\n" },
                { CREDENTIAL_BASIC, "Authorization: Basic b3BzOmMyVmpjbVYwTFd0bGVR\r\n" },
        };
        const char *const scripts[] = { OK };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Desk desk;
                desk_open(&desk, cases[i].kind, scripts, 1);
                desk_platform(&desk);
                assert_int_equal(desk.failure.origin, ORIGIN_NONE);
                desk_close(&desk);
                if (cases[i].line)
                        assert_non_null(strstr(desk.logs[0], cases[i].line));
                else
                        assert_null(strstr(desk.logs[0], "Authorization"));
                desk_done(&desk);
        }
}

static void test_delete(void **state) {
        const char *const scripts[] = { "[{\"do\": \"empty\"}]",
                                        "[{\"body\": \"{}\"}, " ECE("404", "runners.runner_not_found") ", "
                                        ECE("404", "root.resource_not_found") ", "
                                        ECE("400", "runners.runner_deletion_failed") "]" };
        static const char *const codes[] = { "", "", "root.resource_not_found",
                                             "runners.runner_deletion_failed" };
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, scripts, 2);
        for (size_t i = 0; i < ELEMENTS(codes); i++) {
                desk_delete(&desk, "r1");
                assert_string_equal(desk.failure.code, codes[i]);
        }
        desk_close(&desk);
#define DELETE "DELETE /api/v1/platform/infrastructure/runners/r1"
        check_logs(&desk, (const char *const[]) { DELETE, DELETE " " DELETE " " DELETE " " DELETE });
        desk_done(&desk);
}

/* What is told beside answers. */
static void test_beside(void **state) {
        const char *const scripts[] = {
                NULL, "[{\"headers\": [" DATE ", \"X-Elastic-Api-Key-Expiration: 2027-01-01\"],"
                      " \"body\": \"{\\\"version\\\":\\\"3.8.0\\\"}\"}]"
        };
        int64_t offset, there;
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, scripts, 2);
        assert_string_equal(coordinator_key_expiration(desk.coordinator), "");
        assert_false(coordinator_clock_offset_s(desk.coordinator, &offset));
        assert_false(coordinator_server_time_s(desk.coordinator, &there));
        assert_string_equal(coordinator_host(desk.coordinator), "127.0.0.1");
        desk_platform(&desk);
        assert_string_equal(coordinator_key_expiration(desk.coordinator), "2027-01-01");
        assert_true(coordinator_clock_offset_s(desk.coordinator, &offset));
        assert_true(coordinator_server_time_s(desk.coordinator, &there));
        assert_in_range(there, 1795514400, 1795514400 + 60);
        assert_in_range((int64_t) (clock_realtime_us() / USEC_PER_SEC) + offset, there - 1, there + 60);
        desk_close(&desk);
        desk_done(&desk);
}

static void on_never(void *userdata, const PlatformFacts *platform, const Observation *failure) {
        fail_msg("the handler of a cancelled question ran");
}

/* One question at a time; a cancelled one leaves room for the next. */
static void test_cancel(void **state) {
        const char *const scripts[] = { OK };
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, scripts, 1);
        assert_int_equal(coordinator_ask_platform(desk.coordinator, on_never, NULL), 0);
        assert_int_equal(coordinator_ask_platform(desk.coordinator, on_never, NULL), -EBUSY);
        coordinator_cancel(desk.coordinator);
        coordinator_cancel(desk.coordinator);
        desk_platform(&desk);
        assert_int_equal(desk.failure.origin, ORIGIN_NONE);
        assert_int_equal(coordinator_ask_platform(desk.coordinator, on_never, NULL), 0);
        desk_close(&desk);
        desk_done(&desk);
}

static void on_free(void *userdata, const PlatformFacts *platform, const Observation *failure) {
        Desk *desk = userdata;

        desk->calls++;
        desk->coordinator = coordinator_free(desk->coordinator);
}

/* A handler may free the Coordinator, and may ask the next question. */
static void test_free_in_handler(void **state) {
        const char *const scripts[] = { OK };
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, scripts, 1);
        assert_int_equal(coordinator_ask_platform(desk.coordinator, on_free, &desk), 0);
        while (desk.calls == 0)
                assert_true(sd_event_run(desk.event, UINT64_MAX) >= 0);
        desk_close(&desk);
        desk_done(&desk);
}

static void on_again(void *userdata, const PlatformFacts *platform, const Observation *failure) {
        Desk *desk = userdata;

        if (++desk->calls < 3)
                assert_int_equal(coordinator_ask_platform(desk->coordinator, on_again, desk), 0);
}

static void test_ask_in_handler(void **state) {
        const char *const scripts[] = { OK };
        Desk desk;

        desk_open(&desk, CREDENTIAL_API_KEY, scripts, 1);
        assert_int_equal(coordinator_ask_platform(desk.coordinator, on_again, &desk), 0);
        while (desk.calls < 3)
                assert_true(sd_event_run(desk.event, UINT64_MAX) >= 0);
        desk_close(&desk);
        assert_int_equal(log_requests(desk.logs[0]), 3);
        desk_done(&desk);
}

/* The same hosts, another seed: not all begin with the same one; the same seed: always the same
 * order. */
static void test_shuffle(void **state) {
        char *urls[] = { (char[]) { "https://[2001:db8::1]:12443" }, (char[]) { "https://b.example:12443" },
                         (char[]) { "https://192.0.2.3:12443" }, NULL };
        static const char *const hosts[] = { "2001:db8::1", "b.example", "192.0.2.3" };
        Spec spec = { .coordinators = urls };
        unsigned first[3] = { 0 };
        sd_event *event = NULL;
        Http *http = NULL;

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(http_new(event, &http), 0);
        for (uint64_t seed = 0; seed < 300; seed++) {
                const char *before = NULL;
                for (size_t again = 0; again < 2; again++) {
                        _cleanup_(coordinator_freep) Coordinator *c = NULL;
                        Observation refusal;
                        assert_int_equal(coordinator_new(event, http, &spec, NULL, seed, &c, &refusal), 0);
                        for (size_t i = 0; i < 3; i++)
                                if (streq(coordinator_host(c), hosts[i])) {
                                        first[i]++;
                                        assert_true(!before || before == hosts[i]);
                                        before = hosts[i];
                                }
                }
        }
        assert_int_equal(first[0] + first[1] + first[2], 600);
        for (size_t i = 0; i < 3; i++)
                assert_in_range(first[i], 120, 280); /* 200 each, give or take */
        http = http_free(http);
        event = sd_event_unref(event);
}

static void test_new_refusals(void **state) {
        char *urls[] = { (char[]) { "https://192.0.2.3:12443" }, NULL };
        Spec spec = { .coordinators = urls, .trust.ca_file = (char[]) { "/nonexistent/ca.pem" } };
        Coordinator *c = NULL;
        Observation refusal;

        assert_int_equal(coordinator_new(NULL, NULL, &spec, NULL, 1, &c, &refusal), -EINVAL);
        assert_int_equal(refusal.origin, ORIGIN_SPEC);
        spec.trust.ca_file = NULL;
        spec.credential.kind = CREDENTIAL_API_KEY;
        assert_int_equal(coordinator_new(NULL, NULL, &spec, NULL, 1, &c, &refusal), 0); /* anonymous */
        c = coordinator_free(c);
        spec.coordinators = NULL;
        assert_int_equal(coordinator_new(NULL, NULL, &spec, NULL, 1, &c, &refusal), -EINVAL);
        assert_null(c);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fail_over),
                cmocka_unit_test(test_avoided),
                cmocka_unit_test(test_mint),
                cmocka_unit_test(test_mint_once),
                cmocka_unit_test(test_bearer),
                cmocka_unit_test(test_bearer_mint),
                cmocka_unit_test(test_schemes),
                cmocka_unit_test(test_delete),
                cmocka_unit_test(test_beside),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_free_in_handler),
                cmocka_unit_test(test_ask_in_handler),
                cmocka_unit_test(test_shuffle),
                cmocka_unit_test(test_new_refusals),
        };

        bench_open();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
