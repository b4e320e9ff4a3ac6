/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The first process of a virtual machine until its disk is there: loads the kernel's modules that the disk needs, mounts it
 * and becomes what lies there as /sbin/init. Nothing else is in the initial file system.
 *
 * When it fails it says on the console why and ends, which is a panic and, with panic=-1, the end of the machine.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"

#define MODULES "/modules"
#define DISK    "/dev/vda"
#define ROOT    "/root"

static void give_up(const char *what) {
        fprintf(stderr, "guest-init: %s: %s\n", what, strerror(errno));
        _exit(EXIT_FAILURE);
}

static void load(const char *name, size_t n) {
        _cleanup_close_ int fd = -1;
        char path[128];

        (void) snprintf(path, sizeof(path), MODULES "/%.*s", (int) n, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
                give_up(path);
}

/* In the order of the list, which their owner has sorted by what they need. */
static void load_modules(void) {
        _cleanup_buffer_ Buffer list = BUFFER_INIT(4096);

        if (file_read(MODULES "/list", &list) < 0)
                give_up(MODULES "/list");
        for (const char *name = buffer_string(&list); *name;) {
                size_t n = strcspn(name, "\n");

                load(name, n);
                name += n + (name[n] == '\n');
        }
}

/* systemd mounts what the kernel has to offer by itself; /dev is for finding the disk and for its console. */
static void go_to_disk(void) {
        (void) mkdir(ROOT, 0755);
        if (mount(DISK, ROOT, "ext4", 0, NULL) < 0)
                give_up(DISK);
        if (mount("/dev", ROOT "/dev", NULL, MS_MOVE, NULL) < 0)
                give_up("/dev");
        if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
                give_up(ROOT);
}

int main(void) {
        (void) mkdir("/dev", 0755);
        if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) < 0 && errno != EBUSY)
                give_up("/dev");
        load_modules();
        go_to_disk();
        (void) execl("/sbin/init", "/sbin/init", (char *) NULL);
        give_up("/sbin/init");
        return EXIT_FAILURE;
}
