/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Checks on HostFacts that the Plan and the gates share, so that both say the same. Pure. Each
 * gives OBSERVATION_NONE or what is wrong. */

#include "model/facts.h"
#include "model/outcome.h"
#include "model/spec.h"

#define INSTALL_ID_MIN 1000U /* the installer refuses a smaller uid or gid */

Observation host_check_user(const Spec *spec, const HostFacts *host);           /* ORIGIN_HOST "user" */
Observation host_check_script(const Spec *spec, const HostFacts *host);         /* ORIGIN_HOST "script", "script-permissions" */
Observation host_check_script_sha256(const Spec *spec, const HostFacts *host);  /* ORIGIN_HOST "script-sha256" */
Observation host_check_script_version(const Spec *spec, const HostFacts *host); /* ORIGIN_PLAN "script-version-unknown" */
