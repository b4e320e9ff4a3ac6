/* SPDX-License-Identifier: Apache-2.0 */

/*
 * getaddrinfo(3) in threads.
 *
 * It knows everything that may give a host a name on this machine, and so says the same as the HTTP
 * library and the installer will; and it can't be told how long to try. With a name server that is away it
 * comes back after 10 s and more. So each name has a worker, and a slot that remembers it: a lookup that
 * is still at work when the question is put again is joined. Its answer is then fresh, as it is given now.
 *
 * A question is answered when all its names are, or at its limit, with what is known then.
 */

#include "host/name-lookup.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/worker.h"

#define HOST_SIZE 256

typedef struct Lookup {
        char host[HOST_SIZE], port[8];
        LookupResult result;
} Lookup;

typedef struct Slot {
        NameLookup *owner;
        Worker *worker; /* NULL: the slot is free */
        char host[HOST_SIZE], port[8];
} Slot;

struct NameLookup {
        sd_event *event;
        sd_event_source *limit;
        Slot slots[2 * LOOKUP_NAMES_MAX]; /* those of a former spec may hang in half of them */

        NameLookupHandler handler; /* NULL: nobody asks */
        void *userdata;
        size_t n;
        Slot *asked[LOOKUP_NAMES_MAX]; /* NULL: answered */
        LookupResult results[LOOKUP_NAMES_MAX];
};

/* --- One name --- */

static void take_addresses(const struct addrinfo *list, LookupResult *ret) {
        for (const struct addrinfo *a = list; a && ret->n < LOOKUP_ADDRESSES_MAX; a = a->ai_next) {
                if (a->ai_addrlen > sizeof(ret->addresses[0]))
                        continue;
                (void) memcpy(&ret->addresses[ret->n], a->ai_addr, a->ai_addrlen);
                ret->sizes[ret->n++] = a->ai_addrlen;
        }
}

/* False: the host is no address, and flags asked for one. */
static bool resolve(const char *host, const char *port, int flags, LookupResult *ret) {
        const struct addrinfo hints = {
                .ai_family = AF_UNSPEC,
                .ai_socktype = SOCK_STREAM,
                .ai_flags = flags | AI_NUMERICSERV,
        };
        struct addrinfo *list = NULL;
        int error = getaddrinfo(host, port, &hints, &list);

        if (error == EAI_NONAME && (flags & AI_NUMERICHOST))
                return false;
        ret->answered = true;
        if (error == 0) {
                take_addresses(list, ret);
                freeaddrinfo(list);
        } else
                (void) text_copy_printable(ret->why, sizeof(ret->why),
                                           error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
        return true;
}

static void work(void *job) {
        Lookup *lookup = job;

        (void) resolve(lookup->host, lookup->port, 0, &lookup->result);
}

/* --- The answer --- */

static void answer(NameLookup *l) {
        NameLookupHandler handler = l->handler;

        l->handler = NULL;
        (void) sd_event_source_set_enabled(l->limit, SD_EVENT_OFF);
        if (handler)
                handler(l->userdata, l->results, l->n);
}

static bool all_answered(const NameLookup *l) {
        for (size_t i = 0; i < l->n; i++)
                if (l->asked[i])
                        return false;
        return true;
}

static void on_looked_up(void *userdata, void *job) {
        Slot *slot = userdata;
        NameLookup *l = slot->owner;

        for (size_t i = 0; i < l->n; i++)
                if (l->asked[i] == slot) {
                        l->results[i] = ((Lookup *) job)->result;
                        l->asked[i] = NULL;
                }
        slot->worker = worker_free(slot->worker);
        if (l->handler && all_answered(l))
                answer(l);
}

static int on_limit(sd_event_source *source, uint64_t at, void *userdata) {
        answer(userdata);
        return 0;
}

/* --- Asking --- */

/* The lookup of this name that is at work, or else a free slot; NULL when there is neither. */
static Slot *slot_for(NameLookup *l, const char *host, const char *port) {
        Slot *unused = NULL;

        for (size_t i = 0; i < ELEMENTS(l->slots); i++) {
                Slot *s = &l->slots[i];

                if (!s->worker)
                        unused = unused ?: s;
                else if (streq(s->host, host) && streq(s->port, port))
                        return s;
        }
        return unused;
}

static int slot_start(NameLookup *l, Slot *slot) {
        Lookup *lookup = calloc(1, sizeof(*lookup));
        int error;

        if (!lookup)
                return -ENOMEM;
        (void) memcpy(lookup->host, slot->host, sizeof(lookup->host));
        (void) memcpy(lookup->port, slot->port, sizeof(lookup->port));
        slot->owner = l;
        error = worker_start(l->event, work, lookup, free, on_looked_up, slot, &slot->worker);
        if (error < 0)
                free(lookup);
        return error;
}

/* What keeps a lookup from being started is told as its answer, and asked again with the next question. */
static void ask(NameLookup *l, size_t i, const char *host, const char *port) {
        Slot *slot = slot_for(l, host, port);
        int error = slot ? 0 : -EAGAIN;

        if (slot && !slot->worker) {
                (void) snprintf(slot->host, sizeof(slot->host), "%s", host);
                (void) snprintf(slot->port, sizeof(slot->port), "%s", port);
                error = slot_start(l, slot);
        }
        if (error >= 0) {
                l->asked[i] = slot;
                return;
        }
        l->results[i].answered = true;
        (void) text_copy_printable(l->results[i].why, sizeof(l->results[i].why), strerror(-error));
}

int name_lookup_start(NameLookup *l, const char *const hosts[], const char *const ports[], size_t n, usec_t limit_us,
                      NameLookupHandler handler, void *userdata) {
        int error;

        name_lookup_cancel(l);
        if (n > LOOKUP_NAMES_MAX)
                return -E2BIG;
        for (size_t i = 0; i < n; i++)
                if (strlen(hosts[i]) >= HOST_SIZE || strlen(ports[i]) >= sizeof(l->slots[0].port))
                        return -ENAMETOOLONG;
        l->n = n;
        for (size_t i = 0; i < n; i++) {
                l->asked[i] = NULL;
                l->results[i] = (LookupResult) { .literal = true };
                if (resolve(hosts[i], ports[i], AI_NUMERICHOST, &l->results[i]))
                        continue;
                l->results[i].literal = false;
                ask(l, i, hosts[i], ports[i]);
        }
        /* Never from inside: also what is known at once is answered from the loop. */
        error = sd_event_source_set_time(l->limit,
                                         all_answered(l) ? 0 : usec_add(clock_boottime_us(), limit_us));
        if (error >= 0)
                error = sd_event_source_set_enabled(l->limit, SD_EVENT_ONESHOT);
        if (error < 0)
                return error;
        l->handler = handler;
        l->userdata = userdata;
        return 0;
}

void name_lookup_cancel(NameLookup *l) {
        l->handler = NULL;
        l->n = 0;
        (void) sd_event_source_set_enabled(l->limit, SD_EVENT_OFF);
}

int name_lookup_new(sd_event *event, NameLookup **ret) {
        NameLookup *l = calloc(1, sizeof(*l));
        int error;

        if (!l)
                return -ENOMEM;
        l->event = sd_event_ref(event);
        error = sd_event_add_time(event, &l->limit, CLOCK_BOOTTIME, 0, USEC_PER_MSEC, on_limit, l);
        if (error >= 0)
                error = sd_event_source_set_enabled(l->limit, SD_EVENT_OFF);
        if (error < 0) {
                (void) name_lookup_free(l);
                return error;
        }
        *ret = l;
        return 0;
}

NameLookup *name_lookup_free(NameLookup *l) {
        if (!l)
                return NULL;
        for (size_t i = 0; i < ELEMENTS(l->slots); i++)
                (void) worker_free(l->slots[i].worker);
        (void) sd_event_source_disable_unref(l->limit);
        (void) sd_event_unref(l->event);
        free(l);
        return NULL;
}
