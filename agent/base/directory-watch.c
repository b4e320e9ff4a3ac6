/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What happened is of no interest here, only that something did: whoever waits looks again, and a look costs little. So
 * events that were lost because there were too many of them are no loss.
 *
 * What may fail: the directory is not there, or the user has as many watches as the kernel allows.
 */

#include "base/directory-watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"

int directory_watch_open(const char *path, DirectoryWatch *ret) {
        _cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        if (fd < 0 || inotify_add_watch(fd, path, IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) < 0)
                return -errno;
        ret->fd = TAKE_FD(fd);
        return 0;
}

int directory_watch_take(DirectoryWatch *watch) {
        char events[4096];
        ssize_t n;

        do
                n = read(watch->fd, events, sizeof(events));
        while (n > 0 || (n < 0 && errno == EINTR));
        return n < 0 && errno != EAGAIN ? -errno : 0;
}

int directory_watch_wait(DirectoryWatch *watch, usec_t timeout_us) {
        struct pollfd p = { .fd = watch->fd, .events = POLLIN };
        const struct timespec bound = { .tv_sec = (time_t) (timeout_us / USEC_PER_SEC),
                                        .tv_nsec = (long) (timeout_us % USEC_PER_SEC) * 1000 };
        int n = ppoll(&p, 1, timeout_us == USEC_INFINITY ? NULL : &bound, NULL), error;

        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        if (n == 0)
                return 0;
        error = directory_watch_take(watch);
        return error < 0 ? error : 1;
}

void directory_watch_close(DirectoryWatch *watch) {
        cleanup_closep(&watch->fd);
}
