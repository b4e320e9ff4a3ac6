/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a host asks, connection by connection: a model of agent/coordinator/coordinator-exchange.c, coordinator-look.c,
 * coordinator-reach.c and agent/enrolld/agent-view.c, which can't be linked a hundred thousand times.
 *
 * What decides is not modelled: the order of coordinators, which of them is avoided after a failure, which trouble is
 * the gravest, what class and what exit code it has are asked of the agent's own code. Whether the model asks what the
 * agent asks is held against the whole agent by test-fleet.c.
 */

#include <errno.h>
#include <string.h>

#include "engine/classify.h"
#include "fleet-private.h"

/* --- What the real code says of each answer ---------------------------------------------------- */

static Observation as_seen(Door answer) {
        switch (answer) {
        case DOOR_OPEN:
                break;
        case DOOR_SHUT:
                return observe(ORIGIN_CURL, 7, "", NULL, NULL);
        case DOOR_SILENT:
        case DOOR_LATE:
                return observe(ORIGIN_CURL, 28, "", NULL, NULL);
        case DOOR_429:
                return observe(ORIGIN_HTTP, 429, "", NULL, NULL);
        case DOOR_503:
                return observe(ORIGIN_HTTP, 503, "", NULL, NULL);
        case DOOR_503_ECE:
                return observe(ORIGIN_ECE, 503, "root.busy", NULL, NULL);
        case _DOOR_MAX:
                break;
        }
        return OBSERVATION_NONE;
}

static Door graver_of(const Fleet *f, Door a, Door b) {
        Observation kept = f->seen[a], other = f->seen[b];

        kept.where[0] = 'a';
        other.where[0] = 'b';
        observation_keep_gravest(&kept, &other);
        return kept.where[0] == 'a' ? a : b;
}

void questions_begin(Fleet *f) {
        for (Door a = 0; a < _DOOR_MAX; a++) {
                Observation later = f->seen[a] = as_seen(a);

                later.retry_after_us = USEC_PER_SEC;
                f->outcome[a][0] = f->outcome[a][1] = OUTCOME_OK;
                if (a == DOOR_OPEN)
                        continue;
                classify(&f->seen[a], &f->outcome[a][0]);
                classify(&later, &f->outcome[a][1]);
        }
        for (Door a = 0; a < _DOOR_MAX; a++)
                for (Door b = 0; b < _DOOR_MAX; b++)
                        f->graver[a][b] = graver_of(f, a, b);
}

int question_shuffle(const Fleet *f, Host *h, uint64_t seed) {
        Coordinator c = { 0 };
        int error = endpoints_load(&c, f->urls, seed);

        for (size_t i = 0; error >= 0 && i < c.n_endpoints; i++)
                for (unsigned n = 0; n < f->plan->coordinators; n++)
                        if (strcmp(c.endpoints[i].url, f->urls[n]) == 0)
                                h->endpoint[i] = (uint8_t) n;
        endpoints_free(&c);
        return error;
}

/* --- One connection ---------------------------------------------------------------------------- */

static void connect_next(Fleet *f, Host *h) {
        unsigned which = h->endpoint[h->order[h->at_endpoint]];
        Reception r = coordinator_receive(f, which, false);

        fleet_count(f, h, which, false, r.answer);
        h->answer = r.answer;
        h->retry_after_us = r.retry_after_us;
        h->answer_us = f->now_us + r.takes_us;
}

static void begin_exchange(Fleet *f, Host *h) {
        for (unsigned i = 0; i < f->plan->coordinators; i++) {
                f->endpoints.endpoints[i].avoid_until_us = h->avoid_until_us[i];
                f->endpoints.endpoints[i].failing = h->failing[i];
        }
        endpoints_order(&f->endpoints, f->now_us, &f->exchange);
        for (unsigned i = 0; i < f->plan->coordinators; i++)
                h->order[i] = (uint8_t) f->exchange.order[i];
        h->at_endpoint = 0;
        h->gravest = DOOR_OPEN;
        connect_next(f, h);
}

/* All at once, and the first that is there is enough. */
static void reach_all(Fleet *f, Host *h) {
        usec_t longest_us = 0;

        h->gravest = DOOR_SHUT;
        h->answer = _DOOR_MAX;
        for (unsigned i = 0; i < f->plan->coordinators; i++) {
                Reception r = coordinator_receive(f, i, true);

                fleet_count(f, h, i, true, r.answer);
                h->gravest = i == 0 ? r.answer : f->graver[h->gravest][r.answer];
                if (r.answer == DOOR_OPEN)
                        h->answer = DOOR_OPEN;
                if (r.takes_us > longest_us)
                        longest_us = r.takes_us;
        }
        h->retry_after_us = 0;
        if (h->answer == DOOR_OPEN)
                longest_us = ROUND_TRIP_US;
        else
                h->answer = h->gravest;
        h->answer_us = f->now_us + longest_us;
}

/* --- Questions --------------------------------------------------------------------------------- */

static unsigned exchanges(const Host *h) {
        switch (h->wish) {
        case WISH_PROBE:
                return h->joined ? 4 : 2;
        case WISH_LOOK:
                return h->with_version ? 4 : 3;
        case WISH_MINT:
                return 1;
        case WISH_NONE:
        case WISH_REACH:
        case WISH_KEEPER:
                break;
        }
        return 0;
}

void question_ask(Fleet *f, Host *h, Wish wish) {
        h->wish = wish;
        h->step = 0;
        if (wish == WISH_REACH)
                h->answer_us = f->now_us + LOOKUP_US;
        else
                begin_exchange(f, h);
}

void question_keeper(Fleet *f, Host *h, usec_t takes_us, EventKind told) {
        h->wish = WISH_KEEPER;
        h->told = told;
        h->answer_us = f->now_us + takes_us;
}

void question_cancel(Host *h) {
        h->wish = WISH_NONE;
        h->answer_us = USEC_INFINITY;
}

/* A reply that was lost, or a 5xx that is not ECE's own word, may have made a token all the same. */
static bool is_in_doubt(const Host *h, Door answer) {
        return h->wish == WISH_MINT && (answer == DOOR_503 || answer == DOOR_LATE);
}

static bool end(Fleet *f, Host *h, Door answer, Ended *ret) {
        bool later = answer != DOOR_OPEN && h->retry_after_us > 0;

        *ret = (Ended) { .good = answer == DOOR_OPEN, .answer = answer, .has_retry_after = later,
                         .retry_after_us = later ? h->retry_after_us : 0, .outcome = &f->outcome[answer][later],
                         .maybe_minted = is_in_doubt(h, answer) };
        h->answer_us = USEC_INFINITY;
        return true;
}

/* What the endpoint did is written down by the agent's own rule. */
static void note(Fleet *f, Host *h) {
        static const int status[_DOOR_MAX] = { [DOOR_OPEN] = 200, [DOOR_429] = 429, [DOOR_503] = 503, [DOOR_503_ECE] = 503 };
        Endpoint endpoint = { 0 };
        HttpReply reply = { .status = status[h->answer] };

        endpoint_note(&endpoint, &reply, &f->seen[h->answer], h->answer == DOOR_OPEN, f->now_us);
        h->avoid_until_us[h->order[h->at_endpoint]] = endpoint.avoid_until_us;
        h->failing[h->order[h->at_endpoint]] = endpoint.failing;
}

static bool was_sent(Door answer) {
        return answer != DOOR_SHUT && answer != DOOR_SILENT;
}

static bool exchange_goes_on(Fleet *f, Host *h, Ended *ret) {
        note(f, h);
        if (h->answer == DOOR_OPEN) {
                if (++h->step == exchanges(h))
                        return end(f, h, DOOR_OPEN, ret);
                begin_exchange(f, h);
                return false;
        }
        if (h->wish == WISH_MINT && was_sent(h->answer))
                return end(f, h, h->answer, ret); /* it must not happen twice */
        h->gravest = f->graver[h->gravest][h->answer];
        if (++h->at_endpoint == f->plan->coordinators)
                return end(f, h, h->gravest, ret);
        connect_next(f, h);
        return false;
}

bool question_go_on(Fleet *f, Host *h, Ended *ret) {
        switch (h->wish) {
        case WISH_NONE:
        case WISH_KEEPER:
                return end(f, h, DOOR_OPEN, ret);
        case WISH_REACH:
                if (h->step++ > 0)
                        return end(f, h, h->answer, ret);
                reach_all(f, h);
                return false;
        case WISH_PROBE:
        case WISH_MINT:
        case WISH_LOOK:
                break;
        }
        return exchange_goes_on(f, h, ret);
}
