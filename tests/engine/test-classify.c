/* SPDX-License-Identifier: Apache-2.0 */

/* The classification table: is it whole (order, reachability, exit codes), does the most
 * specific row win, and do the facts about ECE that decide most come out as they must. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "engine/classify.h"
#include "model/verdict.h"

static Outcome judge(Origin origin, int number, const char *code) {
        Observation seen = observe(origin, number, code, "", NULL);
        Outcome outcome;

        classify(&seen, &outcome);
        return outcome;
}

static void test_table_is_sorted_and_complete(void **state) {
        size_t n_ids = 0;
        const char *const *ids = reason_ids(&n_ids);
        size_t n = 0;

        for (const Reason *r; (r = reason_at(n)); n++) {
                if (n > 0)
                        assert_true(strcmp(reason_at(n - 1)->id, r->id) < 0);
                assert_string_equal(ids[n], r->id);
                assert_ptr_equal(reason_by_id(r->id), r);
                assert_true(strlen(r->id) < REASON_ID_SIZE && strchr(r->id, '.'));
                assert_true(strlen(r->sentence) > 10 && strlen(r->agent) > 4);
                assert_true(r->class > CLASS_OK && r->class < _CLASS_MAX);
                assert_non_null(r->remedy);
        }
        assert_int_equal(n, n_ids);
        assert_null(reason_by_id("no.such-reason"));
        assert_null(reason_by_id(""));
}

static void test_exit_codes_are_of_the_contract(void **state) {
        static const int contract[] = { 69, 70, 73, 75, 76, 77, 78, 143 };

        for (size_t n = 0; reason_at(n); n++) {
                bool known = false;

                for (size_t i = 0; i < ELEMENTS(contract); i++)
                        known = known || reason_at(n)->exit_code == contract[i];
                assert_true(known);
        }
}

/* What needs a person must say what that person does. */
static void test_who_must_act_is_told_how(void **state) {
        for (size_t n = 0; reason_at(n); n++) {
                const Reason *r = reason_at(n);

                if (r->class == CLASS_PERMANENT || r->class == CLASS_OPERATOR || r->class == CLASS_HOST ||
                    r->class == CLASS_CREDENTIAL || r->class == CLASS_TIME)
                        assert_true(strlen(r->remedy) > 20);
        }
}

static void test_each_row_leads_to_its_reason(void **state) {
        for (size_t n = 0; reason_match_at(n); n++) {
                const ReasonMatch *row = reason_match_at(n);
                char code[OBSERVATION_CODE_SIZE];
                int number = row->number;

                assert_non_null(reason_by_id(row->reason));
                (void) snprintf(code, sizeof(code), "%s", row->code ? row->code : "nobody-knows-this");
                if (row->number == MATCH_ANY)
                        number = 9999;
                else if (row->number < MATCH_ANY)
                        number = -row->number * 100 + 99;
                assert_string_equal(judge(row->origin, number, code).reason, row->reason);
        }
}

static void test_each_reason_is_reached(void **state) {
        for (size_t n = 0; reason_at(n); n++) {
                bool reached = false;

                for (size_t i = 0; reason_match_at(i); i++)
                        reached = reached || streq(reason_match_at(i)->reason, reason_at(n)->id);
                if (!reached)
                        print_error("nothing leads to %s\n", reason_at(n)->id);
                assert_true(reached);
        }
}

static void test_no_row_stands_twice(void **state) {
        for (size_t a = 0; reason_match_at(a); a++)
                for (size_t b = 0; b < a; b++) {
                        const ReasonMatch *x = reason_match_at(a), *y = reason_match_at(b);

                        assert_false(x->origin == y->origin && x->number == y->number &&
                                     streq_ptr(x->code, y->code));
                }
}

/* Total, and what nobody has told us of never ends a run at once. A spec, a plan and a spec's
 * refusal are our own words and final; an unknown 4xx is the coordinator's final word. */
static void test_unknown_is_bounded_not_final(void **state) {
        for (Origin o = ORIGIN_NONE + 1; o < _ORIGIN_MAX; o++) {
                Outcome outcome = judge(o, 9999, "nobody-knows-this");

                assert_true(outcome.class != CLASS_OK && outcome.reason[0] && outcome.exit_code > 0);
                if (o == ORIGIN_SPEC || o == ORIGIN_PLAN)
                        assert_int_equal(outcome.class, CLASS_PERMANENT);
                else
                        assert_int_not_equal(outcome.class, CLASS_PERMANENT);
        }
        assert_int_equal(judge(ORIGIN_NONE, 0, "").class, CLASS_OK);
        assert_string_equal(judge(ORIGIN_NONE, 0, "").remedy, "");
}

typedef struct Fact {
        Origin origin;
        int number;
        const char *code;
        OutcomeClass class;
        int exit_code;
} Fact;

/* api.md, section 10, and installer.md, sections 7, 8 and 17. */
static const Fact facts[] = {
        { ORIGIN_CURL, 6, "", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 7, "", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 28, "", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 52, "", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 56, "", CLASS_TRANSIENT, 69 },
        { ORIGIN_TLS, 20, "untrusted", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 0, "pin-mismatch", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 0, "name-mismatch", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 10, "expired", CLASS_TIME, 69 },
        { ORIGIN_TLS, 9, "not-yet-valid", CLASS_TIME, 69 },
        { ORIGIN_REPLY, 302, "redirect", CLASS_PERMANENT, 78 },
        { ORIGIN_HTTP, 302, "", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 200, "controller_route.controller_not_ready", CLASS_TRANSIENT, 69 },
        { ORIGIN_REPLY, 200, "html", CLASS_TRANSIENT, 69 },
        { ORIGIN_REPLY, 200, "empty", CLASS_TRANSIENT, 69 },
        { ORIGIN_REPLY, 200, "truncated", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 400, "enrollment_tokens.invalid_token_request", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 400, "root.invalid_json_request", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 401, "root.unauthenticated", CLASS_CREDENTIAL, 77 },
        { ORIGIN_ECE, 401, "root.unauthorized", CLASS_CREDENTIAL, 77 },
        { ORIGIN_ECE, 401, "some.new_code", CLASS_CREDENTIAL, 77 },
        { ORIGIN_HTTP, 401, "", CLASS_CREDENTIAL, 77 },
        { ORIGIN_ECE, 403, "root.unauthorized.rbac", CLASS_PERMANENT, 77 },
        { ORIGIN_ECE, 403, "enrollment_tokens.signing_key_not_found", CLASS_OPERATOR, 69 },
        { ORIGIN_HTTP, 403, "", CLASS_OPERATOR, 78 },
        { ORIGIN_HTTP, 404, "", CLASS_OPERATOR, 78 },
        { ORIGIN_ECE, 404, "root.resource_not_found", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 404, "root.region_not_found", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 404, "runners.runner_not_found", CLASS_TRANSIENT, 76 },
        { ORIGIN_ECE, 404, "allocators.allocator_not_found", CLASS_TRANSIENT, 76 },
        { ORIGIN_ECE, 404, "roles.not_found", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 409, "roles.version_conflict", CLASS_TRANSIENT, 75 },
        { ORIGIN_ECE, 449, "root.unauthorized.rbac.elevated_permissions_required", CLASS_PERMANENT, 77 },
        { ORIGIN_ECE, 449, "root.needs_sudo", CLASS_PERMANENT, 77 },
        { ORIGIN_ECE, 449, "something.else", CLASS_PERMANENT, 77 },
        { ORIGIN_HTTP, 449, "", CLASS_PERMANENT, 77 },
        { ORIGIN_HTTP, 429, "", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 429, "x.y", CLASS_TRANSIENT, 69 },
        { ORIGIN_HTTP, 500, "", CLASS_TRANSIENT, 69 },
        { ORIGIN_HTTP, 502, "", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 503, "x.y", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 502, "authc.authentication_cluster_error", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 501, "authc.no_authentication_cluster", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 418, "some.new_code", CLASS_PERMANENT, 78 },
        { ORIGIN_TOKEN, 0, "role-missing", CLASS_PERMANENT, 76 },
        { ORIGIN_TOKEN, 0, "expired", CLASS_EXPIRED, 75 },
        { ORIGIN_SPEC, 0, "invalid", CLASS_PERMANENT, 78 },
        { ORIGIN_HOST, 111, "engine-socket", CLASS_HOST, 78 },
        { ORIGIN_HOST, 0, "script-sha256", CLASS_PERMANENT, 78 },
        { ORIGIN_HOST, 28, "record", CLASS_HOST, 78 },
        { ORIGIN_HOST, 0, "disk-space", CLASS_HOST, 78 },
        { ORIGIN_HOST, 101, "route", CLASS_HOST, 69 },
        { ORIGIN_HOST, 0, "clock", CLASS_TIME, 78 },
        { ORIGIN_HOST, 13, "state-directory", CLASS_HOST, 78 },
        { ORIGIN_PLAN, 0, "script-too-old", CLASS_PERMANENT, 78 },
        { ORIGIN_PLAN, 0, "version-mismatch", CLASS_PERMANENT, 78 },
        { ORIGIN_PLAN, 0, "value-refused", CLASS_PERMANENT, 78 },
        { ORIGIN_INSTALLER, 3, "bad-arguments", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 1, "script-too-old", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 5, "engine-socket", CLASS_HOST, 78 },
        { ORIGIN_INSTALLER, 4, "engine-down", CLASS_HOST, 78 },
        { ORIGIN_INSTALLER, 4, "user-ids", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 5, "firewalld", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 1, "os-unsupported", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 1, "storage-permissions", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 125, "name-conflict", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 3, "run-failed", CLASS_TRANSIENT, 75 }, /* the container's 3, not the script's */
        { ORIGIN_INSTALLER, 2, "", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 127, "", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 1, "", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 7, "", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 97, "", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 143, "timed-out", CLASS_TRANSIENT, 75 },
        { ORIGIN_ENGINE, 0, "foreign-installer", CLASS_HOST, 75 },
        { ORIGIN_VERIFY, 0, "foreign-host", CLASS_PERMANENT, 76 },
        { ORIGIN_VERIFY, 0, "role-not-blessed", CLASS_TRANSIENT, 76 },
        { ORIGIN_AGENT, 0, "loop", CLASS_PERMANENT, 75 },
        { ORIGIN_AGENT, 0, "internal", CLASS_PERMANENT, 70 },
};

static void test_facts(void **state) {
        for (size_t i = 0; i < ELEMENTS(facts); i++) {
                Outcome outcome = judge(facts[i].origin, facts[i].number, facts[i].code);

                if (outcome.class != facts[i].class || outcome.exit_code != facts[i].exit_code)
                        print_error("fact %zu: %s %d %s\n", i, origin_to_string(facts[i].origin), facts[i].number,
                                    facts[i].code);
                assert_int_equal(outcome.class, facts[i].class);
                assert_int_equal(outcome.exit_code, facts[i].exit_code);
        }
}

/* Every word of the verdict has a row of its own. */
static void test_each_difference_is_known(void **state) {
        for (DifferenceKind k = 0; k < _DIFFERENCE_MAX; k++) {
                Outcome outcome = judge(ORIGIN_VERIFY, 0, difference_kind_to_string(k));

                assert_string_not_equal(outcome.reason, "verify.other");
                assert_int_equal(outcome.exit_code, EXIT_DIFFERS);
        }
}

/* A peer that says how long to wait makes a passing trouble a throttled one, and nothing else. */
static void test_retry_after(void **state) {
        Observation seen = observe(ORIGIN_HTTP, 503, "", "", NULL);
        Outcome outcome;

        seen.retry_after_us = USEC_PER_MINUTE;
        classify(&seen, &outcome);
        assert_int_equal(outcome.class, CLASS_THROTTLED);
        seen.number = 449;
        classify(&seen, &outcome);
        assert_int_equal(outcome.class, CLASS_PERMANENT);
}

static void test_text_says_where_and_what(void **state) {
        char long_detail[OBSERVATION_DETAIL_SIZE];
        Observation seen = observe(ORIGIN_CURL, 7, "", "https://192.0.2.10:12443", "Connection %s", "refused");
        Outcome outcome;

        classify(&seen, &outcome);
        assert_string_equal(outcome.text, "no coordinator accepts connections (https://192.0.2.10:12443): "
                                          "Connection refused");
        assert_string_equal(outcome.reason, "coordinator.connect-refused");
        assert_true(strlen(outcome.remedy) > 20);

        seen = observe(ORIGIN_ECE, 418, "teapots.empty", "", NULL);
        classify(&seen, &outcome);
        assert_non_null(strstr(outcome.text, "[teapots.empty]"));

        memset(long_detail, 'x', sizeof(long_detail) - 1);
        long_detail[sizeof(long_detail) - 1] = '\0';
        seen = observe(ORIGIN_ECE, 418, long_detail, long_detail, "%s", long_detail);
        classify(&seen, &outcome);
        assert_true(strlen(outcome.text) < OUTCOME_TEXT_SIZE);
}

static void test_numbers_in_words(void **state) {
        char buffer[REASON_NUMBER_SIZE];

        assert_string_equal(reason_match_number(&(ReasonMatch) { .number = MATCH_ANY }, buffer), "any");
        assert_string_equal(reason_match_number(&(ReasonMatch) { .number = MATCH_5XX }, buffer), "5xx");
        assert_string_equal(reason_match_number(&(ReasonMatch) { .number = 449 }, buffer), "449");
}

/* The numbers of the table are libcurl's. */
static void test_curl_numbers(void **state) {
        static const struct {
                int number;
                CURLcode code;
        } rows[] = {
                { 1, CURLE_UNSUPPORTED_PROTOCOL }, { 2, CURLE_FAILED_INIT }, { 3, CURLE_URL_MALFORMAT },
                { 5, CURLE_COULDNT_RESOLVE_PROXY }, { 6, CURLE_COULDNT_RESOLVE_HOST },
                { 7, CURLE_COULDNT_CONNECT }, { 8, CURLE_WEIRD_SERVER_REPLY }, { 16, CURLE_HTTP2 },
                { 18, CURLE_PARTIAL_FILE }, { 23, CURLE_WRITE_ERROR }, { 27, CURLE_OUT_OF_MEMORY },
                { 28, CURLE_OPERATION_TIMEDOUT }, { 35, CURLE_SSL_CONNECT_ERROR },
                { 43, CURLE_BAD_FUNCTION_ARGUMENT }, { 47, CURLE_TOO_MANY_REDIRECTS },
                { 48, CURLE_UNKNOWN_OPTION }, { 52, CURLE_GOT_NOTHING }, { 55, CURLE_SEND_ERROR },
                { 56, CURLE_RECV_ERROR }, { 58, CURLE_SSL_CERTPROBLEM }, { 59, CURLE_SSL_CIPHER },
                { 60, CURLE_PEER_FAILED_VERIFICATION }, { 61, CURLE_BAD_CONTENT_ENCODING },
                { 63, CURLE_FILESIZE_EXCEEDED }, { 77, CURLE_SSL_CACERT_BADFILE },
                { 83, CURLE_SSL_ISSUER_ERROR }, { 90, CURLE_SSL_PINNEDPUBKEYNOTMATCH },
                { 91, CURLE_SSL_INVALIDCERTSTATUS }, { 92, CURLE_HTTP2_STREAM },
        };
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                assert_int_equal(rows[i].number, (int) rows[i].code);
        for (size_t i = 0; reason_match_at(i); i++)
                if (reason_match_at(i)->origin == ORIGIN_CURL && reason_match_at(i)->number != MATCH_ANY)
                        assert_int_equal(reason_match_at(i)->number, rows[n++].number);
        assert_int_equal(n, ELEMENTS(rows));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table_is_sorted_and_complete),
                cmocka_unit_test(test_exit_codes_are_of_the_contract),
                cmocka_unit_test(test_who_must_act_is_told_how),
                cmocka_unit_test(test_each_row_leads_to_its_reason),
                cmocka_unit_test(test_each_reason_is_reached),
                cmocka_unit_test(test_no_row_stands_twice),
                cmocka_unit_test(test_unknown_is_bounded_not_final),
                cmocka_unit_test(test_facts),
                cmocka_unit_test(test_each_difference_is_known),
                cmocka_unit_test(test_retry_after),
                cmocka_unit_test(test_text_says_where_and_what),
                cmocka_unit_test(test_numbers_in_words),
                cmocka_unit_test(test_curl_numbers),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
