/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Telling people why a certificate was refused.
 *
 * The code is for the classification: a date that does not hold may be this host's clock and is
 * waited for, everything else is the operator's. The sentence is for the operator, who has to find
 * out which certificate that was: hence subject, issuer and dates, not only OpenSSL's words.
 */

#include "http/trust-verdict.h"

#include <openssl/asn1.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"

static const struct {
        int error;
        const char *code;
} codes[] = {
        { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "untrusted" },
        { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "untrusted" },
        { X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "untrusted" },
        { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "untrusted" },
        { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "untrusted" },
        { X509_V_ERR_CERT_SIGNATURE_FAILURE, "untrusted" },
        { X509_V_ERR_CERT_UNTRUSTED, "untrusted" },
        { X509_V_ERR_CERT_REJECTED, "untrusted" },
        { X509_V_ERR_CERT_CHAIN_TOO_LONG, "untrusted" },
        { X509_V_ERR_INVALID_CA, "untrusted" },
        { X509_V_ERR_INVALID_PURPOSE, "untrusted" },
        { X509_V_ERR_PATH_LENGTH_EXCEEDED, "untrusted" },
        { X509_V_ERR_KEYUSAGE_NO_CERTSIGN, "untrusted" },
        { X509_V_ERR_PERMITTED_VIOLATION, "untrusted" },
        { X509_V_ERR_EXCLUDED_VIOLATION, "untrusted" },
        { X509_V_ERR_HOSTNAME_MISMATCH, "name-mismatch" },
        { X509_V_ERR_IP_ADDRESS_MISMATCH, "name-mismatch" },
        { X509_V_ERR_CERT_HAS_EXPIRED, "expired" },
        { X509_V_ERR_CERT_NOT_YET_VALID, "not-yet-valid" },
        { X509_V_ERR_EE_KEY_TOO_SMALL, "weak" },
        { X509_V_ERR_CA_KEY_TOO_SMALL, "weak" },
        { X509_V_ERR_CA_MD_TOO_WEAK, "weak" },
};

const char *trust_code(int verify_error) {
        for (size_t i = 0; i < ELEMENTS(codes); i++)
                if (codes[i].error == verify_error)
                        return codes[i].code;
        return "other";
}

#define NAME_SIZE 64

/* The common name, which is what people know a certificate by; "?" when it has none. */
static void common_name(const X509_NAME *name, char ret[static NAME_SIZE]) {
        char raw[NAME_SIZE];

        if (X509_NAME_get_text_by_NID((X509_NAME *) (uintptr_t) name, NID_commonName, raw, sizeof(raw)) <= 0)
                (void) snprintf(raw, sizeof(raw), "?");
        text_copy_printable(ret, NAME_SIZE, raw);
}

#define DATE_SIZE 24

static void date_format(const ASN1_TIME *time, char ret[static DATE_SIZE]) {
        struct tm tm;

        if (!ASN1_TIME_to_tm(time, &tm) || strftime(ret, DATE_SIZE, "%Y-%m-%dT%H:%MZ", &tm) == 0)
                (void) snprintf(ret, DATE_SIZE, "?");
}

void trust_describe(X509 *certificate, const char *reason, char ret[static OBSERVATION_DETAIL_SIZE]) {
        char subject[NAME_SIZE], issuer[NAME_SIZE], from[DATE_SIZE], to[DATE_SIZE];

        if (!certificate) {
                text_copy_printable(ret, OBSERVATION_DETAIL_SIZE, reason);
                return;
        }
        common_name(X509_get_subject_name(certificate), subject);
        common_name(X509_get_issuer_name(certificate), issuer);
        date_format(X509_get0_notBefore(certificate), from);
        date_format(X509_get0_notAfter(certificate), to);
        /* The reason goes last and is what matters most: long names give way to it. */
        (void) snprintf(ret, OBSERVATION_DETAIL_SIZE, "certificate '%.36s', issued by '%.36s', valid %s to %s: %s",
                        subject, issuer, from, to, reason);
}
