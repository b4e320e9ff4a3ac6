/* SPDX-License-Identifier: Apache-2.0 */

/* Strict numbers, hex, and text that is safe to show whatever it came from. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define UNTOUCHED UINT64_C(4711)

static void test_comparisons(void **state) {
        assert_true(streq("a", "a"));
        assert_false(streq("a", "A"));
        assert_true(streq_ptr("a", "a"));
        assert_false(streq_ptr("a", "b"));
        assert_true(streq_ptr(NULL, NULL));
        assert_false(streq_ptr(NULL, ""));
        assert_false(streq_ptr("", NULL));

        assert_true(text_starts_with("sha256//x", "sha256//"));
        assert_true(text_starts_with("x", ""));
        assert_true(text_starts_with("", ""));
        assert_false(text_starts_with("sha", "sha256"));
        assert_false(text_starts_with("Sha256", "sha"));

        assert_true(text_consists_of("abba", "ab"));
        assert_false(text_consists_of("abc", "ab"));
        assert_false(text_consists_of("", "ab"));
        assert_false(text_consists_of("a", ""));
}

static void test_number(void **state) {
        static const struct {
                const char *text;
                uint64_t maximum;
                int expected;
                uint64_t value;
        } cases[] = {
                { "0", 0, 0, 0 },
                { "42", 42, 0, 42 },
                { "43", 42, -ERANGE, UNTOUCHED },
                { "0042", 100, 0, 42 },
                { "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
                { "18446744073709551615", UINT64_MAX - 1, -ERANGE, UNTOUCHED },
                { "18446744073709551616", UINT64_MAX, -ERANGE, UNTOUCHED },
                { "99999999999999999999", UINT64_MAX, -ERANGE, UNTOUCHED },
                { "184467440737095516150", UINT64_MAX, -ERANGE, UNTOUCHED },
                { "99999999999999999999x", UINT64_MAX, -EINVAL, UNTOUCHED },
                { "", UINT64_MAX, -EINVAL, UNTOUCHED },
                { "-1", UINT64_MAX, -EINVAL, UNTOUCHED },
                { "+1", UINT64_MAX, -EINVAL, UNTOUCHED },
                { " 1", UINT64_MAX, -EINVAL, UNTOUCHED },
                { "1 ", UINT64_MAX, -EINVAL, UNTOUCHED },
                { "1\n", UINT64_MAX, -EINVAL, UNTOUCHED },
                { "0x1", UINT64_MAX, -EINVAL, UNTOUCHED },
                { "1.0", UINT64_MAX, -EINVAL, UNTOUCHED },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                uint64_t value = UNTOUCHED;

                assert_int_equal(text_to_u64(cases[i].text, cases[i].maximum, &value), cases[i].expected);
                assert_int_equal(value, cases[i].value);
        }
}

static void test_printable(void **state) {
        static const struct {
                const char *text, *expected;
        } cases[] = {
                { "", "" },
                { "plain ~ text", "plain ~ text" },
                { "a\nb\tc\rd", "a?b?c?d" },
                { "\x1b[31mred\x7f\x01", "?[31mred??" },
                { "Z\xc3\xbcrich \xe2\x82\xac", "Z\xc3\xbcrich \xe2\x82\xac" },
                { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
                { "\xe0\xa0\x80\xe0\xa0", "\xe0\xa0\x80??" },
                { "\xc2\x9b" "31m", "??31m" },           /* CSI as one character */
                { "\xc2\x80\xc2\x9f\xc2\xa0", "????\xc2\xa0" },
                { "\x80\xbf\xff\xfe", "????" },          /* never UTF-8 */
                { "\xc0\xaf\xc1\x81", "????" },          /* overlong */
                { "\xe0\x80\xaf\xe0\x9f\xbf", "??????" },
                { "\xf0\x80\x80\xaf", "????" },
                { "\xed\xa0\x80", "???" },               /* surrogate */
                { "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" },
                { "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
                { "\xf4\x90\x80\x80\xf5\x80\x80\x80", "????????" }, /* past U+10FFFF */
                { "\xe2\x82", "??" },                    /* ends too early */
                { "\xe2\x82z\xf0\x9f\x98", "??z???" },
                { "\xc3", "?" },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char copy[64], in_place[64];

                assert_ptr_equal(text_copy_printable(copy, sizeof(copy), cases[i].text), copy);
                assert_string_equal(copy, cases[i].expected);

                memcpy(in_place, cases[i].text, strlen(cases[i].text) + 1);
                (void) text_copy_printable(in_place, sizeof(in_place), in_place);
                assert_string_equal(in_place, cases[i].expected);
        }
}

static void test_is_printable(void **state) {
        static const char *const good[] = { "", " ", "plain", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x98", "\xc2\xa0" };
        static const char *const bad[] = { "\n", "a\tb", "\x1b[2J", "\x7f", "\xc2\x80", ("a\xc2\x9b" "2J"), "\xc2", "\xff", "\xed\xa0\x80" };

        for (size_t i = 0; i < ELEMENTS(good); i++)
                assert_true(text_is_printable(good[i]));
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_false(text_is_printable(bad[i]));
}

static void test_printable_cut(void **state) {
        static const struct {
                const char *text;
                size_t size;
                const char *expected;
        } cases[] = {
                { "12345678", 9, "12345678" },
                { "12345678", 8, "1234..." },
                { "12345678", 5, "1..." },
                { "12345678", 4, "..." },
                { "12345678", 3, ".." },
                { "12345678", 2, "." },
                { "12345678", 1, "" },
                { "", 1, "" },
                { "123", 4, "123" },
                { "12\n45678", 7, "12?..." },
                /* Cut between two characters, never inside of one. */
                { "12\xe2\x82\xac" "678", 8, "12..." },
                { "12\xe2\x82\xac" "678", 9, "12\xe2\x82\xac" "678" },
                { "1\xe2\x82\xac" "5678", 8, "1\xe2\x82\xac..." },
                { "\xe2\x82\xac", 4, "\xe2\x82\xac" },
                { "\xe2\x82\xac", 3, ".." },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char copy[16];

                memset(copy, 'z', sizeof(copy));
                (void) text_copy_printable(copy, cases[i].size, cases[i].text);
                assert_string_equal(copy, cases[i].expected);
                for (size_t behind = cases[i].size; behind < sizeof(copy); behind++)
                        assert_int_equal(copy[behind], 'z');
        }
}

static void test_hex(void **state) {
        char hex[9] = "untouche";

        text_hex("\x00\x7f\x80\xff", 4, hex);
        assert_string_equal(hex, "007f80ff");
        text_hex(NULL, 0, hex);
        assert_string_equal(hex, "");
}

static void test_random(void **state) {
        static const size_t sizes[] = { 0, 1, 8, 31, 32, 33, 100 };
        char hex[201], other[201];

        for (size_t i = 0; i < ELEMENTS(sizes); i++) {
                assert_int_equal(text_random_hex(sizes[i], hex), 0);
                assert_int_equal(strlen(hex), 2 * sizes[i]);
                assert_true(sizes[i] == 0 || text_consists_of(hex, "0123456789abcdef"));
        }

        assert_int_equal(text_random_hex(100, other), 0);
        assert_string_not_equal(hex, other);
        assert_memory_not_equal(hex, hex + 64, 64); /* not one piece again and again */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_comparisons),
                cmocka_unit_test(test_number),
                cmocka_unit_test(test_printable),
                cmocka_unit_test(test_is_printable),
                cmocka_unit_test(test_printable_cut),
                cmocka_unit_test(test_hex),
                cmocka_unit_test(test_random),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
