/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The state and its reason in one line, as the service manager's STATUS= (sd_notify(3)) and the journal's message have it. */

#include "model/report.h"

#define STATUS_LINE_SIZE (OUTCOME_TEXT_SIZE + REASON_ID_SIZE + 32U)

/* "BACKOFF: the sentence [reason.id]", or the state alone. Returns ret. */
const char *status_line(const Report *report, char ret[static STATUS_LINE_SIZE]);
