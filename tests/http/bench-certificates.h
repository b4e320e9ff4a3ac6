/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Making, writing and reading test certificates; all assert that it works. */

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>

typedef struct CertificateRequest {
        const char *name;  /* CN */
        const char *names; /* subjectAltName of a leaf; NULL makes a CA */
        long from_days, to_days; /* from now */
} CertificateRequest;

X509 *certificate_make(const CertificateRequest *request, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);
void certificates_write(const char *path, X509 *const chain[], size_t n);
void key_write(const char *path, EVP_PKEY *key);
X509 *certificate_read(const char *path);
