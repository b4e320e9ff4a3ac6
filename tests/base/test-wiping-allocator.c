/* SPDX-License-Identifier: Apache-2.0 */

/* The wiping allocator keeps the contracts of the C library, and wipes each block before it goes back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/secret.h"

/*
 * Ours stand in for the C library's explicit_bzero() and note what is wiped: a freed block can't be looked at
 * any more.
 * (Two names, because a fortified build calls the second. string.h is left out: it has its own idea of both.)
 */
void explicit_bzero(void *bytes, size_t n);
void __explicit_bzero_chk(void *bytes, size_t n, size_t room);

static const void *wiped_block;
static size_t wiped_size;

void explicit_bzero(void *bytes, size_t n) {
        volatile unsigned char *byte = bytes;

        wiped_block = bytes;
        wiped_size = n;
        for (size_t i = 0; i < n; i++)
                byte[i] = 0;
}

void __explicit_bzero_chk(void *bytes, size_t n, size_t room) {
        assert_true(n <= room);
        explicit_bzero(bytes, n);
}

static int forget_wiped(void **state) {
        wiped_block = NULL;
        wiped_size = 0;
        return 0;
}

static void fill(unsigned char *block, size_t n) {
        for (size_t i = 0; i < n; i++)
                block[i] = (unsigned char) (i + 1);
}

static bool is_filled(const unsigned char *block, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (block[i] != (unsigned char) (i + 1))
                        return false;
        return true;
}

static void test_blocks(void **state) {
        for (size_t n = 1; n < 100; n++) {
                unsigned char *block = wiping_malloc(n);

                assert_non_null(block);
                assert_int_equal((uintptr_t) block % _Alignof(max_align_t), 0);
                fill(block, n);
                wiping_free(block);
                assert_ptr_equal(wiped_block, block);
                assert_int_equal(wiped_size, n);
        }
        wiping_free(NULL);
}

static void test_calloc_clears(void **state) {
        unsigned char *block = wiping_calloc(7, 9);

        assert_non_null(block);
        for (size_t i = 0; i < 63; i++)
                assert_int_equal(block[i], 0);
        wiping_free(block);
        assert_int_equal(wiped_size, 63);
}

/* Products and sums that wrap must not become small blocks. */
static void test_impossible_sizes(void **state) {
        volatile size_t half = SIZE_MAX / 2, all = SIZE_MAX; /* volatile: compilers warn when they see it */
        void *block = wiping_malloc(4);

        errno = 0;
        assert_null(wiping_malloc(all));
        assert_int_equal(errno, ENOMEM);
        assert_null(wiping_malloc(all - 8));
        errno = 0;
        assert_null(wiping_calloc(half, 3));
        assert_int_equal(errno, ENOMEM);
        assert_null(wiping_calloc(3, half));
        assert_null(wiping_calloc(all, all));
        assert_null(wiping_realloc(block, all));
        assert_null(wiped_block); /* a realloc that fails leaves the block alone */
        wiping_free(block);
}

static void test_realloc_grows(void **state) {
        unsigned char *block = wiping_malloc(50), *larger;

        fill(block, 50);
        larger = wiping_realloc(block, 5000);
        assert_non_null(larger);
        assert_true(is_filled(larger, 50));
        assert_ptr_equal(wiped_block, block);
        assert_int_equal(wiped_size, 50);
        wiping_free(larger);
        assert_int_equal(wiped_size, 5000);
}

static void test_realloc_shrinks(void **state) {
        unsigned char *block = wiping_malloc(50), *smaller;

        fill(block, 50);
        smaller = wiping_realloc(block, 20);
        assert_non_null(smaller);
        assert_true(is_filled(smaller, 20));
        assert_int_equal(wiped_size, 50);
        wiping_free(smaller);
        assert_int_equal(wiped_size, 20);
}

/* NULL means "no memory" and nothing else. */
static void test_size_zero(void **state) {
        void *empty = wiping_malloc(0), *cleared = wiping_calloc(0, 10), *fresh = wiping_realloc(NULL, 3);
        void *shrunk = wiping_realloc(fresh, 0);

        assert_non_null(empty);
        assert_non_null(cleared);
        assert_non_null(shrunk);
        wiping_free(empty);
        wiping_free(cleared);
        wiping_free(shrunk);
}

static void test_strdup(void **state) {
        char *copy = wiping_strdup("copied");

        assert_string_equal(copy, "copied");
        wiping_free(copy);
        assert_int_equal(wiped_size, sizeof("copied"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_blocks, forget_wiped),
                cmocka_unit_test_setup(test_calloc_clears, forget_wiped),
                cmocka_unit_test_setup(test_impossible_sizes, forget_wiped),
                cmocka_unit_test_setup(test_realloc_grows, forget_wiped),
                cmocka_unit_test_setup(test_realloc_shrinks, forget_wiped),
                cmocka_unit_test_setup(test_size_zero, forget_wiped),
                cmocka_unit_test_setup(test_strdup, forget_wiped),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
