/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The reasons: everything that can stand between a host and its enrollment, as one table.
 *
 * Each row is read by the state machine (class), by scripts (id, exit code) and by a person at
 * three in the morning (sentence, what the agent does about it, what to do). The ids are public and
 * never change their meaning. The rows stand in three files, which are the table's parts in its
 * order; how an observation finds its row is in reason-matches.c. A test holds order, form, classes
 * and exit codes together. Pure data; nothing can fail.
 */

#include "engine/reasons.h"

#include <assert.h>

#include "base/cleanup.h"
#include "base/text.h"

/* The part that holds row *n, which becomes its place in there; NULL after the last. */
static const Reason *part_of(size_t *n) {
        const struct {
                const Reason *rows;
                size_t n;
        } parts[] = {
                { reasons_of_platform, reasons_of_platform_n },
                { reasons_of_host, reasons_of_host_n },
                { reasons_of_joining, reasons_of_joining_n },
        };

        for (size_t i = 0; i < ELEMENTS(parts); i++) {
                if (*n < parts[i].n)
                        return parts[i].rows;
                *n -= parts[i].n;
        }
        return NULL;
}

const Reason *reason_at(size_t n) {
        const Reason *rows = part_of(&n);

        return rows ? &rows[n] : NULL;
}

const Reason *reason_by_id(const char *id) {
        const Reason *r;

        for (size_t i = 0; (r = reason_at(i)); i++)
                if (streq(r->id, id))
                        return r;
        return NULL;
}

const char *const *reason_ids(size_t *ret_n) {
        static const char *ids[REASONS_MAX];
        const Reason *r;
        size_t n = 0;

        for (; (r = reason_at(n)); n++) {
                assert(n < REASONS_MAX);
                ids[n] = r->id;
        }
        *ret_n = n;
        return ids;
}

const ReasonMatch *reason_match_at(size_t n) {
        return n < reason_matches_n ? &reason_matches[n] : NULL;
}
