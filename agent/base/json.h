/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* jansson behind one door: every JSON text from outside is bounded in size and depth, and duplicate
 * members are refused. json_t follows jansson's own reference counting. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/cleanup.h"

#define JSON_SIZE_MAX (256U * 1024U)
#define JSON_DEPTH_MAX 16U

static inline void json_decrefp_(json_t **slot) {
        json_decref(*slot);
}
#define _cleanup_json_ _cleanup_(json_decrefp_)

/* Reads one document of n bytes. 0, -EMSGSIZE (larger than JSON_SIZE_MAX or deeper than JSON_DEPTH_MAX; the
 * depth is scanned before jansson sees the text), -EBADMSG when it is not JSON, -ENOMEM.
 * why (may be NULL) gets a short sentence with the position, never a piece of the text. */
#define JSON_WHY_SIZE 96
int json_read(const char *text, size_t n, json_t **ret, char why[JSON_WHY_SIZE]);

/* Members of an object, typed: the value, or the default when object is no object, the member is missing
 * or has another type. Borrowed. */
const char *json_member_string(const json_t *object, const char *name); /* default NULL */
json_t *json_member_object(const json_t *object, const char *name);     /* default NULL */
json_t *json_member_array(const json_t *object, const char *name);      /* default NULL */
bool json_member_bool(const json_t *object, const char *name, bool otherwise);
json_int_t json_member_integer(const json_t *object, const char *name, json_int_t otherwise);

/* A seal is a member "sha256" with the digest of all others, of their compact text in the order of their names:
 * whoever reads the object back notices a bit that fell over, even where it gives a valid value.
 * json_seal(): 0, -ENOMEM. json_break_seal() takes the member away: 0, -EBADMSG when it is missing or is not
 * that of the rest, -ENOMEM. */
int json_seal(json_t *object);
int json_break_seal(json_t *object);

/* Appends the text, by jansson's JSON_* flags of writing. 0; buffer_append()'s -EMSGSIZE and -ENOMEM: then ret holds a part of it. */
int json_write(const json_t *value, size_t flags, Buffer *ret);

/* malloc()ed compact text in sorted key order, NULL without memory. */
char *json_write_compact(const json_t *value);
