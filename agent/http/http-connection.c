/* SPDX-License-Identifier: Apache-2.0 */

/*
 * On which connection does a request go: one of its own, which is closed behind it, or one that the request before it
 * has left open?
 *
 * A handshake is the dearest thing that a host asks of a coordinator, so questions that follow each other share a
 * connection. What a shared one must not do is to make a request happen twice. libcurl sends a request again by
 * itself when a connection that it took from its store turns out to be dead before a byte of a reply has come, and it
 * can't know whether the peer had read the request already. For GET, PUT and DELETE that is what they are for
 * (RFC 9110, 9.2.2). A POST is different, a second token can't be taken back:
 *
 *  - its body is read by a function that can't be rewound, so libcurl gives up where it would send it again
 *    (CURLOPT_POST(3), CURLOPT_SEEKFUNCTION(3)); CURLOPT_FORBID_RETRY_ON_REUSE does it in so many words, from 8.16 on;
 *  - it takes a connection only from a request that has ended a moment ago, for which server would close that?
 *
 * libcurl makes a connection for that second time before it sees that there is none. Whether it then says that the body can't be
 * rewound, or that nobody is there any more: to everyone else it is a peer that has hung up on a request.
 */

#include "http/http-private.h"

#include <string.h>

#include "base/text.h"

/* Servers keep an idle connection for a minute or so, and tell nobody. */
#define KEPT_SECONDS ((long) (HTTP_KEPT_US / USEC_PER_SEC))
#define KEPT_FOR_POST_SECONDS 1L

static CURLcode set_own(CURL *easy) {
        CURLcode r = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);

        return r == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) : r;
}

static CURLcode forbid_retry(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x081000
        return curl_easy_setopt(easy, CURLOPT_FORBID_RETRY_ON_REUSE, 1L);
#else
        (void) easy;
        return CURLE_OK; /* the body does it */
#endif
}

CURLcode http_connection_set(CURL *easy, const HttpRequest *request, bool shared) {
        bool once = request->method && streq(request->method, "POST");
        CURLcode r;

        if (!shared)
                return set_own(easy);
        r = curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, once ? KEPT_FOR_POST_SECONDS : KEPT_SECONDS);
        return r == CURLE_OK && once ? forbid_retry(easy) : r;
}

/* libcurl asks for the body's next piece. */
static size_t on_read(char *to, size_t size, size_t n, void *userdata) {
        HttpBody *body = userdata;
        size_t left = body->bytes.size - body->at;
        size_t piece = size * n < left ? size * n : left;

        if (piece > 0)
                (void) memcpy(to, body->bytes.data + body->at, piece);
        body->at += piece;
        return piece;
}

CURLcode http_body_set(CURL *easy, const HttpRequest *request, HttpBody *body) {
        CURLcode r;

        body->bytes = BUFFER_INIT_WIPED(request->body_size);
        body->at = 0;
        if (request->body_size > 0 && buffer_append(&body->bytes, request->body, request->body_size) < 0)
                return CURLE_OUT_OF_MEMORY;
        r = curl_easy_setopt(easy, CURLOPT_POST, 1L);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_size);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        return r == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_READDATA, body) : r;
}

bool http_connection_was_kept(CURL *easy) {
        long made = 1;

        return curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &made) == CURLE_OK && made == 0;
}

CURLcode http_connection_result(CURLcode result, bool post_sent) {
        if (result == CURLE_SEND_FAIL_REWIND || (post_sent && result == CURLE_COULDNT_CONNECT))
                return CURLE_GOT_NOTHING;
        return result;
}
