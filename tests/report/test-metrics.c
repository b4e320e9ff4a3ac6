/* SPDX-License-Identifier: Apache-2.0 */

/* Metrics: which samples there are, and that what is unknown has none. promtool's own opinion is asked for in tests/e2e/. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "report/metrics.h"

#define NOW (UINT64_C(1767268800) * USEC_PER_SEC) /* 2026-01-01T12:00:00Z */

static char page[METRICS_SIZE_MAX];

static void write_page(const Report *r) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(METRICS_SIZE_MAX);

        assert_int_equal(metrics_write(r, NOW, &text), 0);
        (void) snprintf(page, sizeof(page), "\n%s", buffer_string(&text));
}

static bool has_line(const char *line) {
        char whole[512];

        (void) snprintf(whole, sizeof(whole), "\n%s\n", line);
        return strstr(page, whole) != NULL;
}

static void test_an_enrolled_host(void **state) {
        static const char *const lines[] = {
                "ece_enroll_info{version=\"" PACKAGE_VERSION "\",runner_id=\"r-1\"} 1",
                "ece_enroll_state{state=\"ENROLLED\"} 1",
                "ece_enroll_state{state=\"FAILED\"} 0",
                "ece_enroll_state_since_timestamp_seconds 1767268799.5",
                "ece_enroll_attempts 2",
                "ece_enroll_tokens_requested 1",
                "ece_enroll_token_age_at_start_seconds 1.25",
                "ece_enroll_phase_seconds_total{phase=\"INSTALLING\"} 600",
                "ece_enroll_retries_total{reason=\"coordinator.connect-refused\"} 3",
                "ece_enroll_verified 1",
                "ece_enroll_verified_timestamp_seconds 1767268800",
                "ece_enroll_verified_role{role=\"allocator\"} 1",
                "ece_enroll_api_key_expiration_timestamp_seconds 1798761600",
                "ece_enroll_gate_open{gate=\"engine\"} 1",
                "ece_enroll_report_timestamp_seconds 1767268800",
                "ece_enroll_report_due_timestamp_seconds 1767272400",
        };
        Report r = { .state = "ENROLLED",
                     .since_realtime_us = NOW - 500 * USEC_PER_MSEC,
                     .runner_id = "r-1",
                     .roles = 1U << ROLE_ALLOCATOR,
                     .attempt = 2,
                     .window = 1,
                     .token_age_at_start_us = 1250 * USEC_PER_MSEC,
                     .due_at_realtime_us = NOW + USEC_PER_HOUR,
                     .verified = true,
                     .verified_at_realtime_us = NOW,
                     .key_expiration = "2027-01-01T00:00:00.000Z",
                     .n_phases = 1,
                     .phases = { { .state = "INSTALLING", .spent_us = 600 * USEC_PER_SEC } },
                     .n_retries = 1,
                     .retries = { { .reason = "coordinator.connect-refused", .n = 3 } },
                     .n_gates = 2,
                     .gates = { { .name = "engine", .state = GATE_OPEN }, { .name = "time", .state = GATE_UNTRIED } } };

        r.reason = OUTCOME_OK;
        write_page(&r);
        for (size_t i = 0; i < ELEMENTS(lines); i++) {
                print_message("# %s\n", lines[i]);
                assert_true(has_line(lines[i]));
        }
        assert_null(strstr(page, "role=\"proxy\""));
        assert_null(strstr(page, "gate=\"time\""));
        assert_null(strstr(page, "ece_enroll_reason"));
        assert_null(strstr(page, "deadline"));
}

static void test_what_is_unknown_has_no_sample(void **state) {
        static const char *const absent[] = { "token_age", "deadline", "phase_seconds", "retries", "verified_timestamp", "verified_role",
                                              "api_key", "gate_open", "report_due" };
        Report r = { .state = "LOADING", .reason = OUTCOME_OK };

        write_page(&r);
        for (size_t i = 0; i < ELEMENTS(absent); i++)
                assert_null(strstr(page, absent[i]));
        assert_true(has_line("ece_enroll_verified 0"));
}

static void test_a_reason(void **state) {
        Report r = { .state = "FAILED", .deadline_known = true, .deadline_at_realtime_us = NOW - 90 * USEC_PER_SEC };

        r.reason = (Outcome){ .class = CLASS_PERMANENT, .reason = "host.\"odd\\\n" };
        write_page(&r);
        assert_true(has_line("ece_enroll_reason{reason=\"host.\\\"odd\\\\\\n\",class=\"permanent\"} 1"));
        assert_true(has_line("ece_enroll_deadline_timestamp_seconds 1767268710"));
}

/* Prometheus' parser wants each family's HELP and TYPE once and before its samples. */
static void test_each_family_has_its_head(void **state) {
        static const char type[] = "# TYPE ";
        Report r = { .state = "ENROLLED", .reason = OUTCOME_OK, .verified = true };
        char family[128] = "";

        write_page(&r);
        for (const char *line = page + 1; *line; line += strcspn(line, "\n"), line += strspn(line, "\n")) {
                size_t n = strcspn(line, "{ \n");

                if (text_starts_with(line, type))
                        (void) snprintf(family, sizeof(family), "%.*s", (int) strcspn(line + strlen(type), " "), line + strlen(type));
                else if (line[0] != '#')
                        assert_true(strlen(family) == n && strncmp(line, family, n) == 0);
        }
}

static void test_the_file(void **state) {
        char folder[] = "/tmp/test-metrics-XXXXXX", path[64];
        _cleanup_buffer_ Buffer text = BUFFER_INIT(METRICS_SIZE_MAX);
        Report r = { .state = "LOADING", .reason = OUTCOME_OK };
        struct stat st;

        assert_non_null(mkdtemp(folder));
        (void) snprintf(path, sizeof(path), "%s/x.prom", folder);
        assert_int_equal(metrics_file_publish(path, &r, NOW), 0);
        assert_int_equal(metrics_file_publish(path, &r, NOW), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0644);
        assert_int_equal(file_read(path, &text), 0);
        assert_non_null(strstr(buffer_string(&text), "ece_enroll_state{state=\"LOADING\"} 1\n"));
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(folder), 0);
        assert_int_equal(metrics_file_publish(path, &r, NOW), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_enrolled_host),
                cmocka_unit_test(test_what_is_unknown_has_no_sample),
                cmocka_unit_test(test_a_reason),
                cmocka_unit_test(test_each_family_has_its_head),
                cmocka_unit_test(test_the_file),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
