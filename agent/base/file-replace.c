/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Replacing a file so that a reader, or a machine that lost power, finds the old content or the new one and
 * never a part of either.
 *
 * The order is the point: write a file of another name in the same directory, sync it, rename it over the
 * old one, sync the directory. A failed fsync() means that the write failed: the kernel may have thrown
 * the pages away and would call a second try a success. On failure the temporary file is removed; only when
 * the last step fails (the directory's sync) is the new content in place already, but not certain to stay.
 *
 * The other name is always the same one, so that what a power cut leaves of it is overwritten by the next
 * writer and never heaps up. A file has one writer at a time.
 */

#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static bool name_is_valid(const char *name) {
        return *name && !strchr(name, '/') && !streq(name, ".") && !streq(name, "..");
}

/* ".NAME.new": hidden. */
static int temporary_name(const char *name, char ret[static NAME_MAX + 1]) {
        int length = snprintf(ret, NAME_MAX + 1, ".%s.new", name);

        return length < 0 || length > NAME_MAX ? -ENAMETOOLONG : 0;
}

static int write_new(int dir_fd, const char *name, const void *bytes, size_t n, mode_t mode) {
        _cleanup_close_ int fd = -1;
        int r;

        /* Removed, not truncated: whatever bears the name, a link to elsewhere too, is not written into. */
        if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
                return -errno;
        fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;

        r = file_write_all(fd, bytes, n);
        if (r >= 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir_fd, name, 0);
        return r;
}

/* Some file systems can't sync a directory and say so with EINVAL; they have nothing to offer instead. */
static int directory_sync(int dir_fd) {
        return fsync(dir_fd) < 0 && errno != EINVAL ? -errno : 0;
}

int file_replace(int dir_fd, const char *name, const void *bytes, size_t n, mode_t mode,
                 FileDurability durability) {
        char temporary[NAME_MAX + 1];
        int r;

        assert(name);
        assert(bytes || n == 0);

        if (!name_is_valid(name))
                return -EINVAL;

        r = temporary_name(name, temporary);
        if (r < 0)
                return r;

        r = write_new(dir_fd, temporary, bytes, n, mode);
        if (r < 0)
                return r;

        if (renameat(dir_fd, temporary, dir_fd, name) < 0) {
                r = -errno;
                (void) unlinkat(dir_fd, temporary, 0);
                return r;
        }

        return durability == FILE_DURABLE ? directory_sync(dir_fd) : 0;
}

int file_remove(int dir_fd, const char *name) {
        assert(name);

        if (unlinkat(dir_fd, name, 0) < 0)
                return errno == ENOENT ? 0 : -errno;

        return directory_sync(dir_fd);
}
