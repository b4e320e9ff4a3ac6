/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The Report as JSON text: schema 1 of status.json, the public contract. Pure. */

#include "base/buffer.h"
#include "model/report.h"

#define STATUS_SIZE_MAX (64U * 1024U)

/* Appends the document and a newline. now: wall clock, for "written". 0, -EMSGSIZE, -ENOMEM. */
int status_json_write(const Report *report, usec_t now_realtime_us, Buffer *ret);
