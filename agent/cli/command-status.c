/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll status: reads status.json and shows it. It asks no daemon and needs no privilege, so it
 * answers also when the agent hangs or is gone. --watch waits for the file to be replaced (inotify).
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/directory-watch.h"
#include "base/text.h"
#include "cli/command.h"
#include "report/fold.h"
#include "report/paint.h"
#include "report/status-file.h"
#include "report/status-json.h"
#include "report/status-text.h"

static int read_status(const char *runtime_dir, Buffer *text, json_t **ret) {
        int error = status_file_read(runtime_dir, text, ret);

        if (error == -ENOENT)
                fprintf(stderr, "ece-enroll: no status in %s: no agent has run on this host since it booted\n", runtime_dir);
        else if (error == -EBADMSG)
                fprintf(stderr, "ece-enroll: %s/%s is not a status\n", runtime_dir, STATUS_FILE);
        else if (error < 0)
                fprintf(stderr, "ece-enroll: can't read %s/%s: %s\n", runtime_dir, STATUS_FILE, strerror(-error));
        return error == -ENOENT ? EXIT_CONFIGURATION : error < 0 ? EXIT_INTERNAL : EXIT_DONE;
}

static int show(const char *runtime_dir, bool as_json, bool *ret_final) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX), page = BUFFER_INIT(STATUS_TEXT_MAX);
        _cleanup_json_ json_t *status = NULL;
        const char *state;
        int code = read_status(runtime_dir, &text, &status);

        if (code != EXIT_DONE)
                return code;
        state = json_member_string(status, "state") ?: "";
        *ret_final = streq(state, "ENROLLED") || streq(state, "FAILED");
        if (as_json) {
                (void) fputs(buffer_string(&text), stdout);
        } else {
                if (status_text_write(status, clock_realtime_us(), paint_wanted(STDOUT_FILENO), &page) < 0)
                        return EXIT_INTERNAL;
                fold_print(buffer_string(&page));
        }
        (void) fflush(stdout);
        return EXIT_DONE;
}

int command_status(const CommonOptions *options) {
        _cleanup_watch_ DirectoryWatch watch = DIRECTORY_WATCH_NONE;
        bool final = false;
        int code, error;

        if (options->watch) {
                error = directory_watch_open(options->runtime_dir, &watch);
                if (error < 0) {
                        fprintf(stderr, "ece-enroll: can't watch %s: %s\n", options->runtime_dir, strerror(-error));
                        return EXIT_INTERNAL;
                }
        }
        for (;;) {
                code = show(options->runtime_dir, options->json, &final);
                /* A status that is not there yet is worth waiting for; one that can't be read is not. */
                if (!options->watch || final || (code != EXIT_DONE && code != EXIT_CONFIGURATION))
                        return code;
                if (directory_watch_wait(&watch, USEC_INFINITY) < 0)
                        return EXIT_INTERNAL;
        }
}
