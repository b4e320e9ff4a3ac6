/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Persistent tokens: listed, deleted, and revoked, which is deleted and seen to be gone.
 *
 * Only what is stored can be listed and deleted; an ephemeral token is neither. That a DELETE was answered with 200 proves
 * that somebody answered; so who revokes reads the list afterwards, and a token that still stands in it is a failure
 * that passes ("still-listed"): with several coordinators the list may lag. ECE's "no such token" is what was wanted.
 */

#include <stdio.h>

#include "base/text.h"
#include "coordinator/coordinator-private.h"
#include "coordinator/reply.h"
#include "coordinator/token-request.h"

/* Empty with a failure when the list can't be read. */
static Observation read_listing(Coordinator *c, const HttpReply *reply, const json_t *object, TokenListing *ret) {
        char where[OBSERVATION_WHERE_SIZE];
        int r = reply_read_tokens(object, ret);

        if (r >= 0)
                return OBSERVATION_NONE;
        exchange_where(c, &c->exchange, where);
        token_listing_done(ret);
        if (r == -EBADMSG)
                return observe(ORIGIN_REPLY, reply->status, "wrong-type", where, "this is no list of tokens");
        if (r == -EMSGSIZE)
                return observe(ORIGIN_REPLY, reply->status, "too-large", where, "the list has more than %u tokens",
                               LISTED_TOKENS_MAX);
        return observe(ORIGIN_AGENT, -r, "internal", where, "the list can't be kept: %s", strerror(-r));
}

static int begin(Coordinator *c, const char *method, const char *id, ExchangeDone done) {
        char path[PATH_SIZE];

        (void) snprintf(path, sizeof(path), TOKEN_REQUEST_PATH "%s%s", id ? "/" : "", id ?: "");
        return exchange_begin(c, method, path, NULL, done);
}

static int ask(Coordinator *c, void *userdata, const char *method, const char *id, ExchangeDone done) {
        if (id && !token_id_is_sound(id))
                return -EINVAL;
        int r = question_begin(c, userdata);
        if (r < 0)
                return r;
        text_copy_printable(c->revoked_id, sizeof(c->revoked_id), id ?: "");
        r = begin(c, method, id, done);
        if (r < 0)
                (void) question_end(c);
        return r;
}

static void list_done(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure) {
        CoordinatorTokensHandler handler = c->handler.tokens;
        Observation seen = *failure;
        TokenListing listing = {};

        if (observation_is_none(failure))
                seen = read_listing(c, reply, object, &listing);
        handler(question_end(c), observation_is_none(&seen) ? &listing : NULL, &seen);
        token_listing_done(&listing);
}

int coordinator_list_tokens(Coordinator *c, CoordinatorTokensHandler handler, void *userdata) {
        int r = ask(c, userdata, "GET", NULL, list_done);

        if (r >= 0)
                c->handler.tokens = handler;
        return r;
}

int coordinator_delete_token(Coordinator *c, const char *id, CoordinatorDoneHandler handler, void *userdata) {
        int r = ask(c, userdata, "DELETE", id, question_done);

        if (r >= 0)
                c->handler.done = handler;
        return r;
}

static void listed_after_revoking(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure) {
        Observation seen = *failure;
        TokenListing listing = {};

        if (observation_is_none(failure))
                seen = read_listing(c, reply, object, &listing);
        if (observation_is_none(&seen) && token_listing_find(&listing, c->revoked_id))
                seen = observe(ORIGIN_TOKEN, reply->status, "still-listed", c->revoked_id,
                               "it was deleted and is listed all the same");
        token_listing_done(&listing);
        question_finish(c, &seen);
}

static void revoke_done(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure) {
        int r;

        if (!observation_is_none(failure) && !observation_is_absence(failure, TOKEN_ABSENT_CODE))
                return question_finish(c, failure);
        r = begin(c, "GET", NULL, listed_after_revoking);
        if (r < 0)
                exchange_fail(c, &c->exchange, r);
}

int coordinator_revoke_token(Coordinator *c, const char *id, CoordinatorDoneHandler handler, void *userdata) {
        int r = ask(c, userdata, "DELETE", id, revoke_done);

        if (r >= 0)
                c->handler.done = handler;
        return r;
}
