/* SPDX-License-Identifier: Apache-2.0 */

/* Invariants: exactly one placeholder pair of a `run` is replaced, in whichever way it is written;
 * anything else of a `run` is refused; all other subcommands are left alone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "base/buffer.h"
#include "installer/shim-arguments.h"
#include "model/installer-command.h"

#define P TOKEN_PLACEHOLDER_BEGIN "ID"
#define ANOTHER TOKEN_PLACEHOLDER_BEGIN "IE"
#define PAIR "RUNNER_ROLES_TOKEN=" P
#define WORDS_MAX 16
#define L "--label", "ece-enroll.attempt=ID"
#define F "--env-file", "/proc/self/fd/200"

static const struct {
        ShimVerdict verdict;
        const char *words[WORDS_MAX];
        const char *replaced[WORDS_MAX];
} rows[] = {
        { SHIM_PASS, { "docker" }, { NULL } },
        { SHIM_PASS, { "docker", "ps" }, { NULL } },
        { SHIM_PASS, { "docker", "--version" }, { NULL } },
        { SHIM_PASS, { "docker", "-H", "unix:///s", "pull", "image" }, { NULL } },
        { SHIM_PASS, { "docker", "-H", "run", "ps" }, { NULL } }, /* the value of an option is no subcommand */
        { SHIM_PASS, { "docker", "ps", "run" }, { NULL } },
        { SHIM_PASS, { "docker", "-H" }, { NULL } },
        { SHIM_PASS, { "podman-remote", "--url", "unix:///s", "version", "--format", "{{.Version}}" }, { NULL } },
        { SHIM_REPLACED, { "docker", "run", "--env", PAIR, "image" }, { "docker", "run", L, F, "image" } },
        { SHIM_REPLACED,
          { "docker", "-H", "unix:///s", "run", "--env", "A=b", "--env", PAIR, "--rm", "image", "cmd" },
          { "docker", "-H", "unix:///s", "run", L, "--env", "A=b", F, "--rm", "image", "cmd" } },
        { SHIM_REPLACED, { "podman-remote", "--url", "unix:///s", "run", "-e", PAIR, "image" },
          { "podman-remote", "--url", "unix:///s", "run", L, F, "image" } },
        { SHIM_REPLACED, { "docker", "--host=unix:///s", "--debug", "run", "--env=" PAIR, "i" },
          { "docker", "--host=unix:///s", "--debug", "run", L, F, "i" } },
        { SHIM_REPLACED, { "docker", "container", "run", "-e" PAIR, "i" }, { "docker", "container", "run", L, F, "i" } },
        { SHIM_REPLACED, { "docker", "run", "-e=" PAIR, "i" }, { "docker", "run", L, F, "i" } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "--env" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "--env", "RUNNER_ROLES_TOKEN=", "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "--env", PAIR "x", "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "--env", "X" PAIR, "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", PAIR, "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "-e", "RUNNER_ROLES_TOKEN=" ANOTHER, "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "-e", "RUNNER_ROLES_TOKEN=" TOKEN_PLACEHOLDER, "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "--env", PAIR, "-e", "X=" ANOTHER, "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "--env", PAIR, "--env", PAIR, "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "--env", PAIR, "-e" PAIR, "-e=" PAIR, "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "run", "--env", PAIR, "image", "--token", P }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "--env", PAIR, "run", "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "create", "--env", PAIR, "image" }, { NULL } },
        { SHIM_NO_PLACEHOLDER, { "docker", "-H", "x", "--config", "y", "-c", "z", "run", "image" }, { NULL } },
};

static void rows_hold(void **state) {
        static char env_file[] = "/proc/self/fd/200", label[] = "ece-enroll.attempt=ID";
        static const ShimWords words = { .placeholder = P, .env_file = env_file, .label = label };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                char *argv[WORDS_MAX + 1] = { NULL }, *replaced[WORDS_MAX + 4];
                int argc = 0;

                while (argc < WORDS_MAX && rows[i].words[argc]) {
                        argv[argc] = strdup(rows[i].words[argc]);
                        argc++;
                }
                if (shim_rewrite(argc, argv, &words, replaced) != rows[i].verdict)
                        fail_msg("row %zu", i);
                for (size_t w = 0; rows[i].verdict == SHIM_REPLACED && w < WORDS_MAX; w++) {
                        if (!rows[i].replaced[w]) {
                                assert_null(replaced[w]);
                                break;
                        }
                        assert_string_equal(replaced[w], rows[i].replaced[w]);
                }
                for (int w = 0; w < argc; w++)
                        free(argv[w]);
        }
}

/* As many words as fit: the array that the caller made is never left. */
static void room_is_enough(void **state) {
        static char pair[] = "-e" PAIR, word[] = "run", env_file[] = "f", label[] = "l", docker[] = "docker";
        const ShimWords words = { .placeholder = P, .env_file = env_file, .label = label };
        char *argv[64], *replaced[64 + 4];

        for (int argc = 2; argc < 64; argc++) {
                argv[0] = docker;
                argv[1] = word;
                for (int i = 2; i < argc; i++)
                        argv[i] = pair;
                replaced[argc + 4 - 1] = word;
                (void) shim_rewrite(argc, argv, &words, replaced);
                assert_true(replaced[argc + 4 - 1] == NULL || replaced[argc + 4 - 1] == word);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = { cmocka_unit_test(rows_hold), cmocka_unit_test(room_is_enough) };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
