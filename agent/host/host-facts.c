/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The facts of this host that the Plan depends on, gathered once and written down as plain values.
 *
 * Nothing is judged: a user that does not exist or a script that can't be read leaves its fields
 * empty, and the Plan says what that means. The only failure is memory.
 *
 * The script is opened once; its version and its digest come from the same open file, so that both
 * are of the same bytes. It is foreign: a fifo does not hang us, and something too large to be a
 * script is not read. Nobody may be able to change
 * it but those who may choose it: root, and the owner of the spec.
 */

#include "host/host-facts.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/guarded.h"
#include "base/text.h"
#include "host/address.h"

#define SCRIPT_SIZE_MAX (64 * 1024 * 1024) /* beyond this it is no shell script */
#define SCRIPT_HEAD_SIZE (256U * 1024U)    /* the version is looked for in here */
#define USER_RECORD_SIZE_MAX (64U * 1024U)

/* Copies a name that fits; one that does not is as good as none. */
static void copy_fact(char dst[static FACT_SIZE], const char *src) {
        size_t n = src ? strlen(src) : 0;

        if (n < FACT_SIZE && n > 0)
                (void) memcpy(dst, src, n + 1);
}

/* "/home/elastic/" is "/home/elastic": the allow-list wants one form. */
static void copy_directory(char dst[static FACT_SIZE], const char *src) {
        size_t n;

        copy_fact(dst, src);
        for (n = strlen(dst); n > 1 && dst[n - 1] == '/'; n--)
                dst[n - 1] = '\0';
}

static int gather_user(const char *name, HostFacts *facts) {
        _cleanup_free_ char *record = NULL;
        struct passwd user, *found = NULL;

        if (!name)
                return 0;
        record = malloc(USER_RECORD_SIZE_MAX);
        if (!record)
                return -ENOMEM;
        if (getpwnam_r(name, &user, record, USER_RECORD_SIZE_MAX, &found) != 0 || !found)
                return 0;
        facts->user_known = true;
        facts->uid = found->pw_uid;
        facts->gid = found->pw_gid;
        copy_fact(facts->user_name, found->pw_name);
        copy_directory(facts->home, found->pw_dir);
        return 0;
}

/* The first SCRIPT_HEAD_SIZE bytes, or what there is of them. */
static int read_head(int fd, char *head, size_t *ret_size) {
        size_t size = 0;

        while (size < SCRIPT_HEAD_SIZE) {
                ssize_t n = pread(fd, head + size, SCRIPT_HEAD_SIZE - size, (off_t) size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t) n;
        }
        /* A last line that is cut could show half a version. */
        if (size == SCRIPT_HEAD_SIZE)
                while (size > 0 && head[size - 1] != '\n')
                        size--;
        *ret_size = size;
        return 0;
}

static int gather_script(const Spec *spec, HostFacts *facts) {
        _cleanup_free_ char *head = NULL;
        _cleanup_close_ int fd = -1;
        char why[GUARDED_WHY_SIZE];
        struct stat st;
        size_t size = 0;

        if (!spec->installer.script)
                return 0;
        if (guarded_open(spec->installer.script, O_RDONLY, spec->owner, &fd, why) == -EPERM)
                (void) text_copy_printable(facts->script_objection, sizeof(facts->script_objection), why);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SCRIPT_SIZE_MAX)
                return 0;
        head = malloc(SCRIPT_HEAD_SIZE);
        if (!head)
                return -ENOMEM;
        if (read_head(fd, head, &size) < 0 || file_sha256(fd, facts->script_sha256) < 0) {
                facts->script_sha256[0] = '\0';
                return 0;
        }
        facts->script_executable = (st.st_mode & 0111) != 0;
        (void) script_version_find(head, size, facts->script_version);
        return 0;
}

static bool path_is(const char *path, mode_t type) {
        struct stat st;

        return path && stat(path, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

int host_facts_add_user(const Spec *spec, HostFacts *facts) {
        return gather_user(spec->installer.user, facts);
}

int host_facts_add_address(const Spec *spec, HostFacts *facts) {
        (void) address_default(facts->default_address);
        return 0;
}

int host_facts_add_script(const Spec *spec, HostFacts *facts) {
        return gather_script(spec, facts);
}

int host_facts_add_paths(const Spec *spec, HostFacts *facts) {
        facts->engine_socket_present = path_is(spec->installer.engine_socket, S_IFSOCK);
        facts->storage_present = path_is(spec->installer.storage_path, S_IFDIR);
        return 0;
}

int host_facts_gather(const Spec *spec, HostFacts *ret) {
        HostFacts facts = { 0 };
        int r;

        r = host_facts_add_user(spec, &facts);
        if (r >= 0)
                r = host_facts_add_address(spec, &facts);
        if (r >= 0)
                r = host_facts_add_script(spec, &facts);
        if (r >= 0)
                r = host_facts_add_paths(spec, &facts);
        if (r < 0)
                return r;
        *ret = facts;
        return 0;
}
