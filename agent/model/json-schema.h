/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The contract of the spec as JSON Schema, draft-07 (https://json-schema.org/draft-07/schema), which editors speak.
 *
 * The parser decides; the schema says as much of it as a schema can. What it refuses, the parser refuses as well, but for words and
 * numbers that YAML takes for no text and that stand where only a text has use: it wants quotes there. What it lets through and the
 * parser does not: sums and comparisons of several keys, bounds of durations, one thing named twice in two spellings, IPv6
 * addresses in detail, how a number is written, and YAML itself (duplicate keys, anchors, tags).
 */

#include "base/json.h"
#include "model/spec-schema.h"

/* The whole; NULL without memory. */
json_t *json_schema_of_spec(void);

/* What a key's value looks like, sections apart. NULL without memory. */
json_t *json_schema_value(SpecKey key);

/* Where a secret is: one of the kinds of from:, env among them or not. NULL without memory. */
json_t *json_schema_secret(bool with_env);
