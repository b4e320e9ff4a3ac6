/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enrolld: the agent as a daemon. Options, signals, guards, loop; everything else is the Agent's.
 *
 * The keeper's socket is somebody else's to provide (systemd's, or systemd-socket-activate by hand), so the
 * daemon starts no program at all. It exits only when told to, or with 70 when the machine fails it.
 */

#include "enrolld/main.h"

#include <argp.h>

#include "base/log.h"
#include "base/secret.h"
#include "enrolld/agent.h"

enum { OPTION_SPEC = 0x100, OPTION_STATE_DIR, OPTION_RUNTIME_DIR, OPTION_DEBUG, OPTION_LOG_FORMAT };

static const struct argp_option arg_options[] = {
        { "spec", OPTION_SPEC, "FILE", 0, "The spec (default: $ECE_ENROLL_SPEC or " SPEC_FILE_DEFAULT ")", 0 },
        { "state-dir", OPTION_STATE_DIR, "DIR", 0, "Where the record is kept (default: " DEFAULT_STATE_DIR ")", 0 },
        { "runtime-dir", OPTION_RUNTIME_DIR, "DIR", 0,
          "Where status.json and the keeper's socket are (default: " DEFAULT_RUNTIME_DIR ")", 0 },
        { "debug", OPTION_DEBUG, NULL, 0, "Log each event of the state machine", 0 },
        { "log-format", OPTION_LOG_FORMAT, "WORD", 0, "plain, or ecs: JSON by the Elastic Common Schema on standard error", 0 },
        {},
};

static error_t parse_option(int key, char *argument, struct argp_state *state) {
        AgentOptions *options = state->input;

        switch (key) {
        case OPTION_SPEC:
                options->spec_path = argument;
                return 0;
        case OPTION_STATE_DIR:
                options->state_dir = argument;
                return 0;
        case OPTION_RUNTIME_DIR:
                options->runtime_dir = argument;
                return 0;
        case OPTION_DEBUG:
                log_set_level(LOG_DEBUG);
                return 0;
        case OPTION_LOG_FORMAT:
                if (log_set_format(argument) < 0)
                        argp_error(state, "'%.32s' is no format of a log; there are plain and ecs", argument);
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static int run(const AgentOptions *options) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(agent_freep) Agent *agent = NULL;
        int error;

        error = agent_block_signals();
        if (error >= 0)
                error = process_guard_secrets();
        if (error >= 0)
                error = sd_event_default(&event);
        if (error < 0)
                return log_error_errno(error, "can't start");
        error = agent_new(event, options, &agent);
        return error < 0 ? error : agent_run(agent);
}

int enrolld_main(int argc, char *argv[]) {
        static const struct argp argp = {
                .options = arg_options,
                .parser = parse_option,
                .doc = "Enrolls this host into an Elastic Cloud Enterprise installation as its spec says.\v"
                       "SIGHUP reads the spec anew, SIGUSR1 tries again after FAILED.",
        };
        AgentOptions options = {
                .spec_path = getenv("ECE_ENROLL_SPEC") ?: SPEC_FILE_DEFAULT,
                .state_dir = getenv("STATE_DIRECTORY") ?: DEFAULT_STATE_DIR,
                .runtime_dir = getenv("RUNTIME_DIRECTORY") ?: DEFAULT_RUNTIME_DIR,
        };
        int result;

        log_open("ece-enrolld", LOG_INFO);
        argp_program_version = "ece-enrolld " PACKAGE_VERSION;
        argp_err_exit_status = EXIT_BAD_USAGE;
        if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
                return EXIT_BAD_USAGE;
        result = run(&options);
        return result < 0 ? EXIT_INTERNAL : result;
}
