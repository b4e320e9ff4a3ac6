/* SPDX-License-Identifier: Apache-2.0 */

/* Invariants: every message of the script, in each version that has it, leads to its code, and only with the
 * status that belongs to it; the engine's messages lead to theirs; a status alone leads to one as well; a
 * successful end is none, and who ended it counts more than what was printed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "installer/evidence.h"

#define LINES_MAX 4

/* Where the run was when it ended. */
typedef enum Where {
        BEFORE,   /* the shim is there and was not called for the run */
        REACHED,  /* the shim has said so */
        NO_SHIM,  /* handoff: argv; nobody knows */
} Where;

typedef struct EvidenceRow {
        const char *lines[LINES_MAX];
        Where where;
        int status;
        bool signalled;
        const char *code;   /* "": the bare status is all there is */
        const char *detail; /* what it begins with, NULL: not looked at */
} EvidenceRow;

/* What each version of the script says before it stops, or where it goes on. */
static const struct {
        const char *version;
        EvidenceRow row;
} script_rows[] = {
        { "3.5.1", { { "Unknown command 'x'" }, BEFORE, 2, false, "bad-arguments", "Unknown command" } },
        { "4.0.3", { { "Unknown command 'x'" }, BEFORE, 2, false, "bad-arguments", "Unknown command" } },
        { "3.5.1", { { "Unknown argument '--selinux'" }, BEFORE, 3, false, "bad-arguments", "Unknown arg" } },
        { "4.0.3", { { "Unknown argument '--x'" }, BEFORE, 3, false, "bad-arguments", "Unknown argument" } },
        { "3.5.1", { { "Argument '--roles' does not have a value" }, BEFORE, 3, false, "bad-arguments", "Argum" } },
        { "4.0.3", { { "Argument '--roles' does not have a value" }, BEFORE, 3, false, "bad-arguments", "Argum" } },
        { "3.5.1", { { "Can't use a --cloud-enterprise-version value greater than 3.5.1." }, BEFORE, 1, false,
                     "script-too-old", NULL } },
        { "4.0.3", { { "Can't use a --cloud-enterprise-version value greater than 4.0.3." }, BEFORE, 1, false,
                     "script-too-old", NULL } },
        { "3.5.1", { { "ECE could not verify the Docker socket (/x)." }, BEFORE, 5, false, "engine-socket", NULL } },
        { "4.0.3", { { "ECE could not verify the Docker socket (/x)." }, BEFORE, 5, false, "engine-socket", NULL } },
        { "3.5.1", { { "The UID or GID must not be smaller than 1000." }, BEFORE, 4, false, "user-ids", NULL } },
        { "4.0.3", { { "The UID or GID must not be smaller than 1000." }, BEFORE, 4, false, "user-ids", NULL } },
        /* in the group, and yet docker ps failed: it is the engine */
        { "3.5.1", { { "To resolve the issue, add the user to the docker group or install as a different user." },
                     BEFORE, 4, false, "engine-down", "To resolve" } },
        { "4.0.3", { { "To resolve the issue, add the user to the docker group or install as a different user." },
                     BEFORE, 4, false, "engine-down", "To resolve" } },
        { "3.5.1", { { "The user is not a member of the docker group.",
                       "To resolve the issue, add the user to the docker group or install as a different user." },
                     BEFORE, 4, false, "engine-denied", "To resolve" } },
        { "4.0.3", { { "The user is not a member of the docker group.",
                       "To resolve the issue, add the user to the docker group or install as a different user." },
                     BEFORE, 4, false, "engine-denied", "To resolve" } },
        /* both lines, and the engine's client knows better, whichever pipe was read first */
        { "4.0.3", { { "The user is not a member of the docker group.",
                       "To resolve the issue, add the user to the docker group or install as a different user.",
                       "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?" },
                     BEFORE, 4, false, "engine-down", NULL } },
        { "4.0.3", { { "permission denied while trying to connect to the Docker daemon socket at unix:///x",
                       "To resolve the issue, add the user to the docker group or install as a different user." },
                     BEFORE, 4, false, "engine-denied", NULL } },
        /* with --force they are warnings, and what fails later is what counts */
        { "4.0.3", { { "The user is not a member of the docker group.",
                       "To resolve the issue, add the user to the docker group or install as a different user.",
                       "something else" },
                     BEFORE, 1, false, "script-failed", "something else" } },
        { "3.5.1", { { "The firewalld service is not compatible with Docker" }, BEFORE, 5, false, "firewalld", NULL } },
        { "3.5.1", { { "The firewalld service is not compatible with Docker", "gone on" }, BEFORE, 1, false,
                     "script-failed", "gone on" } },
        { "3.5.1", { { "The firewalld service is not compatible with Docker", "last words" }, REACHED, 5, false,
                     "run-failed", "last words" } },
        { "4.0.3", { { "The firewalld service may interfere with the installation of ECE.", "gone on" }, BEFORE, 1,
                     false, "script-failed", "gone on" } },
        { "4.0.3", { { "ECE version 4.0.3 is not compatible with Debian 12 and Docker 28.2." }, BEFORE, 1, false,
                     "os-unsupported", NULL } },
        { "4.0.3", { { "[2026-01-01 00:00:00] ECE version 4.0 is not compatible with Debian 12 and Docker 28.2." },
                     BEFORE, 1, false, "os-unsupported", "[2026" } },
        { "3.5.1", { { "Host storage path /x exists but doesn't have read permissions for user e" }, BEFORE, 1, false,
                     "storage-permissions", NULL } },
        { "4.0.3", { { "Host storage path /x exists but doesn't have write permissions for user e" }, BEFORE, 1, false,
                     "storage-permissions", NULL } },
        { "4.0.3", { { "mkdir: cannot create directory '/x': Permission denied" }, BEFORE, 1, false,
                     "storage-permissions", "mkdir" } },
        { "4.0.3", { { "mkdir: cannot create directory '/x': No space left on device" }, BEFORE, 1, false, "disk-full",
                     "mkdir" } },
        { "3.5.1", { { "Can't determine a default HOST_IP ('ip' tool can't be found). Use --host-ip." }, BEFORE, 1,
                     false, "host-ip", NULL } },
        { "4.0.3", { { "Can't determine a default HOST_IP (the default gateway was not found). Use --host-ip." },
                     BEFORE, 1, false, "host-ip", NULL } },
        { "3.5.1", { { "The installation process was not able to check the host kernel parameters" }, BEFORE, 1, false,
                     "script-failed", "The installation process" } },
        { "4.0.3", { { "The installation process was not able to check the host kernel parameters" }, REACHED, 1,
                     false, "run-failed", NULL } },
        /* the last one counts */
        { "4.0.3", { { "Host storage path /x exists but doesn't have read permissions for user e",
                       "Can't determine a default HOST_IP" },
                     BEFORE, 1, false, "host-ip", "Can't" } },
};

/* The engine, the container, and statuses by themselves. */
static const EvidenceRow rows[] = {
        { { "docker: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
            "See 'docker run --help'." },
          REACHED, 125, false, "engine-down", "docker: Cannot" },
        { { "docker: Error response from daemon: Conflict. The container name \"/x\" is already in use by container \"y\"." },
          REACHED, 125, false, "name-conflict", NULL },
        { { "docker: Error response from daemon: ... Bind for 0.0.0.0:22000 failed: port is already allocated." }, REACHED,
          125, false, "port-in-use", NULL },
        { { "listen tcp4 0.0.0.0:22000: bind: address already in use" }, REACHED, 125, false, "port-in-use", NULL },
        { { "docker: Error response from daemon: pull access denied for x" }, REACHED, 125, false, "pull-failed", NULL },
        { { "Error response from daemon: manifest unknown" }, BEFORE, 1, false, "pull-failed", NULL },
        { { "docker: Error response from daemon: failed to register layer: no space left on device" }, REACHED, 125,
          false, "disk-full", NULL },
        { { "docker: something never heard of" }, REACHED, 125, false, "engine-run-failed", "docker: something" },
        { { "- Starting local runner {}", "~~~~~~~",
            "  Errors have caused Elastic Cloud Enterprise installation to fail - Please check logs", "  Node type - additional" },
          NO_SHIM, 1, false, "installation-failed", "Node type" },
        /* what only the container says proves that it was reached */
        { { "- Started local runner {}", "Unknown argument '--x'" }, NO_SHIM, 3, false, "run-failed", NULL },
        { { "Unable to find image 'x' locally" }, NO_SHIM, 4, false, "run-failed", NULL },
        /* the container's own 1 to 5 */
        { { "no idea" }, REACHED, 1, false, "run-failed", "no idea" },
        { { "Unknown command 'x'" }, REACHED, 2, false, "run-failed", NULL },
        { { "no idea" }, REACHED, 3, false, "run-failed", NULL },
        { { "no idea" }, REACHED, 4, false, "run-failed", NULL },
        { { "no idea" }, REACHED, 5, false, "run-failed", NULL },
        { { "no idea" }, REACHED, 126, false, "run-failed", NULL },
        { { "no idea" }, REACHED, 127, false, "run-failed", NULL },
        { { "last words", "~~~~~~~~", "--", "" }, REACHED, 7, false, "run-failed", "last words" },
        /* the script's own, and nothing that is known was said */
        { { "no idea" }, BEFORE, 1, false, "script-failed", "no idea" },
        { { "no idea" }, BEFORE, 2, false, "", "no idea" },
        { { "no idea" }, BEFORE, 3, false, "", NULL },
        { { "no idea" }, BEFORE, 4, false, "", NULL },
        { { "no idea" }, BEFORE, 5, false, "", NULL },
        { { "no idea" }, BEFORE, 7, false, "script-failed", NULL },
        /* a known message of another status is none */
        { { "Unknown argument '--x'" }, BEFORE, 1, false, "script-failed", "Unknown argument" },
        { { "ECE version 4.0.3 is here" }, BEFORE, 1, false, "script-failed", NULL },
        { { "Argument '--x' is odd" }, BEFORE, 3, false, "", NULL },
        /* without the shim nobody knows whose they are */
        { { "no idea" }, NO_SHIM, 1, false, "unexplained", "no idea" },
        { { "no idea" }, NO_SHIM, 2, false, "unexplained", NULL },
        { { "no idea" }, NO_SHIM, 5, false, "unexplained", NULL },
        { { "no idea" }, NO_SHIM, 97, false, "unexplained", NULL },
        { { "no idea" }, NO_SHIM, 98, false, "unexplained", NULL },
        { { "Unknown argument '--x'" }, NO_SHIM, 3, false, "bad-arguments", NULL },
        { { NULL }, BEFORE, 97, false, "handoff-failed", "" },
        { { NULL }, REACHED, 97, false, "run-failed", "" },
        { { NULL }, BEFORE, 98, false, "shim-failed", "" },
        { { NULL }, REACHED, 98, false, "shim-failed", "" },
        { { NULL }, BEFORE, 126, false, "not-runnable", "" },
        { { "/x: line 3: sudo: command not found" }, BEFORE, 127, false, "not-found", "/x: line 3" },
        { { NULL }, BEFORE, 130, false, "killed", "" },
        { { NULL }, BEFORE, 137, true, "killed", "" },
        { { NULL }, REACHED, 137, false, "killed", "" },
        { { NULL }, REACHED, 141, false, "killed", "" },
        { { NULL }, REACHED, 143, false, "killed", "" },
        { { "Host storage path /x exists but doesn't have read permissions for user e" }, BEFORE, 137, true, "killed", NULL },
};

static Evidence collect(const EvidenceRow *row) {
        Evidence e = { .run_reached = row->where == REACHED, .run_watched = row->where != NO_SHIM };

        for (size_t i = 0; i < LINES_MAX && row->lines[i]; i++)
                evidence_line(&e, row->lines[i]);
        return e;
}

static void row_holds(const EvidenceRow *row, const char *name) {
        Evidence e = collect(row);
        Observation seen = evidence_conclude(&e, row->status, row->signalled, ENDED_ITSELF);

        assert_int_equal(seen.origin, ORIGIN_INSTALLER);
        assert_int_equal(seen.number, row->status);
        if (!streq(seen.code, row->code))
                fail_msg("%s, %d, '%s': %s instead of %s", name, row->status, row->lines[0] ?: "", seen.code, row->code);
        if (row->detail && !text_starts_with(seen.detail, row->detail))
                fail_msg("%s, %d: detail '%s'", name, row->status, seen.detail);
}

static void messages_of_the_script(void **state) {
        for (size_t i = 0; i < ELEMENTS(script_rows); i++)
                row_holds(&script_rows[i].row, script_rows[i].version);
}

static void rows_hold(void **state) {
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                row_holds(&rows[i], "row");
}

static void success_is_none_whoever_asked(void **state) {
        Evidence e = collect(&script_rows[0].row);

        for (EvidenceEnd end = ENDED_ITSELF; end <= ENDED_BY_REQUEST; end++) {
                Observation seen = evidence_conclude(&e, 0, false, end);

                assert_true(observation_is_none(&seen));
        }
}

static void who_ended_it_counts_most(void **state) {
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Evidence e = collect(&rows[i]);
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
                cmocka_unit_test(messages_of_the_script),
                cmocka_unit_test(rows_hold),
                cmocka_unit_test(success_is_none_whoever_asked),
                cmocka_unit_test(who_ended_it_counts_most),
                cmocka_unit_test(stages_are_told),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
