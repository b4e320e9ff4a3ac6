/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names are compared by their ends, addresses by their bits. An entry is one or the other by its form, so a name never
 * matches an address that it resolves to: what is excepted can be read off the spec. Pure; nothing fails.
 */

#include "model/no-proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "model/allow-list.h"

typedef struct Network {
        int family;
        unsigned char bits[16];
        unsigned length; /* of the prefix */
} Network;

static bool read_address(const char *text, Network *ret) {
        ret->family = strchr(text, ':') ? AF_INET6 : AF_INET;
        ret->length = ret->family == AF_INET ? 32 : 128;
        return inet_pton(ret->family, text, ret->bits) == 1;
}

/* An address, or one with the length of a prefix behind it. */
static bool read_network(const char *text, Network *ret) {
        char address[INET6_ADDRSTRLEN];
        const char *slash = strchr(text, '/');
        size_t n = slash ? (size_t) (slash - text) : strlen(text);
        uint64_t length;

        if (n >= sizeof(address))
                return false;
        (void) memcpy(address, text, n);
        address[n] = '\0';
        if (!read_address(address, ret))
                return false;
        if (!slash)
                return true;
        if (text_to_u64(slash + 1, ret->length, &length) < 0)
                return false;
        ret->length = (unsigned) length;
        return true;
}

static bool contains(const Network *network, const Network *address) {
        unsigned whole = network->length / 8, rest = network->length % 8;
        unsigned mask = 0xffU << (8 - rest) & 0xffU;

        return network->family == address->family && memcmp(network->bits, address->bits, whole) == 0 &&
               (rest == 0 || ((network->bits[whole] ^ address->bits[whole]) & mask) == 0);
}

int no_proxy_check(const char *entry, char why[static URL_WHY_SIZE]) {
        char reason[ALLOW_LIST_WHY_SIZE];
        Network network;

        if (streq(entry, "*") || read_network(entry, &network))
                return 0;
        if (allow_list_check(VALUE_COORDINATOR, entry + (*entry == '.'), reason) >= 0)
                return 0;
        (void) snprintf(why, URL_WHY_SIZE, "neither a name, .domain, address nor network: it %.150s", reason);
        return -EINVAL;
}

/* The host of https://HOST:PORT, without brackets. */
static bool host_of(const char *url, char *ret, size_t size) {
        const char *begin = url + strlen("https://"), *end;

        if (*begin == '[') {
                begin++;
                end = strchr(begin, ']');
        } else
                end = strrchr(begin, ':');
        if (!end || (size_t) (end - begin) >= size)
                return false;
        (void) memcpy(ret, begin, (size_t) (end - begin));
        ret[end - begin] = '\0';
        return true;
}

static bool name_covers(const char *entry, const char *host) {
        size_t n = strlen(entry), m = strlen(host);

        if (*entry != '.')
                return strcasecmp(entry, host) == 0;
        return m > n && strcasecmp(host + m - n, entry) == 0;
}

bool no_proxy_covers(char *const *entries, const char *coordinator_url) {
        char host[264];
        Network address, network;
        bool is_address;

        if (!entries || !host_of(coordinator_url, host, sizeof(host)))
                return false;
        is_address = read_address(host, &address);
        for (; *entries; entries++) {
                if (streq(*entries, "*"))
                        return true;
                if (read_network(*entries, &network) ? is_address && contains(&network, &address)
                                                     : !is_address && name_covers(*entries, host))
                        return true;
        }
        return false;
}
