/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The host's gates: what must hold on this host before a secret is spent. Each is named, checked without
 * side effects and cheap; a shut one is an Observation (ORIGIN_HOST, code = gate, or "user-missing") whose class
 * the table knows. In their order:
 *
 *   user            installer.user exists, uid and gid >= 1000
 *   script          installer.script can be read...
 *   script-sha256   ...is the one that installer.sha256 names, if it names one...
 *   script-version  ...and says its version
 *   engine-socket   installer.engine_socket is a socket and somebody listens
 *   group           the install user may use it
 *   engine-client   docker or podman-remote is on the PATH
 *   storage         installer.storage_path is a directory that the install user may read, write and enter
 *   disk-space      GATE_DISK_BYTES are free there
 *   address         host.host_ip, or an address of the default route
 *   ports           20000, 21000 and 22000 are free
 *
 * The engine is asked itself by installer/engine-gates.h, the network by enrolld/network-gates.h.
 * None takes longer than the file system or the user database makes it wait: gate-run.h bounds that.
 */

#include "model/facts.h"
#include "model/gate.h"
#include "model/plan.h"

/* A floor and no estimate: less than this can't even hold the bootstrap's logs, the databases that ZooKeeper
 * allocates ahead and the first configuration. What ECE really wants (tens to hundreds of GB, by role) it
 * checks itself, inside its container; to guess it here would refuse hosts that ECE accepts. */
#define GATE_DISK_BYTES (UINT64_C(1) << 30)

size_t host_gates_n(void);
const char *host_gate_name(size_t which);

/* Looks at one gate. What it needs to know of the host is gathered into facts, which begin zeroed and are
 * kept from gate to gate, in order. path: PATH in which the engine's client is looked for. */
Gate host_gate_check(size_t which, const Spec *spec, HostFacts *facts, const char *path);

/* All of them with facts that were gathered before. */
void host_gates_check(const Spec *spec, const HostFacts *facts, const char *path, Gates *ret);

/* The directories of an environment's PATH that are absolute and of allow-list characters, then
 * the system's own ones, no one twice. malloc()ed. */
char *installer_path_make(const char *path);

/* First executable regular file `name` in path; 0 or -ENOENT. */
int path_find(const char *path, const char *name, char *ret, size_t ret_size);
