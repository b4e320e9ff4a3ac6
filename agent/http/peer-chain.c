/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A look at whom there is before anybody is trusted: an ordinary handshake whose verification takes down what it is
 * shown and then says no. The failure that this makes is expected and swallowed; any other one, and a server that
 * shows nothing, is passed on.
 *
 * What a certificate says is the peer's own word. It is bounded, made printable and never interpreted.
 */

#include "http/peer-chain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "http/trust-pins.h"

typedef struct Look {
        Trust *trust;
        PeerChain chain;
        PeerChainHandler handler;
        void *userdata;
} Look;

static Look *look_free(Look *look) {
        if (look)
                (void) trust_free(look->trust);
        free(look);
        return NULL;
}
DEFINE_CLEANUP(Look *, look_free)
DEFINE_CLEANUP(BIO *, BIO_free)
DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free)

static void copy_name(const X509_NAME *name, char ret[static PEER_NAME_SIZE]) {
        _cleanup_(BIO_freep) BIO *bio = BIO_new(BIO_s_mem());
        char raw[PEER_NAME_SIZE] = "";
        int n = 0;

        if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
                n = BIO_read(bio, raw, sizeof(raw) - 1);
        raw[n > 0 ? n : 0] = '\0';
        (void) text_copy_printable(ret, PEER_NAME_SIZE, raw);
}

static void copy_date(const ASN1_TIME *date, char ret[static RFC3339_SIZE]) {
        struct tm tm;

        if (!ASN1_TIME_to_tm(date, &tm) || strftime(ret, RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                (void) snprintf(ret, RFC3339_SIZE, "?");
}

/* One name, or "" for a kind that says nothing of a host. */
static void name_text(const GENERAL_NAME *name, char *ret, size_t size) {
        const ASN1_STRING *value;
        int family, n;

        ret[0] = '\0';
        if (name->type == GEN_DNS) {
                value = name->d.dNSName;
                (void) snprintf(ret, size, "%.*s", ASN1_STRING_length(value), (const char *) ASN1_STRING_get0_data(value));
        } else if (name->type == GEN_IPADD) {
                n = ASN1_STRING_length(name->d.iPAddress);
                family = n == 4 ? AF_INET : AF_INET6;
                if ((n == 4 || n == 16) && size >= INET6_ADDRSTRLEN)
                        (void) inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), ret, (socklen_t) size);
        }
}

static void copy_names(X509 *certificate, char ret[static PEER_NAME_SIZE]) {
        _cleanup_(GENERAL_NAMES_freep) GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
        char raw[PEER_NAME_SIZE] = "", one[PEER_NAME_SIZE];
        size_t used = 0;

        for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && used < sizeof(raw); i++) {
                name_text(sk_GENERAL_NAME_value(names, i), one, sizeof(one));
                if (one[0])
                        used += (size_t) snprintf(raw + used, sizeof(raw) - used, "%s%s", used ? " " : "", one);
        }
        (void) text_copy_printable(ret, PEER_NAME_SIZE, raw);
}

void peer_certificate_describe(X509 *certificate, PeerCertificate *ret) {
        const X509_NAME *subject = X509_get_subject_name(certificate), *issuer = X509_get_issuer_name(certificate);

        *ret = (PeerCertificate) { .ca = X509_check_ca(certificate) == 1, .self_signed = X509_NAME_cmp(subject, issuer) == 0 };
        copy_name(subject, ret->subject);
        copy_name(issuer, ret->issuer);
        copy_names(certificate, ret->names);
        copy_date(X509_get0_notBefore(certificate), ret->not_before);
        copy_date(X509_get0_notAfter(certificate), ret->not_after);
        if (!pin_format(certificate, ret->pin))
                ret->pin[0] = '\0';
}

static void on_presented(void *userdata, void *presented) {
        STACK_OF(X509) *certificates = presented;
        PeerChain *chain = &((Look *) userdata)->chain;

        chain->n = 0;
        for (int i = 0; i < sk_X509_num(certificates) && chain->n < PEER_CHAIN_MAX; i++)
                peer_certificate_describe(sk_X509_value(certificates, i), &chain->item[chain->n++]);
}

static void on_end(void *userdata, const HttpReply *reply, const Observation *failure) {
        _cleanup_(look_freep) Look *look = userdata;
        Observation seen = look->chain.n > 0 ? OBSERVATION_NONE : *failure;

        look->handler(look->userdata, &look->chain, &seen);
}

int peer_chain_look(Http *http, const char *url, PeerChainHandler handler, void *userdata) {
        _cleanup_(look_freep) Look *look = calloc(1, sizeof(*look));
        HttpRequest request = { .url = url, .handshake_only = true };
        HttpTransfer *transfer;
        int error;

        if (!look)
                return -ENOMEM;
        look->handler = handler;
        look->userdata = userdata;
        error = trust_new_onlooker(on_presented, look, &look->trust);
        if (error < 0)
                return error;
        request.trust = look->trust;
        error = http_start(http, &request, on_end, look, &transfer);
        if (error < 0)
                return error;
        look = NULL; /* freed at its end */
        return 0;
}
