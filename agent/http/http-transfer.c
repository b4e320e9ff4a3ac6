/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One transfer: the request's options, the bounds on its reply, the judgement of its end.
 *
 * Everything that is asked of libcurl stands here, most of it in one table, so that a reader (and a
 * test, which intercepts curl_easy_setopt) sees the whole policy at once. The environment is not
 * configuration: no proxy variables, no netrc, no cookies. A redirect is an answer, not an
 * instruction. CURLOPT_VERBOSE never appears: its stream carries the credential.
 *
 * libcurl's own size limit overlooks replies of unknown length before 8.4, so bytes are counted in
 * the callbacks. The Authorization line exists in wiped memory only: here, and in libcurl's copy,
 * because http_new() gave libcurl the wiping allocator.
 */

#include "http/http-private.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>

#include "base/text.h"

#define CONNECT_TIMEOUT_US (5 * USEC_PER_SEC)
#define TOTAL_TIMEOUT_US (30 * USEC_PER_SEC)

/* Bytes per second below which a coordinator counts as stuck, and how long that may last. An engine
 * on a unix socket may be silent for as long as it likes (it pulls an image): there only the total
 * time counts. */
#define LOW_SPEED_BYTES 10L
#define LOW_SPEED_SECONDS 20L

#if LIBCURL_VERSION_NUM >= 0x075500
#define SET_PROTOCOLS(easy, name, bit) curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, name)
#define SET_REDIRECT_PROTOCOLS(easy, name, bit) curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, name)
#else
#define SET_PROTOCOLS(easy, name, bit) curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long) (bit))
#define SET_REDIRECT_PROTOCOLS(easy, name, bit) curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, (long) (bit))
#endif

/* The same for each request. */
static const struct {
        CURLoption option;
        long value;
} fixed_options[] = {
        { CURLOPT_FOLLOWLOCATION, 0 }, /* never carry a credential elsewhere */
        { CURLOPT_SSL_VERIFYPEER, 1 },
        { CURLOPT_SSL_VERIFYHOST, 2 },
        { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
        { CURLOPT_SSL_SESSIONID_CACHE, 0 }, /* a resumed session would skip the certificate check */
        { CURLOPT_NETRC, CURL_NETRC_IGNORED },
        { CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
        { CURLOPT_UNRESTRICTED_AUTH, 0 },
        { CURLOPT_NOSIGNAL, 1 },
        { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
        { CURLOPT_HTTP09_ALLOWED, 0 },
        { CURLOPT_HTTP_CONTENT_DECODING, 0 }, /* nothing is unpacked, so bytes counted are bytes used */
        { CURLOPT_FAILONERROR, 0 },           /* the body of an error is what we want to read */
        { CURLOPT_VERBOSE, 0 },
        { CURLOPT_NOPROGRESS, 1 },
#if LIBCURL_VERSION_NUM >= 0x075700
        /* A lookup that hangs is left to end by itself. Without this libcurl joins its thread when the
         * transfer's time is up, and the whole loop waits for a name server that does not answer. */
        { CURLOPT_QUICK_EXIT, 1 },
#endif
};

static size_t on_body(char *bytes, size_t size, size_t n, void *userdata) {
        HttpTransfer *transfer = userdata;

        int r = buffer_append(&transfer->reply.body, bytes, size * n);
        if (r == -EMSGSIZE)
                transfer->too_large = true;
        return r < 0 ? 0 : size * n; /* another number than was given ends the transfer */
}

static size_t on_header(char *line, size_t size, size_t n, void *userdata) {
        HttpTransfer *transfer = userdata;

        if (http_headers_feed(&transfer->headers, &transfer->reply, line, size * n) < 0) {
                transfer->too_large = true;
                return 0;
        }
        return size * n;
}

/* Nothing that could end a header line, or the string that is built of it. */
static bool header_safe(const char *text, size_t n) {
        for (size_t i = 0; i < n; i++)
                if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f)
                        return false;
        return true;
}

static int add_line(HttpTransfer *transfer, const char *line) {
        struct curl_slist *longer = curl_slist_append(transfer->header_lines, line);

        if (!longer)
                return -ENOMEM;
        transfer->header_lines = longer;
        return 0;
}

static int add_authorization(HttpTransfer *transfer, const HttpRequest *request) {
        static const char name[] = "Authorization: ";
        size_t scheme = strlen(request->auth_scheme), secret = secret_size(request->auth);
        size_t prefix = sizeof(name) - 1;

        if (!header_safe(request->auth_scheme, scheme) || !header_safe(secret_bytes(request->auth), secret))
                return -EINVAL;
        char *line = wiping_malloc(prefix + scheme + 1 + secret + 1);
        if (!line)
                return -ENOMEM;
        memcpy(line, name, prefix);
        memcpy(line + prefix, request->auth_scheme, scheme);
        line[prefix + scheme] = ' ';
        memcpy(line + prefix + scheme + 1, secret_bytes(request->auth), secret);
        line[prefix + scheme + 1 + secret] = '\0';
        int r = add_line(transfer, line);
        wiping_free(line);
        return r;
}

/* An empty value takes out what libcurl would say by itself. */
static int add_content_type(HttpTransfer *transfer, const HttpRequest *request) {
        char line[128];

        if (!request->body)
                return add_line(transfer, "Content-Type:");
        (void) snprintf(line, sizeof(line), "Content-Type: %s", request->content_type ?: "application/json");
        return add_line(transfer, line);
}

static int add_further_lines(HttpTransfer *transfer, const HttpRequest *request) {
        int r = 0;

        for (const char *const *line = request->headers; r == 0 && line && *line; line++)
                r = header_safe(*line, strlen(*line)) ? add_line(transfer, *line) : -EINVAL;
        return r;
}

static int add_header_lines(HttpTransfer *transfer, const HttpRequest *request) {
        int r = add_line(transfer, "Accept: application/json");

        if (r == 0)
                r = add_content_type(transfer, request);
        if (r == 0)
                r = add_further_lines(transfer, request);
        if (r == 0)
                r = add_line(transfer, "Expect:");
        if (r == 0 && request->auth_scheme)
                r = add_authorization(transfer, request);
        return r;
}

/* Else libcurl, from 7.87 on, keeps the store of the first connection for a day, ours as if it were made of CURLOPT_CAINFO, and
 * gives it to all that come later: the webhook would be believed by the coordinators' CA, and an old spec's CA beyond a new
 * spec (CURLOPT_CA_CACHE_TIMEOUT(3); CURLOPT_SSL_CTX_FUNCTION(3) on caching). By its number, for the library may be newer than the
 * headers that we were built with; one that does not know it has no cache. */
static CURLcode forget_stores(CURL *easy) {
        CURLcode r = curl_easy_setopt(easy, (CURLoption) 321, 0L);

        return r == CURLE_UNKNOWN_OPTION ? CURLE_OK : r;
}

static CURLcode set_fixed(CURL *easy) {
        CURLcode r = CURLE_OK;

        for (size_t i = 0; r == CURLE_OK && i < ELEMENTS(fixed_options); i++)
                r = curl_easy_setopt(easy, fixed_options[i].option, fixed_options[i].value);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_USERAGENT, "ece-enroll/" PACKAGE_VERSION);
        return r == CURLE_OK ? forget_stores(easy) : r;
}

static long milliseconds(usec_t timeout_us, usec_t otherwise_us) {
        usec_t ms = (timeout_us ? timeout_us : otherwise_us) / USEC_PER_MSEC;

        /* 0 would mean "for ever" to libcurl, and a day is for ever to us. */
        if (ms == 0)
                return 1;
        return ms > USEC_PER_HOUR / USEC_PER_MSEC * 24 ? (long) (USEC_PER_HOUR / USEC_PER_MSEC * 24)
                                                       : (long) ms;
}

static CURLcode set_peer(CURL *easy, const HttpRequest *request) {
        CURLcode r = curl_easy_setopt(easy, CURLOPT_URL, request->url);
        const char *protocol = request->unix_socket ? "http" : "https";
        long bit = request->unix_socket ? CURLPROTO_HTTP : CURLPROTO_HTTPS;

        (void) protocol;
        (void) bit; /* one of the two, by the age of libcurl */
        if (r == CURLE_OK)
                r = SET_PROTOCOLS(easy, protocol, bit);
        if (r == CURLE_OK)
                r = SET_REDIRECT_PROTOCOLS(easy, protocol, bit);
        if (r == CURLE_OK && request->unix_socket)
                r = curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
        if (r == CURLE_OK && !request->unix_socket) {
                r = curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
                if (r == CURLE_OK)
                        r = curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_SECONDS);
        }
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                                     milliseconds(request->connect_timeout_us, CONNECT_TIMEOUT_US));
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                                     milliseconds(request->total_timeout_us, TOTAL_TIMEOUT_US));
        return r;
}

/* None, whatever the environment says, or the spec's, for this request in any case. */
static CURLcode set_proxy(CURL *easy, const HttpRequest *request) {
        CURLcode r = curl_easy_setopt(easy, CURLOPT_PROXY, request->proxy ?: "");

        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_NOPROXY, request->proxy ? "" : "*");
        if (r != CURLE_OK || !request->proxy)
                return r;
        r = curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
        if (r == CURLE_OK) /* the proxy's headers are none of the coordinator's */
                r = curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
        if (r == CURLE_OK && request->proxy_user && request->proxy_password) {
                r = curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, request->proxy_user);
                if (r == CURLE_OK)
                        r = curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, secret_bytes(request->proxy_password));
        }
        return r;
}

/* libcurl's copies are in wiped memory, as all of its are. */
static CURLcode set_client_certificate(CURL *easy, const HttpRequest *request) {
        struct curl_blob certificate = { .flags = CURL_BLOB_COPY }, key = { .flags = CURL_BLOB_COPY };
        CURLcode r;

        if (!request->client_certificate || !request->client_key)
                return CURLE_OK;
        certificate.data = request->client_certificate->data;
        certificate.len = request->client_certificate->size;
        key.data = (void *) (uintptr_t) secret_bytes(request->client_key); /* which libcurl only reads */
        key.len = secret_size(request->client_key);
        r = curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certificate);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
        return r;
}

static CURLcode set_method(CURL *easy, const HttpRequest *request, HttpBody *body) {
        CURLcode r = CURLE_OK;
        bool get;

        /* The transfer is done when the handshake is. CURLOPT_FORBID_REUSE closes the connection there and then;
         * without it libcurl before 7.85 would keep it until the multi handle goes. */
        if (request->handshake_only)
                return curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
        get = streq(request->method, "GET");
        if (get)
                return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        if (streq(request->method, "POST"))
                return http_body_set(easy, request, body);
        if (request->body || !streq(request->method, "DELETE")) {
                r = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_size);
                if (r == CURLE_OK) /* the size stands before the copy is made, or libcurl measures a string */
                        r = curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
                                             request->body ? request->body : "");
        }
        return r == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) : r;
}

static CURLcode set_callbacks(CURL *easy, HttpTransfer *transfer) {
        CURLcode r = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);

        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->header_lines);
        return r;
}

static bool request_is_valid(const HttpRequest *request) {
        static const char *const methods[] = { "GET", "POST", "PUT", "DELETE" };
        const char *scheme = request->unix_socket ? "http://" : "https://";
        bool known = false;

        assert(request->unix_socket || request->trust); /* there is no request without trust */
        assert(!request->auth_scheme || request->auth);
        if (request->handshake_only) {
                assert(request->trust && !request->method && !request->body && !request->auth_scheme);
                known = true;
        }
        for (size_t i = 0; request->method && i < ELEMENTS(methods); i++)
                known = known || streq(request->method, methods[i]);
        return known && text_starts_with(request->url, scheme) &&
               header_safe(request->url, strlen(request->url)) && (request->body || request->body_size == 0);
}

/* Is the host of the URL an address? Then there is no name to look up, and one address to connect to. */
static bool url_names_address(const char *url) {
        const char *host = strstr(url, "://");
        unsigned char address[sizeof(struct in6_addr)];
        char text[INET6_ADDRSTRLEN];
        size_t n;

        host = host ? host + 3 : url;
        if (*host == '[')
                return true;
        n = strcspn(host, ":/");
        if (n >= sizeof(text))
                return false;
        memcpy(text, host, n);
        text[n] = '\0';
        return inet_pton(AF_INET, text, address) == 1;
}

int http_transfer_new(const HttpRequest *request, bool shared, HttpTransfer **ret) {
        if (!request_is_valid(request))
                return -EINVAL;
        _cleanup_(http_transfer_freep) HttpTransfer *transfer = calloc(1, sizeof(*transfer));
        if (!transfer)
                return -ENOMEM;
        transfer->reply.body =
                BUFFER_INIT_WIPED(request->body_maximum ? request->body_maximum : HTTP_BODY_MAX);
        text_copy_printable(transfer->where, sizeof(transfer->where), request->url);
        transfer->proxy = request->proxy != NULL;
        transfer->post = request->method && streq(request->method, "POST");
        transfer->literal = request->unix_socket || url_names_address(request->url);

        transfer->easy = curl_easy_init();
        if (!transfer->easy)
                return -ENOMEM;
        int r = add_header_lines(transfer, request);
        if (r < 0)
                return r;
        CURLcode c = set_fixed(transfer->easy);
        if (c == CURLE_OK)
                c = set_peer(transfer->easy, request);
        if (c == CURLE_OK)
                c = set_proxy(transfer->easy, request);
        if (c == CURLE_OK)
                c = set_client_certificate(transfer->easy, request);
        if (c == CURLE_OK)
                c = set_method(transfer->easy, request, &transfer->body);
        if (c == CURLE_OK)
                c = http_connection_set(transfer->easy, request, shared);
        if (c == CURLE_OK)
                c = set_callbacks(transfer->easy, transfer);
        if (c != CURLE_OK)
                return c == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EIO;
        if (!request->unix_socket) {
                r = trust_apply(request->trust, transfer->easy, &transfer->check);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(transfer);
        return 0;
}

HttpTransfer *http_transfer_free(HttpTransfer *transfer) {
        if (!transfer)
                return NULL;
        curl_easy_cleanup(transfer->easy); /* before what it points to */
        curl_slist_free_all(transfer->header_lines);
        (void) trust_check_free(transfer->check);
        buffer_done(&transfer->body.bytes);
        buffer_done(&transfer->reply.body);
        free(transfer);
        return NULL;
}

/* What libcurl tells beside its code; each question is only asked of a transfer without a reply. */
static HttpTrouble trouble_of(const HttpTransfer *transfer, CURLcode result) {
        HttpTrouble trouble = { .result = result, .error = transfer->error, .request_sent = transfer->reply.request_sent,
                                .proxy = transfer->proxy, .tunnel = trust_check_began(transfer->check) || transfer->kept };
        curl_off_t lookup_us = 0;

        (void) curl_easy_getinfo(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T, &lookup_us);
        (void) curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &trouble.system_error);
        (void) curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &trouble.proxy_status);
        trouble.resolving = lookup_us == 0 && !transfer->literal;
        trouble.literal = transfer->literal;
        return trouble;
}

void http_transfer_settle(HttpTransfer *transfer, CURLcode result) {
        HttpTrouble trouble;
        CURLcode told;
        long status = 0, sent_bytes = 0;

        (void) curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
        (void) curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
        transfer->settled = true;
        /* libcurl counts here what it gave to the TLS layer, so a connection or handshake that
         * failed counts 0. */
        transfer->reply.request_sent = sent_bytes > 0 || status > 0;
        transfer->kept = sent_bytes > 0 && http_connection_was_kept(transfer->easy);
        http_headers_finish(&transfer->headers, &transfer->reply);
        told = http_connection_result(result, transfer->post && transfer->reply.request_sent);
        if (told != result) {
                result = told;
                transfer->error[0] = '\0'; /* which tells of the second time */
        }
        trouble = trouble_of(transfer, result);
        if (http_proxy_failed(&trouble)) /* what was sent is what was said to the proxy */
                transfer->reply.request_sent = false;

        if (transfer->too_large)
                transfer->failure = observe(ORIGIN_REPLY, (int) status, "too-large", transfer->where,
                                            "the reply is larger than is accepted (%zu bytes of body)",
                                            transfer->reply.body.maximum);
        else if (result != CURLE_OK)
                transfer->failure = http_failure(&trouble, transfer->check, transfer->where);
        else
                transfer->reply.status = (int) status;
}
