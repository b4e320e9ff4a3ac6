/* SPDX-License-Identifier: Apache-2.0 */

/* A token from the network or an operator's file: any bytes, taken in whole by token_accept().
 * Whatever passes has to be what the installer's allow-list lets through, with a life within
 * what was asked. */

#include <stdint.h>
#include <stdlib.h>

#include "model/allow-list.h"
#include "model/token.h"

#define NOW_S 1700000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const Token *token, const TokenRequest *request) {
        if (allow_list_check(VALUE_TOKEN, secret_bytes(token->secret), NULL) < 0)
                abort();
        if ((request->roles & ~token->claims.roles) != 0 ||
            (request->roles & token->extra_roles) != 0)
                abort();
        if (!request->pre_minted &&
            token_remaining_us(token, request->sent_us) > request->validity_us)
                abort();
        if (token_remaining_us(token, request->sent_us) < 60 * USEC_PER_SEC)
                abort();
}

static void accept(const uint8_t *data, size_t size, const TokenRequest *request) {
        _cleanup_(token_freep) Token *token = NULL;
        Observation refusal = OBSERVATION_NONE;
        Secret *secret = NULL;

        if (secret_new(data, size, &secret) < 0)
                return;
        if (token_accept(secret, NULL, request, &token, &refusal) < 0)
                return;
        if ((token != NULL) != observation_is_none(&refusal))
                abort();
        if (token)
                check(token, request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        TokenRequest request = {
                .roles = role_bit(ROLE_ALLOCATOR),
                .validity_us = USEC_PER_HOUR,
                .sent_us = USEC_PER_MINUTE,
                .has_server_time = true,
                .server_time_s = NOW_S,
        };
        TokenClaims claims;

        (void) token_claims_decode((const char *) data, size, &claims);
        accept(data, size, &request);
        request.pre_minted = true;
        accept(data, size, &request);
        request = (TokenRequest) { .validity_us = USEC_PER_HOUR, .sent_us = USEC_PER_MINUTE };
        accept(data, size, &request);
        return 0;
}
