/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A log record as one line of JSON by the Elastic Common Schema, as ECS loggers write it ("ECS Logging Reference"): @timestamp,
 * log.level and message first, in that order, which is what a person sees of a cut line. Our own fields ECE_ENROLL_STATE and
 * the like are ece_enroll.state.
 */

#include "base/clock.h"
#include "base/log.h"

typedef struct LogPlace {
        const char *file, *function;
        int line;
} LogPlace;

/* Puts the line and its line feed together, without a terminating NUL and without any memory of its own; fields that do not fit
 * are left out, and a message that does not is cut. Returns how many bytes there are. */
size_t log_ecs_line(usec_t now_realtime_us, int level, const char *identifier, const LogPlace *place, const LogField fields[],
                    size_t n_fields, const char *message, char *ret, size_t ret_size);
