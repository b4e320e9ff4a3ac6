/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A directory of its own for each test that touches files, and its removal afterwards. */

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Scratch {
        char path[256];
        int fd;
} Scratch;

static inline int scratch_remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
        return remove(path);
}

static inline int scratch_setup(void **state) {
        static Scratch scratch;
        const char *base = getenv("TMPDIR");
        int n;

        n = snprintf(scratch.path, sizeof(scratch.path), "%s/ece-test-XXXXXX", base ? base : "/tmp");
        if (n < 0 || (size_t) n >= sizeof(scratch.path) || !mkdtemp(scratch.path))
                return -1;

        scratch.fd = open(scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = &scratch;
        return scratch.fd < 0 ? -1 : 0;
}

static inline int scratch_teardown(void **state) {
        Scratch *scratch = *state;

        (void) close(scratch->fd);
        return nftw(scratch->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* scratch/name; valid until the next call. */
static inline const char *scratch_path(const Scratch *scratch, const char *name) {
        static char path[1024];

        (void) snprintf(path, sizeof(path), "%s/%s", scratch->path, name);
        return path;
}
