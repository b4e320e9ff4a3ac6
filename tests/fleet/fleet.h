/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A fleet in virtual time: many hosts that enroll at once at a few coordinators which are down, slow or busy.
 *
 * A host of ours is the real Machine with the real Policy; only what the agent does around them is modelled, as thin as
 * possible (host.c, question.c). A host of a peer goes the same way with the peer's pauses (peer.c). Coordinators are
 * modelled (coordinators.c). Time is a number, all chance comes from a seed, so the same plan gives the same run.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/machine.h"

#define OUR_POLICY "ece-enroll"
#define FLEET_COORDINATORS_MAX 8U
#define OUTAGES_MAX 16U
#define FLEET_BEGIN_US (100 * USEC_PER_SEC) /* boottime when the first host starts: a host is never that new */
#define FLEET_LONGEST_US (24 * USEC_PER_HOUR)

/* How a coordinator meets a connection: what is found at its door. */
typedef enum Door {
        DOOR_OPEN,   /* as it should be */
        DOOR_SHUT,   /* nobody listens */
        DOOR_SILENT, /* packets vanish */
        DOOR_LATE,   /* it was accepted, and the reply did not come in time */
        DOOR_429,
        DOOR_503,     /* of a balancer: no body of ECE's */
        DOOR_503_ECE, /* in ECE's own words */
        _DOOR_MAX,
} Door;
bool door_from_string(const char *word, Door *ret); /* "refused", "silence", "429", "503", "503-ece" */

/* What comes to a coordinator's door. */
typedef enum Arrival {
        ARRIVAL_HANDSHAKE,  /* a connection that nothing follows */
        ARRIVAL_CONNECTION, /* a connection, and a request on it */
        ARRIVAL_REQUEST,    /* a request on a connection that was left open */
} Arrival;

/* For as long as it lasts, a coordinator answers like this. */
typedef struct Outage {
        usec_t from_us, until_us;
        Door answer;
        int which; /* coordinator; -1: all */
} Outage;

typedef enum LimitKind {
        LIMIT_NONE,
        LIMIT_ANSWER, /* what is too much is refused by `limit_answer` */
        LIMIT_QUEUE,  /* what is too much waits */
} LimitKind;

typedef enum RetryAfter { RETRY_AFTER_NONE, RETRY_AFTER_FIXED, RETRY_AFTER_DRAINED } RetryAfter;

/* What is played. Times count from the start of the first host. */
typedef struct FleetPlan {
        unsigned hosts;
        uint64_t seed;
        const char *policy; /* "ece-enroll", or a peer's name (peer.c) */
        bool splayed;       /* a peer is given our splay */
        usec_t boot_us;     /* hosts start evenly over this */
        usec_t pull_us, install_us;
        unsigned spread; /* percent by which these two differ from host to host, at most */
        usec_t until_us; /* 0: until every host is at an end */

        /* Of our spec; USEC_INFINITY: the default. The longest pause at a shut gate is no key of its own, it is tried in sweeps only. */
        usec_t splay_us, backoff_min_us, backoff_max_us, gate_max_us;
        bool drift; /* enrolled hosts are looked at again */

        unsigned coordinators;
        unsigned capacity; /* requests per second that each serves */
        LimitKind limit;
        Door limit_answer;
        RetryAfter retry_after; /* of every 429 and 503 */
        usec_t retry_after_us;
        Outage outage[OUTAGES_MAX];
        size_t n_outages;

        const char *machine_id; /* of every host; NULL: each has its own */
        /* For a test that wants the chance of another simulation; NULL: from the seed. */
        uint32_t (*chance)(void);
        void (*attempt)(void); /* its agent draws a name for each run of the installer */
        /* For a test that follows each arrival; NULL: nobody does. */
        void (*seen)(void *userdata, unsigned host, unsigned coordinator, Arrival arrival, Door answer, usec_t at_us);
        void *userdata;
} FleetPlan;

FleetPlan fleet_plan_usual(void);
/* Takes in "hosts=1000", "outage=0s-180s:refused@1" and the like (--help of the program lists them). False: it is none. */
bool fleet_plan_take(FleetPlan *plan, const char *word);

typedef struct FleetResult {
        unsigned enrolled, failed;
        uint64_t requests;   /* that somebody received */
        uint64_t handshakes; /* new connections, each a TLS handshake: those behind which a request came, and */
        uint64_t bare;       /* of them, those that nothing followed */
        uint64_t knocks;     /* requests and handshakes that nobody answered: refused, or silence */
        uint64_t tokens;
        /* In the busiest second: requests, bare handshakes and knocks together; requests; handshakes. */
        unsigned peak, peak_requests, peak_handshakes;
        double first_mean_s;              /* from a host's start to its first arrival */
        double token_99_s, enrolled_99_s; /* since the first start, when 99 of 100 hosts had it; -1: never */
        double end_s;
        unsigned *curve, *curve_requests, *curve_handshakes; /* the same by second */
        size_t n_curve;
} FleetResult;

/* 0, -EINVAL for a plan that makes no sense, -ENOMEM. */
int fleet_play(const FleetPlan *plan, FleetResult *ret);
void fleet_result_done(FleetResult *r);
