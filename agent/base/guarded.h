/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files that decide what we do: a spec, a script, a list of authorities. Whoever can change one, or put another in its
 * place, decides for us, so nobody may but root and one owner whom the caller names.
 */

#include <limits.h>
#include <sys/types.h>

#include "base/buffer.h"

#define GUARDED_WHY_SIZE (PATH_MAX + 128)

/*
 * Opens path when it and each directory and link on the way from / belongs to root or owner and nobody else may write to
 * it. flags: O_RDONLY, with O_DIRECTORY if need be, or with O_NOFOLLOW, with which a link at the end is -ELOOP. A sticky
 * directory of root (/tmp) may be on the way. What was looked at is what is opened. 0; -EPERM with a sentence that names
 * the place and what mends it; another errno of open(2), with an empty sentence.
 */
int guarded_open(const char *path, int flags, uid_t owner, int *ret_fd, char why[static GUARDED_WHY_SIZE]);

/* Opens and reads a regular file, and says whose it is (ret_owner may be NULL). As above, and as file_read(). */
int guarded_read(const char *path, uid_t owner, Buffer *b, uid_t *ret_owner, char why[static GUARDED_WHY_SIZE]);
