/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Pins of public keys: their text form, and finding them in a chain.
 *
 * A pin names a key, not a certificate, so a coordinator may renew its certificate and keep its
 * place in our trust. We pin the SubjectPublicKeyInfo because it holds the algorithm's parameters
 * too: the same bits under another algorithm are another key. Nothing here decides whether a chain
 * is sound; a certificate with a pinned key is only a candidate until trust.c has proved that this
 * key signed what lies below it.
 */

#include "http/trust-pins.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define PIN_PREFIX "sha256//"
#define PIN_BASE64_LENGTH 44U /* 32 bytes: 43 characters and one '=' */

static void openssl_freep(unsigned char **bytes) {
        OPENSSL_free(*bytes);
}

int pins_add(Pins *pins, const char *text) {
        unsigned char decoded[PIN_BASE64_LENGTH / 4 * 3];

        if (!text_starts_with(text, PIN_PREFIX))
                return -EINVAL;
        const char *base64 = text + strlen(PIN_PREFIX);
        if (strlen(base64) != PIN_BASE64_LENGTH || strchr(base64, '=') != base64 + PIN_BASE64_LENGTH - 1)
                return -EINVAL;
        if (EVP_DecodeBlock(decoded, (const unsigned char *) base64, (int) PIN_BASE64_LENGTH)
            != (int) sizeof(decoded))
                return -EINVAL;
        if (pins->n == PINS_MAX)
                return -E2BIG;

        /* The 33rd byte is the zero that the '=' stands for. */
        memcpy(pins->digest[pins->n++], decoded, PIN_SIZE);
        return 0;
}

static bool key_digest(X509 *certificate, unsigned char ret[static PIN_SIZE]) {
        _cleanup_(openssl_freep) unsigned char *der = NULL;
        int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

        return n > 0 && SHA256(der, (size_t) n, ret) != NULL;
}

bool pins_match(const Pins *pins, X509 *certificate) {
        unsigned char digest[PIN_SIZE];

        if (!key_digest(certificate, digest))
                return false;
        for (size_t i = 0; i < pins->n; i++)
                if (memcmp(pins->digest[i], digest, PIN_SIZE) == 0)
                        return true;
        return false;
}

X509 *pins_find(const Pins *pins, const STACK_OF(X509) *certificates) {
        for (int i = 0; i < sk_X509_num(certificates); i++)
                if (pins_match(pins, sk_X509_value(certificates, i)))
                        return sk_X509_value(certificates, i);
        return NULL;
}

STACK_OF(X509) *pins_select(const Pins *pins, const STACK_OF(X509) *presented) {
        STACK_OF(X509) *selected = sk_X509_new_null();

        for (int i = 0; selected && i < sk_X509_num(presented); i++) {
                X509 *certificate = sk_X509_value(presented, i);
                if (pins_match(pins, certificate) && sk_X509_push(selected, certificate) <= 0)
                        break; /* no memory: fewer candidates can only mean less trust */
        }
        if (selected && sk_X509_num(selected) == 0) {
                sk_X509_free(selected);
                return NULL;
        }
        return selected;
}

bool pin_format(X509 *certificate, char ret[static PIN_TEXT_SIZE]) {
        unsigned char digest[PIN_SIZE];
        size_t prefix = strlen(PIN_PREFIX);

        if (!key_digest(certificate, digest))
                return false;
        memcpy(ret, PIN_PREFIX, prefix);
        EVP_EncodeBlock((unsigned char *) ret + prefix, digest, (int) PIN_SIZE);
        return true;
}
