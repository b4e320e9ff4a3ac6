/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Addresses and ports, asked of the kernel alone.
 *
 * The routing table answers a question that no tool has to be parsed for: connect a UDP socket to
 * somewhere far away and look which address of ours it was given. Connecting such a socket sends no
 * packet, and the far address belongs to documentation. A port is free when it can be bound,
 * without SO_REUSEADDR, as the installer's container engine will want it; the socket never listens,
 * so nobody can talk to it.
 *
 * Nothing here fails: a question that the kernel does not answer has the answer that stops nobody.
 */

#include "host/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/* RFC 5737 and RFC 3849: addresses that are nobody's. Port 9 is "discard". */
#define FAR_IPV4 "192.0.2.1"
#define FAR_IPV6 "2001:db8::1"
#define FAR_PORT 9

typedef union Address {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
} Address;

static bool parse(const char *text, uint16_t port, Address *ret, socklen_t *ret_size) {
        (void) memset(ret, 0, sizeof(*ret));
        if (inet_pton(AF_INET, text, &ret->four.sin_addr) == 1) {
                ret->four.sin_family = AF_INET;
                ret->four.sin_port = htons(port);
                *ret_size = sizeof(ret->four);
                return true;
        }
        if (inet_pton(AF_INET6, text, &ret->six.sin6_addr) == 1) {
                ret->six.sin6_family = AF_INET6;
                ret->six.sin6_port = htons(port);
                *ret_size = sizeof(ret->six);
                return true;
        }
        return false;
}

/* A link-local or loopback source means that the route leads nowhere. */
static bool is_usable(const Address *a) {
        if (a->any.sa_family == AF_INET) {
                uint32_t host = ntohl(a->four.sin_addr.s_addr);

                return host != INADDR_ANY && host >> 24 != IN_LOOPBACKNET && host >> 16 != 0xa9fe;
        }
        return !IN6_IS_ADDR_UNSPECIFIED(&a->six.sin6_addr) &&
               !IN6_IS_ADDR_LOOPBACK(&a->six.sin6_addr) &&
               !IN6_IS_ADDR_LINKLOCAL(&a->six.sin6_addr);
}

const char *address_format(const struct sockaddr *address, char ret[static ADDRESS_SIZE]) {
        Address a = { 0 };
        bool four = address->sa_family == AF_INET;

        if (four || address->sa_family == AF_INET6)
                (void) memcpy(&a, address, four ? sizeof(a.four) : sizeof(a.six));
        if (!inet_ntop(a.any.sa_family, four ? (const void *) &a.four.sin_addr : &a.six.sin6_addr, ret,
                       ADDRESS_SIZE))
                (void) memcpy(ret, "?", sizeof("?"));
        return ret;
}

/* Our own address towards another one. */
static int source_towards(const struct sockaddr *to, socklen_t to_size, Address *ret) {
        _cleanup_close_ int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof(*ret);

        if (fd < 0 || connect(fd, to, to_size) < 0 || getsockname(fd, &ret->any, &size) < 0)
                return -errno;
        return 0;
}

int address_route(const struct sockaddr *to, socklen_t size, char ret_source[static ADDRESS_SIZE]) {
        Address source;
        int error = source_towards(to, size, &source);

        if (error >= 0)
                (void) address_format(&source.any, ret_source);
        return error;
}

static bool usable_source(const char *far_away, char ret[static ADDRESS_SIZE]) {
        Address to, source;
        socklen_t size;

        if (!parse(far_away, FAR_PORT, &to, &size) || source_towards(&to.any, size, &source) < 0 ||
            !is_usable(&source))
                return false;
        (void) address_format(&source.any, ret);
        return true;
}

const char *address_default(char ret[static ADDRESS_SIZE]) {
        if (!usable_source(FAR_IPV4, ret) && !usable_source(FAR_IPV6, ret))
                ret[0] = '\0';
        return ret;
}

bool address_is_local(const char *address) {
        _cleanup_close_ int fd = -1;
        socklen_t size;
        Address a;

        if (!parse(address, 0, &a, &size))
                return false;
        fd = socket(a.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return fd >= 0 && bind(fd, &a.any, size) == 0;
}

bool port_is_free(uint16_t port) {
        const struct sockaddr_in all = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_ANY),
        };
        _cleanup_close_ int fd = -1;

        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return true;
        /* As the container engine's own proxy binds: connections of the last installation that wait for their end (TIME_WAIT)
         * are in nobody's way, nor is another agent that looks in the same instant. A listener is. */
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(const int) { 1 }, sizeof(int)) < 0)
                return true;
        return bind(fd, (const struct sockaddr *) &all, sizeof(all)) == 0 || errno != EADDRINUSE;
}
