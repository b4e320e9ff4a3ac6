/* SPDX-License-Identifier: Apache-2.0 */

/* Invariants: every row of the table of messages leads to its code; a status alone leads to one as
 * well; a successful end is none, and who ended it counts more than what was printed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "installer/evidence.h"

#define LINES_MAX 4

static const struct {
        const char *lines[LINES_MAX];
        bool reached;
        int status;
        bool signalled;
        const char *code;
        const char *detail; /* what it begins with, NULL: not looked at */
} rows[] = {
        { { "Unknown command 'x'" }, false, 2, false, "bad-arguments", "Unknown command" },
        { { "Unknown argument '--x'" }, false, 3, false, "bad-arguments", NULL },
        { { "Argument '--roles' does not have a value" }, false, 3, false, "bad-arguments", "Argument '--roles'" },
        { { "Can't use a --cloud-enterprise-version value greater than 4.0.3." }, false, 1, false, "script-too-old", NULL },
        { { "ECE could not verify the Docker socket (/x)." }, false, 5, false, "engine-socket", NULL },
        { { "The UID or GID must not be smaller than 1000." }, false, 4, false, "user-ids", NULL },
        /* the engine, or the group? */
        { { "To resolve the issue, add the user to the docker group or else" }, false, 4, false, "engine-down", NULL },
        { { "The user is not a member of the docker group.",
            "To resolve the issue, add the user to the docker group or else" },
          false, 4, false, "engine-denied", NULL },
        { { "The firewalld service is not compatible with Docker" }, false, 5, false, "firewalld", NULL },
        { { "The firewalld service may interfere with the installation of ECE.", "gone on" },
          false, 1, false, "script-failed", "gone on" },
        { { "ECE version 4.0.3 is not compatible with Debian 12 and Docker 28.2" }, false, 1, false, "os-unsupported", NULL },
        { { "Host storage path /x exists but doesn't have write permissions for user" }, false, 1, false,
          "storage-permissions", NULL },
        { { "mkdir: cannot create directory '/x': Permission denied" }, false, 1, false, "storage-permissions", "mkdir" },
        { { "Can't determine a default HOST_IP (why)." }, false, 1, false, "host-ip", NULL },
        { { "docker: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
            "See 'docker run --help'." },
          true, 125, false, "engine-down", "docker: Cannot" },
        { { "docker: Error response from daemon: Conflict. The container name \"/x\" is already in use by container \"y\"." },
          true, 125, false, "name-conflict", NULL },
        { { "docker: Error response from daemon: ... Bind for 0.0.0.0:22000 failed: port is already allocated." }, true, 125,
          false, "port-in-use", NULL },
        { { "docker: Error response from daemon: pull access denied for x" }, true, 125, false, "pull-failed", NULL },
        { { "docker: something never heard of" }, true, 125, false, "engine-run-failed", "docker: something" },
        { { "- Starting local runner {}", "~~~~~~~",
            "  Errors have caused Elastic Cloud Enterprise installation to fail - Please check logs", "  Node type - additional" },
          false, 1, false, "installation-failed", "Node type" },
        { { "no idea" }, false, 1, false, "script-failed", "no idea" },
        { { "no idea" }, true, 1, false, "run-failed", "no idea" },
        { { "last words", "~~~~~~~~", "--", "" }, true, 7, false, "run-failed", "last words" },
        { { NULL }, false, 97, false, "handoff-failed", "" },
        { { NULL }, false, 98, false, "shim-failed", "" },
        { { NULL }, false, 126, false, "not-runnable", "" },
        { { "/x: line 3: sudo: command not found" }, false, 127, false, "not-found", "/x: line 3" },
        { { NULL }, false, 137, true, "killed", "" },
        { { NULL }, true, 143, false, "killed", "" },
        /* a warning that was passed does not explain a later failure; the last cause counts among
         * equals */
        { { "Unknown argument '--a'", "Can't determine a default HOST_IP" }, false, 1, false, "host-ip", "Can't" },
};

static Evidence collect(const char *const lines[LINES_MAX], bool reached) {
        Evidence e = { .run_reached = reached };

        for (size_t i = 0; i < LINES_MAX && lines[i]; i++)
                evidence_line(&e, lines[i]);
        return e;
}

static void rows_hold(void **state) {
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Evidence e = collect(rows[i].lines, rows[i].reached);
                Observation seen = evidence_conclude(&e, rows[i].status, rows[i].signalled, ENDED_ITSELF);

                assert_int_equal(seen.origin, ORIGIN_INSTALLER);
                assert_int_equal(seen.number, rows[i].status);
                if (!streq(seen.code, rows[i].code))
                        fail_msg("row %zu: %s instead of %s", i, seen.code, rows[i].code);
                if (rows[i].detail && !text_starts_with(seen.detail, rows[i].detail))
                        fail_msg("row %zu: detail '%s'", i, seen.detail);
        }
}

static void success_is_none_whoever_asked(void **state) {
        Evidence e = collect(rows[0].lines, false);

        for (EvidenceEnd end = ENDED_ITSELF; end <= ENDED_BY_REQUEST; end++) {
                Observation seen = evidence_conclude(&e, 0, false, end);

                assert_true(observation_is_none(&seen));
        }
}

static void who_ended_it_counts_most(void **state) {
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Evidence e = collect(rows[i].lines, rows[i].reached);
                Observation by_clock = evidence_conclude(&e, rows[i].status, rows[i].signalled, ENDED_BY_CLOCK);
                Observation by_request = evidence_conclude(&e, rows[i].status, rows[i].signalled, ENDED_BY_REQUEST);

                assert_string_equal(by_clock.code, "timed-out");
                assert_string_equal(by_request.code, "terminated");
        }
}

static void stages_are_told(void **state) {
        assert_string_equal(evidence_stage("[2026-01-01] Validating ECE version 4.0 compatibility"), "validating");
        assert_string_equal(evidence_stage("Verified that ECE version 4.0"), "os-verified");
        assert_string_equal(evidence_stage("Unable to find image 'x' locally"), "pulling");
        assert_string_equal(evidence_stage("- Waiting for runner container node {}"), "runner-waiting");
        assert_null(evidence_stage("anything else"));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_hold),
                cmocka_unit_test(success_is_none_whoever_asked),
                cmocka_unit_test(who_ended_it_counts_most),
                cmocka_unit_test(stages_are_told),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
