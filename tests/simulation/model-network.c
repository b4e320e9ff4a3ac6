/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names, routes and the kernel's word on its clock, in the place of the resolver and the kernel: all
 * that the network's gates look at before they shake hands. The handshakes themselves are
 * transfers, in model-coordinators.c.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/address.h"
#include "host/name-lookup.h"
#include "replaced.h"
#include "world.h"

#define LOOKUP_US (5 * USEC_PER_MSEC)

struct NameLookup {
        NameLookupHandler handler; /* NULL: nobody asks */
        void *userdata;
        size_t n;
        char host[LOOKUP_NAMES_MAX][64];
};

static LookupResult look_up(const char *host) {
        LookupResult r = { .answered = true };
        struct sockaddr_in address = { .sin_family = AF_INET };

        if (host_trouble(TROUBLE_NETWORK) || !coordinator_resolves(host)) {
                (void) snprintf(r.why, sizeof(r.why), "Temporary failure in name resolution");
                return r;
        }
        (void) inet_pton(AF_INET, "198.51.100.1", &address.sin_addr);
        memcpy(&r.addresses[0], &address, sizeof(address));
        r.sizes[0] = sizeof(address);
        r.n = 1;
        return r;
}

static void on_looked_up(void *subject) {
        NameLookup *l = subject;
        NameLookupHandler handler = l->handler;
        LookupResult results[LOOKUP_NAMES_MAX];

        for (size_t i = 0; i < l->n; i++)
                results[i] = look_up(l->host[i]);
        l->handler = NULL;
        handler(l->userdata, results, l->n);
}

/* --- agent/host/name-lookup.c ------------------------------------------------------------------ */

int name_lookup_new(sd_event *event, NameLookup **ret) {
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

NameLookup *name_lookup_free(NameLookup *l) {
        if (l)
                name_lookup_cancel(l);
        free(l);
        return NULL;
}

int name_lookup_start(NameLookup *l, const char *const hosts[], const char *const ports[], size_t n, usec_t limit_us,
                      NameLookupHandler handler, void *userdata) {
        name_lookup_cancel(l);
        l->handler = handler;
        l->userdata = userdata;
        l->n = n;
        for (size_t i = 0; i < n; i++)
                (void) snprintf(l->host[i], sizeof(l->host[i]), "%s", hosts[i]);
        world_later(LOOKUP_US, SIDE_HOST, on_looked_up, l);
        return 0;
}

void name_lookup_cancel(NameLookup *l) {
        world_forget(l);
        l->handler = NULL;
}

/* --- Of agent/host/address.c and agent/base/clock-sync.c --------------------------------------- */

int __wrap_address_route(const struct sockaddr *to, socklen_t size, char ret_source[static ADDRESS_SIZE]) {
        if (host_trouble(TROUBLE_NETWORK))
                return -ENETUNREACH;
        (void) snprintf(ret_source, ADDRESS_SIZE, "%s", OUR_ADDRESS);
        return 0;
}

ClockSync clock_sync(void) {
        return world->wall_error_us == 0 ? CLOCK_SYNCHRONISED : CLOCK_UNSYNCHRONISED;
}

const char *clock_sync_to_string(ClockSync sync) {
        return sync == CLOCK_SYNCHRONISED ? "synchronised" : "not synchronised";
}
