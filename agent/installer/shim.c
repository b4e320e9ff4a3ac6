/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll-shim: the program that the installer takes for `docker` or `podman-remote`.
 *
 * The installer was given a placeholder for the token. When it comes to `run`, the shim replaces
 * the placeholder by a file that the engine's client reads: a sealed memory file that was inherited
 * and has no name. So the token is in no argument list and no environment on this host, and not in
 * this program either, which never reads it. Everything else passes through untouched.
 *
 * It fails loudly or not at all: a `run` in which the placeholder is not found exactly once is not
 * started, because it would join the host with a placeholder for a token. Status 97 is that, 98 any
 * failure of its own.
 */

#include "installer/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "installer/shim-arguments.h"
#include "model/installer-command.h" /* the placeholder's beginning, nothing that needs linking */

extern char **environ;

#define FD_MAX 1023

static void complain(const char *what, const char *why) {
        (void) fprintf(stderr, "ece-enroll-shim: %s%s%s\n", what, why ? ": " : "", why ?: "");
}

/* A descriptor's number from the environment; -1 when there is none. No library but libc here, so
 * by hand. */
static int fd_from_environment(const char *name) {
        const char *text = getenv(name);
        int fd = 0;

        if (!text || *text == 0)
                return -1;
        for (; *text; text++) {
                if (*text < '0' || *text > '9' || fd > FD_MAX)
                        return -1;
                fd = fd * 10 + (*text - '0');
        }
        return fd > STDERR_FILENO && fd <= FD_MAX ? fd : -1;
}

/* The keeper may be gone: then nobody reads, and SIGPIPE must not end us. */
static void note(const char *word) {
        int fd = fd_from_environment(SHIM_NOTE_FD);
        char line[32];
        int n = snprintf(line, sizeof(line), "%s\n", word);

        if (fd < 0)
                return;
        (void) signal(SIGPIPE, SIG_IGN);
        while (write(fd, line, (size_t) n) < 0 && errno == EINTR)
                ;
        (void) signal(SIGPIPE, SIG_DFL);
}

static const char *client_path(const char *called) {
        const char *base = strrchr(called, '/');

        base = base ? base + 1 : called;
        if (strcmp(base, "docker") == 0)
                return getenv(SHIM_CLIENT_DOCKER);
        if (strcmp(base, "podman-remote") == 0)
                return getenv(SHIM_CLIENT_PODMAN_REMOTE);
        return NULL;
}

/* Whoever is not `run` has no business with the token. */
static void keep_token_from_client(int fd) {
        if (fd >= 0)
                (void) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int run_client(const char *client, char *argv[]) {
        (void) execve(client, argv, environ);
        complain(client, strerror(errno));
        return SHIM_EXIT_FAILED;
}

static int refuse_run(void) {
        note(SHIM_NOTE_NO_PLACEHOLDER);
        complain("this installer does not pass its roles in the way we know; nothing was started",
                 "its run must hold the placeholder exactly once, and nothing else may");
        complain("set installer.handoff to argv to do without the shim", NULL);
        return SHIM_EXIT_NO_PLACEHOLDER;
}

int main(int argc, char *argv[]) {
        static char *replaced[SHIM_ARGUMENTS_MAX + 4];
        static char env_file[32], label[128], placeholder[128];
        const ShimWords words = { .placeholder = placeholder, .env_file = env_file, .label = label };
        const char *client = argc > 0 ? client_path(argv[0]) : NULL;
        const char *attempt = getenv(SHIM_LABEL);
        int fd = fd_from_environment(SHIM_TOKEN_FD);

        if (!client || client[0] != '/' || !attempt || !*attempt) {
                complain("started by nobody who knows it",
                         attempt && *attempt ? "no engine client is named for it" : "no attempt is named for it");
                return SHIM_EXIT_FAILED;
        }
        if (argc > SHIM_ARGUMENTS_MAX) {
                complain("too many arguments", NULL);
                return SHIM_EXIT_FAILED;
        }
        (void) snprintf(env_file, sizeof(env_file), "/proc/self/fd/%d", fd);
        (void) snprintf(label, sizeof(label), ATTEMPT_LABEL "=%.64s", attempt);
        (void) snprintf(placeholder, sizeof(placeholder), TOKEN_PLACEHOLDER_BEGIN "%.64s", attempt);

        switch (shim_rewrite(argc, argv, &words, replaced)) {
        case SHIM_PASS:
                keep_token_from_client(fd);
                return run_client(client, argv);
        case SHIM_NO_PLACEHOLDER:
                return refuse_run();
        case SHIM_REPLACED:
                break;
        }
        if (fd < 0 || fcntl(fd, F_GETFD) < 0) {
                complain("the memory file was not inherited", fd < 0 ? NULL : strerror(errno));
                return SHIM_EXIT_FAILED;
        }
        note(SHIM_NOTE_REACHED);
        return run_client(client, replaced);
}
