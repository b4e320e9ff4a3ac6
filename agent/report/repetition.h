/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What goes round and round, counted, so that a log can say less of it the longer it lasts. */

#include <stdbool.h>

#include "model/report.h"

#define REPETITION_ITEMS 24U

typedef struct Repetition {
        struct {
                char state[16];
                char reason[REASON_ID_SIZE];
                unsigned n;
        } items[REPETITION_ITEMS];
        unsigned n_items;
} Repetition;

/* The state that the report tells was entered: how often that was so with this reason since the last news, this time included. News
 * is what begins something (a spec that was read, an installer) and what ends it (a verdict). */
unsigned repetition_count(Repetition *repetition, const Report *report);

/* The 1st, 2nd, 4th, 8th time and so on: a dozen lines for what happens each minute for two days. */
bool repetition_is_told(unsigned n);

/* Is it the same sentence but for its numbers? The time of day, or how much is free, is another one at each look, and no news. */
bool repetition_is_same_text(const char *a, const char *b);
