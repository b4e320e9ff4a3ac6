/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Credentials on the wire: which Authorization line is sent, and the bearer's login.
 *
 * API keys and Basic go out at once, without waiting for a challenge, as ECE wants them. Bearer
 * needs a session first: user and password for a token of short life (POST users/auth/_login). The
 * token is kept for all coordinators of the installation until one says 401; then there is one more
 * login for the question under way, and a second 401 stands.
 *
 * A login changes nothing on the platform, so unlike other POSTs it may be repeated at the next
 * coordinator. The body is written by hand into wiped memory: a JSON tree would make one copy more.
 */

#include <stdio.h>
#include <string.h>

#include "coordinator/coordinator-private.h"

#define LOGIN_PATH "/api/v1/users/auth/_login"

bool login_authorization(const Coordinator *c, const char **ret_scheme, const Secret **ret_secret) {
        switch (c->kind) {
        case CREDENTIAL_NONE:
                return false;
        case CREDENTIAL_API_KEY:
                *ret_scheme = "ApiKey";
                *ret_secret = c->credential;
                return true;
        case CREDENTIAL_BASIC:
                *ret_scheme = "Basic";
                *ret_secret = c->auth;
                return true;
        case CREDENTIAL_BEARER:
                if (!c->auth)
                        return false;
                *ret_scheme = "Bearer";
                *ret_secret = c->auth;
                return true;
        }
        return false;
}

/* Appends a JSON string. */
static int append_json_string(Buffer *b, const char *text, size_t n) {
        int r = buffer_append_string(b, "\"");

        for (size_t i = 0; r >= 0 && i < n; i++) {
                unsigned char ch = (unsigned char) text[i];
                if (ch < 0x20)
                        r = buffer_append_format(b, "\\u%04x", ch);
                else {
                        if (ch == '"' || ch == '\\')
                                r = buffer_append_string(b, "\\");
                        if (r >= 0)
                                r = buffer_append(b, &text[i], 1);
                }
        }
        return r < 0 ? r : buffer_append_string(b, "\"");
}

static int login_body(const Coordinator *c, Buffer *b) {
        int r = buffer_append_string(b, "{\"username\":");

        if (r >= 0)
                r = append_json_string(b, c->user, strlen(c->user));
        if (r >= 0)
                r = buffer_append_string(b, ",\"password\":");
        if (r >= 0)
                r = append_json_string(b, secret_bytes(c->credential), secret_size(c->credential));
        return r < 0 ? r : buffer_append_string(b, "}");
}

static void login_done(Coordinator *c, const HttpReply *reply, const json_t *object,
                       const Observation *failure) {
        const char *token = json_member_string(object, "token");
        char where[OBSERVATION_WHERE_SIZE];
        Observation seen = *failure;
        int r;

        buffer_clear(&c->login.body);
        if (observation_is_none(failure) && (!token || !*token || strlen(token) > SECRET_SIZE_MAX)) {
                exchange_where(c, &c->login, where);
                seen = observe(ORIGIN_REPLY, reply->status, "wrong-type", where,
                               "the login's reply has no token");
        }
        if (!observation_is_none(&seen)) {
                /* Without a reply: the question itself was not asked. */
                c->exchange.done(c, NULL, NULL, &seen);
                return;
        }
        r = secret_new(token, strlen(token), &c->auth);
        if (r >= 0) {
                endpoints_order(c, clock_boottime_us(), &c->exchange);
                r = exchange_ask(c, &c->exchange);
        }
        if (r < 0)
                exchange_fail(c, &c->exchange, r);
}

int login_begin(Coordinator *c) {
        Exchange *e = &c->login;

        c->auth = secret_free(c->auth);
        buffer_clear(&e->body);
        e->method = "POST";
        e->repeatable = true;
        e->anonymous = true;
        e->done = login_done;
        (void) snprintf(e->path, sizeof(e->path), "%s", LOGIN_PATH);
        int r = login_body(c, &e->body);
        if (r < 0)
                return r;
        endpoints_order(c, clock_boottime_us(), e);
        return exchange_ask(c, e);
}
