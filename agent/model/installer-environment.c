/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The installer's environment: PATH, HOME, USER, LOGNAME, LC_ALL, DOCKER_HOST, and what the keeper
 * adds for its shim.
 *
 * HOME is the install user's because the engine's client looks for registry credentials there.
 * LC_ALL=C keeps the messages that we recognise stable. DOCKER_HOST names the same socket as
 * --host-docker-host: the script's first check uses the one, everything else the other; it
 * evaluates both. Names in `extra` are held against a list of what may be there, because a name is
 * all it takes to preset one of the script's own variables.
 *
 * What fails: memory, and a value or name that is refused.
 */

#include "model/installer-environment.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "model/word-list.h"

#define PATH_DIRECTORY_SIZE 1024U
#define EXTRA_PREFIX "ECE_ENROLL_"
#define EXTRA_NAME_SIZE 64U

/* Foreign variables that mean something to the engine's client and nothing to the script. */
static const char *const extra_names[] = {
        "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "HTTP_PROXY",  "HTTPS_PROXY",
        "NO_PROXY",      "http_proxy",      "https_proxy", "no_proxy",
};

/* Each directory is a path of its own to the allow-list: absolute and plain, none of them empty. */
static void check_path(WordList *list, const char *path) {
        char directory[PATH_DIRECTORY_SIZE], why[ALLOW_LIST_WHY_SIZE];

        for (const char *start = path;;) {
                size_t n = strcspn(start, ":");

                if (n >= sizeof(directory))
                        return word_list_refuse(list, "PATH", "has too long a directory");
                (void) memcpy(directory, start, n);
                directory[n] = '\0';
                if (allow_list_check(VALUE_PATH, directory, why) < 0)
                        return word_list_refuse(list, "PATH", why);
                if (start[n] == '\0')
                        return;
                start += n + 1;
        }
}

static bool name_may_be_added(const char *name) {
        for (size_t i = 0; i < ELEMENTS(extra_names); i++)
                if (streq(name, extra_names[i]))
                        return true;
        return text_starts_with(name, EXTRA_PREFIX) &&
               text_consists_of(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

static bool value_may_be_added(const char *value) {
        for (const char *c = value; *c; c++)
                if (*c < ' ' || *c > '~' || strchr("'\"`$\\", *c))
                        return false;
        return true;
}

static void add_extra(WordList *list, const char *pair) {
        char name[EXTRA_NAME_SIZE];
        size_t n = strcspn(pair, "=");

        if (pair[n] == '\0' || n >= sizeof(name))
                return word_list_refuse(list, "environment", "is no NAME=VALUE pair");
        (void) memcpy(name, pair, n);
        name[n] = '\0';
        if (!name_may_be_added(name))
                return word_list_refuse(list, "environment",
                                        "has a name that the installer might read");
        if (!value_may_be_added(pair + n + 1))
                return word_list_refuse(list, name,
                                        "holds a quote, a '$' or an unprintable character");
        word_list_add(list, pair);
}

int installer_environment_build(const Plan *plan, const char *path, char *const *extra, char ***ret,
                                Observation *refusal) {
        _cleanup_word_list_ WordList list = { 0 };

        assert(path);
        check_path(&list, path);
        word_list_add_variable(&list, "PATH", "", VALUE_PLAIN, path);
        word_list_add_variable(&list, "HOME", "", VALUE_PATH, plan->home);
        word_list_add_variable(&list, "USER", "", VALUE_PLAIN, plan->user_name);
        word_list_add_variable(&list, "LOGNAME", "", VALUE_PLAIN, plan->user_name);
        word_list_add(&list, "LC_ALL=C");
        word_list_add_variable(&list, "DOCKER_HOST", "unix://", VALUE_PATH,
                               plan->spec->installer.engine_socket);
        for (size_t i = 0; extra && extra[i]; i++)
                add_extra(&list, extra[i]);
        return word_list_take(&list, ret, refusal);
}
