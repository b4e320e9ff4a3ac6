/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Preloaded into what callgrind counts. valgrind before 3.20 knows no pidfd_open(2) and tells ece-installd that the kernel had none, so
 * nothing could be installed under it. Here somebody outside is asked for the descriptor instead, over the unix socket that
 * PIDFD_HELPER names, and hands it over as one message (SCM_RIGHTS). All else that goes through syscall(2) is passed on.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int ask(const char *path, int pid) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        union {
                struct cmsghdr head;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        char byte = 0;
        struct iovec part = { &byte, 1 };
        struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
        };
        int fd = -1, helper = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (helper >= 0 && connect(helper, (struct sockaddr *) &address, sizeof(address)) == 0 &&
            send(helper, &pid, sizeof(pid), MSG_NOSIGNAL) == (ssize_t) sizeof(pid) &&
            recvmsg(helper, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
                memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
        if (helper >= 0)
                (void) close(helper);
        return fd;
}

long syscall(long number, ...) {
        long words[6];
        va_list rest;
        const char *path = getenv("PIDFD_HELPER");

        va_start(rest, number);
        for (int i = 0; i < 6; i++)
                words[i] = va_arg(rest, long);
        va_end(rest);
        if (number == SYS_pidfd_open && path) {
                int fd = ask(path, (int) words[0]);
                errno = fd < 0 ? ESRCH : 0;
                return fd;
        }
        long (*next)(long, ...) = (long (*)(long, ...)) dlsym(RTLD_NEXT, "syscall");
        return next(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}
