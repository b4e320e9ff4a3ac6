/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Starting somebody else's program with nothing of ours in it but what is named here. */

#include <stddef.h>
#include <sys/types.h>

/* A descriptor of ours that the child gets under a number of its own. */
typedef struct SpawnFd {
        int fd;
        int number; /* SPAWN_FD_FIRST or above: bash uses 10 and up itself */
} SpawnFd;

#define SPAWN_FD_FIRST 200
#define SPAWN_FD_END 210 /* one past the last number that a child may get */

typedef struct SpawnRequest {
        const char *program;  /* absolute */
        char *const *argv;
        char *const *envp;
        const char *directory;
        int output, errors;   /* write ends for the child's 1 and 2 */
        const SpawnFd *fds;
        size_t n_fds;
} SpawnRequest;

/*
 * The child leads a session and process group of its own, has no blocked or ignored signals, umask
 * 022, /dev/null on 0, and no descriptor but 0, 1, 2 and fds. 0, or negative errno of posix_spawn
 * (which also tells a failed exec). Whatever the caller opened without O_CLOEXEC below
 * SPAWN_FD_FIRST would leak: nothing here does.
 */
int spawn(const SpawnRequest *request, pid_t *ret_pid, int *ret_pidfd);
