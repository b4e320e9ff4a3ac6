/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two tables of messages: the script's own and the engine client's. The script stops at its first
 * error, so of its messages the last one counts, and only when the run ended with the status that
 * belongs to it: with --force, and with some versions, the same words are a warning that is passed.
 * Once the container was reached, no message of the script is a cause any more. The engine's messages
 * may come over the other pipe, in any order, so among them the weightiest counts.
 *
 * The texts are the beginnings of the few messages that are known and stable; all else the
 * container says is closed to us, so an unknown failure stays unknown and carries its last line.
 */

#include "installer/evidence.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "installer/shim.h"

#define INSTALLATION_FAILED "Errors have caused Elastic Cloud Enterprise installation to fail"

/* Of the script. Its colours are gone already; newer scripts put a date in brackets before some. */
typedef struct ScriptMessage {
        const char *begins;
        const char *holds; /* as well; NULL: nothing more is asked */
        const char *code;
        int status;
} ScriptMessage;

static const ScriptMessage script_messages[] = {
        { "Unknown command", NULL, "bad-arguments", 2 },
        { "Unknown argument", NULL, "bad-arguments", 3 },
        { "Argument '", "does not have a value", "bad-arguments", 3 },
        { "Can't use a --cloud-enterprise-version value greater than", NULL, "script-too-old", 1 },
        { "ECE could not verify the Docker socket", NULL, "engine-socket", 5 },
        { "The UID or GID must not be smaller than", NULL, "user-ids", 4 },
        { "To resolve the issue, add the user to the docker group", NULL, "engine-denied", 4 },
        { "The firewalld service is not compatible", NULL, "firewalld", 5 },
        { "ECE version ", " is not compatible with ", "os-unsupported", 1 },
        { "Host storage path ", "exists but doesn't have", "storage-permissions", 1 },
        { "mkdir: cannot create directory", "Permission denied", "storage-permissions", 1 },
        { "Can't determine a default HOST_IP", NULL, "host-ip", 1 },
};

/* Of the engine, its client, and the container. Weights: 3 names the cause, 2 a cause that a later
 * line may name better, 1 the mere fact of a failure. */
typedef struct EngineMessage {
        const char *holds;
        const char *code;
        int weight;
} EngineMessage;

static const EngineMessage engine_messages[] = {
        { "Cannot connect to the Docker daemon", "engine-down", 3 },
        { "Cannot connect to Podman", "engine-down", 3 },
        { "permission denied while trying to connect to the Docker daemon", "engine-denied", 3 },
        { "is already in use by container", "name-conflict", 3 },
        { "name is already in use", "name-conflict", 3 },
        { "port is already allocated", "port-in-use", 3 },
        { "address already in use", "port-in-use", 3 },
        { "pull access denied", "pull-failed", 3 },
        { "manifest unknown", "pull-failed", 3 },
        { "manifest for ", "pull-failed", 2 },
        { "failed to resolve reference", "pull-failed", 2 },
        { "initializing source docker://", "pull-failed", 2 },
        { "toomanyrequests:", "pull-failed", 3 },
        { "o space left on device", "disk-full", 3 }, /* the kernel's words, with a capital or not */
        { INSTALLATION_FAILED, "installation-failed", 1 },
};

typedef struct StageRow {
        const char *text;
        const char *stage;
        bool in_run; /* nobody but the engine's run, or the container, prints this */
} StageRow;

static const StageRow stage_rows[] = {
        { "Validating ECE version", "validating", false },
        { "Verified that ECE version", "os-verified", false },
        { "Skipping the validation", "os-unchecked", false },
        { "Unable to find image", "pulling", true },
        { "Pulling from", "pulling", false },
        { "Trying to pull", "pulling", false },
        { "Starting local runner", "runner-starting", true },
        { "Started local runner", "runner-started", true },
        { "Waiting for runner container node", "runner-waiting", true },
};

static const StageRow *stage_of(const char *line) {
        for (size_t i = 0; i < ELEMENTS(stage_rows); i++)
                if (strstr(line, stage_rows[i].text))
                        return &stage_rows[i];
        return NULL;
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

static const char *skip_date(const char *line) {
        const char *end = *line == '[' ? strchr(line, ']') : NULL;

        if (!end)
                return line;
        return end + 1 + strspn(end + 1, " ");
}

static void hear_script(Evidence *e, const char *line) {
        const char *text = skip_date(line);

        if (text_starts_with(text, "The user is not a member of the docker group"))
                e->not_in_group = true;
        for (size_t i = 0; i < ELEMENTS(script_messages); i++) {
                const ScriptMessage *row = &script_messages[i];

                if (!text_starts_with(text, row->begins) || (row->holds && !strstr(text, row->holds)))
                        continue;
                e->script_code = row->code;
                e->script_status = row->status;
                (void) text_copy_printable(e->script_message, sizeof(e->script_message), line);
        }
}

static void hear_engine(Evidence *e, const char *line) {
        for (size_t i = 0; i < ELEMENTS(engine_messages); i++) {
                const EngineMessage *row = &engine_messages[i];

                if (row->weight < e->weight || !strstr(line, row->holds))
                        continue;
                e->code = row->code;
                e->weight = row->weight;
                (void) text_copy_printable(e->message, sizeof(e->message), line);
        }
}

void evidence_line(Evidence *e, const char *line) {
        const StageRow *stage = stage_of(line);

        while (*line == ' ')
                line++;
        if (!says_something(line))
                return;
        (void) text_copy_printable(e->last, sizeof(e->last), line);
        if ((stage && stage->in_run) || strstr(line, INSTALLATION_FAILED))
                e->run_reached = true;
        hear_script(e, line);
        hear_engine(e, line);
}

const char *evidence_stage(const char *line) {
        const StageRow *row = stage_of(line);

        return row ? row->stage : NULL;
}

/* Did the script itself end here? */
static bool script_said_why(const Evidence *e, int status) {
        return !e->run_reached && e->script_code && e->script_status == status;
}

/* Two statuses are the shim's own, where there is one; 97 after it has let the run pass is the
 * container's. */
static const char *code_of_shim(const Evidence *e, int status) {
        if (!e->run_watched)
                return NULL;
        if (status == SHIM_EXIT_NO_PLACEHOLDER && !e->run_reached)
                return "handoff-failed";
        return status == SHIM_EXIT_FAILED ? "shim-failed" : NULL;
}

/* The script can't tell a stopped engine from a forbidden one; the engine's client can. Without its
 * word: both lines about the group mean denied, the second alone that the user is in the group, and
 * so that the engine is down. */
static const char *code_of_denial(const Evidence *e) {
        if (e->code && (streq(e->code, "engine-down") || streq(e->code, "engine-denied")))
                return e->code;
        return e->not_in_group ? "engine-denied" : "engine-down";
}

static const char *code_of_message(const Evidence *e, int status) {
        if (!script_said_why(e, status))
                return e->code;
        return streq(e->script_code, "engine-denied") ? code_of_denial(e) : e->script_code;
}

/* NULL: the bare status is all there is, and the table knows what it means. */
static const char *code_of_status(const Evidence *e, int status, bool signalled) {
        if (signalled || status == 130 || status == 137 || status == 141 || status == 143)
                return "killed";
        if (status == 125)
                return "engine-run-failed";
        if (e->run_reached)
                return "run-failed";
        if (status == 126)
                return "not-runnable";
        if (status == 127)
                return "not-found";
        if (!e->run_watched)
                return "unexplained"; /* the script says why it ends with 2 to 5, so this may be the container */
        return status >= 2 && status <= 5 ? NULL : "script-failed";
}

static const char *detail_of(const Evidence *e, int status, EvidenceEnd end) {
        if (end != ENDED_ITSELF)
                return e->last;
        if (script_said_why(e, status))
                return e->script_message;
        return e->weight >= 2 ? e->message : e->last;
}

Observation evidence_conclude(const Evidence *e, int status, bool signalled, EvidenceEnd end) {
        const char *code = NULL;

        if (status == 0 && !signalled)
                return OBSERVATION_NONE;
        if (end == ENDED_BY_CLOCK)
                code = "timed-out";
        else if (end == ENDED_BY_REQUEST)
                code = "terminated";
        code = code ?: code_of_shim(e, status);
        code = code ?: (signalled ? "killed" : code_of_message(e, status));
        code = code ?: code_of_status(e, status, signalled);
        return observe(ORIGIN_INSTALLER, status, code, NULL, "%s", detail_of(e, status, end));
}
