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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_default_address),
                cmocka_unit_test(test_local_addresses),
                cmocka_unit_test(test_ports),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
