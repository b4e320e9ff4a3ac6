/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Opening a file that only root and one other may change.
 *
 * The path is walked by hand, one name at a time, each relative to the directory that was just looked at and none of
 * them followed by the kernel: a check by path and an open by path would be two walks, and who can rename one directory
 * could give a different file to each. A link is judged like a directory, and its target is walked in its place.
 *
 * In a directory that others may write to, names can be renamed and replaced, unless it is sticky: then only by the
 * owner of what bears the name, who is judged in the next step, and by the owner of the directory. At the end of a path
 * there is no such exception: into a sticky directory everybody can put files.
 *
 * Access control lists need no look of their own: what they grant beyond the owner is bounded by the mode's group bits.
 *
 * What may fail: what open(2) and readlink(2) say, and -EPERM with a sentence when somebody else could interfere.
 */

#include "base/guarded.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#define LINKS_MAX 40

typedef struct Walk {
        uid_t owner;
        int fd;              /* the directory that was reached */
        char at[PATH_MAX];   /* its name, for people; "" is / */
        char rest[PATH_MAX]; /* what is still to be walked */
        unsigned links;
        char *why; /* GUARDED_WHY_SIZE */
} Walk;

static void walk_done(Walk *w) {
        if (w->fd >= 0)
                (void) close(w->fd);
}

/* Whoever mends it should not have to look at the rules again, so the sentence says the command. */
static int object(const Walk *w, const char *name, const struct stat *st, bool last) {
        bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) && st->st_uid == 0 && !last;
        const char *slash = *name ? "/" : "";

        if (st->st_uid != 0 && st->st_uid != w->owner)
                (void) snprintf(w->why, GUARDED_WHY_SIZE, "%s%s%s belongs to uid %u, who could change what is read here: chown root it",
                                w->at, slash, name, (unsigned) st->st_uid);
        else if (!S_ISLNK(st->st_mode) && !sticky && (st->st_mode & S_IWOTH))
                (void) snprintf(w->why, GUARDED_WHY_SIZE, "%s%s%s is writable by everybody: chmod go-w it", w->at, slash, name);
        else if (!S_ISLNK(st->st_mode) && !sticky && (st->st_mode & S_IWGRP) && st->st_gid != 0)
                (void) snprintf(w->why, GUARDED_WHY_SIZE, "%s%s%s is writable by group %u: chmod g-w it", w->at, slash, name,
                                (unsigned) st->st_gid);
        else
                return 0;
        return -EPERM;
}

static int begin_at_root(Walk *w) {
        int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        walk_done(w);
        w->fd = fd;
        w->at[0] = '\0';
        return 0;
}

/* The next name of the rest, and what is behind it. 0, -ENAMETOOLONG. "" is the end. */
static int next_name(Walk *w, char ret[static NAME_MAX + 1]) {
        const char *from = w->rest + strspn(w->rest, "/");
        size_t n = strcspn(from, "/");

        if (n > NAME_MAX)
                return -ENAMETOOLONG;
        (void) memcpy(ret, from, n);
        ret[n] = '\0';
        (void) memmove(w->rest, from + n, strlen(from + n) + 1);
        return 0;
}

static bool at_end(const Walk *w) {
        return w->rest[strspn(w->rest, "/")] == '\0';
}

static int follow(Walk *w, const char *name) {
        char target[PATH_MAX], rest[PATH_MAX];
        ssize_t n = readlinkat(w->fd, name, target, sizeof(target) - 1);

        if (n < 0)
                return -errno;
        target[n] = '\0';
        if (++w->links > LINKS_MAX)
                return -ELOOP;
        if ((size_t) snprintf(rest, sizeof(rest), "%s%s", target, w->rest) >= sizeof(rest))
                return -ENAMETOOLONG;
        (void) memcpy(w->rest, rest, strlen(rest) + 1);
        return target[0] == '/' ? begin_at_root(w) : 0;
}

static int enter(Walk *w, const char *name) {
        int fd = openat(w->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        size_t n = strlen(w->at);
        struct stat st;

        if (fd < 0)
                return -errno;
        walk_done(w);
        w->fd = fd;
        /* Looked at once more: what was looked at before may have been another one of this name. */
        if (fstat(fd, &st) < 0)
                return -errno;
        int r = object(w, name, &st, false);
        if (r >= 0 && (size_t) snprintf(w->at + n, sizeof(w->at) - n, "/%s", name) >= sizeof(w->at) - n)
                return -ENAMETOOLONG;
        return r;
}

static int open_last(Walk *w, const char *name, int flags, int *ret_fd) {
        _cleanup_close_ int fd = openat(w->fd, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        int r = object(w, name, &st, true);
        if (r >= 0)
                *ret_fd = TAKE_FD(fd);
        return r;
}

/* 1 when *ret_fd is open, 0 to go on. */
static int step(Walk *w, int flags, int *ret_fd) {
        char name[NAME_MAX + 1];
        struct stat st;
        int r = next_name(w, name);

        if (r < 0)
                return r;
        if (*name == '\0') /* the root directory itself, or a link to a directory with a slash behind it */
                (void) memcpy(name, ".", sizeof("."));
        if (fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (S_ISLNK(st.st_mode)) {
                if (at_end(w) && (flags & O_NOFOLLOW))
                        return -ELOOP;
                r = object(w, name, &st, false);
                return r < 0 ? r : follow(w, name);
        }
        if (!at_end(w))
                return enter(w, name);
        r = open_last(w, name, flags, ret_fd);
        return r < 0 ? r : 1;
}

static int begin(Walk *w, const char *path) {
        char here[PATH_MAX] = "";
        struct stat st;

        if (*path == '\0')
                return -ENOENT;
        if (*path != '/' && !getcwd(here, sizeof(here)))
                return -errno;
        if ((size_t) snprintf(w->rest, sizeof(w->rest), "%s/%s", here, path) >= sizeof(w->rest))
                return -ENAMETOOLONG;
        int r = begin_at_root(w);
        if (r < 0)
                return r;
        return fstat(w->fd, &st) < 0 ? -errno : object(w, "", &st, false);
}

int guarded_open(const char *path, int flags, uid_t owner, int *ret_fd, char why[static GUARDED_WHY_SIZE]) {
        _cleanup_(walk_done) Walk w = { .owner = owner, .fd = -1, .why = why };

        assert(path);
        why[0] = '\0';
        int r = begin(&w, path);
        while (r == 0)
                r = step(&w, flags, ret_fd);
        if (r < 0 && r != -EPERM)
                why[0] = '\0';
        return r < 0 ? r : 0;
}

int guarded_read(const char *path, uid_t owner, Buffer *b, uid_t *ret_owner, char why[static GUARDED_WHY_SIZE]) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        int r = guarded_open(path, O_RDONLY, owner, &fd, why);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        r = file_read_fd(fd, b);
        if (r >= 0 && ret_owner)
                *ret_owner = st.st_uid;
        return r;
}
