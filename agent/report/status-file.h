/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* status.json and the `enrolled` mark in the runtime directory. */

#include "base/buffer.h"
#include "base/json.h"
#include "model/report.h"

#define STATUS_FILE "status.json"
#define ENROLLED_FILE "enrolled"

/* Replaces status.json (world-readable, atomic) and makes or removes `enrolled`, which exists exactly
 * while the state is ENROLLED. runtime_fd: the directory. 0 or negative errno; on failure the old files stay. */
int status_file_publish(int runtime_fd, const Report *report, usec_t now_realtime_us);

/*
 * Reads and parses it; text keeps the words, *ret is the caller's. The directory may belong to somebody with fewer rights
 * than we have, so no link is followed and nothing but a regular file is read. 0; -ENOENT: there is none; -EBADMSG: it is not
 * a status; another negative errno.
 */
int status_file_read(const char *runtime_dir, Buffer *text, json_t **ret);
