/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Running hooks.
 *
 * They are run with our rights, so nobody but root and ourselves may be able to change one, or the directories on the
 * way; what runs is looked at just before. Names are those that run-parts(8) takes by default, letters, digits, '-' and '_', and with a dot
 * as well, but no editor's backups and nothing hidden. Each has a bounded time and a rope of its own (base/bounded-program.h).
 */

#include "report/hooks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bounded-program.h"
#include "base/cleanup.h"
#include "base/guarded.h"
#include "base/text.h"

#define VARIABLES 5U

static int is_a_name(const struct dirent *entry) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
        const char *name = entry->d_name;

        return name[0] != '.' && strspn(name, letters) == strlen(name) && !strstr(name, ".dpkg-") && !strstr(name, ".rpm");
}

static void free_names(struct dirent **names, int n) {
        for (int i = 0; i < n; i++)
                free(names[i]);
        free(names);
}

static int fill_environment(const HookCall *call, char *ret[static VARIABLES + 2]) {
        char roles[ROLE_SET_STRING_SIZE], left[32] = "";
        const char *const values[VARIABLES] = { call->state, call->reason, call->runner_id,
                                                role_set_format(call->roles, ",", roles), left };
        static const char *const names[VARIABLES] = { "STATE", "REASON", "RUNNER_ID", "ROLES", "DEADLINE_S" };

        if (call->left_us != USEC_INFINITY)
                (void) snprintf(left, sizeof(left), "%llu", (unsigned long long) (call->left_us / USEC_PER_SEC));
        ret[0] = strdup(BOUNDED_PROGRAM_PATH);
        for (size_t i = 0; i < VARIABLES; i++)
                if (asprintf(&ret[i + 1], "ECE_ENROLL_%s=%s", names[i], values[i] ?: "") < 0)
                        ret[i + 1] = NULL;
        for (size_t i = 0; i <= VARIABLES; i++)
                if (!ret[i])
                        return -ENOMEM;
        return 0;
}

/* NULL: it may be run. why has room for a sentence. */
static const char *objection(const char *path, char why[static GUARDED_WHY_SIZE]) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        int r = guarded_open(path, O_PATH, geteuid(), &fd, why);

        if (r < 0)
                return *why ? why : strerror(-r);
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return "is no regular file";
        return st.st_mode & S_IXUSR ? NULL : "is not executable";
}

static void run_one(const HookCall *call, char *path, char *const *environment, HookTrouble trouble, void *userdata) {
        _cleanup_close_ int status_fd =
                call->status_path ? open(call->status_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
        char why[GUARDED_WHY_SIZE], words[BOUNDED_PROGRAM_WORDS_SIZE];
        const char *against = objection(path, why);
        int status = 0, r;

        if (against)
                return trouble(userdata, path, against);
        r = bounded_program_run(&(BoundedProgram){ .argv = (char *const[]){ path, NULL },
                                                   .envp = environment,
                                                   .stdin_fd = status_fd,
                                                   .timeout_us = call->timeout_us },
                                &status);
        if (r < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
                trouble(userdata, path, bounded_program_words(r, status, words));
}

static int run_all(const HookCall *call, const char *directory, struct dirent **names, int n, HookTrouble trouble,
                   void *userdata) {
        char *environment[VARIABLES + 2] = {};
        int r = fill_environment(call, environment);

        for (int i = 0; r >= 0 && i < n; i++) {
                _cleanup_free_ char *path = NULL;

                if (asprintf(&path, "%s/%s", directory, names[i]->d_name) < 0)
                        r = -ENOMEM;
                else
                        run_one(call, path, environment, trouble, userdata);
        }
        for (size_t i = 0; i <= VARIABLES; i++)
                free(environment[i]);
        return r < 0 ? r : n;
}

int hooks_run(const HookCall *call, HookTrouble trouble, void *userdata) {
        struct dirent **names = NULL;
        char directory[PATH_MAX];
        int n, r;

        if (!call->hooks_dir)
                return 0;
        if ((size_t) snprintf(directory, sizeof(directory), "%s/%s", call->hooks_dir, call->event) >= sizeof(directory))
                return 0;
        n = scandir(directory, &names, is_a_name, alphasort);
        if (n < 0 && errno == ENOMEM)
                return -ENOMEM;
        if (n < 0) {
                if (errno != ENOENT)
                        trouble(userdata, directory, strerror(errno));
                return 0;
        }
        r = run_all(call, directory, names, n, trouble, userdata);
        free_names(names, n);
        return r;
}
