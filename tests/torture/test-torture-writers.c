/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory that runs out while something is written: half a status, or a record with a gap, would be a lie that somebody
 * reads. All or nothing; and nothing is -ENOMEM.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "coordinator/token-request.h"
#include "engine/machine.h"
#include "engine/record.h"
#include "installer/attempt-record.h"
#include "installer/protocol.h"
#include "model/gate.h"
#include "model/json-schema.h"
#include "model/problem.h"
#include "report/metrics.h"
#include "report/status-json.h"
#include "scarce-memory.h"

#define NOON (UINT64_C(1767268800) * USEC_PER_SEC)

/* What is written with memory, and is all that may ever be written. */
static char *whole;

static int judge(int error, const Buffer *text) {
        if (error < 0)
                return error;
        if (!whole)
                whole = strdup(buffer_string(text));
        assert_non_null(whole);
        assert_string_equal(buffer_string(text), whole);
        return 0;
}

static void torture(ScarceWork work, const void *subject) {
        free(whole);
        whole = NULL;
        assert_int_equal(work(subject), 0);
        size_t allocations = scarce_torture(work, subject, 0);
        printf("# %zu bytes, %zu allocations\n", strlen(whole), allocations);
        assert_true(allocations > 0);
}

/* --- The record --------------------------------------------------------------------------------------------------- */

static int write_record(const void *subject) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(RECORD_SIZE_MAX);

        int error = record_encode(subject, &text);
        return judge(error, &text);
}

static void test_record(void **state) {
        Record r = {
                .machine = machine_fresh(),
                .boot_id = "0123456789abcdef0123456789abcdef",
                .runner_id = "192.0.2.21",
                .roles = role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY),
                .reason = "coordinator.reset",
                .text = "the connection to a coordinator broke",
        };

        for (unsigned i = 0; i < RECORD_HISTORY_MAX; i++)
                record_add_transition(&r, &(Transition) { .at_realtime_us = NOON + i, .state = STATE_MINTING, .reason = "a.b" });
        torture(write_record, &r);
}

/* --- The schema ----------------------------------------------------------------------------------------------------- */

static int write_schema(const void *subject) {
        _cleanup_json_ json_t *schema = json_schema_of_spec();
        _cleanup_buffer_ Buffer text = BUFFER_INIT(JSON_SIZE_MAX);

        (void) subject;
        if (!schema)
                return -ENOMEM;
        int error = json_write(schema, 0, &text);
        return judge(error, &text);
}

static void test_schema(void **state) {
        torture(write_schema, NULL);
}

/* --- Messages ------------------------------------------------------------------------------------------------------ */

static int write_message(const void *subject) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(MESSAGE_SIZE_MAX);

        int error = message_encode(subject, &text);
        return judge(error, &text);
}

static void test_messages(void **state) {
        Message message = {
                .kind = MESSAGE_GATE,
                .gate = { .name = "ports", .state = GATE_SHUT,
                          .seen = { .origin = ORIGIN_HOST, .code = "ports", .where = "here", .detail = "port 20000" } },
                .seen = OBSERVATION_NONE,
        };

        torture(write_message, &message);
        message = (Message) {
                .kind = MESSAGE_EXITED,
                .attempt = "00112233445566778899aabbccddeeff",
                .seen = { .origin = ORIGIN_INSTALLER, .number = 4, .code = "port-in-use", .detail = "in use" },
                .gate = { .seen = OBSERVATION_NONE },
        };
        torture(write_message, &message);
}

/* --- What others see ----------------------------------------------------------------------------------------------- */

static int write_status(const void *subject) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX);

        int error = status_json_write(subject, NOON, &text);
        return judge(error, &text);
}

static void test_status(void **state) {
        Report r = {
                .state = "BACKOFF",
                .since_realtime_us = NOON,
                .reason = { .class = CLASS_TRANSIENT, .reason = "coordinator.reset", .text = "broke", .remedy = "wait" },
                .runner_id = "192.0.2.21",
                .roles = role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY),
                .roles_known = true,
                .token_held = true,
                .token_roles = role_bit(ROLE_ALLOCATOR),
                .next_state = "INSTALLING",
                .next_known = true,
                .deadline_known = true,
                .n_coordinators = 1,
                .coordinators = { { "https://192.0.2.10:12443", "ok", "200" } },
                .n_history = 1,
                .history = { { NOON, "BACKOFF", "coordinator.reset", "broke" } },
        };

        torture(write_status, &r);
}

static int write_metrics(const void *subject) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(METRICS_SIZE_MAX);

        int error = metrics_write(subject, NOON, &text);
        return judge(error, &text);
}

static void test_metrics(void **state) {
        Report r = {
                .state = "FAILED",
                .since_realtime_us = NOON,
                .reason = { .class = CLASS_PERMANENT, .reason = "spec.invalid" },
                .runner_id = "192.0.2.21",
                .due_at_realtime_us = NOON,
                .n_gates = 1,
                .gates = { { .name = "engine", .state = GATE_OPEN } },
        };

        torture(write_metrics, &r);
}

static int write_problem(const void *subject) {
        _cleanup_free_ char *line = problem_format(subject);
        _cleanup_buffer_ Buffer text = BUFFER_INIT(4096);

        int error = line ? buffer_append_string(&text, line) : -ENOMEM;
        return judge(error, &text);
}

static int write_problems(const void *subject) {
        _cleanup_problems_ Problems problems = { 0 };
        const Place place = { .file = "enroll.yaml", .line = 3, .column = 7 };

        for (unsigned i = 0; i < 3; i++) {
                int error = problem_error(&problems, &place, "the %s is wrong", (const char *) subject);
                if (error < 0)
                        return error;
        }
        return write_problem(problems.items + 2);
}

static void test_problems(void **state) {
        torture(write_problems, "zone");
}

static int write_token_request(const void *subject) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(4096);

        int error = token_request_body(role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_DIRECTOR), USEC_PER_HOUR, false, &text);
        return judge(error, &text);
}

static void test_token_request(void **state) {
        torture(write_token_request, NULL);
}

static int write_graph(const void *subject) {
        _cleanup_free_ char *graph = machine_graph();
        _cleanup_buffer_ Buffer text = BUFFER_INIT(1024U * 1024U);

        int error = graph ? buffer_append_string(&text, graph) : -ENOMEM;
        return judge(error, &text);
}

static void test_graph(void **state) {
        torture(write_graph, NULL);
}

int main(void) {
        if (!scarce_memory_or_skip())
                return 0;
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_record),   cmocka_unit_test(test_messages),      cmocka_unit_test(test_status),
                cmocka_unit_test(test_problems), cmocka_unit_test(test_token_request), cmocka_unit_test(test_graph),
                cmocka_unit_test(test_metrics),  cmocka_unit_test(test_schema),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, scarce_memory_setup, NULL);
}
