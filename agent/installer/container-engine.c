/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Calls of the engine's API. All of them are one request, but find: that is the list, and then the
 * inspection of the one that it showed. A container that vanished between the two was not found,
 * which is true by then.
 *
 * No reply at all is "not-answering" (the engine is down or hangs); a reply that is neither success nor one of the
 * statuses that a call expects is "unexpected-reply", with the engine's own sentence as detail.
 */

#include "installer/container-engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define HOST "http://localhost"
#define ENGINE_TIMEOUT_US (10 * USEC_PER_SEC)

/* {"name":["elastic-cloud-enterprise-installer"]}, escaped for a query. */
#define LIST_URL HOST "/containers/json?all=true&filters=%7B%22name%22%3A%5B%22" INSTALLER_CONTAINER "%22%5D%7D"

/* {"name":["frc-"]}: the containers that ECE's runner makes. Part of a name is enough for the filter. */
#define LOOK_URL HOST "/containers/json?all=true&filters=%7B%22name%22%3A%5B%22frc-%22%5D%7D"

typedef enum CallKind {
        CALL_PING,
        CALL_IMAGE,
        CALL_LOOK,
        CALL_LIST,
        CALL_INSPECT,
        CALL_STOP,
        CALL_REMOVE,
        CALL_ASK, /* and behind it, one for each topic */
} CallKind;

struct EngineCall {
        CallKind kind;
        Http *http;
        char *socket_path;
        HttpTransfer *transfer;
        EngineHandler handler;
        void *userdata;
};

static EngineCall *call_free(EngineCall *call) {
        if (!call)
                return NULL;
        free(call->socket_path);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(EngineCall *, call_free)

void engine_call_cancel(EngineCall *call) {
        if (!call)
                return;
        if (call->transfer)
                http_cancel(call->transfer);
        (void) call_free(call);
}

static void on_reply(void *userdata, const HttpReply *reply, const Observation *failure);

static int request(EngineCall *call, const char *method, const char *url, usec_t timeout_us) {
        HttpRequest r = {
                .method = method,
                .url = url,
                .unix_socket = call->socket_path,
                .total_timeout_us = timeout_us,
        };

        return http_start(call->http, &r, on_reply, call, &call->transfer);
}

static int start(Http *http, const char *socket_path, CallKind kind, const char *method, const char *url,
                 usec_t timeout_us, EngineHandler handler, void *userdata, EngineCall **ret) {
        _cleanup_(call_freep) EngineCall *call = calloc(1, sizeof(*call));
        int error;

        if (!call)
                return -ENOMEM;
        call->kind = kind;
        call->http = http;
        call->handler = handler;
        call->userdata = userdata;
        call->socket_path = strdup(socket_path);
        if (!call->socket_path)
                return -ENOMEM;
        error = request(call, method, url, timeout_us);
        if (error < 0)
                return error;
        *ret = TAKE_PTR(call);
        return 0;
}

/* --- Replies --- */

static void finish(EngineCall *call, const EngineAnswer *answer) {
        EngineHandler handler = call->handler;
        void *userdata = call->userdata;

        (void) call_free(call);
        handler(userdata, answer);
}

static Observation unexpected(const EngineCall *call, const HttpReply *reply) {
        _cleanup_json_ json_t *body = NULL;
        const char *message = NULL;

        if (json_read(buffer_string(&reply->body), reply->body.size, &body, NULL) >= 0)
                message = json_member_string(body, "message");
        return observe(ORIGIN_ENGINE, reply->status, "unexpected-reply", call->socket_path, "status %d%s%s",
                       reply->status, message ? ": " : "", message ?: "");
}

/* The engine is not to blame for our lack of memory; and as if it had not answered it is asked again. */
static Observation no_memory(const EngineCall *call) {
        return observe(ORIGIN_ENGINE, 0, "not-answering", call->socket_path, "out of memory");
}

/* Of a reply with another status than 200, or that a parser refused. */
static Observation unusable(const EngineCall *call, const HttpReply *reply, int parsed) {
        return reply->status == 200 && parsed == -ENOMEM ? no_memory(call) : unexpected(call, reply);
}

/* Starts the second half of find. False: there is none, and answer says why. */
static bool inspect(EngineCall *call, const HttpReply *reply, EngineAnswer *answer) {
        char id[65], url[128];
        bool found;
        int parsed = engine_parse_list(buffer_string(&reply->body), reply->body.size, &found, id);

        if (reply->status != 200 || parsed < 0) {
                answer->failure = unusable(call, reply, parsed);
                return false;
        }
        if (!found)
                return false;
        call->kind = CALL_INSPECT;
        (void) snprintf(url, sizeof(url), HOST "/containers/%s/json", id);
        if (request(call, "GET", url, ENGINE_TIMEOUT_US) >= 0)
                return true;
        answer->failure = no_memory(call);
        return false;
}

/* What a status means for the calls that have no body to read. */
static void judge_status(EngineCall *call, const HttpReply *reply, EngineAnswer *answer) {
        int status = reply->status;
        bool success = status >= 200 && status < 300;
        bool missing = status == 404 && call->kind != CALL_PING;
        bool harmless = (call->kind == CALL_STOP && status == 304) || (call->kind == CALL_REMOVE && status == 409);

        answer->found = success || harmless;
        if (!success && !missing && !harmless)
                answer->failure = unexpected(call, reply);
}

static void judge_inspection(EngineCall *call, const HttpReply *reply, EngineAnswer *answer) {
        if (reply->status == 404)
                return;
        int parsed = engine_parse_inspect(buffer_string(&reply->body), reply->body.size, &answer->container);
        if (reply->status == 200 && parsed >= 0)
                answer->found = true;
        else
                answer->failure = unusable(call, reply, parsed);
}

static void judge_look(EngineCall *call, const HttpReply *reply, EngineAnswer *answer) {
        int parsed = engine_parse_local(buffer_string(&reply->body), reply->body.size, &answer->local);

        if (reply->status != 200 || parsed < 0)
                answer->failure = unusable(call, reply, parsed);
}

static void judge_about(EngineCall *call, const HttpReply *reply, EngineAnswer *answer) {
        EngineTopic topic = (EngineTopic) (call->kind - CALL_ASK);
        int parsed = engine_parse_about(topic, buffer_string(&reply->body), reply->body.size, &answer->about);

        if (reply->status != 200 || parsed < 0)
                answer->failure = unusable(call, reply, parsed);
}

static void on_reply(void *userdata, const HttpReply *reply, const Observation *failure) {
        EngineCall *call = userdata;
        EngineAnswer answer = { .failure = OBSERVATION_NONE };

        call->transfer = NULL;
        if (!observation_is_none(failure))
                answer.failure = observe(ORIGIN_ENGINE, failure->number, "not-answering", call->socket_path, "%s",
                                         failure->detail);
        else if (call->kind == CALL_LIST) {
                if (inspect(call, reply, &answer))
                        return;
        } else if (call->kind == CALL_INSPECT)
                judge_inspection(call, reply, &answer);
        else if (call->kind == CALL_LOOK)
                judge_look(call, reply, &answer);
        else if (call->kind >= CALL_ASK)
                judge_about(call, reply, &answer);
        else
                judge_status(call, reply, &answer);
        finish(call, &answer);
}

/* --- The calls --- */

int engine_ping(Http *http, const char *socket_path, EngineHandler handler, void *userdata, EngineCall **ret) {
        return start(http, socket_path, CALL_PING, "GET", HOST "/_ping", ENGINE_TIMEOUT_US, handler, userdata, ret);
}

int engine_image(Http *http, const char *socket_path, const char *image, EngineHandler handler, void *userdata,
                 EngineCall **ret) {
        char url[640];

        if ((size_t) snprintf(url, sizeof(url), HOST "/images/%s/json", image) >= sizeof(url))
                return -ENAMETOOLONG;
        return start(http, socket_path, CALL_IMAGE, "GET", url, ENGINE_TIMEOUT_US, handler, userdata, ret);
}

int engine_find(Http *http, const char *socket_path, EngineHandler handler, void *userdata, EngineCall **ret) {
        return start(http, socket_path, CALL_LIST, "GET", LIST_URL, ENGINE_TIMEOUT_US, handler, userdata, ret);
}

int engine_look(Http *http, const char *socket_path, EngineHandler handler, void *userdata, EngineCall **ret) {
        return start(http, socket_path, CALL_LOOK, "GET", LOOK_URL, ENGINE_TIMEOUT_US, handler, userdata, ret);
}

int engine_ask(Http *http, const char *socket_path, EngineTopic topic, EngineHandler handler, void *userdata,
               EngineCall **ret) {
        static const char *const urls[_ENGINE_TOPIC_MAX] = {
                [TOPIC_VERSION] = HOST "/version",
                [TOPIC_INFO] = HOST "/info",
                [TOPIC_BRIDGE] = HOST "/networks/bridge",
        };

        return start(http, socket_path, (CallKind) (CALL_ASK + topic), "GET", urls[topic], ENGINE_TIMEOUT_US, handler,
                     userdata, ret);
}

int engine_stop(Http *http, const char *socket_path, const char *id, unsigned timeout_s, EngineHandler handler,
                void *userdata, EngineCall **ret) {
        char url[160];

        (void) snprintf(url, sizeof(url), HOST "/containers/%.64s/stop?t=%u", id, timeout_s);
        return start(http, socket_path, CALL_STOP, "POST", url, timeout_s * USEC_PER_SEC + ENGINE_TIMEOUT_US, handler,
                     userdata, ret);
}

int engine_remove(Http *http, const char *socket_path, const char *id, EngineHandler handler, void *userdata,
                  EngineCall **ret) {
        char url[128];

        (void) snprintf(url, sizeof(url), HOST "/containers/%.64s", id);
        return start(http, socket_path, CALL_REMOVE, "DELETE", url, ENGINE_TIMEOUT_US, handler, userdata, ret);
}
