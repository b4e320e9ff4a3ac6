/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Looks names up without ever hanging on one: each in a worker of its own, all at once, within a limit. A
 * lookup that is not done when its time is up goes on by itself; who asks again for the same name waits for
 * its answer and starts no second one.
 */

#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/clock.h"

#define LOOKUP_NAMES_MAX 16U
#define LOOKUP_ADDRESSES_MAX 8U

typedef union LookupAddress {
        struct sockaddr any;
        struct sockaddr_storage storage;
} LookupAddress;

typedef struct LookupResult {
        bool literal;  /* an address, so nothing was looked up */
        bool answered; /* false: not within the limit */
        char why[96];  /* the resolver's words, "" when there are addresses */
        size_t n;
        LookupAddress addresses[LOOKUP_ADDRESSES_MAX];
        socklen_t sizes[LOOKUP_ADDRESSES_MAX];
} LookupResult;

typedef struct NameLookup NameLookup;

/* results are in the order of the names and valid while the handler runs. Runs from the loop. */
typedef void (*NameLookupHandler)(void *userdata, const LookupResult *results, size_t n);

int name_lookup_new(sd_event *event, NameLookup **ret);
NameLookup *name_lookup_free(NameLookup *l); /* cancels */

/* hosts: names or addresses (no brackets), at most LOOKUP_NAMES_MAX; ports beside them. The handler of an earlier
 * question is forgotten. 0; -E2BIG, -ENAMETOOLONG, -ENOMEM. */
int name_lookup_start(NameLookup *l, const char *const hosts[], const char *const ports[], size_t n, usec_t limit_us,
                      NameLookupHandler handler, void *userdata);
void name_lookup_cancel(NameLookup *l);
