/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Trust, carried out: our own certificate store and our own verify callback in libcurl's SSL
 * context.
 *
 * libcurl builds an SSL_CTX for each new connection and shows it to us before the handshake
 * (CURLOPT_SSL_CTX_FUNCTION). There we put in our store, so that the system's CAs have no say once
 * the spec named its own, and a callback that stands in for OpenSSL's chain verification
 * (SSL_CTX_set_cert_verify_callback). It still leaves the proof to X509_verify_cert(); it only
 * chooses the anchors and adds the name. The callback runs inside the handshake, so an untrusted
 * peer never sees a byte of a request.
 *
 * With pins alone the anchors are the presented certificates that bear a pinned key. That is sound:
 * whoever presents one without the private key can neither finish a handshake as the leaf nor have
 * signed the certificate below.
 *
 * Name and dates are verified by the same call as the chain, in OpenSSL's order: chain, name,
 * dates. So an objection to a date means that all else was right, and a wrong clock is the likely
 * cause. libcurl checks the name again.
 *
 * How weak a key, a digest or a cipher may be is ours to say as well: a configuration of OpenSSL that was made for some
 * old server elsewhere must not decide whom this host believes.
 *
 * Ownership: a Trust outlives its checks; a check outlives its easy handle. Fails for want of
 * memory only.
 */

#include "http/trust.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/guarded.h"
#include "base/text.h"
#include "http/trust-pins.h"
#include "http/trust-verdict.h"

#define CA_FILE_MAX (1024U * 1024U)
#define HOST_SIZE 256
#define SECURITY_LEVEL_MIN 2 /* OpenSSL's for 112 bits: no RSA key below 2048, no SHA-1, no cipher that is none */

struct Trust {
        uint64_t serial;
        X509_STORE *store; /* NULL: the system's CAs, as libcurl knows them */
        Pins pins;
        bool pins_only;
        TrustOnlooker onlooker; /* who wants to see, and believes nothing */
        void *userdata;
};

struct TrustCheck {
        const Trust *trust;
        char host[HOST_SIZE]; /* without brackets */
        bool refused;
        int error; /* X509_V_ERR_* */
        const char *code;
        char detail[OBSERVATION_DETAIL_SIZE];
};

DEFINE_CLEANUP(BIO *, BIO_free)
DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(CURLU *, curl_url_cleanup)

static Trust *trust_alloc(void) {
        static uint64_t last; /* one thread makes them */
        Trust *trust = calloc(1, sizeof(*trust));

        if (trust)
                trust->serial = ++last;
        return trust;
}

uint64_t trust_serial(const Trust *trust) {
        return trust->serial;
}

/* Puts each certificate of the PEM text into the store; returns how many, or -EBADMSG at a broken
 * one. */
static int store_fill(X509_STORE *store, const Buffer *pem) {
        _cleanup_(BIO_freep) BIO *bio = BIO_new_mem_buf(buffer_string(pem), (int) pem->size);
        int n = 0;

        if (!bio)
                return -ENOMEM;
        for (;;) {
                _cleanup_(X509_freep) X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
                if (!certificate)
                        break;
                if (!X509_STORE_add_cert(store, certificate))
                        return -ENOMEM;
                n++;
        }
        /* The regular end is "no start line": anything else is a certificate that can't be read. */
        unsigned long error = ERR_peek_last_error();
        ERR_clear_error();
        return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE ? n
                                                                                                 : -EBADMSG;
}

static int trust_load_ca(Trust *trust, const char *path, Observation *refusal) {
        _cleanup_buffer_ Buffer pem = BUFFER_INIT(CA_FILE_MAX);

        char why[GUARDED_WHY_SIZE];

        int r = guarded_read(path, geteuid(), &pem, NULL, why);
        if (r == -EPERM && *why) {
                *refusal = observe(ORIGIN_SPEC, 0, "invalid", path, "trust.ca_file: %s", why);
                return -EINVAL;
        }
        if (file_error_is_the_machines(r))
                return r;
        if (r < 0) {
                *refusal = observe(ORIGIN_SPEC, -r, "invalid", path, "trust.ca_file can't be read: %s",
                                   strerror(-r));
                return -EINVAL;
        }
        r = store_fill(trust->store, &pem);
        if (r == -ENOMEM)
                return r;
        if (r <= 0) {
                *refusal = observe(ORIGIN_SPEC, 0, "invalid", path,
                                   r == 0 ? "trust.ca_file holds no certificate (PEM is expected)"
                                          : "trust.ca_file holds a certificate that can't be read");
                return -EINVAL;
        }
        return 0;
}

static int trust_load_pins(Trust *trust, char *const *pins, Observation *refusal) {
        for (size_t i = 0; pins && pins[i]; i++)
                if (pins_add(&trust->pins, pins[i]) < 0) {
                        *refusal = observe(ORIGIN_SPEC, 0, "invalid", "trust.pins",
                                           "pin %zu has not the form sha256//BASE64=, or there are too many",
                                           i + 1);
                        return -EINVAL;
                }
        return 0;
}

int trust_new(const char *ca_file, char *const *pins, Trust **ret, Observation *refusal) {
        _cleanup_(trust_freep) Trust *trust = trust_alloc();
        int r;

        if (!trust)
                return -ENOMEM;
        r = trust_load_pins(trust, pins, refusal);
        if (r < 0)
                return r;
        trust->pins_only = !ca_file && trust->pins.n > 0;

        if (ca_file || trust->pins_only) {
                trust->store = X509_STORE_new();
                if (!trust->store)
                        return -ENOMEM;
                /* What the operator put into the file is an anchor, be it a root or not. */
                X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN);
        }
        if (ca_file) {
                r = trust_load_ca(trust, ca_file, refusal);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(trust);
        return 0;
}

int trust_new_onlooker(TrustOnlooker onlooker, void *userdata, Trust **ret) {
        Trust *trust = trust_alloc();

        if (!trust)
                return -ENOMEM;
        trust->onlooker = onlooker;
        trust->userdata = userdata;
        *ret = trust;
        return 0;
}

Trust *trust_free(Trust *trust) {
        if (trust)
                X509_STORE_free(trust->store);
        free(trust);
        return NULL;
}

/* A date that does not hold is this host's clock against the certificate, so both are told. */
static void explain_date(char *reason, size_t size, int error) {
        char now[RFC3339_SIZE];

        (void) snprintf(reason, size, "%s: this host's clock, %s, says %s",
                        X509_verify_cert_error_string(error), clock_sync_to_string(clock_sync()),
                        clock_format_rfc3339(clock_realtime_us(), now));
}

static int refuse(TrustCheck *check, X509_STORE_CTX *ctx, int error, const char *code, const char *reason) {
        X509 *certificate = X509_STORE_CTX_get_current_cert(ctx);

        check->refused = true;
        check->error = error;
        check->code = code;
        trust_describe(certificate ? certificate : X509_STORE_CTX_get0_cert(ctx), reason, check->detail);
        X509_STORE_CTX_set_error(ctx, error);
        return 0;
}

/* The name or address that the certificate must be made out to. */
static bool expect_host(X509_STORE_CTX *ctx, const char *host) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
        unsigned char address[sizeof(struct in6_addr)];

        if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
                return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

/* A pin is refused with the pin that was met instead, so that the two can be compared: the one of
 * the topmost presented certificate, which is the one that people pin. */
static int refuse_pin(TrustCheck *check, X509_STORE_CTX *ctx) {
        STACK_OF(X509) *presented = X509_STORE_CTX_get0_untrusted(ctx);
        char reason[160], pin[PIN_TEXT_SIZE] = "?";
        int n = sk_X509_num(presented);

        if (n > 0)
                (void) pin_format(sk_X509_value(presented, n - 1), pin);
        (void) snprintf(reason, sizeof(reason), "no pinned key in its chain, the last of %d has %s", n, pin);
        X509_STORE_CTX_set_current_cert(ctx, NULL);
        return refuse(check, ctx, X509_V_ERR_APPLICATION_VERIFICATION, "pin-mismatch", reason);
}

static int verify_by_pins(TrustCheck *check, X509_STORE_CTX *ctx) {
        STACK_OF(X509) *anchors = pins_select(&check->trust->pins, X509_STORE_CTX_get0_untrusted(ctx));
        int ok;

        if (!anchors)
                return refuse_pin(check, ctx);
        X509_STORE_CTX_set0_trusted_stack(ctx, anchors);
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
        ok = X509_verify_cert(ctx);
        sk_X509_free(anchors);
        return ok;
}

/* Stands in for X509_verify_cert() in each handshake: 1 when the peer is whom we trust, else 0. */
static int on_verify(X509_STORE_CTX *ctx, void *userdata) {
        TrustCheck *check = userdata;
        const Trust *trust = check->trust;
        int ok;

        if (trust->onlooker) {
                trust->onlooker(trust->userdata, X509_STORE_CTX_get0_untrusted(ctx));
                return refuse(check, ctx, X509_V_ERR_APPLICATION_VERIFICATION, "other", "only looked at");
        }
        if (!expect_host(ctx, check->host))
                return refuse(check, ctx, X509_V_ERR_OUT_OF_MEM, "other", "the expected name can't be set");
        ok = trust->pins_only ? verify_by_pins(check, ctx) : X509_verify_cert(ctx);
        if (check->refused)
                return 0;
        if (ok != 1) {
                int error = X509_STORE_CTX_get_error(ctx);
                char reason[160];

                if (error == X509_V_OK)
                        error = X509_V_ERR_UNSPECIFIED;
                if (error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CERT_HAS_EXPIRED)
                        explain_date(reason, sizeof(reason), error);
                else
                        (void) snprintf(reason, sizeof(reason), "%s", X509_verify_cert_error_string(error));
                return refuse(check, ctx, error, trust_code(error), reason);
        }
        if (!trust->pins_only && trust->pins.n > 0
            && !pins_find(&trust->pins, X509_STORE_CTX_get0_chain(ctx)))
                return refuse_pin(check, ctx);
        return 1;
}

/* The host of a URL as certificates spell it: an IPv6 literal without brackets and zone. */
static bool url_host(const char *url, char ret[static HOST_SIZE]) {
        _cleanup_(curl_url_cleanupp) CURLU *parsed = curl_url();
        char *host = NULL;
        bool fits = false;

        if (!parsed || curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK
            || curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK)
                return false;
        const char *from = *host == '[' ? host + 1 : host;
        size_t n = strcspn(from, "]%");
        if (n > 0 && n < HOST_SIZE) {
                memcpy(ret, from, n);
                ret[n] = '\0';
                fits = true;
        }
        curl_free(host);
        return fits;
}

static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *userdata) {
        TrustCheck *check = userdata;
        const char *url = NULL;

        check->refused = false;
        if (curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url) != CURLE_OK || !url
            || !url_host(url, check->host))
                return CURLE_URL_MALFORMAT;
        if (check->trust->store)
                SSL_CTX_set1_cert_store(ssl_ctx, check->trust->store);
        SSL_CTX_set_cert_verify_callback(ssl_ctx, on_verify, check);
        /* A host's openssl.cnf may ask for more than this, and can't make us take less. */
        if (SSL_CTX_get_security_level(ssl_ctx) < SECURITY_LEVEL_MIN)
                SSL_CTX_set_security_level(ssl_ctx, SECURITY_LEVEL_MIN);
        /* Else what was received last, a token say, stays in the connection's buffer until something larger comes. */
        SSL_CTX_set_options(ssl_ctx, SSL_OP_CLEANSE_PLAINTEXT);
        /* A peer is verified once, by the check of the transfer that has opened the connection; the connection may outlive it. */
        SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION);
        return CURLE_OK;
}

int trust_apply(Trust *trust, void *curl_easy, TrustCheck **ret) {
        CURL *easy = curl_easy;
        TrustCheck *check = calloc(1, sizeof(*check));

        if (!check)
                return -ENOMEM;
        check->trust = trust;
        CURLcode r = curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, check);
        if (r == CURLE_OK && trust->store) {
                /* Ours replaces it anyway; a host without a bundle must not fail for want of one.
                 * */
                r = curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
                if (r == CURLE_OK)
                        r = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        }
        if (r != CURLE_OK) {
                (void) trust_check_free(check);
                return -EIO;
        }
        *ret = check;
        return 0;
}

TrustCheck *trust_check_free(TrustCheck *check) {
        free(check);
        return NULL;
}

bool trust_check_began(const TrustCheck *check) {
        return check && check->host[0] != '\0';
}

Observation trust_check_observation(const TrustCheck *check, const char *where) {
        if (!check || !check->refused)
                return OBSERVATION_NONE;
        return observe(ORIGIN_TLS, check->error, check->code, where, "%s", check->detail);
}
