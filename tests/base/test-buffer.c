/* SPDX-License-Identifier: Apache-2.0 */

/* A Buffer keeps what it has when it is refused more, and never passes its maximum. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

static void test_empty(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10);

        assert_string_equal(buffer_string(&b), "");
        assert_int_equal(buffer_append(&b, NULL, 0), 0);
        assert_int_equal(buffer_append_string(&b, ""), 0);
        assert_int_equal(buffer_append_format(&b, "%s", ""), 0);
        assert_null(b.data);
        buffer_clear(&b);
        buffer_consume(&b, 0);
        assert_int_equal(b.size, 0);
}

static void test_append(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(100);

        assert_int_equal(buffer_append_string(&b, "one"), 0);
        assert_int_equal(buffer_append(&b, "\0two", 4), 0);
        assert_int_equal(buffer_append_format(&b, "-%d-%s", 3, "x"), 0);
        assert_int_equal(b.size, 11);
        assert_memory_equal(b.data, "one\0two-3-x", 12);
}

/* Each way to append takes exactly the maximum and not a byte more. */
static void test_maximum(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(5);

        assert_int_equal(buffer_append_string(&b, "123"), 0);
        assert_int_equal(buffer_append_string(&b, "456"), -EMSGSIZE);
        assert_int_equal(buffer_append(&b, "456", 3), -EMSGSIZE);
        assert_int_equal(buffer_append_format(&b, "%d", 456), -EMSGSIZE);
        assert_string_equal(buffer_string(&b), "123");
        assert_int_equal(buffer_append_format(&b, "%d", 45), 0);
        assert_string_equal(buffer_string(&b), "12345");
        assert_int_equal(buffer_append_string(&b, "6"), -EMSGSIZE);
        assert_true(b.allocated <= 6);
}

static void test_no_room_at_all(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(0);

        assert_int_equal(buffer_append_string(&b, "1"), -EMSGSIZE);
        assert_int_equal(buffer_append_string(&b, ""), 0);
        assert_string_equal(buffer_string(&b), "");
}

/* An unbounded maximum must not make the arithmetic wrap; the impossible size is refused before any read. */
static void test_sizes_do_not_wrap(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(SIZE_MAX);

        assert_int_equal(buffer_append_string(&b, "x"), 0);
        assert_int_equal(buffer_append(&b, "x", SIZE_MAX - 1), -EMSGSIZE);
        assert_int_equal(buffer_append(&b, "x", SIZE_MAX), -EMSGSIZE);
        assert_string_equal(buffer_string(&b), "x");
}

static void grow(Buffer *b) {
        for (int i = 0; i < 10000; i++)
                assert_int_equal(buffer_append_format(b, "%04d", i), 0);
        assert_int_equal(b->size, 40000);
        assert_memory_equal(b->data, "000000010002", 12);
        assert_string_equal(b->data + 40000 - 8, "99989999");
}

static void test_growth(void **state) {
        _cleanup_buffer_ Buffer plain = BUFFER_INIT(40000);
        _cleanup_buffer_ Buffer wiped = BUFFER_INIT_WIPED(40000);

        grow(&plain);
        grow(&wiped);
        assert_int_equal(buffer_append_string(&plain, "x"), -EMSGSIZE);
        assert_int_equal(buffer_append_string(&wiped, "x"), -EMSGSIZE);
}

static void test_consume(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(20);

        assert_int_equal(buffer_append_string(&b, "first second"), 0);
        buffer_consume(&b, 6);
        assert_string_equal(buffer_string(&b), "second");
        buffer_consume(&b, 6);
        assert_string_equal(buffer_string(&b), "");
        assert_int_equal(b.size, 0);
        assert_int_equal(buffer_append_string(&b, "again"), 0);
        assert_string_equal(buffer_string(&b), "again");
}

/* Whatever way bytes leave a wiping buffer, they are gone from its memory. */
static void test_wipe(void **state) {
        static const char zeros[16];
        _cleanup_buffer_ Buffer b = BUFFER_INIT_WIPED(40);

        assert_int_equal(buffer_append_string(&b, "0123456789abcdef"), 0);
        buffer_truncate(&b, 12);
        assert_memory_equal(b.data + 12, zeros, 4);
        buffer_consume(&b, 4);
        assert_string_equal(buffer_string(&b), "456789ab");
        assert_memory_equal(b.data + 8, zeros, 8);
        buffer_clear(&b);
        assert_memory_equal(b.data, zeros, 16);
        assert_int_equal(b.size, 0);
}

static void test_take(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(5);
        _cleanup_free_ char *nothing = buffer_take(&b);
        _cleanup_free_ char *taken = NULL;

        assert_string_equal(nothing, "");
        assert_int_equal(buffer_append_string(&b, "mine"), 0);
        taken = buffer_take(&b);
        assert_string_equal(taken, "mine");
        assert_null(b.data);
        assert_int_equal(b.size, 0);
        assert_int_equal(buffer_append_string(&b, "next"), 0);
        assert_string_equal(buffer_string(&b), "next");
        assert_int_equal(buffer_append_string(&b, "xy"), -EMSGSIZE);
}

static void test_done_twice(void **state) {
        Buffer b = BUFFER_INIT(5);

        assert_int_equal(buffer_append_string(&b, "x"), 0);
        buffer_done(&b);
        buffer_done(&b);
        assert_string_equal(buffer_string(&b), "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_append),
                cmocka_unit_test(test_maximum),
                cmocka_unit_test(test_no_room_at_all),
                cmocka_unit_test(test_sizes_do_not_wrap),
                cmocka_unit_test(test_growth),
                cmocka_unit_test(test_consume),
                cmocka_unit_test(test_wipe),
                cmocka_unit_test(test_take),
                cmocka_unit_test(test_done_twice),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
