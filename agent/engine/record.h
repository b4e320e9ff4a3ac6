/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Record: what the agent writes down before it touches the world, and finds again after a crash.
 * Holds no secret. Strictly decoded, and sealed by a digest over all of it, so that a bit that fell
 * over on the disk is noticed even where it gives a valid value; an unknown or damaged one is set
 * aside by the caller and the machine starts from the state that asks the world. */

#include "base/buffer.h"
#include "base/json.h"
#include "engine/machine.h"
#include "model/host-identity.h"
#include "model/token-listing.h"

#define RECORD_FILE "record.json"
#define RECORD_SIZE_MAX (64U * 1024U)
#define RECORD_HISTORY_MAX 20U

typedef struct Transition {
        usec_t at_realtime_us;
        State state;
        char reason[REASON_ID_SIZE]; /* "" without one */
        char text[160];              /* short form of the sentence */
} Transition;

typedef struct Record {
        Machine machine;              /* volatile members are not kept */
        char boot_id[BOOT_ID_SIZE];   /* under which its boottimes mean something */
        char spec_digest[65];         /* of the spec that it was written under; "" before the first */
        char runner_id[129];          /* "" until planned */
        RoleSet roles;
        char attempt_id[33];          /* of the last attempt handed to the keeper; "" before the first */
        usec_t verified_realtime_us;  /* 0: not verified */
        char token_id[TOKEN_ID_SIZE]; /* of the persistent token that is owed (machine.token_owed) */
        HostIdentity identity;       /* of the host that it was written on */
        bool credential_forgotten;    /* it was removed, or is about to be, because this host was verified */
        char reason[REASON_ID_SIZE];  /* last reason and text, for a status after a restart */
        char text[OUTCOME_TEXT_SIZE];
        size_t n_history;
        Transition history[RECORD_HISTORY_MAX]; /* oldest first */
} Record;

void record_add_transition(Record *record, const Transition *transition); /* drops the oldest when full */

int record_encode(const Record *record, Buffer *ret);

/* 0, -EBADMSG (damaged, foreign, out of range), -EPROTONOSUPPORT (whole, and of another schema: another
 * release wrote it), -ENOMEM. *ret untouched on failure. */
int record_decode(const char *text, size_t n, Record *ret);

/* The machine to start with: fresh and LOADING, carrying over what is still true. An enrollment
 * that had come to a final state is over; one that was under way goes on, with its windows,
 * its wall and its last trouble. Under another boot id the boottimes on record mean nothing any more, and no wall clock
 * is asked how long the host was off: what counts as spent is what had passed when the record was
 * last written. An installer that was pending stays so: PREFLIGHT finds out what became of it. The
 * token never survives. */
Machine record_resume(const Record *record, const char *boot_id, usec_t now_boottime_us);

/* The last trouble of the enrollment that is under way, as far as the record tells: if it ends by its wall
 * or for want of tokens, this was why. False: there was none. `seen` is not kept. */
bool record_last_trouble(const Record *record, Outcome *ret);

/* The machine to start with when there was a record and it can't be read: nobody knows what an earlier
 * agent has left running, so that is proved first. */
Machine record_lost(usec_t now_boottime_us);
