/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading and writing files whole, making directories, and the lock of a single instance.
 *
 * Paths come from a spec, so what they name may be anything: opening never waits for the other end of a
 * pipe and never makes a terminal ours, and only a regular file is read. Everything here may fail with
 * the errno of the call that failed.
 */

#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_PIECE_SIZE 4096U

/* Appends until the end of fd. The piece on the stack may hold a secret when b is one that wipes. */
static int append_all(int fd, Buffer *b) {
        char piece[READ_PIECE_SIZE];
        ssize_t n;
        int r = 0;

        do {
                n = read(fd, piece, sizeof(piece));
                if (n < 0 && errno != EINTR)
                        r = -errno;
                else if (n > 0)
                        r = buffer_append(b, piece, (size_t) n);
        } while (n != 0 && r >= 0);

        if (b->wipe)
                explicit_bzero(piece, sizeof(piece));
        return r;
}

int file_read_fd(int fd, Buffer *b) {
        size_t before;
        int r;

        assert(fd >= 0);
        assert(b);

        before = b->size;
        r = append_all(fd, b);
        if (r < 0)
                buffer_truncate(b, before);
        return r;
}

int file_read(const char *path, Buffer *b) {
        _cleanup_close_ int fd = -1;
        struct stat status;

        assert(path);

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (S_ISDIR(status.st_mode))
                return -EISDIR;
        if (!S_ISREG(status.st_mode))
                return -EINVAL;

        return file_read_fd(fd, b);
}

bool file_error_passes(int error) {
        return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

bool file_error_is_the_machines(int error) {
        return file_error_passes(error) || error == -EIO;
}

int file_write_all(int fd, const void *bytes, size_t n) {
        const char *rest = bytes;

        assert(fd >= 0);
        assert(bytes || n == 0);

        while (n > 0) {
                ssize_t written = write(fd, rest, n);

                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0)
                        return -errno;
                rest += written;
                n -= (size_t) written;
        }
        return 0;
}

/* Cuts the next component off *path and skips the slashes around it. 1, or 0 at the end. */
static int next_component(const char **path, char ret[static NAME_MAX + 1]) {
        size_t length;

        *path += strspn(*path, "/");
        length = strcspn(*path, "/");
        if (length == 0)
                return 0;
        if (length > NAME_MAX)
                return -ENAMETOOLONG;

        memcpy(ret, *path, length);
        ret[length] = '\0';
        *path += length;
        *path += strspn(*path, "/");
        return 1;
}

/*
 * Opens parent/name, made first if missing. A directory of our making is opened without following links
 * (somebody else may write to the parent) and gets its mode whatever the umask is. A parent on the way
 * need only be passed through, so it is opened as a mere place (O_PATH).
 */
static int directory_step(int parent, const char *name, mode_t mode, bool last) {
        _cleanup_close_ int fd = -1;

        if (mkdirat(parent, name, mode) < 0) {
                int mkdir_error = -errno;

                /* It is there, or it can't be made here; if it can be opened both are fine. */
                fd = openat(parent, name, O_DIRECTORY | O_CLOEXEC | (last ? O_RDONLY : O_PATH));
                if (fd < 0)
                        return errno == ENOENT ? mkdir_error : -errno;
                return TAKE_FD(fd);
        }

        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchmod(fd, mode) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int directory_ensure(const char *path, mode_t mode) {
        _cleanup_close_ int fd = -1;
        char name[NAME_MAX + 1];
        int r;

        assert(path);

        if (*path == '\0')
                return -ENOENT;

        fd = open(*path == '/' ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        while ((r = next_component(&path, name)) > 0) {
                int next = directory_step(fd, name, mode, *path == '\0');

                if (next < 0)
                        return next;
                (void) close(fd);
                fd = next;
        }
        return r < 0 ? r : TAKE_FD(fd);
}

int directory_lock(int dir_fd) {
        if (flock(dir_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        return 0;
}
