/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The forms of values, type by type.
 *
 * A form of the allow-list is a regular expression of ECMA-262, as JSON Schema has them, with lookaheads where the list says what a
 * value must not be; the most bytes are the list's own. The two are held against each other by a test that changes each byte of good
 * values. A scalar that YAML takes for a number is a text to the parser, so where a number makes sense as a text it is let through.
 * Memory may be short: json_pack() gives NULL for whatever lacks a part.
 */

#include "model/json-schema.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/memory-settings.h"
#include "model/role.h"
#include "model/spec-decode.h"

#define LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define NAME "(" LABEL "\\.)*(?!0[xX]|[0-9]+([:/]|$))" LABEL
#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define QUAD OCTET "(\\." OCTET "){3}"
#define HOST_QUAD "(?!0\\.|22[4-9]\\.|23[0-9]\\.|255\\.255\\.255\\.255)" QUAD
#define COLONS "[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*" /* whatever has the characters of an IPv6 address */
#define PORT "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
#define AUTHORITY "(" NAME "|" HOST_QUAD "|\\[" COLONS "\\])"
#define URL_CHARACTERS "!$%&()*+,.0-9:;=A-Z\\[\\]_a-z~-" /* without / ? @ # */

#define OPTION_FORM "--[a-z0-9][a-z0-9-]{0,61}"
#define PLAIN_FORM "[A-Za-z0-9._:,/=+@][A-Za-z0-9._:,/=+@-]*"

static const char *const kind_forms[_VALUE_KIND_MAX] = {
        [VALUE_VERSION] = "^[0-9]{1,9}(\\.[0-9]{1,9}){2}(-[A-Za-z0-9.-]+)?$",
        [VALUE_ADDRESS] = "^(?!127\\.)" HOST_QUAD "$|^" COLONS "$",
        [VALUE_HOSTNAMES] = "^" NAME "$",
        [VALUE_RUNNER_ID] = "^(?!\\.{1,2}$)[A-Za-z0-9._][A-Za-z0-9._-]*$",
        [VALUE_ZONE] = "^(?!\\.{1,2}$)[A-Za-z0-9._][A-Za-z0-9._-]*$",
        [VALUE_PATH] = "^(/(?!\\.{1,2}(/|$))[A-Za-z0-9._-]{1,255})+$",
        [VALUE_REGISTRY] = "^(" NAME "|" HOST_QUAD ")(:" PORT ")?$",
        [VALUE_REPOSITORY] = "^(?!.*\\.\\.)[a-z0-9]([a-z0-9._-]*[a-z0-9])?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*$",
};

/* Those that are no kinds of the list. */
static const char *const type_forms[_SPEC_TYPE_MAX] = {
        [SPEC_TYPE_SHA256] = "^[0-9A-Fa-f]{64}$",
        [SPEC_TYPE_ACCOUNT] = "^(?!root$)[A-Za-z_][A-Za-z0-9_.-]{0,31}$",
        [SPEC_TYPE_LOGIN] = "^[ -9;-~]{1,256}$",
        [SPEC_TYPE_URL] = "^https://[" URL_CHARACTERS "]+([/?][/?@" URL_CHARACTERS "]*)?$",
        [SPEC_TYPE_PROXY] = "^[hH][tT][tT][pP]://" AUTHORITY ":" PORT "/?$",
};

static json_t *text(const char *pattern, size_t size_max) {
        return size_max > 0 ? json_pack("{s:s, s:s, s:I}", "type", "string", "pattern", pattern, "maxLength", (json_int_t) size_max)
                            : json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

/* A text that may look like a number, and like no negative one: that would be an option. */
static json_t *text_or_number(const char *pattern, size_t size_max) {
        return json_pack("{s:[s, s], s:s, s:I, s:i}", "type", "string", "number", "pattern", pattern, "maxLength", (json_int_t) size_max,
                         "minimum", 0);
}

/* The same where even `true` is as good a text as any. */
static json_t *text_or_scalar(const char *pattern, size_t size_max) {
        return json_pack("{s:[s, s, s], s:s, s:I, s:i}", "type", "string", "number", "boolean", "pattern", pattern, "maxLength",
                         (json_int_t) size_max, "minimum", 0);
}

static json_t *kind(ValueKind k, size_t size_max) {
        if (size_max == 0)
                size_max = value_kind_size_max(k);
        return k == VALUE_RUNNER_ID || k == VALUE_ZONE ? text_or_number(kind_forms[k], size_max) : text(kind_forms[k], size_max);
}

static json_t *or_auto(json_t *form) {
        return json_pack("{s:[{s:s}, o]}", "anyOf", "const", "auto", form);
}

static json_t *words(const char *const list[], size_t n) {
        json_t *all = json_array();

        for (size_t i = 0; all && i < n; i++)
                if (json_array_append_new(all, json_string(list[i])) < 0) {
                        json_decref(all);
                        return NULL;
                }
        return json_pack("{s:o}", "enum", all);
}

static json_t *list(json_t *item, size_t least, size_t most, bool unique) {
        return json_pack("{s:s, s:o, s:I, s:I, s:b}", "type", "array", "items", item, "minItems", (json_int_t) least, "maxItems",
                         (json_int_t) most, "uniqueItems", (int) unique);
}

/* A number with a unit; "0" alone where nothing is a duration, too, and then also without quotes. */
static json_t *duration(const SpecSchema *row) {
        char pattern[64] = "^[0-9]+(", zero[80];
        const char *unit;

        for (size_t i = 0; (unit = duration_unit(i)); i++) {
                size_t n = strlen(pattern);

                (void) snprintf(pattern + n, sizeof(pattern) - n, "%s%s", i > 0 ? "|" : "", unit);
        }
        (void) snprintf(zero, sizeof(zero), row->minimum > 0 ? "%s)$" : "%s)$|^0$", pattern);
        return row->minimum > 0 ? text(zero, 0)
                                : json_pack("{s:[s, s], s:s, s:i, s:i}", "type", "string", "integer", "pattern", zero, "minimum", 0,
                                            "maximum", 0);
}

static json_t *number(const SpecSchema *row) {
        return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t) row->minimum, "maximum",
                         (json_int_t) row->maximum);
}

static json_t *memory(void) {
        json_t *parts = json_object();

        for (size_t i = 0; parts && i < MEMORY_PARTS_MAX; i++) {
                json_t *size = text("^0*[1-9][0-9]*[KMG]$", 8);
                json_t *part = json_pack("{s:s, s:b, s:{s:O, s:o}, s:[s, s]}", "type", "object", "additionalProperties", 0, "properties",
                                         "xms", size, "xmx", size, "required", "xms", "xmx");

                if (json_object_set_new(parts, memory_part_words()[i], part) < 0) {
                        json_decref(parts);
                        return NULL;
                }
        }
        return json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties", 0, "properties", parts);
}

static json_t *tags(void) {
        static const char form[] = "^[A-Za-z0-9._][A-Za-z0-9._-]*$";
        size_t most = value_kind_size_max(VALUE_TAGS);

        return json_pack("{s:s, s:{s:s, s:I}, s:o}", "type", "object", "propertyNames", "pattern", form, "maxLength", (json_int_t) most,
                         "additionalProperties", text_or_scalar(form, most));
}

/* The first one is an option, each other one an option or its value; what has a key is refused. */
static json_t *arguments(void) {
        json_t *refused = json_array();
        const char *word;

        for (size_t i = 0; refused && (word = refused_argument(i)); i++)
                if (json_array_append_new(refused, json_string(word)) < 0) {
                        json_decref(refused);
                        return NULL;
                }
        return json_pack("{s:s, s:I, s:[o], s:{s:[o], s:{s:o}}}", "type", "array", "maxItems", (json_int_t) SPEC_LIST_MAX, "items",
                         json_pack("{s:o, s:{s:O}}", "allOf", json_pack("[o]", text("^" OPTION_FORM "$", 0)), "not", "enum", refused),
                         "additionalItems", "allOf",
                         text_or_scalar("^(" OPTION_FORM "|" PLAIN_FORM ")$", value_kind_size_max(VALUE_PLAIN)), "not", "enum", refused);
}

/* A program and its arguments. */
static json_t *command(void) {
        return json_pack("{s:s, s:i, s:i, s:[o], s:{s:[s, s, s], s:s, s:i}}", "type", "array", "minItems", 1, "maxItems",
                         (int) COMMAND_ARGUMENTS_MAX, "items", kind(VALUE_PATH, 0), "additionalItems", "type", "string", "number",
                         "boolean", "pattern", "^[^\\u0000-\\u001f\\u007f]*$", "maxLength", (int) ARGUMENT_SIZE_MAX);
}

/* {from: KIND, MEMBER: ...} and nothing else. */
static json_t *source(const char *from, const char *member, json_t *form) {
        return json_pack("{s:s, s:b, s:{s:{s:s}, s:o}, s:[s, s]}", "type", "object", "additionalProperties", 0, "properties", "from",
                         "const", from, member, form, "required", "from", member);
}

json_t *json_schema_secret(bool with_env) {
        json_t *credential = source("credential", "name", kind(VALUE_RUNNER_ID, 0));
        json_t *file = source("file", "path", kind(VALUE_PATH, 0));
        json_t *program = source("command", "argv", command());

        if (!with_env)
                return json_pack("{s:[o, o, o]}", "oneOf", credential, file, program);
        return json_pack("{s:[o, o, o, o]}", "oneOf", credential, file, program,
                         source("env", "name", text("^[A-Za-z_][A-Za-z0-9_]{0,127}$", 0)));
}

/* draft-07 looks at nothing beside a $ref. */
static json_t *refer(const char *definition) {
        return json_pack("{s:[{s:s}]}", "allOf", "$ref", definition);
}

static json_t *token_source(void) {
        return json_pack("{s:[{s:[s, s, s, s]}, {s:s}]}", "anyOf", "enum", "coordinator", "credential", "file", "command", "$ref",
                         "#/definitions/token");
}

static json_t *token_part(SpecKey key) {
        return key == KEY_TOKEN_NAME ? kind(VALUE_RUNNER_ID, 0) : key == KEY_TOKEN_PATH ? kind(VALUE_PATH, 0) : command();
}

static json_t *coordinators(void) {
        static const char form[] = "^[hH][tT][tT][pP][sS]://" AUTHORITY "(:(?!12[34]00/?$)" PORT ")?/?$";

        return list(text(form, 0), 1, SPEC_COORDINATORS_MAX, true);
}

static json_t *no_proxy(void) {
        static const char form[] = "^(\\*|\\.?" NAME "|\\.?" HOST_QUAD "|" QUAD "(/0*([12]?[0-9]|3[0-2]))?|\\.?" COLONS "(/[0-9]+)?)$";

        return list(text(form, 0), 0, SPEC_LIST_MAX, false);
}

json_t *json_schema_value(SpecKey key) {
        const SpecSchema *row = spec_schema(key);
        size_t n = 0;

        switch (row->type) {
        case SPEC_TYPE_VERSION:
                return json_pack("{s:i}", "const", 1);
        case SPEC_TYPE_BOOLEAN:
                return json_pack("{s:s}", "type", "boolean");
        case SPEC_TYPE_COUNT:
        case SPEC_TYPE_SIZE:
                return number(row);
        case SPEC_TYPE_DURATION:
                return duration(row);
        case SPEC_TYPE_WORD:
                while (row->words[n])
                        n++;
                return words(row->words, n);
        case SPEC_TYPE_TEXT:
                return kind(row->kind, row->maximum);
        case SPEC_TYPE_TEXT_OR_AUTO:
        case SPEC_TYPE_ADDRESS_OR_AUTO:
                return or_auto(kind(row->kind, row->maximum));
        case SPEC_TYPE_FACTOR:
                return json_pack("{s:s, s:i, s:i}", "type", "number", "exclusiveMinimum", 0, "maximum", 100);
        case SPEC_TYPE_SHA256:
        case SPEC_TYPE_ACCOUNT:
        case SPEC_TYPE_LOGIN:
        case SPEC_TYPE_URL:
        case SPEC_TYPE_PROXY:
                return text(type_forms[row->type], row->maximum);
        case SPEC_TYPE_NO_PROXY:
                return no_proxy();
        case SPEC_TYPE_COORDINATORS:
                return coordinators();
        case SPEC_TYPE_PINS:
                return list(text("^sha256//[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$", 0), 1, SPEC_LIST_MAX, true);
        case SPEC_TYPE_ROLES:
                return list(words(role_words(), _ROLE_MAX), 0, SPEC_LIST_MAX, true);
        case SPEC_TYPE_MEMORY:
                return memory();
        case SPEC_TYPE_TAGS:
                return tags();
        case SPEC_TYPE_HOSTNAMES:
                return list(text(kind_forms[VALUE_HOSTNAMES], 253), 0, SPEC_LIST_MAX, true);
        case SPEC_TYPE_ARGUMENTS:
                return arguments();
        case SPEC_TYPE_SECRET:
                return refer("#/definitions/secret");
        case SPEC_TYPE_TOKEN_SOURCE:
                return token_source();
        case SPEC_TYPE_TOKEN_PART:
                return token_part(key);
        case SPEC_TYPE_SECTION:
        case _SPEC_TYPE_MAX:
                break;
        }
        return NULL;
}
