/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The certificates that a TLS server presents, looked at and not believed: the handshake is broken off as soon as
 * they are here, so nothing is ever said to a peer that nobody has verified.
 */

#include <openssl/x509.h>

#include "http/http.h"

#define PEER_CHAIN_MAX 16U
#define PEER_NAME_SIZE 256

typedef struct PeerCertificate {
        char subject[PEER_NAME_SIZE], issuer[PEER_NAME_SIZE]; /* "CN=...,O=..." (RFC 2253), printable */
        char names[PEER_NAME_SIZE]; /* DNS names and addresses that it is made out to, with blanks between; cut to size */
        char not_before[RFC3339_SIZE], not_after[RFC3339_SIZE];
        char pin[64]; /* sha256//BASE64= of its public key; "" when it can't be encoded */
        bool ca;          /* by its basic constraints it may sign others */
        bool self_signed; /* subject and issuer are the same */
} PeerCertificate;

typedef struct PeerChain {
        size_t n; /* as they came: the leaf first */
        PeerCertificate item[PEER_CHAIN_MAX];
} PeerChain;

/* failure: none when a chain was seen. Runs from the loop. */
typedef void (*PeerChainHandler)(void *userdata, const PeerChain *chain, const Observation *failure);

/* url: https://HOST:PORT. 0 or negative errno. */
int peer_chain_look(Http *http, const char *url, PeerChainHandler handler, void *userdata);

/* Pure: what is told of one certificate. */
void peer_certificate_describe(X509 *certificate, PeerCertificate *ret);
