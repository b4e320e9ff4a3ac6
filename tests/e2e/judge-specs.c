/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Judges specs by the hundred, for test_schema.py: standard input has for each its size as a line and then its bytes, standard output
 * has for each its errors, one a line, and a line "end". It parses as the programs do, from memory.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "model/problem.h"
#include "model/spec.h"

static int judge(const char *text, size_t n) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;
        int r = spec_parse("s", text, n, &problems, &spec);

        if (r < 0 && r != -EINVAL)
                return r;
        for (size_t i = 0; i < problems.n; i++) {
                _cleanup_free_ char *line = problem_format(problems.items + i);

                if (!line)
                        return -ENOMEM;
                if (!problems.items[i].warning)
                        puts(line);
        }
        puts("end");
        return 0;
}

int main(void) {
        char line[32];

        while (fgets(line, sizeof(line), stdin)) {
                _cleanup_free_ char *text = NULL;
                uint64_t n;

                line[strcspn(line, "\n")] = '\0';
                if (text_to_u64(line, INT32_MAX, &n) < 0)
                        return EXIT_FAILURE;
                text = malloc(n + 1);
                if (!text || fread(text, 1, n, stdin) != n || judge(text, n) < 0)
                        return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
