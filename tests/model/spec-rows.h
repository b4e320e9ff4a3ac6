/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Rows of specs with their problems, word for word as they are printed, place included; the file is
 * called "s". A row has exactly the problems it lists, so follow-up errors show up too.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../torture/scarce-memory.h"
#include "base/buffer.h"
#include "model/spec.h"

/* Lines 1 to 5 of most rows; what a row adds begins at line 6. */
#define HEAD "version: 1\ncoordinators: [https://192.0.2.10]\n"
#define CREDENTIAL "credential: {api_key: {from: credential, name: k}}\n"
#define HOST "host: {roles: [allocator]}\n"
#define INSTALLER "installer: {script: /opt/ece.sh}\n"
#define BASE HEAD CREDENTIAL HOST INSTALLER

/* One part is left out, so that the row can have its own at line 5. */
#define NO_HOST HEAD CREDENTIAL INSTALLER
#define NO_INSTALLER HEAD CREDENTIAL HOST
#define NO_CREDENTIAL HEAD HOST INSTALLER
#define NO_COORDINATORS "version: 1\n" CREDENTIAL HOST INSTALLER

#define SECRET_HINT "secrets do not belong in the spec; say where it is: {from: file, path: ...}"

typedef struct Row {
        const char *text;
        const char *problems;
} Row;

/* All problems as they are printed, one a line. */
static inline void problems_join(const Problems *problems, Buffer *ret) {
        for (size_t i = 0; i < problems->n; i++) {
                _cleanup_free_ char *line = problem_format(problems->items + i);
                assert_non_null(line);
                assert_return_code(buffer_append_format(ret, "%s%s", i > 0 ? "\n" : "", line), 0);
        }
}

static inline int row_parse(const void *subject) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;
        const Row *row = subject;

        int r = spec_parse("s", row->text, strlen(row->text), &problems, &spec);
        assert_int_equal(spec != NULL, r == 0);
        return r;
}

static inline void check_rows(const Row rows[], size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_problems_ Problems problems = { 0 };
                _cleanup_(spec_freep) Spec *spec = NULL;
                _cleanup_buffer_ Buffer got = BUFFER_INIT(65536);

                int r = spec_parse("s", rows[i].text, strlen(rows[i].text), &problems, &spec);
                problems_join(&problems, &got);
                if (strcmp(buffer_string(&got), rows[i].problems) != 0)
                        print_message("row %zu\n", i);
                assert_string_equal(buffer_string(&got), rows[i].problems);
                assert_int_equal(r, problems.n_errors > 0 ? -EINVAL : 0);
                assert_int_equal(spec == NULL, problems.n_errors > 0);
                assert_null(strstr(buffer_string(&got), "hunter2"));
                if (scarce_memory_in_force())
                        (void) scarce_torture(row_parse, rows + i, r);
        }
}

#define ROWS_TEST(name)                                            \
        static void test_##name(void **state) {                    \
                check_rows(name##_rows, ELEMENTS(name##_rows));    \
        }
