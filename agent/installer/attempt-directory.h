/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The private directory of an attempt, RUNTIME/attempt-ID: `cwd`, empty, because the script globs
 * in it and may leave files there; `bin`, first on its PATH, with the shim under the clients'
 * names. */

#include <stddef.h>

typedef struct AttemptClients {
        char docker[256];        /* absolute path of the real client, "" when the host has none */
        char podman_remote[256];
} AttemptClients;

/* The clients that PATH leads to. A path that does not fit is as good as none. */
void attempt_clients_find(const char *path, AttemptClients *ret);

/* Makes it, with a link to the shim for each client that exists (shim NULL: no links). 0 or
 * negative errno. */
int attempt_directory_make(int runtime_fd, const char *id, const char *shim, const AttemptClients *clients);

/* Removes it with the files that are in it; what is nested deeper stays, and so does then the
 * directory. */
void attempt_directory_remove(int runtime_fd, const char *id);

/* Those of attempts other than `keep` ("" for none): left behind by a keeper that died. */
void attempt_directories_sweep(int runtime_fd, const char *keep);
