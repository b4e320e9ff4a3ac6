/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* status.json and the `enrolled` mark in the runtime directory. */

#include "model/report.h"

#define STATUS_FILE "status.json"
#define ENROLLED_FILE "enrolled"

/* Replaces status.json (world-readable, atomic) and makes or removes `enrolled`, which exists exactly
 * while the state is ENROLLED. runtime_fd: the directory. 0 or negative errno; on failure the old files stay. */
int status_file_publish(int runtime_fd, const Report *report, usec_t now_realtime_us);
