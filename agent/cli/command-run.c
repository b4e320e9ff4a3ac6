/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll run: the daemon's agent once, in the foreground, with the story on standard output and the report at the
 * end. It needs no systemd: the keeper is started on demand (keeper-launch.h), or found if a killed run left one behind.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/hooks-launch.h"
#include "cli/keeper-launch.h"
#include "enrolld/agent.h"
#include "report/fold.h"
#include "report/paint.h"
#include "report/status-file.h"
#include "report/status-json.h"
#include "report/status-text.h"

/* The same page that `ece-enroll status` shows, from the same file. */
static void print_report(const char *runtime_dir) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX), page = BUFFER_INIT(STATUS_TEXT_MAX);
        _cleanup_json_ json_t *status = NULL;

        if (status_file_read(runtime_dir, &text, &status) < 0 ||
            status_text_write(status, clock_realtime_us(), paint_wanted(STDOUT_FILENO), &page) < 0)
                return;
        (void) puts("");
        fold_print(buffer_string(&page));
        (void) fflush(stdout);
}

static int start_failed(int error, const CommonOptions *options) {
        fprintf(stderr, "ece-enroll: can't start with state directory %s and runtime directory %s: %s\n",
                options->state_dir, options->runtime_dir,
                error == -EBUSY ? "another run or the daemon is at work with them" : strerror(-error));
        return error == -EBUSY ? EXIT_TRANSIENT : EXIT_INTERNAL;
}

int command_run(const CommonOptions *options) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(agent_freep) Agent *agent = NULL;
        Story story = story_begin(STDOUT_FILENO, clock_boottime_us());
        AgentOptions agent_options = {
                .spec_path = options->spec_path,
                .state_dir = options->state_dir,
                .runtime_dir = options->runtime_dir,
                .one_shot = true,
                .start_keeper = keeper_launch,
                .story = options->log_lines ? NULL : &story,
        };
        pid_t hooks;
        int result;

        log_quiet_stderr(!options->log_lines);
        result = agent_block_signals();
        if (result >= 0)
                result = sd_event_default(&event);
        if (result >= 0)
                result = agent_new(event, &agent_options, &agent);
        if (result < 0)
                return start_failed(result, options);
        hooks = hooks_launch(options);
        result = agent_run(agent);
        hooks_await(hooks, options);
        if (!options->log_lines)
                print_report(options->runtime_dir);
        if (result < 0) {
                fprintf(stderr, "ece-enroll: internal fault: %s\n", strerror(-result));
                return EXIT_INTERNAL;
        }
        return result;
}
