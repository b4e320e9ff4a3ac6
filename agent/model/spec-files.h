/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The files of a spec: the main one and its drop-ins, by name and by content. */

#include <sys/types.h>

#include "base/buffer.h"
#include "model/spec.h"

#define SPEC_FILES_MAX (1U + SPEC_DROP_INS_MAX)

typedef struct SpecFiles {
        char **names; /* NULL-terminated, SPEC_FILES_MAX at most; the main file first */
        size_t n;
        Buffer text[SPEC_FILES_MAX];
        bool unreadable[SPEC_FILES_MAX]; /* a problem says why */
        uid_t owner; /* of the main file */
        bool incomplete; /* a drop-in could not be taken in at all */
} SpecFiles;

void spec_files_done(SpecFiles *files);

/* Names and content. 0 (problems may have errors), -ENOENT when there is no main file, -ENOMEM, or
 * what the machine said. */
int spec_files_read(const char *path, Problems *problems, SpecFiles *files);

/* One file from memory. */
int spec_files_take(const char *name, const char *text, size_t n, Problems *problems,
                    SpecFiles *files);
