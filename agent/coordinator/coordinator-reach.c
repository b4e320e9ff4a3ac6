/* SPDX-License-Identifier: Apache-2.0 */

/*
 * In two waves: the coordinator that this host asks first, alone; then all others at once. The first that verifies ends
 * it.
 *
 * Requests go from one coordinator to the next, because a request has an effect and must not happen
 * twice. A handshake has none, so here nobody waits behind a silent one for longer than it takes to see that it is
 * silent. But it is the dearest thing that a coordinator is asked for, so none is asked of those who are not needed: a
 * fleet that boots would otherwise shake hands with all of them, each time. The end always comes from the loop, also
 * when no handshake could be started at all.
 */

#include "coordinator/coordinator-reach.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "coordinator/coordinator-private.h"

typedef struct Handshake {
        CoordinatorReach *reach;
        HttpTransfer *transfer; /* NULL: not under way */
        ReachEntry entry;
} Handshake;

struct CoordinatorReach {
        Http *http;
        ReachRequest request;
        Trust *trust;
        sd_event_source *end, *head_start;
        ReachHandler handler;
        void *userdata;
        bool verified;
        size_t n, pending;
        size_t order[SPEC_COORDINATORS_MAX];
        size_t started; /* so many of that order were asked, or need not be */
        Handshake handshakes[SPEC_COORDINATORS_MAX];
};

void coordinator_reach_cancel(CoordinatorReach *r) {
        if (!r)
                return;
        for (size_t i = 0; i < r->n; i++)
                if (r->handshakes[i].transfer)
                        http_cancel(r->handshakes[i].transfer);
        (void) sd_event_source_disable_unref(r->end);
        (void) sd_event_source_disable_unref(r->head_start);
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
        if ((r->pending == 0 && r->started == r->n) || (r->verified && !r->request.all))
                (void) sd_event_source_set_enabled(r->end, SD_EVENT_ONESHOT);
}

static void start_others(CoordinatorReach *r);

static void on_handshake(void *userdata, const HttpReply *reply, const Observation *failure) {
        Handshake *h = userdata;
        CoordinatorReach *r = h->reach;

        h->transfer = NULL;
        h->entry.known = true;
        h->entry.seen = *failure;
        r->verified = r->verified || observation_is_none(failure);
        r->pending--;
        if (!r->verified)
                start_others(r);
        end_if_done(r);
}

/* Begins the next handshake; a coordinator of which enough is known needs none. 0 or negative errno. */
static int start_next(CoordinatorReach *r) {
        Handshake *h = &r->handshakes[r->order[r->started++]];
        HttpRequest handshake = {
                .url = h->entry.url,
                .trust = r->trust,
                .handshake_only = true,
                .connect_timeout_us = r->request.timeout_us ?: REACH_TIMEOUT_US,
        };
        int error;

        if (h->entry.known)
                return 0;
        via_apply(r->request.via, handshake.url, &handshake);
        error = http_start(r->http, &handshake, on_handshake, h, &h->transfer);
        if (error >= 0)
                r->pending++;
        return error;
}

static void start_others(CoordinatorReach *r) {
        while (r->started < r->n) {
                size_t at = r->order[r->started];
                int error = start_next(r);

                if (error < 0) {
                        r->handshakes[at].entry.known = true;
                        r->handshakes[at].entry.seen = observe(ORIGIN_AGENT, -error, "internal", r->handshakes[at].entry.url,
                                                               "can't shake hands: %s", strerror(-error));
                }
        }
}

static int on_head_start(sd_event_source *source, uint64_t usec, void *userdata) {
        CoordinatorReach *r = userdata;

        if (!r->verified)
                start_others(r);
        end_if_done(r);
        return 0;
}

static int list(CoordinatorReach *r) {
        char *const *urls = r->request.spec->coordinators;

        for (size_t i = 0; urls && urls[i]; i++) {
                if (i == SPEC_COORDINATORS_MAX)
                        return -E2BIG;
                r->handshakes[i] = (Handshake) { .reach = r, .entry = { .url = urls[i], .seen = OBSERVATION_NONE } };
                if (r->request.known && !observation_is_none(&r->request.known[i])) {
                        r->handshakes[i].entry.known = true;
                        r->handshakes[i].entry.seen = r->request.known[i];
                }
                r->n++;
        }
        endpoints_shuffle(r->n, r->request.seed, r->order);
        return r->n > 0 ? 0 : -EINVAL;
}

static int start(CoordinatorReach *r, sd_event *event) {
        int error = list(r);

        while (error >= 0 && r->started < r->n && (r->pending == 0 || r->request.all))
                error = start_next(r);
        if (error >= 0 && r->started < r->n)
                error = sd_event_add_time(event, &r->head_start, CLOCK_BOOTTIME, usec_add(clock_boottime_us(), REACH_HEAD_START_US), 0,
                                          on_head_start, r);
        return error;
}

int coordinator_reach(sd_event *event, Http *http, const ReachRequest *request, ReachHandler handler,
                      void *userdata, CoordinatorReach **ret, Observation *refusal) {
        _cleanup_(coordinator_reach_cancelp) CoordinatorReach *r = calloc(1, sizeof(*r));
        int error;

        *refusal = OBSERVATION_NONE;
        if (!r)
                return -ENOMEM;
        r->http = http;
        r->request = *request;
        r->handler = handler;
        r->userdata = userdata;
        error = trust_new(request->spec->trust.ca_file, request->spec->trust.pins, &r->trust, refusal);
        if (error >= 0)
                error = sd_event_add_defer(event, &r->end, on_end, r);
        if (error >= 0)
                error = sd_event_source_set_enabled(r->end, SD_EVENT_OFF);
        if (error >= 0)
                error = start(r, event);
        if (error < 0)
                return error;
        end_if_done(r);
        *ret = TAKE_PTR(r);
        return 0;
}
