/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* status.json told to a person: what `ece-enroll status` prints, and `run` at its end. Pure. */

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"

#define STATUS_TEXT_MAX (64U * 1024U)

/* Appends the page. Relative times are aged from "written" to now. Members that are missing are left out, so that a
 * status of an older or newer program is still shown. 0, -EMSGSIZE, -ENOMEM. */
int status_text_write(const json_t *status, usec_t now_realtime_us, bool colour, Buffer *ret);

/* RFC 3339 in UTC as status.json has it, to wall clock; 0 or -EINVAL. */
int status_parse_time(const char *text, usec_t *ret_realtime_us);
