/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The agent's end of the protocol: a connection to ece-installd on the event loop. */

#include <systemd/sd-event.h>

#include "base/secret.h"
#include "installer/protocol.h"

typedef struct KeeperClient KeeperClient;

/* Called for each event of the keeper, and once with NULL and an ORIGIN_KEEPER observation when the
 * connection is gone (the client is then disconnected; keeper_client_connect() may be called again
 * later, not from inside). */
typedef void (*KeeperHandler)(void *userdata, const Message *event, const Observation *lost);

int keeper_client_new(sd_event *event, const char *socket_path, const char *spec_digest,
                      KeeperHandler handler, void *userdata, KeeperClient **ret);
KeeperClient *keeper_client_free(KeeperClient *c);
static inline void keeper_client_freep(KeeperClient **slot) {
        (void) keeper_client_free(*slot);
}

/* Connects if not connected. 0, or -errno (-ENOENT, -ECONNREFUSED: no keeper there; -EPERM: the
 * peer is neither root nor allowed_uid). */
int keeper_client_connect(KeeperClient *c, uid_t allowed_uid);
bool keeper_client_connected(const KeeperClient *c);

/* Sends a request; kind and its members as in protocol.h; spec is filled in. token goes along with
 * MESSAGE_INSTALL as a sealed memfd. 0 or negative errno (-ENOTCONN). */
int keeper_client_request(KeeperClient *c, const Message *request, const Secret *token);
