/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The protection that belongs to the process and not to a single secret.
 *
 * Not dumpable: no core, no ptrace and no look into /proc/PID/{mem,environ} by the same user. The kernel
 * resets it at exec, so each of our programs does this first, before it reads anything. RLIMIT_CORE is the
 * second lock on the same door, and one that children inherit. The limits only ever get tighter, so
 * calling this twice does no harm.
 */

#include "base/secret.h"

#include <errno.h>
#include <jansson.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

int process_guard_secrets(void) {
        const struct rlimit no_core = { .rlim_cur = 0, .rlim_max = 0 };

        if (prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL) < 0)
                return -errno;
        if (setrlimit(RLIMIT_CORE, &no_core) < 0)
                return -errno;

        (void) umask(077);
        json_set_alloc_funcs(wiping_malloc, wiping_free);
        return 0;
}
