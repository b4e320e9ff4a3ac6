/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From root to the install user, for good. */

/* Smallest uid and gid that ECE's installer accepts. */
#define INSTALL_ID_MIN 1000

/* Nothing to do, and 0, when we are not root. Else takes the user's ids and supplementary groups,
 * and proves that there is no way back. -ESRCH: no such user; -EPERM: its uid or gid is below
 * INSTALL_ID_MIN; -ENOTRECOVERABLE: root could be had again; otherwise negative errno. A caller
 * that gets any of these must not go on. */
int privileges_drop(const char *user);
