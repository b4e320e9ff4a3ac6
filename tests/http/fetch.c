/* SPDX-License-Identifier: Apache-2.0 */

/* A loop, an Http, one request or more: from start to handler, for tests that look at one reply. */

#include "fetch.h"

#include <assert.h>
#include <string.h>

static void on_end(void *userdata, const HttpReply *reply, const Observation *failure) {
        Fetched *f = userdata;

        f->calls++;
        f->reply = *reply;
        f->reply.body = BUFFER_INIT(0);
        f->body = strndup(buffer_string(&reply->body), reply->body.size);
        f->failure = *failure;
}

int fetch_by(sd_event *event, Http *http, const HttpRequest *request, Fetched *ret) {
        HttpTransfer *transfer = NULL;
        int started = http_start(http, request, on_end, ret, &transfer);

        while (started == 0 && ret->calls == 0) {
                int r = sd_event_run(event, UINT64_MAX);
                assert(r >= 0);
        }
        return started;
}

int fetch(const HttpRequest *request, Fetched *ret) {
        sd_event *event = NULL;
        Http *http = NULL;

        int r = sd_event_new(&event);
        assert(r >= 0);
        r = http_new(event, &http);
        assert(r == 0);
        int started = fetch_by(event, http, request, ret);
        (void) http_free(http);
        (void) sd_event_unref(event);
        return started;
}

void fetched_done(Fetched *f) {
        free(f->body);
        f->body = NULL;
}
