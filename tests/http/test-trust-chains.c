/* SPDX-License-Identifier: Apache-2.0 */

/* Chains that an impostor can put together out of what is public, and those that a coordinator comes by in an honest way:
 * renewed keys, authorities that have signed for one another, chains of which a part is missing. All of it on a host whose
 * OpenSSL is told to take anything. Every leaf has the same key, so a handshake never fails for want of one. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "bench-certificates.h"
#include "bench.h"
#include "fetch.h"

#define HERE "IP:127.0.0.1,DNS:localhost"
#define SECRET "c2VjcmV0LWtleQ"
#define PRESENTED_MAX 4
#define PINS 2

/* Who exists. The order is that of their making: an issuer comes before what it signs. */
typedef enum Who {
        NOBODY,
        ROOT,
        OTHER,
        ROOT_NAMESAKE, /* root's name, another key */
        INTER,
        INTER_EXPIRED,
        INTER_CROSS, /* inter's name and key, signed by other */
        INTER_WEAK,  /* RSA 1024 */
        INTER_SHA1,  /* signed with it */
        INTER_SHORT, /* may sign leaves only */
        INTER_BELOW_SHORT,
        GOOD,
        GOOD_OF_NAMESAKE,
        GOOD_OF_WEAK,
        GOOD_OF_SHA1,
        GOOD_SHA1,
        GOOD_BELOW_SHORT,
        GOOD_FOR_CLIENTS,
        STRANGER, /* rightly issued to somebody else */
        GOOD_OF_STRANGER,
        WHO_N,
} Who;

static const struct {
        const char *name, *names; /* names NULL: an authority */
        Who issuer, key_of;       /* NOBODY: itself, a key of its own (all leaves share one) */
        long to_days;
        const char *extension; /* a further one, or what stands in for the first */
        int nid;
        bool sha1;
} people[WHO_N] = {
        [ROOT] = { "chains root", NULL, NOBODY, NOBODY, 9, NULL, 0, false },
        [OTHER] = { "chains other", NULL, NOBODY, NOBODY, 9, NULL, 0, false },
        [ROOT_NAMESAKE] = { "chains root", NULL, NOBODY, NOBODY, 9, NULL, 0, false },
        [INTER] = { "chains inter", NULL, ROOT, NOBODY, 9, NULL, 0, false },
        [INTER_EXPIRED] = { "chains inter", NULL, ROOT, INTER, -1, NULL, 0, false },
        [INTER_CROSS] = { "chains inter", NULL, OTHER, INTER, 9, NULL, 0, false },
        [INTER_WEAK] = { "chains weak", NULL, ROOT, NOBODY, 9, NULL, 0, false },
        [INTER_SHA1] = { "chains sha1", NULL, ROOT, NOBODY, 9, NULL, 0, true },
        [INTER_SHORT] = { "chains short", NULL, ROOT, NOBODY, 9, "critical,CA:TRUE,pathlen:0", NID_basic_constraints, false },
        [INTER_BELOW_SHORT] = { "chains below", NULL, INTER_SHORT, NOBODY, 9, NULL, 0, false },
        [GOOD] = { "good", HERE, INTER, NOBODY, 9, NULL, 0, false },
        [GOOD_OF_NAMESAKE] = { "good", HERE, ROOT_NAMESAKE, NOBODY, 9, NULL, 0, false },
        [GOOD_OF_WEAK] = { "good", HERE, INTER_WEAK, NOBODY, 9, NULL, 0, false },
        [GOOD_OF_SHA1] = { "good", HERE, INTER_SHA1, NOBODY, 9, NULL, 0, false },
        [GOOD_SHA1] = { "good", HERE, INTER, NOBODY, 9, NULL, 0, true },
        [GOOD_BELOW_SHORT] = { "good", HERE, INTER_BELOW_SHORT, NOBODY, 9, NULL, 0, false },
        [GOOD_FOR_CLIENTS] = { "good", HERE, INTER, NOBODY, 9, "clientAuth", NID_ext_key_usage, false },
        [STRANGER] = { "stranger", "DNS:other.example", INTER, NOBODY, 9, NULL, 0, false },
        [GOOD_OF_STRANGER] = { "good", HERE, STRANGER, NOBODY, 9, NULL, 0, false },
};

static X509 *made[WHO_N];
static EVP_PKEY *keys[WHO_N];

static const struct {
        const char *what;
        Who presented[PRESENTED_MAX];
        Who ca;          /* in the CA file, or NOBODY */
        Who pinned[PINS];
        const char *code; /* NULL: trusted */
} cases[] = {
        /* A name is no key: who is called as the authority has not signed as the authority. */
        { "namesake, CA file", { GOOD_OF_NAMESAKE, ROOT_NAMESAKE }, ROOT, { NOBODY }, "untrusted" },
        { "namesake, pin", { GOOD_OF_NAMESAKE, ROOT_NAMESAKE }, NOBODY, { ROOT }, "pin-mismatch" },
        { "true root stapled under a namesake's leaf, CA file", { GOOD_OF_NAMESAKE, ROOT }, ROOT, { NOBODY }, "untrusted" },
        { "true root stapled under a namesake's leaf, pin", { GOOD_OF_NAMESAKE, ROOT }, NOBODY, { ROOT }, "untrusted" },
        { "true root behind its namesake, pin", { GOOD_OF_NAMESAKE, ROOT_NAMESAKE, ROOT }, NOBODY, { ROOT }, "untrusted" },
        { "true chain behind a namesake's, pin", { GOOD_OF_NAMESAKE, ROOT_NAMESAKE, INTER, ROOT }, NOBODY, { INTER }, "untrusted" },
        { "true root behind its namesake, both", { GOOD_OF_NAMESAKE, ROOT_NAMESAKE, ROOT }, ROOT_NAMESAKE, { ROOT },
          "pin-mismatch" },
        /* A leaf is no authority, and its key signs for nobody. */
        { "a leaf that signs, CA file", { GOOD_OF_STRANGER, STRANGER, INTER, ROOT }, ROOT, { NOBODY }, "untrusted" },
        { "a leaf that signs, pinned root", { GOOD_OF_STRANGER, STRANGER, INTER, ROOT }, NOBODY, { ROOT }, "untrusted" },
        { "a leaf that signs, pinned authority", { GOOD_OF_STRANGER, STRANGER, INTER, ROOT }, NOBODY, { INTER }, "untrusted" },
        { "an authority below one that may sign leaves only, CA file", { GOOD_BELOW_SHORT, INTER_BELOW_SHORT, INTER_SHORT }, ROOT,
          { NOBODY }, "untrusted" },
        { "an authority below one that may sign leaves only, pin", { GOOD_BELOW_SHORT, INTER_BELOW_SHORT, INTER_SHORT, ROOT },
          NOBODY, { ROOT }, "untrusted" },
        { "a certificate for clients, CA file", { GOOD_FOR_CLIENTS, INTER, ROOT }, ROOT, { NOBODY }, "untrusted" },
        { "a certificate for clients, pin", { GOOD_FOR_CLIENTS, INTER, ROOT }, NOBODY, { ROOT }, "untrusted" },
        /* Dates are those of the whole chain, a pinned certificate's own included. */
        { "expired authority, CA file", { GOOD, INTER_EXPIRED, ROOT }, ROOT, { NOBODY }, "expired" },
        { "expired authority, pinned root", { GOOD, INTER_EXPIRED, ROOT }, NOBODY, { ROOT }, "expired" },
        { "expired authority, its own key pinned", { GOOD, INTER_EXPIRED, ROOT }, NOBODY, { INTER }, "expired" },
        /* Weak keys and digests, whatever this host's OpenSSL is told. */
        { "authority of RSA 1024, CA file", { GOOD_OF_WEAK, INTER_WEAK, ROOT }, ROOT, { NOBODY }, "weak" },
        { "authority of RSA 1024, pinned root", { GOOD_OF_WEAK, INTER_WEAK, ROOT }, NOBODY, { ROOT }, "weak" },
        { "authority of RSA 1024, pinned itself", { GOOD_OF_WEAK, INTER_WEAK, ROOT }, NOBODY, { INTER_WEAK }, "weak" },
        { "leaf signed with SHA-1, CA file", { GOOD_SHA1, INTER, ROOT }, ROOT, { NOBODY }, "weak" },
        { "leaf signed with SHA-1, pin", { GOOD_SHA1, INTER, ROOT }, NOBODY, { INTER }, "weak" },
        { "authority signed with SHA-1, CA file", { GOOD_OF_SHA1, INTER_SHA1, ROOT }, ROOT, { NOBODY }, "weak" },
        { "authority signed with SHA-1, pinned root", { GOOD_OF_SHA1, INTER_SHA1, ROOT }, NOBODY, { ROOT }, "weak" },
        /* Nobody needs to have signed for a key that is pinned itself. */
        { "authority signed with SHA-1, pinned itself", { GOOD_OF_SHA1, INTER_SHA1, ROOT }, NOBODY, { INTER_SHA1 }, NULL },
        /* Several pins, of which one is today's. */
        { "rotation, the first pin", { GOOD, INTER, ROOT }, NOBODY, { INTER, OTHER }, NULL },
        { "rotation, the second pin", { GOOD, INTER, ROOT }, NOBODY, { OTHER, INTER }, NULL },
        { "rotation, with a CA file", { GOOD, INTER, ROOT }, ROOT, { OTHER, INTER }, NULL },
        { "rotation, neither", { GOOD, INTER, ROOT }, NOBODY, { OTHER, ROOT_NAMESAKE }, "pin-mismatch" },
        /* Parts of a chain. */
        { "leaf alone, CA file of the root", { GOOD }, ROOT, { NOBODY }, "untrusted" },
        { "leaf alone, CA file of its issuer", { GOOD }, INTER, { NOBODY }, NULL },
        { "leaf alone, pinned root", { GOOD }, NOBODY, { ROOT }, "pin-mismatch" },
        { "leaf alone, pinned itself", { GOOD }, NOBODY, { GOOD }, NULL },
        { "no root, pinned issuer", { GOOD, INTER }, NOBODY, { INTER }, NULL },
        /* The CA file ends the chain below the pinned root: nobody has proved that the root has a part in it. */
        { "the pinned root beyond the CA file's end", { GOOD, INTER, ROOT }, INTER, { ROOT }, "pin-mismatch" },
        /* Authorities that have signed for one another. */
        { "cross-signed, the new root's CA file", { GOOD, INTER_CROSS, OTHER }, OTHER, { NOBODY }, NULL },
        { "cross-signed, the old root's CA file", { GOOD, INTER, INTER_CROSS }, ROOT, { NOBODY }, NULL },
        { "cross-signed, the key of both pinned", { GOOD, INTER_CROSS, INTER }, NOBODY, { INTER }, NULL },
        { "cross-signed, the new root pinned", { GOOD, INTER_CROSS, OTHER }, NOBODY, { OTHER }, NULL },
};

static EVP_PKEY *key_for(Who who) {
        if (people[who].key_of != NOBODY)
                return keys[people[who].key_of];
        if (people[who].names)
                return keys[GOOD] ?: EVP_EC_gen("P-256");
        return who == INTER_WEAK ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256");
}

/* Puts an extension in the place of the one of its kind, if there is one. */
static void replace_extension(X509 *certificate, int nid, const char *value) {
        int at = X509_get_ext_by_NID(certificate, nid, -1);
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

        assert_non_null(extension);
        if (at >= 0)
                X509_EXTENSION_free(X509_delete_ext(certificate, at));
        assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
        X509_EXTENSION_free(extension);
}

static void make(Who who) {
        Who issuer = people[who].issuer;
        CertificateRequest request = { people[who].name, people[who].names, -9, people[who].to_days };

        keys[who] = key_for(who);
        assert_non_null(keys[who]);
        made[who] = certificate_make(&request, keys[who], made[issuer], keys[issuer]);
        if (people[who].extension)
                replace_extension(made[who], people[who].nid, people[who].extension);
        assert_true(X509_sign(made[who], keys[issuer] ?: keys[who], people[who].sha1 ? EVP_sha1() : EVP_sha256()) > 0);
}

static int make_all(void **state) {
        for (Who who = NOBODY + 1; who < WHO_N; who++)
                make(who);
        key_write(bench_path("leaf.key"), keys[GOOD]);
        return 0;
}

static int free_all(void **state) {
        for (Who who = NOBODY + 1; who < WHO_N; who++) {
                X509_free(made[who]);
                if (people[who].key_of == NOBODY && (!people[who].names || who == GOOD))
                        EVP_PKEY_free(keys[who]);
        }
        return 0;
}

static const char *write_one(const char *file, Who who) {
        if (who == NOBODY)
                return NULL;
        certificates_write(bench_path(file), &made[who], 1);
        return bench_path(file);
}

static Trust *trust_of(size_t i) {
        char *pins[PINS + 1] = { NULL };
        Trust *trust = NULL;
        Observation refusal;

        for (size_t n = 0; n < PINS && cases[i].pinned[n] != NOBODY; n++) {
                (void) write_one("pinned.pem", cases[i].pinned[n]);
                pins[n] = strdup(bench_pin("pinned"));
                assert_non_null(pins[n]);
        }
        assert_int_equal(trust_new(write_one("authority.pem", cases[i].ca), pins, &trust, &refusal), 0);
        for (size_t n = 0; n < PINS; n++)
                free(pins[n]);
        return trust;
}

static void present(size_t i) {
        X509 *chain[PRESENTED_MAX];
        size_t n = 0;

        while (n < PRESENTED_MAX && cases[i].presented[n] != NOBODY) {
                chain[n] = made[cases[i].presented[n]];
                n++;
        }
        certificates_write(bench_path("presented.pem"), chain, n);
}

static void check_case(size_t i) {
        _cleanup_(trust_freep) Trust *trust = trust_of(i);
        _cleanup_(secret_freep) Secret *secret = NULL;
        _cleanup_fetched_ Fetched f = { 0 };
        _cleanup_free_ char *log = NULL;
        char url[64];

        assert_int_equal(secret_new(SECRET, sizeof(SECRET) - 1, &secret), 0);
        present(i);
        Peer peer = peer_start("presented", "[{\"body\": \"{}\"}]");
        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", peer.port);
        HttpRequest request = { .method = "GET", .url = url, .trust = trust, .auth_scheme = "ApiKey", .auth = secret };
        assert_int_equal(fetch(&request, &f), 0);
        log = peer_stop(&peer);

        if (!streq(f.failure.code, cases[i].code ?: ""))
                fail_msg("%s: '%s' instead of '%s': %s", cases[i].what, f.failure.code, cases[i].code ?: "", f.failure.detail);
        assert_int_equal(strstr(log, SECRET) != NULL, cases[i].code == NULL);
        assert_int_equal(*log != '\0', cases[i].code == NULL);
}

static void test_chains(void **state) {
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                check_case(i);
}

/* Before OpenSSL is asked for anything. */
static void be_permissive(void) {
        static const char text[] = "openssl_conf = here\n[here]\nssl_conf = ssl\n[ssl]\nsystem_default = weak\n"
                                   "[weak]\nCipherString = ALL@SECLEVEL=0\n";
        _cleanup_fclose_ FILE *file = fopen(bench_path("openssl.cnf"), "we");

        assert_true(file && fputs(text, file) >= 0);
        assert_int_equal(setenv("OPENSSL_CONF", bench_path("openssl.cnf"), 1), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_chains) };

        bench_open_bare();
        be_permissive();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int failed = cmocka_run_group_tests(tests, make_all, free_all);
        bench_close();
        return failed;
}
