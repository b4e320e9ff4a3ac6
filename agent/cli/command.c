/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What every command needs: its options from one table, filtered by what it takes; the spec with its
 * problems told; an outcome told. argp exits by itself after --help and on a usage error, with 64.
 */

#include "cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "engine/classify.h"

enum {
        OPTION_SPEC = 0x100,
        OPTION_STATE_DIR,
        OPTION_RUNTIME_DIR,
        OPTION_JSON,
        OPTION_WATCH,
        OPTION_ONLINE,
        OPTION_MAN,
        OPTION_ROLE,
        OPTION_PERSISTENT,
        OPTION_VALIDITY,
        OPTION_SHOW,
        OPTION_SET,
        OPTION_RUNNER,
        OPTION_FORCE,
        OPTION_YES,
        OPTION_NO_MOVE,
        OPTION_TIMEOUT,
        OPTION_ONCE,
        OPTION_LOG_FORMAT,
};

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
        { TAKES_TOKEN_WISH, { "role", OPTION_ROLE, "ROLE", 0, "A role that the token is for, several with commas, or none", 0 } },
        { TAKES_TOKEN_WISH, { "persistent", OPTION_PERSISTENT, NULL, 0, "A token that lives until it is deleted", 0 } },
        { TAKES_TOKEN_WISH, { "validity", OPTION_VALIDITY, "TIME", 0, "How long the token lives (default: the spec's)", 0 } },
        { TAKES_TOKEN_WISH, { "show", OPTION_SHOW, NULL, 0, "Print the token to a terminal as well", 0 } },
        { TAKES_SET, { "set", OPTION_SET, "ROLE", 0, "Give the runner these roles, and no other of the four; none: no role at all", 0 } },
        { TAKES_RUNNER, { "runner-id", OPTION_RUNNER, "ID", 0, "Another runner than this host", 0 } },
        { TAKES_FORCE, { "force", OPTION_FORCE, NULL, 0, "Do it although it is refused with good reason", 0 } },
        { TAKES_YES, { "yes", OPTION_YES, NULL, 0, "Do it; without it only what would be done is told", 0 } },
        { TAKES_YES, { "no-move", OPTION_NO_MOVE, NULL, 0, "Wait until somebody else has moved the instances away", 0 } },
        { TAKES_TIMEOUT, { "timeout", OPTION_TIMEOUT, "TIME", 0, "How long to wait", 0 } },
        { TAKES_LOG_FORMAT,
          { "log-format", OPTION_LOG_FORMAT, "WORD", 0, "A log on standard error instead of the story: plain, or ecs (JSON, Elastic Common Schema)", 0 } },
        { TAKES_ONCE, { "once", OPTION_ONCE, NULL, OPTION_HIDDEN, NULL, 0 } }, /* for a run's own hooks */
        { TAKES_ONLINE, { "online", OPTION_ONLINE, NULL, 0, "Ask the platform, too (reading only)", 0 } },
};

typedef struct ParseState {
        const Command *command;
        CommonOptions options;
} ParseState;

bool command_read_roles(const char *text, RoleSet *set) {
        RoleSet found = *set;

        if (streq(text, "none"))
                return true;
        for (const char *at = text;; at += 1) {
                size_t n = strcspn(at, ",");
                char word[32];
                Role role;

                (void) snprintf(word, sizeof(word), "%.*s", (int) (n < sizeof(word) ? n : sizeof(word) - 1), at);
                role = role_from_string(word);
                if (role < 0)
                        return false;
                found |= role_bit(role);
                at += n;
                if (*at == '\0')
                        break;
        }
        *set = found;
        return true;
}

static void take_roles(ParseState *p, const char *text, struct argp_state *state) {
        const char *near = text_suggest(text, role_words(), _ROLE_MAX);

        p->options.roles_given = true;
        if (!command_read_roles(text, &p->options.roles))
                argp_error(state, "there is no role '%.64s'%s%s%s; there are allocator, coordinator, director, proxy, and none", text,
                           near ? ": did you mean '" : "", near ?: "", near ? "'?" : "");
}

static usec_t take_time(const char *text, struct argp_state *state) {
        usec_t time_us = 0;

        if (duration_parse(text, &time_us) < 0 || time_us == 0)
                argp_error(state, "'%.64s' is no time: write 90s, 20m or 1h", text);
        return time_us;
}

static void take_argument(ParseState *p, const char *argument, struct argp_state *state) {
        size_t most = p->command->takes & TAKES_ARGUMENTS ? ARGUMENTS_MAX : p->command->takes & TAKES_ARGUMENT ? 1 : 0;

        if (p->options.n_arguments >= most)
                argp_error(state, "too many arguments: '%.64s'", argument);
        p->options.arguments[p->options.n_arguments++] = argument;
        p->options.argument = p->options.arguments[0];
}

/* The options of those commands that change something on the platform. */
static error_t parse_further(int key, char *argument, ParseState *p, struct argp_state *state) {
        switch (key) {
        case OPTION_ROLE:
        case OPTION_SET:
                take_roles(p, argument, state);
                return 0;
        case OPTION_PERSISTENT:
                p->options.persistent = true;
                return 0;
        case OPTION_VALIDITY:
                p->options.validity_us = take_time(argument, state);
                return 0;
        case OPTION_SHOW:
                p->options.show = true;
                return 0;
        case OPTION_FORCE:
                p->options.force = true;
                return 0;
        case OPTION_YES:
                p->options.yes = true;
                return 0;
        case OPTION_NO_MOVE:
                p->options.no_move = true;
                return 0;
        case OPTION_TIMEOUT:
                p->options.timeout_us = take_time(argument, state);
                return 0;
        case OPTION_LOG_FORMAT:
                if (log_set_format(argument) < 0)
                        argp_error(state, "'%.32s' is no format of a log; there are plain and ecs", argument);
                p->options.log_lines = true;
                return 0;
        case OPTION_ONCE:
                p->options.once = true;
                return 0;
        case OPTION_RUNNER:
                p->options.runner_id = argument;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

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
                take_argument(p, argument, state);
                return 0;
        default:
                return parse_further(key, argument, p, state);
        }
}

const struct argp_option *command_option(const Command *command, size_t n) {
        for (size_t i = 0; i < ELEMENTS(all_options); i++)
                if (command->takes & all_options[i].needs && !(all_options[i].option.flags & OPTION_HIDDEN) && n-- == 0)
                        return &all_options[i].option;
        return NULL;
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
        if (n == 0)
                argp.options = NULL; /* of a list without any, glibc's help leaks what it made for it */
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

int command_failed(int error) {
        fprintf(stderr, "ece-enroll: %s\n", strerror(-error));
        return EXIT_INTERNAL;
}

int command_open_session(const Spec *spec, PlatformSession **ret) {
        Observation refusal;
        int error = platform_session_open(spec, ret, &refusal);

        if (error < 0)
                return command_failed(error);
        return *ret ? EXIT_DONE : command_tell_seen(&refusal);
}

int command_misused(const char *command, const char *format, ...) {
        va_list arguments;

        fprintf(stderr, "ece-enroll %s: ", command);
        va_start(arguments, format);
        (void) vfprintf(stderr, format, arguments);
        va_end(arguments);
        fprintf(stderr, "\nTry `ece-enroll %s --help`.\n", command);
        return EXIT_BAD_USAGE;
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
