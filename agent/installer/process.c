/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pid alone names nobody: numbers are used again. Pid, start time and boot id together do; and a
 * variable of our own in the environment marks the whole family of an attempt, since children
 * inherit it. What /proc does not let us read belongs to somebody else and is passed over.
 */

#include "installer/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define PROC_FILE_MAX (256U * 1024U)
#define STATE_FIELD 3
#define START_FIELD 22

/* Files of /proc say size 0 and so are read to their end, not by file_read(), which wants a regular
 * size. */
static int read_proc(pid_t pid, const char *name, Buffer *ret) {
        char path[64];
        _cleanup_close_ int fd = -1;

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : file_read_fd(fd, ret);
}

int process_stat_parse(const char *text, uint64_t *ret_start_ticks) {
        const char *field = strrchr(text, ')'); /* the name before it may hold anything, blanks and ')' too */
        char number[24];
        size_t n;

        if (!field || field[1] != ' ')
                return -EBADMSG;
        field += 2;
        if (*field == 'Z' || *field == 'X')
                return -ESRCH;
        for (int i = STATE_FIELD; i < START_FIELD; i++) {
                field = strchr(field, ' ');
                if (!field)
                        return -EBADMSG;
                field++;
        }
        n = strcspn(field, " \n");
        if (n >= sizeof(number))
                return -EBADMSG;
        (void) snprintf(number, sizeof(number), "%.*s", (int) n, field);
        return text_to_u64(number, UINT64_MAX, ret_start_ticks) < 0 ? -EBADMSG : 0;
}

int process_start_ticks(pid_t pid, uint64_t *ret) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(4096);

        if (pid <= 0 || read_proc(pid, "stat", &text) < 0)
                return -ESRCH;
        return process_stat_parse(buffer_string(&text), ret);
}

static bool has_pair(pid_t pid, const char *pair) {
        _cleanup_buffer_ Buffer environment = BUFFER_INIT(PROC_FILE_MAX);
        size_t n = strlen(pair);

        if (read_proc(pid, "environ", &environment) < 0 || environment.size <= n)
                return false;
        for (const char *entry = environment.data, *end = entry + environment.size; entry < end;
             entry += strnlen(entry, (size_t) (end - entry)) + 1)
                if ((size_t) (end - entry) > n && memcmp(entry, pair, n) == 0 && entry[n] == 0)
                        return true;
        return false;
}

#define PASSES_MAX 20
#define END_WAIT_MS 100

/* Calls visit for each process with the pair until it says stop. */
typedef bool (*ProcessVisitor)(pid_t pid, const char *pair, void *userdata);

static void for_each_with(const char *pair, ProcessVisitor visit, void *userdata) {
        DIR *proc = opendir("/proc");
        bool go_on = true;

        if (!proc)
                return;
        for (struct dirent *entry; go_on && (entry = readdir(proc));) {
                uint64_t number;

                if (text_to_u64(entry->d_name, INT32_MAX, &number) < 0 || (pid_t) number == getpid())
                        continue;
                if (has_pair((pid_t) number, pair))
                        go_on = visit((pid_t) number, pair, userdata);
        }
        (void) closedir(proc);
}

/* The pidfd holds the process; a second look at the pair proves that it is still the one that was
 * found. */
static bool kill_one(pid_t pid, const char *pair, void *userdata) {
        _cleanup_close_ int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        unsigned *n = userdata;

        if (pidfd >= 0 && has_pair(pid, pair) && syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0) {
                (*n)++;
                /* A moment for its end, or the next look would find it once more. */
                (void) poll(&(struct pollfd) { .fd = pidfd, .events = POLLIN }, 1, END_WAIT_MS);
        }
        return true;
}

/* In the middle of exec(2) a process has no environment for a moment, and one that forks is two behind our back: so it is looked
 * again until nobody is found. */
unsigned process_kill_by_environment(const char *pair) {
        unsigned total = 0, n = 1;

        for (unsigned pass = 0; n > 0 && pass < PASSES_MAX; pass++) {
                n = 0;
                for_each_with(pair, kill_one, &n);
                total += n;
        }
        return total;
}

typedef struct Oldest {
        pid_t pid;
        uint64_t start_ticks;
} Oldest;

static bool keep_oldest(pid_t pid, const char *pair, void *userdata) {
        Oldest *oldest = userdata;
        uint64_t start_ticks;

        if (process_start_ticks(pid, &start_ticks) < 0)
                return true;
        if (oldest->pid == 0 || start_ticks < oldest->start_ticks ||
            (start_ticks == oldest->start_ticks && pid < oldest->pid))
                *oldest = (Oldest) { pid, start_ticks };
        return true;
}

pid_t process_find_by_environment(const char *pair) {
        Oldest oldest = { 0 };

        for_each_with(pair, keep_oldest, &oldest);
        return oldest.pid;
}
