/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The allow-list: one row per kind, three checks per value.
 *
 * First the rules that hold for every kind (not empty, bounded, printable ASCII, no leading dash),
 * then the row's set of characters, then the row's form. The order matters for people: "contains a
 * blank at byte 3" says more than "is no host name". A form check may therefore rely on the
 * character set. Everything is pure; the only failure is -EINVAL with the reason in words.
 */

#include "model/allow-list.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/memory-settings.h"
#include "model/role.h"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ALPHANUMERIC LOWER UPPER DIGITS

#define VALUE_SIZE_MAX 4096U /* of every kind, in bytes */

static int refuse(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *why, const char *format, ...) {
        va_list ap;

        if (why) {
                va_start(ap, format);
                (void) vsnprintf(why, ALLOW_LIST_WHY_SIZE, format, ap);
                va_end(ap);
        }
        return -EINVAL;
}

/* One part of a list: bytes [0, n) of text, not terminated. */
typedef struct Part {
        const char *text;
        size_t n;
} Part;

/* Takes the text up to the separator, moves *rest behind it (NULL after the last part). */
static Part part_next(const char **rest, char separator) {
        const char *start = *rest, *end = strchr(start, separator);

        *rest = end ? end + 1 : NULL;
        return (Part) { start, end ? (size_t) (end - start) : strlen(start) };
}

static bool part_copy(Part part, char *buffer, size_t size) {
        if (part.n >= size)
                return false;
        memcpy(buffer, part.text, part.n);
        buffer[part.n] = '\0';
        return true;
}

static bool part_consists_of(Part part, const char *characters) {
        for (size_t i = 0; i < part.n; i++)
                if (!strchr(characters, part.text[i]))
                        return false;
        return part.n > 0;
}

static int check_token(const char *value, char *why) {
        const char *rest = value;
        size_t parts = 0;

        while (rest) {
                if (part_next(&rest, '.').n == 0)
                        return refuse(why, "has an empty part");
                parts++;
        }
        if (parts != 3)
                return refuse(why, "has %zu parts; a roles token has three, separated by '.'",
                              parts);
        return 0;
}

static int check_roles(const char *value, char *why) {
        const char *rest = value;
        RoleSet seen = 0;

        while (rest) {
                char word[16] = "";
                Part part = part_next(&rest, ',');
                Role r = part_copy(part, word, sizeof(word)) ? role_from_string(word)
                                                             : _ROLE_INVALID;

                if (r == _ROLE_INVALID)
                        return refuse(why, "has a word at byte %zu that is no role",
                                      (size_t) (part.text - value) + 1);
                if (role_set_has(seen, r))
                        return refuse(why, "names %s twice", role_to_string(r));
                seen = (RoleSet) (seen | role_bit(r));
        }
        return 0;
}

static int check_version(const char *value, char *why) {
        const char *at = value;

        for (size_t i = 0; i < 3; i++) {
                size_t digits = strspn(at, DIGITS);

                if (digits == 0 || digits > 9)
                        return refuse(why, "is not of the form N.N.N or N.N.N-suffix");
                at += digits;
                if (i < 2 && *at++ != '.')
                        return refuse(why, "is not of the form N.N.N or N.N.N-suffix");
        }
        if (*at == '\0')
                return 0;
        if (*at != '-' || at[1] == '\0')
                return refuse(why, "is not of the form N.N.N or N.N.N-suffix");
        return 0;
}

/* An address that other hosts can reach. */
static int check_address_4(const struct in_addr *a, bool loopback_ok, char *why) {
        uint32_t host = ntohl(a->s_addr);

        if (host >> 24 == 0)
                return refuse(why, "is in 0.0.0.0/8, which is no address of a host");
        if (host >> 24 == 127 && !loopback_ok)
                return refuse(why, "is a loopback address; other hosts could not reach it");
        if (host >> 28 == 14)
                return refuse(why, "is a multicast address");
        if (host == UINT32_MAX)
                return refuse(why, "is the broadcast address");
        return 0;
}

static int check_address_6(const struct in6_addr *a, bool loopback_ok, char *why) {
        if (IN6_IS_ADDR_UNSPECIFIED(a))
                return refuse(why, "is the unspecified address");
        if (IN6_IS_ADDR_LOOPBACK(a) && !loopback_ok)
                return refuse(why, "is a loopback address; other hosts could not reach it");
        if (IN6_IS_ADDR_MULTICAST(a))
                return refuse(why, "is a multicast address");
        if (IN6_IS_ADDR_LINKLOCAL(a))
                return refuse(why,
                              "is a link-local address; it means nothing without an interface");
        if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a)) {
                /* ::1 has the form of a compatible address too and was let through above. */
                if (!IN6_IS_ADDR_LOOPBACK(a))
                        return refuse(why, "is an IPv4 address in IPv6 form; write it as IPv4");
        }
        return 0;
}

static bool is_literal(const char *value) {
        unsigned char address[sizeof(struct in6_addr)];

        return inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1;
}

/* An address, in the one spelling that compares as text, and one that other hosts can use. */
static int check_literal(const char *value, bool loopback_ok, char *why) {
        char canonical[INET6_ADDRSTRLEN];
        struct in6_addr a6;
        struct in_addr a4;

        if (inet_pton(AF_INET, value, &a4) == 1) /* which accepts the canonical form only */
                return check_address_4(&a4, loopback_ok, why);
        if (inet_pton(AF_INET6, value, &a6) != 1)
                return refuse(why, "is not an IPv4 or IPv6 address");
        if (!inet_ntop(AF_INET6, &a6, canonical, sizeof(canonical)) || !streq(canonical, value))
                return refuse(why, "is not in canonical form");
        return check_address_6(&a6, loopback_ok, why);
}

static int check_address(const char *value, char *why) {
        return check_literal(value, false, why);
}

static int check_label(Part label, char *why) {
        if (label.n == 0)
                return refuse(why, "has an empty label");
        if (label.n > 63)
                return refuse(why, "has a label of more than 63 bytes");
        if (label.text[0] == '-' || label.text[label.n - 1] == '-')
                return refuse(why, "has a label that starts or ends with '-'");
        return 0;
}

/* RFC 1123, and a last label that no resolver takes for a number: "1", "0x7f000001" and
 * "2130706433" are addresses to inet_aton(), so they would lead past every check of addresses. */
static int check_hostname(Part name, char *why) {
        char buffer[254];

        if (!part_copy(name, buffer, sizeof(buffer)))
                return refuse(why, "has a host name of more than 253 bytes");
        if (name.n == 0)
                return refuse(why, "has an empty host name");

        const char *rest = buffer;
        Part last = { buffer, 0 };
        while (rest) {
                last = part_next(&rest, '.');
                int r = check_label(last, why);
                if (r < 0)
                        return r;
        }
        if (part_consists_of(last, DIGITS) || strncasecmp(last.text, "0x", 2) == 0)
                return refuse(
                        why,
                        "ends in a number, so it is no host name, and it is no address either");
        return 0;
}

static int check_coordinator(const char *value, char *why) {
        if (is_literal(value))
                return check_literal(value, true, why);
        if (strchr(value, ':'))
                return refuse(why, "is not an IPv6 address, and a host name has no ':'");
        return check_hostname((Part) { value, strlen(value) }, why);
}

static int check_hostnames(const char *value, char *why) {
        const char *rest = value;

        while (rest) {
                int r = check_hostname(part_next(&rest, ','), why);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_identifier(const char *value, char *why) {
        if (streq(value, ".") || streq(value, ".."))
                return refuse(why, "is '%s', which means a directory", value);
        return 0;
}

static int check_path(const char *value, char *why) {
        if (value[0] != '/')
                return refuse(why, "does not start with '/'");
        if (value[1] == '\0')
                return refuse(why, "is the root directory");

        const char *rest = value + 1;
        while (rest) {
                Part part = part_next(&rest, '/');
                if (part.n == 0)
                        return refuse(why, rest ? "has an empty component ('//')" : "ends in '/'");
                if (part.n > 255)
                        return refuse(why, "has a component of more than 255 bytes");
                if ((part.n == 1 && part.text[0] == '.') ||
                    (part.n == 2 && memcmp(part.text, "..", 2) == 0))
                        return refuse(why, "has a component '.' or '..'");
        }
        return 0;
}

static int check_capacity(const char *value, char *why) {
        uint64_t mb;

        if (value[0] == '0')
                return refuse(why, "starts with '0'");
        if (text_to_u64(value, 16777216, &mb) < 0 || mb < 8192)
                return refuse(why, "is not between 8192 and 16777216");
        return 0;
}

static int check_tags(const char *value, char *why) {
        const char *rest = value;

        while (rest) {
                Part tag = part_next(&rest, ',');
                const char *colon = memchr(tag.text, ':', tag.n);
                size_t key = colon ? (size_t) (colon - tag.text) : 0;

                if (!colon || key == 0 || key + 1 == tag.n)
                        return refuse(why, "has a tag that is not of the form key:value");
                if (memchr(colon + 1, ':', tag.n - key - 1))
                        return refuse(why, "has a tag with two ':'");
                if (tag.text[0] == '-' || colon[1] == '-')
                        return refuse(why, "has a tag part that starts with '-'");
        }
        return 0;
}

static int check_memory_settings(const char *value, char *why) {
        const char *reason = memory_settings_check(value);

        return reason ? refuse(why, "%s", reason) : 0;
}

static int check_registry(const char *value, char *why) {
        const char *rest = value;
        Part host = part_next(&rest, ':');
        char name[254];
        uint64_t port;

        if (rest && (!part_consists_of((Part) { rest, strlen(rest) }, DIGITS) || rest[0] == '0' ||
                     text_to_u64(rest, 65535, &port) < 0))
                return refuse(why, "has no port between 1 and 65535 behind ':'");
        if (!part_copy(host, name, sizeof(name)))
                return refuse(why, "has a host name of more than 253 bytes");
        return is_literal(name) ? check_literal(name, true, why) : check_hostname(host, why);
}

static int check_repository(const char *value, char *why) {
        const char *rest = value;

        while (rest) {
                Part part = part_next(&rest, '/');
                if (part.n == 0)
                        return refuse(why, "has an empty component");
                /* As in a registry's grammar. */
                if (!strchr(LOWER DIGITS, part.text[0]) ||
                    !strchr(LOWER DIGITS, part.text[part.n - 1]))
                        return refuse(why, "has a component that does not start and end with a "
                                           "letter or digit");
                for (size_t i = 1; i < part.n; i++)
                        if (part.text[i] == '.' && part.text[i - 1] == '.')
                                return refuse(why, "contains '..'");
        }
        return 0;
}

static int check_factor(const char *value, char *why) {
        size_t whole = strspn(value, DIGITS);
        const char *point = value + whole;
        size_t fraction = *point == '.' ? strspn(point + 1, DIGITS) : 0;
        bool any_fraction = fraction > 0 && strspn(point + 1, "0") < fraction;
        unsigned n = 0;

        if (whole == 0 || (*point == '.' && (fraction == 0 || point[1 + fraction] != '\0')) ||
            (*point != '.' && *point != '\0'))
                return refuse(why, "is not a decimal number such as 1.0 or 2.5");
        if (whole > 3 || fraction > 6)
                return refuse(why, "has too many digits");

        /* Compared without floating point: the whole part, and whether anything follows it. */
        for (size_t i = 0; i < whole; i++)
                n = n * 10 + (unsigned) (value[i] - '0');
        if (n == 0 && !any_fraction)
                return refuse(why, "is not greater than 0");
        if (n > 100 || (n == 100 && any_fraction))
                return refuse(why, "is greater than 100");
        return 0;
}

static int check_option(const char *value, char *why) {
        if (!text_starts_with(value, "--"))
                return refuse(why, "does not start with '--'");
        if (value[2] == '\0' || value[2] == '-')
                return refuse(why, "has no word behind '--'");
        return 0;
}

static const struct {
        const char *name;
        const char *characters;
        const char *allowed; /* the characters in words */
        size_t size_max;
        int (*check)(const char *value, char *why);
} kinds[_VALUE_KIND_MAX] = {
        [VALUE_TOKEN] = { "token", ALPHANUMERIC "_-.", "letters, digits, '_', '-' and '.'",
                          VALUE_SIZE_MAX, check_token },
        [VALUE_ROLES] = { "roles", LOWER ",", "role words joined by ','", 64, check_roles },
        [VALUE_VERSION] = { "version", ALPHANUMERIC ".-", "letters, digits, '.' and '-'", 63,
                            check_version },
        [VALUE_ADDRESS] = { "address", "abcdefABCDEF.:" DIGITS, "digits, a to f, '.' and ':'",
                            INET6_ADDRSTRLEN, check_address },
        [VALUE_COORDINATOR] = { "coordinator", ALPHANUMERIC ".:-",
                                "letters, digits, '.', ':' and '-'", 253, check_coordinator },
        [VALUE_HOSTNAMES] = { "hostnames", ALPHANUMERIC ".,-", "letters, digits, '.', '-' and ','",
                              VALUE_SIZE_MAX, check_hostnames },
        [VALUE_RUNNER_ID] = { "runner-id", ALPHANUMERIC "._-", "letters, digits, '.', '_' and '-'",
                              128, check_identifier },
        [VALUE_ZONE] = { "zone", ALPHANUMERIC "._-", "letters, digits, '.', '_' and '-'", 128,
                         check_identifier },
        [VALUE_PATH] = { "path", ALPHANUMERIC "._/-", "letters, digits, '.', '_', '-' and '/'",
                         VALUE_SIZE_MAX - 1, check_path },
        [VALUE_CAPACITY] = { "capacity", DIGITS, "digits", 8, check_capacity },
        [VALUE_TAGS] = { "tags", ALPHANUMERIC "._-:,",
                         "letters, digits, '.', '_', '-', ':' and ','", VALUE_SIZE_MAX,
                         check_tags },
        [VALUE_MEMORY_SETTINGS] = { "memory-settings", LOWER "KMG{}\":,-" DIGITS, "compact JSON",
                                    1024, check_memory_settings },
        [VALUE_REGISTRY] = { "registry", ALPHANUMERIC ".:-", "letters, digits, '.', '-' and ':'",
                             260, check_registry },
        [VALUE_REPOSITORY] = { "repository", LOWER DIGITS "._/-",
                               "lower-case letters, digits, '.', '_', '-' and '/'", 200,
                               check_repository },
        [VALUE_FACTOR] = { "factor", DIGITS ".", "digits and '.'", 16, check_factor },
        [VALUE_OPTION] = { "option", LOWER DIGITS "-", "lower-case letters, digits and '-'", 64,
                           check_option },
        [VALUE_PLAIN] = { "plain", ALPHANUMERIC "._:,/=+@-",
                          "letters, digits and any of . _ : , / = + @ -", VALUE_SIZE_MAX, NULL },
};

const char *value_kind_to_string(ValueKind kind) {
        assert(kind >= 0 && kind < _VALUE_KIND_MAX);
        return kinds[kind].name;
}

const char *value_kind_allowed(ValueKind kind) {
        assert(kind >= 0 && kind < _VALUE_KIND_MAX);
        return kinds[kind].allowed;
}

size_t value_kind_size_max(ValueKind kind) {
        assert(kind >= 0 && kind < _VALUE_KIND_MAX);
        return kinds[kind].size_max;
}

/* What holds for every kind. The length is looked at with a bound, so that even a value that nobody
 * terminated properly is not run through to its end. */
static int check_common(ValueKind kind, const char *value, char *why) {
        if (!value)
                return refuse(why, "is missing");
        if (value[0] == '\0')
                return refuse(why, "is empty");
        if (strnlen(value, kinds[kind].size_max + 1) > kinds[kind].size_max)
                return refuse(why, "is longer than %zu bytes", kinds[kind].size_max);
        for (size_t i = 0; value[i] != '\0'; i++) {
                unsigned char c = (unsigned char) value[i];

                if (c == ' ')
                        return refuse(why, "contains a blank at byte %zu", i + 1);
                if (c < ' ' || c > '~')
                        return refuse(
                                why,
                                "contains byte 0x%02x at byte %zu, which is not printable ASCII", c,
                                i + 1);
        }
        if (value[0] == '-' && kind != VALUE_OPTION)
                return refuse(why, "starts with '-', which would make it an option");
        return 0;
}

int allow_list_check(ValueKind kind, const char *value, char why[ALLOW_LIST_WHY_SIZE]) {
        assert(kind >= 0 && kind < _VALUE_KIND_MAX);

        int r = check_common(kind, value, why);
        if (r < 0)
                return r;
        size_t good = strspn(value, kinds[kind].characters);
        if (value[good] != '\0')
                return refuse(why, "contains %c at byte %zu; allowed are %s", value[good], good + 1,
                              kinds[kind].allowed);
        return kinds[kind].check ? kinds[kind].check(value, why) : 0;
}
