/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The mark of a host that was told to leave: a file in the state directory. Without it the agent would see a host that is no member,
 * at its next start, and enroll it again. It stays over reboots until somebody enrolls the host on purpose:
 * `ece-enroll run`, or a retry.
 */

#include <stdbool.h>

#include "base/clock.h"

#define LEFT_FILE "left"

/* Synced to the disk before it returns. state_fd: the directory. 0 or negative errno. */
int left_mark_write(int state_fd, const char *runner_id, usec_t now_realtime_us);
bool left_mark_is_there(int state_fd);
int left_mark_remove(int state_fd); /* one that is not there is 0 */
