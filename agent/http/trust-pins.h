/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Pins: SHA-256 over the SubjectPublicKeyInfo of certificates that we accept, as in RFC 7469
 * ("sha256//BASE64="). */

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#define PIN_SIZE 32U /* bytes of a SHA-256 */
#define PINS_MAX 64U

typedef struct Pins {
        size_t n;
        unsigned char digest[PINS_MAX][PIN_SIZE];
} Pins;

/* Reads one "sha256//BASE64=" and adds it. 0; -EINVAL for another form; -E2BIG past PINS_MAX. */
int pins_add(Pins *pins, const char *text);

/* Is the public key of this certificate one of ours? */
bool pins_match(const Pins *pins, X509 *certificate);

/* The first certificate of the stack (may be NULL) whose key is pinned, or NULL. Borrowed. */
X509 *pins_find(const Pins *pins, const STACK_OF(X509) *certificates);

/* A new stack with each certificate of `presented` whose key is pinned (borrowed elements: free the
 * stack with sk_X509_free()), or NULL when there is none or no memory. */
STACK_OF(X509) *pins_select(const Pins *pins, const STACK_OF(X509) *presented);

/* "sha256//BASE64=" of a certificate's key. False when OpenSSL can't encode it. */
#define PIN_TEXT_SIZE 64
bool pin_format(X509 *certificate, char ret[static PIN_TEXT_SIZE]);
