/* SPDX-License-Identifier: Apache-2.0 */

/* Handshakes with coordinators. Invariants: not a byte of HTTP; one that verifies is enough, whatever
 * the others are; none does: silence outweighs an untrusted certificate, wherever it stands in the spec. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "../http/bench.h"
#include "coordinator/coordinator-reach.h"

#define DEAD "https://127.0.0.1:1"
#define SERVE "[{\"body\": \"{}\"}]"
#define COORDINATORS_MAX 3

typedef struct Result {
        sd_event *event;
        unsigned calls;
        size_t n;
        ReachEntry entries[COORDINATORS_MAX];
        Observation failure;
} Result;

static void on_reached(void *userdata, const ReachEntry *entries, size_t n, const Observation *failure) {
        Result *r = userdata;

        r->calls++;
        r->n = n;
        for (size_t i = 0; i < n; i++)
                r->entries[i] = entries[i];
        r->failure = *failure;
        assert_return_code(sd_event_exit(r->event, 0), -1);
}

/* Leaves of bench.h, or "dead", or "silent": a listener that says nothing. */
static const struct {
        const char *leaves[COORDINATORS_MAX];
        bool all;
        Origin origin;
        const char *code;
} worlds[] = {
        { { "good" }, false, ORIGIN_NONE, "" },
        { { "dead", "self", "good" }, false, ORIGIN_NONE, "" },
        { { "dead", "self", "good" }, true, ORIGIN_NONE, "" },
        { { "silent", "good" }, false, ORIGIN_NONE, "" }, /* the first that verifies ends it */
        { { "self" }, false, ORIGIN_TLS, "untrusted" },
        { { "expired" }, false, ORIGIN_TLS, "expired" },
        { { "self", "dead" }, false, ORIGIN_CURL, "" },
        { { "dead", "self" }, false, ORIGIN_CURL, "" },
        { { "self", "expired" }, false, ORIGIN_TLS, "expired" },
        { { "silent", "self" }, false, ORIGIN_CURL, "" },
};

static int listen_silently(char *url, size_t size) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_return_code(bind(fd, (struct sockaddr *) &address, sizeof(address)), errno);
        assert_return_code(listen(fd, 4), errno);
        assert_return_code(getsockname(fd, (struct sockaddr *) &address, &length), errno);
        (void) snprintf(url, size, "https://127.0.0.1:%u", ntohs(address.sin_port));
        return fd;
}

static void ask(char **urls, bool all, Result *r) {
        char ca[256];
        Spec spec = { .coordinators = urls, .trust.ca_file = ca };
        const ReachRequest request = { .spec = &spec, .all = all, .timeout_us = 700 * USEC_PER_MSEC };
        CoordinatorReach *reach = NULL;
        Observation refusal;
        Http *http = NULL;

        (void) snprintf(ca, sizeof(ca), "%s", bench_path("root.pem"));
        assert_return_code(sd_event_new(&r->event), -1);
        assert_int_equal(http_new(r->event, &http), 0);
        assert_int_equal(coordinator_reach(r->event, http, &request, on_reached, r, &reach, &refusal), 0);
        assert_int_equal(r->calls, 0); /* never from inside */
        assert_return_code(sd_event_loop(r->event), -1);
        assert_int_equal(r->calls, 1);
        (void) http_free(http);
        (void) sd_event_unref(r->event);
}

static void check_world(size_t w) {
        char urls[COORDINATORS_MAX][64] = { "" }, *list[COORDINATORS_MAX + 1] = { NULL };
        Peer peers[COORDINATORS_MAX] = { { 0 } };
        int silent[COORDINATORS_MAX] = { -1, -1, -1 };
        Result r = { 0 };

        for (size_t i = 0; i < COORDINATORS_MAX && worlds[w].leaves[i]; i++) {
                list[i] = urls[i];
                if (streq(worlds[w].leaves[i], "dead"))
                        (void) snprintf(urls[i], sizeof(urls[i]), DEAD);
                else if (streq(worlds[w].leaves[i], "silent"))
                        silent[i] = listen_silently(urls[i], sizeof(urls[i]));
                else {
                        peers[i] = peer_start(worlds[w].leaves[i], SERVE);
                        (void) snprintf(urls[i], sizeof(urls[i]), "https://127.0.0.1:%u", peers[i].port);
                }
        }
        ask(list, worlds[w].all, &r);
        print_message("# %zu: %s %s\n", w, r.failure.code, r.failure.detail);
        assert_int_equal(r.failure.origin, worlds[w].origin);
        assert_string_equal(r.failure.code, worlds[w].code);
        for (size_t i = 0; i < r.n; i++) {
                assert_string_equal(r.entries[i].url, urls[i]);
                if (worlds[w].all || worlds[w].origin != ORIGIN_NONE)
                        assert_true(r.entries[i].known);
        }
        for (size_t i = 0; i < COORDINATORS_MAX; i++) {
                if (peers[i].pid > 0) {
                        _cleanup_free_ char *log = peer_stop(&peers[i]);

                        assert_int_equal(log_requests(log), 0);
                }
                if (silent[i] >= 0)
                        (void) close(silent[i]);
        }
}

static void test_worlds(void **state) {
        for (size_t w = 0; w < ELEMENTS(worlds); w++)
                check_world(w);
}

/* As long as the first answers nobody else is asked; and whom a host asks first is its own matter. */
static void test_first_alone(void **state) {
        char silent_url[64], good_url[64], ca[256];
        _cleanup_close_ int silent = listen_silently(silent_url, sizeof(silent_url));
        char *list[] = { silent_url, good_url, NULL };
        Spec spec = { .coordinators = list, .trust.ca_file = ca };
        Peer good = peer_start("good", SERVE);
        size_t alone = 0, both = 0;

        (void) snprintf(good_url, sizeof(good_url), "https://127.0.0.1:%u", good.port);
        (void) snprintf(ca, sizeof(ca), "%s", bench_path("root.pem"));
        assert_return_code(fcntl(silent, F_SETFL, O_NONBLOCK), errno);
        for (uint64_t seed = 1; seed <= 16; seed++) {
                const ReachRequest request = { .spec = &spec, .seed = seed };
                CoordinatorReach *reach = NULL;
                Observation refusal;
                Http *http = NULL;
                Result r = { 0 };

                assert_return_code(sd_event_new(&r.event), -1);
                assert_int_equal(http_new(r.event, &http), 0);
                assert_int_equal(coordinator_reach(r.event, http, &request, on_reached, &r, &reach, &refusal), 0);
                assert_return_code(sd_event_loop(r.event), -1);
                assert_true(observation_is_none(&r.failure));
                (void) http_free(http);
                (void) sd_event_unref(r.event);
                _cleanup_close_ int asked = accept4(silent, NULL, NULL, SOCK_CLOEXEC);
                alone += asked < 0;
                both += asked >= 0;
        }
        free(peer_stop(&good));
        assert_true(alone > 0 && both > 0);
}

/* What is known before is not asked for, and counts as an answer. */
static void test_known_before(void **state) {
        char url[] = DEAD, *list[] = { url, NULL };
        const Observation known[] = { observe(ORIGIN_CURL, 6, "", DEAD, "%s", "no such name") };
        char ca[256];
        Spec spec = { .coordinators = list, .trust.ca_file = ca };
        const ReachRequest request = { .spec = &spec, .known = known };
        CoordinatorReach *reach = NULL;
        Observation refusal;
        Result r = { 0 };
        Http *http = NULL;

        (void) snprintf(ca, sizeof(ca), "%s", bench_path("root.pem"));
        assert_return_code(sd_event_new(&r.event), -1);
        assert_int_equal(http_new(r.event, &http), 0);
        assert_int_equal(coordinator_reach(r.event, http, &request, on_reached, &r, &reach, &refusal), 0);
        assert_return_code(sd_event_loop(r.event), -1);
        assert_int_equal(r.failure.number, 6);
        /* A trust that can't be used is told at once. */
        (void) snprintf(ca, sizeof(ca), "/nonexistent");
        assert_int_equal(coordinator_reach(r.event, http, &request, on_reached, &r, &reach, &refusal), -EINVAL);
        assert_int_equal(refusal.origin, ORIGIN_SPEC);
        (void) http_free(http);
        (void) sd_event_unref(r.event);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_worlds),
                cmocka_unit_test(test_first_alone),
                cmocka_unit_test(test_known_before),
        };
        int failed;

        bench_open();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
