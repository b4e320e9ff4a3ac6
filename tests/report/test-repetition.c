/* SPDX-License-Identifier: Apache-2.0 */

/* What goes round is counted until there is news, and told less and less often; a sentence is the same whatever its numbers are.
 * And the line of state and reason that STATUS= and the journal share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report/repetition.h"
#include "report/status-line.h"

static Report in(const char *state, const char *reason) {
        Report r = { .reason = OUTCOME_OK };

        (void) snprintf(r.state, sizeof(r.state), "%s", state);
        (void) snprintf(r.reason.reason, sizeof(r.reason.reason), "%s", reason);
        if (*reason)
                r.reason.class = CLASS_TRANSIENT;
        return r;
}

static unsigned enter(Repetition *repetition, const char *state, const char *reason) {
        Report r = in(state, reason);

        return repetition_count(repetition, &r);
}

static void test_rounds(void **state) {
        Repetition r = { 0 };

        for (unsigned i = 1; i <= 100; i++) {
                assert_int_equal(enter(&r, "PREFLIGHT", ""), i);
                assert_int_equal(enter(&r, "PROBING", ""), i);
                assert_int_equal(enter(&r, "BACKOFF", i % 2 ? "coordinator.reset" : "coordinator.timeout"), (i + 1) / 2);
        }
        assert_int_equal(enter(&r, "BACKOFF", "credential.denied"), 1);
        assert_int_equal(enter(&r, "PREFLIGHT", ""), 101);
}

static void test_news(void **state) {
        static const char *const news[] = { "LOADING", "UNCONFIGURED", "INSTALLING", "ENROLLED", "FAILED", "STOPPING" };
        Repetition r = { 0 };

        for (size_t i = 0; i < ELEMENTS(news); i++) {
                assert_int_equal(enter(&r, "BACKOFF", "coordinator.reset"), 1);
                assert_int_equal(enter(&r, "BACKOFF", "coordinator.reset"), 2);
                assert_int_equal(enter(&r, news[i], ""), 1);
                assert_int_equal(enter(&r, news[i], ""), 1);
        }
}

static void test_no_room(void **state) {
        Repetition r = { 0 };
        char reason[32];

        for (unsigned i = 0; i < 3 * REPETITION_ITEMS; i++) {
                (void) snprintf(reason, sizeof(reason), "agent.%u", i);
                assert_int_equal(enter(&r, "BACKOFF", reason), 1);
        }
        assert_int_equal(enter(&r, "BACKOFF", reason), 1);
        assert_int_equal(enter(&r, "BACKOFF", "agent.0"), 2);
}

static void test_told(void **state) {
        unsigned told = 0;

        for (unsigned n = 1; n <= 2880; n++) /* two days of minutes */
                told += repetition_is_told(n);
        assert_int_equal(told, 12);
        assert_true(repetition_is_told(1) && repetition_is_told(2) && !repetition_is_told(3) && repetition_is_told(4));
}

static void test_same_text(void **state) {
        assert_true(repetition_is_same_text("it is 9:59:59", "it is 10:00:00"));
        assert_true(repetition_is_same_text("", ""));
        assert_true(repetition_is_same_text("12", ""));
        assert_false(repetition_is_same_text("port 21000 is taken", "port 21000 is free"));
        assert_false(repetition_is_same_text("a1", "a1b"));
        assert_false(repetition_is_same_text("a1b", "a1"));
}

static void test_line(void **state) {
        char line[STATUS_LINE_SIZE];
        Report r = in("PROBING", "");

        assert_string_equal(status_line(&r, line), "PROBING");
        r = in("BACKOFF", "coordinator.reset");
        (void) snprintf(r.reason.text, sizeof(r.reason.text), "it hung up");
        assert_string_equal(status_line(&r, line), "BACKOFF: it hung up [coordinator.reset]");
        memset(r.reason.text, 'x', sizeof(r.reason.text) - 1); /* the longest one leaves room for the id */
        assert_true(text_starts_with(status_line(&r, line), "BACKOFF: xxx"));
        assert_string_equal(line + strlen(line) - strlen(" [coordinator.reset]"), " [coordinator.reset]");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rounds),  cmocka_unit_test(test_news),      cmocka_unit_test(test_no_room),
                cmocka_unit_test(test_told),    cmocka_unit_test(test_same_text), cmocka_unit_test(test_line),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
