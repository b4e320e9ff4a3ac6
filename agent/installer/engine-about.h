/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the container engine says of itself, for `ece-enroll check`: its version, where it keeps what it has, how its
 * containers reach each other. Only reads. */

#include <systemd/sd-event.h>

#include "http/http.h"
#include "model/facts.h"
#include "model/spec.h"

#define ENGINE_ABOUT_LIMIT_US (5 * USEC_PER_SEC)

typedef struct EngineAbout EngineAbout;

/* What it has not said within the limit, or not in words that are understood, is "". Runs from the loop. */
typedef void (*EngineAboutHandler)(void *userdata, const EngineFacts *facts);

/* limit_us: of all questions together; 0: ENGINE_ABOUT_LIMIT_US. 0 or negative errno. Frees itself before its handler
 * runs. */
int engine_about_start(sd_event *event, Http *http, const char *socket_path, EngineKind engine, usec_t limit_us,
                       EngineAboutHandler handler, void *userdata, EngineAbout **ret);
/* Ends it without the handler. NULL is accepted. */
void engine_about_cancel(EngineAbout *e);
