/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Items of the place where ECE keeps its data.
 *
 * XFS and its project quotas are wanted where Elasticsearch runs, which is on allocators; a host without that role is not
 * bothered. No fix formats anything: which device may be overwritten only a person knows, so the word DEVICE stands in
 * its place. Nothing fails.
 */

#include "host/preparation-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The options of the documented line of /etc/fstab. */
#define MOUNT_OPTIONS "defaults,nofail,x-systemd.automount,prjquota,pquota 0 2"

#define SIZE_LEAST       UINT64_C(10000000000)
#define SIZE_LEAST_PROXY UINT64_C(15000000000)

static bool is_missing(Advice *a, int error) {
        if (error == -ENOENT) {
                advice_untried(a, "not known before there is a storage path");
                return true;
        }
        return advice_unreadable(a, error);
}

static bool is_allocator(const Case *c) {
        return role_set_has(c->question->roles, ROLE_ALLOCATOR);
}

/* A command may hold what comes from the machine only where no shell can read more into it. */
static const char *pasteable(const char *text, const char *otherwise) {
        static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:";

        return text_consists_of(text, harmless) ? text : otherwise;
}

void judge_file_system(const Case *c, unsigned which, Advice *a) {
        const Mount *mount = &c->facts->storage_mount.mount;

        if (is_missing(a, c->facts->storage_mount.error))
                return;
        if (streq(mount->type, "xfs"))
                return advice_prepared(a, "xfs at %s", mount->point);
        if (!is_allocator(c))
                return advice_prepared(a, "%s at %s; this host is to be no allocator", mount->type,
                                       mount->point);
        advice_advised(a, "%s at %s", mount->type, mount->point);
        advice_fix(a, "With a device of its own for DEVICE: sudo mkfs.xfs DEVICE; in /etc/fstab: DEVICE "
                      "/mnt/data xfs " MOUNT_OPTIONS
                      "; then: sudo systemctl daemon-reload && sudo systemctl restart local-fs.target");
}

/* A root file system gets its options from the kernel's command line, rootflags= (the kernel's
 * admin-guide/kernel-parameters); another one can't be given a quota by a remount (xfs(5)). */
void judge_quota(const Case *c, unsigned which, Advice *a) {
        const Mount *mount = &c->facts->storage_mount.mount;
        const char *point = pasteable(mount->point, "/mnt/data");

        if (is_missing(a, c->facts->storage_mount.error))
                return;
        if (mount->project_quota)
                return advice_prepared(a, "prjquota at %s", mount->point);
        if (!is_allocator(c))
                return advice_prepared(a, "none; this host is to be no allocator");
        if (!streq(mount->type, "xfs"))
                return advice_untried(a, "not known before it is XFS");
        advice_advised(a, "no project quota at %s", mount->point);
        if (streq(mount->point, "/"))
                return advice_fix_command_line(c, a, "rootflags=prjquota");
        advice_fix(a, "In /etc/fstab: %s %s xfs " MOUNT_OPTIONS "; then: sudo umount %s && sudo mount %s",
                   pasteable(mount->device, "DEVICE"), point, point, point);
}

void judge_owner(const Case *c, unsigned which, Advice *a) {
        const PreparationQuestion *q = c->question;

        if (!q->user_known)
                return advice_untried(a, "not known before there is a user");
        if (is_missing(a, c->facts->storage.error))
                return;
        if (c->facts->storage.uid == q->uid && (c->facts->storage.mode & 0777) == 0700)
                return advice_prepared(a, "%s's, mode 700", q->user);
        advice_advised(a, "uid %u's, mode %o", (unsigned) c->facts->storage.uid,
                       (unsigned) c->facts->storage.mode);
        advice_fix(a, "sudo chown %s: %s && sudo chmod 700 %s", q->user, q->storage_path, q->storage_path);
}

void judge_size(const Case *c, unsigned which, Advice *a) {
        uint64_t least = role_set_has(c->question->roles, ROLE_PROXY) ? SIZE_LEAST_PROXY : SIZE_LEAST;
        double size = (double) c->facts->storage.size / 1e9;

        if (is_missing(a, c->facts->storage.error))
                return;
        if (c->facts->storage.size >= least)
                return advice_prepared(a, "%.1f GB", size);
        advice_advised(a, "%.1f GB", size);
        advice_fix(a, "Put %s on a file system of %u GB or more.", c->question->storage_path,
                   (unsigned) (least / 1000000000));
}
