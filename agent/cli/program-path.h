/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* The absolute path of a program that belongs to this one: beside the running executable (a build tree), else in
 * the directory it is installed to. 0, -ENOENT when it is in neither, -ENAMETOOLONG. */
int program_path(const char *name, const char *installed_dir, char *ret, size_t size);
