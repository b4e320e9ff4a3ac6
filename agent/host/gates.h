/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Gates: what must hold on this host before a secret is spent. Each is named, checked without side
 * effects and cheap; a shut gate is an Observation (ORIGIN_HOST, code = gate; what is said of the
 * content of a script that can't be read is "script") whose class the table knows. None takes longer
 * than the file system makes it wait. */

#include "model/facts.h"
#include "model/outcome.h"
#include "model/plan.h"

typedef struct GateResult {
        /* "user", "script", "script-sha256", "script-version", "engine-socket", "engine-client",
         * "storage", "address", "ports" */
        const char *name;
        bool open;
        Observation seen;  /* none when open */
        char found[128];   /* what was found, for `check` and `plan`: "/var/run/docker.sock" */
} GateResult;

#define GATES_MAX 16

/* Runs all gates; returns their number. path: PATH in which the engine's client is looked for.
 * The keeper runs them (it is the install user); the agent hears the first shut one. */
size_t gates_check(const Spec *spec, const HostFacts *facts, const char *path,
                   GateResult ret[static GATES_MAX]);

/* The directories of an environment's PATH that are absolute and of allow-list characters, then
 * the system's own ones, no one twice. malloc()ed. */
char *installer_path_make(const char *path);

/* First executable regular file `name` in path; 0 or -ENOENT. */
int path_find(const char *path, const char *name, char *ret, size_t ret_size);
