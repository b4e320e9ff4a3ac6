/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The order of writing is the point: first the report, then that it was the last one. A crash between the two leaves a report that
 * is written once more, over itself. It is sent only when both are on disk, so nobody gets a report that could be made anew.
 *
 * What may fail: the disk. What is no file of ours in the directory is passed over.
 */

#include "report/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define LAST_FILE "last"
#define SUFFIX ".json"
#define HEX "0123456789abcdef"
#define KEY_SIZE SHA256_HEX_SIZE
#define PAUSE_MIN_US (5 * USEC_PER_SEC)
#define PAUSE_MAX_US USEC_PER_HOUR

typedef struct Entry {
        char id[OUTBOX_ID_SIZE];
        struct timespec written;
} Entry;

/* What was reported last: a digest of what it said, and its identifier. Both empty before the first. */
typedef struct Last {
        char key[KEY_SIZE];
        char id[OUTBOX_ID_SIZE];
} Last;

static int open_outbox(int state_fd, bool make) {
        int fd;

        if (make && mkdirat(state_fd, OUTBOX_DIRECTORY, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(state_fd, OUTBOX_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int read_file(int outbox_fd, const char *name, Buffer *ret) {
        _cleanup_close_ int fd = openat(outbox_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        return fd < 0 ? -errno : file_read_fd(fd, ret);
}

/* "KEY ID\n"; one that can't be understood is none, which costs one report too many. */
static int read_last(int outbox_fd, Last *ret) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(256);
        int error = read_file(outbox_fd, LAST_FILE, &text);
        const char *line = buffer_string(&text);

        *ret = (Last){ 0 };
        if (error < 0 && error != -ENOENT && error != -EMSGSIZE)
                return error;
        if (text.size != KEY_SIZE + OUTBOX_ID_SIZE || strspn(line, HEX) != KEY_SIZE - 1 || line[KEY_SIZE - 1] != ' ' ||
            strspn(line + KEY_SIZE, HEX) != OUTBOX_ID_SIZE - 1)
                return 0;
        (void) snprintf(ret->key, sizeof(ret->key), "%.*s", (int) KEY_SIZE - 1, line);
        (void) snprintf(ret->id, sizeof(ret->id), "%.*s", (int) OUTBOX_ID_SIZE - 1, line + KEY_SIZE);
        return 0;
}

int outbox_is_news(int state_fd, const char *verdict, char ret_id[static OUTBOX_ID_SIZE]) {
        _cleanup_close_ int fd = open_outbox(state_fd, true);
        char key[KEY_SIZE], chained[2 * KEY_SIZE + OUTBOX_ID_SIZE], sum[SHA256_HEX_SIZE];
        Last last;
        int error = fd < 0 ? fd : read_last(fd, &last);

        if (error >= 0)
                error = bytes_sha256(verdict, strlen(verdict), key);
        if (error < 0)
                return error;
        if (streq(key, last.key))
                return 0;
        (void) snprintf(chained, sizeof(chained), "%s %s", last.id, key);
        error = bytes_sha256(chained, strlen(chained), sum);
        if (error < 0)
                return error;
        (void) snprintf(ret_id, OUTBOX_ID_SIZE, "%.*s", (int) OUTBOX_ID_SIZE - 1, sum); /* half of it tells enough apart */
        return 1;
}

static bool entry_of(int outbox_fd, const char *name, Entry *ret) {
        struct stat st;

        if (strspn(name, HEX) != OUTBOX_ID_SIZE - 1 || !streq(name + OUTBOX_ID_SIZE - 1, SUFFIX) ||
            fstatat(outbox_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
                return false;
        (void) snprintf(ret->id, sizeof(ret->id), "%.*s", (int) OUTBOX_ID_SIZE - 1, name);
        ret->written = st.st_mtim;
        return true;
}

static bool is_older(const Entry *a, const Entry *b) {
        return a->written.tv_sec != b->written.tv_sec ? a->written.tv_sec < b->written.tv_sec
                                                      : a->written.tv_nsec < b->written.tv_nsec;
}

/* How many there are, and the oldest. */
static int look(int outbox_fd, size_t *ret_n, Entry *ret_oldest) {
        int fd = fcntl(outbox_fd, F_DUPFD_CLOEXEC, 0);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        *ret_n = 0;
        if (!directory) {
                if (fd >= 0)
                        (void) close(fd);
                return -errno;
        }
        rewinddir(directory); /* the copy shares its place with every other one */
        while ((entry = readdir(directory))) {
                Entry e;

                if (!entry_of(outbox_fd, entry->d_name, &e))
                        continue;
                if ((*ret_n)++ == 0 || is_older(&e, ret_oldest))
                        *ret_oldest = e;
        }
        (void) closedir(directory);
        return 0;
}

static int remove_report(int outbox_fd, const char *id) {
        char name[OUTBOX_ID_SIZE + sizeof(SUFFIX)];

        (void) snprintf(name, sizeof(name), "%s" SUFFIX, id);
        return file_remove(outbox_fd, name);
}

static int make_room(int outbox_fd) {
        size_t n;
        Entry oldest;
        int error = look(outbox_fd, &n, &oldest);

        while (error >= 0 && n >= OUTBOX_REPORTS_MAX) {
                error = remove_report(outbox_fd, oldest.id);
                if (error >= 0)
                        error = look(outbox_fd, &n, &oldest);
        }
        return error;
}

int outbox_add(int state_fd, const char *verdict, const char *id, const char *report, size_t size) {
        _cleanup_close_ int fd = open_outbox(state_fd, true);
        char name[OUTBOX_ID_SIZE + sizeof(SUFFIX)], key[KEY_SIZE], line[KEY_SIZE + OUTBOX_ID_SIZE + 1];
        int error = fd < 0 ? fd : bytes_sha256(verdict, strlen(verdict), key);

        if (error >= 0)
                error = make_room(fd);
        if (error < 0)
                return error;
        (void) snprintf(name, sizeof(name), "%s" SUFFIX, id);
        (void) snprintf(line, sizeof(line), "%s %s\n", key, id);
        error = file_replace(fd, name, report, size, 0600, FILE_DURABLE);
        return error < 0 ? error : file_replace(fd, LAST_FILE, line, strlen(line), 0600, FILE_DURABLE);
}

int outbox_next(int state_fd, char ret_id[static OUTBOX_ID_SIZE], Buffer *ret_report) {
        _cleanup_close_ int fd = open_outbox(state_fd, false);
        char name[OUTBOX_ID_SIZE + sizeof(SUFFIX)];
        Entry oldest;
        size_t n;
        int error = fd < 0 ? fd : look(fd, &n, &oldest);

        if (error < 0)
                return error == -ENOENT ? 0 : error;
        if (n == 0)
                return 0;
        (void) snprintf(name, sizeof(name), "%s" SUFFIX, oldest.id);
        error = read_file(fd, name, ret_report);
        if (error < 0)
                return error;
        (void) snprintf(ret_id, OUTBOX_ID_SIZE, "%s", oldest.id);
        return 1;
}

size_t outbox_count(int state_fd) {
        _cleanup_close_ int fd = open_outbox(state_fd, false);
        Entry oldest;
        size_t n = 0;

        if (fd >= 0)
                (void) look(fd, &n, &oldest);
        return n;
}

int outbox_remove(int state_fd, const char *id) {
        _cleanup_close_ int fd = open_outbox(state_fd, false);

        return fd < 0 ? fd : remove_report(fd, id);
}

usec_t outbox_pause_us(unsigned tries, uint32_t random) {
        usec_t longest_us = PAUSE_MIN_US << (tries < 10 ? tries : 10);

        if (longest_us > PAUSE_MAX_US)
                longest_us = PAUSE_MAX_US;
        return longest_us - (usec_t) ((double) longest_us / 2 * random / UINT32_MAX);
}
