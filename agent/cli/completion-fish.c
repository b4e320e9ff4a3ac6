/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The tables of completions/fish/ece-enroll.fish: a `complete` for each command, each of its options, each of its arguments,
 * and functions that print lists with their descriptions. In fish's single quotes a backslash escapes a quote and itself.
 */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/completion.h"
#include "engine/classify.h"

static void print_quoted(const char *text) {
        (void) fputc('\'', stdout);
        for (; *text; text++)
                printf("%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
        (void) fputc('\'', stdout);
}

/* What completes a value of this name: -F is files, else nothing but what is listed. */
static const char *source(const char *name) {
        static const struct {
                const char *name, *source;
        } sources[] = {
                { "FILE", "-F" },
                { "DIR", "-f -a '(__ece_enroll_directories)'" },
                { "ROLE", "-f -a '(__fish_complete_list , __ece_enroll_roles)'" },
                { "REASON", "-f -a '(__ece_enroll_reasons)'" },
        };

        for (size_t i = 0; i < ELEMENTS(sources); i++)
                if (streq(sources[i].name, name))
                        return sources[i].source;
        return "-f";
}

static void print_command(const Command *command) {
        const char *at = command->arguments;
        char word[COMPLETION_WORD_SIZE];
        const struct argp_option *o;

        printf("\ncomplete -c ece-enroll -n __ece_enroll_no_command -a %s -d ", command->name);
        print_quoted(command->summary);
        (void) fputc('\n', stdout);
        for (size_t i = 0; (o = command_option(command, i)); i++) {
                printf("complete -c ece-enroll -n '__ece_enroll_is %s' -l %s %s%s%s-d ", command->name,
                       o->name, o->arg ? "-r " : "", o->arg ? source(o->arg) : "", o->arg ? " " : "");
                print_quoted(o->doc);
                (void) fputc('\n', stdout);
        }
        while (completion_next_word(&at, word))
                if (completion_is_choice(word))
                        printf("complete -c ece-enroll -n '__ece_enroll_is %s; and __ece_enroll_is_first' -a "
                               "%s\n",
                               command->name, word);
                else if (!streq(source(word), "-f"))
                        printf("complete -c ece-enroll -n '__ece_enroll_is %s%s' %s\n", command->name,
                               streq(word, "ROLE") ? "" : "; and __ece_enroll_is_first", source(word));
}

static void print_options_with_values(void) {
        const struct argp_option *o;

        printf("set -g __ece_enroll_options_with_values");
        for (size_t i = 0; (o = completion_option(i)); i++)
                if (o->arg)
                        printf(" --%s", o->name);
        (void) fputc('\n', stdout);
}

void completion_fish(void) {
        const Reason *r;

        print_options_with_values();
        printf("\nfunction __ece_enroll_roles\n        printf '%%s\\n'");
        for (Role role = 0; role < _ROLE_MAX; role++)
                printf(" %s", role_to_string(role));
        printf(" none\nend\n\nfunction __ece_enroll_reasons\n        printf '%%s\\t%%s\\n'");
        for (size_t i = 0; (r = reason_at(i)); i++) {
                printf(" \\\n                %s ", r->id);
                print_quoted(r->sentence);
        }
        printf("\nend\n");
        for (size_t i = 0; i < n_commands; i++)
                print_command(commands + i);
}
