/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The commands of ece-enroll: what they share. Each command-NAME.c has one function that takes the
 * arguments behind the command's name and returns the exit code of the contract. */

#include <argp.h>
#include <stdbool.h>

#include "base/clock.h"
#include "cli/platform-session.h"
#include "model/outcome.h"
#include "model/problem.h"
#include "model/role.h"
#include "model/spec.h"

#define ARGUMENTS_MAX 64U

typedef struct CommonOptions {
        const char *spec_path;
        const char *state_dir;
        const char *runtime_dir;
        bool json;
        bool watch;
        bool online;
        bool once;
        bool log_lines; /* --log-format: lines of a log instead of the story for people */
        bool man;             /* print this part of the manual instead */
        const char *argument; /* the first positional argument, or NULL */
        size_t n_arguments;   /* all of them, for a command that takes many */
        const char *arguments[ARGUMENTS_MAX];

        bool roles_given; /* --role or --set */
        RoleSet roles;
        bool persistent;
        usec_t validity_us; /* 0: not given */
        bool show;
        bool force;
        bool yes;
        bool no_move;
        usec_t timeout_us; /* 0: not given */
        const char *runner_id;
} CommonOptions;

typedef enum OptionSet {
        TAKES_SPEC = 1 << 0, /* --spec, and the positional FILE where a command takes one */
        TAKES_DIRS = 1 << 1,
        TAKES_JSON = 1 << 2,
        TAKES_WATCH = 1 << 3,
        TAKES_ONLINE = 1 << 4,
        TAKES_ARGUMENT = 1 << 5,
        TAKES_MAN = 1 << 6,
        TAKES_ARGUMENTS = 1 << 7,
        TAKES_TOKEN_WISH = 1 << 8, /* --role, --persistent, --validity, --show */
        TAKES_FORCE = 1 << 9,
        TAKES_SET = 1 << 10,
        TAKES_YES = 1 << 11, /* --yes, --no-move */
        TAKES_TIMEOUT = 1 << 12,
        TAKES_RUNNER = 1 << 13,
        TAKES_ONCE = 1 << 14,
        TAKES_LOG_FORMAT = 1 << 15,
} OptionSet;

typedef struct Command {
        const char *name;
        const char *arguments; /* "[FILE]" or NULL; completion.h says what completion makes of it */
        const char *summary;   /* one line of the overview */
        const char *help;      /* what --help says beside the options, with examples */
        int takes;             /* OptionSet */
        int (*run)(const CommonOptions *options);
} Command;

extern const Command commands[];
extern const size_t n_commands;

int command_validate(const CommonOptions *options);
int command_pin(const CommonOptions *options);
int command_plan(const CommonOptions *options);
int command_check(const CommonOptions *options);
int command_run(const CommonOptions *options);
int command_schema(const CommonOptions *options);
int command_status(const CommonOptions *options);
int command_explain(const CommonOptions *options);
int command_token(const CommonOptions *options);
int command_roles(const CommonOptions *options);
int command_leave(const CommonOptions *options);
int command_wait(const CommonOptions *options);
int command_retry(const CommonOptions *options);
int command_hooks(const CommonOptions *options);
int command_health(const CommonOptions *options);
int command_diag(const CommonOptions *options);

/* Where `hooks --once` finds the watch on the runtime directory that its run has begun. */
#define HOOKS_WATCH_FD 3

/* An option of a command as argp has it, n from 0; NULL behind the last. What is hidden is left out. */
const struct argp_option *command_option(const Command *command, size_t n);

/* Parses argv[1...] for a command; prints help or a usage error and exits by itself (0, 64). */
CommonOptions command_parse(const Command *command, int argc, char *argv[]);

/* Loads the spec and prints every problem to standard error, one a line. 0 and *ret, or the exit code. */
int command_load_spec(const char *path, Spec **ret);

/* Opens the platform for the spec (borrowed by the session), and tells why it can't be opened. 0 and *ret, or the exit code. */
int command_open_session(const Spec *spec, PlatformSession **ret);

/* A fault of ours or of the machine, told. Returns its exit code. */
int command_failed(int error);

/* Says what is wrong with the call, and where to read more. Returns 64. */
int command_misused(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "allocator,proxy", "none" or one word: added to *set. False: no such role. */
bool command_read_roles(const char *text, RoleSet *set);

/* An outcome as a person wants it on standard error: sentence, reason id, remedy. Returns its exit code. */
int command_tell(const Outcome *outcome);
int command_tell_seen(const Observation *seen);
