/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The shim's one decision, apart from the process it is made in: what becomes of a client's
 * arguments? Pure. */

#include <stddef.h>

typedef enum ShimVerdict {
        SHIM_PASS,           /* not a `run`, and no placeholder: as it is */
        SHIM_REPLACED,       /* a `run` with exactly one placeholder: *ret_argv is to be used */
        SHIM_NO_PLACEHOLDER, /* a `run` with none or several, or one elsewhere: nothing may be started */
} ShimVerdict;

#define SHIM_ARGUMENTS_MAX 4096

/* What the shim puts into a `run`. */
typedef struct ShimWords {
        const char *placeholder; /* of this attempt */
        char *env_file, *label;
} ShimWords;

/* A `run` gets two more words for its label. replaced has room for argc + 4 pointers; its strings
 * are those of argv and words, none is copied. */
ShimVerdict shim_rewrite(int argc, char *argv[], const ShimWords *words, char *replaced[]);
