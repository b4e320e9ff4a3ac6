/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The coordinators as a list: in which order this host asks them, and what it has learnt of each.
 *
 * The order is shuffled once per host by its seed, so that a thousand hosts that boot together do
 * not all begin with the first line of the same spec. An endpoint that failed at the transport
 * steps back to the end for a while: its time-out is the dearest thing in a question. Failures that
 * came as answers (429, 5xx) cost nothing and change no order.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/coordinator-private.h"
#include "model/coordinator-url.h"

#define AVOID_US (30 * USEC_PER_SEC)

/* splitmix64: a full-period mixer, good enough to spread load and free of state elsewhere. */
static uint64_t random_next(uint64_t *state) {
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

static void endpoints_shuffle(Coordinator *c, uint64_t seed) {
        for (size_t left = c->n_endpoints; left > 1; left--) {
                size_t pick = (size_t) (random_next(&seed) % left);
                Endpoint moved = c->endpoints[pick];
                c->endpoints[pick] = c->endpoints[left - 1];
                c->endpoints[left - 1] = moved;
        }
}

int endpoints_load(Coordinator *c, char *const *urls, uint64_t seed) {
        for (size_t i = 0; urls && urls[i]; i++) {
                if (c->n_endpoints == SPEC_COORDINATORS_MAX)
                        return -E2BIG;
                Endpoint *e = &c->endpoints[c->n_endpoints++];
                char host[COORDINATOR_URL_SIZE];
                e->url = strdup(urls[i]);
                coordinator_url_host(urls[i], host);
                e->host = strdup(host);
                if (!e->url || !e->host)
                        return -ENOMEM;
        }
        if (c->n_endpoints == 0)
                return -EINVAL;
        endpoints_shuffle(c, seed);
        return 0;
}

void endpoints_free(Coordinator *c) {
        for (size_t i = 0; i < c->n_endpoints; i++) {
                free(c->endpoints[i].url);
                free(c->endpoints[i].host);
        }
}

void endpoints_order(const Coordinator *c, usec_t now_us, Exchange *e) {
        size_t n = 0;

        for (size_t i = 0; i < c->n_endpoints; i++)
                if (c->endpoints[i].avoid_until_us <= now_us)
                        e->order[n++] = i;
        for (size_t i = 0; i < c->n_endpoints; i++)
                if (c->endpoints[i].avoid_until_us > now_us)
                        e->order[n++] = i;
        e->at = 0;
        e->gravest = OBSERVATION_NONE;
}

void endpoint_note(Endpoint *endpoint, const HttpReply *reply, const Observation *seen, bool answered,
                   usec_t now_us) {
        bool transport = seen->origin == ORIGIN_CURL || seen->origin == ORIGIN_TLS || seen->origin == ORIGIN_PROXY;

        endpoint->tried = true;
        endpoint->failing = !answered;
        endpoint->avoid_until_us = transport ? usec_add(now_us, AVOID_US) : 0;
        if (observation_is_none(seen))
                (void) snprintf(endpoint->last, sizeof(endpoint->last), "status %d", reply->status);
        else
                (void) snprintf(endpoint->last, sizeof(endpoint->last), "%.60s%s%.95s", seen->code,
                                seen->code[0] && seen->detail[0] ? ": " : "", seen->detail);
}

/* An answer says more than silence, and silence may pass by itself while a wrong certificate won't:
 * one endpoint with a wrong certificate must not make a permanent failure of a restart of the
 * others. A date that does not hold passes too. */
static int observation_weight(const Observation *o) {
        switch ((int) o->origin) {
        case ORIGIN_NONE:
                return 0;
        case ORIGIN_TLS:
                return streq(o->code, "not-yet-valid") || streq(o->code, "expired") ? 2 : 1;
        case ORIGIN_CURL:
        case ORIGIN_PROXY:
                return 3;
        }
        return 4;
}

void observation_keep_gravest(Observation *gravest, const Observation *other) {
        if (observation_weight(other) >= observation_weight(gravest))
                *gravest = *other;
}
