/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/host-identity.h"

/* Which host this is. What can't be read stays "". root: "" for the machine itself; else a directory in the place of /
 * (for tests). */
void host_identity_gather(const char *root, HostIdentity *ret);
