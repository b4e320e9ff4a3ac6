/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who is talked to, and what proves that it is the right one: coordinators, pins, the webhook's
 * URL. Nothing of a URL is repeated in an error: people put passwords into URLs. Only memory fails.
 */

#include "model/spec-decode.h"

#include <errno.h>

#include "base/text.h"
#include "model/coordinator-url.h"
#include "model/no-proxy.h"

int decode_coordinators(Decoder *d, SpecKey key, const YamlNode *node) {
        StringList *slot = decode_slot(d, key);
        bool list;

        int r = decode_list(d, key, node, SPEC_COORDINATORS_MAX, &list);
        if (r < 0 || !list)
                return r;
        if (node->n_children == 0)
                return decode_refuse(
                        d, key, &node->place,
                        "coordinators is empty; name at least one, https://HOST:12443");
        for (const YamlNode *item = node->first; item && r == 0; item = item->next) {
                char url[COORDINATOR_URL_SIZE], why[URL_WHY_SIZE];
                const char *text;

                r = decode_scalar(d, key, item, &text);
                if (r < 0 || !text)
                        continue;
                if (coordinator_url_parse(text, url, why) < 0)
                        r = decode_refuse(d, key, &item->place, "coordinators: %s", why);
                else if (string_list_has(*slot, url))
                        r = decode_refuse(d, key, &item->place, "coordinators names %s twice", url);
                else
                        r = string_list_add(slot, SPEC_COORDINATORS_MAX, url);
        }
        return r;
}

/* "sha256//" and the base64 of 32 bytes: 43 characters and one '='. The last character carries two
 * bits that must be zero, else two spellings would be one pin. */
static bool pin_is_valid(const char *text) {
        static const char prefix[] = "sha256//";
        static const char base64[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        if (!text_starts_with(text, prefix))
                return false;
        text += strlen(prefix);
        if (strlen(text) != 44 || strspn(text, base64) != 43 || text[43] != '=')
                return false;
        return (strchr(base64, text[42]) - base64) % 4 == 0;
}

int decode_pins(Decoder *d, SpecKey key, const YamlNode *node) {
        StringList *slot = decode_slot(d, key);
        bool list;

        int r = decode_list(d, key, node, SPEC_LIST_MAX, &list);
        if (r < 0 || !list)
                return r;
        /* An empty list looks like pinning and pins nothing. */
        if (node->n_children == 0)
                return decode_refuse(d, key, &node->place,
                                     "trust.pins is empty; leave the key out to pin nothing");
        for (const YamlNode *item = node->first; item && r == 0; item = item->next) {
                const char *text;

                r = decode_scalar(d, key, item, &text);
                if (r < 0 || !text)
                        continue;
                if (!pin_is_valid(text))
                        r = decode_refuse(d, key, &item->place,
                                          "trust.pins: a pin is sha256// and the base64 of 32 "
                                          "bytes (44 characters with '=' at the "
                                          "end); ece-enroll pin HOST:PORT prints it");
                else if (string_list_has(*slot, text))
                        r = decode_refuse(d, key, &item->place, "trust.pins names this pin twice");
                else
                        r = string_list_add(slot, SPEC_LIST_MAX, text);
        }
        return r;
}

int decode_url(Decoder *d, SpecKey key, const YamlNode *node) {
        const SpecSchema *schema = spec_schema(key);
        char why[URL_WHY_SIZE];
        const char *text;

        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        if (strlen(text) > schema->maximum)
                return decode_refuse(d, key, &node->place, "%s is longer than %llu bytes",
                                     schema->path, (unsigned long long) schema->maximum);
        if (webhook_url_check(text, why) < 0)
                return decode_refuse(d, key, &node->place, "%s %s", schema->path, why);
        return decode_store(d, key, text);
}

int decode_proxy(Decoder *d, SpecKey key, const YamlNode *node) {
        char url[COORDINATOR_URL_SIZE], why[URL_WHY_SIZE];
        const char *text;

        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        if (proxy_url_parse(text, url, why) < 0)
                return decode_refuse(d, key, &node->place, "proxy: %s", why);
        return decode_store(d, key, url);
}

int decode_no_proxy(Decoder *d, SpecKey key, const YamlNode *node) {
        StringList *slot = decode_slot(d, key);
        bool list;

        int r = decode_list(d, key, node, SPEC_LIST_MAX, &list);
        if (r < 0 || !list)
                return r;
        for (const YamlNode *item = node->first; item && r == 0; item = item->next) {
                char why[URL_WHY_SIZE];
                const char *text;

                r = decode_scalar(d, key, item, &text);
                if (r < 0 || !text)
                        continue;
                if (no_proxy_check(text, why) < 0)
                        r = decode_refuse(d, key, &item->place, "no_proxy: %s", why);
                else
                        r = string_list_add(slot, SPEC_LIST_MAX, text);
        }
        return r;
}
