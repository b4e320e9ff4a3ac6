/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The bench for HTTP tests: certificates made at run time, and servers that follow a script
 * (server.py). Every failure of the bench itself ends the test program. */

#include "http/http.h"

/* Makes the scratch directory and all certificates; call once, from main(). */
void bench_open(void);
/* The same without certificates: for a test that brings its own, leaf.key among them. */
void bench_open_bare(void);
void bench_close(void);

/* The path of a file in the scratch directory: "root.pem", "good.pem"... Static ring of a few
 * buffers. */
const char *bench_path(const char *name);
/* Pin of the (first) certificate in NAME.pem: "root", "other-root", "inter", "good", "self". */
const char *bench_pin(const char *name);

/* Leaves, each with its chain in NAME.pem and its key in leaf.key: good 127.0.0.1 and localhost,
 * signed by inter, that by root stranger made out to other.example (chain as good) expired, early
 * dates that do not hold (chain as good) self signed by itself forged signed by other-root, and
 * presented with the true root below it, as somebody would who has only seen it */
typedef struct Peer {
        int pid;
        int input;           /* closing it ends the server */
        unsigned port;
        char log_path[256];
        char unix_path[256]; /* "" with TLS */
} Peer;

/* leaf NULL: plain HTTP on a unix socket; else TLS with that leaf. */
Peer peer_start(const char *leaf, const char *script);
/* Ends the server and returns the requests that it has read; free() it. */
char *peer_stop(Peer *peer);
/* How many requests a log holds. */
size_t log_requests(const char *log);
