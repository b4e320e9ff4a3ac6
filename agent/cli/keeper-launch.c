/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What systemd's socket unit does for the daemon, done by hand for a single run: bind the socket, make the
 * directory that the keeper works in, start it with the listening descriptor.
 *
 * The keeper gets a session of its own and none of our descriptors but the socket: it has to outlive a killed
 * run, and must not keep the pipe open that somebody reads our output from. What it logs goes to the
 * journal if we log there, else to a file in its directory.
 */

#include "cli/keeper-launch.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/program-path.h"

/* posix_spawn(3) wants arguments that are not const; an array of its own is none. */
#define WORD(text) ((char[]) { text })

extern char **environ;

static Observation trouble(int error, const char *where, const char *doing) {
        return observe(ORIGIN_KEEPER, -error, "unreachable", where, "%s: %s", doing, strerror(-error));
}

/* Whoever owned the socket before is gone: the caller's connect() was refused. The agent's lock on the state
 * directory keeps a second run from doing the same at the same time. */
static int listen_at(const char *path) {
        _cleanup_close_ int fd = -1;
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || chmod(path, 0600) < 0 ||
            listen(fd, 4) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* Can this user search every directory on the way to path? Its own group only: good enough to choose a place. */
static bool reachable(const char *path, const struct passwd *user) {
        char part[4096];

        for (size_t i = 0; i <= strlen(path); i++) {
                struct stat st;

                if (path[i] != '/' && path[i] != 0)
                        continue;
                (void) snprintf(part, sizeof(part), "%.*s", i == 0 ? 1 : (int) i, path);
                if (stat(part, &st) < 0)
                        return false;
                if (st.st_uid == user->pw_uid ? !(st.st_mode & S_IXUSR)
                    : st.st_gid == user->pw_gid ? !(st.st_mode & S_IXGRP)
                                                : !(st.st_mode & S_IXOTH))
                        return false;
        }
        return true;
}

/* Where the keeper works: in the runtime directory, or in /run when its user can't get there. */
static int make_keeper_directory(const char *runtime_dir, const struct passwd *user, char *ret, size_t size) {
        _cleanup_close_ int fd = -1;
        char hash[SHA256_HEX_SIZE];
        int error;

        if (geteuid() != 0 || reachable(runtime_dir, user))
                (void) snprintf(ret, size, "%s/installd", runtime_dir);
        else {
                error = bytes_sha256(runtime_dir, strlen(runtime_dir), hash);
                if (error < 0)
                        return error;
                (void) snprintf(ret, size, "/run/ece-installd-%.16s", hash);
        }
        fd = directory_ensure(ret, 0700);
        if (fd < 0)
                return fd;
        if (geteuid() == 0 && fchown(fd, user->pw_uid, user->pw_gid) < 0)
                return -errno;
        return 0;
}

static int spawn_keeper(int listen_fd, char *const argv[], const char *directory) {
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        char log_path[4400];
        sigset_t none, all;
        pid_t pid;
        int error;

        (void) snprintf(log_path, sizeof(log_path), "%s/installd.log", directory);
        (void) sigemptyset(&none);
        (void) sigfillset(&all);
        (void) posix_spawnattr_init(&attributes);
        (void) posix_spawnattr_setflags(&attributes,
                                        POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        (void) posix_spawnattr_setsigmask(&attributes, &none);
        (void) posix_spawnattr_setsigdefault(&attributes, &all);
        (void) posix_spawn_file_actions_init(&files);
        error = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (error == 0 && !log_to_journal())
                error = posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log_path,
                                                         O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (error == 0)
                error = posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
        if (error == 0)
                error = posix_spawn_file_actions_adddup2(&files, listen_fd, 3);
        if (error == 0)
                error = posix_spawn_file_actions_addclosefrom_np(&files, 4);
        if (error == 0)
                error = posix_spawn(&pid, argv[0], &files, &attributes, argv, environ);
        (void) posix_spawn_file_actions_destroy(&files);
        (void) posix_spawnattr_destroy(&attributes);
        return -error;
}

static Observation start(const Spec *spec, const char *socket_path, const struct passwd *user) {
        _cleanup_close_ int listen_fd = -1;
        char runtime_dir[4096], directory[4200], installd[4096], shim[4096];
        int error;

        (void) snprintf(runtime_dir, sizeof(runtime_dir), "%s", socket_path);
        error = make_keeper_directory(dirname(runtime_dir), user, directory, sizeof(directory));
        if (error < 0)
                return trouble(error, directory, "can't make the directory that ece-installd works in");
        error = program_path("ece-installd", SBINDIR, installd, sizeof(installd));
        if (error >= 0)
                error = program_path("ece-enroll-shim", LIBEXECDIR, shim, sizeof(shim));
        if (error < 0)
                return trouble(error, SBINDIR, "can't find ece-installd and ece-enroll-shim");
        listen_fd = listen_at(socket_path);
        if (listen_fd < 0)
                return trouble(listen_fd, socket_path, "can't listen for ece-installd");

        error = spawn_keeper(listen_fd,
                             (char *const[]) { installd, WORD("--spec"), spec->files[0], WORD("--state-dir"), directory,
                                               WORD("--runtime-dir"), directory, WORD("--shim"), shim,
                                               WORD("--exit-idle"), WORD("--listen-fd"), WORD("3"), NULL },
                             directory);
        return error < 0 ? trouble(error, installd, "can't start ece-installd") : OBSERVATION_NONE;
}

Observation keeper_launch(void *userdata, const Spec *spec, const char *socket_path) {
        const struct passwd *user = getpwnam(spec->installer.user);

        if (!user)
                return observe(ORIGIN_HOST, 0, "user-missing", spec->installer.user,
                               "there is no user of this name on this host");
        if (geteuid() != 0 && geteuid() != user->pw_uid)
                return observe(ORIGIN_HOST, 0, "user", spec->installer.user,
                               "run as root, or as this user; now it is uid %u", (unsigned) geteuid());
        return start(spec, socket_path, user);
}
