/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Buffers that grow by doubling and stop at their maximum.
 *
 * Room for the closing NUL is always part of the allocation, so `allocated` is at most `maximum` + 1. A
 * buffer that wipes never calls realloc(), which could leave its old bytes behind in the heap: it takes
 * new memory, copies, overwrites the old block and frees it.
 *
 * What may fail: memory (-ENOMEM) and the maximum (-EMSGSIZE); both leave the content untouched.
 */

#include "base/buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST_ALLOCATION 64U

static void buffer_give_back(Buffer *b) {
        if (b->wipe && b->data)
                explicit_bzero(b->data, b->allocated);
        free(b->data);
}

void buffer_done(Buffer *b) {
        assert(b);

        buffer_give_back(b);
        b->data = NULL;
        b->size = 0;
        b->allocated = 0;
}

void buffer_clear(Buffer *b) {
        assert(b);

        buffer_truncate(b, 0);
}

void buffer_truncate(Buffer *b, size_t size) {
        assert(b);
        assert(size <= b->size);

        if (!b->data)
                return;

        if (b->wipe)
                explicit_bzero(b->data + size, b->size - size);
        b->size = size;
        b->data[size] = '\0';
}

/* Moves the content into a block of the given size. */
static int buffer_move(Buffer *b, size_t allocation) {
        char *block;

        if (b->wipe) {
                block = malloc(allocation);
                if (block && b->data)
                        memcpy(block, b->data, b->size + 1);
        } else
                block = realloc(b->data, allocation);
        if (!block)
                return -ENOMEM;

        if (b->wipe)
                buffer_give_back(b);

        b->data = block;
        b->allocated = allocation;
        b->data[b->size] = '\0';
        return 0;
}

/* Makes room for n more bytes and the NUL behind them. */
static int buffer_reserve(Buffer *b, size_t n) {
        size_t needed, allocation;

        assert(b->size <= b->maximum);

        if (n > b->maximum - b->size || b->size + n == SIZE_MAX)
                return -EMSGSIZE;

        needed = b->size + n + 1;
        if (needed <= b->allocated)
                return 0;

        allocation = b->allocated <= SIZE_MAX / 2 ? b->allocated * 2 : needed;
        if (allocation < BUFFER_FIRST_ALLOCATION)
                allocation = BUFFER_FIRST_ALLOCATION;
        if (allocation > b->maximum)
                allocation = b->maximum < SIZE_MAX ? b->maximum + 1 : SIZE_MAX;
        if (allocation < needed)
                allocation = needed;

        return buffer_move(b, allocation);
}

int buffer_append(Buffer *b, const void *bytes, size_t n) {
        int r;

        assert(b);
        assert(bytes || n == 0);

        if (n == 0)
                return 0;

        r = buffer_reserve(b, n);
        if (r < 0)
                return r;

        memcpy(b->data + b->size, bytes, n);
        b->size += n;
        b->data[b->size] = '\0';
        return 0;
}

int buffer_append_string(Buffer *b, const char *s) {
        assert(s);

        return buffer_append(b, s, strlen(s));
}

/* Measured first and then printed in place: no copy of the text is left anywhere else. */
int buffer_append_format(Buffer *b, const char *format, ...) {
        va_list arguments;
        int length, r;

        assert(b);
        assert(format);

        va_start(arguments, format);
        length = vsnprintf(NULL, 0, format, arguments);
        va_end(arguments);
        if (length < 0)
                return -errno;
        if (length == 0)
                return 0;

        r = buffer_reserve(b, (size_t) length);
        if (r < 0)
                return r;

        va_start(arguments, format);
        r = vsnprintf(b->data + b->size, (size_t) length + 1, format, arguments);
        va_end(arguments);
        if (r != length) {
                b->data[b->size] = '\0';
                return -EIO;
        }

        b->size += (size_t) length;
        return 0;
}

void buffer_consume(Buffer *b, size_t n) {
        size_t rest;

        assert(b);
        assert(n <= b->size);

        if (n == 0)
                return;

        rest = b->size - n;
        memmove(b->data, b->data + n, rest);
        buffer_truncate(b, rest);
}

const char *buffer_string(const Buffer *b) {
        assert(b);

        return b->data ? b->data : "";
}

char *buffer_take(Buffer *b) {
        assert(b);

        if (!b->data)
                return strdup("");

        b->size = 0;
        b->allocated = 0;
        return TAKE_PTR(b->data);
}
