/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A keeper that starts and finds a record that says "running". Pid, start time and boot id together name the
 * process that was started then: if it is alive it is adopted, with its output, which waits in
 * pipes that the process itself keeps open (their read ends stand under fixed numbers in its
 * descriptor table). Its exit status can't be had any more, since it is not our child; that is said as "status-lost".
 *
 * A record without a pid means that the former keeper died around the spawn: the process, if there
 * is one, is found by the variable that marks its family.
 */

#include "installer/keeper-private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>

#include "base/file.h"
#include "base/text.h"
#include "installer/attempt-directory.h"
#include "installer/process.h"

#define SET_ASIDE ATTEMPT_RECORD_NAME ".unreadable"

/* Without a record we would not know our own installer, so one that can't be read just now ends us; who starts
 * us next reads it. */
static int load_record(Keeper *k) {
        AttemptRecord *r = &k->attempt.record;
        int error = attempt_record_read(k->state_fd, r);

        if (error >= 0)
                return 0;
        *r = (AttemptRecord) { .state = RECORD_NONE, .outcome = OBSERVATION_NONE };
        if (error == -ENOENT)
                return 0;
        if (file_error_passes(error))
                return error;
        keeper_notice(k, LOG_WARNING, "%s/%s can't be read and is set aside: %s", k->options.state_dir,
                      ATTEMPT_RECORD_NAME, strerror(-error));
        (void) renameat(k->state_fd, ATTEMPT_RECORD_NAME, k->state_fd, SET_ASIDE);
        return 0;
}

static bool same_boot(const AttemptRecord *r) {
        char boot_id[BOOT_ID_SIZE];

        return clock_boot_id(boot_id) >= 0 && streq(boot_id, r->boot_id);
}

/* Completes a record that was written before there was a pid. */
static void find_pid(AttemptRecord *r) {
        char pair[64];

        (void) snprintf(pair, sizeof(pair), SHIM_LABEL "=%s", r->id);
        r->pid = process_find_by_environment(pair);
        if (r->pid > 0 && process_start_ticks(r->pid, &r->start_ticks) < 0)
                r->pid = 0;
}

/* A descriptor for the recorded process, or -ESRCH. The start time is read after the pidfd holds
 * it. */
static int open_process(const AttemptRecord *r) {
        _cleanup_close_ int pidfd = -1;
        uint64_t start_ticks;

        if (r->pid <= 0)
                return -ESRCH;
        pidfd = (int) syscall(SYS_pidfd_open, r->pid, 0);
        if (pidfd < 0)
                return -errno;
        if (process_start_ticks(r->pid, &start_ticks) < 0 || start_ticks != r->start_ticks)
                return -ESRCH;
        return TAKE_FD(pidfd);
}

/* A new descriptor for a pipe that the process holds; -1 when it does not (any more). */
static int reopen_pipe(pid_t pid, int number) {
        _cleanup_close_ int fd = -1;
        char path[64];
        struct stat st;

        (void) snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int) pid, number);
        fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
                return -1;
        return TAKE_FD(fd);
}

static void adopt_running(Keeper *k) {
        AttemptRecord *r = &k->attempt.record;
        bool here = same_boot(r);
        int pidfd;

        if (here && r->pid == 0) {
                find_pid(r);
                (void) attempt_record_write(k->state_fd, r);
        }
        pidfd = here ? open_process(r) : -ESRCH;
        if (pidfd < 0)
                return attempt_lost(k);
        keeper_notice(k, LOG_NOTICE, "adopted the installer of attempt %s, pid %d", r->id, (int) r->pid);
        attempt_watch(k, true, pidfd, reopen_pipe(r->pid, CHILD_FD_OUTPUT_READ),
                      reopen_pipe(r->pid, CHILD_FD_ERRORS_READ), reopen_pipe(r->pid, CHILD_FD_NOTE_READ));
}

int keeper_adopt(Keeper *k) {
        int error = load_record(k);

        if (error < 0)
                return error;
        if (k->attempt.record.state == RECORD_RUNNING)
                adopt_running(k);
        attempt_directories_sweep(k->runtime_fd,
                                  k->attempt.record.state == RECORD_RUNNING ? k->attempt.record.id : "");
        return 0;
}
