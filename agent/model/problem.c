/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Problems: the list of everything that is wrong with a spec.
 *
 * Whoever checks adds and goes on, so that one run tells all. The list is bounded: hostile input
 * makes `dropped` grow and nothing else. A warning never takes the room of an error, else a flood
 * of warnings would turn a broken spec into a good one. Only memory can fail here.
 */

#include "model/problem.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define PROBLEM_TEXT_SIZE 512

static void problem_done(Problem *p) {
        free(p->file);
        free(p->text);
        *p = (Problem) { 0 };
}

void problems_done(Problems *p) {
        for (size_t i = 0; i < p->n; i++)
                problem_done(p->items + i);
        free(p->items);
        *p = (Problems) { 0 };
}

/* The slot for one more problem, or NULL when the list is full. An error drives out the last
 * warning. */
static Problem *problem_slot(Problems *p, bool warning) {
        if (p->n < PROBLEMS_MAX)
                return p->items + p->n++;

        p->dropped++;
        if (warning)
                return NULL;
        for (size_t i = p->n; i-- > 0;)
                if (p->items[i].warning) {
                        problem_done(p->items + i);
                        return p->items + i;
                }
        return NULL;
}

int problem_add(Problems *p, bool warning, const Place *place, const char *format, ...) {
        _cleanup_free_ char *file = NULL, *text = NULL;
        char raw[PROBLEM_TEXT_SIZE], printable[PROBLEM_TEXT_SIZE];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(raw, sizeof(raw), format, ap);
        va_end(ap);

        file = strdup(place->file ? place->file : "");
        text = strdup(text_copy_printable(printable, sizeof(printable), raw));
        if (!p->items)
                p->items = calloc(PROBLEMS_MAX, sizeof(Problem));
        if (!file || !text || !p->items)
                return -ENOMEM;

        Problem *slot = problem_slot(p, warning);
        if (!slot)
                return 0;
        *slot = (Problem) {
                .file = TAKE_PTR(file),
                .line = place->line,
                .column = place->column,
                .text = TAKE_PTR(text),
                .warning = warning,
        };
        if (!warning)
                p->n_errors++;
        return 0;
}

static int problem_compare(const Problem *a, const Problem *b) {
        int c = strcmp(a->file, b->file);
        if (c != 0)
                return c;
        if (a->line != b->line)
                return a->line < b->line ? -1 : 1;
        if (a->column != b->column)
                return a->column < b->column ? -1 : 1;
        return 0;
}

/* Insertion sort: stable, which qsort() does not promise, and the list is short by construction. */
void problems_sort(Problems *p) {
        for (size_t i = 1; i < p->n; i++) {
                Problem moved = p->items[i];
                size_t at = i;

                for (; at > 0 && problem_compare(p->items + at - 1, &moved) > 0; at--)
                        p->items[at] = p->items[at - 1];
                p->items[at] = moved;
        }
}

char *problem_format(const Problem *p) {
        const char *mark = p->warning ? "warning: " : "";
        char *line = NULL;
        int r;

        if (p->line == 0)
                r = asprintf(&line, "%s: %s%s", p->file, mark, p->text);
        else
                r = asprintf(&line, "%s:%u:%u: %s%s", p->file, p->line, p->column, mark, p->text);
        return r < 0 ? NULL : line;
}
