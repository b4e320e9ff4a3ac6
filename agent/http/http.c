/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libcurl's multi interface on sd-event: the glue, and nothing of HTTP.
 *
 * libcurl tells which descriptors it waits for (on_socket) and when it wants to be woken
 * (on_timer); the loop tells libcurl what came (on_io, on_time). Rules that keep the two apart:
 *
 *  - libcurl's callbacks only keep books: they never call libcurl.
 *  - Completions are read in a deferred event source, until there are none, and handlers run from
 *    there: never below a libcurl frame, and never once the loop was told to exit.
 *  - Event sources belong to the list in Http and are freed after curl_multi_cleanup(), which
 *    itself calls on_socket.
 *  - After any CURLMcode but OK the state of all transfers is unknown: all fail, and the next
 *    request gets a new multi handle.
 *
 * One thread. From inside a handler an Http is not freed (asserted) and the handler's own transfer
 * is not cancelled, for it is gone already; everything else is allowed there, starting the next
 * transfer too.
 */

#include "http/http.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "http/http-private.h"

typedef struct HttpSocket {
        LIST_ENTRY(HttpSocket) link;
        Http *http;
        curl_socket_t fd;
        sd_event_source *source;
} HttpSocket;

struct Http {
        sd_event *event;
        sd_event_source *timer;
        sd_event_source *idle;        /* what is kept open is closed then */
        sd_event_source *completions; /* deferred: off while there is nothing to look for */
        CURLM *multi;                 /* NULL until the first request, and after a CURLM error */
        uint64_t shared_serial;       /* of the Trust under which connections are kept; 0: none are */
        uint64_t unshared_serial;     /* of the Trust whose peers were seen not to bear it; 0: none was */
        bool broken;                  /* a CURLM error was met; cleared with the multi handle */
        bool delivering;
        LIST_HEAD(, HttpSocket) sockets;
        TAILQ_HEAD(HttpTransfers, HttpTransfer) transfers; /* under way or settled, in order of their start */
};

static void wake_completions(Http *http) {
        int r = sd_event_source_set_enabled(http->completions, SD_EVENT_ONESHOT);
        assert(r >= 0); /* it only moves between the loop's lists: there is nothing it could lack */
}

static void multi_check(Http *http, CURLMcode r) {
        if (r != CURLM_OK)
                http->broken = true;
        wake_completions(http);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Http *http = ((HttpSocket *) userdata)->http; /* the HttpSocket may be gone when libcurl returns */
        int running, action = 0;

        if (revents & EPOLLIN)
                action |= CURL_CSELECT_IN;
        if (revents & EPOLLOUT)
                action |= CURL_CSELECT_OUT;
        if (revents & (EPOLLERR | EPOLLHUP))
                action |= CURL_CSELECT_ERR;
        multi_check(http, curl_multi_socket_action(http->multi, fd, action, &running));
        return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        Http *http = userdata;
        int running;

        if (http->multi)
                multi_check(http, curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running));
        return 0;
}

static HttpSocket *socket_find(Http *http, curl_socket_t fd) {
        HttpSocket *s;

        LIST_FOREACH(s, &http->sockets, link)
                if (s->fd == fd)
                        return s;
        return NULL;
}

static void socket_free(HttpSocket *s) {
        LIST_REMOVE(s, link);
        sd_event_source_disable_unref(s->source);
        free(s);
}

static int socket_add(Http *http, curl_socket_t fd, uint32_t events) {
        HttpSocket *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        *s = (HttpSocket) { .http = http, .fd = fd };
        int r = sd_event_add_io(http->event, &s->source, fd, events, on_io, s);
        if (r < 0) {
                free(s);
                return r;
        }
        LIST_INSERT_HEAD(&http->sockets, s, link);
        return 0;
}

/* libcurl: wait for this on that descriptor. -1 makes it fail the transfers. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *unused) {
        static const uint32_t epoll_events[] = {
                [CURL_POLL_NONE] = 0,
                [CURL_POLL_IN] = EPOLLIN,
                [CURL_POLL_OUT] = EPOLLOUT,
                [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
        };
        Http *http = userdata;
        HttpSocket *known = socket_find(http, fd);

        if (what == CURL_POLL_REMOVE) {
                if (known)
                        socket_free(known);
                return 0;
        }
        assert(what >= 0 && (size_t) what < ELEMENTS(epoll_events));
        int r = known ? sd_event_source_set_io_events(known->source, epoll_events[what])
                      : socket_add(http, fd, epoll_events[what]);
        return r < 0 ? -1 : 0;
}

/* libcurl: wake me in so many milliseconds, or not at all. Arms, also for 0, and calls nothing. */
static int on_timer(CURLM *multi, long timeout_ms, void *userdata) {
        Http *http = userdata;
        int r;

        if (timeout_ms < 0)
                return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
        r = sd_event_source_set_time_relative(http->timer, (uint64_t) timeout_ms * USEC_PER_MSEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT);
        return r < 0 ? -1 : 0;
}

static int multi_open(Http *http) {
        http->multi = curl_multi_init();
        if (!http->multi)
                return -ENOMEM;
        CURLMcode r = curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        if (r == CURLM_OK)
                r = curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
        if (r == CURLM_OK)
                r = curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
        if (r == CURLM_OK)
                r = curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
        if (r == CURLM_OK)
                return 0;
        (void) curl_multi_cleanup(http->multi);
        http->multi = NULL;
        return -EIO;
}

/* Ends the multi handle; its transfers must have been taken out. Sources go last. */
static void multi_close(Http *http) {
        HttpSocket *s;

        if (http->multi)
                (void) curl_multi_cleanup(http->multi);
        http->multi = NULL;
        http->broken = false;
        http->shared_serial = 0;
        while ((s = LIST_FIRST(&http->sockets)))
                socket_free(s);
        (void) sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(http->idle, SD_EVENT_OFF);
}

/* --- Connections that are kept: only those of one Trust, and not for long --- */

void http_let_go(Http *http) {
        if (http->shared_serial != 0 && TAILQ_EMPTY(&http->transfers) && !http->delivering)
                multi_close(http);
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        http_let_go(userdata);
        return 0;
}

/* Nobody is under way any more: what is open may stay so for a while. Else a coordinator would hold a connection
 * for each host of a fleet, and this host one that the other side has long forgotten. */
static void wait_idle(Http *http) {
        if (http->shared_serial == 0 || !TAILQ_EMPTY(&http->transfers))
                return;
        int r = sd_event_source_set_time_relative(http->idle, HTTP_KEPT_US);
        if (r >= 0)
                r = sd_event_source_set_enabled(http->idle, SD_EVENT_ONESHOT);
        if (r < 0)
                multi_close(http);
}

/* Something on the way that lets one request through a connection and drops the next, without a word: it is not tried again. */
static void note_end(Http *http, const HttpTransfer *t) {
        if (t->kept && t->failure.origin == ORIGIN_CURL)
                http->unshared_serial = http->shared_serial;
}

/* libcurl does not know that a Trust belongs to a connection, since it only calls it. So all that are kept are of one:
 * whoever comes with another closes them, or goes alone while somebody is under way. */
static bool may_share(Http *http, const HttpRequest *request) {
        uint64_t serial;

        /* An open connection has OpenSSL's own copy of the client's key with it, outside of guarded memory. */
        if (!request->shares_connection || request->handshake_only || !request->trust || request->client_key)
                return false;
        serial = trust_serial(request->trust);
        if (serial == http->unshared_serial)
                return false;
        if (http->shared_serial != serial && http->shared_serial != 0) {
                if (!TAILQ_EMPTY(&http->transfers))
                        return false;
                multi_close(http);
        }
        http->shared_serial = serial;
        return true;
}

/* After a CURLM error: nothing that libcurl says about a running transfer can be believed any more.
 * */
static void multi_fail(Http *http) {
        HttpTransfer *t;

        TAILQ_FOREACH(t, &http->transfers, link) {
                if (t->settled)
                        continue;
                (void) curl_multi_remove_handle(http->multi, t->easy);
                http_transfer_settle(t, CURLE_FAILED_INIT);
        }
        multi_close(http);
}

static void collect_settled(Http *http) {
        CURLMsg *message;
        int left;

        while (http->multi && (message = curl_multi_info_read(http->multi, &left))) {
                char *private = NULL;
                CURL *easy = message->easy_handle;
                CURLcode result = message->data.result; /* the message dies with the removal */

                if (message->msg != CURLMSG_DONE)
                        continue;
                CURLcode r = curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
                assert(r == CURLE_OK && private); /* set on every easy handle we make */
                (void) curl_multi_remove_handle(http->multi, easy);
                http_transfer_settle((HttpTransfer *) (void *) private, result);
                note_end(http, (HttpTransfer *) (void *) private);
        }
}

static HttpTransfer *first_settled(Http *http) {
        HttpTransfer *t;

        TAILQ_FOREACH(t, &http->transfers, link)
                if (t->settled)
                        return t;
        return NULL;
}

static bool loop_is_exiting(Http *http) {
        int code;

        return sd_event_get_exit_code(http->event, &code) >= 0;
}

static int on_completions(sd_event_source *source, void *userdata) {
        Http *http = userdata;

        collect_settled(http);
        if (http->broken)
                multi_fail(http);

        http->delivering = true;
        while (!loop_is_exiting(http)) {
                HttpTransfer *t = first_settled(http);
                if (!t)
                        break;
                /* Out of the list first: the handler may start and cancel others. */
                TAILQ_REMOVE(&http->transfers, t, link);
                t->handler(t->userdata, &t->reply, &t->failure);
                (void) http_transfer_free(t);
        }
        http->delivering = false;
        wait_idle(http);
        return 0;
}

int http_new(sd_event *event, Http **ret) {
        /* libcurl reads it once, here, and would write there what decrypts a recorded conversation. */
        (void) unsetenv("SSLKEYLOGFILE");
        /* libcurl counts these calls: the allocator is that of the first, and all of them are ours.
         * */
        if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc,
                                 wiping_strdup, wiping_calloc) != CURLE_OK)
                return -EIO;
        Http *http = calloc(1, sizeof(*http));
        if (!http) {
                curl_global_cleanup();
                return -ENOMEM;
        }
        http->event = sd_event_ref(event);
        LIST_INIT(&http->sockets);
        TAILQ_INIT(&http->transfers);

        /* libcurl's own clock is the monotonic one, and it thinks in milliseconds. */
        int r = sd_event_add_time_relative(event, &http->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_time,
                                           http);
        if (r >= 0)
                r = sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &http->idle, CLOCK_BOOTTIME, 0, USEC_PER_SEC, on_idle, http);
        if (r >= 0)
                r = sd_event_source_set_enabled(http->idle, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &http->completions, on_completions, http);
        if (r >= 0)
                r = sd_event_source_set_enabled(http->completions, SD_EVENT_OFF);
        if (r < 0) {
                (void) http_free(http);
                return r;
        }
        *ret = http;
        return 0;
}

Http *http_free(Http *http) {
        HttpTransfer *t;

        if (!http)
                return NULL;
        assert(!http->delivering);
        while ((t = TAILQ_FIRST(&http->transfers)))
                http_cancel(t);
        multi_close(http);
        sd_event_source_disable_unref(http->timer);
        sd_event_source_disable_unref(http->idle);
        sd_event_source_disable_unref(http->completions);
        sd_event_unref(http->event);
        free(http);
        curl_global_cleanup();
        return NULL;
}

int http_start(Http *http, const HttpRequest *request, HttpHandler handler, void *userdata,
               HttpTransfer **ret) {
        _cleanup_(http_transfer_freep) HttpTransfer *t = NULL;

        if (http->broken)
                multi_fail(http); /* what it fails is delivered from the loop, not from here */
        bool shared = may_share(http, request);
        int r = http->multi ? 0 : multi_open(http);
        if (r >= 0)
                r = http_transfer_new(request, shared, &t);
        if (r < 0)
                return r;
        t->http = http;
        t->handler = handler;
        t->userdata = userdata;
        t->reply.sent_us = clock_boottime_us();
        CURLMcode c = curl_multi_add_handle(http->multi, t->easy);
        if (c != CURLM_OK) {
                multi_check(http, c);
                return c == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
        }
        TAILQ_INSERT_TAIL(&http->transfers, t, link);
        (void) sd_event_source_set_enabled(http->idle, SD_EVENT_OFF);
        *ret = TAKE_PTR(t);
        return 0;
}

void http_cancel(HttpTransfer *transfer) {
        Http *http = transfer->http;

        TAILQ_REMOVE(&http->transfers, transfer, link);
        if (!transfer->settled)
                (void) curl_multi_remove_handle(http->multi, transfer->easy);
        (void) http_transfer_free(transfer);
        if (!http->delivering)
                wait_idle(http);
}
