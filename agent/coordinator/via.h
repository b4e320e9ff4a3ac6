/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Via: how a coordinator is reached, beside its address: the proxy on the way, and what this host shows of itself in
 * the handshake. Both from the spec, their secrets by the same chain as the credential; nothing from the environment.
 */

#include "http/http.h"
#include "model/spec.h"

typedef struct Via Via;

/* Reads what the spec names. 0 with *ret; 0 with *ret NULL and refusal (as credential_read(), or ORIGIN_CREDENTIAL
 * "client-certificate" when certificate and key can't be used or are not of each other); -ENOMEM. The spec is borrowed. */
int via_new(const Spec *spec, bool allow_env, Via **ret, Observation *refusal);
Via *via_free(Via *via);
static inline void via_freep(Via **slot) {
        (void) via_free(*slot);
}

/* Fills the request's proxy and certificate for this coordinator; what is filled in is the Via's. via may be NULL. */
void via_apply(const Via *via, const char *coordinator_url, HttpRequest *request);

/* Where the first connection goes: the proxy's URL, or the coordinator's own. */
const char *via_first_hop(const Spec *spec, const char *coordinator_url);

/* The name of a proxy variable that is set in the environment and ignored, or NULL. */
const char *via_ignored_variable(void);
