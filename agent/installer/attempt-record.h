/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The attempt's record, attempt.json in the keeper's state directory: written and synced before an
 * installer is started and before its end is told. It outlives the acknowledgement, because a
 * container that is still there has to be recognised as ours. Never holds a token.
 */

#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "model/outcome.h"
#include "model/spec.h"

#define ATTEMPT_RECORD_NAME "attempt.json"

typedef enum RecordState {
        RECORD_NONE, /* no attempt yet */
        RECORD_RUNNING,
        RECORD_ENDED,
        RECORD_ACKNOWLEDGED,
} RecordState;

typedef struct AttemptRecord {
        RecordState state;
        char id[33];
        char runner_id[129];
        char boot_id[BOOT_ID_SIZE];
        usec_t started_realtime_us, started_boottime_us;
        pid_t pid;            /* 0: the keeper died between record and spawn, or just after */
        uint64_t start_ticks; /* of pid */
        HandOff handoff;
        bool run_reached;
        Observation outcome;  /* RECORD_ENDED */
} AttemptRecord;

/* 0 or negative errno; on failure the old record stands. */
int attempt_record_write(int dir_fd, const AttemptRecord *r);

/* 0; -ENOENT; -EBADMSG (not ours, or of another schema); read's errno; -ENOMEM. */
int attempt_record_read(int dir_fd, AttemptRecord *ret);

/* Decodes the text; pure. 0, -EBADMSG or -ENOMEM, which says nothing about the text. */
int attempt_record_decode(const char *text, size_t n, AttemptRecord *ret);
