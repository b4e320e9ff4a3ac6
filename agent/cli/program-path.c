/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Programs of one build belong together: an ece-enroll that runs from a build tree must not start the
 * ece-installd of an installed package, nor the other way round. /proc/self/exe says where we are,
 * whatever PATH and argv[0] say.
 */

#include "cli/program-path.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

static int executable_in(const char *directory, const char *name, char *ret, size_t size) {
        int n = snprintf(ret, size, "%s/%s", directory, name);

        if (n < 0 || (size_t) n >= size)
                return -ENAMETOOLONG;
        return access(ret, X_OK) < 0 ? -ENOENT : 0;
}

int program_path(const char *name, const char *installed_dir, char *ret, size_t size) {
        char self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

        if (n > 0) {
                self[n] = 0;
                if (executable_in(dirname(self), name, ret, size) == 0)
                        return 0;
        }
        return executable_in(installed_dir, name, ret, size);
}
