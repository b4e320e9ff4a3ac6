/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The tables of completions/bash/ece-enroll: words in variables, and two functions that set variables of their caller, for
 * associative arrays would have to be filled again in each shell. Bash shows no descriptions, so there are none.
 */

#include <stdio.h>

#include "cli/completion.h"
#include "engine/classify.h"

static void print_options(const Command *command) {
        const struct argp_option *o;

        for (size_t i = 0; (o = command_option(command, i)); i++)
                printf("%s--%s", i > 0 ? " " : "", o->name);
}

static void print_arguments(const Command *command) {
        const char *at = command->arguments, *between = "";
        char word[COMPLETION_WORD_SIZE];

        for (; completion_next_word(&at, word); between = " ")
                printf("%s%s", between, word);
}

static void print_takes(void) {
        printf("_ece_enroll_takes() {\n        case $1 in\n");
        for (size_t i = 0; i < n_commands; i++) {
                printf("                %s) options='", commands[i].name);
                print_options(commands + i);
                printf("' arguments='");
                print_arguments(commands + i);
                printf("' ;;\n");
        }
        printf("        esac\n}\n");
}

static void print_value(void) {
        const struct argp_option *o;

        printf("_ece_enroll_value() {\n        case $1 in\n");
        for (size_t i = 0; (o = completion_option(i)); i++)
                if (o->arg)
                        printf("                --%s) value=%s ;;\n", o->name, o->arg);
        printf("        esac\n}\n");
}

void completion_bash(void) {
        const Reason *r;

        printf("_ece_enroll_commands='");
        for (size_t i = 0; i < n_commands; i++)
                printf("%s%s", i > 0 ? " " : "", commands[i].name);
        printf("'\n_ece_enroll_roles='");
        for (Role role = 0; role < _ROLE_MAX; role++)
                printf("%s ", role_to_string(role));
        printf("none'\n_ece_enroll_reasons='\n");
        for (size_t i = 0; (r = reason_at(i)); i++)
                printf("%s\n", r->id);
        printf("'\n\n");
        print_takes();
        printf("\n");
        print_value();
}
