/* SPDX-License-Identifier: Apache-2.0 */

/* The classification table as a table: order and form, class and exit code, every row reachable and
 * reached by its own observation only, every reason led to, what is unknown bounded. What each fact
 * about ECE must come out as is in test-classify-facts.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
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

/* "group.word-word": a group, a dot, words of small letters and digits with single dashes between. */
static bool id_is_well_formed(const char *id) {
        const char *dot = strchr(id, '.');

        if (!dot || dot == id || strchr(dot + 1, '.') || strlen(id) >= REASON_ID_SIZE)
                return false;
        for (const char *c = id; *c; c++) {
                bool letter = islower((unsigned char) *c) || (isdigit((unsigned char) *c) && c > dot);
                bool joint = c == dot || (*c == '-' && c > dot + 1 && c[-1] != '-' && c[1]);

                if (!letter && !joint)
                        return false;
        }
        return dot[1] != '\0';
}

static bool is_sentence(const char *text) {
        size_t n = strlen(text);

        return n > 10 && isupper((unsigned char) text[0]) && text[n - 1] == '.' && !strstr(text, "  ");
}

static bool is_phrase(const char *text) {
        size_t n = strlen(text);

        return n > 10 && islower((unsigned char) text[0]) && text[n - 1] != '.' && !strstr(text, "  ");
}

static void test_table_is_sorted_and_well_formed(void **state) {
        size_t n_ids = 0;
        const char *const *ids = reason_ids(&n_ids);
        size_t n = 0;

        for (const Reason *r; (r = reason_at(n)); n++) {
                if (n > 0)
                        assert_true(strcmp(reason_at(n - 1)->id, r->id) < 0);
                assert_string_equal(ids[n], r->id);
                assert_ptr_equal(reason_by_id(r->id), r);
                if (!id_is_well_formed(r->id) || !is_phrase(r->sentence) || !is_phrase(r->agent) ||
                    !(r->remedy[0] == '\0' || is_sentence(r->remedy)))
                        fail_msg("%s: \"%s\" / \"%s\" / \"%s\"", r->id, r->sentence, r->agent, r->remedy);
                assert_true(r->class > CLASS_OK && r->class < _CLASS_MAX);
        }
        assert_int_equal(n, n_ids);
        assert_null(reason_by_id("no.such-reason"));
        assert_null(reason_by_id(""));
        assert_false(id_is_well_formed("a") || id_is_well_formed("a.") || id_is_well_formed("a.b--c") ||
                     id_is_well_formed("a.-b") || id_is_well_formed("a.b-") || id_is_well_formed("a.B") ||
                     id_is_well_formed("a.b.c"));
}

/* Is the number one of a list like "69, 70"? */
static bool listed(const char *list, int number) {
        char word[16];
        size_t n = (size_t) snprintf(word, sizeof(word), "%d", number);

        for (const char *at = list; (at = strstr(at, word)); at += n)
                if ((at == list || at[-1] == ' ') && (at[n] == ',' || at[n] == '\0'))
                        return true;
        return false;
}

static bool begins(const Reason *r, const char *prefix) {
        return text_starts_with(r->id, prefix);
}

/* The relation that classify.h documents. */
static bool class_and_exit_agree(const Reason *r) {
        bool stays = r->class == CLASS_PERMANENT || r->class == CLASS_OPERATOR;

        if (!listed(outcome_class_exits(r->class), r->exit_code))
                return false;
        switch (r->exit_code) {
        case EXIT_INSTALLER:
                return begins(r, "installer.") && stays;
        case EXIT_DENIED:
                return begins(r, "credential.") || begins(r, "token.given-") ||
                       streq(r->id, "platform.user-unknown");
        case EXIT_DIFFERS:
                return begins(r, "verify.") || begins(r, "platform.") || streq(r->id, "token.role-missing") ||
                       streq(r->id, "token.still-listed") ||
                       streq(r->id, "plan.stale-runner");
        case EXIT_TRANSIENT:
                return !stays || streq(r->id, "agent.loop");
        case EXIT_UNREACHABLE:
                return begins(r, "coordinator.") || begins(r, "platform.") || begins(r, "proxy.") ||
                       streq(r->id, "host.route") ||
                       streq(r->id, "credential.login-failing");
        case EXIT_INTERNAL:
                return begins(r, "agent.") || begins(r, "keeper.") || streq(r->id, "coordinator.client-fault");
        }
        if (begins(r, "installer.") && stays)
                return false; /* 73 */
        return r->exit_code == EXIT_CONFIGURATION || streq(r->id, "agent.interrupted");
}

static void test_class_and_exit_code_agree(void **state) {
        for (OutcomeClass c = CLASS_OK; c < _CLASS_MAX; c++)
                assert_true(strlen(outcome_class_meaning(c)) > 10 && outcome_class_exits(c)[0]);
        for (size_t n = 0; reason_at(n); n++)
                if (!class_and_exit_agree(reason_at(n)))
                        fail_msg("%s: %s, %d", reason_at(n)->id, outcome_class_to_string(reason_at(n)->class),
                                 reason_at(n)->exit_code);
}

/* No class promises an exit that none of its reasons has. */
static void test_exits_of_a_class_are_used(void **state) {
        static const int contract[] = { 69, 70, 73, 75, 76, 77, 78, 143 };

        for (OutcomeClass c = CLASS_TRANSIENT; c < _CLASS_MAX; c++) {
                if (c == CLASS_THROTTLED)
                        continue; /* classify() makes it of a transient one; no row has it */
                for (size_t i = 0; i < ELEMENTS(contract); i++) {
                        bool used = false;

                        for (size_t n = 0; reason_at(n); n++)
                                used = used || (reason_at(n)->class == c && reason_at(n)->exit_code == contract[i]);
                        assert_int_equal(used, listed(outcome_class_exits(c), contract[i]));
                }
        }
        for (size_t n = 0; reason_at(n); n++)
                assert_int_not_equal(reason_at(n)->class, CLASS_THROTTLED);
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

/* An observation that was made for one row. */
static Observation made_for(const ReasonMatch *row) {
        char code[OBSERVATION_CODE_SIZE];
        int number = row->number;

        (void) snprintf(code, sizeof(code), "%s", row->code ? row->code : "nobody-knows-this");
        if (row->number == MATCH_ANY)
                number = 9999;
        else if (row->number < MATCH_ANY)
                number = -row->number * 100 + 99;
        return observe(row->origin, number, code, "", NULL);
}

/* How much a row says about an observation, in words of classify.h and not of classify.c: the code counts
 * before the number. Pairs of digits; -1: it does not fit. */
static int says(const ReasonMatch *row, const Observation *seen) {
        bool exact = row->number >= 0;
        int points = 0;

        if (row->origin != seen->origin)
                return -1;
        if (row->code) {
                if (strcmp(row->code, seen->code) != 0)
                        return -1;
                points += 10;
        }
        if (row->number == MATCH_ANY)
                return points;
        if (exact ? row->number != seen->number : seen->number / 100 != -row->number)
                return -1;
        return points + (exact ? 2 : 1);
}

static void test_each_row_is_reached_by_its_observation_only(void **state) {
        for (size_t n = 0; reason_match_at(n); n++) {
                const ReasonMatch *row = reason_match_at(n);
                Observation seen = made_for(row);
                int best = says(row, &seen);

                assert_true(row->origin != ORIGIN_NONE && best >= 0);
                assert_non_null(reason_by_id(row->reason));
                assert_ptr_equal(classify_match(&seen), row);
                assert_string_equal(judge(seen.origin, seen.number, seen.code).reason, row->reason);
                for (size_t i = 0; reason_match_at(i); i++)
                        assert_true(i == n || says(reason_match_at(i), &seen) < best);
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

/* Total, and what nobody has told us of never ends a run at once: it is transient, or a person's to mend, or
 * the host's, or a secret's second chance, and the table says what bounds it. Spec and plan are our own words. */
static void test_unknown_is_bounded_not_final(void **state) {
        static const char *const bounds[] = { "retry.give_up_after", "deadline", "verify.timeout", "second refusal" };

        for (Origin o = ORIGIN_NONE + 1; o < _ORIGIN_MAX; o++) {
                Outcome outcome = judge(o, 9999, "nobody-knows-this");
                const Reason *r = reason_by_id(outcome.reason);
                bool bounded = false;

                assert_non_null(r);
                if (o == ORIGIN_SPEC || o == ORIGIN_PLAN) {
                        assert_int_equal(r->class, CLASS_PERMANENT);
                        continue;
                }
                assert_true(r->class == CLASS_TRANSIENT || r->class == CLASS_OPERATOR || r->class == CLASS_HOST ||
                            r->class == CLASS_CREDENTIAL);
                for (size_t i = 0; i < ELEMENTS(bounds); i++)
                        bounded = bounded || strstr(r->agent, bounds[i]);
                if (!bounded)
                        fail_msg("%s: what bounds it?", r->id);
        }
        assert_int_equal(judge(ORIGIN_NONE, 0, "").class, CLASS_OK);
        assert_string_equal(judge(ORIGIN_NONE, 0, "").remedy, "");
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

static void test_rows_in_words(void **state) {
        static const struct {
                ReasonMatch row;
                const char *words;
        } rows[] = {
                { { ORIGIN_CURL, 7, NULL, "" }, "curl 7 (couldn't connect)" },
                { { ORIGIN_CURL, MATCH_ANY, NULL, "" }, "any other code of curl" },
                { { ORIGIN_CURL, 4711, NULL, "" }, "curl 4711" },
                { { ORIGIN_HTTP, 503, NULL, "" }, "HTTP 503 without a body of ECE's" },
                { { ORIGIN_HTTP, MATCH_5XX, NULL, "" }, "any other HTTP 5xx without a body of ECE's" },
                { { ORIGIN_ECE, MATCH_ANY, "root.unauthenticated", "" }, "ECE code root.unauthenticated" },
                { { ORIGIN_ECE, 403, NULL, "" }, "HTTP 403 with an unknown ECE code" },
                { { ORIGIN_INSTALLER, 4, NULL, "" }, "installer exit 4 without other evidence" },
                { { ORIGIN_INSTALLER, MATCH_ANY, "firewalld", "" }, "installer evidence firewalld" },
                { { ORIGIN_TLS, 17, "other", "" }, "certificate check other (OpenSSL's result 17)" },
                { { ORIGIN_HOST, MATCH_ANY, NULL, "" }, "any other finding about the host" },
                { { ORIGIN_HOST, 3, NULL, "" }, "host 3" },
                { { ORIGIN_AGENT, 12, "internal", "" }, "agent internal (errno 12)" },
        };
        char buffer[REASON_WORDS_SIZE], number[REASON_NUMBER_SIZE];

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                assert_string_equal(reason_match_words(&rows[i].row, buffer), rows[i].words);
        for (size_t i = 0; reason_match_at(i); i++)
                for (size_t j = 0; j < i; j++) {
                        char other[REASON_WORDS_SIZE];

                        assert_string_not_equal(reason_match_words(reason_match_at(i), buffer),
                                                reason_match_words(reason_match_at(j), other));
                }
        assert_string_equal(reason_match_number(&(ReasonMatch) { .number = MATCH_ANY }, number), "any");
        assert_string_equal(reason_match_number(&(ReasonMatch) { .number = MATCH_5XX }, number), "5xx");
        assert_string_equal(reason_match_number(&(ReasonMatch) { .number = 449 }, number), "449");
        assert_string_equal(reason_match_number(&(ReasonMatch) { .number = -449 }, number), "-449");
}

#define NO_ROW(number_) { number_, NULL }

/* Each code of libcurl's header, thought about: a reason, or no row because our requests (HTTP/1.1 over TLS
 * or a unix socket, GET, POST, PUT and DELETE from memory) can't end so; such a one would be "any other". */
static const struct {
        int code;
        const char *reason;
} curl_rows[] = {
        { CURLE_UNSUPPORTED_PROTOCOL, "coordinator.bad-address" },
        { CURLE_FAILED_INIT, "coordinator.client-fault" },
        { CURLE_URL_MALFORMAT, "coordinator.bad-address" },
        { CURLE_NOT_BUILT_IN, "coordinator.client-fault" },
        { CURLE_COULDNT_RESOLVE_PROXY, "coordinator.resolve-failed" },
        { CURLE_COULDNT_RESOLVE_HOST, "coordinator.resolve-failed" },
        { CURLE_COULDNT_CONNECT, "coordinator.connect-refused" },
        { CURLE_WEIRD_SERVER_REPLY, "coordinator.unknown-answer" },
        NO_ROW(CURLE_REMOTE_ACCESS_DENIED),
        NO_ROW(CURLE_FTP_ACCEPT_FAILED),
        NO_ROW(CURLE_FTP_WEIRD_PASS_REPLY),
        NO_ROW(CURLE_FTP_ACCEPT_TIMEOUT),
        NO_ROW(CURLE_FTP_WEIRD_PASV_REPLY),
        NO_ROW(CURLE_FTP_WEIRD_227_FORMAT),
        NO_ROW(CURLE_FTP_CANT_GET_HOST),
        { CURLE_HTTP2, "coordinator.transfer-failed" },
        NO_ROW(CURLE_FTP_COULDNT_SET_TYPE),
        { CURLE_PARTIAL_FILE, "coordinator.reset" },
        NO_ROW(CURLE_FTP_COULDNT_RETR_FILE),
        NO_ROW(20), /* CURLE_OBSOLETE20 */
        NO_ROW(CURLE_QUOTE_ERROR),
        NO_ROW(CURLE_HTTP_RETURNED_ERROR),
        { CURLE_WRITE_ERROR, "coordinator.reply-too-large" },
        NO_ROW(24), /* CURLE_OBSOLETE24 */
        NO_ROW(CURLE_UPLOAD_FAILED),
        NO_ROW(CURLE_READ_ERROR),
        { CURLE_OUT_OF_MEMORY, "coordinator.client-fault" },
        { CURLE_OPERATION_TIMEDOUT, "coordinator.timeout" },
        NO_ROW(29), /* CURLE_OBSOLETE29 */
        NO_ROW(CURLE_FTP_PORT_FAILED),
        NO_ROW(CURLE_FTP_COULDNT_USE_REST),
        NO_ROW(32), /* CURLE_OBSOLETE32 */
        NO_ROW(CURLE_RANGE_ERROR),
        { CURLE_HTTP_POST_ERROR, "coordinator.client-fault" },
        { CURLE_SSL_CONNECT_ERROR, "coordinator.reset" },
        NO_ROW(CURLE_BAD_DOWNLOAD_RESUME),
        NO_ROW(CURLE_FILE_COULDNT_READ_FILE),
        NO_ROW(CURLE_LDAP_CANNOT_BIND),
        NO_ROW(CURLE_LDAP_SEARCH_FAILED),
        NO_ROW(40), /* CURLE_OBSOLETE40 */
        NO_ROW(CURLE_FUNCTION_NOT_FOUND),
        { CURLE_ABORTED_BY_CALLBACK, "coordinator.client-fault" },
        { CURLE_BAD_FUNCTION_ARGUMENT, "coordinator.client-fault" },
        NO_ROW(44), /* CURLE_OBSOLETE44 */
        NO_ROW(CURLE_INTERFACE_FAILED),
        NO_ROW(46), /* CURLE_OBSOLETE46 */
        { CURLE_TOO_MANY_REDIRECTS, "coordinator.redirect" },
        { CURLE_UNKNOWN_OPTION, "coordinator.client-fault" },
        { CURLE_SETOPT_OPTION_SYNTAX, "coordinator.client-fault" },
        NO_ROW(50), /* CURLE_OBSOLETE50 */
        NO_ROW(51), /* CURLE_OBSOLETE51 */
        { CURLE_GOT_NOTHING, "coordinator.empty-reply" },
        { CURLE_SSL_ENGINE_NOTFOUND, "coordinator.client-fault" },
        { CURLE_SSL_ENGINE_SETFAILED, "coordinator.client-fault" },
        { CURLE_SEND_ERROR, "coordinator.reset" },
        { CURLE_RECV_ERROR, "coordinator.reset" },
        NO_ROW(57), /* CURLE_OBSOLETE57 */
        { CURLE_SSL_CERTPROBLEM, "coordinator.tls-failed" },
        { CURLE_SSL_CIPHER, "coordinator.tls-protocol" },
        { CURLE_PEER_FAILED_VERIFICATION, "coordinator.tls-untrusted" },
        { CURLE_BAD_CONTENT_ENCODING, "coordinator.reply-unusable" },
        NO_ROW(62), /* CURLE_OBSOLETE62 */
        { CURLE_FILESIZE_EXCEEDED, "coordinator.reply-too-large" },
        NO_ROW(CURLE_USE_SSL_FAILED),
        { CURLE_SEND_FAIL_REWIND, "coordinator.transfer-failed" },
        { CURLE_SSL_ENGINE_INITFAILED, "coordinator.client-fault" },
        { CURLE_LOGIN_DENIED, "coordinator.bad-address" },
        NO_ROW(CURLE_TFTP_NOTFOUND),
        NO_ROW(CURLE_TFTP_PERM),
        NO_ROW(CURLE_REMOTE_DISK_FULL),
        NO_ROW(CURLE_TFTP_ILLEGAL),
        NO_ROW(CURLE_TFTP_UNKNOWNID),
        NO_ROW(CURLE_REMOTE_FILE_EXISTS),
        NO_ROW(CURLE_TFTP_NOSUCHUSER),
        NO_ROW(75), /* CURLE_OBSOLETE75 */
        NO_ROW(76), /* CURLE_OBSOLETE76 */
        { CURLE_SSL_CACERT_BADFILE, "coordinator.tls-failed" },
        NO_ROW(CURLE_REMOTE_FILE_NOT_FOUND),
        NO_ROW(CURLE_SSH),
        { CURLE_SSL_SHUTDOWN_FAILED, "coordinator.reset" },
        { CURLE_AGAIN, "coordinator.transfer-failed" },
        NO_ROW(CURLE_SSL_CRL_BADFILE),
        { CURLE_SSL_ISSUER_ERROR, "coordinator.tls-untrusted" },
        NO_ROW(CURLE_FTP_PRET_FAILED),
        NO_ROW(CURLE_RTSP_CSEQ_ERROR),
        NO_ROW(CURLE_RTSP_SESSION_ERROR),
        NO_ROW(CURLE_FTP_BAD_FILE_LIST),
        NO_ROW(CURLE_CHUNK_FAILED),
        { CURLE_NO_CONNECTION_AVAILABLE, "coordinator.client-fault" },
        { CURLE_SSL_PINNEDPUBKEYNOTMATCH, "coordinator.tls-pin-mismatch" },
        { CURLE_SSL_INVALIDCERTSTATUS, "coordinator.tls-failed" },
        { CURLE_HTTP2_STREAM, "coordinator.transfer-failed" },
        { CURLE_RECURSIVE_API_CALL, "coordinator.client-fault" },
        { CURLE_AUTH_ERROR, "coordinator.client-fault" },
        NO_ROW(CURLE_HTTP3),
        NO_ROW(CURLE_QUIC_CONNECT_ERROR),
        { CURLE_PROXY, "coordinator.in-between" },
        { 98, "coordinator.wants-certificate" }, /* CURLE_SSL_CLIENTCERT, not in every header */
        { 99, "coordinator.client-fault" }, /* CURLE_UNRECOVERABLE_POLL, not in every header */
        { 100, "coordinator.reply-too-large" }, /* CURLE_TOO_LARGE, not in every header */
        NO_ROW(101), /* CURLE_ECH_REQUIRED */
};

static void test_every_curl_code(void **state) {
        for (size_t i = 0; i < ELEMENTS(curl_rows); i++) {
                Observation seen = observe(ORIGIN_CURL, curl_rows[i].code, "", "", NULL);
                const ReasonMatch *row = classify_match(&seen);
                char words[REASON_WORDS_SIZE];

                assert_int_equal(curl_rows[i].code, (int) i + 1); /* the numbers are libcurl's, and none is left out */
                assert_int_equal(row->number, curl_rows[i].reason ? curl_rows[i].code : MATCH_ANY);
                assert_string_equal(row->reason, curl_rows[i].reason ?: "coordinator.transfer-failed");
                if (curl_rows[i].reason)
                        assert_non_null(strchr(reason_match_words(row, words), '('));
        }
        for (size_t i = 0; reason_match_at(i); i++)
                assert_true(reason_match_at(i)->origin != ORIGIN_CURL ||
                            reason_match_at(i)->number <= (int) ELEMENTS(curl_rows));
        if (CURL_LAST > ELEMENTS(curl_rows) + 1)
                print_message("libcurl has %d codes that nobody has thought about\n",
                              (int) (CURL_LAST - 1 - ELEMENTS(curl_rows)));
}

/* The errnos of the table are this system's. */
static void test_lack_of_resources_passes(void **state) {
        static const int errnos[] = { EIO, EAGAIN, ENOMEM, ENFILE, EMFILE, ENOSPC, ENOBUFS };
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTS(errnos); i++)
                assert_string_equal(judge(ORIGIN_AGENT, errnos[i], "internal").reason, "agent.resources");
        for (size_t i = 0; reason_match_at(i); i++)
                n += streq(reason_match_at(i)->reason, "agent.resources") ? 1U : 0U;
        assert_int_equal(n, ELEMENTS(errnos));
        assert_string_equal(judge(ORIGIN_AGENT, EINVAL, "internal").reason, "agent.internal");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table_is_sorted_and_well_formed),
                cmocka_unit_test(test_class_and_exit_code_agree),
                cmocka_unit_test(test_exits_of_a_class_are_used),
                cmocka_unit_test(test_who_must_act_is_told_how),
                cmocka_unit_test(test_each_row_is_reached_by_its_observation_only),
                cmocka_unit_test(test_each_reason_is_reached),
                cmocka_unit_test(test_no_row_stands_twice),
                cmocka_unit_test(test_unknown_is_bounded_not_final),
                cmocka_unit_test(test_each_difference_is_known),
                cmocka_unit_test(test_retry_after),
                cmocka_unit_test(test_text_says_where_and_what),
                cmocka_unit_test(test_rows_in_words),
                cmocka_unit_test(test_every_curl_code),
                cmocka_unit_test(test_lack_of_resources_passes),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
