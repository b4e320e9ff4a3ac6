/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A desk for coordinator tests: scripted servers, a Coordinator that asks them in their order, and
 * what came of a question. */

#include "../http/bench.h"
#include "coordinator/coordinator.h"

#define DESK_PEERS_MAX 4U
#define DESK_KEY "c2VjcmV0LWtleQ"

typedef struct Desk {
        size_t n;
        Peer peers[DESK_PEERS_MAX];
        char urls[DESK_PEERS_MAX][64];
        char *url_list[DESK_PEERS_MAX + 1];
        char *logs[DESK_PEERS_MAX]; /* after desk_close() */
        sd_event *event;
        Http *http;
        Spec spec;
        Coordinator *coordinator;

        /* What the last question brought. */
        unsigned calls;
        Observation failure;
        PlatformFacts platform;
        RunnerView view;
        Token *token;
        TokenListing listing;
        bool found;
        AllocatorLoad load;
        Moves moves;
} Desk;

/* Each script starts a server with a good certificate; NULL is an address that refuses. They are
 * asked in this order. */
void desk_open(Desk *desk, CredentialKind kind, const char *const scripts[], size_t n);
/* Frees all, ends the servers and collects their logs. */
void desk_close(Desk *desk);
void desk_done(Desk *desk); /* the logs too */

/* Ask and wait for the answer. */
void desk_platform(Desk *desk);
void desk_mint(Desk *desk, RoleSet roles, usec_t validity_us);
void desk_look(Desk *desk, RoleSet roles);
void desk_delete(Desk *desk, const char *runner_id);
void desk_list(Desk *desk);
void desk_delete_token(Desk *desk, const char *id);
void desk_revoke(Desk *desk, const char *id);
/* Of runner r1. */
void desk_set_roles(Desk *desk, RoleSet roles);
void desk_find_other(Desk *desk, Role role);
void desk_load(Desk *desk);
void desk_start_maintenance(Desk *desk);
void desk_move(Desk *desk);
void desk_delete_allocator(Desk *desk);

/* Request lines of a log, joined by blanks: "GET /a POST /b". Static. */
const char *log_lines(const char *log);
