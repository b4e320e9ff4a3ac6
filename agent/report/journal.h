/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Journal records with stable message ids and structured fields; plain lines where there is no journal. */

#include "model/report.h"

/* One id for each kind of record, stable for ever (sd-id128(3)); the catalogue explains them. */
#define MESSAGE_ID_TRANSITION "68b785915ba84d7689813928857ad23a"
#define MESSAGE_ID_ENROLLED "118d6c2a4796437a9bfdda5966911005"
#define MESSAGE_ID_FAILED "35ef43049dd143538be4c3065e797773"
#define MESSAGE_ID_TROUBLE "e556adeaa3d14f33a85298a54d0d1bca"
#define MESSAGE_ID_INSTALLER_LINE "f9dfd4ba2ecd49fabc8cdf21ce535c83"

/* The enrollment entered a state; says why when there is a reason. What it does again and again is told less and less often
 * (report/repetition.h). */
void journal_transition(const Report *report);

/* Trouble without a change of state (a difference while verifying): once for each new reason. */
void journal_trouble(const Report *report);

/* A line that the installer printed, already bounded and redacted. */
void journal_installer_line(const char *line, const char *runner_id);
