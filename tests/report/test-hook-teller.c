/* SPDX-License-Identifier: Apache-2.0 */

/* Which hooks are due, told as a timeline: what the status says when, and what is run. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/hook-teller.h"

#define S USEC_PER_SEC
#define BEGIN_US (1000 * S)

typedef struct Line {
        HookTeller teller;
        usec_t now_us, wait_us;
} Line;

#define LINE_INIT { .teller = HOOK_TELLER_INIT, .now_us = BEGIN_US }

static HookNews news(const char *state, const char *reason) {
        HookNews n = { .runner_id = "r-1", .roles = 1, .left_us = USEC_PER_HOUR };

        (void) snprintf(n.state, sizeof(n.state), "%s", state);
        (void) snprintf(n.reason, sizeof(n.reason), "%s", reason);
        n.joining = streq(state, "MINTING") || streq(state, "INSTALLING");
        n.event = streq(state, "ENROLLED") ? HOOK_ENROLLED
                  : streq(state, "FAILED") ? HOOK_FAILED
                  : streq(state, "STOPPING") ? HOOK_NOTHING
                                             : HOOK_PROGRESS;
        return n;
}

/* After so many seconds the status says this: what is due? If anything is, it is run, and wants to be run again or not. */
static HookEvent after(Line *l, usec_t seconds, HookNews n, bool again) {
        HookEvent due;

        l->now_us += seconds * S;
        due = hook_teller_next(&l->teller, &n, l->now_us, &l->wait_us);
        if (due != HOOK_NOTHING) {
                hook_teller_begin(&l->teller, &n, l->now_us);
                if (due != HOOK_PROGRESS)
                        hook_teller_end(&l->teller, again, l->now_us);
        }
        return due;
}

static void test_progress(void **state) {
        Line l = LINE_INIT;
        HookNews late = news("BACKOFF", "x");

        assert_int_equal(after(&l, 0, news("PREFLIGHT", ""), false), HOOK_PROGRESS);
        assert_int_equal(after(&l, 1, news("PREFLIGHT", "host.ports"), false), HOOK_NOTHING);
        assert_int_equal(l.wait_us, 59 * S);
        assert_int_equal(after(&l, 1, news("PROBING", ""), false), HOOK_PROGRESS);
        assert_int_equal(after(&l, 59, news("PROBING", ""), false), HOOK_NOTHING);
        assert_int_equal(after(&l, 1, news("PROBING", ""), false), HOOK_PROGRESS);
        assert_int_equal(after(&l, 60, news("PROBING", ""), false), HOOK_PROGRESS);
        /* A deadline that has passed: whoever counts on signs of life is not to be deceived by a status that nobody replaces. */
        late.left_us = 0;
        assert_int_equal(after(&l, 1, late, false), HOOK_PROGRESS);
        assert_int_equal(after(&l, 600, late, false), HOOK_NOTHING);
        assert_int_equal(l.wait_us, USEC_INFINITY);
        hook_teller_clear(&l.teller);
}

static void test_a_verdict_is_told_once(void **state) {
        Line l = LINE_INIT;

        assert_int_equal(after(&l, 0, news("ENROLLED", ""), false), HOOK_ENROLLED);
        assert_int_equal(after(&l, 3600, news("ENROLLED", ""), false), HOOK_NOTHING);
        assert_int_equal(l.wait_us, USEC_INFINITY);
        /* The agent was restarted, and finds the same. */
        assert_int_equal(after(&l, 1, news("STOPPING", ""), false), HOOK_NOTHING);
        assert_int_equal(after(&l, 1, news("PROBING", ""), false), HOOK_PROGRESS);
        assert_int_equal(after(&l, 1, news("ENROLLED", ""), false), HOOK_NOTHING);
        /* Another verdict, and back. */
        assert_int_equal(after(&l, 1, news("FAILED", "verify.gone"), false), HOOK_FAILED);
        assert_int_equal(after(&l, 1, news("FAILED", "verify.zone"), false), HOOK_FAILED);
        assert_int_equal(after(&l, 1, news("ENROLLED", ""), false), HOOK_ENROLLED);
        /* An enrollment between two of the same makes the second one news. */
        assert_int_equal(after(&l, 1, news("INSTALLING", ""), false), HOOK_PROGRESS);
        assert_int_equal(after(&l, 1, news("ENROLLED", ""), false), HOOK_ENROLLED);
        assert_int_equal(after(&l, 1, news("ENROLLED", ""), false), HOOK_NOTHING);
        hook_teller_clear(&l.teller);
}

static void test_again(void **state) {
        static const usec_t pauses_s[] = { 5, 10, 20, 40, 80, 160, 300, 300 };
        Line l = LINE_INIT;

        assert_int_equal(after(&l, 0, news("FAILED", "a"), true), HOOK_FAILED);
        for (size_t i = 0; i < ELEMENTS(pauses_s); i++) {
                assert_int_equal(after(&l, pauses_s[i] - 1, news("FAILED", "a"), true), HOOK_NOTHING);
                assert_int_equal(l.wait_us, S);
                assert_int_equal(after(&l, 1, news("FAILED", "a"), true), HOOK_FAILED);
        }
        /* Another verdict does not wait, and begins with short pauses. */
        assert_int_equal(after(&l, 1, news("ENROLLED", ""), true), HOOK_ENROLLED);
        assert_int_equal(after(&l, 5, news("ENROLLED", ""), false), HOOK_ENROLLED);
        assert_int_equal(after(&l, 3600, news("ENROLLED", ""), false), HOOK_NOTHING);
        hook_teller_clear(&l.teller);
}

static void test_who_was_through(void **state) {
        Line l = LINE_INIT;

        assert_int_equal(after(&l, 0, news("FAILED", "a"), true), HOOK_FAILED);
        assert_int_equal(buffer_append_string(&l.teller.through, "10-first "), 0);
        assert_int_equal(after(&l, 5, news("FAILED", "a"), true), HOOK_FAILED);
        assert_string_equal(buffer_string(&l.teller.through), "10-first ");
        assert_int_equal(after(&l, 1, news("FAILED", "b"), false), HOOK_FAILED);
        assert_string_equal(buffer_string(&l.teller.through), "");
        hook_teller_clear(&l.teller);
}

static void test_memory(void **state) {
        Line l = LINE_INIT, next = LINE_INIT;
        _cleanup_json_ json_t *told = NULL;

        assert_int_equal(after(&l, 0, news("FAILED", "a"), true), HOOK_FAILED);
        assert_int_equal(buffer_append_string(&l.teller.through, "10-first "), 0);
        told = hook_teller_to_json(&l.teller);
        assert_non_null(told);
        assert_int_equal(hook_teller_from_json(&next.teller, told), 0);
        /* What wanted to be run again is, at once; and only that. */
        assert_int_equal(after(&next, 0, news("FAILED", "a"), false), HOOK_FAILED);
        assert_string_equal(buffer_string(&next.teller.through), "10-first ");
        assert_int_equal(after(&next, 600, news("FAILED", "a"), false), HOOK_NOTHING);
        hook_teller_clear(&l.teller);
        hook_teller_clear(&next.teller);
}

static void test_a_memory_that_is_none(void **state) {
        static const char *const texts[] = {
                "{}",
                "[]",
                "{\"event\":\"progress\",\"reason\":\"\",\"runner_id\":\"\",\"roles\":[],\"through\":\"\"}",
                "{\"event\":\"failed\",\"runner_id\":\"\",\"roles\":[],\"through\":\"\"}",
                "{\"event\":\"failed\",\"reason\":\"\",\"roles\":[],\"through\":\"\"}",
                "{\"event\":\"failed\",\"reason\":\"\",\"runner_id\":\"\",\"roles\":[\"root\"],\"through\":\"\"}",
                "{\"event\":\"failed\",\"reason\":\"\",\"runner_id\":\"\",\"roles\":[]}",
        };

        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                _cleanup_json_ json_t *told = NULL;
                HookTeller t = HOOK_TELLER_INIT;

                assert_int_equal(json_read(texts[i], strlen(texts[i]), &told, NULL), 0);
                assert_int_equal(hook_teller_from_json(&t, told), -EBADMSG);
                assert_int_equal(t.final.event, HOOK_NOTHING);
                hook_teller_clear(&t);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_progress),
                cmocka_unit_test(test_a_verdict_is_told_once),
                cmocka_unit_test(test_again),
                cmocka_unit_test(test_who_was_through),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_a_memory_that_is_none),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("hook-teller", tests, NULL, NULL);
}
