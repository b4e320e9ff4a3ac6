/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The inside of the fleet: what its files know of each other. */

#include "coordinator/coordinator-private.h"
#include "coordinator/coordinator-reach.h"
#include "fleet.h"
#include "http/http.h"

/* The same as in the simulation of one whole agent (tests/simulation), against which a test holds this one. */
#define ROUND_TRIP_US (30 * USEC_PER_MSEC)
#define LOOKUP_US (5 * USEC_PER_MSEC)
#define KEEPER_US USEC_PER_MSEC
#define SETTLE_US (500 * USEC_PER_MSEC)
#define TERMINATE_US (2 * USEC_PER_SEC)
#define CONNECT_SILENCE_US (5 * USEC_PER_SEC) /* of a request (http.h) */
#define KEPT_FOR_POST_US USEC_PER_SEC         /* http-connection.c */
#define TOTAL_US (30 * USEC_PER_SEC)

/* What a host wants to know. Each is one or several requests or handshakes, or the keeper's work. */
typedef enum Wish {
        WISH_NONE,
        WISH_REACH, /* names, then PROBE's first request in haste; if nobody answers, or did the last time, handshakes */
        WISH_PROBE, /* version, runner */
        WISH_MINT,
        WISH_LOOK,   /* runner, role, allocator */
        WISH_KEEPER, /* `takes_us`, then `told` */
} Wish;

typedef struct Host {
        usec_t due_us; /* when something happens to it; USEC_INFINITY: nothing does any more */
        unsigned at;   /* its place in the queue */

        usec_t boot_us, first_us, token_us, enrolled_us; /* 0: not yet */
        uint64_t chance;
        bool joined, over;

        /* The question under way. */
        Wish wish;
        bool with_version, keeper_follows, in_haste;
        uint8_t step, at_endpoint;
        uint8_t order[FLEET_COORDINATORS_MAX];    /* of this exchange */
        uint8_t endpoint[FLEET_COORDINATORS_MAX]; /* of this host: shuffled once */
        usec_t avoid_until_us[FLEET_COORDINATORS_MAX]; /* what this host knows of them, as an Endpoint has it */
        bool failing[FLEET_COORDINATORS_MAX];
        usec_t used_us[FLEET_COORDINATORS_MAX]; /* when its connection was used last; 0: there is none */
        Door answer, gravest;
        usec_t retry_after_us, gravest_retry_after_us;
        bool gate_shut, asked; /* nobody was there the last time; PROBE's first request is answered already: */
        Door asked_answer;
        usec_t asked_retry_after_us;
        usec_t reach_until_us; /* when the last handshake fails */
        usec_t answer_us; /* when what was asked is answered; USEC_INFINITY: nothing is under way */
        EventKind told;

        /* Ours. */
        Machine machine;
        Policy policy;
        usec_t installer_us; /* when the installer ends */

        /* A peer's. */
        unsigned stage, tries;
        usec_t wait_us, stable_since_us, seen_good_us;
} Host;

/* How a question ended, for whoever asked. */
typedef struct Ended {
        bool good;
        Door answer; /* the gravest of those that could not */
        bool has_retry_after;
        usec_t retry_after_us;
        Outcome *outcome; /* by the real classification; class OK when good */
        bool maybe_minted;
} Ended;

typedef struct Server {
        usec_t filled_us, busy_until_us, slot_us;
        uint64_t level; /* of the bucket, in millionths of a request */
} Server;

typedef struct Peer Peer;

typedef struct Fleet {
        const FleetPlan *plan;
        const Peer *peer; /* NULL: ours */
        usec_t now_us;
        Host *hosts;
        unsigned *queue; /* hosts, a heap by due_us */
        Server server[FLEET_COORDINATORS_MAX];
        Spec *spec;
        char *urls[FLEET_COORDINATORS_MAX + 1];
        Coordinator endpoints; /* for the real order; only its endpoints are in use */
        Exchange exchange;
        Observation seen[_DOOR_MAX];
        Outcome outcome[_DOOR_MAX][2]; /* without and with Retry-After */
        Door graver[_DOOR_MAX][_DOOR_MAX];
        unsigned at_rest;
        FleetResult result;
        size_t n_allocated;
        bool without_memory;
} Fleet;

uint32_t fleet_chance(Fleet *f, Host *h);
void fleet_count(Fleet *f, Host *h, unsigned coordinator, Arrival arrival, Door answer);
void fleet_due(Fleet *f, Host *h, usec_t due_us); /* moves it in the queue */
void fleet_over(Fleet *f, Host *h);               /* it is at an end */
usec_t fleet_pull_us(const Fleet *f, const Host *h); /* how long this host takes, whatever its policy */
usec_t fleet_install_us(const Fleet *f, const Host *h);
static inline unsigned fleet_number(const Fleet *f, const Host *h) {
        return (unsigned) (h - f->hosts);
}

/* coordinators.c */
typedef struct Reception {
        Door answer;
        usec_t takes_us, retry_after_us;
} Reception;
Reception coordinator_receive(Fleet *f, unsigned which, bool handshake, usec_t patience_us); /* with silence */
bool coordinator_has_kept(const Fleet *f, unsigned which, usec_t since_us); /* connections that were open then */
void coordinators_begin(Fleet *f);

/* question.c */
void questions_begin(Fleet *f);            /* what the real code says of each answer, once */
int question_shuffle(const Fleet *f, Host *h, uint64_t seed); /* this host's order of coordinators */
void question_ask(Fleet *f, Host *h, Wish wish);
void question_keeper(Fleet *f, Host *h, usec_t takes_us, EventKind told);
void question_cancel(Host *h);
/* Something that was asked is due. True: the question is over, and how. */
bool question_go_on(Fleet *f, Host *h, Ended *ret);

/* host.c */
void host_begin(Fleet *f, Host *h, const char *machine_id);
void host_go_on(Fleet *f, Host *h);
usec_t host_due(const Host *h);

/* peer.c */
const Peer *peer_by_name(const char *name);
void peer_begin(Fleet *f, Host *h);
void peer_go_on(Fleet *f, Host *h);
usec_t peer_due(const Host *h);
