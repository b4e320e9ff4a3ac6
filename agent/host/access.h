/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the install user may do on this host, asked by whoever runs. */

#include <stdbool.h>

#include "model/facts.h"

/*
 * May the install user use path in this mode (R_OK, W_OK, X_OK)? 0 or negative errno (-EACCES,
 * -ENOENT...). As that user: the kernel's own answer. As root: by owner, groups and mode of path
 * itself; an access control list counts as yes. As anybody else it can't be known: 0 if it is
 * there.
 */
int access_for_user(const HostFacts *facts, const char *path, int mode);

/* Has the install user this group, by the user database? As long as nobody knows, yes. */
bool user_has_group(const HostFacts *facts, gid_t wanted);

/* Can this process speak for the install user at all: is it that user, or root? */
bool access_is_known(const HostFacts *facts);

/* Does somebody listen on the unix socket at path? 0, or connect's negative errno. Never blocks,
 * says nothing. */
int unix_socket_probe(const char *path);
