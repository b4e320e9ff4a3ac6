/* SPDX-License-Identifier: Apache-2.0 */

/* The story: every state has words, trouble is told once, a pipe gets no colours. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "report/story.h"

static char told[8192];

static const char *tell(Story *s, void (*teller)(Story *, const Report *, usec_t), const Report *r) {
        ssize_t n;

        assert_int_equal(ftruncate(s->fd, 0), 0);
        assert_int_equal(lseek(s->fd, 0, SEEK_SET), 0);
        teller(s, r, s->started_us + 1500 * USEC_PER_MSEC);
        n = pread(s->fd, told, sizeof(told) - 1, 0);
        assert_true(n >= 0);
        told[n] = 0;
        return told;
}

static void test_each_state_has_words(void **state) {
        static const char *const states[] = { "LOADING", "UNCONFIGURED", "PREFLIGHT", "PROBING", "PREPARING",
                                              "MINTING", "INSTALLING", "TERMINATING", "SETTLING", "VERIFYING",
                                              "BACKOFF", "ENROLLED", "FAILED", "STOPPING" };
        _cleanup_close_ int fd = memfd_create("story", MFD_CLOEXEC);
        Story s = story_begin(fd, 0);

        for (size_t i = 0; i < ELEMENTS(states); i++) {
                Report r = { .reason = OUTCOME_OK, .next_known = true, .next_state = "PROBING" };

                (void) snprintf(r.state, sizeof(r.state), "%s", states[i]);
                (void) tell(&s, story_transition, &r);
                assert_non_null(strstr(told, states[i]));
                /* Time, state and at least one word after the column of states. */
                assert_true(strlen(told) > 22 + 3);
                assert_null(strchr(told, '\x1b'));
        }
}

static void test_trouble_is_told_once(void **state) {
        _cleanup_close_ int fd = memfd_create("story", MFD_CLOEXEC);
        Story s = story_begin(fd, 0);
        Report r = { .state = "VERIFYING", .reason = { .class = CLASS_TRANSIENT, .remedy = "" } };

        (void) snprintf(r.reason.reason, sizeof(r.reason.reason), "verify.role-not-blessed");
        (void) snprintf(r.reason.text, sizeof(r.reason.text), "role allocator is not blessed");
        assert_non_null(strstr(tell(&s, story_trouble, &r), "role allocator is not blessed"));
        assert_string_equal(tell(&s, story_trouble, &r), "");
        (void) snprintf(r.reason.reason, sizeof(r.reason.reason), "verify.zone-differs");
        assert_non_null(strstr(tell(&s, story_trouble, &r), "[verify.zone-differs]"));
}

static void test_failure_says_what_to_do(void **state) {
        _cleanup_close_ int fd = memfd_create("story", MFD_CLOEXEC);
        Story s = story_begin(fd, 0);
        Report r = { .state = "FAILED", .reason = { .class = CLASS_PERMANENT, .remedy = "ask a person" } };

        (void) snprintf(r.reason.text, sizeof(r.reason.text), "denied");
        assert_non_null(strstr(tell(&s, story_transition, &r), "ask a person"));
}

static void test_success_says_what_it_cost(void **state) {
        _cleanup_close_ int fd = memfd_create("story", MFD_CLOEXEC);
        Story s = story_begin(fd, 0);
        Report r = { .state = "ENROLLED", .reason = OUTCOME_OK, .window = 1, .attempt = 3,
                     .token_age_at_start_us = 90 * USEC_PER_SEC };

        assert_non_null(strstr(tell(&s, story_transition, &r), "(1 token, 3 installers, the last started 1m 30s after"));
        r.window = r.attempt = 0; /* it was a member already */
        assert_null(strchr(tell(&s, story_transition, &r), '('));
}

static void test_gates(void **state) {
        _cleanup_close_ int fd = memfd_create("story", MFD_CLOEXEC);
        Story s = story_begin(fd, 0);
        Outcome why = { .class = CLASS_HOST, .remedy = "" };

        (void) snprintf(why.reason, sizeof(why.reason), "host.ports");
        (void) snprintf(why.text, sizeof(why.text), "a port is taken");
        story_gate_shut(&s, "ports", &why, USEC_PER_SEC);
        story_gate_open(&s, "ports", 2 * USEC_PER_SEC);
        told[pread(fd, told, sizeof(told) - 1, 0)] = 0;
        assert_non_null(strstr(told, "waiting for gate 'ports': a port is taken [host.ports]\n"));
        assert_non_null(strstr(told, "gate 'ports' is open now\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_state_has_words),
                cmocka_unit_test(test_trouble_is_told_once),
                cmocka_unit_test(test_success_says_what_it_cost),
                cmocka_unit_test(test_gates),
                cmocka_unit_test(test_failure_says_what_to_do),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("story", tests, NULL, NULL);
}
