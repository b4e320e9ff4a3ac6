/* SPDX-License-Identifier: Apache-2.0 */

/* Long lines on narrow terminals. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "report/fold.h"

static void test_lines(void **state) {
        static const struct {
                const char *text;
                unsigned columns;
                const char *folded;
        } rows[] = {
                { "", 20, "" },
                { "\n\n", 20, "\n\n" },
                { "short\n", 20, "short\n" },
                { "no break\nat the end", 20, "no break\nat the end" },
                { "exactly twenty bytes\n", 20, "exactly twenty bytes\n" },
                { "exactly twenty-one by\n", 20, "exactly twenty-one\nby\n" },
                { "  why: one two three four five\n", 20, "  why: one two three\n       four five\n" },
                { "  1.0s  STATE  one two three\n", 22, "  1.0s  STATE  one two\n        three\n" },
                { "a_word_that_is_longer_than_that\n", 20, "a_word_that_is_longer_than_that\n" },
                { "x: a_word_that_is_longer_than_that y\n", 20, "x:\n   a_word_that_is_longer_than_that\n   y\n" },
                { "x: \x1b[31mone two three four\x1b[0m five\n", 20, "x: \x1b[31mone two three\n   four\x1b[0m five\n" },
                { "x: \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 123\n", 20,
                  "x: \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 123\n" },
                { "not folded, however long it may be: at all\n", 0, "not folded, however long it may be: at all\n" },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_INIT(1000);

                print_message("# %zu\n", i);
                assert_int_equal(fold_lines(rows[i].text, rows[i].columns, &b), 0);
                assert_string_equal(buffer_string(&b), rows[i].folded);
        }
}

/* Whatever the width: no word is lost, none is cut, and no line that could be broken is longer. */
static void test_every_width(void **state) {
        static const char text[] = "         why: the coordinator https://192.0.2.10:12443 refused the connection [coordinator.connect-refused]\n"
                                   "  what to do: start it, or name another one in the spec; see ece-enroll explain\n";

        for (unsigned columns = 60; columns < 200; columns++) {
                _cleanup_buffer_ Buffer b = BUFFER_INIT(2000);
                const char *a = text, *line;

                assert_int_equal(fold_lines(text, columns, &b), 0);
                for (line = buffer_string(&b); *line; line += strcspn(line, "\n") + 1)
                        assert_true(strcspn(line, "\n") <= columns);
                line = buffer_string(&b);
                while (*a && *line) {
                        a += strspn(a, " \n");
                        line += strspn(line, " \n");
                        assert_int_equal(*a, *line);
                        a += *a != 0;
                        line += *line != 0;
                }
                assert_int_equal(*a, *line);
        }
}

static void test_columns(void **state) {
        _cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        assert_int_equal(fold_columns(null), 0);
}

static void test_no_room(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_INIT(10);

        assert_int_equal(fold_lines("more than ten bytes", 80, &b), -EMSGSIZE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_every_width),
                cmocka_unit_test(test_columns),
                cmocka_unit_test(test_no_room),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
