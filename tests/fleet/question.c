/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a host asks, request by request: a model of agent/coordinator/coordinator-exchange.c, coordinator-look.c,
 * coordinator-reach.c, agent/enrolld/agent-gates.c and agent-view.c, and of what agent/http keeps of connections, which can't
 * be linked a hundred thousand times.
 *
 * What decides is not modelled: the order of coordinators, which of them is avoided after a failure, which trouble is
 * the gravest, what class and what exit code it has are asked of the agent's own code. Whether the model asks what the
 * agent asks is held against the whole agent by test-fleet.c.
 */

#include <errno.h>
#include <string.h>

#include "engine/classify.h"
#include "fleet-private.h"

/* Steps of WISH_REACH; those of the other questions are numbers of exchanges. */
enum { REACH_NAMES, REACH_ASK, REACH_FIRST, REACH_OTHERS };
#define FAILED_BEFORE UINT8_MAX /* the step of a PROBE whose first request has failed at the gates */

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

/* --- One request ------------------------------------------------------------------------------- */

/* On a connection that was used a moment ago, by the agent's rule (agent/http/http-connection.c). */
static bool is_kept(const Fleet *f, const Host *h, unsigned which) {
        usec_t most_us = h->wish == WISH_MINT ? KEPT_FOR_POST_US : HTTP_KEPT_US;

        return h->used_us[which] > 0 && f->now_us - h->used_us[which] <= most_us && coordinator_has_kept(f, which, h->used_us[which]);
}

static unsigned asked_now(const Host *h) {
        return h->endpoint[h->order[h->at_endpoint]];
}

static void ask_next(Fleet *f, Host *h) {
        unsigned which = asked_now(h);
        Reception r = coordinator_receive(f, which, false, h->in_haste ? REACH_TIMEOUT_US : CONNECT_SILENCE_US);

        fleet_count(f, h, which, is_kept(f, h, which) ? ARRIVAL_REQUEST : ARRIVAL_CONNECTION, r.answer);
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
        h->gravest_retry_after_us = 0;
        ask_next(f, h);
}

/* --- Handshakes: with the first of this host's order, then with all others ------------------------ */

static Door shake_hands(Fleet *f, Host *h, unsigned place) {
        unsigned which = h->endpoint[place];
        Reception r = coordinator_receive(f, which, true, REACH_TIMEOUT_US);

        fleet_count(f, h, which, ARRIVAL_HANDSHAKE, r.answer);
        if (f->now_us + r.takes_us > h->reach_until_us)
                h->reach_until_us = f->now_us + r.takes_us;
        return r.answer;
}

static void reach_first(Fleet *f, Host *h) {
        h->retry_after_us = 0;
        h->reach_until_us = 0;
        h->answer = shake_hands(f, h, 0);
        h->answer_us = h->reach_until_us;
        if (h->answer != DOOR_OPEN && h->answer_us > f->now_us + REACH_HEAD_START_US)
                h->answer_us = f->now_us + REACH_HEAD_START_US;
}

/* The first that is there is enough. */
static void reach_others(Fleet *f, Host *h) {
        bool good = false;

        for (unsigned i = 1; i < f->plan->coordinators; i++) {
                Door answer = shake_hands(f, h, i);

                good |= answer == DOOR_OPEN;
                h->answer = f->graver[h->answer][answer];
        }
        if (good)
                h->answer = DOOR_OPEN;
        h->answer_us = good ? f->now_us + ROUND_TRIP_US : h->reach_until_us;
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

/* PROBE's first request was answered at the gates. */
static void use_what_was_asked(Fleet *f, Host *h) {
        h->asked = false;
        h->step = 1;
        if (h->asked_answer == DOOR_OPEN)
                return begin_exchange(f, h);
        h->step = FAILED_BEFORE;
        h->answer = h->asked_answer;
        h->retry_after_us = h->asked_retry_after_us;
        h->answer_us = f->now_us;
}

void question_ask(Fleet *f, Host *h, Wish wish) {
        h->wish = wish;
        h->step = 0;
        h->in_haste = wish == WISH_REACH;
        if (wish == WISH_REACH) {
                h->asked = false;
                h->answer_us = f->now_us + LOOKUP_US;
        } else if (wish == WISH_PROBE && h->asked)
                use_what_was_asked(f, h);
        else
                begin_exchange(f, h);
}

void question_keeper(Fleet *f, Host *h, usec_t takes_us, EventKind told) {
        h->wish = WISH_KEEPER;
        h->told = told;
        h->answer_us = f->now_us + takes_us;
}

void question_cancel(Host *h) {
        h->asked = false;
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
        h->used_us[asked_now(h)] = observation_is_silence(&f->seen[h->answer]) ? 0 : f->now_us;
}

static bool was_sent(Door answer) {
        return answer != DOOR_SHUT && answer != DOOR_SILENT;
}

/* Nobody could answer here. True: that was the last who is asked. */
static bool move_on(Fleet *f, Host *h) {
        Door graver = f->graver[h->gravest][h->answer];

        if (graver == h->answer)
                h->gravest_retry_after_us = h->retry_after_us;
        h->gravest = graver;
        if (++h->at_endpoint == f->plan->coordinators || (h->in_haste && observation_is_silence(&f->seen[h->answer])))
                return true;
        ask_next(f, h);
        return false;
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
        if (!move_on(f, h))
                return false;
        h->retry_after_us = h->gravest_retry_after_us;
        return end(f, h, h->gravest, ret);
}

/* The first request, whose answer is kept for PROBE, whatever it is. */
static bool is_asked(Fleet *f, Host *h) {
        note(f, h);
        if (h->answer != DOOR_OPEN && !move_on(f, h))
                return false;
        h->asked_answer = h->answer == DOOR_OPEN ? DOOR_OPEN : h->gravest;
        h->asked_retry_after_us = h->answer == DOOR_OPEN ? 0 : h->gravest_retry_after_us;
        h->asked = !observation_is_silence(&f->seen[h->asked_answer]);
        if (!h->asked && f->plan->coordinators > 1) {
                h->step = REACH_FIRST;
                reach_first(f, h);
                return false;
        }
        return true;
}

static bool reach_goes_on(Fleet *f, Host *h, Ended *ret) {
        switch (h->step) {
        case REACH_NAMES:
                h->step = h->gate_shut && f->plan->coordinators > 1 ? REACH_FIRST : REACH_ASK;
                (h->step == REACH_FIRST ? reach_first : begin_exchange)(f, h);
                return false;
        case REACH_ASK:
                return is_asked(f, h) && end(f, h, h->asked ? DOOR_OPEN : h->asked_answer, ret);
        case REACH_FIRST:
                if (h->answer == DOOR_OPEN)
                        return end(f, h, h->answer, ret);
                h->step = REACH_OTHERS;
                reach_others(f, h);
                return false;
        }
        return end(f, h, h->answer, ret);
}

bool question_go_on(Fleet *f, Host *h, Ended *ret) {
        switch (h->wish) {
        case WISH_NONE:
        case WISH_KEEPER:
                return end(f, h, DOOR_OPEN, ret);
        case WISH_REACH:
                return reach_goes_on(f, h, ret);
        case WISH_PROBE:
                if (h->step == FAILED_BEFORE)
                        return end(f, h, h->answer, ret);
                break;
        case WISH_MINT:
        case WISH_LOOK:
                break;
        }
        return exchange_goes_on(f, h, ret);
}
