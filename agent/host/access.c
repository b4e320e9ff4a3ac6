/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The install user's rights.
 *
 * The keeper is that user and simply asks the kernel. `ece-enroll check` is usually run by root,
 * for whom everything is allowed and the kernel's answer is worthless; then owner, group and mode
 * are compared as the kernel would. That is an approximation (directories above the path are not
 * looked at), and it errs towards yes: a wrong no would stop an enrollment that works, a wrong yes
 * is found by the keeper.
 *
 * Failures are the answer itself, a negative errno.
 */

#include "host/access.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

#define GROUPS_MAX 256

bool access_is_known(const HostFacts *facts) {
        return facts->user_known && (geteuid() == facts->uid || geteuid() == 0);
}

bool user_has_group(const HostFacts *facts, gid_t wanted) {
        gid_t groups[GROUPS_MAX];
        int n = GROUPS_MAX;

        if (facts->gid == wanted)
                return true;
        if (getgrouplist(facts->user_name, facts->gid, groups, &n) < 0)
                return true; /* in more groups than we can hold: not for us to say no */
        for (int i = 0; i < n; i++)
                if (groups[i] == wanted)
                        return true;
        return false;
}

/* The three bits of the mode that apply to the user: owner's, group's or everybody's. */
static unsigned mode_bits_for(const HostFacts *facts, const struct stat *st) {
        if (st->st_uid == facts->uid)
                return (st->st_mode >> 6) & 7;
        if (user_has_group(facts, st->st_gid))
                return (st->st_mode >> 3) & 7;
        return st->st_mode & 7;
}

static int access_as_root(const HostFacts *facts, const char *path, int mode) {
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        if (((unsigned) mode & ~mode_bits_for(facts, &st)) == 0)
                return 0;
        return getxattr(path, "system.posix_acl_access", NULL, 0) > 0 ? 0 : -EACCES;
}

int access_for_user(const HostFacts *facts, const char *path, int mode) {
        if (facts->user_known && geteuid() == facts->uid)
                return faccessat(AT_FDCWD, path, mode, AT_EACCESS) < 0 ? -errno : 0;
        if (access_is_known(facts))
                return access_as_root(facts, path, mode);
        return faccessat(AT_FDCWD, path, F_OK, 0) < 0 ? -errno : 0;
}

int unix_socket_probe(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        (void) memcpy(address.sun_path, path, strlen(path) + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) == 0)
                return 0;
        return errno == EAGAIN ? 0 : -errno; /* EAGAIN: its queue is full, so somebody is there */
}
