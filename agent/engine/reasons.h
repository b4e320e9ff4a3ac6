/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The classification table as data, and the sentences that its rows share. Read it through
 * classify.h. */

#include "engine/classify.h"

#define REASONS_MAX 192

/* In this order they are sorted by id. */
extern const Reason reasons_of_platform[]; /* agent, coordinator, credential */
extern const size_t reasons_of_platform_n;
extern const Reason reasons_of_host[]; /* engine, host, installer, keeper */
extern const size_t reasons_of_host_n;
extern const Reason reasons_of_joining[]; /* plan, platform, spec, token, verify */
extern const size_t reasons_of_joining_n;

extern const ReasonMatch reason_matches[];
extern const size_t reason_matches_n;

/* What the agent does: one sentence for each way of dealing with trouble. */
#define RETRIES \
        "waits, longer each time, and tries again until the deadline (retry.give_up_after) or the " \
        "last token window (retry.windows)"
#define FAILS_OVER \
        "asks the other coordinators, then waits, longer each time up to retry.backoff.max, and tries again until the deadline"
#define HONOURS_WAIT \
        "waits as long as it was asked to, a little spread, then tries again until the " \
        "deadline"
#define WAITS_FOR_HOST \
        "checks again every few seconds until the host is ready or the deadline has come; " \
        "no token is spent meanwhile"
#define WAITS_FOR_OTHERS \
        "waits for its end and touches nothing; no installer of ours is started meanwhile"
#define WAITS_FOR_RECORD \
        "does nothing that must be on record before it happens, neither minting nor installing; " \
        "keeps reading, and tries to write again until the deadline"
#define ASKS_SLOWLY \
        "keeps asking at its slowest pace until the deadline: a person may mend it at any time"
#define READS_AGAIN \
        "pauses, reads the secret again and tries once more; stops at the second refusal in a row"
#define MINTS_ANEW \
        "drops the token and opens the next window with a new one"
#define WAITS_FOR_CLOCK \
        "waits for the clock to be set and tries again until the deadline; the check is never " \
        "skipped"
#define LOOKS_AGAIN \
        "keeps looking until verify.timeout is over, then stops"
#define WAITS_FOR_SPEC \
        "does nothing until the spec changes; 'ece-enroll run' ends"
#define ATTACHES_AGAIN \
        "connects again and asks what runs, until the deadline; starts nothing before it knows"
#define ENDS \
        "stops; nothing of it is left running ('ece-enrolld' leaves a running installer to its " \
        "keeper)"
#define STOPS \
        "stops at once and waits for a person or a changed spec"

/* How a person makes it begin again after FAILED, within a remedy. */
#define START_OVER \
        "start over ('ece-enroll retry', or 'ece-enroll run' once more)"

/* What nobody has told us of is taken for something that passes, and this is what bounds it. */
#define TAKES_FOR_PASSING \
        "takes what it does not know for something that passes: waits, longer each time, and tries " \
        "again; the deadline (retry.give_up_after) bounds it, and retry.windows what it costs in tokens"
