/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Evidence: what the installer's exit status can't say by itself.
 *
 * Statuses 1 to 5 are ambiguous: the script's own, or those of the container that it ends with.
 * What tells them apart is collected while the lines pass (already redacted): which known message
 * was seen, and whether the container was reached. Pure; the caller brings lines and notes, and
 * asks at the end.
 *
 * Codes of ORIGIN_INSTALLER, number = exit status (128 + N when killed by signal N):
 *
 *   before the container
 *     bad-arguments       the script does not know an option or command that we pass
 *     script-too-old      asked for a version newer than the script
 *     engine-socket       the engine's socket is not there
 *     engine-down         the engine does not answer (its socket may be there)
 *     engine-denied       the install user may not use the engine (or it is down: see engine-down)
 *     user-ids            uid or gid below 1000
 *     firewalld           firewalld is active and this script refuses it
 *     os-unsupported      the script's table of operating systems and engines
 *     storage-permissions the storage path can't be read or written
 *     host-ip             the script looked for an address itself and found none
 *     not-runnable, not-found   126, 127
 *     script-failed       nothing of the above was seen, and the status says nothing by itself
 *     (none)              the same, and the status is 2 to 5: the table knows what it means bare
 *   at the container
 *     name-conflict       a container of the installer's name is there already
 *     port-in-use         20000, 21000 or 22000 is taken
 *     pull-failed         the image can't be had
 *     engine-run-failed   125, and none of the above
 *     handoff-failed      97: the shim did not find exactly one placeholder
 *     shim-failed         98: the shim itself failed
 *     disk-full           a file system has no room, whoever it was that noticed
 *   in the container
 *     installation-failed the installer's failure banner was seen
 *     run-failed          it ended with that status and said nothing known
 *   before or in the container, nobody can tell (handoff: argv has no shim)
 *     unexplained         nothing known was seen
 *   the end itself
 *     timed-out           ended by the keeper's own clock
 *     terminated          ended because the agent asked for it
 *     killed              ended by a signal that was not ours
 *     status-lost         ended while no keeper was there to see it: number is -1
 */

#include <stdbool.h>

#include "installer/protocol.h"
#include "model/outcome.h"

typedef struct Evidence {
        bool run_reached;   /* the shim says so, or a line that only the container's end of it prints */
        bool run_watched;   /* the shim is there and would say so; without it nobody knows */
        bool not_in_group;  /* the yellow line about the group was seen */
        const char *script_code; /* of the script's last message that is known; NULL */
        int script_status;       /* with which the script ends after it */
        char script_message[LINE_TEXT_MAX + 1];
        const char *code;   /* of the engine's weightiest message so far; NULL */
        int weight;
        char message[LINE_TEXT_MAX + 1]; /* that message */
        char last[LINE_TEXT_MAX + 1];    /* the last line that says anything */
} Evidence;

/* Who ended it, if it did not end by itself. */
typedef enum EvidenceEnd { ENDED_ITSELF, ENDED_BY_CLOCK, ENDED_BY_REQUEST } EvidenceEnd;

void evidence_line(Evidence *e, const char *line);

/* The name of the stage that a line announces ("os-verified", "pulling"...), or NULL. */
const char *evidence_stage(const char *line);

/* status as waitid(2) tells it, folded: 0 to 255, or 128 + signal with signalled. None for status
 * 0, whoever asked for the end: what ended well ended well. */
Observation evidence_conclude(const Evidence *e, int status, bool signalled, EvidenceEnd end);
