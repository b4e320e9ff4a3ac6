/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * HTTP on the event loop: libcurl's multi interface on sd-event, one thread, nothing blocks.
 *
 * Two kinds of peer: a coordinator (https, verified by a Trust) and a container engine (http over a
 * unix socket). No redirects, cookies, netrc, environment proxies or automatic retry: whoever owns the
 * retry is not here. A connection is left open for the next request only where that is asked for. Bounds are
 * mandatory: connect, total and low-speed time, header and body bytes. The glue rules are libcurl's (curl_multi_socket_action(3)): sources
 * outlive the multi handle, the timer callback only arms, completions are read in a deferred
 * source. Block signals before http_new().
 */

#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/buffer.h"
#include "base/secret.h"
#include "http/trust.h"

typedef struct Http Http;
typedef struct HttpTransfer HttpTransfer;

int http_new(sd_event *event, Http **ret);
/* Cancels what is under way: no handler runs any more. Not from inside a handler. NULL is accepted. */
Http *http_free(Http *http);
static inline void http_freep(Http **slot) {
        (void) http_free(*slot);
}

/* For so long after the last request a connection is kept, where one is. */
#define HTTP_KEPT_US (20 * USEC_PER_SEC)

/* Closes what is kept open, unless something is under way: for who knows that nothing will be asked for a while. */
void http_let_go(Http *http);

#define HTTP_HEADER_BYTES_MAX (32U * 1024U)
#define HTTP_BODY_MAX (1024U * 1024U)

typedef struct HttpRequest {
        const char *method;      /* "GET", "POST", "PUT", "DELETE" */
        const char *url;         /* https://... with a trust; http://localhost/... with a unix socket */
        Trust *trust;            /* borrowed until the transfer ends */
        const char *unix_socket; /* or NULL */
        const char *body;        /* JSON text or NULL; copied (wiped afterwards) */
        size_t body_size;
        const char *content_type; /* of the body; NULL: application/json */
        const char *const *headers; /* further lines, "Name: value", and NULL behind the last; NULL: none. Copied; no CR, LF, NUL */
        const char *auth_scheme; /* "ApiKey", "Bearer", "Basic" or NULL; sent at once, unchallenged */
        const Secret *auth;      /* what follows the scheme; Basic: the ready base64. Copied into wiped
                                    memory, checked for CR, LF, NUL */
        /* All of these may be NULL. */
        const char *proxy;       /* "http://HOST:PORT": a tunnel through it (CONNECT), TLS to the coordinator itself */
        const char *proxy_user;  /* with a password: Basic, sent to the proxy alone and at once */
        const Secret *proxy_password;
        const Buffer *client_certificate; /* PEM, with client_key; copied */
        const Secret *client_key;         /* PEM. Copied into wiped memory */
        bool handshake_only;     /* no HTTP at all: TCP, TLS with full verification, and closed. method, body and
                                    auth stay NULL; reply->status stays 0 */
        /* It may go on the connection of an earlier request to the same peer under the same Trust, and leaves its own for the
         * next, for HTTP_KEPT_US. What was verified is what it goes to: a Trust made anew shares nothing with an old one. Never with a
         * client_key, which must not lie about in an open connection. */
        bool shares_connection;
        usec_t connect_timeout_us; /* 0: 5 s; name resolution, TCP and TLS together */
        usec_t total_timeout_us;   /* 0: 30 s */
        size_t body_maximum;       /* 0: HTTP_BODY_MAX */
} HttpRequest;

typedef struct HttpReply {
        int status;  /* 0 when there was no reply */
        Buffer body; /* wiped when the transfer is freed; borrowed by the handler */
        char content_type[96];
        bool has_date;
        int64_t date_s;        /* Date header */
        usec_t retry_after_us; /* Retry-After, seconds or date against this reply's own Date; clamped to
                                  24 h; 0 without */
        char error_codes[OBSERVATION_CODE_SIZE]; /* x-cloud-error-codes, "" without */
        char key_expiration[64]; /* X-Elastic-Api-Key-Expiration, printable, "" without */
        bool request_sent;       /* some byte of the request left us: a POST may have had its effect */
        usec_t sent_us;          /* boottime before the transfer was started */
} HttpReply;

/* failure is none when an HTTP reply was had, whatever its status, or the handshake was all that was
 * wanted and is done; else ORIGIN_CURL or ORIGIN_TLS (ORIGIN_REPLY "too-large" past a bound). A
 * connection for which the kernel has no route has the code "no-route". What keeps it from
 * passing the proxy is ORIGIN_PROXY. Runs from the loop, never
 * from inside http_start(). */
typedef void (*HttpHandler)(void *userdata, const HttpReply *reply, const Observation *failure);

/* 0 or negative errno (-EINVAL: a header value that holds CR or LF, a URL of another scheme). The
 * transfer frees itself after its handler, and is not to be cancelled once that runs; http_cancel()
 * ends it without calling the handler. */
int http_start(Http *http, const HttpRequest *request, HttpHandler handler, void *userdata,
               HttpTransfer **ret);
void http_cancel(HttpTransfer *transfer);
