/* SPDX-License-Identifier: Apache-2.0 */

/* Tokens: what decodes, what is believed, how long it lives. Every row is a token that a
 * platform, or something that pretends to be one, could send. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/token.h"

#define NOW_S 1700000000
#define SENT_US (50 * USEC_PER_SEC)
#define HEADER "{\"typ\":\"JWT\",\"alg\":\"HS256\"}"
#define SIGNATURE "c2lnbmF0dXJl"
#define JWT_SIZE 8192

#define ALLOCATOR (1U << ROLE_ALLOCATOR)
#define COORDINATOR (1U << ROLE_COORDINATOR)
#define PROXY (1U << ROLE_PROXY)

static size_t encode(const char *text, char *out) {
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        unsigned bits = 0, n_bits = 0;
        size_t n = 0;

        for (; *text; text++) {
                bits = (bits << 8) | (unsigned char) *text;
                for (n_bits += 8; n_bits >= 6; n_bits -= 6)
                        out[n++] = digits[(bits >> (n_bits - 6)) & 63];
        }
        if (n_bits > 0)
                out[n++] = digits[(bits << (6 - n_bits)) & 63];
        out[n] = '\0';
        return n;
}

static const char *make_jwt(const char *header, const char *payload, char out[static JWT_SIZE]) {
        size_t n = encode(header, out);

        out[n++] = '.';
        n += encode(payload, out + n);
        (void) snprintf(out + n, JWT_SIZE - n, "." SIGNATURE);
        return out;
}

/* --- Decoding ---------------------------------------------------------------------------------- */

static void test_decodes_an_ephemeral_token(void **state) {
        char jwt[JWT_SIZE];
        TokenClaims claims;

        make_jwt(HEADER,
                 "{\"sub\":\"46977b7d-a3e6-4605-b70d-1723129af8e4\",\"roles\":[\"proxy\","
                 "\"allocator\"],"
                 "\"iss\":\"bootstrap-initial\",\"exp\":1493646213}",
                 jwt);
        assert_int_equal(token_claims_decode(jwt, strlen(jwt), &claims), 0);
        assert_int_equal(claims.roles, ALLOCATOR | PROXY);
        assert_true(claims.roles_present);
        assert_int_equal(claims.foreign_roles, 0);
        assert_true(claims.has_exp);
        assert_int_equal(claims.exp_s, 1493646213);
        assert_false(claims.persistent);
        assert_string_equal(claims.subject, "46977b7d-a3e6-4605-b70d-1723129af8e4");
        assert_string_equal(claims.issuer, "bootstrap-initial");
}

static const struct {
        const char *payload;
        TokenClaims claims;
} readings[] = {
        { "{}", { 0 } },
        { "{\"roles\":[]}", { .roles_present = true } },
        { "{\"roles\":null}", { 0 } },
        { "{\"roles\":\"allocator\"}", { 0 } },
        { "{\"roles\":{\"allocator\":true}}", { 0 } },
        { "{\"roles\":[\"allocator\",\"allocator\"]}", { .roles_present = true, .roles = ALLOCATOR } },
        { "{\"roles\":[\"Allocator\",\"constructor\",7,null]}", { .roles_present = true, .foreign_roles = 4 } },
        { "{\"exp\":0}", { .has_exp = true } },
        { "{\"exp\":-5}", { .has_exp = true, .exp_s = -5 } },
        { "{\"exp\":12.75}", { .has_exp = true, .exp_s = 12 } },
        { "{\"exp\":1e300}", { 0 } },
        { "{\"exp\":\"1493646213\"}", { 0 } },
        { "{\"exp\":null}", { 0 } },
        { "{\"exp\":9223372036854775807}", { .has_exp = true, .exp_s = INT64_MAX } },
        { "{\"persistent\":true}", { .persistent = true } },
        { "{\"persistent\":\"true\"}", { 0 } },
        { "{\"sub\":\"a\\nb\\u001b[m\",\"iss\":7}", { .subject = "a?b?[m" } },
};

static void test_reads_claims(void **state) {
        for (size_t i = 0; i < ELEMENTS(readings); i++) {
                const TokenClaims *wanted = &readings[i].claims;
                char jwt[JWT_SIZE];
                TokenClaims got;

                make_jwt(HEADER, readings[i].payload, jwt);
                print_message("# %s\n", readings[i].payload);
                assert_int_equal(token_claims_decode(jwt, strlen(jwt), &got), 0);
                assert_int_equal(got.roles, wanted->roles);
                assert_int_equal(got.roles_present, wanted->roles_present);
                assert_int_equal(got.foreign_roles, wanted->foreign_roles);
                assert_int_equal(got.has_exp, wanted->has_exp);
                assert_true(got.exp_s == wanted->exp_s);
                assert_int_equal(got.persistent, wanted->persistent);
                assert_string_equal(got.subject, wanted->subject);
                assert_string_equal(got.issuer, wanted->issuer);
        }
}

static const char *const no_tokens[] = {
        "",
        ".",
        "..",
        "a.b",
        "e30.e30",             /* two parts */
        "e30.e30.",            /* no signature */
        ".e30.c2ln",
        "e30..c2ln",
        "e30.e30.c2ln.c2ln",   /* four */
        "e30.e30.c2ln.",
        "e30=.e30=.c2ln",      /* padding is not base64url's */
        "e30.e30.c2 ln",
        "e30.e30.c2ln\n",
        "e30.e30.c2+n",
        "e30.e30.c2/n",
        "e31.e30.c2ln",        /* stray bits: a second spelling of the same bytes */
        "e30.e.c2ln",          /* a digit that encodes nothing */
        "e30.e30gA.c2ln",      /* the same, of zeros, behind a blank */
        "e30.W10.c2ln",        /* [] */
        "W10.e30.c2ln",
        "e30.bnVsbA.c2ln",     /* null */
        "e30.MQ.c2ln",         /* 1 */
        "e30.e30A.c2ln",       /* {} and a NUL byte */
        "e30.eyJhIjoxLCJhIjoyfQ.c2ln", /* {"a":1,"a":2} */
        "ece-enroll.placeholder.not-a-token",
};

static void test_refuses_what_is_no_token(void **state) {
        for (size_t i = 0; i < ELEMENTS(no_tokens); i++) {
                TokenClaims claims = { .exp_s = 42 };

                print_message("# %zu\n", i);
                assert_int_equal(token_claims_decode(no_tokens[i], strlen(no_tokens[i]), &claims),
                                 -EBADMSG);
                assert_int_equal(claims.exp_s, 42); /* untouched */
        }
        assert_int_equal(token_claims_decode("e30.e30.c2ln", 12, &(TokenClaims) { 0 }), 0);
}

static void test_reads_no_further_than_told(void **state) {
        static char huge[SECRET_SIZE_MAX + 16];
        TokenClaims claims;

        assert_int_equal(token_claims_decode("e30.e30.c2ln!", 12, &claims), 0);
        (void) memset(huge, 'A', sizeof(huge));
        (void) memcpy(huge, "e30.e30.", 8);
        assert_int_equal(token_claims_decode(huge, SECRET_SIZE_MAX, &claims), 0);
        assert_int_equal(token_claims_decode(huge, SECRET_SIZE_MAX + 1, &claims), -EBADMSG);
}

/* --- Accepting --------------------------------------------------------------------------------- */

#define DATE .has_server_time = true, .server_time_s = NOW_S
#define ASKED .roles = ALLOCATOR, .validity_us = USEC_PER_HOUR, .sent_us = SENT_US

static const struct Case {
        const char *name;
        const char *payload; /* "%d": NOW_S + exp_in_s */
        int exp_in_s;
        const char *token_id;
        TokenRequest request;
        const char *refused; /* code, or NULL */
        usec_t life_us;
        RoleSet extra;
} cases[] = {
        { "as asked", "{\"roles\":[\"allocator\"],\"exp\":%d}", 3600, NULL,
          { ASKED, DATE }, NULL, USEC_PER_HOUR, 0 },
        { "exp is sooner", "{\"roles\":[\"allocator\"],\"exp\":%d}", 1800, NULL,
          { ASKED, DATE }, NULL, 30 * USEC_PER_MINUTE, 0 },
        { "exp is later", "{\"roles\":[\"allocator\"],\"exp\":%d}", 86400, NULL,
          { ASKED, DATE }, NULL, USEC_PER_HOUR, 0 },
        { "no Date", "{\"roles\":[\"allocator\"],\"exp\":%d}", 10, NULL,
          { ASKED }, NULL, USEC_PER_HOUR, 0 },
        { "Date of another age", "{\"roles\":[\"allocator\"],\"exp\":%d}", 3600, NULL,
          { ASKED, .has_server_time = true, .server_time_s = 0 }, NULL, USEC_PER_HOUR, 0 },
        { "extra role", "{\"roles\":[\"proxy\",\"allocator\"],\"exp\":%d}", 3600, NULL,
          { ASKED, DATE }, NULL, USEC_PER_HOUR, PROXY },
        { "role missing", "{\"roles\":[\"proxy\"],\"exp\":%d}", 3600, NULL,
          { ASKED, DATE }, "role-missing", 0, 0 },
        { "no roles member", "{\"exp\":%d}", 3600, NULL, { ASKED, DATE }, "role-missing", 0, 0 },
        { "one of two missing", "{\"roles\":[\"allocator\"],\"exp\":%d}", 3600, NULL,
          { .roles = ALLOCATOR | COORDINATOR, .validity_us = USEC_PER_HOUR, DATE }, "role-missing", 0, 0 },
        { "no role asked", "{\"exp\":%d}", 3600, NULL,
          { .validity_us = USEC_PER_HOUR, .sent_us = SENT_US, DATE }, NULL, USEC_PER_HOUR, 0 },
        { "exactly a minute", "{\"roles\":[\"allocator\"],\"exp\":%d}", 60, NULL,
          { ASKED, DATE }, NULL, USEC_PER_MINUTE, 0 },
        { "less than a minute", "{\"roles\":[\"allocator\"],\"exp\":%d}", 59, NULL,
          { ASKED, DATE }, "short-lived", 0, 0 },
        { "asked less than a minute", "{\"roles\":[\"allocator\"],\"exp\":%d}", 3600, NULL,
          { .roles = ALLOCATOR, .validity_us = 30 * USEC_PER_SEC, DATE }, "short-lived", 0, 0 },
        { "ends now", "{\"roles\":[\"allocator\"],\"exp\":%d}", 0, NULL, { ASKED, DATE }, "expired", 0, 0 },
        { "ended", "{\"roles\":[\"allocator\"],\"exp\":%d}", -1, NULL, { ASKED, DATE }, "expired", 0, 0 },
        { "exp is negative", "{\"roles\":[\"allocator\"],\"exp\":-9223372036854775807}", 0, NULL,
          { ASKED, DATE }, "expired", 0, 0 },
        { "exp is for ever", "{\"roles\":[\"allocator\"],\"exp\":9223372036854775807}", 0, NULL,
          { ASKED, .has_server_time = true, .server_time_s = -NOW_S }, NULL, USEC_PER_HOUR, 0 },
        { "no exp", "{\"roles\":[\"allocator\"]}", 0, NULL, { ASKED, DATE }, "no-expiry", 0, 0 },
        { "exp is a string", "{\"roles\":[\"allocator\"],\"exp\":\"%d\"}", 3600, NULL,
          { ASKED, DATE }, "no-expiry", 0, 0 },
        { "marked persistent", "{\"roles\":[\"allocator\"],\"exp\":%d,\"persistent\":true}", 3600, NULL,
          { ASKED, DATE }, "persistent", 0, 0 },
        { "has an id", "{\"roles\":[\"allocator\"],\"exp\":%d}", 3600, "4c8990df", { ASKED, DATE }, "persistent", 0, 0 },
        { "id is empty", "{\"roles\":[\"allocator\"],\"exp\":%d}", 3600, "", { ASKED, DATE }, NULL, USEC_PER_HOUR, 0 },
        { "persistent as asked", "{\"roles\":[\"allocator\"],\"persistent\":true}", 0, "4c8990df",
          { ASKED, DATE, .persistent = true }, NULL, USEC_INFINITY, 0 },
        { "persistent, old platform", "{\"roles\":[\"allocator\"]}", 0, "4c8990df",
          { ASKED, .persistent = true }, NULL, USEC_INFINITY, 0 },
        { "pre-minted, persistent", "{\"roles\":[\"allocator\"],\"persistent\":true}", 0, NULL,
          { ASKED, DATE, .pre_minted = true }, NULL, USEC_INFINITY, 0 },
        { "pre-minted, a day", "{\"roles\":[\"allocator\"],\"exp\":%d}", 86400, NULL,
          { ASKED, DATE, .pre_minted = true }, NULL, 24 * USEC_PER_HOUR, 0 },
        { "pre-minted, no Date", "{\"roles\":[\"allocator\"],\"exp\":%d}", 86400, NULL,
          { ASKED, .pre_minted = true }, NULL, USEC_PER_HOUR, 0 },
        { "pre-minted, ended", "{\"roles\":[\"allocator\"],\"exp\":%d}", -1, NULL,
          { ASKED, DATE, .pre_minted = true }, "given-expired", 0, 0 },
        { "pre-minted, role missing", "{\"roles\":[],\"persistent\":true}", 0, NULL,
          { ASKED, DATE, .pre_minted = true }, "role-missing", 0, 0 },
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static Secret *secret_of_case(const struct Case *c) {
        char payload[512], jwt[JWT_SIZE];
        Secret *secret = NULL;

        (void) snprintf(payload, sizeof(payload), c->payload, NOW_S + c->exp_in_s);
        make_jwt(HEADER, payload, jwt);
        assert_int_equal(secret_new(jwt, strlen(jwt), &secret), 0);
        return secret;
}
#pragma GCC diagnostic pop

static void test_accepts_and_refuses(void **state) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_(token_freep) Token *token = NULL;
                Observation refusal = OBSERVATION_NONE;

                print_message("# %s\n", cases[i].name);
                assert_int_equal(token_accept(secret_of_case(&cases[i]), cases[i].token_id,
                                              &cases[i].request, &token, &refusal),
                                 0);
                if (cases[i].refused) {
                        assert_null(token);
                        assert_int_equal(refusal.origin, ORIGIN_TOKEN);
                        assert_string_equal(refusal.code, cases[i].refused);
                        assert_null(strstr(refusal.detail, SIGNATURE));
                        continue;
                }
                assert_non_null(token);
                assert_true(observation_is_none(&refusal));
                assert_int_equal(token->minted_us, cases[i].request.sent_us);
                assert_true(token->deadline_us ==
                            usec_add(cases[i].request.sent_us, cases[i].life_us));
                assert_int_equal(token->extra_roles, cases[i].extra);
        }
}

/* What the installer would evaluate is no token, however well a platform vouches for it. */
static void test_refuses_what_the_installer_would_evaluate(void **state) {
        static const char *const hostile[] = {
                "e30.e30.c2ln'$(id)'",
                "e30.e30.c2ln c2ln",
                "e30.e30.c2ln\n",
                "-e30.e30.c2ln",
                "e30.e30.*",
                "e30",
                "<html>",
                "e30.e30.c2ln\001",
        };

        for (size_t i = 0; i < ELEMENTS(hostile); i++) {
                const TokenRequest request = { .validity_us = USEC_PER_HOUR };
                Observation refusal = OBSERVATION_NONE;
                Secret *secret = NULL;
                Token *token = NULL;

                assert_int_equal(secret_new(hostile[i], strlen(hostile[i]), &secret), 0);
                assert_int_equal(token_accept(secret, NULL, &request, &token, &refusal), 0);
                assert_null(token);
                assert_string_equal(refusal.code, "malformed");
                assert_null(strstr(refusal.detail, "c2ln"));
        }
}

static void test_refuses_a_nul_byte(void **state) {
        static const char bytes[] = "e30.e30.c2ln\0';id;'";
        const TokenRequest request = { .validity_us = USEC_PER_HOUR };
        Observation refusal = OBSERVATION_NONE;
        Secret *secret = NULL;
        Token *token = NULL;

        assert_int_equal(secret_new(bytes, sizeof(bytes) - 1, &secret), 0);
        assert_int_equal(token_accept(secret, NULL, &request, &token, &refusal), 0);
        assert_null(token);
        assert_string_equal(refusal.code, "malformed");
}

static void test_keeps_the_secret(void **state) {
        _cleanup_(token_freep) Token *token = NULL;
        Observation refusal = OBSERVATION_NONE;
        Secret *secret = secret_of_case(&cases[0]);

        assert_int_equal(token_accept(secret, "", &cases[0].request, &token, &refusal), 0);
        assert_ptr_equal(token->secret, secret);
        assert_string_equal(token->token_id, "");
        assert_int_equal(token->claims.roles, ALLOCATOR);
}

static void test_remaining(void **state) {
        const Token token = { .deadline_us = 100 * USEC_PER_SEC };
        const Token endless = { .deadline_us = USEC_INFINITY };

        assert_int_equal(token_remaining_us(&token, 40 * USEC_PER_SEC), 60 * USEC_PER_SEC);
        assert_int_equal(token_remaining_us(&token, 100 * USEC_PER_SEC), 0);
        assert_int_equal(token_remaining_us(&token, 101 * USEC_PER_SEC), 0);
        assert_true(token_remaining_us(&endless, 101 * USEC_PER_SEC) == USEC_INFINITY);
        assert_null(token_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_decodes_an_ephemeral_token),
                cmocka_unit_test(test_reads_claims),
                cmocka_unit_test(test_refuses_what_is_no_token),
                cmocka_unit_test(test_reads_no_further_than_told),
                cmocka_unit_test(test_accepts_and_refuses),
                cmocka_unit_test(test_refuses_what_the_installer_would_evaluate),
                cmocka_unit_test(test_refuses_a_nul_byte),
                cmocka_unit_test(test_keeps_the_secret),
                cmocka_unit_test(test_remaining),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
