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

#define LABEL          "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define NAME           "(" LABEL "\\.)*(?!0[xX]|[0-9]+([:/]|$))" LABEL
#define OCTET          "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define QUAD           OCTET "(\\." OCTET "){3}"
#define HOST_QUAD      "(?!0\\.|22[4-9]\\.|23[0-9]\\.|255\\.255\\.255\\.255)" QUAD
#define COLONS         "[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*" /* whatever has the characters of an IPv6 address */
#define PORT           "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
#define AUTHORITY      "(" NAME "|" HOST_QUAD "|\\[" COLONS "\\])"
#define URL_CHARACTERS "!$%&()*+,.0-9:;=A-Z\\[\\]_a-z~-" /* without / ? @ # */

#define OPTION_FORM "--[a-z0-9][a-z0-9-]{0,61}"
#define PLAIN_FORM  "[A-Za-z0-9._:,/=+@][A-Za-z0-9._:,/=+@-]*"

/* The form, and what an editor says of a value that has it not. The word for the latter is no standard's; yaml-language-server and VS Code
 * know it, and JSON Schema has others pass over it (draft-handrews-json-schema-01: "unknown keywords SHOULD be ignored"). */
typedef struct Form {
        const char *pattern, *message;
} Form;

#define DURATION_MESSAGE "a duration such as 90s, 20m or 1h"
#define WORD_MESSAGE     "letters, digits, '.', '_' and '-'"

static const Form kind_forms[_VALUE_KIND_MAX] = {
        [VALUE_VERSION] = { "^[0-9]{1,9}(\\.[0-9]{1,9}){2}(-[A-Za-z0-9.-]+)?$",
                            "a version is written N.N.N or N.N.N-suffix" },
        [VALUE_ADDRESS] = { "^(?!127\\.)" HOST_QUAD "$|^" COLONS "$",
                            "an IPv4 or IPv6 address that other hosts can reach" },
        [VALUE_HOSTNAMES] = { "^" NAME "$", "a host name" },
        [VALUE_RUNNER_ID] = { "^(?!\\.{1,2}$)[A-Za-z0-9._][A-Za-z0-9._-]*$", WORD_MESSAGE },
        [VALUE_ZONE] = { "^(?!\\.{1,2}$)[A-Za-z0-9._][A-Za-z0-9._-]*$", WORD_MESSAGE },
        [VALUE_PATH] = { "^(/(?!\\.{1,2}(/|$))[A-Za-z0-9._-]{1,255})+$",
                         "an absolute path without '..', of letters, digits, '.', '_', '-' and '/'" },
        [VALUE_REGISTRY] = { "^(" NAME "|" HOST_QUAD ")(:" PORT ")?$", "HOST or HOST:PORT" },
        [VALUE_REPOSITORY] = { "^(?!.*\\.\\.)[a-z0-9]([a-z0-9._-]*[a-z0-9])?(/"
                               "[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*$",
                               "lower-case words, joined by '/'" },
};

/* Those that are no kinds of the list. */
static const Form type_forms[_SPEC_TYPE_MAX] = {
        [SPEC_TYPE_SHA256] = { "^[0-9A-Fa-f]{64}$", "64 hexadecimal digits" },
        [SPEC_TYPE_ACCOUNT] = { "^(?!root$)[A-Za-z_][A-Za-z0-9_.-]{0,31}$",
                                "the name of a user, and not root" },
        [SPEC_TYPE_LOGIN] = { "^[ -9;-~]{1,256}$", "printable characters, no ':'" },
        [SPEC_TYPE_URL] = { "^https://[" URL_CHARACTERS "]+([/?][/?@" URL_CHARACTERS "]*)?$",
                            "an https URL without user and fragment" },
        [SPEC_TYPE_PROXY] = { "^[hH][tT][tT][pP]://" AUTHORITY ":" PORT "/?$",
                              "a proxy is written http://HOST:PORT" },
        [SPEC_TYPE_COORDINATORS] = { "^[hH][tT][tT][pP][sS]://" AUTHORITY "(:(?!12[34]00/?$)" PORT ")?/?$",
                                     "a coordinator is written https://HOST:12443; ports 12400 and 12300 are "
                                     "plain HTTP" },
        [SPEC_TYPE_NO_PROXY] = { "^(\\*|\\.?" NAME "|\\.?" HOST_QUAD "|" QUAD
                                 "(/0*([12]?[0-9]|3[0-2]))?|\\.?" COLONS "(/[0-9]+)?)$",
                                 "a name, .domain, address, network such as 192.0.2.0/24, or *" },
        [SPEC_TYPE_PINS] = { "^sha256//[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
                             "sha256// and the base64 of 32 bytes: ece-enroll pin HOST:PORT prints it" },
        [SPEC_TYPE_MEMORY] = { "^0*[1-9][0-9]*[KMG]$", "a whole number with unit K, M or G, such as 1G" },
        [SPEC_TYPE_TAGS] = { "^[A-Za-z0-9._][A-Za-z0-9._-]*$", WORD_MESSAGE },
        [SPEC_TYPE_ARGUMENTS] = { "^(" OPTION_FORM "|" PLAIN_FORM ")$",
                                  "an option --word, or its value as the next item" },
};

static const Form option_form = { "^" OPTION_FORM "$", "an option: --word" };
static const Form variable_form = { "^[A-Za-z_][A-Za-z0-9_]{0,127}$", "the name of an environment variable" };
static const Form printable_form = { "^[^\\u0000-\\u001f\\u007f]*$", "no control characters" };

static json_t *text(Form form, size_t size_max) {
        json_t *own = json_pack("{s:s, s:s, s:s}", "type", "string", "pattern", form.pattern,
                                "patternErrorMessage", form.message);

        if (size_max > 0 && json_object_set_new(own, "maxLength", json_integer((json_int_t) size_max)) < 0) {
                json_decref(own);
                return NULL;
        }
        return own;
}

/* A text that YAML may take for a number, and for no negative one: that would be an option. With booleans where even `true` is as good
 * a text as any. */
static json_t *text_or_number(Form form, size_t size_max, bool or_boolean) {
        json_t *own = text(form, size_max), *types = json_pack("[s, s]", "string", "number");

        if (json_object_set_new(own, "minimum", json_integer(0)) < 0 ||
            (or_boolean && json_array_append_new(types, json_string("boolean")) < 0) ||
            json_object_set(own, "type", types) < 0) {
                json_decref(own);
                own = NULL;
        }
        json_decref(types);
        return own;
}

static json_t *kind(ValueKind k, size_t size_max) {
        if (size_max == 0)
                size_max = value_kind_size_max(k);
        return k == VALUE_RUNNER_ID || k == VALUE_ZONE ? text_or_number(kind_forms[k], size_max, false)
                                                       : text(kind_forms[k], size_max);
}

/* One form for both: of two, an editor would name only the first. */
static json_t *kind_or_auto(ValueKind k, size_t size_max) {
        char pattern[512], message[128];

        (void) snprintf(pattern, sizeof(pattern), "^auto$|%s", kind_forms[k].pattern);
        (void) snprintf(message, sizeof(message), "auto, or %s", kind_forms[k].message);
        if (size_max == 0)
                size_max = value_kind_size_max(k);
        return k == VALUE_RUNNER_ID ? text_or_number((Form){ pattern, message }, size_max, false)
                                    : text((Form){ pattern, message }, size_max);
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
        return json_pack("{s:s, s:o, s:I, s:I, s:b}", "type", "array", "items", item, "minItems",
                         (json_int_t) least, "maxItems", (json_int_t) most, "uniqueItems", (int) unique);
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
        if (row->minimum > 0)
                return text((Form){ zero, DURATION_MESSAGE }, 0);
        return json_pack("{s:[s, s], s:s, s:s, s:i, s:i}", "type", "string", "integer", "pattern", zero,
                         "patternErrorMessage", DURATION_MESSAGE, "minimum", 0, "maximum", 0);
}

static json_t *number(const SpecSchema *row) {
        return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t) row->minimum,
                         "maximum", (json_int_t) row->maximum);
}

static json_t *memory(void) {
        json_t *parts = json_object();

        for (size_t i = 0; parts && i < MEMORY_PARTS_MAX; i++) {
                json_t *size = text(type_forms[SPEC_TYPE_MEMORY], 8);
                json_t *part = json_pack("{s:s, s:b, s:{s:O, s:o}, s:[s, s]}", "type", "object",
                                         "additionalProperties", 0, "properties", "xms", size, "xmx", size,
                                         "required", "xms", "xmx");

                if (json_object_set_new(parts, memory_part_words()[i], part) < 0) {
                        json_decref(parts);
                        return NULL;
                }
        }
        return json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties", 0, "properties", parts);
}

static json_t *tags(void) {
        size_t most = value_kind_size_max(VALUE_TAGS);

        return json_pack("{s:s, s:o, s:o}", "type", "object", "propertyNames",
                         text(type_forms[SPEC_TYPE_TAGS], most), "additionalProperties",
                         text_or_number(type_forms[SPEC_TYPE_TAGS], most, true));
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
        return json_pack(
                "{s:s, s:I, s:[o], s:{s:[o], s:{s:o}}}", "type", "array", "maxItems",
                (json_int_t) SPEC_LIST_MAX, "items",
                json_pack("{s:o, s:{s:O}}", "allOf", json_pack("[o]", text(option_form, 0)), "not", "enum",
                          refused),
                "additionalItems", "allOf",
                text_or_number(type_forms[SPEC_TYPE_ARGUMENTS], value_kind_size_max(VALUE_PLAIN), true),
                "not", "enum", refused);
}

/* No shell sees it: any scalar will do, a negative number as well. */
static json_t *argument(void) {
        json_t *own = text_or_number(printable_form, ARGUMENT_SIZE_MAX, true);

        (void) json_object_del(own, "minimum");
        return own;
}

/* A program and its arguments. */
static json_t *command(void) {
        return json_pack("{s:s, s:i, s:i, s:[o], s:o}", "type", "array", "minItems", 1, "maxItems",
                         (int) COMMAND_ARGUMENTS_MAX, "items", kind(VALUE_PATH, 0), "additionalItems",
                         argument());
}

/* {from: KIND, MEMBER: ...} and nothing else. */
static json_t *source(const char *from, const char *member, json_t *form) {
        return json_pack("{s:s, s:b, s:{s:{s:s}, s:o}, s:[s, s]}", "type", "object", "additionalProperties",
                         0, "properties", "from", "const", from, member, form, "required", "from", member);
}

json_t *json_schema_secret(bool with_env) {
        json_t *credential = source("credential", "name", kind(VALUE_RUNNER_ID, 0));
        json_t *file = source("file", "path", kind(VALUE_PATH, 0));
        json_t *program = source("command", "argv", command());

        if (!with_env)
                return json_pack("{s:[o, o, o]}", "oneOf", credential, file, program);
        return json_pack("{s:[o, o, o, o]}", "oneOf", credential, file, program,
                         source("env", "name", text(variable_form, 0)));
}

/* draft-07 looks at nothing beside a $ref. */
static json_t *refer(const char *definition) {
        return json_pack("{s:[{s:s}]}", "allOf", "$ref", definition);
}

static json_t *token_source(void) {
        return json_pack("{s:[{s:[s, s, s, s]}, {s:s}]}", "anyOf", "enum", "coordinator", "credential",
                         "file", "command", "$ref", "#/definitions/token");
}

static json_t *token_part(SpecKey key) {
        return key == KEY_TOKEN_NAME   ? kind(VALUE_RUNNER_ID, 0)
               : key == KEY_TOKEN_PATH ? kind(VALUE_PATH, 0)
                                       : command();
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
                return kind_or_auto(row->kind, row->maximum);
        case SPEC_TYPE_FACTOR:
                return json_pack("{s:s, s:i, s:i}", "type", "number", "exclusiveMinimum", 0, "maximum", 100);
        case SPEC_TYPE_SHA256:
        case SPEC_TYPE_ACCOUNT:
        case SPEC_TYPE_LOGIN:
        case SPEC_TYPE_URL:
        case SPEC_TYPE_PROXY:
                return text(type_forms[row->type], row->maximum);
        case SPEC_TYPE_NO_PROXY:
                return list(text(type_forms[row->type], 0), 0, SPEC_LIST_MAX, false);
        case SPEC_TYPE_COORDINATORS:
                return list(text(type_forms[row->type], 0), 1, SPEC_COORDINATORS_MAX, true);
        case SPEC_TYPE_PINS:
                return list(text(type_forms[row->type], 0), 1, SPEC_LIST_MAX, true);
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
