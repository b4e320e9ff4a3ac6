/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Certificates for the bench, made anew in each run by OpenSSL: nothing in the tree expires, and no
 * key lies around. Elliptic curves, because making such keys takes no time. One key for all leaves,
 * one for each CA.
 */

#include "bench-certificates.h"

#include <assert.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/cleanup.h"

#define DAY_S (24L * 3600L)

static void extension_add(X509 *certificate, X509 *issuer, int nid, const char *value) {
        X509V3_CTX context;

        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
        assert(extension && X509_add_ext(certificate, extension, -1));
        X509_EXTENSION_free(extension);
}

/* issuer NULL: signed by itself. */
X509 *certificate_make(const CertificateRequest *request, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key) {
        static long serial = 1000;
        X509 *made = X509_new();

        assert(made);
        (void) X509_set_version(made, X509_VERSION_3);
        (void) ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
        (void) X509_gmtime_adj(X509_getm_notBefore(made), request->from_days * DAY_S);
        (void) X509_gmtime_adj(X509_getm_notAfter(made), request->to_days * DAY_S);
        (void) X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                                          (const unsigned char *) request->name, -1, -1, 0);
        (void) X509_set_issuer_name(made, X509_get_subject_name(issuer ? issuer : made));
        (void) X509_set_pubkey(made, key);
        extension_add(made, issuer ? issuer : made, NID_basic_constraints,
                      request->names ? "critical,CA:FALSE" : "critical,CA:TRUE");
        if (request->names)
                extension_add(made, made, NID_subject_alt_name, request->names);
        assert(X509_sign(made, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
        return made;
}

void certificates_write(const char *path, X509 *const chain[], size_t n) {
        _cleanup_fclose_ FILE *file = fopen(path, "we");

        assert(file);
        for (size_t i = 0; i < n; i++)
                assert(PEM_write_X509(file, chain[i]));
}

void key_write(const char *path, EVP_PKEY *key) {
        _cleanup_fclose_ FILE *file = fopen(path, "we");

        assert(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
}

X509 *certificate_read(const char *path) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        X509 *read = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

        assert(read);
        return read;
}
