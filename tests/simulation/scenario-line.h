/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One line of a scenario as words, and a cursor that walks over them. A pair of quotes makes one
 * word; ':' and ',' are words of their own. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "model/role.h"

#define WORDS_MAX 40U
#define WORD_SIZE 160U

typedef struct Line {
        const char *file;
        unsigned number;
        char word[WORDS_MAX][WORD_SIZE];
        size_t n, at;
        bool failed; /* something was refused, and said */
} Line;

/* False when the line can't be split (told). Comments are gone; an empty line has no words. */
bool line_split(Line *l, const char *text);

/* The first complaint about a line is printed, the others are consequences. Returns false. */
bool line_refuse(Line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool line_ended(const Line *l);
const char *line_peek(const Line *l); /* "" at the end */

/* Steps over these words, "is a black hole", when they come next. */
bool line_skip(Line *l, const char *words);

/* The next word, as what it must be; complains and returns something harmless otherwise. */
const char *line_word(Line *l);
unsigned line_number(Line *l);
usec_t line_duration(Line *l);
RoleSet line_roles(Line *l); /* "allocator" or "allocator proxy" */
void line_copy(Line *l, char *ret, size_t size);
