/* SPDX-License-Identifier: Apache-2.0 */

/*
 * "Did you mean ...?": the known word that is nearest to what was typed.
 *
 * Nearness is the number of slips of the finger between the two: a character too many, one too few, a wrong
 * one, or two neighbours swapped (the optimal string alignment distance). Three rows of the usual table
 * are enough and their width is fixed: a word longer than that is nobody's misspelling of a key.
 */

#include "base/text.h"

#include <assert.h>

#define WORD_LENGTH_MAX 63U

typedef unsigned DistanceRow[WORD_LENGTH_MAX + 1];

static unsigned minimum(unsigned a, unsigned b) {
        return a < b ? a : b;
}

/* Fills `row` for the first i characters of a, from the rows of i - 1 and i - 2 characters. */
static void next_row(DistanceRow row, const DistanceRow last, const DistanceRow before_last, const char *a,
                     size_t i, const char *b, size_t b_length) {
        row[0] = (unsigned) i;
        for (size_t j = 1; j <= b_length; j++) {
                unsigned substitution = last[j - 1] + (a[i - 1] != b[j - 1]);

                row[j] = minimum(substitution, minimum(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                        row[j] = minimum(row[j], before_last[j - 2] + 1);
        }
}

static unsigned edit_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
        DistanceRow rows[3];

        for (size_t j = 0; j <= b_length; j++)
                rows[0][j] = (unsigned) j;
        for (size_t i = 1; i <= a_length; i++)
                next_row(rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3], a, i, b, b_length);

        return rows[a_length % 3][b_length];
}

const char *text_suggest(const char *typed, const char *const words[], size_t n_words) {
        const char *best = NULL;
        unsigned best_distance = 0;
        size_t typed_length;

        assert(typed);

        typed_length = strlen(typed);
        if (typed_length > WORD_LENGTH_MAX)
                return NULL;

        for (size_t i = 0; i < n_words; i++) {
                size_t word_length = strlen(words[i]);
                size_t longer = typed_length > word_length ? typed_length : word_length;
                size_t limit = longer / 3 > 0 ? longer / 3 : 1;
                unsigned distance;

                if (word_length > WORD_LENGTH_MAX)
                        continue;

                /* As far away as the word is long means that the two have nothing in common. */
                distance = edit_distance(typed, typed_length, words[i], word_length);
                if (distance > limit || distance >= longer)
                        continue;
                if (!best || distance < best_distance) {
                        best = words[i];
                        best_distance = distance;
                }
        }
        return best;
}
