/* SPDX-License-Identifier: Apache-2.0 */

/* Observations come out printable, bounded and complete, whatever went in; words are there and
 * differ. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/text.h"
#include "model/outcome.h"

static void test_origin_words(void **state) {
        for (Origin a = 0; a < _ORIGIN_MAX; a++) {
                assert_non_null(origin_to_string(a));
                for (Origin b = 0; b < a; b++)
                        assert_string_not_equal(origin_to_string(a), origin_to_string(b));
        }
        assert_string_equal(origin_to_string(ORIGIN_NONE), "none");
        assert_string_equal(origin_to_string(ORIGIN_AGENT), "agent");
}

static void test_class_words(void **state) {
        for (OutcomeClass a = 0; a < _CLASS_MAX; a++) {
                assert_non_null(outcome_class_to_string(a));
                for (OutcomeClass b = 0; b < a; b++)
                        assert_string_not_equal(outcome_class_to_string(a),
                                                outcome_class_to_string(b));
        }
        assert_string_equal(outcome_class_to_string(CLASS_OK), "ok");
        assert_string_equal(outcome_class_to_string(CLASS_PERMANENT), "permanent");
}

static void test_observe_keeps_all_parts(void **state) {
        Observation o = observe(ORIGIN_ECE, 403, "root.unauthorized.rbac",
                                "https://192.0.2.1:12443", "%s of %d", "one", 2);

        assert_int_equal(o.origin, ORIGIN_ECE);
        assert_int_equal(o.number, 403);
        assert_string_equal(o.code, "root.unauthorized.rbac");
        assert_string_equal(o.where, "https://192.0.2.1:12443");
        assert_string_equal(o.detail, "one of 2");
        assert_int_equal(o.retry_after_us, 0);
        assert_false(o.maybe_minted);
        assert_false(observation_is_none(&o));
}

static void test_observe_without_texts(void **state) {
        Observation o = observe(ORIGIN_CURL, 7, NULL, NULL, NULL);

        assert_string_equal(o.code, "");
        assert_string_equal(o.where, "");
        assert_string_equal(o.detail, "");
        o = OBSERVATION_NONE;
        assert_true(observation_is_none(&o));
}

/* A peer's text with escape sequences and line ends must not reach a terminal or forge a log
 * line. */
static void test_observe_is_printable(void **state) {
        Observation o = observe(ORIGIN_HTTP, 502, "a\nb", "c\033[2J", "%s", "d\r\ne\x7f");

        assert_string_equal(o.code, "a?b");
        assert_string_equal(o.where, "c?[2J");
        assert_string_equal(o.detail, "d??e?");
}

static void test_observe_cuts_and_marks(void **state) {
        char longest[2048];
        Observation o;

        memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        o = observe(ORIGIN_HTTP, 0, longest, longest, "%s", longest);
        assert_int_equal(strlen(o.code), OBSERVATION_CODE_SIZE - 1);
        assert_int_equal(strlen(o.where), OBSERVATION_WHERE_SIZE - 1);
        assert_int_equal(strlen(o.detail), OBSERVATION_DETAIL_SIZE - 1);
        assert_string_equal(o.detail + OBSERVATION_DETAIL_SIZE - 4, "...");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_origin_words),
                cmocka_unit_test(test_class_words),
                cmocka_unit_test(test_observe_keeps_all_parts),
                cmocka_unit_test(test_observe_without_texts),
                cmocka_unit_test(test_observe_is_printable),
                cmocka_unit_test(test_observe_cuts_and_marks),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
