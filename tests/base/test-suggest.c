/* SPDX-License-Identifier: Apache-2.0 */

/* A suggestion is near what was typed, or there is none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static const char *const words[] = {
        "roles", "runner_id", "host_ip", "availability_zone", "capacity", "ca", "user", "force",
};

static void test_suggest(void **state) {
        static const struct {
                const char *typed, *expected;
        } cases[] = {
                { "roles", "roles" },
                { "role", "roles" },        /* one too few */
                { "rolles", "roles" },      /* one too many */
                { "rolez", "roles" },       /* a wrong one */
                { "rolse", "roles" },       /* two swapped */
                { "orles", "roles" },
                { "runnerid", "runner_id" },
                { "runer-id", "runner_id" }, /* two slips in nine letters */
                { "hostip", "host_ip" },
                { "availabilty_zoen", "availability_zone" },
                { "availability", "availability_zone" },
                { "zone", NULL },
                { "cpacity", "capacity" },
                { "c", "ca" },
                { "xx", NULL },             /* as far from "ca" as can be */
                { "usr", "user" },
                { "sure", NULL },
                { "", NULL },
                { "something_else", NULL },
                { "Roles", "roles" },
                { "ROLES", NULL },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const char *found = text_suggest(cases[i].typed, words, ELEMENTS(words));

                if (cases[i].expected) {
                        assert_non_null(found);
                        assert_string_equal(found, cases[i].expected);
                } else
                        assert_null(found);
        }
}

static void test_nearest_wins(void **state) {
        static const char *const near[] = { "abcdefgh", "abcdefij", "abcdefgi" };
        static const char *const equals[] = { "cat", "cut" }, *const letters[] = { "y" };

        assert_string_equal(text_suggest("abcdefgij", near, ELEMENTS(near)), "abcdefij");
        assert_string_equal(text_suggest("cot", equals, ELEMENTS(equals)), "cat");
        assert_null(text_suggest("cot", NULL, 0));
        assert_null(text_suggest("x", letters, ELEMENTS(letters))); /* one letter in one: nothing in common */
}

/* Longer than any word of ours: no suggestion, and no table to run out of. */
static void test_long_words(void **state) {
        char typed[200];
        const char *self[] = { typed };

        memset(typed, 'x', sizeof(typed));
        typed[63] = '\0';
        assert_ptr_equal(text_suggest(typed, self, 1), typed);
        assert_null(text_suggest(typed, words, ELEMENTS(words)));
        typed[63] = 'x';
        typed[64] = '\0';
        assert_null(text_suggest(typed, self, 1));
        typed[64] = 'x';
        typed[199] = '\0';
        assert_null(text_suggest("x", self, 1));
        assert_null(text_suggest(typed, words, ELEMENTS(words)));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_suggest),
                cmocka_unit_test(test_nearest_wins),
                cmocka_unit_test(test_long_words),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
