/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A token is taken in: its claims against what was asked for, its life on our own clock.
 *
 * Two mistakes are to be made impossible. A token that lacks a role lets the installer succeed and
 * the role stay unassigned, so a missing role ends the matter here; one that carries more is usable
 * but breaks the promise of least privilege, so it is recorded. And a life that is believed to be
 * longer than it is spends an attempt on a token that dies under it, so of all the bounds that we
 * know the nearest one counts, measured from before the request was sent, on a clock that nobody
 * sets.
 *
 * A pre-minted token comes from somebody who may have had reasons: without `exp`, or marked
 * persistent, it is taken as it is. One that we minted as ephemeral is refused in that form, since
 * nothing would end it.
 *
 * What fails: memory. What the token says or lacks is a refusal, a value.
 */

#include "model/token.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/allow-list.h"

/* No installation is done in less: such a token is spent before it is used. */
#define TOKEN_LIFE_MIN_US (60 * USEC_PER_SEC)

/* Sooner or later all arithmetic on a platform's `exp` has to end: ten years are as good as for
 * ever. */
#define TOKEN_LIFE_MAX_S (INT64_C(10) * 366 * 24 * 3600)

Token *token_free(Token *token) {
        if (token) {
                (void) secret_free(token->secret);
                free(token);
        }
        return NULL;
}

static Observation refuse_malformed(const char *why) {
        return observe(ORIGIN_TOKEN, 0, "malformed", NULL, "the token %s", why);
}

/* What reaches the installer has the form of a token to the last byte, or does not reach it. */
static int decode(const Secret *secret, TokenClaims *ret, Observation *refusal) {
        const char *bytes = secret_bytes(secret);
        size_t size = secret_size(secret);
        char why[ALLOW_LIST_WHY_SIZE];
        int r;

        if (strlen(bytes) != size) {
                *refusal = refuse_malformed("holds a NUL byte");
                return 0;
        }
        if (allow_list_check(VALUE_TOKEN, bytes, why) < 0) {
                *refusal = refuse_malformed(why);
                return 0;
        }
        r = token_claims_decode(bytes, size, ret);
        if (r != -EBADMSG)
                return r;
        *refusal = refuse_malformed("does not decode to a header and claims");
        return 0;
}

/* Nobody revokes an ephemeral token; one that never ends must not come out of asking for an
 * ephemeral one. */
static Observation check_kind(const TokenClaims *claims, const char *token_id,
                              const TokenRequest *request) {
        if (request->pre_minted || request->persistent)
                return OBSERVATION_NONE;
        if (claims->persistent)
                return observe(ORIGIN_TOKEN, 0, "persistent", NULL,
                               "asked for an ephemeral token, got one that is marked persistent");
        if (token_id && *token_id)
                return observe(ORIGIN_TOKEN, 0, "persistent", NULL,
                               "asked for an ephemeral token, got a stored one with id %s",
                               token_id);
        if (!claims->has_exp)
                return observe(ORIGIN_TOKEN, 0, "no-expiry", NULL, "the token carries no 'exp'");
        return OBSERVATION_NONE;
}

static Observation check_roles(const TokenClaims *claims, const TokenRequest *request) {
        RoleSet missing = request->roles & (RoleSet) ~claims->roles;
        char lacks[ROLE_SET_STRING_SIZE], carries[ROLE_SET_STRING_SIZE];

        if (missing == 0 || (request->roles_later && claims->roles == 0))
                return OBSERVATION_NONE;
        (void) role_set_format(missing, ",", lacks);
        (void) role_set_format(claims->roles, ",", carries);
        return observe(ORIGIN_TOKEN, 0, "role-missing", NULL, "the token lacks %s; it carries %s",
                       lacks, claims->roles == 0 ? "no role" : carries);
}

/* exp minus the server's time in seconds, within +-TOKEN_LIFE_MAX_S. */
static int64_t promised_life_s(const TokenClaims *claims, const TokenRequest *request) {
        int64_t life;

        if (__builtin_sub_overflow(claims->exp_s, request->server_time_s, &life))
                life = claims->exp_s > 0 ? TOKEN_LIFE_MAX_S : -TOKEN_LIFE_MAX_S;
        if (life > TOKEN_LIFE_MAX_S)
                return TOKEN_LIFE_MAX_S;
        return life < -TOKEN_LIFE_MAX_S ? -TOKEN_LIFE_MAX_S : life;
}

/* One that we were given is nobody's fault of now, and no other will come of itself. */
static Observation observe_expired(const TokenRequest *request, int64_t ago_s) {
        char ago[DURATION_SIZE];

        return observe(ORIGIN_TOKEN, 0, request->pre_minted ? "given-expired" : "expired", NULL,
                       "by the platform's clock it ended %s ago",
                       duration_format((usec_t) ago_s * USEC_PER_SEC, ago));
}

/*
 * The life counted from sent_us. Without `exp` it is endless (check_kind() let only those pass that
 * may be so). Without a Date the asked validity stands in for it, for a pre-minted token too: a
 * guess, but a bounded one, and a window that proves too long ends in the installer's refusal and a
 * new look.
 */
static usec_t token_life(const TokenClaims *claims, const TokenRequest *request,
                         Observation *refusal) {
        usec_t life_us;
        int64_t life_s;

        if (!claims->has_exp)
                return USEC_INFINITY;
        if (!request->has_server_time)
                return request->validity_us;

        life_s = promised_life_s(claims, request);
        if (life_s <= 0) {
                *refusal = observe_expired(request, -life_s);
                return 0;
        }
        life_us = (usec_t) life_s * USEC_PER_SEC;
        if (!request->pre_minted && !request->persistent && life_us > request->validity_us)
                life_us = request->validity_us;
        return life_us;
}

static Observation check_life(usec_t life_us) {
        char text[DURATION_SIZE];

        if (life_us >= TOKEN_LIFE_MIN_US)
                return OBSERVATION_NONE;
        return observe(ORIGIN_TOKEN, 0, "short-lived", NULL, "the token lives only %s",
                       duration_format(life_us, text));
}

/* All that can be said against the token, the heaviest first. */
static int judge(const Secret *secret, const char *token_id, const TokenRequest *request,
                 TokenClaims *ret_claims, usec_t *ret_life_us, Observation *refusal) {
        int r = decode(secret, ret_claims, refusal);

        if (r < 0 || !observation_is_none(refusal))
                return r;
        *refusal = check_kind(ret_claims, token_id, request);
        if (observation_is_none(refusal))
                *refusal = check_roles(ret_claims, request);
        if (observation_is_none(refusal))
                *ret_life_us = token_life(ret_claims, request, refusal);
        if (observation_is_none(refusal))
                *refusal = check_life(*ret_life_us);
        return 0;
}

int token_accept(Secret *secret, const char *token_id, const TokenRequest *request, Token **ret,
                 Observation *refusal) {
        _cleanup_(secret_freep) Secret *owned = secret;
        _cleanup_(token_freep) Token *token = NULL;
        Observation against = OBSERVATION_NONE;
        TokenClaims claims = { 0 };
        usec_t life_us = 0;
        int r;

        assert(secret);
        r = judge(owned, token_id, request, &claims, &life_us, &against);
        if (r < 0)
                return r;
        if (!observation_is_none(&against)) {
                *ret = NULL;
                *refusal = against;
                return 0;
        }

        token = calloc(1, sizeof(*token));
        if (!token)
                return -ENOMEM;
        token->secret = TAKE_PTR(owned);
        token->claims = claims;
        token->minted_us = request->sent_us;
        token->deadline_us = usec_add(request->sent_us, life_us);
        token->extra_roles = claims.roles & (RoleSet) ~request->roles;
        (void) text_copy_printable(token->token_id, sizeof(token->token_id),
                                   token_id ? token_id : "");
        *ret = TAKE_PTR(token);
        *refusal = OBSERVATION_NONE;
        return 0;
}

usec_t token_remaining_us(const Token *token, usec_t now_us) {
        if (token->deadline_us == USEC_INFINITY)
                return USEC_INFINITY;
        return usec_sub(token->deadline_us, now_us);
}
