/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Requests, each run to its end: on a loop of its own, or on one that has others before and after it. */

#include "http/http.h"

typedef struct Fetched {
        unsigned calls; /* of the handler */
        HttpReply reply; /* body moved out of it into `body` */
        char *body;
        Observation failure;
} Fetched;

/* The number that http_start() returned; on 0 the handler has run. */
int fetch(const HttpRequest *request, Fetched *ret);
/* The same on a loop and an Http that serve several, one after the other. */
int fetch_by(sd_event *event, Http *http, const HttpRequest *request, Fetched *ret);
void fetched_done(Fetched *f);
#define _cleanup_fetched_ _cleanup_(fetched_done)
