/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Trust: whom we believe to be the coordinator. A CA file, SPKI pins, or both. Verification is
 * never off.
 *
 *  - CA file only: chain to one of its certificates, name or address must match, dates must hold.
 *  - pins only: some certificate of the presented chain (leaf or CA) has a pinned public key and
 *    signs what lies below it; dates and name of the leaf must hold as well.
 *  - both: the chain must verify by the CA file, and the verified chain must hold a pinned key. The
 *    system's own CA bundle is used only when neither is given. libcurl's CURLOPT_PINNEDPUBLICKEY
 *    looks at the leaf only, so the chain is checked here, with OpenSSL, by
 *    CURLOPT_SSL_CTX_FUNCTION and a verify callback, before any byte of a request is sent.
 */

#include "model/outcome.h"
#include "model/spec.h"

typedef struct Trust Trust;

/* 0; -EINVAL with refusal (ORIGIN_SPEC "invalid", where = the file or "trust.pins") when the CA
 * file can't be read or holds no certificate, or a pin has not its form; -ENOMEM. Either argument
 * may be NULL. */
int trust_new(const char *ca_file, char *const *pins, Trust **ret, Observation *refusal);

/* Trusts nobody: shows the presented certificates (STACK_OF(X509) *, borrowed) and then refuses. 0 or -ENOMEM. */
typedef void (*TrustOnlooker)(void *userdata, void *presented);
int trust_new_onlooker(TrustOnlooker onlooker, void *userdata, Trust **ret);

Trust *trust_free(Trust *trust);
static inline void trust_freep(Trust **slot) {
        (void) trust_free(*slot);
}

/* Differs from that of every other Trust of this process, those that are gone included. */
uint64_t trust_serial(const Trust *trust);

/* Applies the rules to a libcurl easy handle (CURL *) with the OpenSSL backend. 0, -EIO or -ENOMEM.
 * What the verification objected to is found by trust_check_observation() after the transfer. */
typedef struct TrustCheck TrustCheck; /* one per transfer */
int trust_apply(Trust *trust, void *curl_easy, TrustCheck **ret);
TrustCheck *trust_check_free(TrustCheck *check); /* after the easy handle is gone */

/* Has a handshake with the peer begun? Before that a proxy on the way had the word. */
bool trust_check_began(const TrustCheck *check);

/* none when the peer was trusted or never seen; else ORIGIN_TLS with the code and a sentence about
 * the certificate (subject, issuer, dates). */
Observation trust_check_observation(const TrustCheck *check, const char *where);
