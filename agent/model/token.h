/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Token: an ECE roles token (JWT, HS256) with what its claims promise.
 *
 * We hold no key, so the signature can't be checked; the claims are held against what was asked for.
 * The deadline is on CLOCK_BOOTTIME and is only ever shortened: the time before the request was sent, plus
 * the smaller of the asked validity and `exp` minus the same reply's Date header. The host's wall
 * clock takes no part (ECE facts: exp is the platform's time).
 */

#include "base/secret.h"
#include "model/outcome.h"
#include "model/role.h"

typedef struct TokenClaims {
        RoleSet roles;
        bool roles_present;
        unsigned foreign_roles; /* role strings that are none of ours */
        bool has_exp;
        int64_t exp_s; /* platform time */
        bool persistent;
        char subject[64]; /* "sub", printable; an identifier, no secret */
        char issuer[64];
} TokenClaims;

/* Decodes header and payload of a JWT. 0; -EBADMSG for anything that is not three base64url parts with JSON
 * objects in the first two; -ENOMEM. Never looks at more than SECRET_SIZE_MAX bytes. */
int token_claims_decode(const char *jwt, size_t n, TokenClaims *ret);

typedef struct Token {
        Secret *secret;
        TokenClaims claims;
        usec_t minted_us;   /* boottime before the request went out */
        usec_t deadline_us; /* boottime; USEC_INFINITY for a persistent token */
        RoleSet extra_roles; /* more than was asked for: reported, a broken promise of least privilege */
        char token_id[64];  /* persistent ones; "" otherwise */
} Token;

Token *token_free(Token *token);
static inline void token_freep(Token **slot) {
        (void) token_free(*slot);
}

typedef struct TokenRequest {
        RoleSet roles;
        usec_t validity_us;
        bool persistent;
        bool pre_minted;         /* not minted by us: validity_us is not a promise of anybody */
        bool roles_later;        /* a role-less one will do: the roles are set after the join */
        usec_t sent_us;          /* boottime before the request was sent */
        bool has_server_time;
        int64_t server_time_s;   /* Date of the reply */
} TokenRequest;

/* Takes the secret over (also on refusal, then it is freed). 0 with *ret; 0 with *ret NULL and refusal
 * (ORIGIN_TOKEN); -ENOMEM. Without a usable Date the asked validity is the life. A life longer than asked is cut to what was asked;
 * a life below 60 s or an exp in the server's past is refused. */
int token_accept(Secret *secret, const char *token_id, const TokenRequest *request, Token **ret,
                 Observation *refusal);

usec_t token_remaining_us(const Token *token, usec_t now_us);
