/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The hooks of a run in the foreground: `ece-enroll hooks` beside it, for as long as it takes (cli/command-hooks.c). */

#include <sys/types.h>

#include "cli/command.h"

/*
 * Starts it when the spec's directory of hooks has any for a run. Before the agent runs, and when the runtime directory is
 * there: what is in it by then is an earlier agent's, and no news. 0: there are none, or it could not be started, which is told on
 * standard error and stops nothing.
 */
pid_t hooks_launch(const CommonOptions *options);

/* When the agent has ended: waits until they have been told how. Where it has come to no end they are not told. */
void hooks_await(pid_t pid, const CommonOptions *options);
