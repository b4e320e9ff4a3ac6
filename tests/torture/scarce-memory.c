/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An allocator that fails when it is told to.
 *
 * The counters are volatile, for compilers know that malloc() looks at no variable of ours; and are of one thread, as the
 * tests are. The four functions are never inlined: valgrind redirects calls, and that it does has to be seen here. Blocks
 * that are held are counted too, so that a leak shows without a sanitizer.
 */

#include "scarce-memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
        __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define NEVER SIZE_MAX
#define ALLOCATIONS_MAX 100000U

static volatile size_t until_failure = NEVER; /* allocations that still succeed */
static volatile bool only_one;                /* the one after it succeeds again */
static volatile bool hit;                     /* one has failed */
static volatile long held;                    /* blocks */

#if !SANITIZED

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t n);
extern void __libc_free(void *block);

#ifdef __clang__
#define AS_CALLED __attribute__((noinline))
#else
#define AS_CALLED __attribute__((noipa))
#endif

static bool fails(void) {
        if (until_failure == NEVER)
                return false;
        if (until_failure > 0) {
                until_failure--;
                return false;
        }
        if (only_one)
                until_failure = NEVER;
        hit = true;
        errno = ENOMEM;
        return true;
}

AS_CALLED void *malloc(size_t n) {
        void *block = fails() ? NULL : __libc_malloc(n);

        held += block != NULL;
        return block;
}

AS_CALLED void *calloc(size_t n, size_t size) {
        void *block = fails() ? NULL : __libc_calloc(n, size);

        held += block != NULL;
        return block;
}

AS_CALLED void *realloc(void *old, size_t n) {
        void *block = fails() ? NULL : __libc_realloc(old, n);

        held += block != NULL && !old;
        return block;
}

AS_CALLED void free(void *block) {
        held -= block != NULL;
        __libc_free(block);
}

#endif

bool scarce_memory_in_force(void) {
        until_failure = SANITIZED ? NEVER : 0;
        void *volatile block = malloc(1);
        until_failure = NEVER;
        free(block);
        return !block;
}

bool scarce_memory_or_skip(void) {
        if (scarce_memory_in_force())
                return true;
        puts("1..0 # SKIP the allocator can't be replaced under a sanitizer or valgrind");
        return false;
}

int scarce_memory_setup(void **state) {
        return process_guard_secrets();
}

/* The work with its k-th allocation (from 0) failing. What it gives; how many blocks more are held afterwards. */
static int run(ScarceWork work, const void *subject, size_t k, bool alone, long *ret_more) {
        long before = held;

        hit = false;
        only_one = alone;
        until_failure = k;
        int r = work(subject);
        until_failure = NEVER;
        *ret_more = held - before;
        return r;
}

/* false: it has no so many. A leak is there every time; what a library keeps for itself, because it could not earlier (OpenSSL's
 * cache of algorithms), only once. */
static bool torture_once(ScarceWork work, const void *subject, int expected, size_t k, bool alone) {
        const char *which = alone ? "" : " and all after it";
        bool was_hit = false;
        long more = 1;

        for (unsigned i = 0; i < 3 && more > 0; i++) {
                int r = run(work, subject, k, alone, &more);
                if (r != expected && r != -ENOMEM)
                        fail_msg("allocation %zu fails%s: %d instead of %d or -ENOMEM", k, which, r, expected);
                was_hit |= hit;
        }
        if (more > 0)
                fail_msg("allocation %zu fails%s: %ld blocks are left over", k, which, more);
        return was_hit;
}

size_t scarce_torture(ScarceWork work, const void *subject, int expected) {
        size_t k = 0;

        assert_int_equal(work(subject), expected);
        while (torture_once(work, subject, expected, k, true)) {
                (void) torture_once(work, subject, expected, k, false);
                assert_true(++k < ALLOCATIONS_MAX);
        }
        return k;
}
