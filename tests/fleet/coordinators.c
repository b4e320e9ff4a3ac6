/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The coordinators: closed, silent, refusing, or serving so many requests per second and no more.
 *
 * A limit is a bucket that holds what is served in one second: what finds it empty is told 429 or 503. Or it is a queue
 * without end, in which a request may stand for longer than its sender waits; it is worked off all the same, which is what
 * overload costs. Handshakes without a request are answered by whoever ends TLS and cost the platform nothing; the books
 * count them apart.
 *
 * Retry-After is a fixed number, or what a server says that counts: the time by which everybody who has come until now would
 * have been served in turn.
 */

#include <string.h>

#include "base/text.h"
#include "fleet-private.h"

#define REQUEST UINT64_C(1000000) /* one request in a bucket */

bool door_from_string(const char *word, Door *ret) {
        static const struct {
                const char *word;
                Door answer;
        } words[] = {
                { "refused", DOOR_SHUT }, { "silence", DOOR_SILENT }, { "429", DOOR_429 },
                { "503", DOOR_503 },         { "503-ece", DOOR_503_ECE },
        };

        for (size_t i = 0; i < ELEMENTS(words); i++)
                if (streq(word, words[i].word)) {
                        *ret = words[i].answer;
                        return true;
                }
        return false;
}

void coordinators_begin(Fleet *f) {
        for (unsigned i = 0; i < f->plan->coordinators; i++)
                f->server[i] = (Server) { .filled_us = f->now_us, .level = f->plan->capacity * REQUEST };
}

static bool is_about(const Outage *o, unsigned which) {
        return o->which < 0 || o->which == (int) which;
}

/* Whoever refuses connections has gone down, and those that were open went with it. */
bool coordinator_has_kept(const Fleet *f, unsigned which, usec_t since_us) {
        for (size_t i = 0; i < f->plan->n_outages; i++) {
                const Outage *o = &f->plan->outage[i];
                usec_t from_us = FLEET_BEGIN_US + o->from_us, until_us = FLEET_BEGIN_US + o->until_us;

                if (o->answer == DOOR_SHUT && is_about(o, which) && from_us <= f->now_us && until_us > since_us)
                        return false;
        }
        return true;
}

/* The last outage that holds. */
static Door mood(const Fleet *f, unsigned which) {
        usec_t at_us = f->now_us - FLEET_BEGIN_US;
        Door answer = DOOR_OPEN;

        for (size_t i = 0; i < f->plan->n_outages; i++) {
                const Outage *o = &f->plan->outage[i];

                if (is_about(o, which) && at_us >= o->from_us && at_us < o->until_us)
                        answer = o->answer;
        }
        return answer;
}

/* Microseconds times requests per second are millionths of a request. */
static bool bucket_takes(Fleet *f, Server *s) {
        uint64_t full = f->plan->capacity * REQUEST;

        s->level += (f->now_us - s->filled_us) * f->plan->capacity;
        if (s->level > full)
                s->level = full;
        s->filled_us = f->now_us;
        if (s->level < REQUEST)
                return false;
        s->level -= REQUEST;
        return true;
}

static usec_t service_us(const Fleet *f) {
        return USEC_PER_SEC / f->plan->capacity;
}

/* A place in line for whoever comes, served or not. */
static void line_up(Fleet *f, Server *s) {
        s->slot_us = (s->slot_us > f->now_us ? s->slot_us : f->now_us) + service_us(f);
}

/* Whole seconds, as the header has them, and at least one. */
static usec_t place_in_line(const Fleet *f, const Server *s) {
        usec_t wait_us = usec_sub(s->slot_us, f->now_us);

        return wait_us > 0 ? (wait_us + USEC_PER_SEC - 1) / USEC_PER_SEC * USEC_PER_SEC : USEC_PER_SEC;
}

static Reception refuse(const Fleet *f, const Server *s, Door answer) {
        Reception r = { .answer = answer, .takes_us = ROUND_TRIP_US };

        if (f->plan->retry_after == RETRY_AFTER_FIXED)
                r.retry_after_us = f->plan->retry_after_us;
        else if (f->plan->retry_after == RETRY_AFTER_DRAINED)
                r.retry_after_us = place_in_line(f, s);
        return r;
}

static Reception stand_in_line(Fleet *f, Server *s) {
        usec_t begins_us = s->busy_until_us > f->now_us ? s->busy_until_us : f->now_us;
        usec_t takes_us;

        s->busy_until_us = begins_us + service_us(f);
        takes_us = s->busy_until_us - f->now_us + ROUND_TRIP_US;
        if (takes_us > TOTAL_US)
                return (Reception) { .answer = DOOR_LATE, .takes_us = TOTAL_US };
        return (Reception) { .answer = DOOR_OPEN, .takes_us = takes_us };
}

static Reception serve(Fleet *f, Server *s) {
        switch (f->plan->limit) {
        case LIMIT_QUEUE:
                return stand_in_line(f, s);
        case LIMIT_ANSWER:
                line_up(f, s);
                if (!bucket_takes(f, s))
                        return refuse(f, s, f->plan->limit_answer);
                break;
        case LIMIT_NONE:
                break;
        }
        return (Reception) { .answer = DOOR_OPEN, .takes_us = ROUND_TRIP_US };
}

Reception coordinator_receive(Fleet *f, unsigned which, bool handshake, usec_t patience_us) {
        Door answer = mood(f, which);

        if (answer == DOOR_SILENT)
                return (Reception) { .answer = answer, .takes_us = patience_us };
        if (answer == DOOR_SHUT)
                return (Reception) { .answer = answer, .takes_us = ROUND_TRIP_US };
        if (handshake)
                return (Reception) { .answer = DOOR_OPEN, .takes_us = ROUND_TRIP_US };
        return answer == DOOR_OPEN ? serve(f, &f->server[which]) : refuse(f, &f->server[which], answer);
}
