/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The installer's environment, made from nothing: about a dozen of the script's variables can be
 * preset by an innocent name that was inherited, so nothing is. Called by
 * installer_command_build() only. */

#include "model/plan.h"

/* 0 with a NULL-terminated list (word-list.h: words_free()); -EINVAL with refusal; -ENOMEM. */
int installer_environment_build(const Plan *plan, const char *path, char *const *extra, char ***ret,
                                Observation *refusal);
