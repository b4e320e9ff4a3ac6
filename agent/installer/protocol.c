/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Messages on a SOCK_SEQPACKET socket: the kernel keeps their borders, so there is no framing of
 * ours to get wrong. A message is sent whole or not at all. Whatever descriptors come along are
 * ours from the moment of recvmsg(2), so they are closed on every way out but the one that hands a
 * single one to the caller.
 */

#include "installer/protocol.h"

#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define DESCRIPTORS_MAX 8 /* room to receive, and so to close, more than the one that is allowed */

typedef union Control {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
} Control;

int message_send(int socket_fd, const Message *m, int fd) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(MESSAGE_SIZE_MAX);
        Control control = { .bytes = { 0 } };
        struct iovec part;
        struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
        int error;

        error = message_encode(m, &text);
        if (error < 0)
                return error;
        part = (struct iovec) { .iov_base = text.data, .iov_len = text.size };
        if (fd >= 0) {
                struct cmsghdr *c = &control.header;

                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int));
                (void) memcpy(CMSG_DATA(c), &fd, sizeof(int));
                header.msg_control = &control;
                header.msg_controllen = CMSG_SPACE(sizeof(int));
        }
        return sendmsg(socket_fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Keeps the first descriptor, closes all others; returns how many came. */
static size_t collect_descriptors(struct msghdr *header, int *ret_first) {
        size_t n = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t offset = 0; CMSG_LEN(offset + sizeof(int)) <= c->cmsg_len; offset += sizeof(int)) {
                        int fd;

                        (void) memcpy(&fd, CMSG_DATA(c) + offset, sizeof(int));
                        if (n++ == 0)
                                *ret_first = fd;
                        else
                                (void) close(fd);
                }
        }
        return n;
}

int message_receive(int socket_fd, Message *ret, int *ret_fd) {
        char bytes[MESSAGE_SIZE_MAX];
        Control control = { .bytes = { 0 } };
        struct iovec part = { .iov_base = bytes, .iov_len = sizeof(bytes) };
        struct msghdr header = {
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        _cleanup_close_ int fd = -1;
        size_t n_fds;
        ssize_t n;
        int error;

        n = recvmsg(socket_fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return -errno;
        n_fds = collect_descriptors(&header, &fd);
        if (n == 0)
                return -ECONNRESET;
        if (n_fds > 1 || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
                return -EBADMSG;
        error = message_decode(bytes, (size_t) n, ret);
        if (error < 0)
                return error;
        *ret_fd = TAKE_FD(fd);
        return 0;
}
