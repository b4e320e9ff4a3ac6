/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the kernel says of addresses and ports of this host, asked with sockets that send
 * nothing. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Source address of the default route in canonical form, IPv4 if there is one, else IPv6, else
 * "". Returns ret. */
#define ADDRESS_SIZE 64
const char *address_default(char ret[static ADDRESS_SIZE]);

/* Is it an address of one of this host's interfaces? false also for a text that is no address. */
bool address_is_local(const char *address);

/* Has the kernel a route to this address? 0 with our own address on that way, or connect's negative errno
 * (-ENETUNREACH, -EHOSTUNREACH...). No packet is sent. */
int address_route(const struct sockaddr *to, socklen_t size, char ret_source[static ADDRESS_SIZE]);

/* An address in canonical form, without its port; "?" for another family. Returns ret. */
const char *address_format(const struct sockaddr *address, char ret[static ADDRESS_SIZE]);

/* Could somebody listen on this TCP port of all IPv4 addresses now? Also true when it can't be
 * found out. */
bool port_is_free(uint16_t port);
