/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Classification: which row of the table (reasons.c, reason-matches.c) fits an observation best.
 *
 * A code says more than a number: ECE answers 403 with two opposite meanings and 200 with errors,
 * and an installer's status 1 is the script's or the container's. So a code beats a number. Among
 * equals the exact number beats the range, the range beats "any". Each origin ends in a row that fits everything, so the function
 * is total; what is unknown is taken for something that passes or that a person may mend, and the
 * deadline bounds it.
 */

#include "engine/classify.h"

#include <assert.h>
#include <stdio.h>

#include "base/text.h"

/* Points for how well a row's code fits: -1 not at all, 0 the row does not ask. */
static int code_points(const char *wanted, const char *seen) {
        if (!wanted)
                return 0;
        return streq(wanted, seen) ? 1 : -1;
}

static int number_points(int wanted, int seen) {
        switch (wanted) {
        case MATCH_ANY:
                return 0;
        case MATCH_3XX:
        case MATCH_4XX:
        case MATCH_5XX:
                return seen / 100 == -wanted ? 1 : -1;
        }
        return seen == wanted ? 2 : -1;
}

const ReasonMatch *classify_match(const Observation *seen) {
        const ReasonMatch *best = NULL;
        int best_points = -1;

        for (size_t i = 0; reason_match_at(i); i++) {
                const ReasonMatch *row = reason_match_at(i);
                int code = code_points(row->code, seen->code);
                int number = number_points(row->number, seen->number);

                if (row->origin != seen->origin || code < 0 || number < 0)
                        continue;
                if (code * 3 + number > best_points) {
                        best_points = code * 3 + number;
                        best = row;
                }
        }
        assert(best); /* each origin but NONE has a row for everything */
        return best;
}

/* "SENTENCE (WHERE): DETAIL"; what an unknown code was stands in the text, or nobody could look
 * it up. */
static void write_text(const Reason *reason, const Observation *seen, bool unknown,
                       char ret[static OUTCOME_TEXT_SIZE]) {
        char text[2 * OUTCOME_TEXT_SIZE];

        (void) snprintf(text, sizeof(text), "%s%s%s%s%s%s%s%s%s", reason->sentence,
                        seen->where[0] ? " (" : "", seen->where, seen->where[0] ? ")" : "",
                        unknown && seen->code[0] ? " [" : "", unknown ? seen->code : "",
                        unknown && seen->code[0] ? "]" : "", seen->detail[0] ? ": " : "", seen->detail);
        (void) text_copy_printable(ret, OUTCOME_TEXT_SIZE, text);
}

void classify(const Observation *seen, Outcome *ret) {
        const ReasonMatch *match;
        const Reason *reason;

        *ret = OUTCOME_OK;
        ret->seen = *seen;
        if (observation_is_none(seen))
                return;

        match = classify_match(seen);
        reason = reason_by_id(match->reason);
        assert(reason);

        ret->class = reason->class;
        if (ret->class == CLASS_TRANSIENT && seen->retry_after_us > 0)
                ret->class = CLASS_THROTTLED;
        (void) text_copy_printable(ret->reason, sizeof(ret->reason), reason->id);
        write_text(reason, seen, !match->code, ret->text);
        ret->remedy = reason->remedy;
        ret->exit_code = reason->exit_code;
}
