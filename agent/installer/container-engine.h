/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The container engine's API over its unix socket: the few calls that settling and preparing need.
 * Docker's API, which Podman's socket speaks as well, without a version in the path (every engine
 * serves the unversioned one). Nothing is created here: containers are made by the installer alone.
 */

#include "http/http.h"
#include "installer/shim.h"
#include "model/facts.h"
#include "model/local-view.h"
#include "model/outcome.h"

/* The fixed name that `install` and `upgrade` share. */
#define INSTALLER_CONTAINER "elastic-cloud-enterprise-installer"
#define UPGRADER_COMMAND "elastic-cloud-enterprise-upgrader"

typedef enum ContainerState {
        CONTAINER_ALIVE,    /* running, paused, restarting */
        CONTAINER_CREATED,  /* made, not started (yet) */
        CONTAINER_DEAD,     /* exited, dead */
        CONTAINER_REMOVING, /* on its way out */
} ContainerState;

typedef struct Container {
        char id[65];
        ContainerState state;
        char label[33];       /* of ATTEMPT_LABEL, "" without one */
        char command[96];     /* last word of its command, without directories */
        char runner_id[129];  /* RUNNER_ID of its environment, "" without one */
        int64_t created_s;    /* realtime; 0 when not told */
} Container;

typedef struct EngineAnswer {
        Observation failure; /* ORIGIN_ENGINE "not-answering" (no reply) or "unexpected-reply"; none: it did what was asked */
        bool found;          /* find, image: it is there. stop, remove: it was there */
        Container container; /* find, when found */
        LocalView local;     /* look */
        EngineFacts about;   /* ask: what this topic tells */
} EngineAnswer;

typedef void (*EngineHandler)(void *userdata, const EngineAnswer *answer);

/* A call under way. It frees itself before its handler runs; cancelling ends it without the
 * handler. */
typedef struct EngineCall EngineCall;
void engine_call_cancel(EngineCall *call);

/* Each: 0 with *ret, or negative errno. socket_path is allow-list checked by whoever read the spec.
 * */
int engine_ping(Http *http, const char *socket_path, EngineHandler handler, void *userdata, EngineCall **ret);

/* Is there an image of exactly this name? */
int engine_image(Http *http, const char *socket_path, const char *image, EngineHandler handler, void *userdata,
                 EngineCall **ret);

/* The container named exactly INSTALLER_CONTAINER, in whatever state. */
int engine_find(Http *http, const char *socket_path, EngineHandler handler, void *userdata, EngineCall **ret);

/* What there is of ECE on this host. */
int engine_look(Http *http, const char *socket_path, EngineHandler handler, void *userdata, EngineCall **ret);

/* What the engine says of itself, topic by topic. */
typedef enum EngineTopic {
        TOPIC_VERSION,
        TOPIC_INFO,   /* driver and data root */
        TOPIC_BRIDGE, /* Docker's default network */
        _ENGINE_TOPIC_MAX,
} EngineTopic;
int engine_ask(Http *http, const char *socket_path, EngineTopic topic, EngineHandler handler, void *userdata,
               EngineCall **ret);

/* Stops (TERM, then KILL after timeout_s by the engine). Already stopped or gone is no failure. */
int engine_stop(Http *http, const char *socket_path, const char *id, unsigned timeout_s, EngineHandler handler,
                void *userdata, EngineCall **ret);

/* Removes, never by force: a running one is a failure. Gone, or being removed, is none. */
int engine_remove(Http *http, const char *socket_path, const char *id, EngineHandler handler, void *userdata,
                  EngineCall **ret);

/* Parsers of the replies; pure. 0 (for a list: *ret_found tells), -EBADMSG, -ENOMEM. */
int engine_parse_list(const char *text, size_t n, bool *ret_found, char ret_id[static 65]);
int engine_parse_inspect(const char *text, size_t n, Container *ret);
int engine_parse_local(const char *text, size_t n, LocalView *ret);
int engine_parse_about(EngineTopic topic, const char *text, size_t n, EngineFacts *ret);
