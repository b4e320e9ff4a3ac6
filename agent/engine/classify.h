/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The classification: one table from what was observed to what it means.
 *
 * Each Reason has a stable id, a class, the exit code it ends a run with, a sentence and a remedy.
 * Each match row leads from (origin, number, code) to a Reason; the most specific row wins, and
 * each origin has a last row for what is unknown. What is unknown is transient with a bound: the
 * deadline (retry.give_up_after) for time, the windows (retry.windows) for tokens; verify.timeout for
 * what the platform's view lacks; the second refusal in a row for a secret. Only our own words about
 * spec and plan are final even when unknown: they come from reading a file, and waiting mends none.
 *
 * Class and exit code go together. The exits that a class may have stand in outcome_class_exits(),
 * and beyond that a test demands: 73 is for installers that are not tried again, or may not be until
 * a person has acted; 77 for secrets and rights, 76 for what the platform sees or grants; 75 is
 * what passes would have been spent on, and of the permanent ones only the loop breaker has it.
 *
 * `ece-enroll explain` prints this table, and ece-enroll-reasons(7) is made from it.
 */

#include "model/outcome.h"

typedef struct Reason {
        const char *id;
        OutcomeClass class;
        int exit_code;
        const char *sentence; /* what happened, without where and detail */
        const char *agent;    /* what the agent does about it */
        const char *remedy;   /* what a person does about it; "" when nothing is needed */
} Reason;

const Reason *reason_at(size_t n);               /* NULL after the last; sorted by id */
const Reason *reason_by_id(const char *id);      /* NULL when unknown */
const char *const *reason_ids(size_t *ret_n);    /* for suggestions */

/* A match row as data, for `explain`, the manual and the test that walks all of them. */
typedef struct ReasonMatch {
        Origin origin;
        int number;        /* exact, or one of the MATCH_ values */
        const char *code;  /* NULL: any */
        const char *reason;
} ReasonMatch;
#define MATCH_ANY (-1)
#define MATCH_3XX (-3) /* 300 to 399, and so on */
#define MATCH_4XX (-4)
#define MATCH_5XX (-5)
const ReasonMatch *reason_match_at(size_t n); /* NULL after the last */

/* "any", "4xx" or the number itself. Returns buffer. */
#define REASON_NUMBER_SIZE 16
const char *reason_match_number(const ReasonMatch *match, char buffer[static REASON_NUMBER_SIZE]);

/* "curl 7 (couldn't connect)", "ECE code root.unauthenticated". Returns buffer. */
#define REASON_WORDS_SIZE 160
const char *reason_match_words(const ReasonMatch *match, char buffer[static REASON_WORDS_SIZE]);

/* A class in one sentence, and the exit codes that its reasons may have, as "69, 75, 78". */
const char *outcome_class_meaning(OutcomeClass class);
const char *outcome_class_exits(OutcomeClass class);

/* The row that fits best; seen is not ORIGIN_NONE. */
const ReasonMatch *classify_match(const Observation *seen);

/* Pure and total: every observation has an Outcome; ORIGIN_NONE gives OUTCOME_OK. Text is
 * sentence + where + detail, bounded. A retry_after_us makes a transient class CLASS_THROTTLED. */
void classify(const Observation *seen, Outcome *ret);
