/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The walk over the table.
 *
 * Every row finds its node in its section's node, and is then one of: of a bad section (silent),
 * present (decoded), missing and required (a problem), absent (its default, through the same decode
 * function). The table decides order and depth, so hostile input can't. What the rows do not
 * account for are the unknown keys. Only memory fails.
 */

#include "model/spec-decode.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

/* Quoted pieces of the spec are cut to this. */
#define SHOWN_MAX 48

int decode_refuse(Decoder *d, SpecKey key, const Place *place, const char *format, ...) {
        char text[512];
        va_list ap;

        d->bad[key] = true;
        va_start(ap, format);
        (void) vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        return problem_error(d->problems, place, "%s", text);
}

int decode_missing(Decoder *d, SpecKey key, const Place *place, const char *name,
                   const char *where) {
        d->bad[key] = true;
        if (d->partial)
                return 0;
        return problem_error(d->problems, place, "required key '%s' is missing%s%s", name,
                             where ? " in " : "", where ? where : "");
}

void *decode_slot(const Decoder *d, SpecKey key) {
        return (char *) d->spec + spec_schema(key)->offset;
}

int decode_store(Decoder *d, SpecKey key, const char *text) {
        char **slot = decode_slot(d, key), *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        free(*slot); /* two kinds of credential share a slot; that there are two is reported
                        elsewhere */
        *slot = copy;
        return 0;
}

int decode_scalar(Decoder *d, SpecKey key, const YamlNode *node, const char **ret) {
        *ret = NULL;
        if (node->kind == YAML_NODE_REFUSED) {
                d->bad[key] = true;
                return 0;
        }
        if (node->kind != YAML_NODE_SCALAR)
                return decode_refuse(d, key, &node->place, "%s must be a single value, not %s",
                                     spec_schema(key)->path, yaml_kind_words(node));
        if (yaml_is_null(node))
                return decode_refuse(d, key, &node->place, "%s has no value",
                                     spec_schema(key)->path);
        *ret = node->text;
        return 0;
}

int decode_collection(Decoder *d, SpecKey key, const YamlNode *node, YamlKind kind, bool *ret) {
        const char *hint = kind == YAML_NODE_MAPPING ? "a mapping (key: value)" : "a list";

        *ret = false;
        if (node->kind == kind) {
                *ret = true;
                return 0;
        }
        if (node->kind == YAML_NODE_REFUSED) {
                d->bad[key] = true;
                return 0;
        }
        if (yaml_is_null(node))
                return decode_refuse(d, key, &node->place, "%s has no value",
                                     spec_schema(key)->path);
        return decode_refuse(d, key, &node->place, "%s must be %s, not %s", spec_schema(key)->path,
                             hint, yaml_kind_words(node));
}

int decode_list(Decoder *d, SpecKey key, const YamlNode *node, size_t maximum, bool *ret) {
        int r = decode_collection(d, key, node, YAML_NODE_SEQUENCE, ret);

        if (r < 0 || !*ret || node->n_children <= maximum)
                return r;
        *ret = false;
        return decode_refuse(d, key, &node->place, "%s has %zu items; at most %zu are allowed",
                             spec_schema(key)->path, node->n_children, maximum);
}

int decode_checked(Decoder *d, SpecKey key, const YamlNode *node, ValueKind kind,
                   const char **ret) {
        char why[ALLOW_LIST_WHY_SIZE];
        const char *text;

        *ret = NULL;
        int r = decode_scalar(d, key, node, &text);
        if (r < 0 || !text)
                return r;
        if (allow_list_check(kind, text, why) < 0)
                return decode_refuse(d, key, &node->place, "%s %s", spec_schema(key)->path, why);
        *ret = text;
        return 0;
}

int string_list_add(StringList *list, size_t maximum, const char *text) {
        size_t n = string_list_size(*list);

        assert(n < maximum);
        if (!*list)
                *list = calloc(maximum + 1, sizeof(char *));
        if (!*list)
                return -ENOMEM;
        (*list)[n] = strdup(text);
        return (*list)[n] ? 0 : -ENOMEM;
}

bool string_list_has(char *const *list, const char *text) {
        for (; list && *list; list++)
                if (streq(*list, text))
                        return true;
        return false;
}

const char *words_join(char *buffer, size_t size, const char *const words[], size_t n) {
        size_t used = 0;

        buffer[0] = '\0';
        for (size_t i = 0; i < n; i++) {
                int written = snprintf(buffer + used, size - used, "%s%s", i > 0 ? ", " : "",
                                       words[i]);
                if (written < 0 || (size_t) written >= size - used)
                        break;
                used += (size_t) written;
        }
        return buffer;
}

const char *did_you_mean(char buffer[static DID_YOU_MEAN_SIZE], const char *typed,
                         const char *const words[], size_t n) {
        char lowered[SHOWN_MAX + 1];
        size_t i = 0;

        buffer[0] = '\0';
        for (; typed[i] != '\0' && i < SHOWN_MAX; i++)
                lowered[i] = typed[i] >= 'A' && typed[i] <= 'Z' ? (char) (typed[i] - 'A' + 'a')
                                                                : typed[i];
        if (i == 0 || typed[i] != '\0')
                return buffer;
        lowered[i] = '\0';
        const char *near = text_suggest(lowered, words, n);
        if (near)
                (void) snprintf(buffer, DID_YOU_MEAN_SIZE, "; did you mean '%s'?", near);
        return buffer;
}

/* One text for "version 1" in every file: a drop-in may repeat it and may not change it. */
int spec_decode_version(Problems *problems, const YamlNode *root, bool required) {
        const YamlNode *node = yaml_member(root, "version");

        if (!node)
                return required ? problem_error(problems, &root->place,
                                                "required key 'version' is missing; this format is "
                                                "version: 1")
                                : 0;
        if (node->kind == YAML_NODE_REFUSED)
                return 0;
        if (yaml_is_null(node))
                return problem_error(problems, &node->place, "version has no value");
        if (node->kind != YAML_NODE_SCALAR)
                return problem_error(problems, &node->place,
                                     "version must be a single value, not %s",
                                     yaml_kind_words(node));
        if (!node->plain)
                return problem_error(problems, &node->place,
                                     "version must be a whole number, without quotes");
        if (!streq(node->text, "1"))
                return problem_error(
                        problems, &node->place,
                        "version '%.*s' is not known to this release; it reads version 1",
                        SHOWN_MAX, node->text);
        return 0;
}

/* A section that is none: often a secret, written where its whereabouts belong. Then nothing of it
 * is repeated. */
static int decode_section(Decoder *d, SpecKey key, const YamlNode *node) {
        bool mapping;

        if (node->kind == YAML_NODE_SCALAR && !yaml_is_null(node)) {
                if (key == KEY_CREDENTIAL)
                        return decode_refuse(d, key, &node->place,
                                             "secrets do not belong in the spec; say where it is: "
                                             "{api_key: {from: file, path: ...}}");
                if (key == KEY_TOKEN)
                        return decode_refuse(d, key, &node->place,
                                             "secrets do not belong in the spec; say where it is: "
                                             "{source: file, path: ...}");
        }
        int r = decode_collection(d, key, node, YAML_NODE_MAPPING, &mapping);
        if (r < 0 || !mapping)
                return r;
        return decode_unknown_keys(d, key, node);
}

/* Checked file by file before the merge; the row is here for the key's name. */
static int decode_version(Decoder *d, SpecKey key, const YamlNode *node) {
        return 0;
}

/* The source reads the parts along with itself. */
static int decode_token_part(Decoder *d, SpecKey key, const YamlNode *node) {
        return 0;
}

static DecodeFunction *const decoders[_SPEC_TYPE_MAX] = {
        [SPEC_TYPE_VERSION] = decode_version,
        [SPEC_TYPE_SECTION] = decode_section,
        [SPEC_TYPE_BOOLEAN] = decode_boolean,
        [SPEC_TYPE_COUNT] = decode_number,
        [SPEC_TYPE_SIZE] = decode_number,
        [SPEC_TYPE_DURATION] = decode_duration,
        [SPEC_TYPE_WORD] = decode_word,
        [SPEC_TYPE_TEXT] = decode_text,
        [SPEC_TYPE_TEXT_OR_AUTO] = decode_text_or_auto,
        [SPEC_TYPE_ADDRESS_OR_AUTO] = decode_address,
        [SPEC_TYPE_FACTOR] = decode_factor,
        [SPEC_TYPE_SHA256] = decode_sha256,
        [SPEC_TYPE_ACCOUNT] = decode_account,
        [SPEC_TYPE_LOGIN] = decode_login,
        [SPEC_TYPE_URL] = decode_url,
        [SPEC_TYPE_PROXY] = decode_proxy,
        [SPEC_TYPE_NO_PROXY] = decode_no_proxy,
        [SPEC_TYPE_COORDINATORS] = decode_coordinators,
        [SPEC_TYPE_PINS] = decode_pins,
        [SPEC_TYPE_ROLES] = decode_roles,
        [SPEC_TYPE_MEMORY] = decode_memory,
        [SPEC_TYPE_TAGS] = decode_tags,
        [SPEC_TYPE_HOSTNAMES] = decode_hostnames,
        [SPEC_TYPE_ARGUMENTS] = decode_arguments,
        [SPEC_TYPE_SECRET] = decode_secret,
        [SPEC_TYPE_TOKEN_SOURCE] = decode_token_source,
        [SPEC_TYPE_TOKEN_PART] = decode_token_part,
};

/* The default, as if the user had written it. */
static int decode_otherwise(Decoder *d, SpecKey key) {
        const SpecSchema *schema = spec_schema(key);
        char text[64];

        if (!schema->otherwise)
                return 0;
        assert(strlen(schema->otherwise) < sizeof(text));
        memcpy(text, schema->otherwise, strlen(schema->otherwise) + 1);
        const YamlNode node = { .kind = YAML_NODE_SCALAR, .text = text, .plain = true };
        return decoders[schema->type](d, key, &node);
}

static int decode_key(Decoder *d, SpecKey key) {
        SpecKey section = spec_schema_section(key);
        const YamlNode *mapping = section == _SPEC_KEY_INVALID ? d->root : d->node[section];

        if (section != _SPEC_KEY_INVALID && d->bad[section]) {
                d->bad[key] = true;
                return 0;
        }
        d->node[key] = yaml_member(mapping, spec_schema_name(key));
        if (d->node[key])
                return decoders[spec_schema(key)->type](d, key, d->node[key]);
        /* The version's absence is told by spec_decode_version(), of the main file. */
        if (mapping && spec_schema(key)->required && key != KEY_VERSION)
                return section == _SPEC_KEY_INVALID
                               ? decode_missing(d, key, &d->root->place, spec_schema_name(key),
                                                NULL)
                               : decode_missing(d, key, &mapping->key_place, spec_schema_name(key),
                                                spec_schema(section)->path);
        return decode_otherwise(d, key);
}

int spec_decode(Decoder *d) {
        int r = decode_unknown_keys(d, _SPEC_KEY_INVALID, d->root);

        for (SpecKey key = 0; key < _SPEC_KEY_MAX && r == 0; key++)
                r = decode_key(d, key);
        return r;
}
