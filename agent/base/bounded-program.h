/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Somebody else's program on a short rope: a credential's helper, a hook. No shell, an environment made from nothing, no
 * descriptor but the three, the root directory, a process group of its own, a bounded time and a bounded output.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/clock.h"

#define BOUNDED_PROGRAM_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Why it may have to end before its time. */
typedef struct BoundedProgramEnd {
        int fd; /* readable: asked() is called, which reads from it */
        bool (*asked)(void *userdata);
        void *userdata;
} BoundedProgramEnd;

typedef struct BoundedProgram {
        char *const *argv; /* absolute program first */
        char *const *envp;
        int stdin_fd;      /* read from its offset on; -1: /dev/null */
        Buffer *output;    /* what it prints, as long as it fits; NULL: /dev/null. Its complaints are dropped always */
        usec_t timeout_us;
        const BoundedProgramEnd *end; /* NULL: nothing ends it early */
} BoundedProgram;

/*
 * Runs it and waits. 0 and its wait status; -ETIME when it did not end in time and was killed; -ECANCELED when end->asked() said
 * so; -EMSGSIZE when it prints more than output takes; else why it could not be started or watched. Nothing of its process group
 * is left behind. Blocks; not for a thread that has an event loop to serve.
 */
int bounded_program_run(const BoundedProgram *program, int *ret_status);

/* "ended with exit status 3", "was ended by signal 9"; or what an error of bounded_program_run() means. Static or in buffer. */
#define BOUNDED_PROGRAM_WORDS_SIZE 64
const char *bounded_program_words(int error, int status, char buffer[static BOUNDED_PROGRAM_WORDS_SIZE]);
