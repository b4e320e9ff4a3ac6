/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Can a coordinator be reached and trusted? Asked by a TLS handshake with full verification and not a
 * byte of HTTP behind it, so no credential is needed and nothing is spent: of the one that this host asks first, and of
 * all others when that one fails or says nothing for REACH_HEAD_START_US.
 *
 * One that verifies is enough. When none does, the failure is that of the one that said most, by the
 * same rule as for requests (coordinator.h).
 */

#include "coordinator/via.h"
#include "http/http.h"
#include "model/spec.h"

typedef struct CoordinatorReach CoordinatorReach;

#define REACH_TIMEOUT_US (2500 * USEC_PER_MSEC)
#define REACH_HEAD_START_US (250 * USEC_PER_MSEC) /* RFC 8305, 8: the usual delay between attempts */

typedef struct ReachEntry {
        const char *url; /* the spec's */
        bool known;      /* false: nobody waited for its answer */
        Observation seen; /* none: reached and verified */
} ReachEntry;

typedef struct ReachRequest {
        const Spec *spec;  /* outlives the question */
        usec_t timeout_us; /* of each handshake; 0: REACH_TIMEOUT_US */
        const Via *via;    /* outlives the question; or NULL */
        uint64_t seed;     /* of this host, as of its Coordinator: whom it asks first */
        bool all;          /* ask all at once, and wait for every answer */
        /* What is known before: a coordinator whose place holds anything but none is not asked. NULL: nothing. */
        const Observation *known;
} ReachRequest;

/* failure: none when one verified. entries are in the spec's order. Runs from the loop. */
typedef void (*ReachHandler)(void *userdata, const ReachEntry *entries, size_t n, const Observation *failure);

/* 0; -EINVAL with refusal when the spec's trust can't be used; -ENOMEM or another errno. Frees itself
 * before its handler runs. */
int coordinator_reach(sd_event *event, Http *http, const ReachRequest *request, ReachHandler handler,
                      void *userdata, CoordinatorReach **ret, Observation *refusal);
/* Ends it without the handler. NULL is accepted. */
void coordinator_reach_cancel(CoordinatorReach *reach);
