/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The fleet: hosts in a queue by the time at which something happens to them, and the books.
 *
 * Each host is in the queue once, with the earliest of what it waits for, so the queue is as long as the fleet and there
 * is nothing in it to be forgotten. What happens at the same instant happens in the order of the queue, which depends on
 * the plan alone.
 */

#include "fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fleet-private.h"

/* splitmix64 */
static uint64_t mix(uint64_t *state) {
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

uint32_t fleet_chance(Fleet *f, Host *h) {
        return f->plan->chance ? f->plan->chance() : (uint32_t) (mix(&h->chance) >> 32);
}

/* Around the usual, by so much at most; from a state of its own, so that it is the same for each policy that is tried. */
static usec_t own_share(const Fleet *f, const Host *h, usec_t usual_us, uint64_t which) {
        uint64_t state = f->plan->seed * UINT64_C(0x2545f4914f6cdd1d) + 2 * (uint64_t) fleet_number(f, h) + which;
        usec_t span_us = usual_us * f->plan->spread / 100;

        return usual_us - span_us + mix(&state) % (2 * span_us + 1);
}

usec_t fleet_pull_us(const Fleet *f, const Host *h) {
        return own_share(f, h, f->plan->pull_us, 0);
}

usec_t fleet_install_us(const Fleet *f, const Host *h) {
        return own_share(f, h, f->plan->install_us, 1);
}

/* --- The queue --------------------------------------------------------------------------------- */

static void put(Fleet *f, unsigned place, unsigned host) {
        f->queue[place] = host;
        f->hosts[host].at = place;
}

static usec_t due_at(const Fleet *f, unsigned place) {
        return f->hosts[f->queue[place]].due_us;
}

static void rise(Fleet *f, unsigned place) {
        unsigned host = f->queue[place];

        while (place > 0 && f->hosts[host].due_us < due_at(f, (place - 1) / 2)) {
                put(f, place, f->queue[(place - 1) / 2]);
                place = (place - 1) / 2;
        }
        put(f, place, host);
}

static void sink(Fleet *f, unsigned place) {
        unsigned host = f->queue[place], n = f->plan->hosts;

        for (unsigned child = 2 * place + 1; child < n; child = 2 * place + 1) {
                if (child + 1 < n && due_at(f, child + 1) < due_at(f, child))
                        child++;
                if (due_at(f, child) >= f->hosts[host].due_us)
                        break;
                put(f, place, f->queue[child]);
                place = child;
        }
        put(f, place, host);
}

void fleet_due(Fleet *f, Host *h, usec_t due_us) {
        bool earlier = due_us < h->due_us;

        h->due_us = due_us;
        if (earlier)
                rise(f, h->at);
        else
                sink(f, h->at);
}

/* --- The books --------------------------------------------------------------------------------- */

static bool grow(unsigned **curve, size_t n, size_t wanted) {
        unsigned *grown = reallocarray(*curve, wanted, sizeof(*grown));

        if (!grown)
                return false;
        memset(grown + n, 0, (wanted - n) * sizeof(*grown));
        *curve = grown;
        return true;
}

static bool grow_curves(Fleet *f, size_t n) {
        size_t wanted = f->n_allocated * 2 > n ? f->n_allocated * 2 : n + 1024;

        if (!grow(&f->result.curve, f->n_allocated, wanted) || !grow(&f->result.curve_requests, f->n_allocated, wanted) ||
            !grow(&f->result.curve_handshakes, f->n_allocated, wanted))
                return false;
        f->n_allocated = wanted;
        return true;
}

static void count_one(unsigned *second, unsigned *peak) {
        if (++*second > *peak)
                *peak = *second;
}

static void count_answered(FleetResult *r, size_t second, Arrival arrival) {
        if (arrival != ARRIVAL_HANDSHAKE)
                count_one(&r->curve_requests[second], &r->peak_requests);
        if (arrival != ARRIVAL_REQUEST)
                count_one(&r->curve_handshakes[second], &r->peak_handshakes);
        r->requests += arrival != ARRIVAL_HANDSHAKE;
        r->handshakes += arrival != ARRIVAL_REQUEST;
        r->bare += arrival == ARRIVAL_HANDSHAKE;
}

void fleet_count(Fleet *f, Host *h, unsigned coordinator, Arrival arrival, Door answer) {
        FleetResult *r = &f->result;
        size_t second = (size_t) ((f->now_us - FLEET_BEGIN_US) / USEC_PER_SEC);

        if (second >= f->n_allocated && !grow_curves(f, second)) {
                f->without_memory = true;
                return;
        }
        if (second >= r->n_curve)
                r->n_curve = second + 1;
        count_one(&r->curve[second], &r->peak);
        if (answer == DOOR_SHUT || answer == DOOR_SILENT)
                r->knocks++;
        else
                count_answered(r, second, arrival);
        if (h->first_us == 0)
                h->first_us = f->now_us;
        if (f->plan->seen)
                f->plan->seen(f->plan->userdata, fleet_number(f, h), coordinator, arrival, answer, f->now_us - FLEET_BEGIN_US);
}

void fleet_over(Fleet *f, Host *h) {
        if (!h->over)
                f->at_rest++;
        h->over = true;
}

static int later(const void *a, const void *b) {
        usec_t x = *(const usec_t *) a, y = *(const usec_t *) b;

        return (x > y) - (x < y);
}

static double seconds(usec_t us) {
        return (double) us / (double) USEC_PER_SEC;
}

/* The time by which 99 of 100 had it. times holds those that have it, in any order. */
static double when_99(usec_t *times, unsigned n, unsigned hosts) {
        unsigned wanted = (unsigned) (((uint64_t) hosts * 99 + 99) / 100);

        if (n < wanted)
                return -1;
        qsort(times, n, sizeof(*times), later);
        return seconds(times[wanted - 1] - FLEET_BEGIN_US);
}

static int sum_up(Fleet *f) {
        FleetResult *r = &f->result;
        usec_t *times = calloc(f->plan->hosts, sizeof(*times)), first_us = 0;
        unsigned n_token = 0;

        if (!times)
                return -ENOMEM;
        for (unsigned i = 0; i < f->plan->hosts; i++) {
                if (f->hosts[i].token_us > 0)
                        times[n_token++] = f->hosts[i].token_us;
                first_us += usec_sub(f->hosts[i].first_us, f->hosts[i].boot_us);
        }
        r->token_99_s = when_99(times, n_token, f->plan->hosts);
        for (unsigned i = 0; i < f->plan->hosts; i++)
                if (f->hosts[i].enrolled_us > 0)
                        times[r->enrolled++] = f->hosts[i].enrolled_us;
        r->enrolled_99_s = when_99(times, r->enrolled, f->plan->hosts);
        r->failed = f->plan->hosts - r->enrolled;
        r->first_mean_s = seconds(first_us) / f->plan->hosts;
        r->end_s = seconds(f->now_us - FLEET_BEGIN_US);
        free(times);
        return 0;
}

/* --- Beginning --------------------------------------------------------------------------------- */

/* Read by the agent's own reader, so that what the plan does not say is the product's default. */
static int load_spec(Fleet *f) {
        const FleetPlan *p = f->plan;
        _cleanup_buffer_ Buffer text = BUFFER_INIT(16384);
        Problems problems = { 0 };
        int error;

        (void) buffer_append_string(&text, "version: 1\ncoordinators:\n");
        for (unsigned i = 0; i < p->coordinators; i++)
                (void) buffer_append_format(&text, "- https://%c.example:12443\n", 'a' + (int) i);
        (void) buffer_append_string(&text, "trust: {pins: [\"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"]}\n"
                                           "credential: {api_key: {from: credential, name: ece-api-key}}\n"
                                           "host: {roles: [allocator]}\n"
                                           "installer: {script: /opt/ece/elastic-cloud-enterprise.sh}\n");
        (void) buffer_append_string(&text, p->drift ? "" : "verify: {drift_every: 0}\n");
        error = spec_parse("enroll.yaml", buffer_string(&text), text.size, &problems, &f->spec);
        problems_done(&problems);
        if (error < 0)
                return error;
        if (p->splay_us != USEC_INFINITY)
                f->spec->retry.splay_us = p->splay_us;
        if (p->backoff_min_us != USEC_INFINITY)
                f->spec->retry.backoff_min_us = p->backoff_min_us;
        if (p->backoff_max_us != USEC_INFINITY)
                f->spec->retry.backoff_max_us = p->backoff_max_us;
        for (unsigned i = 0; i < p->coordinators; i++)
                f->urls[i] = f->spec->coordinators[i];
        return endpoints_load(&f->endpoints, f->urls, 0);
}

static int begin_host(Fleet *f, unsigned number) {
        Host *h = &f->hosts[number];
        uint64_t high, low;
        char id[33];
        int error;

        h->chance = f->plan->seed * UINT64_C(0xd6e8feb86659fd93) + number;
        h->boot_us = FLEET_BEGIN_US + (f->plan->hosts > 1 ? f->plan->boot_us * number / (f->plan->hosts - 1) : 0);
        low = mix(&h->chance);
        high = mix(&h->chance);
        (void) snprintf(id, sizeof(id), "%016llx%016llx", (unsigned long long) high, (unsigned long long) low);
        if (f->plan->machine_id)
                (void) snprintf(id, sizeof(id), "%s", f->plan->machine_id);
        error = f->plan->coordinators > 1 ? question_shuffle(f, h, mix(&h->chance)) : 0;
        if (error < 0)
                return error;
        host_begin(f, h, id);
        if (f->peer)
                peer_begin(f, h);
        fleet_due(f, h, f->peer ? peer_due(h) : host_due(h));
        return 0;
}

static bool makes_sense(const FleetPlan *p) {
        return p->hosts > 0 && p->hosts <= 1000000 && p->coordinators > 0 && p->coordinators <= FLEET_COORDINATORS_MAX &&
               p->spread <= 100 && (p->limit == LIMIT_NONE || (p->capacity > 0 && p->capacity <= USEC_PER_SEC)) &&
               (streq(p->policy, OUR_POLICY) || peer_by_name(p->policy));
}

static int begin(Fleet *f) {
        int error;

        f->hosts = calloc(f->plan->hosts, sizeof(*f->hosts));
        f->queue = calloc(f->plan->hosts, sizeof(*f->queue));
        if (!f->hosts || !f->queue)
                return -ENOMEM;
        error = load_spec(f);
        if (error < 0)
                return error;
        questions_begin(f);
        for (unsigned i = 0; i < f->plan->hosts; i++) {
                f->hosts[i].due_us = USEC_INFINITY;
                put(f, i, i);
        }
        coordinators_begin(f);
        for (unsigned i = 0; error >= 0 && i < f->plan->hosts; i++)
                error = begin_host(f, i);
        return error;
}

static void done(Fleet *f) {
        endpoints_free(&f->endpoints);
        (void) spec_free(f->spec);
        free(f->queue);
        free(f->hosts);
}

/* --- Living ------------------------------------------------------------------------------------ */

static bool goes_on(const Fleet *f) {
        usec_t next_us = f->hosts[f->queue[0]].due_us;

        if (f->without_memory || next_us == USEC_INFINITY)
                return false;
        if (f->plan->until_us > 0)
                return next_us <= FLEET_BEGIN_US + f->plan->until_us;
        return f->at_rest < f->plan->hosts && next_us <= FLEET_BEGIN_US + FLEET_LONGEST_US;
}

static void live(Fleet *f) {
        while (goes_on(f)) {
                Host *h = &f->hosts[f->queue[0]];

                f->now_us = h->due_us;
                if (f->peer)
                        peer_go_on(f, h);
                else
                        host_go_on(f, h);
                fleet_due(f, h, f->peer ? peer_due(h) : host_due(h));
        }
}

int fleet_play(const FleetPlan *plan, FleetResult *ret) {
        Fleet *f;
        int error;

        if (!makes_sense(plan))
                return -EINVAL;
        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->plan = plan;
        f->now_us = FLEET_BEGIN_US;
        f->peer = peer_by_name(plan->policy);
        error = begin(f);
        if (error >= 0) {
                live(f);
                error = f->without_memory ? -ENOMEM : sum_up(f);
        }
        if (error >= 0)
                *ret = f->result;
        else
                fleet_result_done(&f->result);
        done(f);
        free(f);
        return error;
}

void fleet_result_done(FleetResult *r) {
        free(r->curve);
        free(r->curve_requests);
        free(r->curve_handshakes);
        r->curve = r->curve_requests = r->curve_handshakes = NULL;
}
