/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One request, run to its end on a loop of its own. */

#include "http/http.h"

typedef struct Fetched {
        unsigned calls; /* of the handler */
        HttpReply reply; /* body moved out of it into `body` */
        char *body;
        Observation failure;
} Fetched;

/* The number that http_start() returned; on 0 the handler has run. */
int fetch(const HttpRequest *request, Fetched *ret);
void fetched_done(Fetched *f);
#define _cleanup_fetched_ _cleanup_(fetched_done)
