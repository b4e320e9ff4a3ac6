/* SPDX-License-Identifier: Apache-2.0 */

/* status.json holds the members of the public contract, ages well, and the mark of success never lies. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "report/status-file.h"
#include "report/status-json.h"
#include "report/status-text.h"

#define NOW (UINT64_C(1767268800) * USEC_PER_SEC) /* 2026-01-01T12:00:00Z */

static Report backoff_report(void) {
        Report r = {
                .state = "BACKOFF",
                .since_realtime_us = NOW - 30 * USEC_PER_SEC,
                .reason = OUTCOME_OK,
                .runner_id = "192.0.2.21",
                .roles = role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY),
                .roles_known = true,
                .window = 1,
                .attempt = 2,
                .token_held = true,
                .token_roles = role_bit(ROLE_ALLOCATOR),
                .token_remaining_us = 3120 * USEC_PER_SEC,
                .next_state = "INSTALLING",
                .next_known = true,
                .next_in_us = 16 * USEC_PER_SEC + 1,
                .deadline_known = true,
                .deadline_in_us = 13800 * USEC_PER_SEC,
                .n_coordinators = 1,
                .coordinators = { { "https://192.0.2.10:12443", "ok", "200" } },
                .n_history = 1,
                .history = { { NOW, "BACKOFF", "coordinator.connect-refused", "refused" } },
        };

        r.reason.class = CLASS_TRANSIENT;
        (void) snprintf(r.reason.reason, sizeof(r.reason.reason), "coordinator.connect-refused");
        (void) snprintf(r.reason.text, sizeof(r.reason.text), "the coordinator refused the connection");
        r.reason.remedy = "start it";
        return r;
}

static json_t *written(const Report *r) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX);
        json_t *status = NULL;

        assert_int_equal(status_json_write(r, NOW, &text), 0);
        assert_int_equal(json_read(buffer_string(&text), text.size, &status, NULL), 0);
        return status;
}

static void test_contract_members(void **state) {
        Report r = backoff_report();
        _cleanup_json_ json_t *s = written(&r), *wanted = NULL;
        static const char *const members[] = { "schema", "state", "since", "reason", "runner_id", "roles", "window",
                                               "attempt", "token", "next", "deadline_in_s", "verified",
                                               "coordinators", "history" };

        for (size_t i = 0; i < ELEMENTS(members); i++)
                assert_non_null(json_object_get(s, members[i]));
        wanted = json_pack("{s:s, s:s, s:s, s:s}", "id", "coordinator.connect-refused", "class", "transient", "text",
                           "the coordinator refused the connection", "remedy", "start it");
        assert_true(json_equal(json_object_get(s, "reason"), wanted));
        assert_int_equal(json_member_integer(s, "schema", 0), 1);
        assert_int_equal(json_member_integer(s, "tokens_asked_for", 0), 1);
        assert_string_equal(json_member_string(s, "since"), "2026-01-01T11:59:30Z");
        assert_int_equal(json_member_integer(json_object_get(s, "token"), "remaining_s", 0), 3120);
        assert_int_equal(json_member_integer(json_object_get(s, "next"), "in_s", 0), 17);
        assert_int_equal(json_member_integer(s, "deadline_in_s", 0), 13800);
        assert_int_equal(json_array_size(json_object_get(s, "roles")), 2);
        assert_true(json_is_null(json_object_get(s, "verified")));
}

static void test_nothing_known_is_null(void **state) {
        Report r = { .state = "LOADING", .reason = OUTCOME_OK };
        _cleanup_json_ json_t *s = written(&r);
        static const char *const nulls[] = { "reason", "token", "next", "deadline_in_s", "verified" };

        for (size_t i = 0; i < ELEMENTS(nulls); i++)
                assert_true(json_is_null(json_object_get(s, nulls[i])));
}

static bool has_mark(int fd) {
        struct stat st;

        return fstatat(fd, ENROLLED_FILE, &st, 0) == 0;
}

static void test_mark_is_there_exactly_while_enrolled(void **state) {
        char path[] = "/tmp/test-status-XXXXXX";
        _cleanup_close_ int fd = -1;
        Report r = backoff_report(), enrolled = { .state = "ENROLLED", .reason = OUTCOME_OK };
        struct stat st;

        assert_non_null(mkdtemp(path));
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(status_file_publish(fd, &r, NOW), 0);
        assert_false(has_mark(fd));
        assert_int_equal(status_file_publish(fd, &enrolled, NOW), 0);
        assert_true(has_mark(fd));
        assert_int_equal(fstatat(fd, STATUS_FILE, &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0644);
        assert_int_equal(status_file_publish(fd, &r, NOW), 0);
        assert_false(has_mark(fd));
        assert_int_equal(unlinkat(fd, STATUS_FILE, 0), 0);
        assert_int_equal(rmdir(path), 0);
}

static void test_page_ages(void **state) {
        Report r = backoff_report();
        _cleanup_json_ json_t *s = written(&r);
        _cleanup_buffer_ Buffer page = BUFFER_INIT(STATUS_TEXT_MAX);

        assert_int_equal(status_text_write(s, NOW + 10 * USEC_PER_SEC, false, &page), 0);
        assert_non_null(strstr(buffer_string(&page), "ece-enroll: BACKOFF since 2026-01-01T11:59:30Z (40s ago)"));
        assert_non_null(strstr(buffer_string(&page), "next: INSTALLING in 7s"));
        assert_non_null(strstr(buffer_string(&page), "what to do: start it"));
        assert_non_null(strstr(buffer_string(&page), "allocator, 51m 50s left"));
        assert_null(strchr(buffer_string(&page), '\x1b'));
}

static void test_stages(void **state) {
        static const struct {
                const char *stage, *line;
        } rows[] = {
                { "started", "stage: started [#.......] 1 of 8\n" },
                { "os-unchecked", "stage: os-unchecked [###.....] 3 of 8\n" },
                { "runner-waiting", "stage: runner-waiting [########] 8 of 8\n" },
                { "something-new", "stage: something-new\n" },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_json_ json_t *s = json_pack("{s:s, s:s}", "state", "INSTALLING", "stage", rows[i].stage);
                _cleanup_buffer_ Buffer page = BUFFER_INIT(STATUS_TEXT_MAX);

                assert_int_equal(status_text_write(s, NOW, false, &page), 0);
                assert_non_null(strstr(buffer_string(&page), rows[i].line));
        }
}

static void test_page_of_a_stranger(void **state) {
        _cleanup_json_ json_t *s = json_pack("{s:i, s:s, s:[], s:i}", "schema", 9, "state", "NEW", "next", "reason", 3);
        _cleanup_buffer_ Buffer page = BUFFER_INIT(STATUS_TEXT_MAX);

        assert_int_equal(status_text_write(s, NOW, true, &page), 0);
        assert_non_null(strstr(buffer_string(&page), "NEW"));
}

static void test_times(void **state) {
        static const struct {
                const char *text;
                int error;
        } table[] = {
                { "2026-01-01T12:00:00Z", 0 },       { "2026-01-01 12:00:00Z", -EINVAL }, { "", -EINVAL },
                { "2026-01-01T12:00:00+01", -EINVAL }, { NULL, -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTS(table); i++) {
                usec_t t = 0;

                assert_int_equal(status_parse_time(table[i].text, &t), table[i].error);
                assert_int_equal(t, table[i].error ? 0 : NOW);
        }
}

/* All gates are in the JSON; people are shown them while one is waited for. */
static void test_gates(void **state) {
        _cleanup_free_ Report *r = calloc(1, sizeof(*r));
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX), page = BUFFER_INIT(STATUS_TEXT_MAX);
        _cleanup_json_ json_t *status = NULL;
        const json_t *gates, *ports;

        assert_non_null(r);
        *r = backoff_report();
        r->n_gates = 2;
        (void) snprintf(r->gates[0].name, sizeof(r->gates[0].name), "user");
        (void) snprintf(r->gates[0].found, sizeof(r->gates[0].found), "elastic");
        r->gates[0].state = GATE_OPEN;
        (void) snprintf(r->gates[1].name, sizeof(r->gates[1].name), "ports");
        r->gates[1].state = GATE_SHUT;
        r->gates[1].took_us = 7 * USEC_PER_MSEC;
        r->gates[1].reason = (Outcome) { .class = CLASS_HOST, .remedy = "Free it." };
        (void) snprintf(r->gates[1].reason.reason, REASON_ID_SIZE, "host.ports");
        (void) snprintf(r->gates[1].reason.text, OUTCOME_TEXT_SIZE, "a port is taken");

        assert_int_equal(status_json_write(r, NOW, &text), 0);
        assert_int_equal(json_read(buffer_string(&text), text.size, &status, NULL), 0);
        gates = json_member_array(status, "gates");
        assert_int_equal(json_array_size(gates), 2);
        assert_string_equal(json_member_string(json_array_get(gates, 0), "state"), "open");
        assert_string_equal(json_member_string(json_array_get(gates, 0), "text"), "");
        ports = json_array_get(gates, 1);
        assert_string_equal(json_member_string(ports, "state"), "shut");
        assert_string_equal(json_member_string(ports, "reason"), "host.ports");
        assert_string_equal(json_member_string(ports, "remedy"), "Free it.");
        assert_int_equal(json_member_integer(ports, "took_ms", 0), 7);

        assert_int_equal(status_text_write(status, NOW, false, &page), 0);
        assert_non_null(strstr(buffer_string(&page), "shut    ports              a port is taken [host.ports]\n"));
        assert_non_null(strstr(buffer_string(&page), "Free it.\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_gates),
                cmocka_unit_test(test_contract_members),
                cmocka_unit_test(test_nothing_known_is_null),
                cmocka_unit_test(test_mark_is_there_exactly_while_enrolled),
                cmocka_unit_test(test_page_ages),
                cmocka_unit_test(test_stages),
                cmocka_unit_test(test_page_of_a_stranger),
                cmocka_unit_test(test_times),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
