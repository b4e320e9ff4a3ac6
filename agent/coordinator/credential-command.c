/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A credential from a command: a vault's client, a cloud's metadata tool.
 *
 * The command is the operator's choice and still is held on a short rope: absolute path, no shell,
 * a program that nobody else can change, an environment made from nothing, /dev/null for input and complaints, a process group of its own,
 * a bounded time and a bounded output. Its complaints are dropped because nobody can say what a
 * foreign tool prints beside a secret.
 *
 * The end of the output and the end of the process are two events: a grandchild may hold the pipe
 * open, or the command may close it and go on. We wait for the process (by pidfd), collect what it
 * printed, and then kill what is left of the group while the zombie still holds its number, so that
 * no other group can be hit.
 *
 * Blocks for up to the time limit; called before work, never inside it.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/guarded.h"
#include "coordinator/credential-private.h"

static int refuse(Observation *refusal, const char *code, const char *program, const char *detail) {
        *refusal = observe(ORIGIN_CREDENTIAL, 0, code, program, "%s", detail);
        return 0;
}

/* It is run with our rights: nobody else may be able to change it. What can't be opened is left to exec to refuse;
 * a program need not be readable. */
static int command_objection(const char *program, Observation *refusal) {
        _cleanup_close_ int fd = -1;
        char why[GUARDED_WHY_SIZE];

        int r = guarded_open(program, O_PATH, geteuid(), &fd, why);
        return r == -EPERM && *why ? refuse(refusal, "permissions", program, why) : 0;
}

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

static int actions_set(posix_spawn_file_actions_t *actions, int out) {
        int r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
        if (r == 0)
                r = posix_spawn_file_actions_addchdir_np(actions, "/");
        return -r;
}

static int command_spawn(char *const *argv, int out, pid_t *ret) {
        char *const environment[] = {
                (char[]) { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
                (char[]) { "LC_ALL=C" },
                NULL,
        };
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
                r = actions_set(&actions, out);
        if (r == 0)
                r = -posix_spawn(ret, argv[0], &actions, &attributes, argv, environment);
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

/* Collects until the process has ended. 0, -ETIME at the deadline, or pipe_drain()'s error. */
static int collect(int out, int pidfd, usec_t deadline_us, Buffer *b) {
        struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN }, { .fd = out, .events = POLLIN } };

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
                int r = pipe_drain(out, b);
                if (r < 0)
                        return r;
                if (r == 1)
                        fds[1].fd = -1; /* ended: poll passes over negative descriptors */
                /* What it wrote was in the pipe before it ended; a grandchild's words are not asked for. */
                if (fds[0].revents)
                        return 0;
        }
}

/* Ends the whole group and takes the status of its leader. */
static int command_reap(pid_t pid) {
        int status = -1;

        (void) kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return status;
}

static int judge_end(const char *program, int collected, int status, Observation *refusal) {
        char text[64];

        if (collected == -ENOMEM)
                return collected;
        if (collected == -EMSGSIZE)
                return refuse(refusal, "too-large", program, "it prints more than any credential may have");
        if (collected == -ETIME)
                return refuse(refusal, "command-failed", program, "it did not end in time and was killed");
        if (collected < 0)
                return refuse(refusal, "command-failed", program, strerror(-collected));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 1;
        if (WIFEXITED(status))
                (void) snprintf(text, sizeof(text), "it ended with exit status %d", WEXITSTATUS(status));
        else
                (void) snprintf(text, sizeof(text), "it was ended by signal %d", WTERMSIG(status));
        return refuse(refusal, "command-failed", program, text);
}

int credential_from_output(const char *program, const Buffer *output, Secret **ret, Observation *refusal) {
        size_t n = output->size;

        if (n > 0 && output->data[n - 1] == '\n')
                n--;
        if (n > 0 && n < output->size && output->data[n - 1] == '\r')
                n--;
        if (n == 0)
                return refuse(refusal, "empty", program, "it prints nothing");
        int r = secret_new(output->data, n, ret);
        return r == -EINVAL
                       ? refuse(refusal, "too-large", program, "it prints more than any credential may have")
                       : r;
}

int credential_run(char *const *argv, usec_t timeout_us, Secret **ret, Observation *refusal) {
        _cleanup_buffer_ Buffer output = BUFFER_INIT_WIPED(SECRET_SIZE_MAX + 2);
        usec_t deadline_us = usec_add(clock_boottime_us(), timeout_us);
        int ends[2];
        pid_t pid;

        *ret = NULL;
        int r = command_objection(argv[0], refusal);
        if (r < 0 || !observation_is_none(refusal))
                return r;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int out = ends[0];
        _cleanup_close_ int in = ends[1];
        if (fcntl(out, F_SETFL, O_NONBLOCK) < 0) /* our end only: the command gets an ordinary pipe */
                return -errno;
        r = command_spawn(argv, in, &pid);
        if (r == -ENOMEM || r == -EAGAIN)
                return r;
        if (r < 0)
                return refuse(refusal, "command-failed", argv[0], strerror(-r));
        (void) close(TAKE_FD(in));

        _cleanup_close_ int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        int collected = pidfd < 0 ? -errno : collect(out, pidfd, deadline_us, &output);
        r = judge_end(argv[0], collected, command_reap(pid), refusal);
        return r <= 0 ? r : credential_from_output(argv[0], &output, ret, refusal);
}
