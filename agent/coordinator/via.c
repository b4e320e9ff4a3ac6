/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The way to a coordinator.
 *
 * A key that does not belong to the certificate, or is encrypted with a passphrase that nobody is there to type, would
 * show itself as a refusal in the middle of a handshake; so both are held against each other here, where the sentence can
 * be a clear one. The key is read into a Secret and leaves it only for OpenSSL's own parser and the transfer.
 *
 * The environment's proxy variables are for people's shells. A service that obeyed them would send its credential's
 * requests wherever a stray variable points, so they are ignored, and whoever asks is told which one was.
 */

#include "coordinator/via.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guarded.h"
#include "base/text.h"
#include "coordinator/credential.h"
#include "model/no-proxy.h"

#define CERTIFICATE_MAX (64U * 1024U)

struct Via {
        const Spec *spec;
        Secret *proxy_password;
        Buffer certificate; /* PEM */
        Secret *key;        /* PEM */
};

DEFINE_CLEANUP(BIO *, BIO_free)
DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)

Via *via_free(Via *via) {
        if (!via)
                return NULL;
        (void) secret_free(via->proxy_password);
        (void) secret_free(via->key);
        buffer_done(&via->certificate);
        free(via);
        return NULL;
}

static int refuse(Observation *refusal, const char *where, const char *detail) {
        ERR_clear_error();
        *refusal = observe(ORIGIN_CREDENTIAL, 0, "client-certificate", where, "%s", detail);
        return 0;
}

/* Nobody is there to be asked for a passphrase. */
static int no_passphrase(char *buffer, int size, int writing, void *userdata) {
        return -1;
}

/* What stands against the pair, or NULL. */
static const char *objection(const Via *via) {
        _cleanup_(BIO_freep) BIO *public = BIO_new_mem_buf(buffer_string(&via->certificate), (int) via->certificate.size);
        _cleanup_(BIO_freep) BIO *private = BIO_new_mem_buf(secret_bytes(via->key), (int) secret_size(via->key));
        _cleanup_(X509_freep) X509 *certificate = public ? PEM_read_bio_X509(public, NULL, no_passphrase, NULL) : NULL;
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = private ? PEM_read_bio_PrivateKey(private, NULL, no_passphrase, NULL) : NULL;

        if (!certificate)
                return "there is no certificate in it (PEM is expected)";
        if (!key)
                return strstr(secret_bytes(via->key), "ENCRYPTED")
                               ? "its private key is encrypted, and nobody is there to type a passphrase"
                               : "its private key can't be read (PEM is expected)";
        if (X509_check_private_key(certificate, key) != 1)
                return "the private key does not belong to it";
        return NULL; /* its dates are the coordinator's to judge: this host's clock decides nothing */
}

static int load_certificate(Via *via, bool allow_env, Observation *refusal) {
        const char *path = via->spec->client.certificate, *against;
        char why[GUARDED_WHY_SIZE];
        int r;

        if (!path)
                return 0;
        r = guarded_read(path, geteuid(), &via->certificate, NULL, why);
        if (file_error_is_the_machines(r))
                return r;
        if (r < 0)
                return refuse(refusal, path, *why ? why : strerror(-r));
        r = credential_read_text(&via->spec->client.key, allow_env, &via->key, refusal);
        if (r < 0 || !via->key)
                return r;
        against = objection(via);
        return against ? refuse(refusal, path, against) : 0;
}

int via_new(const Spec *spec, bool allow_env, Via **ret, Observation *refusal) {
        _cleanup_(via_freep) Via *via = calloc(1, sizeof(*via));
        int r;

        *refusal = OBSERVATION_NONE;
        if (!via)
                return -ENOMEM;
        via->spec = spec;
        via->certificate = BUFFER_INIT(CERTIFICATE_MAX);
        r = load_certificate(via, allow_env, refusal);
        if (r >= 0 && observation_is_none(refusal) && spec->proxy.user)
                r = credential_read(&spec->proxy.password, allow_env, &via->proxy_password, refusal);
        if (r < 0)
                return r;
        *ret = observation_is_none(refusal) ? TAKE_PTR(via) : NULL;
        return 0;
}

const char *via_first_hop(const Spec *spec, const char *coordinator_url) {
        bool straight = !spec->proxy.url || no_proxy_covers(spec->proxy.exceptions, coordinator_url);

        return straight ? coordinator_url : spec->proxy.url;
}

void via_apply(const Via *via, const char *coordinator_url, HttpRequest *request) {
        if (!via)
                return;
        if (via->key) {
                request->client_certificate = &via->certificate;
                request->client_key = via->key;
        }
        if (via_first_hop(via->spec, coordinator_url) == coordinator_url)
                return;
        request->proxy = via->spec->proxy.url;
        request->proxy_user = via->spec->proxy.user;
        request->proxy_password = via->proxy_password;
}

const char *via_ignored_variable(void) {
        static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy" };

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                const char *value = getenv(names[i]);

                if (value && *value)
                        return names[i];
        }
        return NULL;
}
