/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the completions of the shells know of this program: printed for each of them in its own language, from the
 * table of commands, that of options and that of reasons.
 *
 * What can be completed is read off the words that people read in --help. For an option it is the name of its value, for a
 * command's arguments each word of them: FILE and DIR are paths, ROLE is a role or several with commas, REASON a reason. A word
 * in lower case is itself what can be typed as the first argument. Nothing is offered for any other name.
 */

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"

#define COMPLETION_WORD_SIZE 32U

/* The next word of Command.arguments, without brackets, bars, dots and options; *at moves on. False: no more. */
bool completion_next_word(const char **at, char ret[static COMPLETION_WORD_SIZE]);

/* A word of a command's arguments that is to be typed as it stands. */
bool completion_is_choice(const char *word);

/* Each option's name once, of all commands; NULL behind the last. */
const struct argp_option *completion_option(size_t n);

/* The inside of single quotes as the shells of Bourne's family have them; what is in `escaped` gets a backslash before it. */
void completion_text(const char *text, const char *escaped);

/* The part of a completion file that is made, on standard output. */
void completion_bash(void);
void completion_fish(void);
void completion_zsh(void);

/* The same for the shell of this name. False: there is none, and nothing was printed. */
bool completion_print(const char *shell);
