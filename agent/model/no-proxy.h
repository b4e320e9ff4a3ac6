/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * no_proxy: which coordinators are reached without the proxy. Decided here and not by libcurl, whose rules have changed
 * from release to release (networks since 7.86, leading dots since 7.85).
 *
 *   ece.example.com   this name
 *   .example.com      every name below it
 *   192.0.2.10        this address, in any spelling; IPv6 without brackets
 *   192.0.2.0/24      every address in it
 *   *                 everything
 */

#include <stdbool.h>

#include "model/coordinator-url.h"

/* 0, or -EINVAL with a sentence. Pure. */
int no_proxy_check(const char *entry, char why[static URL_WHY_SIZE]);

/* Does one of the entries (NULL-terminated, may be NULL) cover the host of this canonical coordinator URL? Names are
 * compared as they are written: nothing is looked up. Pure. */
bool no_proxy_covers(char *const *entries, const char *coordinator_url);
