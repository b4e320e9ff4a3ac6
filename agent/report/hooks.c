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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bounded-program.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/guarded.h"
#include "base/text.h"

#define VARIABLES 5U
#define ENVIRONMENT_MAX (1U + VARIABLES + 1U) /* PATH before them, credentials behind */

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

static int fill_environment(const HookCall *call, char *ret[static ENVIRONMENT_MAX + 1]) {
        char roles[ROLE_SET_STRING_SIZE], left[32] = "";
        const char *const values[VARIABLES] = { call->state, call->reason, call->runner_id,
                                                role_set_format(call->roles, ",", roles), left };
        static const char *const names[VARIABLES] = { "STATE", "REASON", "RUNNER_ID", "ROLES", "DEADLINE_S" };
        const char *credentials = getenv("CREDENTIALS_DIRECTORY");
        size_t n = 0;

        if (call->left_us != USEC_INFINITY)
                (void) snprintf(left, sizeof(left), "%llu", (unsigned long long) (call->left_us / USEC_PER_SEC));
        ret[n++] = strdup(BOUNDED_PROGRAM_PATH);
        for (size_t i = 0; i < VARIABLES; i++)
                if (asprintf(&ret[n++], "ECE_ENROLL_%s=%s", names[i], values[i] ?: "") < 0)
                        ret[n - 1] = NULL;
        if (credentials && asprintf(&ret[n++], "CREDENTIALS_DIRECTORY=%s", credentials) < 0)
                ret[n - 1] = NULL;
        for (size_t i = 0; i < n; i++)
                if (!ret[i])
                        return -ENOMEM;
        return 0;
}

static void free_environment(char *environment[static ENVIRONMENT_MAX + 1]) {
        for (size_t i = 0; i < ENVIRONMENT_MAX; i++)
                free(environment[i]);
}

/* A file of their own for what is on the hooks' standard input: they may read it to its end, and none can change it. */
static int status_open(const HookCall *call, int *ret) {
        _cleanup_close_ int fd = -1;
        int error;

        *ret = -1;
        if (!call->status)
                return 0;
        fd = memfd_create("status.json", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        error = file_write_all(fd, buffer_string(call->status), call->status->size);
        if (error < 0)
                return error;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
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

static bool is_through(const HookCall *call, const char *name) {
        const char *at = call->through ? buffer_string(call->through) : "";
        size_t n = strlen(name);

        for (; *at; at += strcspn(at, " "), at += strspn(at, " "))
                if (strncmp(at, name, n) == 0 && at[n] == ' ')
                        return true;
        return false;
}

/* Runs it and tells what was wrong. 0; 1 when it wants to be run again; -ECANCELED. */
static int run_one(const HookCall *call, char *path, char *const *environment, int status_fd, HookTrouble trouble, void *userdata) {
        char why[GUARDED_WHY_SIZE], words[BOUNDED_PROGRAM_WORDS_SIZE];
        const char *against = objection(path, why);
        int status = 0, r;

        if (against) {
                trouble(userdata, path, against);
                return 0;
        }
        if (status_fd >= 0 && lseek(status_fd, 0, SEEK_SET) < 0)
                return -errno;
        r = bounded_program_run(&(BoundedProgram){ .argv = (char *const[]){ path, NULL },
                                                   .envp = environment,
                                                   .stdin_fd = status_fd,
                                                   .timeout_us = call->timeout_us,
                                                   .end = call->end },
                                &status);
        if (r == -ECANCELED)
                return r;
        if (r < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
                trouble(userdata, path, bounded_program_words(r, status, words));
        return r >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == HOOK_AGAIN;
}

static int run_named(const HookCall *call, const char *directory, const char *name, char *const *environment, int status_fd,
                     HookTrouble trouble, void *userdata) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (is_through(call, name))
                return 0;
        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = run_one(call, path, environment, status_fd, trouble, userdata);
        if (r == 0 && call->through)
                return buffer_append_format(call->through, "%s ", name);
        return r;
}

static int run_all(const HookCall *call, const char *directory, struct dirent **names, int n, HookTrouble trouble,
                   void *userdata) {
        char *environment[ENVIRONMENT_MAX + 1] = {};
        _cleanup_close_ int status_fd = -1;
        bool again = false;
        int r = fill_environment(call, environment);

        if (r >= 0)
                r = status_open(call, &status_fd);
        for (int i = 0; r >= 0 && i < n; i++) {
                r = run_named(call, directory, names[i]->d_name, environment, status_fd, trouble, userdata);
                again = again || r > 0;
        }
        free_environment(environment);
        return r < 0 ? r : again;
}

/* 0 and their names in order; a directory that is not there has none. */
static int list(const char *directory, struct dirent ***ret, HookTrouble trouble, void *userdata) {
        int n = scandir(directory, ret, is_a_name, alphasort);

        if (n < 0 && errno == ENOMEM)
                return -ENOMEM;
        if (n < 0 && errno != ENOENT)
                trouble(userdata, directory, strerror(errno));
        return n < 0 ? 0 : n;
}

int hooks_run(const HookCall *call, HookTrouble trouble, void *userdata) {
        struct dirent **names = NULL;
        char directory[PATH_MAX];
        int n, r;

        if (!call->hooks_dir)
                return 0;
        if ((size_t) snprintf(directory, sizeof(directory), "%s/%s", call->hooks_dir, call->event) >= sizeof(directory))
                return 0;
        n = list(directory, &names, trouble, userdata);
        if (n <= 0)
                return n;
        r = run_all(call, directory, names, n, trouble, userdata);
        free_names(names, n);
        return r;
}
