/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Four gates, one after the other, because each is only worth asking when the one before it is open: without
 * a name there is no address, without an address no route, without a route nobody to shake hands with.
 * Those behind a shut one are left untried, so that the trouble is named once, where it is.
 *
 * With several coordinators one is enough, at each gate: the agent asks whichever answers. So a name that
 * does not resolve shuts nothing while another one does; it is told in what was found.
 *
 * The caller's own first question is as good as a handshake, and saves the platform one for each host that boots. Who finds nobody so,
 * now or the last time, and has several to choose from, shakes hands: with all of them at once, where a question would wait for each in
 * turn. Who has one alone asks it again: who answers then is asked on that connection, not on another.
 *
 * Coordinators whose names did not resolve are not given to the HTTP library, which would look them up
 * again and, in its older releases, wait for that with the whole loop.
 */

#include "enrolld/network-gates.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "coordinator/coordinator-reach.h"
#include "host/address.h"
#include "host/name-lookup.h"

typedef enum NetworkGate { GATE_NAMES, GATE_ROUTE, GATE_COORDINATOR, GATE_TIME, _NETWORK_GATE_MAX } NetworkGate;

static const char *const names[_NETWORK_GATE_MAX] = {
        [GATE_NAMES] = "names",
        [GATE_ROUTE] = "route",
        [GATE_COORDINATOR] = "coordinator",
        [GATE_TIME] = "time",
};

typedef struct HostPort {
        char host[256], port[8];
} HostPort;

struct NetworkGates {
        sd_event *event;
        Http *http;
        NameLookup *lookup;
        CoordinatorReach *reach;

        NetworkQuestion question;
        NetworkGatesHandler handler; /* NULL: nobody asks */
        void *userdata;
        usec_t began_us; /* the gate that is being looked at */
        size_t n;
        HostPort places[SPEC_COORDINATORS_MAX];
        Observation known[SPEC_COORDINATORS_MAX]; /* why a coordinator can't be asked; none: it can */
        Gates gates;
        bool nobody_answered; /* when coordinators were looked at last */
};

size_t network_gates_n(void) {
        return _NETWORK_GATE_MAX;
}

const char *network_gate_name(size_t which) {
        return names[which];
}

static Gate *gate_at(NetworkGates *n, NetworkGate which) {
        return &n->gates.items[which];
}

static void began(NetworkGates *n) {
        n->began_us = clock_boottime_us();
}

static void judge(NetworkGates *n, NetworkGate which, const Observation *seen) {
        Gate *gate = gate_at(n, which);

        gate_judge(gate, seen);
        gate->took_us = usec_sub(clock_boottime_us(), n->began_us);
}

/* What is behind a shut gate was not looked at. */
static void finish(NetworkGates *n) {
        NetworkGatesHandler handler = n->handler;
        const Gate *shut = gates_first_shut(&n->gates);
        char why[64];

        n->nobody_answered = shut == gate_at(n, GATE_COORDINATOR) || shut == gate_at(n, GATE_TIME);
        if (shut)
                (void) snprintf(why, sizeof(why), "not looked at while '%s' is shut", shut->name);
        for (size_t i = 0; shut && i < n->gates.n; i++)
                if (n->gates.items[i].state == GATE_UNTRIED)
                        gate_leave_untried(&n->gates.items[i], why);
        n->handler = NULL;
        if (handler)
                handler(n->userdata, &n->gates);
}

/* --- time --- */

static bool is_date(const Observation *o) {
        return o->origin == ORIGIN_TLS && (streq(o->code, "expired") || streq(o->code, "not-yet-valid"));
}

static void judge_time(NetworkGates *n, const Observation *refusal) {
        char now[RFC3339_SIZE], offset[96] = "";
        int64_t s = n->question.clock_offset_s;

        if (n->question.has_clock_offset)
                (void) snprintf(offset, sizeof(offset), "; the platform's clock is %lld s %s", (long long) (s < 0 ? -s : s),
                                s < 0 ? "behind" : "ahead");
        gate_found(gate_at(n, GATE_TIME), "%s, %s%s", clock_format_rfc3339(clock_realtime_us(), now),
                   clock_sync_to_string(clock_sync()), offset);
        judge(n, GATE_TIME, refusal);
}

/* --- coordinator --- */

static void tell_reached(NetworkGates *n, const ReachEntry *entries, size_t n_entries, bool by_date) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(GATE_FOUND_SIZE * 4);

        for (size_t i = 0; i < n_entries; i++) {
                const ReachEntry *e = &entries[i];
                bool good = e->known && (observation_is_none(&e->seen) || (by_date && is_date(&e->seen)));

                if (good || n->question.all)
                        (void) buffer_append_format(&text, "%s%s%s", text.size ? ", " : "", e->url,
                                                    good ? "" : " (not this one)");
        }
        gate_found(gate_at(n, GATE_COORDINATOR), "%s%s", buffer_string(&text),
                   by_date ? " but for the certificate's dates" : "");
}

static void on_reached(void *userdata, const ReachEntry *entries, size_t n_entries, const Observation *failure) {
        static const Observation nothing = { .origin = ORIGIN_NONE };
        NetworkGates *n = userdata;
        bool by_date = is_date(failure);

        n->reach = NULL;
        /* Dates are looked at last (http/trust.c), so one who fails by them alone is the coordinator. */
        if (by_date || observation_is_none(failure))
                tell_reached(n, entries, n_entries, by_date);
        judge(n, GATE_COORDINATOR, by_date ? &nothing : failure);
        if (by_date || observation_is_none(failure)) {
                began(n);
                judge_time(n, failure);
        }
        finish(n);
}

static void shake_hands(NetworkGates *n) {
        const ReachRequest request = {
                .spec = n->question.spec,
                .via = n->question.via,
                .seed = n->question.seed,
                .all = n->question.all,
                .known = n->known,
        };
        Observation refusal = OBSERVATION_NONE;
        int error = coordinator_reach(n->event, n->http, &request, on_reached, n, &n->reach, &refusal);

        if (error >= 0)
                return;
        if (observation_is_none(&refusal))
                refusal = observe(ORIGIN_AGENT, -error, "internal", NULL, "can't shake hands: %s", strerror(-error));
        judge(n, GATE_COORDINATOR, &refusal);
        finish(n);
}

static bool is_alone(const NetworkGates *n) {
        return n->n == 1;
}

void network_gates_asked(NetworkGates *n, const char *url, const Observation *silence) {
        const ReachEntry entry = { .url = url, .known = true, .seen = *silence };

        if (!n->handler)
                return; /* cancelled meanwhile */
        if (observation_is_none(silence) || is_alone(n))
                on_reached(n, &entry, 1, silence); /* a handshake with the only one would say no more */
        else
                shake_hands(n);
}

static bool all_may_answer(const NetworkGates *n) {
        for (size_t i = 0; i < n->n; i++)
                if (!observation_is_none(&n->known[i]))
                        return false;
        return true;
}

static bool may_ask(const NetworkGates *n) {
        return n->question.ask && all_may_answer(n) && (!n->nobody_answered || is_alone(n));
}

static void ask_coordinators(NetworkGates *n) {
        began(n);
        if (!may_ask(n) || !n->question.ask(n->question.ask_userdata))
                shake_hands(n);
}

/* --- route --- */

/* 0 when there is a route to one of the addresses, and `found` says which; else the first address's errno. */
static int find_route(NetworkGates *n, size_t which, const LookupResult *r, char ret_address[static ADDRESS_SIZE]) {
        char source[ADDRESS_SIZE], address[ADDRESS_SIZE];
        int first = 0;

        for (size_t i = 0; i < r->n; i++) {
                int error = address_route(&r->addresses[i].any, r->sizes[i], source);

                (void) address_format(&r->addresses[i].any, address);
                if (error >= 0) {
                        if (!gate_at(n, GATE_ROUTE)->found[0])
                                gate_found(gate_at(n, GATE_ROUTE), "from %s to %s", source, address);
                        return 0;
                }
                if (first == 0) {
                        first = error;
                        (void) memcpy(ret_address, address, sizeof(address));
                }
        }
        n->known[which] = observe(ORIGIN_HOST, -first, "route", n->question.spec->coordinators[which], "%s: %s", ret_address,
                                  strerror(-first));
        return first;
}

static bool judge_route(NetworkGates *n, const LookupResult *results) {
        Observation seen = OBSERVATION_NONE;
        bool open = false;

        began(n);
        for (size_t i = 0; i < n->n; i++) {
                char address[ADDRESS_SIZE];

                if (results[i].n == 0)
                        continue;
                if (find_route(n, i, &results[i], address) >= 0)
                        open = true;
                else if (observation_is_none(&seen))
                        seen = n->known[i];
        }
        judge(n, GATE_ROUTE, open ? &(Observation) { .origin = ORIGIN_NONE } : &seen);
        return open;
}

/* --- names --- */

/* CURLE_COULDNT_RESOLVE_HOST: the same trouble as when a request meets it, so the same reason. */
#define RESOLVE_FAILED 6

static Observation judge_name(const NetworkGates *n, size_t i, const LookupResult *r) {
        if (r->n > 0)
                return OBSERVATION_NONE;
        if (!r->answered)
                return observe(ORIGIN_CURL, RESOLVE_FAILED, "", n->question.spec->coordinators[i],
                               "no answer for %s within %g s", n->places[i].host,
                               (double) NAMES_LIMIT_US / (double) USEC_PER_SEC);
        return observe(ORIGIN_CURL, RESOLVE_FAILED, "", n->question.spec->coordinators[i], "%s: %s", n->places[i].host,
                       r->why[0] ? r->why : "it has no address");
}

static bool judge_names(NetworkGates *n, const LookupResult *results) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(GATE_FOUND_SIZE * 4);
        Observation seen = OBSERVATION_NONE;
        bool open = false;

        for (size_t i = 0; i < n->n; i++) {
                const LookupResult *r = &results[i];
                char address[ADDRESS_SIZE];

                n->known[i] = judge_name(n, i, r);
                if (observation_is_none(&seen))
                        seen = n->known[i];
                open = open || r->n > 0;
                if (r->n == 0)
                        (void) buffer_append_format(&text, "%s%s: %s", text.size ? ", " : "", n->places[i].host,
                                                    r->answered ? r->why : "no answer");
                else if (!r->literal)
                        (void) buffer_append_format(&text, "%s%s is %s", text.size ? ", " : "", n->places[i].host,
                                                    address_format(&r->addresses[0].any, address));
        }
        gate_found(gate_at(n, GATE_NAMES), "%s", text.size ? buffer_string(&text) : "addresses only, nothing to look up");
        judge(n, GATE_NAMES, open ? &(Observation) { .origin = ORIGIN_NONE } : &seen);
        return open;
}

static void on_names(void *userdata, const LookupResult *results, size_t n_results) {
        NetworkGates *n = userdata;

        if (!judge_names(n, results) || !judge_route(n, results))
                return finish(n);
        ask_coordinators(n);
}

/* --- The question --- */

/* "https://HOST:PORT" or a proxy's, as the spec's reader has made it; an IPv6 address stands in brackets. */
static int cut_url(const char *url, HostPort *ret) {
        const char *host = strstr(url, "://");
        const char *port = strrchr(url, ':');
        size_t size;

        host = host ? host + 3 : url;
        if (!port || port < host)
                return -EINVAL;
        size = (size_t) (port - host);
        if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
                host++;
                size -= 2;
        }
        if (size >= sizeof(ret->host) || strlen(port + 1) >= sizeof(ret->port))
                return -ENAMETOOLONG;
        (void) snprintf(ret->host, sizeof(ret->host), "%.*s", (int) size, host);
        (void) snprintf(ret->port, sizeof(ret->port), "%s", port + 1);
        return 0;
}

int network_gates_start(NetworkGates *n, const NetworkQuestion *question, NetworkGatesHandler handler, void *userdata) {
        const char *hosts[SPEC_COORDINATORS_MAX], *ports[SPEC_COORDINATORS_MAX];
        int error = 0;

        network_gates_cancel(n);
        n->question = *question;
        n->gates = (Gates) { 0 };
        for (NetworkGate i = 0; i < _NETWORK_GATE_MAX; i++) {
                Gate gate = gate_named(names[i]);

                (void) gates_put(&n->gates, &gate);
        }
        for (n->n = 0; error >= 0 && question->spec->coordinators[n->n]; n->n++) {
                if (n->n == SPEC_COORDINATORS_MAX)
                        return -E2BIG;
                error = cut_url(via_first_hop(question->spec, question->spec->coordinators[n->n]), &n->places[n->n]);
                hosts[n->n] = n->places[n->n].host;
                ports[n->n] = n->places[n->n].port;
        }
        began(n);
        if (error >= 0)
                error = name_lookup_start(n->lookup, hosts, ports, n->n, NAMES_LIMIT_US, on_names, n);
        if (error < 0)
                return error;
        n->handler = handler;
        n->userdata = userdata;
        return 0;
}

void network_gates_cancel(NetworkGates *n) {
        n->handler = NULL;
        name_lookup_cancel(n->lookup);
        coordinator_reach_cancel(TAKE_PTR(n->reach));
}

int network_gates_new(sd_event *event, Http *http, NetworkGates **ret) {
        NetworkGates *n = calloc(1, sizeof(*n));
        int error;

        if (!n)
                return -ENOMEM;
        n->http = http;
        n->event = sd_event_ref(event);
        error = name_lookup_new(event, &n->lookup);
        if (error < 0) {
                (void) network_gates_free(n);
                return error;
        }
        *ret = n;
        return 0;
}

NetworkGates *network_gates_free(NetworkGates *n) {
        if (!n)
                return NULL;
        if (n->lookup)
                network_gates_cancel(n);
        (void) name_lookup_free(n->lookup);
        (void) sd_event_unref(n->event);
        free(n);
        return NULL;
}
