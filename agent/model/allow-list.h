/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The allow-list: the one place that says what a value must look like to reach the installer.
 *
 * ECE's installer evaluates its arguments: a quote is code execution, a blank truncates, a glob expands,
 * an empty argument silently ends parsing, a leading dash becomes an option. So a value is not escaped
 * but refused unless it has exactly the form of its kind. The spec's decoder asks here early, to name
 * line and column; installer-command.c asks here again for every single argument, whoever made it.
 */

#include <stddef.h>

typedef enum ValueKind {
        VALUE_TOKEN,          /* JWT: three non-empty base64url parts */
        VALUE_ROLES,          /* words of role.h joined by commas, no blanks, none twice */
        VALUE_VERSION,        /* N.N.N with an optional -suffix; comes from the network */
        VALUE_ADDRESS,        /* IPv4 or IPv6 literal in canonical form, routable (not 0.0.0.0, loopback, multicast) */
        VALUE_COORDINATOR,    /* host name (RFC 1123) or address literal of a coordinator; loopback is allowed */
        VALUE_HOSTNAMES,      /* host names joined by commas */
        VALUE_RUNNER_ID,      /* [A-Za-z0-9._-], not "." or "..", at most 128: it becomes a directory and a URL segment */
        VALUE_ZONE,           /* as runner id */
        VALUE_PATH,           /* absolute, [A-Za-z0-9._/-], no "..", no trailing or double slash */
        VALUE_CAPACITY,       /* whole number of MB, 8192 to 16777216 */
        VALUE_TAGS,           /* k:v joined by commas, parts of [A-Za-z0-9._-] */
        VALUE_MEMORY_SETTINGS,/* compact JSON {"part":{"xms":"1G","xmx":"1G"},...} as we print it, no white space */
        VALUE_REGISTRY,       /* host[:port] */
        VALUE_REPOSITORY,     /* path components of [a-z0-9._-] joined by "/" */
        VALUE_FACTOR,         /* decimal number > 0, at most 100: "1.0", "2.5" */
        VALUE_OPTION,         /* "--word" of [a-z0-9-], of the extra arguments */
        VALUE_PLAIN,          /* [A-Za-z0-9._:,/=+@-]: an extra argument's value */
        _VALUE_KIND_MAX,
} ValueKind;

#define ALLOW_LIST_WHY_SIZE 160

/* 0 when the value has the form of its kind, -EINVAL otherwise with a sentence fragment in why (may be
 * NULL), e.g. "contains ' at byte 7; allowed are letters, digits, '.', '_' and '-'". A NULL or empty value, one
 * that starts with '-' (VALUE_OPTION apart), is longer than 4096 bytes or holds anything outside
 * printable ASCII is refused for every kind. why never quotes more than one character, so it is safe for a token. */
int allow_list_check(ValueKind kind, const char *value, char why[ALLOW_LIST_WHY_SIZE]);

const char *value_kind_to_string(ValueKind kind);

/* The most bytes that a value of the kind may have. */
size_t value_kind_size_max(ValueKind kind);

/* The allowed characters in words: "letters, digits, '.', '_' and '-'". */
const char *value_kind_allowed(ValueKind kind);
