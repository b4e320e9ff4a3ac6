/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Problems: everything that is wrong with a spec, each with its place, all of them at once. */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

typedef struct Place {
        const char *file; /* borrowed from the Spec's file list or static */
        unsigned line;    /* from 1; 0: the file as a whole */
        unsigned column;  /* from 1, in bytes */
} Place;

typedef struct Problem {
        char *file;
        unsigned line, column;
        char *text; /* "unknown key 'role' in host; did you mean 'roles'?" */
        bool warning;
} Problem;

/* At most PROBLEMS_MAX are kept; `dropped` counts the rest, so hostile input can't make a flood. */
#define PROBLEMS_MAX 100

typedef struct Problems {
        Problem *items;
        size_t n;
        size_t n_errors; /* of them, those that are no warnings */
        size_t dropped;
} Problems;

void problems_done(Problems *p);
#define _cleanup_problems_ _cleanup_(problems_done)

/* 0 or -ENOMEM. Text is made printable. */
int problem_add(Problems *p, bool warning, const Place *place, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
#define problem_error(p, place, ...) problem_add((p), false, (place), __VA_ARGS__)
#define problem_warning(p, place, ...) problem_add((p), true, (place), __VA_ARGS__)

/* By file, line, column; stable. Called by spec_load() before it returns. */
void problems_sort(Problems *p);

/* "FILE:LINE:COL: text" (or "FILE: text" when line is 0; "... warning: text"), malloc()ed. NULL: no memory. */
char *problem_format(const Problem *p);
