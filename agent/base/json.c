/* SPDX-License-Identifier: Apache-2.0 */

/*
 * JSON from outside, bounded before anybody parses it.
 *
 * jansson recurses to 2048 levels and lets the last of two equal members win unless told otherwise. Here
 * size and depth are checked first, in one pass without recursion, and duplicates are an error. jansson's
 * own messages quote the text ("near ..."), which may be a secret; ours come from a table and give only
 * the position.
 */

#include "base/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"

/* What we write ourselves is small; the bound only keeps a mistake from eating the memory. */
#define JSON_WRITE_MAX (16U * 1024U * 1024U)

static void explain(char why[JSON_WHY_SIZE], const char *sentence) {
        if (why)
                (void) snprintf(why, JSON_WHY_SIZE, "%s", sentence);
}

/*
 * The deepest nesting of the text. As long as the text is JSON this sees the same strings and brackets as
 * the parser; from the first error on it may be wrong, but the parser gets no further than that error.
 */
static size_t depth_of(const char *text, size_t n) {
        size_t depth = 0, deepest = 0;
        bool in_string = false;

        for (size_t i = 0; i < n; i++) {
                char c = text[i];

                if (in_string) {
                        if (c == '\\')
                                i++; /* whatever is escaped ends nothing */
                        else if (c == '"')
                                in_string = false;
                } else if (c == '"')
                        in_string = true;
                else if (c == '{' || c == '[') {
                        if (++depth > deepest)
                                deepest = depth;
                } else if ((c == '}' || c == ']') && depth > 0)
                        depth--;
        }
        return deepest;
}

/* The codes that a text can cause get their own words, the rest are faults of a kind we don't use. */
static const char *error_sentence(enum json_error_code code) {
        static const char *const sentences[] = {
                [json_error_premature_end_of_input] = "it ends too early",
                [json_error_end_of_input_expected] = "something follows the end of the document",
                [json_error_invalid_utf8] = "not valid UTF-8",
                [json_error_invalid_syntax] = "not JSON",
                [json_error_duplicate_key] = "a member appears twice in one object",
                [json_error_numeric_overflow] = "a number is too large",
                [json_error_null_character] = "a string holds a NUL character",
                [json_error_null_byte_in_key] = "the name of a member holds a NUL character",
        };

        if ((size_t) code >= ELEMENTS(sentences) || !sentences[code])
                return "not acceptable JSON";
        return sentences[code];
}

static int explain_failure(const json_error_t *error, char why[JSON_WHY_SIZE]) {
        if (why)
                (void) snprintf(why, JSON_WHY_SIZE, "line %d, column %d: %s", error->line, error->column,
                                error_sentence(json_error_code(error)));
        return -EBADMSG;
}

int json_read(const char *text, size_t n, json_t **ret, char why[JSON_WHY_SIZE]) {
        json_error_t error;
        size_t failures;
        json_t *value;

        assert(text || n == 0);
        assert(ret);

        if (n > JSON_SIZE_MAX) {
                explain(why, "the document is too large");
                return -EMSGSIZE;
        }
        if (depth_of(text, n) > JSON_DEPTH_MAX) {
                explain(why, "the document is nested too deeply");
                return -EMSGSIZE;
        }

        /* Without memory jansson reports an unknown error, bad syntax, or even success. Our allocator knows better; with another
         * one errno tells, unless a number came later. */
        failures = wiping_allocator_failures();
        errno = 0;
        value = json_loadb(n > 0 ? text : "", n, JSON_REJECT_DUPLICATES, &error);
        if (wiping_allocator_failures() != failures || (!value && errno == ENOMEM)) {
                json_decref(value);
                explain(why, "no memory");
                return -ENOMEM;
        }
        if (!value)
                return explain_failure(&error, why);

        *ret = value;
        return 0;
}

const char *json_member_string(const json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

json_t *json_member_object(const json_t *object, const char *name) {
        json_t *member = json_object_get(object, name);

        return json_is_object(member) ? member : NULL;
}

json_t *json_member_array(const json_t *object, const char *name) {
        json_t *member = json_object_get(object, name);

        return json_is_array(member) ? member : NULL;
}

bool json_member_bool(const json_t *object, const char *name, bool otherwise) {
        const json_t *member = json_object_get(object, name);

        return json_is_boolean(member) ? json_is_true(member) : otherwise;
}

json_int_t json_member_integer(const json_t *object, const char *name, json_int_t otherwise) {
        const json_t *member = json_object_get(object, name);

        return json_is_integer(member) ? json_integer_value(member) : otherwise;
}

/* Remembers a failure: jansson goes on when the name of a member could not be written. */
typedef struct Writing {
        Buffer *text;
        int error;
} Writing;

static int append_piece(const char *piece, size_t n, void *userdata) {
        Writing *w = userdata;

        if (w->error == 0)
                w->error = buffer_append(w->text, piece, n);
        return w->error < 0 ? -1 : 0;
}

int json_write(const json_t *value, size_t flags, Buffer *ret) {
        Writing w = { .text = ret };

        assert(value);

        int r = json_dump_callback(value, append_piece, &w, flags);
        if (w.error < 0)
                return w.error;
        return r < 0 ? -ENOMEM : 0;
}

/* Not json_dumps(): its text comes from jansson's allocator, which may be ours (process_guard_secrets()),
 * and the caller is promised one that free() takes. */
char *json_write_compact(const json_t *value) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT_WIPED(JSON_WRITE_MAX);

        if (json_write(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY, &text) < 0)
                return NULL;
        return buffer_take(&text);
}

#define SEAL "sha256"

int json_seal(json_t *object) {
        _cleanup_free_ char *text = NULL;
        char digest[SHA256_HEX_SIZE];

        (void) json_object_del(object, SEAL);
        text = json_write_compact(object);
        if (!text || bytes_sha256(text, strlen(text), digest) < 0)
                return -ENOMEM;
        return json_object_set_new(object, SEAL, json_string(digest)) < 0 ? -ENOMEM : 0;
}

int json_break_seal(json_t *object) {
        char seal[SHA256_HEX_SIZE];
        const char *found = json_member_string(object, SEAL);

        if (!found || strlen(found) != sizeof(seal) - 1)
                return -EBADMSG;
        (void) memcpy(seal, found, sizeof(seal));
        if (json_seal(object) < 0)
                return -ENOMEM;
        if (!streq(seal, json_member_string(object, SEAL)))
                return -EBADMSG;
        return json_object_del(object, SEAL) < 0 ? -EBADMSG : 0;
}
