/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A run has its hooks run by a process of its own, as the daemon has: a hook that hangs must hold up neither the enrollment
 * nor the watch over the installer. Most hosts have no hooks and pay one look into three directories for them.
 *
 * The watch for the status begins here and is passed on, so that nothing that the agent reports is missed, and nothing that another
 * one reported before is taken for news.
 *
 * What may fail: the start. A run without its hooks is still a run.
 */

#include "cli/hooks-launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory-watch.h"
#include "cli/program-path.h"
#include "report/hook-news.h"
#include "report/status-file.h"
#include "report/status-json.h"

/* posix_spawn(3) wants arguments that are not const. */
#define WORD(text) ((char[]) { text })

_Static_assert(HOOKS_WATCH_FD == STDERR_FILENO + 1, "the first that is not standard");

extern char **environ;

static bool has_hooks(const char *spec_path) {
        _cleanup_(spec_freep) Spec *spec = NULL;
        _cleanup_problems_ Problems problems = {};
        char path[PATH_MAX];

        /* A spec that can't be read is the run's to tell, and then perhaps the hooks'. */
        if (spec_load(spec_path, &problems, &spec) < 0)
                return true;
        for (HookEvent e = HOOK_PROGRESS; e < _HOOK_EVENT_MAX; e++) {
                (void) snprintf(path, sizeof(path), "%s/%s", spec->report.hooks_dir, hook_event_to_string(e));
                if (access(path, F_OK) == 0)
                        return true;
        }
        return false;
}

static int spawn(char *const argv[], int watch_fd, pid_t *ret) {
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        sigset_t none;
        int error;

        (void) sigemptyset(&none);
        (void) posix_spawnattr_init(&attributes);
        (void) posix_spawn_file_actions_init(&files);
        /* A group of its own: the end that Ctrl-C brings it is ours to bring. */
        error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
        if (error == 0)
                error = posix_spawnattr_setsigmask(&attributes, &none);
        if (error == 0)
                error = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (error == 0)
                error = posix_spawn_file_actions_adddup2(&files, watch_fd, HOOKS_WATCH_FD);
        if (error == 0)
                error = posix_spawn_file_actions_addclosefrom_np(&files, HOOKS_WATCH_FD + 1);
        if (error == 0)
                error = posix_spawn(ret, argv[0], &files, &attributes, argv, environ);
        (void) posix_spawn_file_actions_destroy(&files);
        (void) posix_spawnattr_destroy(&attributes);
        return -error;
}

static int start(const CommonOptions *options, pid_t *ret) {
        _cleanup_free_ char *spec = strdup(options->spec_path), *runtime = strdup(options->runtime_dir);
        _cleanup_watch_ DirectoryWatch watch = DIRECTORY_WATCH_NONE;
        char program[PATH_MAX];
        int error = program_path("ece-enroll", BINDIR, program, sizeof(program));

        if (error >= 0 && (!spec || !runtime))
                error = -ENOMEM;
        if (error >= 0)
                error = directory_watch_open(options->runtime_dir, &watch);
        if (error >= 0)
                error = spawn((char *const[]){ program, WORD("hooks"), WORD("--once"), WORD("--spec"), spec, WORD("--runtime-dir"),
                                               runtime, NULL },
                              watch.fd, ret);
        return error;
}

/* Has the agent said how it ended? Its hooks wait for that. */
static bool is_at_an_end(const char *runtime_dir) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX);
        _cleanup_json_ json_t *status = NULL;
        HookNews news;

        return status_file_read(runtime_dir, &text, &status) >= 0 && hook_news_read(status, &news) >= 0 &&
               hook_news_is_final(&news);
}

pid_t hooks_launch(const CommonOptions *options) {
        pid_t pid = 0;
        int error;

        if (!has_hooks(options->spec_path))
                return 0;
        error = start(options, &pid);
        if (error < 0)
                fprintf(stderr, "ece-enroll: hooks can't be run: %s\n", strerror(-error));
        return error < 0 ? 0 : pid;
}

void hooks_await(pid_t pid, const CommonOptions *options) {
        if (pid <= 0)
                return;
        if (!is_at_an_end(options->runtime_dir))
                (void) kill(pid, SIGTERM);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
}
