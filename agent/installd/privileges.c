/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Dropping privileges in the one order that works: groups while we may still set them, then the
 * gid, then the uid, all three of each (real, effective, saved). Leaving uid 0 empties the
 * capability sets; then it is tried to become root again, and success of that is the failure of all
 * this.
 */

#include "installd/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool back_to_root_possible(void) {
        return setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setegid(0) == 0;
}

static bool ids_are(uid_t uid, gid_t gid) {
        uid_t ruid, euid, suid;
        gid_t rgid, egid, sgid;

        return getresuid(&ruid, &euid, &suid) == 0 && ruid == uid && euid == uid && suid == uid &&
               getresgid(&rgid, &egid, &sgid) == 0 && rgid == gid && egid == gid && sgid == gid;
}

int privileges_drop(const char *user) {
        const struct passwd *entry;
        uid_t uid;
        gid_t gid;

        if (geteuid() != 0 && getuid() != 0)
                return 0;
        errno = 0;
        entry = getpwnam(user);
        if (!entry)
                return errno ? -errno : -ESRCH;
        uid = entry->pw_uid;
        gid = entry->pw_gid;
        if (uid < INSTALL_ID_MIN || gid < INSTALL_ID_MIN)
                return -EPERM;
        if (initgroups(user, gid) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
                return -errno;
        if (!ids_are(uid, gid) || back_to_root_possible())
                return -ENOTRECOVERABLE;
        /* A change of ids sets this flag to what fs.suid_dumpable says. */
        return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}
