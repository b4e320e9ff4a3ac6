/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Running a program that is not ours and can't be trusted to end.
 *
 * The end of the output and the end of the process are two events: a grandchild may hold the pipe
 * open, or the program may close it and go on. We wait for the process (by pidfd), collect what it
 * printed, and then kill what is left of the group while the zombie still holds its number, so that
 * no other group can be hit. Its complaints are dropped because nobody can say what a foreign tool
 * prints beside a secret.
 *
 * What may fail: the start, and everything that the program does; all of it is told by an errno, none of it leaves
 * something running.
 */

#include "base/bounded-program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/secret.h"

/* A mask and handlers as a fresh program expects them: it must be stoppable even if we block
 * signals. */
static int attributes_set(posix_spawnattr_t *attributes) {
        sigset_t none, all;
        int r;

        (void) sigemptyset(&none);
        (void) sigfillset(&all);
        r = posix_spawnattr_setflags(attributes,
                                     POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
                r = posix_spawnattr_setpgroup(attributes, 0);
        if (r == 0)
                r = posix_spawnattr_setsigmask(attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(attributes, &all);
        return -r;
}

static int actions_set(posix_spawn_file_actions_t *actions, int in, int out) {
        int r = in >= 0 ? posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO)
                        : posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

        if (r == 0)
                r = out >= 0 ? posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO)
                             : posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
        if (r == 0)
                r = posix_spawn_file_actions_addchdir_np(actions, "/");
        return -r;
}

static int spawn(const BoundedProgram *program, int out, pid_t *ret) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;

        int r = -posix_spawnattr_init(&attributes);
        if (r < 0)
                return r;
        r = -posix_spawn_file_actions_init(&actions);
        if (r < 0) {
                (void) posix_spawnattr_destroy(&attributes);
                return r;
        }
        r = attributes_set(&attributes);
        if (r == 0)
                r = actions_set(&actions, program->stdin_fd, out);
        if (r == 0)
                r = -posix_spawn(ret, program->argv[0], &actions, &attributes, program->argv, program->envp);
        (void) posix_spawn_file_actions_destroy(&actions);
        (void) posix_spawnattr_destroy(&attributes);
        return r;
}

/* Moves what is in the pipe into b. 0 when there is no more for now, 1 at its end, -EMSGSIZE,
 * -ENOMEM, -errno. */
static int pipe_drain(int fd, Buffer *b) {
        char chunk[4096];
        int r = 0;

        while (r == 0) {
                ssize_t n = read(fd, chunk, sizeof(chunk));
                if (n == 0) {
                        r = 1;
                        break;
                }
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        r = errno == EAGAIN ? 0 : -errno;
                        break;
                }
                r = buffer_append(b, chunk, (size_t) n);
        }
        secret_wipe(chunk, sizeof(chunk));
        return r;
}

/* Collects until the process has ended. 0, -ETIME at the deadline, -ECANCELED, or pipe_drain()'s error. */
static int collect(int out, int pidfd, usec_t deadline_us, const BoundedProgram *program) {
        const BoundedProgramEnd *end = program->end;
        struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
                                { .fd = out, .events = POLLIN },
                                { .fd = end ? end->fd : -1, .events = POLLIN } };

        for (;;) {
                usec_t left_us = usec_sub(deadline_us, clock_boottime_us());
                struct timespec left = {
                        .tv_sec = (time_t) (left_us / USEC_PER_SEC),
                        .tv_nsec = (long) (left_us % USEC_PER_SEC) * 1000,
                };
                if (left_us == 0)
                        return -ETIME;
                if (ppoll(fds, ELEMENTS(fds), &left, NULL) < 0 && errno != EINTR)
                        return -errno;
                int r = fds[1].fd >= 0 ? pipe_drain(out, program->output) : 0;
                if (r < 0)
                        return r;
                if (r == 1)
                        fds[1].fd = -1; /* ended: poll passes over negative descriptors */
                /* What it wrote was in the pipe before it ended; a grandchild's words are not asked for. */
                if (fds[0].revents)
                        return 0;
                if (end && fds[2].revents && end->asked(end->userdata))
                        return -ECANCELED;
        }
}

/* Ends the whole group and takes the status of its leader. */
static int reap(pid_t pid) {
        int status = -1;

        (void) kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return status;
}

/* Without a pipe there is nothing to collect but the end. */
static int watch(int out, pid_t pid, const BoundedProgram *program, usec_t deadline_us) {
        _cleanup_close_ int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);

        return pidfd < 0 ? -errno : collect(out, pidfd, deadline_us, program);
}

static int make_pipe(const BoundedProgram *program, int *ret_out, int *ret_in) {
        int ends[2];

        *ret_out = *ret_in = -1;
        if (!program->output)
                return 0;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        *ret_out = ends[0];
        *ret_in = ends[1];
        return fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0; /* our end only: it gets an ordinary pipe */
}

int bounded_program_run(const BoundedProgram *program, int *ret_status) {
        usec_t deadline_us = usec_add(clock_boottime_us(), program->timeout_us);
        _cleanup_close_ int out = -1, in = -1;
        pid_t pid;
        int r, status;

        r = make_pipe(program, &out, &in);
        if (r >= 0)
                r = spawn(program, in, &pid);
        if (r < 0)
                return r;
        if (in >= 0)
                (void) close(TAKE_FD(in));
        r = watch(out, pid, program, deadline_us);
        status = reap(pid);
        if (r >= 0)
                *ret_status = status;
        return r;
}

const char *bounded_program_words(int error, int status, char buffer[static BOUNDED_PROGRAM_WORDS_SIZE]) {
        if (error == -ETIME)
                return "did not end in time and was killed";
        if (error == -ECANCELED)
                return "was ended for something more urgent";
        if (error == -EMSGSIZE)
                return "prints too much";
        if (error < 0)
                (void) snprintf(buffer, BOUNDED_PROGRAM_WORDS_SIZE, "can't be run: %s", strerror(-error));
        else if (WIFEXITED(status))
                (void) snprintf(buffer, BOUNDED_PROGRAM_WORDS_SIZE, "ended with exit status %d", WEXITSTATUS(status));
        else
                (void) snprintf(buffer, BOUNDED_PROGRAM_WORDS_SIZE, "was ended by signal %d", WTERMSIG(status));
        return buffer;
}
