/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Attempt directories. Everything is done relative to descriptors and without following links,
 * because what lies in `cwd` was put there by somebody else's script. Removing is not recursive:
 * the script is known to leave plain files at most, and a tree that it did leave is better looked
 * at than deleted.
 */

#include "installer/attempt-directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "host/gates.h"

#define PREFIX "attempt-"

static void directory_name(const char *id, char ret[static 64]) {
        (void) snprintf(ret, 64, PREFIX "%.32s", id);
}

static void find_client(const char *path, const char *name, char *ret, size_t size) {
        if (path_find(path, name, ret, size) < 0)
                ret[0] = 0;
}

void attempt_clients_find(const char *path, AttemptClients *ret) {
        find_client(path, "docker", ret->docker, sizeof(ret->docker));
        find_client(path, "podman-remote", ret->podman_remote, sizeof(ret->podman_remote));
}

static int open_directory(int parent_fd, const char *name) {
        int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

static int make_directory(int parent_fd, const char *name) {
        if (mkdirat(parent_fd, name, 0700) < 0)
                return -errno;
        return open_directory(parent_fd, name);
}

static int link_clients(int bin_fd, const char *shim, const AttemptClients *clients) {
        if (clients->docker[0] && symlinkat(shim, bin_fd, "docker") < 0)
                return -errno;
        if (clients->podman_remote[0] && symlinkat(shim, bin_fd, "podman-remote") < 0)
                return -errno;
        return 0;
}

int attempt_directory_make(int runtime_fd, const char *id, const char *shim, const AttemptClients *clients) {
        _cleanup_close_ int fd = -1, cwd_fd = -1, bin_fd = -1;
        char name[64];

        directory_name(id, name);
        attempt_directory_remove(runtime_fd, id);
        fd = make_directory(runtime_fd, name);
        if (fd < 0)
                return fd;
        cwd_fd = make_directory(fd, "cwd");
        if (cwd_fd < 0)
                return cwd_fd;
        bin_fd = make_directory(fd, "bin");
        if (bin_fd < 0)
                return bin_fd;
        return shim ? link_clients(bin_fd, shim, clients) : 0;
}

static void remove_files(int parent_fd, const char *name) {
        int fd = open_directory(parent_fd, name);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);

        if (!directory) {
                if (fd >= 0)
                        (void) close(fd);
                return;
        }
        for (struct dirent *entry; (entry = readdir(directory));)
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        (void) unlinkat(dirfd(directory), entry->d_name, 0);
        (void) closedir(directory);
        (void) unlinkat(parent_fd, name, AT_REMOVEDIR);
}

static void remove_named(int runtime_fd, const char *name) {
        _cleanup_close_ int fd = open_directory(runtime_fd, name);

        if (fd < 0)
                return;
        remove_files(fd, "bin");
        remove_files(fd, "cwd");
        (void) unlinkat(runtime_fd, name, AT_REMOVEDIR);
}

void attempt_directory_remove(int runtime_fd, const char *id) {
        char name[64];

        directory_name(id, name);
        remove_named(runtime_fd, name);
}

void attempt_directories_sweep(int runtime_fd, const char *keep) {
        int fd = open_directory(runtime_fd, ".");
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        char kept[64];

        if (!directory) {
                if (fd >= 0)
                        (void) close(fd);
                return;
        }
        directory_name(keep, kept);
        for (struct dirent *entry; (entry = readdir(directory));)
                if (text_starts_with(entry->d_name, PREFIX) && !streq(entry->d_name, kept))
                        remove_named(runtime_fd, entry->d_name);
        (void) closedir(directory);
}
