/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Three questions to the engine, one after the other, of which no one depends on another.
 *
 * What it says is shown to people and decides nothing. So a question that fails costs only its own answer, and when the
 * time is up for all of them what is known by then is told.
 */

#include "installer/engine-about.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "installer/container-engine.h"

struct EngineAbout {
        Http *http;
        char *socket_path;
        EngineKind engine;
        EngineAboutHandler handler;
        void *userdata;

        EngineCall *call;
        sd_event_source *limit;
        EngineTopic at;
        EngineFacts facts;
};

void engine_about_cancel(EngineAbout *e) {
        if (!e)
                return;
        engine_call_cancel(e->call);
        (void) sd_event_source_disable_unref(e->limit);
        free(e->socket_path);
        free(e);
}
DEFINE_CLEANUP(EngineAbout *, engine_about_cancel)

static void finish(EngineAbout *e) {
        EngineAboutHandler handler = e->handler;
        void *userdata = e->userdata;
        EngineFacts facts = e->facts;

        engine_about_cancel(e);
        handler(userdata, &facts);
}

static void take(EngineFacts *to, EngineTopic topic, const EngineFacts *from) {
        switch (topic) {
        case TOPIC_VERSION:
                (void) memcpy(to->version, from->version, sizeof(to->version));
                return;
        case TOPIC_INFO:
                (void) memcpy(to->driver, from->driver, sizeof(to->driver));
                (void) memcpy(to->data_root, from->data_root, sizeof(to->data_root));
                return;
        case TOPIC_BRIDGE:
                (void) memcpy(to->bridge_icc, from->bridge_icc, sizeof(to->bridge_icc));
                return;
        case _ENGINE_TOPIC_MAX:
                return;
        }
}

static int ask(EngineAbout *e);

static void on_answer(void *userdata, const EngineAnswer *answer) {
        EngineAbout *e = userdata;
        EngineTopic last = e->engine == ENGINE_DOCKER ? TOPIC_BRIDGE : TOPIC_INFO; /* Podman has another network */

        e->call = NULL;
        if (observation_is_none(&answer->failure))
                take(&e->facts, e->at, &answer->about);
        if (e->at == last)
                return finish(e);
        e->at++;
        if (ask(e) < 0)
                finish(e);
}

static int on_limit(sd_event_source *source, uint64_t at, void *userdata) {
        finish(userdata);
        return 0;
}

static int ask(EngineAbout *e) {
        return engine_ask(e->http, e->socket_path, e->at, on_answer, e, &e->call);
}

int engine_about_start(sd_event *event, Http *http, const char *socket_path, EngineKind engine, usec_t limit_us,
                       EngineAboutHandler handler, void *userdata, EngineAbout **ret) {
        _cleanup_(engine_about_cancelp) EngineAbout *e = calloc(1, sizeof(*e));
        usec_t until_us = usec_add(clock_boottime_us(), limit_us ?: ENGINE_ABOUT_LIMIT_US);
        int error;

        if (!e)
                return -ENOMEM;
        e->http = http;
        e->engine = engine;
        e->handler = handler;
        e->userdata = userdata;
        e->socket_path = strdup(socket_path);
        if (!e->socket_path)
                return -ENOMEM;
        error = sd_event_add_time(event, &e->limit, CLOCK_BOOTTIME, until_us, 10 * USEC_PER_MSEC, on_limit, e);
        if (error >= 0)
                error = ask(e);
        if (error < 0)
                return error;
        *ret = TAKE_PTR(e);
        return 0;
}
