/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The walk over the table of keys: a section becomes an object that knows its members and no others, a key what
 * json-schema-value.c makes of its type, with summary and default from its row. A key that gets a row is in the schema without
 * further doing.
 *
 * Added by hand is what keys have to do with each other, as far as a schema can say it; spec-check.c is where that is decided. A test
 * holds schema and parser against each other with the same specs. Memory may be short: then there is no schema at all.
 */

#include "model/json-schema.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"

/* Adds a member; *object is gone, and NULL, as soon as something is missing. */
static void put(json_t **object, const char *name, json_t *value) {
        if (*object && json_object_set_new(*object, name, value) == 0)
                return;
        if (!*object)
                json_decref(value);
        json_decref(*object);
        *object = NULL;
}

static json_t *description(const SpecSchema *row) {
        char text[512], low[DURATION_SIZE], high[DURATION_SIZE];

        if (row->type != SPEC_TYPE_DURATION)
                return json_string(row->summary);
        (void) snprintf(text, sizeof(text), "%s (%s to %s)", row->summary, duration_format(row->minimum, low),
                        duration_format(row->maximum, high));
        return json_string(text);
}

/* As YAML would read what stands in the table. */
static json_t *otherwise(const SpecSchema *row) {
        uint64_t n;

        if (row->type == SPEC_TYPE_BOOLEAN)
                return json_boolean(streq(row->otherwise, "true"));
        if ((row->type == SPEC_TYPE_COUNT || row->type == SPEC_TYPE_SIZE) &&
            text_to_u64(row->otherwise, row->maximum, &n) == 0)
                return json_integer((json_int_t) n);
        return json_string(row->otherwise);
}

/* A member is there and has this value. */
static json_t *has(const char *member, json_t *value) {
        return json_pack("{s:[s], s:{s:{s:o}}}", "required", member, "properties", member, "const", value);
}

static json_t *rule(json_t *when, json_t *then) {
        return json_pack("{s:o, s:o}", "if", when, "then", then);
}

/* token.source as a word has one member beside it; as a mapping it has it inside. */
static json_t *source_rule(const char *source, const char *member, const char *other, const char *another) {
        return rule(has("source", json_string(source)), json_pack("{s:[s], s:{s:b, s:b}}", "required", member,
                                                                  "properties", other, 0, another, 0));
}

static json_t *token_rules(void) {
        json_t *elsewhere = json_pack("{s:{s:{s:{s:[s, s, s]}}}}", "properties", "source", "not", "enum",
                                      "credential", "file", "command");
        json_t *ours = json_pack("{s:{s:{s:s}}}", "properties", "source", "const", "coordinator");

        return json_pack("[o, o, o, o, o]", source_rule("credential", "name", "path", "argv"),
                         source_rule("file", "path", "name", "argv"),
                         source_rule("command", "argv", "name", "path"),
                         rule(elsewhere, json_pack("{s:{s:b, s:b, s:b}}", "properties", "name", 0, "path", 0,
                                                   "argv", 0)),
                         rule(has("persistent", json_true()), ours));
}

/* Who can do without the platform's credential: has a token from elsewhere, asks no coordinator, replaces no runner. */
static json_t *credential_rules(void) {
        return json_pack("[{s:[{s:[s]}, {s:[s, s], s:{s:{s:[s], s:{s:{s:{s:s}}}}, s:o, s:{s:{s:s}}}}]}]",
                         "anyOf", "required", "credential", "required", "token", "verify", "properties",
                         "token", "required", "source", "properties", "source", "not", "const", "coordinator",
                         "verify", has("by", json_string("local")), "on_stale_runner", "not", "const",
                         "replace");
}

static void put_rules(json_t **object, SpecKey section) {
        if (section == KEY_CREDENTIAL) {
                put(object, "minProperties", json_integer(1));
                put(object, "maxProperties", json_integer(1));
        } else if (section == KEY_TOKEN)
                put(object, "allOf", token_rules());
        else if (section == KEY_INSTALLER)
                put(object, "allOf",
                    json_pack("[o]",
                              rule(has("selinux", json_true()), has("engine", json_string("podman")))));
        else if (section == _SPEC_KEY_INVALID) {
                put(object, "dependencies", json_pack("{s:[s]}", "proxy_credential", "proxy"));
                put(object, "allOf", credential_rules());
        }
}

static json_t *required_members(SpecKey section) {
        json_t *required = json_array();

        for (SpecKey key = 0; key < _SPEC_KEY_MAX; key++)
                if (spec_schema_section(key) == section && spec_schema(key)->required &&
                    json_array_append_new(required, json_string(spec_schema_name(key))) < 0) {
                        json_decref(required);
                        return NULL;
                }
        return required;
}

/* A mapping without its members, which come later. */
static json_t *section_object(SpecKey section) {
        json_t *object = json_object();

        if (section == _SPEC_KEY_INVALID) {
                put(&object, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
                put(&object, "description",
                    json_string("the spec of ece-enroll: what this host is meant to be"));
        }
        put(&object, "type", json_string("object"));
        put(&object, "additionalProperties", json_false());
        put(&object, "required", required_members(section));
        put(&object, "properties", json_object());
        put_rules(&object, section);
        return object;
}

json_t *json_schema_of_spec(void) {
        json_t *document = section_object(_SPEC_KEY_INVALID),
               *sections[_SPEC_KEY_MAX + 1] = { [_SPEC_KEY_INVALID] = document };

        for (SpecKey key = 0; key < _SPEC_KEY_MAX; key++) {
                const SpecSchema *row = spec_schema(key);
                json_t *value = row->type == SPEC_TYPE_SECTION ? section_object(key) : json_schema_value(key);

                put(&value, "description", description(row));
                if (row->otherwise)
                        put(&value, "default", otherwise(row));
                /* A section stands before its members. */
                if (json_object_set_new(json_object_get(sections[spec_schema_section(key)], "properties"),
                                        spec_schema_name(key), value) < 0) {
                        json_decref(document);
                        return NULL;
                }
                sections[key] = value;
        }
        put(&document, "definitions",
            json_pack("{s:o, s:o}", "secret", json_schema_secret(true), "token", json_schema_secret(false)));
        return document;
}
