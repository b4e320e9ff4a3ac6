/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The list of gates in status.json, in `ece-enroll status` and in `ece-enroll check`: the same value, the same words. */

#include "base/buffer.h"
#include "base/json.h"
#include "model/report.h"

/* [{"name","state":"open"|"shut"|"untried","found","reason","text","remedy","took_ms"}]; reason, text and remedy are ""
 * unless it is shut. NULL without memory. */
json_t *gates_to_json(const ReportGate gates[], size_t n);

/* One line for each gate, and below a shut one what to do; each begins with the margin. An append that does not fit is
 * dropped. */
void gates_write_lines(const json_t *gates, const char *margin, bool colour, Buffer *page);

/* Is one of them shut? */
bool gates_have_shut(const json_t *gates);
