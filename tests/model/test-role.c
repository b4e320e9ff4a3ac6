/* SPDX-License-Identifier: Apache-2.0 */

/* Roles and sets of roles: words, text form, advice. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/role-json.h"
#include "model/role.h"

#define A (1U << ROLE_ALLOCATOR)
#define C (1U << ROLE_COORDINATOR)
#define D (1U << ROLE_DIRECTOR)
#define P (1U << ROLE_PROXY)

static void test_words(void **state) {
        static const char *const strangers[] = { "",           "Allocator",    "allocator ",
                                                 "controller", "beats-runner", "constructor" };

        for (int r = 0; r < _ROLE_MAX; r++) {
                assert_int_equal(role_from_string(role_to_string((Role) r)), r);
                assert_string_equal(role_words()[r], role_to_string((Role) r));
                assert_false(role_is_system(role_to_string((Role) r)));
        }
        for (size_t i = 0; i < ELEMENTS(strangers); i++)
                assert_int_equal(role_from_string(strangers[i]), _ROLE_INVALID);
        assert_int_equal(role_from_string(NULL), _ROLE_INVALID);
        assert_true(role_is_system("beats-runner"));
        assert_true(role_is_system("services-forwarder"));
        assert_false(role_is_system(NULL));
}

static void test_format(void **state) {
        static const struct {
                RoleSet set;
                const char *separator, *text;
        } rows[] = {
                { 0, ",", "" },
                { A, ",", "allocator" },
                { P | A, ",", "allocator,proxy" },
                { A | C | D | P, ",", "allocator,coordinator,director,proxy" },
                { A | C | D | P, ", ", "allocator, coordinator, director, proxy" },
                { D | C, " and ", "coordinator and director" },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                char buffer[ROLE_SET_STRING_SIZE];
                assert_string_equal(role_set_format(rows[i].set, rows[i].separator, buffer),
                                    rows[i].text);
        }
}

static void test_json(void **state) {
        static const struct {
                RoleSet set;
                const char *text;
        } rows[] = {
                { 0, "[]" },
                { P, "[\"proxy\"]" },
                { P | A, "[\"allocator\",\"proxy\"]" },
                { A | C | D | P, "[\"allocator\",\"coordinator\",\"director\",\"proxy\"]" },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_json_ json_t *list = role_set_to_json(rows[i].set);
                _cleanup_free_ char *text = json_dumps(list, JSON_COMPACT);
                assert_string_equal(text, rows[i].text);
        }
}

static void test_advice(void **state) {
        static const struct {
                RoleSet set;
                size_t n;
        } rows[] = {
                { 0, 0 },     { A, 0 },     { C | D, 0 }, { A | P, 0 },     { D | P, 0 },
                { A | C, 1 }, { A | D, 1 }, { C | P, 1 }, { C | D | P, 1 }, { A | C | D | P, 3 },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                for (size_t n = 0; n < rows[i].n; n++)
                        assert_non_null(role_set_advice(rows[i].set, n));
                assert_null(role_set_advice(rows[i].set, rows[i].n));
        }
        assert_non_null(strstr(role_set_advice(C | P, 0), "coordinator and proxy"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_advice),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
