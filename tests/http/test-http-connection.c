/* SPDX-License-Identifier: Apache-2.0 */

/* Connections that are kept: who goes on whose, and what never happens twice. The server says how many there were and
 * what came on them. */

#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "base/text.h"
#include "bench.h"
#include "fetch.h"

#define KEPT "{\"body\": \"{}\", \"keep\": true}"

/* The test's own stands before libsystemd's, for the whole program: it can make the while short for which a connection is kept. */
static bool hurry;

int sd_event_source_set_time_relative(sd_event_source *source, uint64_t usec) {
        int (*real)(sd_event_source *, uint64_t) = NULL;

        *(void **) &real = dlsym(RTLD_NEXT, "sd_event_source_set_time_relative");
        return real(source, hurry && usec == HTTP_KEPT_US ? 0 : usec);
}

typedef struct Talk {
        sd_event *event;
        Http *http;
        Peer peer;
        char url[64];
        char *log;
} Talk;

static Talk talk_begin(const char *script) {
        Talk t = { .peer = peer_start("good", script) };

        (void) snprintf(t.url, sizeof(t.url), "https://127.0.0.1:%u/x", t.peer.port);
        assert_true(sd_event_new(&t.event) >= 0);
        assert_int_equal(http_new(t.event, &t.http), 0);
        return t;
}

/* Closes what is kept, and reads what the server has seen. */
static void talk_end(Talk *t) {
        t->http = http_free(t->http);
        t->event = sd_event_unref(t->event);
        t->log = peer_stop(&t->peer);
}

static Trust *trust_root(void) {
        Observation refusal;
        Trust *trust;

        assert_int_equal(trust_new(bench_path("root.pem"), NULL, &trust, &refusal), 0);
        return trust;
}

static Fetched ask(Talk *t, const char *method, Trust *trust, bool shares) {
        bool post = streq(method, "POST");
        Fetched f = { 0 };
        HttpRequest request = {
                .method = method,
                .url = t->url,
                .trust = trust,
                .shares_connection = shares,
                .body = post ? "{\"a\":1}" : NULL,
                .body_size = post ? 7 : 0,
        };

        assert_int_equal(fetch_by(t->event, t->http, &request, &f), 0);
        assert_int_equal(f.calls, 1);
        return f;
}

static void expect(Talk *t, const char *method, Trust *trust, bool shares, int status) {
        _cleanup_fetched_ Fetched f = ask(t, method, trust, shares);

        assert_true(observation_is_none(&f.failure));
        assert_int_equal(f.reply.status, status);
}

static size_t count(const char *log, const char *word) {
        size_t n = 0;

        for (const char *at = strstr(log, word); at; at = strstr(at + strlen(word), word))
                n++;
        return n;
}

static void test_shared(void **state) {
        Talk t = talk_begin("[" KEPT "]");
        _cleanup_(trust_freep) Trust *trust = trust_root();

        expect(&t, "GET", trust, true, 200);
        expect(&t, "POST", trust, true, 200);
        expect(&t, "PUT", trust, true, 200);
        expect(&t, "DELETE", trust, true, 200);
        expect(&t, "GET", trust, true, 200);
        talk_end(&t);
        assert_int_equal(log_requests(t.log), 5);
        assert_int_equal(count(t.log, "##\n"), 1);
        free(t.log);
}

/* Who does not ask for it has a connection of his own, and leaves none. (The server lets the next one in when the one before is
 * closed, so what is open has to be closed first.) */
static void test_alone(void **state) {
        Talk t = talk_begin("[" KEPT "]");
        _cleanup_(trust_freep) Trust *trust = trust_root();

        expect(&t, "GET", trust, false, 200);
        expect(&t, "GET", trust, false, 200);
        expect(&t, "GET", trust, true, 200);
        talk_end(&t);
        assert_int_equal(log_requests(t.log), 3);
        assert_int_equal(count(t.log, "##\n"), 3);
        free(t.log);
}

/* What the one has verified is nothing to the other, even if it was made of the same file, or in the same memory. */
static void test_trusts(void **state) {
        Talk t = talk_begin("[" KEPT "]");
        Observation refusal;

        for (size_t i = 0; i < 3; i++) {
                _cleanup_(trust_freep) Trust *trust = trust_root();
                expect(&t, "GET", trust, true, 200);
        }
        {
                _cleanup_(trust_freep) Trust *other = NULL;

                assert_int_equal(trust_new(bench_path("other-root.pem"), NULL, &other, &refusal), 0);
                _cleanup_fetched_ Fetched f = ask(&t, "GET", other, true);
                assert_string_equal(f.failure.code, "untrusted");
                assert_false(f.reply.request_sent);
        }
        talk_end(&t);
        assert_int_equal(log_requests(t.log), 3);
        assert_int_equal(count(t.log, "##\n"), 3);
        free(t.log);
}

/* A kept connection that turns out to be dead: a question is asked again, and a POST is not. */
static void check_hung_up(const char *method, const char *how, size_t arrives, int status) {
        _cleanup_(trust_freep) Trust *trust = trust_root();
        char script[256];

        (void) snprintf(script, sizeof(script), "[" KEPT ", {\"do\": \"%s\"}, {\"body\": \"{}\"}]", how);
        Talk t = talk_begin(script);
        expect(&t, "GET", trust, true, 200);
        _cleanup_fetched_ Fetched f = ask(&t, method, trust, true);
        talk_end(&t);
        assert_int_equal(f.reply.status, status);
        if (status == 0) {
                assert_int_equal(f.failure.origin, ORIGIN_CURL);
                assert_true(f.failure.number == CURLE_GOT_NOTHING || f.failure.number == CURLE_RECV_ERROR);
                assert_true(f.reply.request_sent);
        }
        assert_int_equal(log_requests(t.log), 1 + arrives);
        free(t.log);
}

/* The same, and nobody is there any more for a second time: what is told is what became of the first. */
static void test_hung_up_and_gone(void **state) {
        _cleanup_(trust_freep) Trust *trust = trust_root();
        Talk t = talk_begin("[" KEPT ", {\"do\": \"gone\"}]");

        expect(&t, "GET", trust, true, 200);
        _cleanup_fetched_ Fetched f = ask(&t, "POST", trust, true);
        assert_int_equal(f.failure.number, CURLE_GOT_NOTHING);
        assert_true(f.reply.request_sent);
        talk_end(&t);
        assert_int_equal(log_requests(t.log), 2);
        free(t.log);
}

static void test_hung_up(void **state) {
        check_hung_up("GET", "empty", 2, 200);
        check_hung_up("GET", "reset", 2, 200);
        check_hung_up("POST", "empty", 1, 0);
        check_hung_up("POST", "reset", 1, 0);
}

/* Something that answers the first request of a connection only, and is silent to the next: it is believed once. */
static void test_silent(void **state) {
        Talk t = talk_begin("[" KEPT ", {\"do\": \"stall\"}, " KEPT "]");
        _cleanup_(trust_freep) Trust *trust = trust_root();
        HttpRequest request = {
                .method = "GET", .url = t.url, .trust = trust, .shares_connection = true, .total_timeout_us = 500 * USEC_PER_MSEC,
        };
        _cleanup_fetched_ Fetched f = { 0 };

        expect(&t, "GET", trust, true, 200);
        assert_int_equal(fetch_by(t.event, t.http, &request, &f), 0);
        assert_int_equal(f.failure.number, CURLE_OPERATION_TIMEDOUT);
        expect(&t, "GET", trust, true, 200);
        expect(&t, "GET", trust, true, 200);
        talk_end(&t);
        assert_int_equal(log_requests(t.log), 4);
        assert_int_equal(count(t.log, "##\n"), 3);
        free(t.log);
}

/* One that was cancelled leaves its connection to nobody, and the loop as it was. */
static void test_cancelled(void **state) {
        Talk t = talk_begin("[" KEPT "]");
        _cleanup_(trust_freep) Trust *trust = trust_root();
        HttpTransfer *transfer = NULL;
        HttpRequest request = { .method = "GET", .url = t.url, .trust = trust, .shares_connection = true };

        expect(&t, "GET", trust, true, 200);
        assert_int_equal(http_start(t.http, &request, NULL, NULL, &transfer), 0);
        http_cancel(transfer);
        expect(&t, "GET", trust, true, 200);
        talk_end(&t);
        assert_true(log_requests(t.log) >= 2);
        free(t.log);
}

/* When nothing was asked for a while, the other side is not held up any longer. */
static void test_closed_when_idle(void **state) {
        Talk t = talk_begin("[" KEPT "]");
        _cleanup_(trust_freep) Trust *trust = trust_root();

        hurry = true;
        for (size_t i = 0; i < 3; i++) {
                expect(&t, "GET", trust, true, 200);
                while (sd_event_run(t.event, 0) > 0)
                        ;
        }
        hurry = false;
        talk_end(&t);
        assert_int_equal(log_requests(t.log), 3);
        assert_int_equal(count(t.log, "##\n"), 3);
        free(t.log);
}

/* Whoever knows that nothing will be asked lets go at once; who comes after that makes a connection of his own. */
static void test_let_go(void **state) {
        Talk t = talk_begin("[" KEPT "]");
        _cleanup_(trust_freep) Trust *trust = trust_root();

        http_let_go(t.http); /* of nothing */
        expect(&t, "GET", trust, true, 200);
        http_let_go(t.http);
        expect(&t, "GET", trust, true, 200);
        expect(&t, "GET", trust, true, 200);
        talk_end(&t);
        assert_int_equal(log_requests(t.log), 3);
        assert_int_equal(count(t.log, "##\n"), 2);
        free(t.log);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shared), cmocka_unit_test(test_alone),      cmocka_unit_test(test_trusts),
                cmocka_unit_test(test_hung_up), cmocka_unit_test(test_hung_up_and_gone),
                cmocka_unit_test(test_silent),    cmocka_unit_test(test_cancelled),
                cmocka_unit_test(test_closed_when_idle), cmocka_unit_test(test_let_go),
        };

        bench_open();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
