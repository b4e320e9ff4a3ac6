/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whom a command is about: this host, as its spec and its facts name it, or a runner that was named on the command line. */

#include "cli/command.h"

typedef struct ThisRunner {
        char id[129];
        char host_ip[64]; /* "": named on the command line, so nobody has said which address it has */
} ThisRunner;

/* 0, or the exit code of what stands against it, told. */
int this_runner(const Spec *spec, const CommonOptions *options, ThisRunner *ret);
