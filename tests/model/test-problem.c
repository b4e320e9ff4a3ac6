/* SPDX-License-Identifier: Apache-2.0 */

/* The list of problems: form, order, bound. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "model/problem.h"

static void assert_formatted(const Problem *p, const char *expected) {
        _cleanup_free_ char *line = problem_format(p);

        assert_non_null(line);
        assert_string_equal(line, expected);
}

static void test_format(void **state) {
        _cleanup_problems_ Problems p = { 0 };
        const Place place = { "f.yaml", 12, 5 }, whole = { "f.yaml", 0, 0 };

        assert_int_equal(problem_error(&p, &place, "unknown key '%s'", "x"), 0);
        assert_int_equal(problem_warning(&p, &place, "careful"), 0);
        assert_int_equal(problem_error(&p, &whole, "is empty"), 0);
        assert_int_equal(problem_error(&p, &place, "a\nb\x1b[31m"), 0);
        assert_int_equal(p.n, 4);
        assert_int_equal(p.n_errors, 3);
        assert_formatted(p.items, "f.yaml:12:5: unknown key 'x'");
        assert_formatted(p.items + 1, "f.yaml:12:5: warning: careful");
        assert_formatted(p.items + 2, "f.yaml: is empty");
        assert_formatted(p.items + 3, "f.yaml:12:5: a?b?[31m");
}

static void test_long_text_is_cut(void **state) {
        _cleanup_problems_ Problems p = { 0 };
        const Place place = { "f", 1, 1 };

        assert_int_equal(problem_error(&p, &place, "%0600d", 1), 0);
        assert_true(strlen(p.items[0].text) < 600);
}

static void test_sort(void **state) {
        static const struct {
                Place place;
                const char *text;
        } rows[] = {
                { { "b", 1, 1 }, "7" }, { { "a", 2, 1 }, "4" }, { { "a", 10, 1 }, "6" },
                { { "a", 2, 9 }, "5" }, { { "a", 1, 1 }, "2" }, { { "a", 1, 1 }, "3" },
                { { "a", 0, 0 }, "1" },
        };
        _cleanup_problems_ Problems p = { 0 };

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                assert_int_equal(problem_error(&p, &rows[i].place, "%s", rows[i].text), 0);
        problems_sort(&p);
        for (size_t i = 0; i < p.n; i++)
                assert_int_equal(p.items[i].text[0], '1' + (int) i);
}

/* The list is full at PROBLEMS_MAX, and warnings make room for errors. */
static void test_bound(void **state) {
        _cleanup_problems_ Problems p = { 0 };
        const Place place = { "f", 1, 1 };

        for (size_t i = 0; i < PROBLEMS_MAX + 5; i++)
                assert_int_equal(problem_warning(&p, &place, "warning"), 0);
        assert_int_equal(p.n, PROBLEMS_MAX);
        assert_int_equal(p.n_errors, 0);
        assert_int_equal(p.dropped, 5);
        for (size_t i = 0; i < PROBLEMS_MAX + 5; i++)
                assert_int_equal(problem_error(&p, &place, "error"), 0);
        assert_int_equal(p.n, PROBLEMS_MAX);
        assert_int_equal(p.n_errors, PROBLEMS_MAX);
        assert_int_equal(p.dropped, PROBLEMS_MAX + 10);
        problems_done(&p);
        assert_int_equal(p.n, 0);
        assert_null(p.items);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_long_text_is_cut),
                cmocka_unit_test(test_sort),
                cmocka_unit_test(test_bound),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
