/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What may stand behind the ':' of a line, one function for each subject. All complain on the line
 * itself and leave the cursor at its end when they are content. */

#include "scenario-line.h"
#include "scenario.h"

void read_coordinator(Line *l, CoordinatorRule *rule);
void read_installer(Line *l, InstallerRule *rule);
void read_runner(Line *l, RunnerRule *rule);
void read_host(Line *l, TroubleRule *rule);
void read_deed(Line *l, Deed *deed);
void read_platform(Line *l, Scenario *s);
void read_clause(Line *l, Clause *clause);
