/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll status: reads status.json and shows it. It asks no daemon and needs no privilege, so it
 * answers also when the agent hangs or is gone. --watch waits for the file to be replaced (inotify).
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "report/paint.h"
#include "report/status-file.h"
#include "report/status-json.h"
#include "report/status-text.h"

static int read_status(const char *path, Buffer *text, json_t **ret) {
        char why[JSON_WHY_SIZE];
        int error = file_read(path, text);

        if (error == -ENOENT) {
                fprintf(stderr, "ece-enroll: no status at %s: no agent has run on this host since it booted\n", path);
                return EXIT_CONFIGURATION;
        }
        if (error < 0) {
                fprintf(stderr, "ece-enroll: can't read %s: %s\n", path, strerror(-error));
                return EXIT_INTERNAL;
        }
        if (json_read(buffer_string(text), text->size, ret, why) < 0 || !json_is_object(*ret)) {
                fprintf(stderr, "ece-enroll: %s is not a status\n", path);
                return EXIT_INTERNAL;
        }
        return EXIT_DONE;
}

static int show(const char *path, bool as_json, bool *ret_final) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX), page = BUFFER_INIT(STATUS_TEXT_MAX);
        _cleanup_json_ json_t *status = NULL;
        const char *state;
        int code = read_status(path, &text, &status);

        if (code != EXIT_DONE)
                return code;
        state = json_member_string(status, "state") ?: "";
        *ret_final = streq(state, "ENROLLED") || streq(state, "FAILED");
        if (as_json) {
                (void) fputs(buffer_string(&text), stdout);
        } else {
                if (status_text_write(status, clock_realtime_us(), paint_wanted(STDOUT_FILENO), &page) < 0)
                        return EXIT_INTERNAL;
                (void) fputs(buffer_string(&page), stdout);
        }
        (void) fflush(stdout);
        return EXIT_DONE;
}

/* Waits until something in the directory was renamed: the status is replaced, never written in place. */
static int wait_for_change(int inotify_fd) {
        char events[4096];
        struct pollfd p = { .fd = inotify_fd, .events = POLLIN };

        if (poll(&p, 1, -1) < 0)
                return errno == EINTR ? 0 : -errno;
        return read(inotify_fd, events, sizeof(events)) < 0 ? -errno : 0;
}

int command_status(const CommonOptions *options) {
        _cleanup_close_ int inotify_fd = -1;
        char path[4096];
        bool final = false;
        int code;

        (void) snprintf(path, sizeof(path), "%s/%s", options->runtime_dir, STATUS_FILE);
        if (options->watch) {
                inotify_fd = inotify_init1(IN_CLOEXEC);
                if (inotify_fd < 0 || inotify_add_watch(inotify_fd, options->runtime_dir, IN_MOVED_TO) < 0) {
                        fprintf(stderr, "ece-enroll: can't watch %s: %s\n", options->runtime_dir, strerror(errno));
                        return EXIT_INTERNAL;
                }
        }
        for (;;) {
                code = show(path, options->json, &final);
                /* A status that is not there yet is worth waiting for; one that can't be read is not. */
                if (!options->watch || final || (code != EXIT_DONE && code != EXIT_CONFIGURATION))
                        return code;
                if (wait_for_change(inotify_fd) < 0)
                        return EXIT_INTERNAL;
        }
}
