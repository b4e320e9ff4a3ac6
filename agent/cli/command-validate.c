/* SPDX-License-Identifier: Apache-2.0 */

/* ece-enroll validate: the spec and its drop-ins, all problems at once; contacts nothing and nobody. */

#include <stdio.h>

#include "cli/command.h"
#include "cli/man-text.h"
#include "model/plan.h"

int command_validate(const CommonOptions *options) {
        const char *path = options->argument ?: options->spec_path;
        _cleanup_(spec_freep) Spec *spec = NULL;
        int code;

        if (options->man) {
                man_keys();
                return EXIT_DONE;
        }
        code = command_load_spec(path, &spec);
        if (code != EXIT_DONE)
                return code;
        printf("%s: valid\n", path);
        return EXIT_DONE;
}
