/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The bench for tests of the keeper: a scratch directory with a spec, a script and an engine's
 * socket, a Keeper and a KeeperClient on one event loop, and functions that wait for an event. No
 * step waits for a time: a watchdog alone ends a test that hangs.
 *
 * The install user must have uid >= 1000. As root the bench becomes `nobody` for good in
 * bench_open(); as a user of less than 1000 there is nothing to test and the program says so.
 */

#include <stdbool.h>

#include "installer/keeper-client.h"
#include "installer/keeper.h"

/* Each program has an attempt of its own, BENCH_ATTEMPT, defined before this header: what bears it is killed by it wherever on
 * this machine it runs, so two programs with one id would end each other's installers. */
extern const char bench_attempt[33];
#ifdef BENCH_ATTEMPT
const char bench_attempt[33] = BENCH_ATTEMPT;
#endif
#define BENCH_OTHER_ATTEMPT "ffeeddccbbaa99887766554433221100"
#define BENCH_TOKEN "QWxhZGRpbg.b3BlbiBzZXNhbWU.c2lnbmF0dXJl"
#define BENCH_IMAGE "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3"

bool bench_open(void); /* once, from main(); false: these tests can't run here (said on stdout) */
void bench_close(void);

/* Before and after each test (cmocka's fixtures): clean directories, a fresh event loop, no engine,
 * no keeper. */
int bench_setup(void **state);
int bench_teardown(void **state);

const char *bench_path(const char *name); /* in the scratch directory; a ring of a few buffers */
void bench_write(const char *name, const char *text, unsigned mode);
char *bench_read(const char *name); /* free() it; "" when there is no such file */

/* The spec's installer section gets extra lines ("  handoff: argv\n"), NULL for none. The digest is
 * re-read. */
void bench_spec(const char *extra);
const char *bench_digest(void);
/* The script: what is put here runs after the line that names its version. */
void bench_script(const char *body);

/* The engine: its world as JSON (see engine.py). */
void bench_engine(const char *world);

/* A `docker` of a few lines of bash, first on the keeper's PATH. Before bench_keeper(); may be changed later. */
void bench_client(const char *body);

/* The keeper, and an agent connected to it. */
void bench_keeper(void);
void bench_keeper_stop(void);
void bench_connect(void);
void bench_disconnect(void);
bool bench_is_left_alone(void *); /* the keeper has noticed that nobody is connected; for bench_until() */
bool bench_keeper_is_idle(void);
KeeperOptions *bench_options(void); /* for bench_keeper(); reset by the setup */

/* Sends a request. `install` takes BENCH_TOKEN. */
void bench_request(const Message *request);
void bench_ask(MessageKind kind);
void bench_install(const char *attempt);

/* Sends bytes with a descriptor as an agent would that is not ours, over the client's path. Returns
 * the socket. */
int bench_raw_connect(void);

/* Runs the loop until an event of the kind comes; what comes before is kept in bench_lines() and
 * bench_stages(). Any other answer, or the loss of the connection, fails the test. */
Message bench_wait(MessageKind kind);
void bench_wait_lost(void);
/* Runs the loop until the condition holds. */
void bench_until(bool (*condition)(void *), void *userdata);
/* Runs the loop until it is told to exit. */
void bench_until_exit(void);

const char *bench_lines(void);  /* "line|line|" */
const char *bench_stages(void); /* "started|run-reached|" */
const char *bench_notices(void);

/* What was told of the gates since they were last asked for. */
const Gates *bench_gates(void);
GateState bench_gate(const char *name);
