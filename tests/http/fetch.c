/* SPDX-License-Identifier: Apache-2.0 */

/* A loop, an Http, one request: from start to handler, for tests that look at one reply. */

#include "fetch.h"

#include <assert.h>
#include <string.h>

typedef struct Run {
        sd_event *event;
        Fetched *fetched;
} Run;

static void on_end(void *userdata, const HttpReply *reply, const Observation *failure) {
        Run *run = userdata;
        Fetched *f = run->fetched;

        f->calls++;
        f->reply = *reply;
        f->reply.body = BUFFER_INIT(0);
        f->body = strndup(buffer_string(&reply->body), reply->body.size);
        f->failure = *failure;
        (void) sd_event_exit(run->event, 0);
}

int fetch(const HttpRequest *request, Fetched *ret) {
        Run run = { .fetched = ret };
        HttpTransfer *transfer = NULL;
        Http *http = NULL;

        int r = sd_event_new(&run.event);
        assert(r >= 0);
        r = http_new(run.event, &http);
        assert(r == 0);
        int started = http_start(http, request, on_end, &run, &transfer);
        if (started == 0) {
                r = sd_event_loop(run.event);
                assert(r == 0);
        }
        http = http_free(http);
        run.event = sd_event_unref(run.event);
        return started;
}

void fetched_done(Fetched *f) {
        free(f->body);
        f->body = NULL;
}
