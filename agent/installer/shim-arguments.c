/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pair `--env RUNNER_ROLES_TOKEN=PLACEHOLDER` of a `run` is replaced by `--env-file FILE`:
 * replaced, not joined by it, because an explicit --env beats a file. The pair may be written in
 * each way that the clients take (--env X, --env=X, -e X, -eX, -e=X). The placeholder must stand
 * there once and nowhere else, and no other attempt's beside it: a script that passes it on in
 * another way as well is one that we don't know.
 *
 * No library but libc, no allocation: this runs between a script and its engine.
 */

#include "installer/shim-arguments.h"

#include <stdbool.h>
#include <string.h>

#include "installer/shim.h"
#include "model/installer-command.h" /* the placeholder's beginning, nothing that needs linking */

/* Options before the subcommand that take their value from the next word. All others are one word.
 * */
static const char *const global_options[] = {
        "-H",         "--host",      "-c",        "--context",    "--config", "-l",       "--log-level",
        "--tlscacert", "--tlscert",  "--tlskey",  "--url",        "--connection", "--identity", "--out",
        "--ssh",
};

static bool same(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

static bool takes_value(const char *word) {
        for (size_t i = 0; i < sizeof(global_options) / sizeof(global_options[0]); i++)
                if (same(word, global_options[i]))
                        return true;
        return false;
}

/* Index of the word `run` (also of `container run`); 0 when the subcommand is another one. */
static int find_run(int argc, char *argv[]) {
        int i = 1;

        while (i < argc && argv[i][0] == '-')
                i += takes_value(argv[i]) ? 2 : 1;
        if (i + 1 < argc && same(argv[i], "container"))
                i++;
        return i < argc && same(argv[i], "run") ? i : 0;
}

static bool is_pair(const char *text, const char *placeholder) {
        static const char variable[] = SHIM_TOKEN_VARIABLE "=";

        return strncmp(text, variable, sizeof(variable) - 1) == 0 && same(text + sizeof(variable) - 1, placeholder);
}

/* How many words, 1 or 2, the pair takes at i; 0 when it does not stand there. */
static int pair_length(int argc, char *argv[], int i, const char *placeholder) {
        static const char *const joined[] = { "--env=", "-e=", "-e" };
        const char *word = argv[i];

        if (same(word, "--env") || same(word, "-e"))
                return i + 1 < argc && is_pair(argv[i + 1], placeholder) ? 2 : 0;
        for (size_t j = 0; j < sizeof(joined) / sizeof(joined[0]); j++)
                if (strncmp(word, joined[j], strlen(joined[j])) == 0 &&
                    is_pair(word + strlen(joined[j]), placeholder))
                        return 1;
        return 0;
}

/* Of any attempt. */
static int count_placeholders(int argc, char *argv[]) {
        int n = 0;

        for (int i = 1; i < argc; i++)
                for (const char *at = argv[i]; (at = strstr(at, TOKEN_PLACEHOLDER_BEGIN)); at++)
                        n++;
        return n;
}

ShimVerdict shim_rewrite(int argc, char *argv[], const ShimWords *words, char *replaced[]) {
        static char env_file_option[] = "--env-file", label_option[] = "--label";
        int run = find_run(argc, argv), pairs = 0, n = 0;

        if (run == 0) /* a placeholder in another subcommand would reach a container as it is */
                return count_placeholders(argc, argv) == 0 ? SHIM_PASS : SHIM_NO_PLACEHOLDER;
        for (int i = 0; i < argc;) {
                int length = i > run ? pair_length(argc, argv, i, words->placeholder) : 0;

                if (length == 0) {
                        replaced[n++] = argv[i++];
                        if (i == run + 1) {
                                replaced[n++] = label_option;
                                replaced[n++] = words->label;
                        }
                        continue;
                }
                /* One word becomes two: room for a single one of them is there, so a second is only
                 * counted. */
                if (pairs++ == 0) {
                        replaced[n++] = env_file_option;
                        replaced[n++] = words->env_file;
                }
                i += length;
        }
        replaced[n] = NULL;
        return pairs == 1 && count_placeholders(argc, argv) == 1 ? SHIM_REPLACED : SHIM_NO_PLACEHOLDER;
}
