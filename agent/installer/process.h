/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Processes by what /proc says of them: is this still the one that we started, and what is left of
 * its family? */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Start time in clock ticks since boot (field 22 of /proc/PID/stat): with the pid and the boot id
 * it names a process for good. 0; -ESRCH when there is none or only its zombie. */
int process_start_ticks(pid_t pid, uint64_t *ret);

/* Pure part of it, for tests: the text of a stat file. 0, -ESRCH for a zombie, -EBADMSG. */
int process_stat_parse(const char *text, uint64_t *ret_start_ticks);

/* Kills (SIGKILL, by pidfd) every process that has the variable NAME=VALUE in the environment it
 * was started with: a family that changed its process groups is found all the same. Returns how
 * many. Blocks for a moment, while they end. */
unsigned process_kill_by_environment(const char *pair);

/* The oldest process with that pair: the one that the others descend from. 0 when there is none. */
pid_t process_find_by_environment(const char *pair);
