/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One table of messages. Each row says what a line begins with (or holds: rows that may stand
 * behind a date), which code it stands for and how much it weighs. The weightiest message wins, the
 * later one among equals: a script that says why it stops says it last, but a warning that it
 * merely passed weighs nothing.
 *
 * The texts are the beginnings of the few messages that are known and stable; all else the
 * container says is closed to us, so an unknown failure stays unknown and carries its last line.
 */

#include "installer/evidence.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "installer/shim.h"

typedef enum MessageMatch { BEGINS, HOLDS } MessageMatch;

typedef struct MessageRow {
        const char *text;
        MessageMatch match;
        const char *code;
        int weight;
        bool in_run; /* nobody but the engine's run prints this */
} MessageRow;

/* Weights: 3 names the cause, 2 a cause that a later line may name better, 1 the mere fact of a
 * failure. */
static const MessageRow message_rows[] = {
        { "Unknown command", BEGINS, "bad-arguments", 3, false },
        { "Unknown argument", BEGINS, "bad-arguments", 3, false },
        { "Argument '", BEGINS, "bad-arguments", 3, false },
        { "Can't use a --cloud-enterprise-version value", BEGINS, "script-too-old", 3, false },
        { "ECE could not verify the Docker socket", BEGINS, "engine-socket", 3, false },
        { "The UID or GID must not be smaller", BEGINS, "user-ids", 3, false },
        { "To resolve the issue, add the user to the docker group", BEGINS, "engine-denied", 3, false },
        { "The firewalld service is not compatible", BEGINS, "firewalld", 3, false },
        { "Host storage path ", BEGINS, "storage-permissions", 3, false },
        { "mkdir: cannot create directory", BEGINS, "storage-permissions", 2, false },
        { "Can't determine a default HOST_IP", BEGINS, "host-ip", 3, false },
        { "ECE version ", BEGINS, "os-unsupported", 3, false },
        { "Cannot connect to the Docker daemon", HOLDS, "engine-down", 3, false },
        { "Cannot connect to Podman", HOLDS, "engine-down", 3, false },
        { "is already in use by container", HOLDS, "name-conflict", 3, false },
        { "name is already in use", HOLDS, "name-conflict", 3, false },
        { "port is already allocated", HOLDS, "port-in-use", 3, false },
        { "address already in use", HOLDS, "port-in-use", 3, false },
        { "pull access denied", HOLDS, "pull-failed", 3, false },
        { "manifest unknown", HOLDS, "pull-failed", 3, false },
        { "manifest for ", HOLDS, "pull-failed", 2, false },
        { "failed to resolve reference", HOLDS, "pull-failed", 2, false },
        { "initializing source docker://", HOLDS, "pull-failed", 2, false },
        { "toomanyrequests:", HOLDS, "pull-failed", 3, false },
        { "Errors have caused Elastic Cloud Enterprise installation to fail", HOLDS, "installation-failed", 1,
          true },
};

typedef struct StageRow {
        const char *text;
        const char *stage;
} StageRow;

static const StageRow stage_rows[] = {
        { "Validating ECE version", "validating" },
        { "Verified that ECE version", "os-verified" },
        { "Skipping the validation", "os-unchecked" },
        { "Unable to find image", "pulling" },
        { "Pulling from", "pulling" },
        { "Trying to pull", "pulling" },
        { "Starting local runner", "runner-starting" },
        { "Started local runner", "runner-started" },
        { "Waiting for runner container node", "runner-waiting" },
};

static bool row_matches(const MessageRow *row, const char *line) {
        if (row->match == BEGINS)
                return text_starts_with(line, row->text);
        return strstr(line, row->text) != NULL;
}

/* Rulers of '~' and '-' and the engine client's pointer to its own help say nothing. */
static bool says_something(const char *line) {
        size_t letters = 0;

        if (text_starts_with(line, "See 'docker run --help'") || text_starts_with(line, "Run 'docker run --help'"))
                return false;
        for (; *line; line++)
                letters += isalpha((unsigned char) *line) || (*line & 0x80) ? 1U : 0U;
        return letters >= 2;
}

void evidence_line(Evidence *e, const char *line) {
        while (*line == ' ')
                line++;
        if (!says_something(line))
                return;
        (void) text_copy_printable(e->last, sizeof(e->last), line);
        if (text_starts_with(line, "The user is not a member of the docker group"))
                e->not_in_group = true;
        for (size_t i = 0; i < ELEMENTS(message_rows); i++) {
                const MessageRow *row = &message_rows[i];

                if (row->weight < e->weight || !row_matches(row, line))
                        continue;
                e->code = row->code;
                e->weight = row->weight;
                e->run_reached |= row->in_run;
                (void) text_copy_printable(e->message, sizeof(e->message), line);
        }
}

const char *evidence_stage(const char *line) {
        for (size_t i = 0; i < ELEMENTS(stage_rows); i++)
                if (strstr(line, stage_rows[i].text))
                        return stage_rows[i].stage;
        return NULL;
}

/* Statuses that speak for themselves whatever was printed, because only one program has them. */
static const char *code_of_shim(int status) {
        if (status == SHIM_EXIT_NO_PLACEHOLDER)
                return "handoff-failed";
        return status == SHIM_EXIT_FAILED ? "shim-failed" : NULL;
}

/* Both lines about the group: denied. The second one alone: the user is in the group, so the engine
 * is down. */
static const char *code_of_message(const Evidence *e) {
        if (e->code && streq(e->code, "engine-denied") && !e->not_in_group)
                return "engine-down";
        return e->code;
}

static const char *code_of_status(const Evidence *e, int status, bool signalled) {
        if (status == 126)
                return "not-runnable";
        if (status == 127)
                return "not-found";
        if (status == 125)
                return "engine-run-failed";
        if (signalled || status == 130 || status == 137 || status == 143)
                return "killed";
        return e->run_reached ? "run-failed" : "script-failed";
}

Observation evidence_conclude(const Evidence *e, int status, bool signalled, EvidenceEnd end) {
        const char *code = NULL;

        if (status == 0 && !signalled)
                return OBSERVATION_NONE;
        if (end == ENDED_BY_CLOCK)
                code = "timed-out";
        else if (end == ENDED_BY_REQUEST)
                code = "terminated";
        code = code ?: code_of_shim(status);
        code = code ?: code_of_message(e);
        code = code ?: code_of_status(e, status, signalled);
        return observe(ORIGIN_INSTALLER, status, code, NULL, "%s",
                       e->weight >= 2 && end == ENDED_ITSELF ? e->message : e->last);
}
