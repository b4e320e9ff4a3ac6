/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From libcurl's result code to an Observation.
 *
 * Three questions in order: did our own certificate check refuse the peer; is it a matter of TLS;
 * else it is transport and libcurl's number says it all. One code needs a closer look:
 * CURLE_SSL_CONNECT_ERROR stands both for peers that speak no TLS we accept (the operator's matter)
 * and for connections that were cut during the handshake (a coordinator that restarts). libcurl
 * keeps them apart only in its text.
 */

#include "http/http-private.h"

#include <string.h>

#include "base/cleanup.h"

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

Observation http_failure(CURLcode result, const char *error, const TrustCheck *check, const char *where) {
        const char *detail = *error ? error : curl_easy_strerror(result);
        Observation refused = trust_check_observation(check, where);

        if (!observation_is_none(&refused))
                return refused;
        if (!handshake_was_cut(result, error))
                for (size_t i = 0; i < ELEMENTS(tls_codes); i++)
                        if (tls_codes[i].result == result)
                                return observe(ORIGIN_TLS, 0, tls_codes[i].code, where, "%s", detail);
        return observe(ORIGIN_CURL, (int) result, "", where, "%s", detail);
}
