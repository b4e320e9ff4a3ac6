/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one growing type of the program: bytes with a mandatory maximum.
 *
 * What comes from outside (replies, files, output lines) is collected in a Buffer whose maximum was
 * chosen where it was born, so no peer decides how much memory we use. A failed append leaves the
 * content as it was. The content is always followed by a NUL byte that is not counted.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

typedef struct Buffer {
        char *data;       /* NULL while empty; NUL-terminated otherwise */
        size_t size;      /* bytes in use, without the NUL */
        size_t allocated;
        size_t maximum;   /* most bytes that size may reach */
        bool wipe;        /* overwrite the memory before giving it back: the content may hold a secret */
} Buffer;

#define BUFFER_INIT(maximum_bytes) ((Buffer) { .maximum = (maximum_bytes) })
#define BUFFER_INIT_WIPED(maximum_bytes) ((Buffer) { .maximum = (maximum_bytes), .wipe = true })

void buffer_done(Buffer *b);
#define _cleanup_buffer_ _cleanup_(buffer_done)

/* Empties without giving the memory back (wiped first if `wipe`). */
void buffer_clear(Buffer *b);

/* Keeps the first `size` bytes (size <= b->size); what goes is wiped first if `wipe`. */
void buffer_truncate(Buffer *b, size_t size);

/* 0, -EMSGSIZE when the maximum would be passed, -ENOMEM. Nothing is appended on failure. */
int buffer_append(Buffer *b, const void *bytes, size_t n);
int buffer_append_string(Buffer *b, const char *s);
int buffer_append_format(Buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Removes the first n bytes (n <= size). */
void buffer_consume(Buffer *b, size_t n);

/* The content as a string: "" while empty, never NULL. Valid until the next change of b. */
const char *buffer_string(const Buffer *b);

/* Gives the memory away as a malloc()ed string ("" when empty); b is empty afterwards. NULL: no memory. */
char *buffer_take(Buffer *b);
