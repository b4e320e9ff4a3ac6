/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The first process of a machine with nothing else in it: its kernel's modules, the file systems of the
 * kernel, a serial line to whoever started it, and the disks.
 *
 * Nothing here may fail quietly: each step that goes wrong is said on the line (or, before there is one, on the
 * console) and switches the machine off, which its owner sees.
 */

#include "power-host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"

#define LINE "/dev/ttyS1"
#define MODULES "/modules"

static int line_in_fd = STDIN_FILENO, line_out_fd = STDOUT_FILENO;

static void line_write(const char *text, size_t n) {
        if (file_write_all(line_out_fd, text, n) < 0)
                _exit(EXIT_FAILURE); /* which is a panic, and the end, of a machine whose first process we are */
}

static void say(const char *format, va_list arguments) {
        char text[LINE_SIZE];
        int n = vsnprintf(text, sizeof(text) - 1, format, arguments);

        if (n < 0)
                n = 0;
        if ((size_t) n > sizeof(text) - 2)
                n = (int) sizeof(text) - 2;
        text[n] = '\n';
        line_write(text, (size_t) n + 1);
}

/* Before there is a line, standard output is the console. */
void line_say(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        say(format, arguments);
        va_end(arguments);
}

void power_off(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        say(format, arguments);
        va_end(arguments);
        if (getpid() == 1) {
                (void) tcdrain(line_out_fd);
                (void) reboot(RB_POWER_OFF);
        }
        _exit(EXIT_SUCCESS);
}

void line_hear(char ret[static LINE_SIZE]) {
        size_t n = 0;

        for (;;) {
                char c;

                if (read(line_in_fd, &c, 1) != 1)
                        power_off("bad the line is gone");
                if (c == '\n')
                        break;
                if (n < LINE_SIZE - 1)
                        ret[n++] = c;
        }
        ret[n] = '\0';
}

static void line_open(void) {
        int fd = open(LINE, O_RDWR | O_NOCTTY | O_CLOEXEC);
        struct termios settings;

        if (fd < 0 || tcgetattr(fd, &settings) < 0)
                power_off("bad no " LINE ": %s", strerror(errno));
        cfmakeraw(&settings);
        (void) cfsetspeed(&settings, B115200);
        if (tcsetattr(fd, TCSANOW, &settings) < 0)
                power_off("bad no raw " LINE ": %s", strerror(errno));
        line_in_fd = line_out_fd = fd;
}

static void mount_kernel(const char *type, const char *path) {
        (void) mkdir(path, 0755);
        /* The kernel may have mounted /dev by itself. */
        if (mount(type, path, type, 0, NULL) < 0 && errno != EBUSY)
                power_off("bad no %s: %s", path, strerror(errno));
}

/* In the order of the list, which their owner has sorted by what they need. */
static void modules_load(void) {
        _cleanup_buffer_ Buffer list = BUFFER_INIT(4096);

        if (file_read(MODULES "/list", &list) < 0)
                power_off("bad no list of modules");
        for (const char *name = buffer_string(&list); *name;) {
                size_t n = strcspn(name, "\n");
                _cleanup_close_ int fd = -1;
                char path[128];

                (void) snprintf(path, sizeof(path), MODULES "/%.*s", (int) n, name);
                fd = open(path, O_RDONLY | O_CLOEXEC);
                if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
                        power_off("bad no module %s: %s", path, strerror(errno));
                name += n + (name[n] == '\n');
        }
}

void power_begin(void) {
        mount_kernel("devtmpfs", "/dev");
        mount_kernel("proc", "/proc");
        mount_kernel("sysfs", "/sys");
        mount_kernel("tmpfs", "/run");
        line_open();
        modules_load();
        (void) mkdir(DISK_PATH, 0755);
}

const char *disk_mount(unsigned n, const char *file_system) {
        char device[16];

        (void) snprintf(device, sizeof(device), "/dev/vd%c", (char) ('a' + n));
        return mount(device, DISK_PATH, file_system, 0, NULL) < 0 ? strerror(errno) : NULL;
}

void disk_unmount(void) {
        if (umount(DISK_PATH) < 0)
                power_off("bad can't unmount: %s", strerror(errno));
}
