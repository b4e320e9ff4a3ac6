/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The arguments with which a script calls what it takes for the engine's client: words with NUL bytes between them.
 * Whatever they are, a placeholder never gets through to a container, a `run` never goes without the token, and nothing
 * but the pair and the label differs from what was asked for.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "installer/shim-arguments.h"
#include "model/installer-command.h"

#define WORDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition) {
        if (!condition)
                abort();
}

static void expect_replaced(int argc, char *argv[], char *replaced[], const char *env_file, const char *label) {
        int n = 0, env_files = 0, labels = 0, at = 0;

        for (; replaced[n]; n++) {
                expect(n < argc + 4 && (n == 0 || !strstr(replaced[n], TOKEN_PLACEHOLDER_BEGIN))); /* 0 is the name it was called by */
                env_files += replaced[n] == env_file;
                labels += replaced[n] == label;
                /* The rest are the script's words, in its order. */
                for (int i = at; i < argc; i++)
                        if (replaced[n] == argv[i]) {
                                at = i + 1;
                                break;
                        }
        }
        expect(env_files == 1 && labels == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static char env_file[] = "/proc/self/fd/200", label[] = "ece-enroll.attempt=0123";
        /* The seeds' attempt is the one that is called so. */
        static const ShimWords words = { .placeholder = TOKEN_PLACEHOLDER, .env_file = env_file, .label = label };
        char *argv[WORDS_MAX + 1] = { NULL }, *replaced[WORDS_MAX + 5] = { NULL };
        _cleanup_free_ char *text = malloc(size + 1);
        int argc = 0;
        bool placeholder = false;

        if (!text || size == 0)
                return 0;
        memcpy(text, data, size);
        text[size] = '\0';
        for (size_t i = 0; i < size && argc < WORDS_MAX; i += strlen(text + i) + 1) {
                argv[argc++] = text + i;
                placeholder = placeholder || (argc > 1 && strstr(text + i, TOKEN_PLACEHOLDER_BEGIN));
        }
        ShimVerdict verdict = shim_rewrite(argc, argv, &words, replaced);
        expect(verdict == SHIM_PASS || verdict == SHIM_REPLACED || verdict == SHIM_NO_PLACEHOLDER);
        if (verdict == SHIM_PASS)
                expect(!placeholder);
        if (verdict == SHIM_REPLACED) {
                expect(placeholder);
                expect_replaced(argc, argv, replaced, env_file, label);
        }
        return 0;
}
