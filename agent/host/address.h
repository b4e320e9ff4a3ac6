/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the kernel says of addresses and ports of this host, asked with sockets that send
 * nothing. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Source address of the default route in canonical form, IPv4 if there is one, else IPv6, else
 * "". Returns ret. */
#define ADDRESS_SIZE 64
const char *address_default(char ret[static ADDRESS_SIZE]);

/* Is it an address of one of this host's interfaces? false also for a text that is no address. */
bool address_is_local(const char *address);

/* Could somebody listen on this TCP port of all IPv4 addresses now? Also true when it can't be
 * found out. */
bool port_is_free(uint16_t port);
