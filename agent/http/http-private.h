/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files of this room share: the transfer, made and judged by http-transfer.c, driven by
 * http.c. */

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "http/http-headers.h"
#include "http/http.h"

/* A body that is read once: it can't be rewound. */
typedef struct HttpBody {
        Buffer bytes; /* wiped */
        size_t at;
} HttpBody;

struct HttpTransfer {
        TAILQ_ENTRY(HttpTransfer) link; /* in the Http's list */
        Http *http;
        CURL *easy;
        struct curl_slist *header_lines;
        TrustCheck *check; /* NULL with a unix socket */
        HttpHandler handler;
        void *userdata;

        HttpBody body; /* of a POST */
        HttpHeaders headers;
        HttpReply reply;
        bool proxy;     /* it goes through one */
        bool literal;   /* the URL's host is an address (or there is a unix socket): nothing is looked up */
        bool too_large; /* a bound of ours ended it */
        bool settled;   /* its end is known; waits for its handler */
        bool post;
        bool kept;      /* it went over a connection that another one had left */
        Observation failure;
        char where[OBSERVATION_WHERE_SIZE];
        char error[CURL_ERROR_SIZE];
};

/* Checks the request and makes an easy handle with every option set; nothing is sent yet. shared: it may use a
 * connection that another one has left, and leave its own. 0, -EINVAL, -EIO, -ENOMEM. */
int http_transfer_new(const HttpRequest *request, bool shared, HttpTransfer **ret);

/* The easy handle must not be part of a multi handle any more. Accepts NULL, returns NULL. */
HttpTransfer *http_transfer_free(HttpTransfer *transfer);
static inline void http_transfer_freep(HttpTransfer **slot) {
        (void) http_transfer_free(*slot);
}

/* Fills reply and failure from the end that libcurl reports. */
void http_transfer_settle(HttpTransfer *transfer, CURLcode result);

/* http-connection.c: which connection a request goes on, and what that does to it. */
CURLcode http_connection_set(CURL *easy, const HttpRequest *request, bool shared);
/* Of one that has sent something: has it made no connection for that? */
bool http_connection_was_kept(CURL *easy);
/* What the end of a transfer is called by those who know nothing of shared connections. post_sent: some of a POST has left us. */
CURLcode http_connection_result(CURLcode result, bool post_sent);
/* The body of a POST: copied into `body`, which outlives the easy handle. */
CURLcode http_body_set(CURL *easy, const HttpRequest *request, HttpBody *body);

/* What libcurl says of a transfer that had no HTTP reply. */
typedef struct HttpTrouble {
        CURLcode result;
        const char *error; /* its sentence, "" when there is none */
        long system_error; /* errno of the last connect() that failed, else 0 */
        bool resolving;    /* it ended before the name was resolved */
        bool literal;      /* the host is an address */
        bool proxy;        /* it went through one */
        bool tunnel;       /* ...which has opened the way: a handshake with the peer has begun, now or for the one before */
        long proxy_status; /* of its answer to CONNECT, 0 when there was none */
        bool request_sent; /* some byte of the request left us */
} HttpTrouble;

/* Did it not even come through the proxy that was to be passed? */
bool http_proxy_failed(const HttpTrouble *trouble);

/* The same as an Observation. check may be NULL. */
Observation http_failure(const HttpTrouble *trouble, const TrustCheck *check, const char *where);
