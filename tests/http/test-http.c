/* SPDX-License-Identifier: Apache-2.0 */

/* Requests as they leave us, replies as they come, and every way in which they don't. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "base/text.h"
#include "bench.h"
#include "fetch.h"

static Trust *trust;

#define SECRET "a2V5OnNlY3JldA=="

/* One connection each. Invariant: exactly one call of the handler, and a status exactly when there
 * is no failure. */
static const struct {
        const char *script;
        Origin origin;
        int number; /* CURLcode; 0: any */
        const char *code;
        int status;
        const char *body;
        bool sent;
} replies[] = {
        { "[{\"body\": \"{}\"}]", ORIGIN_NONE, 0, "", 200, "{}", true },
        { "[{\"status\": 404, \"body\": \"no\"}]", ORIGIN_NONE, 0, "", 404, "no", true },
        { "[{\"status\": 204}]", ORIGIN_NONE, 0, "", 204, "", true },
        { "[{\"status\": 302, \"headers\": [\"Location: https://127.0.0.1:1/\"]}]", ORIGIN_NONE, 0, "", 302,
          "", true },
        { "[{\"status\": 401, \"headers\": [\"WWW-Authenticate: Basic realm=x\"]}]", ORIGIN_NONE, 0, "", 401,
          "", true },
        /* of unknown length: bytes are counted, whatever was announced */
        { "[{\"raw\": \"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nabc\"}]", ORIGIN_NONE, 0, "", 200,
          "abc", true },
        { "[{\"raw\": \"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: "
          "chunked\\r\\n\\r\\n3\\r\\nabc\\r\\n0\\r\\n\\r\\n\"}]",
          ORIGIN_NONE, 0, "", 200, "abc", true },
        { "[{\"body\": \"0123456789abcdef\", \"repeat\": 100}]", ORIGIN_REPLY, 200, "too-large", 0, NULL,
          true },
        { "[{\"raw\": \"HTTP/1.1 200 OK\\r\\n\\r\\n\", \"fill\": \"0123456789\", \"repeat\": 103}]",
          ORIGIN_REPLY, 200, "too-large", 0, NULL, true },
        { "[{\"raw\": \"HTTP/1.1 200 OK\\r\\n\", \"fill\": \"X: 01234567890123456789\\r\\n\", \"repeat\": "
          "1500}]",
          ORIGIN_REPLY, 200, "too-large", 0, NULL, true },
        /* replies that break off */
        { "[{\"raw\": \"HTTP/1.1 200 OK\\r\\nContent-Length: 99\\r\\n\\r\\nabc\"}]", ORIGIN_CURL,
          CURLE_PARTIAL_FILE, "", 0, NULL, true },
        { "[{\"raw\": \"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n9\\r\\nabc\"}]",
          ORIGIN_CURL, 0, "", 0, NULL, true },
        { "[{\"raw\": \"\\u0001\\u0002 not HTTP\"}]", ORIGIN_CURL, CURLE_WEIRD_SERVER_REPLY, "", 0, NULL,
          true },
        { "[{\"do\": \"empty\"}]", ORIGIN_CURL, 0, "", 0, NULL, true },
        { "[{\"do\": \"reset\"}]", ORIGIN_CURL, 0, "", 0, NULL, true },
        { "[{\"do\": \"stall\"}]", ORIGIN_CURL, CURLE_OPERATION_TIMEDOUT, "", 0, NULL, true },
        /* before the request */
        { "[{\"do\": \"cut\"}]", ORIGIN_CURL, CURLE_SSL_CONNECT_ERROR, "", 0, NULL, false },
        { "[{\"do\": \"plain\"}]", ORIGIN_TLS, 0, "protocol", 0, NULL, false },
};

static void check_reply(size_t i) {
        _cleanup_fetched_ Fetched f = { 0 };
        _cleanup_free_ char *log = NULL;
        char url[64];

        Peer peer = peer_start("good", replies[i].script);
        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", peer.port);
        HttpRequest request = {
                .method = "GET",
                .url = url,
                .trust = trust,
                .total_timeout_us =
                        streq(replies[i].script, "[{\"do\": \"stall\"}]") ? 500 * USEC_PER_MSEC : 0,
                .body_maximum = 1024,
        };
        assert_int_equal(fetch(&request, &f), 0);
        log = peer_stop(&peer);

        assert_int_equal(f.calls, 1);
        assert_int_equal(f.failure.origin, replies[i].origin);
        assert_string_equal(f.failure.code, replies[i].code);
        if (replies[i].number)
                assert_int_equal(f.failure.number, replies[i].number);
        assert_int_equal(f.reply.status, replies[i].status);
        assert_int_equal(f.reply.request_sent, replies[i].sent);
        if (replies[i].body)
                assert_string_equal(f.body, replies[i].body);
        if (replies[i].origin != ORIGIN_NONE)
                assert_string_equal(f.failure.where, url);
        assert_int_equal(log_requests(log), replies[i].sent ? 1 : 0); /* neither repeated nor redirected */
        assert_true(f.reply.sent_us > 0 && f.reply.sent_us <= clock_boottime_us());
}

static void test_replies(void **state) {
        for (size_t i = 0; i < ELEMENTS(replies); i++)
                check_reply(i);
}

static void test_refused(void **state) {
        _cleanup_fetched_ Fetched f = { 0 };
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        char url[64];

        /* A port that is bound and not listened on: nobody else gets it, and it refuses. */
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", ntohs(address.sin_port));
        assert_int_equal(fetch(&(HttpRequest) { .method = "GET", .url = url, .trust = trust }, &f), 0);
        assert_int_equal(f.failure.origin, ORIGIN_CURL);
        assert_int_equal(f.failure.number, CURLE_COULDNT_CONNECT);
        assert_false(f.reply.request_sent);
}

/* The very bytes: nothing is sent that was not asked for. */
static void test_request_bytes(void **state) {
        static const struct {
                const char *method, *body, *scheme, *expected; /* %u: the port */
        } cases[] = {
                { "GET", NULL, NULL,
                  "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: ece-enroll/" PACKAGE_VERSION
                  "\r\nAccept: application/json\r\n\r\n\n~~\n" },
                { "POST", "{\"a\":1}", "Basic",
                  "POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: ece-enroll/" PACKAGE_VERSION
                  "\r\nAccept: application/json\r\nContent-Type: application/json\r\nAuthorization: "
                  "Basic " SECRET "\r\nContent-Length: 7\r\n\r\n{\"a\":1}\n~~\n" },
                { "POST", NULL, NULL,
                  "POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: ece-enroll/" PACKAGE_VERSION
                  "\r\nAccept: application/json\r\nContent-Length: 0\r\n\r\n\n~~\n" },
                { "PUT", "[]", "Bearer",
                  "PUT /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: ece-enroll/" PACKAGE_VERSION
                  "\r\nAccept: application/json\r\nContent-Type: application/json\r\nAuthorization: "
                  "Bearer " SECRET "\r\nContent-Length: 2\r\n\r\n[]\n~~\n" },
                { "DELETE", NULL, "ApiKey",
                  "DELETE /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: ece-enroll/" PACKAGE_VERSION
                  "\r\nAccept: application/json\r\nAuthorization: ApiKey " SECRET "\r\n\r\n\n~~\n" },
        };
        _cleanup_(secret_freep) Secret *secret = NULL;
        char url[64], expected[1024];

        assert_int_equal(secret_new(SECRET, sizeof(SECRET) - 1, &secret), 0);
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_fetched_ Fetched f = { 0 };
                _cleanup_free_ char *log = NULL;
                Peer peer = peer_start("good", "[{\"body\": \"{}\"}]");
                (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u/a?b=c", peer.port);
                HttpRequest request = {
                        .method = cases[i].method,
                        .url = url,
                        .trust = trust,
                        .body = cases[i].body,
                        .body_size = cases[i].body ? strlen(cases[i].body) : 0,
                        .auth_scheme = cases[i].scheme,
                        .auth = cases[i].scheme ? secret : NULL,
                };
                assert_int_equal(fetch(&request, &f), 0);
                log = peer_stop(&peer);
                const char *mark = strstr(cases[i].expected, "%u");
                (void) snprintf(expected, sizeof(expected), "%.*s%u%s", (int) (mark - cases[i].expected),
                                cases[i].expected, peer.port, mark + 2);
                assert_string_equal(log, expected);
        }
}

static void test_reply_headers(void **state) {
        _cleanup_fetched_ Fetched f = { 0 };
        _cleanup_free_ char *log = NULL;
        char url[64];
        Peer peer =
                peer_start("good", "[{\"status\": 503, \"body\": \"x\", \"headers\": ["
                                   "\"Date: Tue, 24 Nov 2026 10:00:00 GMT\", \"Content-Type: text/html\","
                                   "\"Retry-After: Tue, 24 Nov 2026 10:00:30 GMT\","
                                   "\"x-cloud-error-codes: a.b\", \"X-Elastic-Api-Key-Expiration: soon\"]}]");

        (void) snprintf(url, sizeof(url), "https://localhost:%u/x", peer.port);
        assert_int_equal(fetch(&(HttpRequest) { .method = "GET", .url = url, .trust = trust }, &f), 0);
        log = peer_stop(&peer);
        assert_int_equal(f.reply.status, 503);
        assert_int_equal(f.reply.date_s, 1795514400);
        assert_int_equal(f.reply.retry_after_us, 30 * USEC_PER_SEC);
        assert_string_equal(f.reply.content_type, "text/html");
        assert_string_equal(f.reply.error_codes, "a.b");
        assert_string_equal(f.reply.key_expiration, "soon");
}

static void test_unix_socket(void **state) {
        _cleanup_fetched_ Fetched f = { 0 };
        _cleanup_free_ char *log = NULL;
        Peer peer = peer_start(NULL, "[{\"body\": \"pong\"}]");
        HttpRequest request = { .method = "GET",
                                .url = "http://localhost/_ping",
                                .unix_socket = peer.unix_path };

        assert_int_equal(fetch(&request, &f), 0);
        log = peer_stop(&peer);
        assert_int_equal(f.reply.status, 200);
        assert_string_equal(f.body, "pong");
        assert_true(text_starts_with(log, "GET /_ping HTTP/1.1\r\nHost: localhost\r\n"));
}

/* Refused before anything happens. */
static void test_invalid(void **state) {
        static const struct {
                const char *method, *url, *socket, *scheme, *secret;
        } cases[] = {
                { "GET", "http://127.0.0.1:1/", NULL, NULL, NULL }, /* plain HTTP to a coordinator */
                { "GET", "ftp://127.0.0.1:1/", NULL, NULL, NULL },
                { "GET", "127.0.0.1", NULL, NULL, NULL },
                { "GET", "https://127.0.0.1/", "/run/docker.sock", NULL, NULL },
                { "HEAD", "https://127.0.0.1:1/", NULL, NULL, NULL },
                { "GET", "https://127.0.0.1:1/\r\nX: y", NULL, NULL, NULL },
                { "GET", "https://127.0.0.1:1/", NULL, "ApiKey", "key\r\nX-Injected: 1" },
                { "GET", "https://127.0.0.1:1/", NULL, "ApiKey", "key\n" },
                { "GET", "https://127.0.0.1:1/", NULL, "Api\rKey", "key" },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_(secret_freep) Secret *secret = NULL;
                _cleanup_fetched_ Fetched f = { 0 };
                if (cases[i].secret)
                        assert_int_equal(secret_new(cases[i].secret, strlen(cases[i].secret), &secret), 0);
                HttpRequest request = {
                        .method = cases[i].method,
                        .url = cases[i].url,
                        .trust = trust,
                        .unix_socket = cases[i].socket,
                        .auth_scheme = cases[i].scheme,
                        .auth = secret,
                };
                assert_int_equal(fetch(&request, &f), -EINVAL);
                assert_int_equal(f.calls, 0);
        }
}

typedef struct Pair {
        sd_event *event;
        HttpTransfer *other;
        unsigned calls;
} Pair;

static void on_first(void *userdata, const HttpReply *reply, const Observation *failure) {
        Pair *pair = userdata;

        pair->calls++;
        if (pair->other)
                http_cancel(TAKE_PTR(pair->other));
        (void) sd_event_exit(pair->event, 0);
}

static void on_never(void *userdata, const HttpReply *reply, const Observation *failure) {
        fail_msg("the handler of a cancelled transfer ran");
}

/* Listens on loopback and never accepts: connections hang in the handshake. */
static int silent_listener(char url[static 64]) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *) &address, size), 0);
        assert_int_equal(listen(fd, 8), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        (void) snprintf(url, 64, "https://127.0.0.1:%u/", ntohs(address.sin_port));
        return fd;
}

/* A handler may cancel another transfer, whose handler then never runs; freeing cancels what is
 * left. */
static void test_cancel(void **state) {
        _cleanup_free_ char *log = NULL;
        HttpTransfer *first = NULL, *third = NULL;
        Pair pair = { 0 };
        Http *http = NULL;
        char url[64], silent_url[64];
        _cleanup_close_ int silent = silent_listener(silent_url);
        Peer peer = peer_start("good", "[{\"body\": \"{}\"}]");

        assert_true(silent >= 0);
        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", peer.port);
        HttpRequest request = { .method = "GET", .url = url, .trust = trust };
        HttpRequest slow = { .method = "GET", .url = silent_url, .trust = trust };
        assert_true(sd_event_new(&pair.event) >= 0);
        assert_int_equal(http_new(pair.event, &http), 0);
        assert_int_equal(http_start(http, &slow, on_never, NULL, &pair.other), 0);
        assert_int_equal(http_start(http, &slow, on_never, NULL, &third), 0);
        assert_int_equal(http_start(http, &request, on_first, &pair, &first), 0);
        assert_int_equal(sd_event_loop(pair.event), 0);
        assert_int_equal(pair.calls, 1);
        http = http_free(http);
        pair.event = sd_event_unref(pair.event);
        log = peer_stop(&peer);
        assert_int_equal(log_requests(log), 1);
}

/* Two transfers that end in the same turn of the loop: when the first one's handler ends the loop,
 * the second one's does not run. */
static void test_exit_between(void **state) {
        HttpRequest request = { .method = "GET", .url = "http://localhost/", .unix_socket = "/nonexistent/socket" };
        HttpTransfer *first = NULL, *second = NULL;
        Pair pair = { 0 };
        Http *http = NULL;

        assert_true(sd_event_new(&pair.event) >= 0);
        assert_int_equal(http_new(pair.event, &http), 0);
        assert_int_equal(http_start(http, &request, on_first, &pair, &first), 0);
        assert_int_equal(http_start(http, &request, on_never, NULL, &second), 0);
        assert_int_equal(sd_event_loop(pair.event), 0);
        assert_int_equal(pair.calls, 1);
        http = http_free(http);
        pair.event = sd_event_unref(pair.event);
}

/* Once the loop was told to exit, no handler runs any more. */
static void test_exit(void **state) {
        HttpTransfer *transfer = NULL;
        sd_event *event = NULL;
        Http *http = NULL;

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(http_new(event, &http), 0);
        HttpRequest request = { .method = "GET", .url = "https://127.0.0.1:1/", .trust = trust };
        assert_int_equal(http_start(http, &request, on_never, NULL, &transfer), 0);
        assert_true(sd_event_exit(event, 0) >= 0);
        assert_int_equal(sd_event_loop(event), 0);
        http = http_free(http);
        event = sd_event_unref(event);
}

typedef struct Handshakes {
        sd_event *event;
        Http *http;
        HttpRequest request;
        unsigned done;
} Handshakes;

#define HANDSHAKES 3U

static void on_shaken(void *userdata, const HttpReply *reply, const Observation *failure) {
        Handshakes *h = userdata;
        HttpTransfer *transfer;

        assert_true(observation_is_none(failure));
        assert_int_equal(reply->status, 0);
        assert_false(reply->request_sent);
        if (++h->done == HANDSHAKES)
                assert_true(sd_event_exit(h->event, 0) >= 0);
        else
                assert_int_equal(http_start(h->http, &h->request, on_shaken, h, &transfer), 0);
}

/* The server serves one connection after the other, each until it is closed: so each is closed before the next one
 * is let in, while the Http lives on. Nothing is sent over any. */
static void test_handshake_only(void **state) {
        Peer peer = peer_start("good", "[{\"do\": \"stall\"}]");
        Handshakes h = { .request = { .trust = trust, .handshake_only = true } };
        _cleanup_free_ char *log = NULL;
        HttpTransfer *transfer;
        char url[64];

        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u", peer.port);
        h.request.url = url;
        assert_true(sd_event_new(&h.event) >= 0);
        assert_int_equal(http_new(h.event, &h.http), 0);
        assert_int_equal(http_start(h.http, &h.request, on_shaken, &h, &transfer), 0);
        assert_true(sd_event_loop(h.event) >= 0);
        assert_int_equal(h.done, HANDSHAKES);
        log = peer_stop(&peer);
        assert_int_equal(log_requests(log), 0);
        h.http = http_free(h.http);
        h.event = sd_event_unref(h.event);
}

/* Whom we don't trust is refused just the same. */
static void test_handshake_refused(void **state) {
        _cleanup_fetched_ Fetched f = { 0 };
        Peer peer = peer_start("self", "[{\"body\": \"{}\"}]");
        char url[64];

        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u", peer.port);
        assert_int_equal(fetch(&(HttpRequest) { .url = url, .trust = trust, .handshake_only = true }, &f), 0);
        free(peer_stop(&peer));
        assert_int_equal(f.failure.origin, ORIGIN_TLS);
        assert_string_equal(f.failure.code, "untrusted");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_replies),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_request_bytes),
                cmocka_unit_test(test_reply_headers),
                cmocka_unit_test(test_unix_socket),
                cmocka_unit_test(test_invalid),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_exit),
                cmocka_unit_test(test_exit_between),
                cmocka_unit_test(test_handshake_only),
                cmocka_unit_test(test_handshake_refused),
        };
        Observation refusal;

        bench_open();
        /* Hostile surroundings: none of it is configuration. */
        (void) setenv("https_proxy", "http://127.0.0.1:1", 1);
        (void) setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
        int r = trust_new(bench_path("root.pem"), NULL, &trust, &refusal);
        if (r < 0)
                return 1;
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        trust = trust_free(trust);
        bench_close();
        return failed;
}
