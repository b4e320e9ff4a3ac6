/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The questions that take one exchange: the platform's version, a token, the removal of a runner.
 *
 * Each ends in the caller's handler as its very last act, because the handler may free us. Minting
 * is the delicate one: a POST that was sent and whose answer was lost, or can't be read, may have
 * made a token that nobody can revoke. The failure says so (maybe_minted), and who counts mints
 * counts it.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/coordinator-private.h"
#include "coordinator/reply.h"
#include "coordinator/token-request.h"

#define PLATFORM_PATH "/api/v1/platform"

static void platform_done(Coordinator *c, const HttpReply *reply, const json_t *object,
                          const Observation *failure) {
        CoordinatorPlatformHandler handler = c->handler.platform;
        Observation seen = *failure;
        PlatformFacts facts = { .version = "" };
        char where[OBSERVATION_WHERE_SIZE];

        if (observation_is_none(failure) && !reply_read_platform(object, facts.version)) {
                exchange_where(c, &c->exchange, where);
                seen = observe(ORIGIN_REPLY, reply->status, "wrong-type", where,
                               "the platform's version is missing or not of the form N.N.N");
        }
        handler(question_end(c), observation_is_none(&seen) ? &facts : NULL, &seen);
}

static int ask_platform(Coordinator *c, bool in_haste, CoordinatorPlatformHandler handler, void *userdata) {
        int r = question_begin(c, userdata);

        if (r < 0)
                return r;
        c->in_haste = in_haste;
        c->handler.platform = handler;
        r = exchange_begin(c, "GET", PLATFORM_PATH, NULL, platform_done);
        if (r < 0)
                (void) question_end(c);
        return r;
}

int coordinator_ask_platform(Coordinator *c, CoordinatorPlatformHandler handler, void *userdata) {
        return ask_platform(c, false, handler, userdata);
}

int coordinator_ask_platform_in_haste(Coordinator *c, CoordinatorPlatformHandler handler, void *userdata) {
        return ask_platform(c, true, handler, userdata);
}

/* May a token exist although we don't hold it? An answer in ECE's own words is a refusal; anything
 * else after sending is doubt. */
static bool mint_is_in_doubt(const HttpReply *reply, const Observation *seen) {
        if (!reply || !reply->request_sent)
                return false;
        if (seen->origin == ORIGIN_HTTP)
                return reply->status >= 500;
        if (seen->origin == ORIGIN_REPLY)
                return strcmp(seen->code, "redirect") != 0;
        return seen->origin == ORIGIN_CURL || seen->origin == ORIGIN_TLS || seen->origin == ORIGIN_TOKEN;
}

/* From the reply's object to a Token that keeps its promises. 0 or negative errno. */
static int mint_accept(const Coordinator *c, const HttpReply *reply, const json_t *object, Token **ret,
                       Observation *refusal) {
        const char *jwt = json_member_string(object, "token"), *id = json_member_string(object, "token_id");
        TokenRequest request = {
                .roles = c->mint.roles,
                .validity_us = c->mint.validity_us,
                .persistent = c->mint.persistent,
                .sent_us = reply->sent_us,
                .has_server_time = reply->has_date,
                .server_time_s = reply->date_s,
        };
        Secret *secret = NULL;

        if (!jwt || !*jwt) {
                *refusal = observe(ORIGIN_TOKEN, reply->status, "absent", "", "the reply has no token");
                return 0;
        }
        int r = secret_new(jwt, strlen(jwt), &secret);
        if (r == -EINVAL) {
                *refusal = observe(ORIGIN_TOKEN, reply->status, "malformed", "",
                                   "the token is too long to be one");
                return 0;
        }
        return r < 0 ? r : token_accept(secret, id, &request, ret, refusal);
}

static void mint_done(Coordinator *c, const HttpReply *reply, const json_t *object,
                      const Observation *failure) {
        CoordinatorMintHandler handler = c->handler.mint;
        Observation seen = *failure;
        Token *token = NULL;

        if (observation_is_none(failure)) {
                int r = mint_accept(c, reply, object, &token, &seen);
                if (r < 0)
                        seen = observe(ORIGIN_AGENT, -r, "internal", "", "the token can't be kept: %s",
                                       strerror(-r));
                if (!observation_is_none(&seen))
                        exchange_where(c, &c->exchange, seen.where);
        }
        seen.maybe_minted = mint_is_in_doubt(reply, &seen);
        handler(question_end(c), token, &seen);
}

int coordinator_mint(Coordinator *c, const TokenWish *wish, CoordinatorMintHandler handler, void *userdata) {
        _cleanup_buffer_ Buffer body = BUFFER_INIT(REQUEST_BODY_MAX);

        int r = question_begin(c, userdata);
        if (r < 0)
                return r;
        c->handler.mint = handler;
        c->mint = *wish;
        r = token_request_body(wish->roles, wish->validity_us, wish->persistent, &body);
        if (r >= 0)
                r = exchange_begin(c, "POST", TOKEN_REQUEST_PATH, &body, mint_done);
        if (r < 0)
                (void) question_end(c);
        return r;
}

/* A runner that is not there any more is what was asked for. */
static void delete_done(Coordinator *c, const HttpReply *reply, const json_t *object,
                        const Observation *failure) {
        bool absent = observation_is_absence(failure, "runners.runner_not_found");

        question_finish(c, absent ? &OBSERVATION_NONE : failure);
}

int coordinator_delete_runner(Coordinator *c, const char *runner_id, CoordinatorDoneHandler handler,
                              void *userdata) {
        char path[PATH_SIZE];

        int r = question_begin(c, userdata);
        if (r < 0)
                return r;
        c->handler.done = handler;
        (void) snprintf(path, sizeof(path), API_RUNNERS "%s", runner_id);
        r = exchange_begin(c, "DELETE", path, NULL, delete_done);
        if (r < 0)
                (void) question_end(c);
        return r;
}
