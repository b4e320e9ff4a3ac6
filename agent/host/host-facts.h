/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Gathers HostFacts: addresses from the kernel's routing table (a connected UDP socket's own
 * address; no packet is sent), the install user from the user database, version line and SHA-256
 * of the script. */

#include "model/facts.h"
#include "model/spec.h"

/* 0; -ENOMEM. What is not there is left empty in the facts: the Plan judges. */
int host_facts_gather(const Spec *spec, HostFacts *ret);

/* The same in pieces: what each finds goes into facts, which the caller has zeroed. 0; -ENOMEM. Only
 * the last two touch a path of the spec, so only they can hang on a file system that does. */
int host_facts_add_user(const Spec *spec, HostFacts *facts);
int host_facts_add_address(const Spec *spec, HostFacts *facts);
int host_facts_add_script(const Spec *spec, HostFacts *facts);
int host_facts_add_paths(const Spec *spec, HostFacts *facts);

/* The value assigned to CLOUD_ENTERPRISE_VERSION in a script's text, only when it has the form
 * of a version and is a plain assignment (optionally readonly/declare/export/local, optionally
 * quoted, optionally "${CLOUD_ENTERPRISE_VERSION:-4.0.3}" style default). 0, -ENOENT. Pure; for
 * tests and fuzzing. */
int script_version_find(const char *text, size_t n, char ret[static 64]);

/* machine-id(5), 32 hex digits; falls back to the host name's hash. */
#define MACHINE_ID_SIZE 33
void host_machine_id(char ret[static MACHINE_ID_SIZE]);
