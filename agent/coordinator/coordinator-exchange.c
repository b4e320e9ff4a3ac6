/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One request, carried from coordinator to coordinator until one answers.
 *
 * "Could not answer" is: no connection, no trust, no reply, 429, 5xx, or ECE's own word that it is
 * not ready. Then the next endpoint is asked the same, unless the request is one that must not
 * happen twice and some byte of it has left us. Any other answer is the answer, pleasant or not.
 * Each endpoint is asked once; waiting and trying again is the state machine's.
 *
 * With bearer, an exchange begins with a login when there is no session; a 401 in an older session leads
 * to one login; coordinator-login.c does both.
 *
 * Errors of ours (memory) are returned where a caller waits for them, and become an Observation
 * inside the loop.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/coordinator-private.h"
#include "coordinator/coordinator-reach.h"
#include "coordinator/reply.h"

static Endpoint *exchange_endpoint(Coordinator *c, const Exchange *e) {
        return &c->endpoints[e->order[e->at]];
}

bool observation_is_silence(const Observation *seen) {
        return seen->origin == ORIGIN_CURL || seen->origin == ORIGIN_TLS || seen->origin == ORIGIN_PROXY;
}

static bool could_not_answer(const HttpReply *reply, const Observation *seen) {
        if (observation_is_silence(seen))
                return true;
        return reply->status == 429 || reply->status >= 500
                || (seen->origin == ORIGIN_ECE && strstr(seen->code, "controller_not_ready"));
}

/* What any reply tells beside its answer. */
static void note_headers(Coordinator *c, const HttpReply *reply) {
        if (reply->has_date) {
                c->has_date = true;
                c->date_s = reply->date_s;
                c->date_at_us = clock_boottime_us();
        }
        if (reply->key_expiration[0])
                text_copy_printable(c->key_expiration, sizeof(c->key_expiration), reply->key_expiration);
}

static bool session_ended(const Coordinator *c, const Exchange *e, const HttpReply *reply) {
        return c->kind == CREDENTIAL_BEARER && !e->anonymous && !e->logged_in_again && reply->status == 401;
}

void exchange_where(Coordinator *c, const Exchange *e, char ret[static OBSERVATION_WHERE_SIZE]) {
        char url[URL_SIZE];

        (void) snprintf(url, sizeof(url), "%s%s", exchange_endpoint(c, e)->url, e->path);
        text_copy_printable(ret, OBSERVATION_WHERE_SIZE, url);
}

Observation exchange_wrong_type(Coordinator *c, const HttpReply *reply, const char *what) {
        char where[OBSERVATION_WHERE_SIZE];

        exchange_where(c, &c->exchange, where);
        return observe(ORIGIN_REPLY, reply->status, "wrong-type", where,
                       "%s lacks a member that the API promises, or has it of another type", what);
}

/* No answer here: on to the next endpoint, or to the end. */
static void exchange_move_on(Coordinator *c, Exchange *e, const HttpReply *reply, const Observation *seen) {
        if (!e->repeatable && reply->request_sent) {
                e->done(c, reply, NULL, seen); /* once it was sent, only what became of it counts */
                return;
        }
        observation_keep_gravest(&e->gravest, seen);
        if (++e->at == c->n_endpoints || (c->in_haste && observation_is_silence(seen))) {
                Observation gravest = e->gravest; /* the end may start this exchange anew */
                e->done(c, reply, NULL, &gravest);
                return;
        }
        int r = exchange_ask(c, e);
        if (r < 0)
                exchange_fail(c, e, r);
}

/* A 401 in a session: one more login, then the same again. */
static void exchange_log_in_again(Coordinator *c, Exchange *e) {
        e->logged_in_again = true;
        int r = login_begin(c);
        if (r < 0)
                exchange_fail(c, e, r);
}

static void on_reply(void *userdata, const HttpReply *reply, const Observation *failure) {
        Coordinator *c = userdata;
        Exchange *e = c->active;
        _cleanup_json_ json_t *object = NULL;
        char where[OBSERVATION_WHERE_SIZE];
        Observation seen = *failure;

        c->transfer = NULL; /* ends with this call */
        exchange_where(c, e, where);
        if (observation_is_none(failure)) {
                seen = reply_judge(reply, where, &object);
                note_headers(c, reply);
        }
        bool answered = !could_not_answer(reply, &seen);
        endpoint_note(exchange_endpoint(c, e), reply, &seen, answered, clock_boottime_us());
        if (answered)
                c->answered = e->order[e->at];

        if (!answered)
                exchange_move_on(c, e, reply, &seen);
        else if (session_ended(c, e, reply))
                exchange_log_in_again(c, e);
        else
                e->done(c, reply, object, &seen);
}

int exchange_ask(Coordinator *c, Exchange *e) {
        char url[URL_SIZE];
        HttpRequest request = {
                .method = e->method,
                .url = url,
                .trust = c->trust,
                .body = e->body.size > 0 ? buffer_string(&e->body) : NULL,
                .body_size = e->body.size,
                .shares_connection = true,
                .connect_timeout_us = c->in_haste ? REACH_TIMEOUT_US : 0,
        };

        if ((size_t) snprintf(url, sizeof(url), "%s%s", exchange_endpoint(c, e)->url, e->path) >= sizeof(url))
                return -ENAMETOOLONG;
        if (!e->anonymous)
                (void) login_authorization(c, &request.auth_scheme, &request.auth);
        via_apply(c->via, exchange_endpoint(c, e)->url, &request);
        c->active = e;
        return http_start(c->http, &request, on_reply, c, &c->transfer);
}

void exchange_fail(Coordinator *c, Exchange *e, int error) {
        Observation failure = observe(ORIGIN_AGENT, -error, "internal", e->path,
                                      "the request can't be made: %s", strerror(-error));

        e->done(c, NULL, NULL, &failure);
}

int exchange_begin(Coordinator *c, const char *method, const char *path, const Buffer *body,
                   ExchangeDone done) {
        Exchange *e = &c->exchange;

        e->method = method;
        e->repeatable = !streq(method, "POST");
        e->anonymous = e->logged_in_again = false;
        e->done = done;
        buffer_clear(&e->body);
        if ((size_t) snprintf(e->path, sizeof(e->path), "%s", path) >= sizeof(e->path))
                return -ENAMETOOLONG;
        int r = body ? buffer_append(&e->body, buffer_string(body), body->size) : 0;
        if (r < 0)
                return r;
        if (c->kind == CREDENTIAL_BEARER && !c->auth) {
                e->logged_in_again = true; /* a session this fresh has not ended: its refusal stands */
                return login_begin(c);
        }
        endpoints_order(c, clock_boottime_us(), e);
        return exchange_ask(c, e);
}
