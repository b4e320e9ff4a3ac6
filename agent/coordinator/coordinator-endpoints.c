/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The coordinators as a list: in which order this host asks them, and what it has learnt of each.
 *
 * The order is shuffled once per host by its seed, so that a thousand hosts that boot together do
 * not all begin with the first line of the same spec. An endpoint that failed at the transport, or
 * says itself that it can't (5xx), steps back to the end for a while: a time-out is the dearest thing in a question, and
 * a token is asked for in one place only, so that a coordinator that is ill for good would hold up every host whose
 * first it is. A 429 speaks for the platform, and changes no order.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/coordinator-private.h"
#include "model/coordinator-url.h"

#define AVOID_US (2 * USEC_PER_MINUTE) /* longer than the longest usual pause between two tries */

/* splitmix64: a full-period mixer, good enough to spread load and free of state elsewhere. */
static uint64_t random_next(uint64_t *state) {
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

void endpoints_shuffle(size_t n, uint64_t seed, size_t ret[static SPEC_COORDINATORS_MAX]) {
        for (size_t i = 0; i < n; i++)
                ret[i] = i;
        for (size_t left = n; left > 1; left--) {
                size_t pick = (size_t) (random_next(&seed) % left), moved = ret[pick];

                ret[pick] = ret[left - 1];
                ret[left - 1] = moved;
        }
}

int endpoints_load(Coordinator *c, char *const *urls, uint64_t seed) {
        size_t n = 0, order[SPEC_COORDINATORS_MAX];

        while (urls && urls[n])
                n++;
        if (n > SPEC_COORDINATORS_MAX)
                return -E2BIG;
        if (n == 0)
                return -EINVAL;
        endpoints_shuffle(n, seed, order);
        for (size_t i = 0; i < n; i++) {
                Endpoint *e = &c->endpoints[c->n_endpoints++];
                char host[COORDINATOR_URL_SIZE];

                e->url = strdup(urls[order[i]]);
                coordinator_url_host(urls[order[i]], host);
                e->host = strdup(host);
                if (!e->url || !e->host)
                        return -ENOMEM;
        }
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
        endpoint->tried = true;
        endpoint->failing = !answered;
        endpoint->avoid_until_us = observation_is_silence(seen) || reply->status >= 500 ? usec_add(now_us, AVOID_US) : 0;
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
