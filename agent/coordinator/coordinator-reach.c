/* SPDX-License-Identifier: Apache-2.0 */

/*
 * All coordinators of a spec at once: the slowest decides how long it takes, and the first that
 * verifies ends it.
 *
 * Requests go from one coordinator to the next, because a request has an effect and must not happen
 * twice. A handshake has none, so here nobody waits behind a silent one. The end always comes from
 * the loop, also when no handshake could be started at all.
 */

#include "coordinator/coordinator-reach.h"

#include <errno.h>

#include "base/cleanup.h"
#include "coordinator/coordinator-private.h"

typedef struct Handshake {
        CoordinatorReach *reach;
        HttpTransfer *transfer; /* NULL: not under way */
        ReachEntry entry;
} Handshake;

struct CoordinatorReach {
        Trust *trust;
        sd_event_source *end;
        ReachHandler handler;
        void *userdata;
        bool all, verified;
        size_t n, pending;
        Handshake handshakes[SPEC_COORDINATORS_MAX];
};

void coordinator_reach_cancel(CoordinatorReach *r) {
        if (!r)
                return;
        for (size_t i = 0; i < r->n; i++)
                if (r->handshakes[i].transfer)
                        http_cancel(r->handshakes[i].transfer);
        (void) sd_event_source_disable_unref(r->end);
        (void) trust_free(r->trust);
        free(r);
}
DEFINE_CLEANUP(CoordinatorReach *, coordinator_reach_cancel)

/* Taken in the spec's order, not in that of the answers: the same world has the same reason. */
static Observation overall(const CoordinatorReach *r) {
        Observation gravest = OBSERVATION_NONE;

        if (r->verified)
                return gravest;
        for (size_t i = 0; i < r->n; i++)
                observation_keep_gravest(&gravest, &r->handshakes[i].entry.seen);
        return gravest;
}

static int on_end(sd_event_source *source, void *userdata) {
        CoordinatorReach *r = userdata;
        ReachHandler handler = r->handler;
        void *handler_data = r->userdata;
        ReachEntry entries[SPEC_COORDINATORS_MAX];
        Observation failure = overall(r);
        size_t n = r->n;

        for (size_t i = 0; i < n; i++)
                entries[i] = r->handshakes[i].entry;
        coordinator_reach_cancel(r);
        handler(handler_data, entries, n, &failure);
        return 0;
}

static void end_if_done(CoordinatorReach *r) {
        if (r->pending == 0 || (r->verified && !r->all))
                (void) sd_event_source_set_enabled(r->end, SD_EVENT_ONESHOT);
}

static void on_handshake(void *userdata, const HttpReply *reply, const Observation *failure) {
        Handshake *h = userdata;

        h->transfer = NULL;
        h->entry.known = true;
        h->entry.seen = *failure;
        h->reach->verified = h->reach->verified || observation_is_none(failure);
        h->reach->pending--;
        end_if_done(h->reach);
}

static int start(CoordinatorReach *r, Http *http, const ReachRequest *request) {
        for (size_t i = 0; request->spec->coordinators && request->spec->coordinators[i]; i++) {
                Handshake *h = &r->handshakes[i];
                HttpRequest handshake = {
                        .url = request->spec->coordinators[i],
                        .trust = r->trust,
                        .handshake_only = true,
                        .connect_timeout_us = request->timeout_us ?: REACH_TIMEOUT_US,
                };
                int error;

                if (i == SPEC_COORDINATORS_MAX)
                        return -E2BIG;
                r->n++;
                *h = (Handshake) { .reach = r, .entry = { .url = handshake.url, .seen = OBSERVATION_NONE } };
                if (request->known && !observation_is_none(&request->known[i])) {
                        h->entry.known = true;
                        h->entry.seen = request->known[i];
                        continue;
                }
                via_apply(request->via, handshake.url, &handshake);
                error = http_start(http, &handshake, on_handshake, h, &h->transfer);
                if (error < 0)
                        return error;
                r->pending++;
        }
        return r->n > 0 ? 0 : -EINVAL;
}

int coordinator_reach(sd_event *event, Http *http, const ReachRequest *request, ReachHandler handler,
                      void *userdata, CoordinatorReach **ret, Observation *refusal) {
        _cleanup_(coordinator_reach_cancelp) CoordinatorReach *r = calloc(1, sizeof(*r));
        int error;

        *refusal = OBSERVATION_NONE;
        if (!r)
                return -ENOMEM;
        r->handler = handler;
        r->userdata = userdata;
        r->all = request->all;
        error = trust_new(request->spec->trust.ca_file, request->spec->trust.pins, &r->trust, refusal);
        if (error >= 0)
                error = sd_event_add_defer(event, &r->end, on_end, r);
        if (error >= 0)
                error = sd_event_source_set_enabled(r->end, SD_EVENT_OFF);
        if (error >= 0)
                error = start(r, http, request);
        if (error < 0)
                return error;
        end_if_done(r);
        *ret = TAKE_PTR(r);
        return 0;
}
