/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A person's wish that the agent try again: a file in the state directory, written by `ece-enroll retry` and taken away by the
 * agent when it has done and told what SIGUSR1 makes it do. One that no agent has seen ends with the next one's start, which is a
 * try by itself.
 */

#include <stdbool.h>

#define RETRY_FILE "retry"

/* state_fd: the directory. 0 or negative errno. */
int retry_wish_write(int state_fd);
bool retry_wish_is_there(int state_fd);
int retry_wish_take(int state_fd); /* 1: it was there; 0; negative errno */
