/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keys of enroll.yaml(5), made from the schema's table: type, bounds, default, meaning. The page
 * around them is written by hand; a test holds its middle against this, so that no default stands
 * anywhere a second time.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/man-text.h"
#include "model/spec-schema.h"

static const char *const type_words[_SPEC_TYPE_MAX] = {
        [SPEC_TYPE_VERSION] = "the number 1",
        [SPEC_TYPE_SECTION] = "mapping",
        [SPEC_TYPE_BOOLEAN] = "true or false",
        [SPEC_TYPE_COUNT] = "number",
        [SPEC_TYPE_SIZE] = "number",
        [SPEC_TYPE_DURATION] = "duration",
        [SPEC_TYPE_WORD] = "one of",
        [SPEC_TYPE_TEXT] = "text",
        [SPEC_TYPE_TEXT_OR_AUTO] = "text, or auto",
        [SPEC_TYPE_ADDRESS_OR_AUTO] = "IP address, or auto",
        [SPEC_TYPE_FACTOR] = "number with a point",
        [SPEC_TYPE_SHA256] = "64 hexadecimal digits",
        [SPEC_TYPE_ACCOUNT] = "user of this host",
        [SPEC_TYPE_LOGIN] = "user of the platform",
        [SPEC_TYPE_URL] = "https URL",
        [SPEC_TYPE_PROXY] = "http://HOST:PORT",
        [SPEC_TYPE_NO_PROXY] = "list of names and addresses",
        [SPEC_TYPE_COORDINATORS] = "list of https://HOST:PORT",
        [SPEC_TYPE_PINS] = "list of sha256//BASE64",
        [SPEC_TYPE_ROLES] = "list of roles",
        [SPEC_TYPE_MEMORY] = "mapping",
        [SPEC_TYPE_TAGS] = "mapping",
        [SPEC_TYPE_HOSTNAMES] = "list of names",
        [SPEC_TYPE_ARGUMENTS] = "list of arguments",
        [SPEC_TYPE_SECRET] = "secret; see SECRETS",
        [SPEC_TYPE_TOKEN_SOURCE] = "one of coordinator, credential, file, command",
        [SPEC_TYPE_TOKEN_PART] = "text",
};

/* What the installer gets, it gets in these characters only. False: no such rule. */
static bool allowed_kind(const SpecSchema *s, ValueKind *ret) {
        switch (s->type) {
        case SPEC_TYPE_TEXT:
        case SPEC_TYPE_TEXT_OR_AUTO:
        case SPEC_TYPE_ADDRESS_OR_AUTO:
        case SPEC_TYPE_FACTOR:
                *ret = s->kind;
                return true;
        case SPEC_TYPE_TAGS:
                *ret = VALUE_TAGS;
                return true;
        case SPEC_TYPE_HOSTNAMES:
                *ret = VALUE_HOSTNAMES;
                return true;
        case SPEC_TYPE_ARGUMENTS:
                *ret = VALUE_PLAIN;
                return true;
        case SPEC_TYPE_VERSION:
        case SPEC_TYPE_SECTION:
        case SPEC_TYPE_BOOLEAN:
        case SPEC_TYPE_COUNT:
        case SPEC_TYPE_SIZE:
        case SPEC_TYPE_DURATION:
        case SPEC_TYPE_WORD:
        case SPEC_TYPE_SHA256:
        case SPEC_TYPE_ACCOUNT:
        case SPEC_TYPE_LOGIN:
        case SPEC_TYPE_URL:
        case SPEC_TYPE_PROXY:
        case SPEC_TYPE_NO_PROXY:
        case SPEC_TYPE_COORDINATORS:
        case SPEC_TYPE_PINS:
        case SPEC_TYPE_ROLES:
        case SPEC_TYPE_MEMORY:
        case SPEC_TYPE_SECRET:
        case SPEC_TYPE_TOKEN_SOURCE:
        case SPEC_TYPE_TOKEN_PART:
        case _SPEC_TYPE_MAX:
                break;
        }
        return false;
}

static void print_bound(const SpecSchema *s, uint64_t value) {
        char duration[DURATION_SIZE];

        if (s->type == SPEC_TYPE_DURATION)
                printf("%s", duration_format(value, duration));
        else
                printf("%" PRIu64, value);
}

static void print_type(const SpecSchema *s) {
        bool counted = s->type == SPEC_TYPE_DURATION || s->type == SPEC_TYPE_COUNT || s->type == SPEC_TYPE_SIZE;

        if (s->type == SPEC_TYPE_TEXT && s->kind == VALUE_PATH)
                printf("absolute path");
        else if (s == spec_schema(KEY_TOKEN_ARGV))
                printf("list of arguments");
        else
                man_text(type_words[s->type]);
        for (size_t i = 0; s->words && s->words[i]; i++) {
                printf("%s", i == 0 ? " " : ", ");
                man_text(s->words[i]);
        }
        if (counted && s->maximum > 0) {
                printf(", ");
                print_bound(s, s->minimum);
                printf(" to ");
                print_bound(s, s->maximum);
        } else if (s->maximum > 0)
                printf(", at most %" PRIu64 " bytes", s->maximum);
}

static void print_key(const SpecSchema *s) {
        ValueKind kind;

        printf(".TP\n\\fB");
        man_text(s->path);
        printf("\\fR (");
        print_type(s);
        if (s->required)
                printf("; required%s", strchr(s->path, '.') ? " in its section" : "");
        if (s->otherwise) {
                printf("; default \\fB");
                man_text(s->otherwise);
                printf("\\fR");
        }
        printf(")\n");
        man_sentence("", s->summary, ".");
        if (allowed_kind(s, &kind))
                man_sentence("Allowed: ", value_kind_allowed(kind), ".");
}

void man_keys(void) {
        for (SpecKey key = 0; key < _SPEC_KEY_MAX; key++)
                print_key(spec_schema(key));
}
