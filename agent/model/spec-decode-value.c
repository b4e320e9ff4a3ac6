/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Values that are one scalar: booleans, numbers, durations, words, texts.
 *
 * Types are strict where YAML's history makes guessing dangerous: a boolean is `true` or `false`
 * and nothing else, a number is decimal, and quotes make a string of both. A text key, on the other
 * hand, takes a plain scalar as it is written (`version: 4.0` is the text "4.0"), so there nothing
 * is lost by leaving quotes out.
 */

#include "model/spec-decode.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/text.h"

#define SHOWN_MAX 48

int decode_boolean(Decoder *d, SpecKey key, const YamlNode *node) {
        static const char *const yes[] = { "yes", "on", "y" }, *const no[] = { "no", "off", "n" };
        const char *path = spec_schema(key)->path, *text, *meant = NULL;
        bool *slot = decode_slot(d, key);

        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        if (node->plain && (streq(text, "true") || streq(text, "false"))) {
                *slot = streq(text, "true");
                return 0;
        }
        if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
                return decode_refuse(d, key, &node->place,
                                     "%s must be true or false, in lower case and without quotes",
                                     path);
        for (size_t i = 0; i < ELEMENTS(yes); i++)
                if (strcasecmp(text, yes[i]) == 0)
                        meant = "true";
                else if (strcasecmp(text, no[i]) == 0)
                        meant = "false";
        if (meant)
                return decode_refuse(
                        d, key, &node->place,
                        "%s must be true or false; '%s' is a text in YAML 1.2, write %s", path,
                        text, meant);
        return decode_refuse(d, key, &node->place, "%s must be true or false, not '%.*s'", path,
                             SHOWN_MAX, text);
}

int decode_number(Decoder *d, SpecKey key, const YamlNode *node) {
        const SpecSchema *schema = spec_schema(key);
        const char *text;
        uint64_t n;

        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        if (!node->plain)
                return decode_refuse(d, key, &node->place,
                                     "%s must be a whole number, without quotes", schema->path);
        r = text[0] == '0' && text[1] != '\0' ? -EINVAL : text_to_u64(text, UINT64_MAX, &n);
        if (r == -EINVAL)
                return decode_refuse(d, key, &node->place,
                                     "%s must be a whole decimal number, not '%.*s'", schema->path,
                                     SHOWN_MAX, text);
        if (r < 0 || n < schema->minimum || n > schema->maximum)
                return decode_refuse(d, key, &node->place,
                                     "%s must be between %llu and %llu, not %.*s", schema->path,
                                     (unsigned long long) schema->minimum,
                                     (unsigned long long) schema->maximum, SHOWN_MAX, text);
        if (schema->type == SPEC_TYPE_COUNT) {
                unsigned *slot = decode_slot(d, key);
                *slot = (unsigned) n;
        } else {
                uint64_t *slot = decode_slot(d, key);
                *slot = n;
        }
        return 0;
}

int decode_duration(Decoder *d, SpecKey key, const YamlNode *node) {
        const SpecSchema *schema = spec_schema(key);
        char low[DURATION_SIZE], high[DURATION_SIZE];
        usec_t *slot = decode_slot(d, key), us = 0;
        const char *text;

        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        r = duration_parse(text, &us);
        if (r == -EINVAL && text_consists_of(text, "0123456789"))
                return decode_refuse(
                        d, key, &node->place,
                        "%s needs a unit: a duration such as 90s, 20m or 1h, not '%.*s'",
                        schema->path, SHOWN_MAX, text);
        if (r == -EINVAL)
                return decode_refuse(d, key, &node->place,
                                     "%s must be a duration such as 90s, 20m or 1h, not '%.*s'",
                                     schema->path, SHOWN_MAX, text);
        if (r < 0 || us < schema->minimum || us > schema->maximum)
                return decode_refuse(d, key, &node->place, "%s must be between %s and %s, not %.*s",
                                     schema->path, duration_format(schema->minimum, low),
                                     duration_format(schema->maximum, high), SHOWN_MAX, text);
        *slot = us;
        return 0;
}

int decode_word(Decoder *d, SpecKey key, const YamlNode *node) {
        const SpecSchema *schema = spec_schema(key);
        char near[DID_YOU_MEAN_SIZE], allowed[96];
        const char *text;
        size_t n = 0;

        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        for (; schema->words[n]; n++)
                if (streq(schema->words[n], text)) {
                        unsigned *slot = decode_slot(d, key);
                        *slot = (unsigned) n;
                        return 0;
                }
        return decode_refuse(d, key, &node->place, "%s must be one of %s, not '%.*s'%s",
                             schema->path, words_join(allowed, sizeof(allowed), schema->words, n),
                             SHOWN_MAX, text, did_you_mean(near, text, schema->words, n));
}

int decode_text(Decoder *d, SpecKey key, const YamlNode *node) {
        const SpecSchema *schema = spec_schema(key);
        const char *text;

        int r = decode_checked(d, key, node, schema->kind, &text);
        if (r < 0 || !text)
                return r;
        if (schema->maximum > 0 && strlen(text) > schema->maximum)
                return decode_refuse(d, key, &node->place, "%s is longer than %llu bytes",
                                     schema->path, (unsigned long long) schema->maximum);
        return decode_store(d, key, text);
}

/* "auto" is the absence of a value: the slot keeps its NULL. */
static bool is_auto(const YamlNode *node) {
        return node->kind == YAML_NODE_SCALAR && streq(node->text, "auto");
}

int decode_text_or_auto(Decoder *d, SpecKey key, const YamlNode *node) {
        return is_auto(node) ? 0 : decode_text(d, key, node);
}

/* The installer gets the canonical form, whatever the spec's author wrote ("2001:DB8:0::1"). */
int decode_address(Decoder *d, SpecKey key, const YamlNode *node) {
        unsigned char address[sizeof(struct in6_addr)];
        char canonical[INET6_ADDRSTRLEN], why[ALLOW_LIST_WHY_SIZE];
        const char *text;

        if (is_auto(node))
                return 0;
        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        int family = inet_pton(AF_INET, text, address) == 1 ? AF_INET : AF_INET6;
        if (family == AF_INET6 && inet_pton(AF_INET6, text, address) != 1)
                return decode_refuse(d, key, &node->place,
                                     "%s must be auto or an IPv4 or IPv6 address",
                                     spec_schema(key)->path);
        if (!inet_ntop(family, address, canonical, sizeof(canonical)))
                return -errno;
        if (allow_list_check(VALUE_ADDRESS, canonical, why) < 0)
                return decode_refuse(d, key, &node->place, "%s %s", spec_schema(key)->path, why);
        return decode_store(d, key, canonical);
}

int decode_factor(Decoder *d, SpecKey key, const YamlNode *node) {
        if (node->kind == YAML_NODE_SCALAR && !node->plain)
                return decode_refuse(d, key, &node->place, "%s must be a number, without quotes",
                                     spec_schema(key)->path);
        return decode_text(d, key, node);
}

int decode_sha256(Decoder *d, SpecKey key, const YamlNode *node) {
        char lowered[SHA256_HEX_SIZE];
        const char *text;

        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        if (strlen(text) != sizeof(lowered) - 1 ||
            !text_consists_of(text, "0123456789abcdefABCDEF"))
                return decode_refuse(d, key, &node->place, "%s must be 64 hexadecimal digits",
                                     spec_schema(key)->path);
        for (size_t i = 0; i < sizeof(lowered); i++)
                lowered[i] = text[i] >= 'A' && text[i] <= 'F' ? (char) (text[i] - 'A' + 'a')
                                                              : text[i];
        return decode_store(d, key, lowered);
}

int decode_account(Decoder *d, SpecKey key, const YamlNode *node) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
        static const char digits[] = "0123456789";
        const char *path = spec_schema(key)->path, *text;

        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        if (streq(text, "root"))
                return decode_refuse(
                        d, key, &node->place,
                        "%s must not be root: the installer refuses a uid or gid below 1000", path);
        if (text_consists_of(text, digits))
                return decode_refuse(d, key, &node->place,
                                     "%s must be the user's name, not a number", path);

        size_t first = strspn(text, letters), good = 0;
        while (text[good] != '\0' && (strchr(letters, text[good]) || strchr(digits, text[good]) ||
                                      text[good] == '-' || text[good] == '.'))
                good++;
        if (first == 0 || text[good] != '\0' || good > 32)
                return decode_refuse(d, key, &node->place,
                                     "%s must be a user name: a letter or '_', then letters, "
                                     "digits, '_', '-' and '.', "
                                     "at most 32",
                                     path);
        return decode_store(d, key, text);
}

/* A platform user goes into a header: RFC 7617 forbids ':' and control characters. The value is not
 * repeated: a password may have been put here. */
int decode_login(Decoder *d, SpecKey key, const YamlNode *node) {
        const char *path = spec_schema(key)->path, *text;

        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        size_t n = strlen(text);
        if (n == 0 || n > 256)
                return decode_refuse(d, key, &node->place, "%s must have 1 to 256 bytes", path);
        if (strchr(text, ':'))
                return decode_refuse(d, key, &node->place,
                                     "%s contains ':', which ends the name in HTTP authentication",
                                     path);
        for (size_t i = 0; i < n; i++)
                if (text[i] < ' ' || text[i] > '~')
                        return decode_refuse(d, key, &node->place,
                                             "%s contains a byte that is not printable ASCII",
                                             path);
        return decode_store(d, key, text);
}
