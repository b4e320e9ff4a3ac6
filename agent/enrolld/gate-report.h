/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A gate as people see it: what was seen, judged. Pure. */

#include "model/report.h"

void gate_report(const Gate *gate, ReportGate *ret);
