/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One file, three programs: ece-enroll, and its links ece-enrolld and ece-installd. They share most of their code, so three
 * files would hold it three times, on disk and in memory. The name by which it was called says which of them this process is,
 * and from there on it is no other: none of them calls into another, and who starts another one does it by exec. A name that is
 * none of these is the command's, which does nothing by itself.
 *
 * This is the only room that knows all three; they don't know each other (HACKING.md, "Rooms").
 */

#include <string.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/main.h"
#include "enrolld/main.h"
#include "installd/main.h"

typedef struct Program {
        const char *name;
        int (*main)(int argc, char *argv[]);
} Program;

static const Program programs[] = {
        { "ece-enroll", enroll_main },
        { "ece-enrolld", enrolld_main },
        { "ece-installd", installd_main },
};

/* argv[0] without its path, and without the dash of a login. A caller may leave it out; kernels before 5.18 let that pass. */
static const char *name_called(const char *argument) {
        const char *slash = argument ? strrchr(argument, '/') : NULL;
        const char *name = slash ? slash + 1 : argument ?: "";

        return name[0] == '-' ? name + 1 : name;
}

static const Program *program_called(const char *name) {
        for (size_t i = 1; i < ELEMENTS(programs); i++)
                if (streq(programs[i].name, name))
                        return programs + i;
        return programs;
}

int main(int argc, char *argv[]) {
        const Program *program = program_called(name_called(argv[0]));

        /* As the kernel itself does, unless the file was opened before and is run by its descriptor: what ps and the journal say must
         * not hang on how somebody starts us. */
        (void) prctl(PR_SET_NAME, program->name);
        return program->main(argc, argv);
}
