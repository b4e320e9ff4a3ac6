/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From libcurl's result code to an Observation.
 *
 * Three questions in order: did our own certificate check refuse the peer; is it a matter of TLS;
 * else it is transport and libcurl's number says it all. One code needs a closer look:
 * CURLE_SSL_CONNECT_ERROR stands both for peers that speak no TLS we accept (the operator's matter)
 * and for connections that were cut during the handshake (a coordinator that restarts). libcurl
 * keeps them apart only in its text.
 *
 * Two codes mean something else once a request has left us: "unsupported protocol" is then a reply that is no HTTP, and "out
 * of memory" a header line beyond libcurl's own bound (libcurl before 8.4), or memory that a reply has eaten: the peer's
 * doing either way, and no reason to give up at once.
 *
 * A time-out while the name was still being looked up is a name that does not resolve, not a
 * coordinator that is slow: it gets the number of a failed resolution. And a connection that the
 * kernel has no route for never left this host: that is told apart where it is certain, which is with
 * an address; behind a name there may be several, and libcurl keeps the errno of the last one only.
 */

#include "http/http-private.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static const struct {
        CURLcode result;
        const char *code;
} tls_codes[] = {
        { CURLE_SSL_CONNECT_ERROR, "protocol" },
        { CURLE_SSL_CIPHER, "protocol" },
        { CURLE_PEER_FAILED_VERIFICATION, "name-mismatch" }, /* ours passed, libcurl's own look did not */
        { CURLE_SSL_CERTPROBLEM, "other" },
        { CURLE_SSL_CACERT_BADFILE, "other" }, /* the system's bundle is missing or broken */
        { CURLE_SSL_ISSUER_ERROR, "other" },
        { CURLE_SSL_PINNEDPUBKEYNOTMATCH, "pin-mismatch" },
        { CURLE_SSL_INVALIDCERTSTATUS, "other" },
};

/* Words of libcurl and OpenSSL for a connection that ended under the handshake. */
static const char *const cut_words[] = { "SSL_ERROR_SYSCALL", "unexpected eof", "reset by peer",
                                         "Broken pipe" };

static bool handshake_was_cut(CURLcode result, const char *error) {
        if (result != CURLE_SSL_CONNECT_ERROR)
                return false;
        for (size_t i = 0; i < ELEMENTS(cut_words); i++)
                if (strstr(error, cut_words[i]))
                        return true;
        return false;
}

static bool resolution_timed_out(const HttpTrouble *t) {
        return t->result == CURLE_OPERATION_TIMEDOUT &&
               (t->resolving || text_starts_with(t->error, "Resolving timed out"));
}

static bool no_route(const HttpTrouble *t) {
        return t->result == CURLE_COULDNT_CONNECT && t->literal && t->system_error == ENETUNREACH;
}

/* Alerts by which a server refuses this host's own certificate, or its absence. With TLS 1.3 they come when the handshake
 * has ended for us, and libcurl calls them trouble in receiving. */
static const char *const refusals[] = { "alert certificate required", "alert bad certificate", "alert unknown ca",
                                        "alert certificate unknown", "alert certificate expired" };

static bool certificate_was_refused(const HttpTrouble *t) {
        for (size_t i = 0; i < ELEMENTS(refusals); i++)
                if (strstr(t->error, refusals[i]))
                        return true;
        return false;
}

/* What libcurl calls it, unless the peer's reply has made it say so. */
static CURLcode result_of(const HttpTrouble *t) {
        if (certificate_was_refused(t))
                return CURLE_SSL_CLIENTCERT;
        if (t->request_sent && t->result == CURLE_UNSUPPORTED_PROTOCOL)
                return CURLE_WEIRD_SERVER_REPLY;
        if (t->request_sent && t->result == CURLE_OUT_OF_MEMORY)
                return CURLE_FILESIZE_EXCEEDED;
        return t->result;
}

/* Until it has opened the tunnel, whatever goes wrong is the proxy's; and then nothing is. */
bool http_proxy_failed(const HttpTrouble *t) {
        return t->proxy && !t->tunnel;
}

static Observation proxy_failure(const HttpTrouble *t, const char *where, const char *detail) {
        /* A yes that never came to its end is none. */
        return t->proxy_status < 300 ? observe(ORIGIN_PROXY, 0, "unreachable", where, "%s", detail)
                                    : observe(ORIGIN_PROXY, (int) t->proxy_status, "", where, "%s", detail);
}

Observation http_failure(const HttpTrouble *trouble, const TrustCheck *check, const char *where) {
        CURLcode result = result_of(trouble);
        const char *detail = *trouble->error ? trouble->error : curl_easy_strerror(result);
        Observation refused = trust_check_observation(check, where);

        if (!observation_is_none(&refused))
                return refused;
        if (http_proxy_failed(trouble))
                return proxy_failure(trouble, where, detail);
        if (resolution_timed_out(trouble))
                return observe(ORIGIN_CURL, CURLE_COULDNT_RESOLVE_HOST, "", where, "%s", detail);
        if (no_route(trouble))
                return observe(ORIGIN_CURL, (int) result, "no-route", where, "%s: %s", detail,
                               strerror(ENETUNREACH));
        if (!handshake_was_cut(result, trouble->error))
                for (size_t i = 0; i < ELEMENTS(tls_codes); i++)
                        if (tls_codes[i].result == result)
                                return observe(ORIGIN_TLS, 0, tls_codes[i].code, where, "%s", detail);
        return observe(ORIGIN_CURL, (int) result, "", where, "%s", detail);
}
