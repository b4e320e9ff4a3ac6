/* SPDX-License-Identifier: Apache-2.0 */

/* Invariants: a message arrives whole with at most one descriptor, which is close-on-exec; whatever
 * is refused leaves no descriptor behind. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "installer/protocol.h"

typedef struct Pair {
        int a, b;
} Pair;

static Pair make_pair(void) {
        int fds[2];

        assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), errno);
        return (Pair) { fds[0], fds[1] };
}

static void close_pair(Pair p) {
        (void) close(p.a);
        (void) close(p.b);
}

/* The number that the next descriptor would get: equal before and after means that none was kept.
 * */
static int next_fd(void) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        (void) close(fd);
        return fd;
}

static void descriptor_comes_along(void **state) {
        Pair p = make_pair();
        Message m = { .kind = MESSAGE_GATES_OPEN }, got;
        int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), fd = -1;

        assert_int_equal(message_send(p.a, &m, null_fd), 0);
        assert_int_equal(message_receive(p.b, &got, &fd), 0);
        assert_int_equal(got.kind, MESSAGE_GATES_OPEN);
        assert_true(fd >= 0);
        assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        (void) close(fd);
        (void) close(null_fd);
        assert_int_equal(message_send(p.a, &m, -1), 0);
        fd = 99;
        assert_int_equal(message_receive(p.b, &got, &fd), 0);
        assert_int_equal(fd, -1);
        close_pair(p);
}

static void nothing_and_the_end(void **state) {
        Pair p = make_pair();
        Message got;
        int fd;

        assert_int_equal(message_receive(p.b, &got, &fd), -EAGAIN);
        (void) close(p.a);
        assert_int_equal(message_receive(p.b, &got, &fd), -ECONNRESET);
        (void) close(p.b);
}

static void send_raw(int socket_fd, const char *text, size_t n, int fd, size_t n_fds) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int) * 16)];
        } control = { .bytes = { 0 } };
        char copy[2 * MESSAGE_SIZE_MAX];
        struct iovec part = { copy, n };
        struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

        assert_true(n <= sizeof(copy));
        (void) memcpy(copy, text, n);
        if (n_fds > 0) {
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
                for (size_t i = 0; i < n_fds; i++)
                        (void) memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &fd, sizeof(int));
                header.msg_control = &control;
                header.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        }
        assert_true(sendmsg(socket_fd, &header, 0) == (ssize_t) n);
}

static void hostile_packets_leave_nothing(void **state) {
        static const char valid[] = "{\"kind\":\"gates-open\",\"protocol\":1}";
        static char long_text[MESSAGE_SIZE_MAX + 100];
        static const struct {
                const char *text;
                size_t size, n_fds;
        } rows[] = {
                { valid, sizeof(valid) - 1, 2 },
                { valid, sizeof(valid) - 1, 8 },
                { valid, sizeof(valid) - 1, 16 }, /* more than there is room for */
                { "nonsense", 8, 1 },
                { long_text, sizeof(long_text), 1 },
                { valid, sizeof(valid), 0 }, /* with its NUL */
        };
        Pair p = make_pair();
        int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void) memset(long_text, ' ', sizeof(long_text));
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                int before = next_fd(), fd = -1;
                Message got = { .kind = _MESSAGE_KIND_INVALID };

                send_raw(p.a, rows[i].text, rows[i].size, null_fd, rows[i].n_fds);
                assert_int_equal(message_receive(p.b, &got, &fd), -EBADMSG);
                assert_int_equal(fd, -1);
                assert_int_equal(got.kind, _MESSAGE_KIND_INVALID);
                assert_int_equal(next_fd(), before);
        }
        (void) close(null_fd);
        close_pair(p);
}

static void full_socket_says_again(void **state) {
        Pair p = make_pair();
        Message m = { .kind = MESSAGE_LINE };
        int error = 0;

        (void) memset(m.text, 'x', LINE_TEXT_MAX);
        for (int i = 0; i < 100000 && error == 0; i++)
                error = message_send(p.a, &m, -1);
        assert_int_equal(error, -EAGAIN);
        (void) close(p.b);
        assert_int_equal(message_send(p.a, &m, -1), -ECONNRESET); /* it went with messages unread */
        assert_int_equal(message_send(p.a, &m, -1), -EPIPE);      /* and no signal */
        (void) close(p.a);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(descriptor_comes_along),
                cmocka_unit_test(nothing_and_the_end),
                cmocka_unit_test(hostile_packets_leave_nothing),
                cmocka_unit_test(full_socket_says_again),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
