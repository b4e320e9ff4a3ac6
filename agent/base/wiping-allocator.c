/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An allocator that overwrites what it gives back, for libraries that copy secrets into their own heap
 * blocks: jansson's parse trees, curl's header lists and request buffers.
 *
 * Each block has a header with its size, because free() is not told it and malloc_usable_size() promises
 * more bytes than the compiler's checks allow us to touch. The header is as large as the strictest
 * alignment, so the caller's part is aligned as malloc()'s would be. Growing is always allocate, copy,
 * wipe, free: realloc() may move a block and leave the old bytes behind.
 *
 * All state is in the blocks, so the functions are as thread-safe as malloc() is; but for a count of failures that each
 * thread has of its own. It is for libraries that go on without what they were refused: jansson drops a byte of a
 * string that its buffer can't grow for, and reads the rest as if nothing had been.
 */

#include "base/secret.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef union BlockHeader {
        size_t size; /* of the caller's part */
        max_align_t alignment;
} BlockHeader;

static _Thread_local size_t failures;

static void *refuse(void) {
        failures++;
        errno = ENOMEM;
        return NULL;
}

size_t wiping_allocator_failures(void) {
        return failures;
}

static BlockHeader *header_of(void *block) {
        return (BlockHeader *) block - 1;
}

/* A block of 0 bytes is a block: NULL says "no memory" and nothing else. */
void *wiping_malloc(size_t n) {
        BlockHeader *header;

        if (n > PTRDIFF_MAX - sizeof(BlockHeader))
                return refuse();
        header = malloc(sizeof(BlockHeader) + n);
        if (!header)
                return refuse();

        header->size = n;
        return header + 1;
}

void *wiping_calloc(size_t n, size_t size) {
        size_t total;
        void *block;

        if (__builtin_mul_overflow(n, size, &total))
                return refuse();
        block = wiping_malloc(total);
        if (block)
                memset(block, 0, total);
        return block;
}

void *wiping_realloc(void *block, size_t n) {
        size_t old_size;
        void *larger;

        larger = wiping_malloc(n);
        if (!larger || !block)
                return larger;

        old_size = header_of(block)->size;
        memcpy(larger, block, old_size < n ? old_size : n);
        wiping_free(block);
        return larger;
}

char *wiping_strdup(const char *s) {
        size_t n = strlen(s) + 1;
        char *copy;

        copy = wiping_malloc(n);
        if (copy)
                memcpy(copy, s, n);
        return copy;
}

void wiping_free(void *block) {
        BlockHeader *header;

        if (!block)
                return;

        header = header_of(block);
        explicit_bzero(block, header->size);
        free(header);
}
