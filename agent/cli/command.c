/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What every command needs: its options from one table, filtered by what it takes; the spec with its
 * problems told; an outcome told. argp exits by itself after --help and on a usage error, with 64.
 */

#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/classify.h"

enum { OPTION_SPEC = 0x100, OPTION_STATE_DIR, OPTION_RUNTIME_DIR, OPTION_JSON, OPTION_WATCH, OPTION_ONLINE, OPTION_MAN };

static const struct {
        int needs;
        struct argp_option option;
} all_options[] = {
        { TAKES_SPEC, { "spec", OPTION_SPEC, "FILE", 0, "The spec (default: $ECE_ENROLL_SPEC or " SPEC_FILE_DEFAULT ")", 0 } },
        { TAKES_DIRS, { "state-dir", OPTION_STATE_DIR, "DIR", 0, "Where the record is kept (default: " DEFAULT_STATE_DIR ")", 0 } },
        { TAKES_DIRS, { "runtime-dir", OPTION_RUNTIME_DIR, "DIR", 0, "Where status.json is (default: " DEFAULT_RUNTIME_DIR ")", 0 } },
        { TAKES_JSON, { "json", OPTION_JSON, NULL, 0, "Print JSON", 0 } },
        { TAKES_WATCH, { "watch", OPTION_WATCH, NULL, 0, "Print again at each change, until the state is final", 0 } },
        { TAKES_MAN, { "man", OPTION_MAN, NULL, OPTION_HIDDEN, NULL, 0 } }, /* for whoever makes the pages */
        { TAKES_ONLINE, { "online", OPTION_ONLINE, NULL, 0, "Ask the platform, too (reading only)", 0 } },
};

typedef struct ParseState {
        const Command *command;
        CommonOptions options;
} ParseState;

static error_t parse_option(int key, char *argument, struct argp_state *state) {
        ParseState *p = state->input;

        switch (key) {
        case OPTION_SPEC:
                p->options.spec_path = argument;
                return 0;
        case OPTION_STATE_DIR:
                p->options.state_dir = argument;
                return 0;
        case OPTION_RUNTIME_DIR:
                p->options.runtime_dir = argument;
                return 0;
        case OPTION_JSON:
                p->options.json = true;
                return 0;
        case OPTION_WATCH:
                p->options.watch = true;
                return 0;
        case OPTION_ONLINE:
                p->options.online = true;
                return 0;
        case OPTION_MAN:
                p->options.man = true;
                return 0;
        case ARGP_KEY_ARG:
                if (!(p->command->takes & TAKES_ARGUMENT) || p->options.argument)
                        argp_error(state, "too many arguments: '%.64s'", argument);
                p->options.argument = argument;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

CommonOptions command_parse(const Command *command, int argc, char *argv[]) {
        struct argp_option options[ELEMENTS(all_options) + 1] = {};
        char doc[2048], name[64];
        struct argp argp = { .options = options, .parser = parse_option, .args_doc = command->arguments, .doc = doc };
        ParseState state = {
                .command = command,
                .options = {
                        .spec_path = getenv("ECE_ENROLL_SPEC") ?: SPEC_FILE_DEFAULT,
                        .state_dir = DEFAULT_STATE_DIR,
                        .runtime_dir = DEFAULT_RUNTIME_DIR,
                },
        };
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTS(all_options); i++)
                if (command->takes & all_options[i].needs)
                        options[n++] = all_options[i].option;
        (void) snprintf(doc, sizeof(doc), "ece-enroll %s: %s\v%s", command->name, command->summary, command->help);
        (void) snprintf(name, sizeof(name), "ece-enroll %s", command->name);
        argv[0] = name;
        argp_err_exit_status = EXIT_BAD_USAGE;
        if (argp_parse(&argp, argc, argv, 0, NULL, &state) != 0)
                exit(EXIT_BAD_USAGE);
        return state.options;
}

static void print_problems(const Problems *problems) {
        for (size_t i = 0; i < problems->n; i++) {
                _cleanup_free_ char *line = problem_format(&problems->items[i]);

                fprintf(stderr, "%s\n", line ?: "out of memory");
        }
        if (problems->dropped)
                fprintf(stderr, "... and %zu more\n", problems->dropped);
}

int command_load_spec(const char *path, Spec **ret) {
        _cleanup_problems_ Problems problems = {};
        int error = spec_load(path, &problems, ret);

        print_problems(&problems);
        if (error >= 0)
                return EXIT_DONE;
        if (error == -ENOMEM) {
                fprintf(stderr, "ece-enroll: out of memory\n");
                return EXIT_INTERNAL;
        }
        if (error != -EINVAL)
                fprintf(stderr, "%s: %s\n", path, strerror(-error));
        return EXIT_CONFIGURATION;
}

int command_tell(const Outcome *outcome) {
        if (outcome->class == CLASS_OK)
                return EXIT_DONE;
        fprintf(stderr, "ece-enroll: %s [%s]\n", outcome->text, outcome->reason);
        if (outcome->remedy && outcome->remedy[0])
                fprintf(stderr, "  %s\n", outcome->remedy);
        return outcome->exit_code;
}

int command_tell_seen(const Observation *seen) {
        Outcome outcome;

        classify(seen, &outcome);
        return command_tell(&outcome);
}
