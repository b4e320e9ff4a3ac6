/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the host is to be: roles, memory settings, tags, names.
 *
 * Mappings of free keys become the one-line texts that the installer takes (k:v,k:v and compact
 * JSON), in the order of the file. Each piece is checked where it stands, so that the error has its
 * line, and the whole once more as what it will be. Only memory fails.
 */

#include "model/spec-decode.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/text.h"
#include "model/memory-settings.h"

#define SHOWN_MAX 48
#define TEXT_MAX 4096U /* of a joined value: what the allow-list lets through */

static int refuse_role(Decoder *d, SpecKey key, const YamlNode *item) {
        char near[DID_YOU_MEAN_SIZE];

        if (strcasecmp(item->text, "controller") == 0)
                return decode_refuse(d, key, &item->place,
                                     "'%s' is not a role; what the Cloud UI shows as Controller is "
                                     "called coordinator",
                                     item->text);
        if (role_is_system(item->text) || streq(item->text, "constructor"))
                return decode_refuse(
                        d, key, &item->place,
                        "'%s' is a role that ECE assigns by itself; it can't be asked for",
                        item->text);
        if (did_you_mean(near, item->text, role_words(), _ROLE_MAX)[0] == '\0')
                return decode_refuse(d, key, &item->place,
                                     "'%.*s' is not a role; the roles are allocator, coordinator, "
                                     "director, proxy",
                                     SHOWN_MAX, item->text);
        return decode_refuse(d, key, &item->place, "'%.*s' is not a role%s", SHOWN_MAX, item->text,
                             near);
}

int decode_roles(Decoder *d, SpecKey key, const YamlNode *node) {
        RoleSet *slot = decode_slot(d, key), set = 0;
        bool list;

        int r = decode_list(d, key, node, SPEC_LIST_MAX, &list);
        if (r < 0 || !list)
                return r;
        for (const YamlNode *item = node->first; item && r == 0; item = item->next) {
                const char *word;

                r = decode_scalar(d, key, item, &word);
                if (r < 0 || !word)
                        continue;
                Role role = role_from_string(word);
                if (role == _ROLE_INVALID)
                        r = refuse_role(d, key, item);
                else if (role_set_has(set, role))
                        r = decode_refuse(d, key, &item->place, "host.roles names '%s' twice",
                                          word);
                else
                        set = (RoleSet) (set | role_bit(role));
        }
        *slot = set;
        return r;
}

int decode_hostnames(Decoder *d, SpecKey key, const YamlNode *node) {
        StringList *slot = decode_slot(d, key);
        size_t joined = 0;
        bool list;

        int r = decode_list(d, key, node, SPEC_LIST_MAX, &list);
        if (r < 0 || !list)
                return r;
        for (const YamlNode *item = node->first; item && r == 0; item = item->next) {
                char name[254];
                const char *text;

                r = decode_checked(d, key, item, VALUE_HOSTNAMES, &text);
                if (r < 0 || !text)
                        continue;
                if (strchr(text, ',')) {
                        r = decode_refuse(
                                d, key, &item->place,
                                "host.external_hostnames: one name per item, without ','");
                        continue;
                }
                /* Passed the allow-list: at most 253 bytes. Names are the same in any case. */
                for (size_t i = 0; i <= strlen(text); i++)
                        name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char) (text[i] - 'A' + 'a')
                                                                   : text[i];
                joined += strlen(name) + 1;
                if (string_list_has(*slot, name))
                        r = decode_refuse(d, key, &item->place,
                                          "host.external_hostnames names '%.*s' twice", SHOWN_MAX,
                                          name);
                else
                        r = string_list_add(slot, SPEC_LIST_MAX, name);
        }
        if (r == 0 && joined > TEXT_MAX)
                r = decode_refuse(d, key, &node->place,
                                  "host.external_hostnames is longer than %u bytes in all",
                                  TEXT_MAX);
        return r;
}

static int decode_tag(Decoder *d, SpecKey key, const YamlNode *item, Buffer *out) {
        char why[ALLOW_LIST_WHY_SIZE];
        Buffer tag = BUFFER_INIT(2 * TEXT_MAX + 1);
        const char *value;

        int r = decode_scalar(d, key, item, &value);
        if (r < 0 || !value)
                return r;
        r = buffer_append_format(&tag, "%s:%s", item->key, value);
        if (r == 0 && allow_list_check(VALUE_TAGS, buffer_string(&tag), why) < 0)
                r = decode_refuse(d, key, &item->key_place, "host.allocator_tags: the tag %s", why);
        else if (r == 0 && (strchr(item->key, ',') || strchr(value, ',')))
                r = decode_refuse(d, key, &item->key_place,
                                  "host.allocator_tags: the tag contains ','");
        else if (r == 0)
                r = buffer_append_format(out, "%s%s", out->size > 0 ? "," : "",
                                         buffer_string(&tag));
        buffer_done(&tag);
        return r;
}

/* What buffers collected, as the key's text. Too long for one is the spec's fault, not ours. */
static int store_joined(Decoder *d, SpecKey key, const YamlNode *node, const Buffer *text, int r) {
        if (r == -EMSGSIZE)
                return decode_refuse(d, key, &node->place, "%s is longer than %u bytes in all",
                                     spec_schema(key)->path, TEXT_MAX);
        if (r < 0 || d->bad[key])
                return r;
        return decode_store(d, key, buffer_string(text));
}

int decode_tags(Decoder *d, SpecKey key, const YamlNode *node) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(TEXT_MAX);
        bool mapping;

        int r = decode_collection(d, key, node, YAML_NODE_MAPPING, &mapping);
        if (r < 0 || !mapping || node->n_children == 0)
                return r;
        for (const YamlNode *item = node->first; item && r == 0; item = item->next)
                r = decode_tag(d, key, item, &text);
        return store_joined(d, key, node, &text, r);
}

static int decode_missing_size(Decoder *d, SpecKey key, const YamlNode *part, const char *name) {
        char where[64];

        (void) snprintf(where, sizeof(where), "host.memory_settings.%s", part->key);
        return decode_missing(d, key, &part->key_place, name, where);
}

/* One of xms, xmx: its text and size; *ret_text NULL when refused. */
static int decode_memory_size(Decoder *d, SpecKey key, const YamlNode *part, const char *name,
                              const char **ret_text, uint64_t *ret_bytes) {
        const YamlNode *node = yaml_member(part, name);

        *ret_text = NULL;
        if (!node)
                return decode_missing_size(d, key, part, name);
        if (node->kind == YAML_NODE_REFUSED) {
                d->bad[key] = true;
                return 0;
        }
        if (yaml_is_null(node))
                return decode_refuse(d, key, &node->place,
                                     "host.memory_settings.%s.%s has no value", part->key, name);
        if (node->kind != YAML_NODE_SCALAR ||
            memory_size_parse(node->text, strlen(node->text), ret_bytes) < 0)
                return decode_refuse(d, key, &node->place,
                                     "host.memory_settings.%s.%s must be a whole number with unit "
                                     "K, M or G, such as 1G",
                                     part->key, name);
        *ret_text = node->text;
        return 0;
}

static int decode_memory_members(Decoder *d, SpecKey key, const YamlNode *part) {
        static const char *const names[] = { "xms", "xmx" };
        char near[DID_YOU_MEAN_SIZE];
        int r = 0;

        for (const YamlNode *m = part->first; m && r == 0; m = m->next)
                if (!streq(m->key, "xms") && !streq(m->key, "xmx")) {
                        did_you_mean(near, m->key, names, ELEMENTS(names));
                        r = decode_refuse(d, key, &m->key_place,
                                          "unknown key '%.*s' in host.memory_settings.%s%s",
                                          SHOWN_MAX, m->key, part->key,
                                          near[0] != '\0' ? near : "; allowed are xms, xmx");
                }
        return r;
}

/* {xms: 1G, xmx: 1G} of a known part. */
static int decode_memory_part(Decoder *d, SpecKey key, const YamlNode *part, Buffer *out) {
        const char *xms = NULL, *xmx = NULL;
        uint64_t low = 0, high = 0;

        if (part->kind == YAML_NODE_REFUSED) {
                d->bad[key] = true;
                return 0;
        }
        if (yaml_is_null(part))
                return decode_refuse(d, key, &part->place, "host.memory_settings.%s has no value",
                                     part->key);
        if (part->kind != YAML_NODE_MAPPING)
                return decode_refuse(
                        d, key, &part->place,
                        "host.memory_settings.%s must be a mapping such as {xms: 1G, xmx: 1G}",
                        part->key);
        int r = decode_memory_members(d, key, part);
        if (r == 0)
                r = decode_memory_size(d, key, part, "xms", &xms, &low);
        if (r == 0)
                r = decode_memory_size(d, key, part, "xmx", &xmx, &high);
        if (r < 0 || !xms || !xmx)
                return r;
        if (low > high)
                return decode_refuse(d, key, &yaml_member(part, "xms")->place,
                                     "host.memory_settings.%s.xms (%s) is greater than xmx (%s)",
                                     part->key, xms, xmx);
        return buffer_append_format(out, "%s\"%s\":{\"xms\":\"%s\",\"xmx\":\"%s\"}",
                                    out->size > 1 ? "," : "", part->key, xms, xmx);
}

static int refuse_memory_part(Decoder *d, SpecKey key, const YamlNode *part) {
        char near[DID_YOU_MEAN_SIZE], allowed[96];

        if (streq(part->key, "proxy"))
                return decode_refuse(d, key, &part->key_place,
                                     "host.memory_settings: ECE's documentation says not to set "
                                     "the memory of proxy");
        if (did_you_mean(near, part->key, memory_part_words(), MEMORY_PARTS_MAX)[0] != '\0')
                return decode_refuse(d, key, &part->key_place,
                                     "unknown key '%.*s' in host.memory_settings%s", SHOWN_MAX,
                                     part->key, near);
        return decode_refuse(
                d, key, &part->key_place,
                "unknown key '%.*s' in host.memory_settings; allowed are %s", SHOWN_MAX, part->key,
                words_join(allowed, sizeof(allowed), memory_part_words(), MEMORY_PARTS_MAX));
}

int decode_memory(Decoder *d, SpecKey key, const YamlNode *node) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(TEXT_MAX);
        bool mapping;

        int r = decode_collection(d, key, node, YAML_NODE_MAPPING, &mapping);
        if (r < 0 || !mapping || node->n_children == 0)
                return r;
        r = buffer_append_string(&text, "{");
        for (const YamlNode *part = node->first; part && r == 0; part = part->next)
                r = memory_part_known(part->key, strlen(part->key))
                            ? decode_memory_part(d, key, part, &text)
                            : refuse_memory_part(d, key, part);
        if (r == 0)
                r = buffer_append_string(&text, "}");
        if (r == 0 && !d->bad[key])
                assert(allow_list_check(VALUE_MEMORY_SETTINGS, buffer_string(&text), NULL) == 0);
        return store_joined(d, key, node, &text, r);
}
