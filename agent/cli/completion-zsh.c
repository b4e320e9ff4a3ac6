/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The tables of completions/zsh/_ece-enroll: lists for _describe, and for each command what _arguments takes, in the form of
 * zshcompsys(1).
 */

#include <stdio.h>

#include "base/text.h"
#include "cli/completion.h"
#include "engine/classify.h"

/* What completes a value of this name. */
static const char *action(const char *name) {
        static const struct {
                const char *name, *action;
        } actions[] = {
                { "FILE", "_files" },
                { "DIR", "_directories" },
                { "ROLE", "_ece_enroll_roles" },
                { "REASON", "_ece_enroll_reasons" },
        };

        for (size_t i = 0; i < ELEMENTS(actions); i++)
                if (streq(actions[i].name, name))
                        return actions[i].action;
        return " "; /* only told what is wanted */
}

static void print_option(const struct argp_option *o) {
        bool again = o->arg && streq(o->arg, "ROLE");

        printf("                        '%s--%s%s[", again ? "*" : "", o->name, o->arg ? "=" : "");
        completion_text(o->doc, "[]\\");
        if (o->arg)
                printf("]:%s:%s'\n", o->arg, action(o->arg));
        else
                printf("]'\n");
}

/* Choices are for the first argument; a role may be named again and again, and so may what only has a name. */
static void print_arguments(const Command *command) {
        const char *at = command->arguments, *between = "";
        char word[COMPLETION_WORD_SIZE];
        bool choices = false;

        while (completion_next_word(&at, word))
                if (completion_is_choice(word)) {
                        printf("%s%s", choices ? " " : "                        '1:action:(", word);
                        choices = true;
                }
        if (choices)
                printf(")'\n");
        for (at = command->arguments; completion_next_word(&at, word); between = "*")
                if (!completion_is_choice(word)) {
                        printf("                        '%s:",
                               choices || *between || streq(word, "ROLE") ? "*" : "1");
                        completion_text(word, ":");
                        printf(":%s'\n", action(word));
                }
}

static void print_takes(void) {
        const struct argp_option *o;

        printf("_ece_enroll_takes() {\n        case $1 in\n");
        for (size_t c = 0; c < n_commands; c++) {
                printf("                %s) arguments=(\n", commands[c].name);
                for (size_t i = 0; (o = command_option(commands + c, i)); i++)
                        print_option(o);
                print_arguments(commands + c);
                printf("                        ) ;;\n");
        }
        printf("        esac\n}\n");
}

static void print_described(const char *name, const char *text) {
        printf("        '%s:", name);
        completion_text(text, "\\");
        printf("'\n");
}

void completion_zsh(void) {
        const Reason *r;

        printf("_ece_enroll_command_list=(\n");
        for (size_t i = 0; i < n_commands; i++)
                print_described(commands[i].name, commands[i].summary);
        printf(")\n_ece_enroll_role_list=(");
        for (Role role = 0; role < _ROLE_MAX; role++)
                printf("%s ", role_to_string(role));
        printf("none)\n_ece_enroll_reason_list=(\n");
        for (size_t i = 0; (r = reason_at(i)); i++)
                print_described(r->id, r->sentence);
        printf(")\n\n");
        print_takes();
}
