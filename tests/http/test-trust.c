/* SPDX-License-Identifier: Apache-2.0 */

/* Whom we believe: real handshakes with each kind of certificate under each kind of trust.
 * Invariant of all refusals: the peer has read no request, so no credential. */

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "bench.h"
#include "fetch.h"

#define SECRET "c2VjcmV0LWtleQ"

static const struct {
        const char *leaf;
        const char *ca;   /* file of the scratch directory, or NULL */
        const char *pin;  /* certificate's name, or NULL */
        const char *host;
        const char *code; /* NULL: trusted */
        const char *says; /* part of the sentence */
} cases[] = {
        /* a CA file alone */
        { "good", "root.pem", NULL, "127.0.0.1", NULL, NULL },
        { "good", "root.pem", NULL, "localhost", NULL, NULL },
        { "good", "inter.pem", NULL, "127.0.0.1", NULL, NULL }, /* any certificate of the file is an anchor */
        { "self", "self.pem", NULL, "127.0.0.1", NULL, NULL },
        { "good", "other-root.pem", NULL, "127.0.0.1", "untrusted", "'bench root'" },
        { "self", "root.pem", NULL, "127.0.0.1", "untrusted", "'self'" },
        { "forged", "root.pem", NULL, "127.0.0.1", "untrusted", "'good', issued by 'other root'" },
        { "stranger", "root.pem", NULL, "127.0.0.1", "name-mismatch", "'stranger'" },
        { "stranger", "root.pem", NULL, "localhost", "name-mismatch", "'stranger'" },
        { "expired", "root.pem", NULL, "127.0.0.1", "expired", "'expired'" },
        { "early", "root.pem", NULL, "127.0.0.1", "not-yet-valid", "'early'" },
        /* pins alone: of the leaf, of what signed it, of the root */
        { "good", NULL, "good", "127.0.0.1", NULL, NULL },
        { "good", NULL, "inter", "localhost", NULL, NULL },
        { "good", NULL, "root", "127.0.0.1", NULL, NULL },
        { "self", NULL, "self", "127.0.0.1", NULL, NULL },
        { "good", NULL, "other-root", "127.0.0.1", "pin-mismatch", "sha256//" },
        { "forged", NULL, "root", "127.0.0.1", "untrusted",
          "'good'" }, /* shows the pinned key, isn't signed by it */
        { "stranger", NULL, "root", "127.0.0.1", "name-mismatch", "'stranger'" },
        { "stranger", NULL, "good", "127.0.0.1", "name-mismatch", "'stranger'" },
        { "expired", NULL, "root", "127.0.0.1", "expired", "'expired'" },
        { "expired", NULL, "good", "127.0.0.1", "expired", "'expired'" },
        { "early", NULL, "root", "127.0.0.1", "not-yet-valid", "'early'" },
        /* both must hold */
        { "good", "root.pem", "inter", "127.0.0.1", NULL, NULL },
        { "good", "root.pem", "root", "127.0.0.1", NULL, NULL },
        { "good", "root.pem", "other-root", "127.0.0.1", "pin-mismatch", "sha256//" },
        { "good", "other-root.pem", "good", "127.0.0.1", "untrusted", "'bench root'" },
        { "forged", "other-root.pem", "root", "127.0.0.1", "pin-mismatch",
          "sha256//" }, /* root is shown, not used */
        { "expired", "root.pem", "root", "127.0.0.1", "expired", "'expired'" },
        /* neither: the system's CAs, which never heard of us */
        { "good", NULL, NULL, "127.0.0.1", "untrusted", "" },
};

static void check_case(size_t i) {
        _cleanup_(trust_freep) Trust *trust = NULL;
        _cleanup_(secret_freep) Secret *secret = NULL;
        _cleanup_fetched_ Fetched f = { 0 };
        _cleanup_free_ char *log = NULL;
        char *pins[] = { cases[i].pin ? strdup(bench_pin(cases[i].pin)) : NULL, NULL };
        char url[64];
        Observation refusal;

        assert_int_equal(trust_new(cases[i].ca ? bench_path(cases[i].ca) : NULL, pins, &trust, &refusal), 0);
        assert_int_equal(secret_new(SECRET, sizeof(SECRET) - 1, &secret), 0);
        Peer peer = peer_start(cases[i].leaf, "[{\"body\": \"{}\"}]");
        (void) snprintf(url, sizeof(url), "https://%s:%u/x", cases[i].host, peer.port);
        HttpRequest request = {
                .method = "GET", .url = url, .trust = trust, .auth_scheme = "ApiKey", .auth = secret
        };
        assert_int_equal(fetch(&request, &f), 0);
        log = peer_stop(&peer);

        if (cases[i].code) {
                assert_int_equal(f.failure.origin, ORIGIN_TLS);
                assert_string_equal(f.failure.code, cases[i].code);
                assert_string_equal(f.failure.where, url);
                assert_non_null(strstr(f.failure.detail, cases[i].says));
                assert_false(f.reply.request_sent);
                assert_int_equal(f.reply.status, 0);
                assert_string_equal(log, "");
        } else {
                assert_int_equal(f.failure.origin, ORIGIN_NONE);
                assert_int_equal(f.reply.status, 200);
                assert_non_null(strstr(log, "Authorization: ApiKey " SECRET "\r\n"));
        }
        free(pins[0]);
}

static void test_handshakes(void **state) {
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                check_case(i);
}

/* On one Http, as the agent has it: whom one request trusts is nothing to the next, in whichever order they come. */
static void test_trusts_are_apart(void **state) {
        static const struct {
                const char *ca;
                bool trusted;
        } turns[] = { { "other-root.pem", false }, { "root.pem", true }, { "other-root.pem", false }, { "inter.pem", true } };
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(http_freep) Http *http = NULL;

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(http_new(event, &http), 0);
        for (size_t i = 0; i < ELEMENTS(turns); i++) {
                _cleanup_(trust_freep) Trust *trust = NULL;
                _cleanup_fetched_ Fetched f = { 0 };
                Observation refusal;
                char url[64];

                assert_int_equal(trust_new(bench_path(turns[i].ca), NULL, &trust, &refusal), 0);
                Peer peer = peer_start("good", "[{\"body\": \"{}\"}]");
                (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", peer.port);
                assert_int_equal(fetch_by(event, http, &(HttpRequest) { .method = "GET", .url = url, .trust = trust }, &f), 0);
                free(peer_stop(&peer));
                assert_string_equal(f.failure.code, turns[i].trusted ? "" : "untrusted");
                assert_int_equal(f.reply.status, turns[i].trusted ? 200 : 0);
        }
}

static void write_text(const char *path, const char *text) {
        _cleanup_fclose_ FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
}

static void test_refusals(void **state) {
        static const struct {
                const char *name, *content, *says;
        } files[] = {
                { "absent.pem", NULL, "can't be read" },
                { "empty.pem", "", "holds no certificate" },
                { "text.pem", "no certificate here\n", "holds no certificate" },
                { "broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                  "that can't be read" },
        };
        Trust *trust = NULL;
        Observation refusal;

        for (size_t i = 0; i < ELEMENTS(files); i++) {
                const char *path = bench_path(files[i].name);
                if (files[i].content)
                        write_text(path, files[i].content);
                assert_int_equal(trust_new(path, NULL, &trust, &refusal), -EINVAL);
                assert_int_equal(refusal.origin, ORIGIN_SPEC);
                assert_string_equal(refusal.code, "invalid");
                assert_string_equal(refusal.where, path);
                assert_non_null(strstr(refusal.detail, files[i].says));
        }
        char *pins[] = { (char[]) { "sha256//short=" }, NULL };
        assert_int_equal(trust_new(NULL, pins, &trust, &refusal), -EINVAL);
        assert_string_equal(refusal.where, "trust.pins");
        assert_null(trust);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_handshakes),
                cmocka_unit_test(test_trusts_are_apart),
                cmocka_unit_test(test_refusals),
        };

        bench_open();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        bench_close();
        return failed;
}
