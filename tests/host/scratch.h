/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A directory of its own for a test, with the things a host may have in it; and spec and facts
 * that point there. */

#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SCRATCH_PATH_SIZE 128

typedef struct Scratch {
        char directory[SCRATCH_PATH_SIZE / 2];
} Scratch;

static inline int scratch_setup(void **state) {
        Scratch *s = calloc(1, sizeof(*s));

        if (!s)
                return -1;
        (void) snprintf(s->directory, sizeof(s->directory), "/tmp/ece-enroll-test-XXXXXX");
        *state = s;
        return mkdtemp(s->directory) ? 0 : -1;
}

static inline int scratch_remove(const char *path, const struct stat *st, int type,
                                 struct FTW *walk) {
        return remove(path);
}

static inline int scratch_teardown(void **state) {
        Scratch *s = *state;

        (void) nftw(s->directory, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
        free(s);
        return 0;
}

/* The path of `name` in the directory, in one of a few static buffers. */
static inline char *scratch_path(const Scratch *s, const char *name) {
        static char paths[8][SCRATCH_PATH_SIZE];
        static unsigned next;
        char *path = paths[next++ % 8];

        assert((size_t) snprintf(path, SCRATCH_PATH_SIZE, "%s/%s", s->directory, name) <
               SCRATCH_PATH_SIZE);
        return path;
}

static inline char *scratch_file(const Scratch *s, const char *name, mode_t mode,
                                 const char *text) {
        char *path = scratch_path(s, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert(fd >= 0);
        assert(write(fd, text, strlen(text)) == (ssize_t) strlen(text));
        assert(fchmod(fd, mode) == 0);
        assert(close(fd) == 0);
        return path;
}

static inline char *scratch_directory(const Scratch *s, const char *name, mode_t mode) {
        char *path = scratch_path(s, name);

        assert(mkdir(path, 0700) == 0);
        assert(chmod(path, mode) == 0);
        return path;
}

/* A unix socket; returns the descriptor, which listens or is merely bound. */
static inline int scratch_socket(const Scratch *s, const char *name, int listening) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert(fd >= 0);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path(s, name));
        assert(bind(fd, (const struct sockaddr *) &address, sizeof(address)) == 0);
        if (listening)
                assert(listen(fd, 1) == 0);
        return fd;
}
