/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The parts of `ece-enroll token`. */

#include "cli/command.h"
#include "cli/platform-session.h"

/* Mints what the options ask for and prints it. The exit code. */
int command_token_create(PlatformSession *session, const Spec *spec, const CommonOptions *options);

/* What stands against it before anybody is asked: 0, or told and 64. */
int command_token_create_complain(const CommonOptions *options);
