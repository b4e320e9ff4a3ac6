/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The completions of the shells are files in completions/, each with a part that is made here: what commands there are, what
 * they take, what reasons exist. How a shell uses that is written there by hand, in its own language. A test holds each made part
 * against what the program prints, so that a command can't be without its completion.
 *
 * Reasons stand in the files, and are not asked for when somebody presses a key: the files are installed with the program that
 * they were made from, and a key should start nothing. Nothing can fail but the writing, which main() looks at.
 */

#include "cli/completion.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

bool completion_next_word(const char **at, char ret[static COMPLETION_WORD_SIZE]) {
        static const char between[] = " []|.";

        while (*at) {
                const char *word = *at + strspn(*at, between);
                size_t n = strcspn(word, between);

                *at = word + n;
                if (n == 0)
                        break;
                if (*word == '-' || n >= COMPLETION_WORD_SIZE)
                        continue;
                (void) memcpy(ret, word, n);
                ret[n] = '\0';
                return true;
        }
        return false;
}

bool completion_is_choice(const char *word) {
        return islower((unsigned char) *word);
}

/* The first command that takes the option in the table's order tells it, the others would tell it again. */
static bool told_before(size_t command, const char *name) {
        const struct argp_option *o;

        for (size_t c = 0; c < command; c++)
                for (size_t i = 0; (o = command_option(commands + c, i)); i++)
                        if (streq(o->name, name))
                                return true;
        return false;
}

const struct argp_option *completion_option(size_t n) {
        const struct argp_option *o;

        for (size_t c = 0; c < n_commands; c++)
                for (size_t i = 0; (o = command_option(commands + c, i)); i++)
                        if (!told_before(c, o->name) && n-- == 0)
                                return o;
        return NULL;
}

void completion_text(const char *text, const char *escaped) {
        for (; *text; text++)
                if (*text == '\'')
                        (void) fputs("'\\''", stdout);
                else
                        printf("%s%c", strchr(escaped, *text) ? "\\" : "", *text);
}

bool completion_print(const char *shell) {
        static const struct {
                const char *shell;
                void (*print)(void);
        } shells[] = {
                { "bash", completion_bash },
                { "fish", completion_fish },
                { "zsh", completion_zsh },
        };

        for (size_t i = 0; i < ELEMENTS(shells); i++)
                if (streq(shells[i].shell, shell)) {
                        shells[i].print();
                        return true;
                }
        return false;
}
