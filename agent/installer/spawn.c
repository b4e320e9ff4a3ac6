/* SPDX-License-Identifier: Apache-2.0 */

/*
 * posix_spawn(3) only: between fork and exec nothing of ours runs. The pidfd is opened after the
 * spawn without a race, because nobody but us can reap our child and so its pid can't be given to
 * another process.
 *
 * The umask is the one thing posix_spawn can't set; ours is 077 and would make an installation
 * whose files other users of the host can't read, so it is lent for the moment of the call (one
 * thread).
 */

#include "installer/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

static int add_files(posix_spawn_file_actions_t *files, const SpawnRequest *r) {
        int error;

        error = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY | O_CLOEXEC, 0);
        /* addopen moves the descriptor to 0 with dup2, which clears close-on-exec, unless it is 0
         * already; a dup2 onto itself clears it in that case (posix_spawn's own rule). */
        error = error ?: posix_spawn_file_actions_adddup2(files, STDIN_FILENO, STDIN_FILENO);
        error = error ?: posix_spawn_file_actions_adddup2(files, r->output, STDOUT_FILENO);
        error = error ?: posix_spawn_file_actions_adddup2(files, r->errors, STDERR_FILENO);
        for (size_t i = 0; i < r->n_fds; i++) {
                assert(r->fds[i].number >= SPAWN_FD_FIRST && r->fds[i].number < SPAWN_FD_END);
                error = error ?: posix_spawn_file_actions_adddup2(files, r->fds[i].fd, r->fds[i].number);
        }
        error = error ?: posix_spawn_file_actions_addclosefrom_np(files, SPAWN_FD_END);
        error = error ?: posix_spawn_file_actions_addchdir_np(files, r->directory);
        return -error;
}

static int set_attributes(posix_spawnattr_t *attributes) {
        sigset_t none, all;
        int error;

        (void) sigemptyset(&none);
        (void) sigfillset(&all);
        error = posix_spawnattr_setflags(attributes,
                                         POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        error = error ?: posix_spawnattr_setsigmask(attributes, &none);
        error = error ?: posix_spawnattr_setsigdefault(attributes, &all);
        return -error;
}

/* A source that has one of the numbers the child is to get would be overwritten before it is used.
 * */
static int check_sources(const SpawnRequest *r) {
        if (r->output <= STDERR_FILENO || r->errors <= STDERR_FILENO || r->output >= SPAWN_FD_FIRST ||
            r->errors >= SPAWN_FD_FIRST)
                return -EBADF;
        for (size_t i = 0; i < r->n_fds; i++)
                if (r->fds[i].fd <= STDERR_FILENO || r->fds[i].fd >= SPAWN_FD_FIRST)
                        return -EBADF;
        return 0;
}

static int spawn_with(const SpawnRequest *r, const posix_spawn_file_actions_t *files,
                      const posix_spawnattr_t *attributes, pid_t *ret_pid) {
        mode_t ours = umask(022);
        int error = posix_spawn(ret_pid, r->program, files, attributes, r->argv, r->envp);

        (void) umask(ours);
        return -error;
}

int spawn(const SpawnRequest *r, pid_t *ret_pid, int *ret_pidfd) {
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        pid_t pid;
        int error, pidfd;

        error = check_sources(r);
        if (error < 0)
                return error;
        if (posix_spawn_file_actions_init(&files) != 0)
                return -ENOMEM;
        if (posix_spawnattr_init(&attributes) != 0) {
                (void) posix_spawn_file_actions_destroy(&files);
                return -ENOMEM;
        }
        error = add_files(&files, r);
        if (error >= 0)
                error = set_attributes(&attributes);
        if (error >= 0)
                error = spawn_with(r, &files, &attributes, &pid);
        (void) posix_spawnattr_destroy(&attributes);
        (void) posix_spawn_file_actions_destroy(&files);
        if (error < 0)
                return error;

        pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (pidfd < 0) {
                error = -errno;
                (void) kill(-pid, SIGKILL); /* a child that can't be watched must not run */
                return error;
        }
        *ret_pid = pid;
        *ret_pidfd = pidfd; /* pidfd_open(2): close-on-exec always */
        return 0;
}
