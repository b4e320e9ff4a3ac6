/* SPDX-License-Identifier: Apache-2.0 */

/* Addresses and ports of whatever machine the test runs on, with or without a network. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/address.h"
#include "model/allow-list.h"

static void test_default_address(void **state) {
        char address[ADDRESS_SIZE] = "untouched";

        assert_ptr_equal(address_default(address), address);
        if (address[0] == '\0') /* a machine without a default route */
                return;
        assert_int_equal(allow_list_check(VALUE_ADDRESS, address, NULL), 0);
        assert_true(address_is_local(address));
}

static void test_local_addresses(void **state) {
        assert_true(address_is_local("127.0.0.1"));
        assert_false(address_is_local("192.0.2.123"));
        assert_false(address_is_local("2001:db8::123"));
        assert_false(address_is_local(""));
        assert_false(address_is_local("localhost"));
}

static int listen_somewhere(uint16_t *ret_port) {
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(const int) { 1 }, sizeof(int)), 0); /* as servers do */
        assert_int_equal(bind(fd, (const struct sockaddr *) &address, size), 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        *ret_port = ntohs(address.sin_port);
        return fd;
}

/* A listener on one address takes the port from "all addresses"; asking changes nothing. */
static void test_ports(void **state) {
        uint16_t port;
        int fd = listen_somewhere(&port);

        assert_false(port_is_free(port));
        assert_false(port_is_free(port));
        assert_int_equal(close(fd), 0);
        assert_true(port_is_free(port));
        assert_true(port_is_free(port));
}

/* A connection whose listener is gone and which has ended lingers on the port (TIME_WAIT, RFC 9293 section 3.6): so after
 * an installation that was taken down. */
static void test_a_port_with_an_ended_connection(void **state) {
        uint16_t port;
        int listener = listen_somewhere(&port), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server;
        char end;

        assert_int_equal(connect(client,
                                 (const struct sockaddr *) &(const struct sockaddr_in) {
                                         .sin_family = AF_INET,
                                         .sin_port = htons(port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                 },
                                 sizeof(struct sockaddr_in)),
                         0);
        server = accept(listener, NULL, NULL);
        assert_true(server >= 0);
        assert_int_equal(close(listener), 0);
        assert_int_equal(close(server), 0);
        assert_int_equal(read(client, &end, 1), 0);
        assert_int_equal(close(client), 0);
        assert_true(port_is_free(port));
}

/* Two agents that look in the same instant do not see each other. */
static void test_a_port_that_another_looks_at(void **state) {
        struct sockaddr_in all = { .sin_family = AF_INET };
        socklen_t size = sizeof(all);
        int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &(const int) { 1 }, sizeof(int)), 0);
        assert_int_equal(bind(other, (const struct sockaddr *) &all, size), 0);
        assert_int_equal(getsockname(other, (struct sockaddr *) &all, &size), 0);
        assert_true(port_is_free(ntohs(all.sin_port)));
        assert_int_equal(close(other), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_default_address),
                cmocka_unit_test(test_local_addresses),
                cmocka_unit_test(test_ports),
                cmocka_unit_test(test_a_port_with_an_ended_connection),
                cmocka_unit_test(test_a_port_that_another_looks_at),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
