/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Starts ece-installd for `ece-enroll run`, where no systemd holds its socket: the same program, the same
 * protocol, on a socket in the runtime directory, so that a later run finds a keeper which a killed one left behind. */

#include "enrolld/agent.h"

/* An AgentStartKeeper; userdata is not used. As root the keeper becomes installer.user by itself; as any other user it
 * can only be that user. none, or why there is no keeper. */
Observation keeper_launch(void *userdata, const Spec *spec, const char *socket_path);
