/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The network's gates: what must hold between this host and the platform before a token is asked for. In
 * their order, each with a limit of its own:
 *
 *   names        of the spec's coordinators (of the proxy on the way to them) one is an address or resolves
 *   route        the kernel has a route to one of these addresses; no packet is sent
 *   coordinator  one of them is reached, and proves itself in a TLS handshake; not a byte of HTTP is sent, or else what is
 *                asked of it next anyway, on the same connection
 *   time         shut exactly when a certificate's dates were all that was wrong with it, which a wrong clock
 *                explains. That the kernel does not call its clock synchronised is told and stops nobody.
 *
 * For the agent and for `ece-enroll check`.
 */

#include <systemd/sd-event.h>

#include "coordinator/via.h"
#include "http/http.h"
#include "model/gate.h"
#include "model/spec.h"

#define NAMES_LIMIT_US (2 * USEC_PER_SEC)

typedef struct NetworkGates NetworkGates;

typedef struct NetworkQuestion {
        const Spec *spec; /* outlives the question */
        const Via *via;   /* outlives the question; or NULL */
        uint64_t seed;    /* of this host: which coordinator it asks first */
        bool all;         /* ask every coordinator, not only the first that proves itself */
        /* Begins a question that has to be asked of a coordinator in any case, and ends in network_gates_asked(). It is not called
         * when something is known to be wrong with one of them, or when there are several and none of them answered the last time. With
         * false, or without a function, there are handshakes. */
        bool (*ask)(void *userdata);
        void *ask_userdata;
        bool has_clock_offset;
        int64_t clock_offset_s; /* the platform's clock minus ours, as last heard */
} NetworkQuestion;

/* gates: all four. Runs from the loop. */
typedef void (*NetworkGatesHandler)(void *userdata, const Gates *gates);

size_t network_gates_n(void);
const char *network_gate_name(size_t which);

int network_gates_new(sd_event *event, Http *http, NetworkGates **ret);
NetworkGates *network_gates_free(NetworkGates *n); /* cancels */

/* One question at a time: the handler of an earlier one is forgotten. Free and make it anew for another spec. 0 or negative errno. */
int network_gates_start(NetworkGates *n, const NetworkQuestion *question, NetworkGatesHandler handler, void *userdata);
/* The end of `ask`: who was asked, and none if he has answered, whatever it was. With several coordinators handshakes tell of silence. */
void network_gates_asked(NetworkGates *n, const char *url, const Observation *silence);
void network_gates_cancel(NetworkGates *n);
