/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll wait: returns when the host is enrolled, or has failed. It reads what `status` reads, asks no daemon and needs no
 * privilege; ece-enroll-wait.service is this command, and makes `systemctl start ece-enrolled.target` return at the right moment.
 *
 * A status that is not there yet is waited for: whoever waits may be earlier than the agent. A host that has left does not come
 * back by waiting.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/directory-watch.h"
#include "base/text.h"
#include "cli/command.h"
#include "report/status-file.h"
#include "report/status-json.h"

typedef struct Wait {
        const CommonOptions *options;
        Buffer text;
        json_t *status; /* the last one read; NULL: none yet */
} Wait;

static void wait_done(Wait *w) {
        json_decref(w->status);
        buffer_done(&w->text);
}

static int read_again(Wait *w) {
        _cleanup_json_ json_t *status = NULL;
        int error;

        buffer_clear(&w->text);
        error = status_file_read(w->options->runtime_dir, &w->text, &status);
        if (error == -ENOENT)
                return 0;
        if (error < 0) {
                fprintf(stderr, "ece-enroll wait: can't read %s/%s: %s\n", w->options->runtime_dir, STATUS_FILE, strerror(-error));
                return error;
        }
        json_decref(w->status);
        w->status = TAKE_PTR(status);
        return 0;
}

static const char *reason(const Wait *w, const char *member) {
        return json_member_string(json_member_object(w->status, "reason"), member) ?: "";
}

static bool is_over(const Wait *w) {
        const char *state = json_member_string(w->status, "state") ?: "";

        return streq(state, "ENROLLED") || streq(state, "FAILED") || streq(reason(w, "id"), "host.left");
}

/* Why it is not enrolled, as far as is known. */
static void tell(const Wait *w, const char *how) {
        const char *id = reason(w, "id");

        fprintf(stderr, "ece-enroll wait: %s", how);
        if (w->status)
                fprintf(stderr, ": %s", json_member_string(w->status, "state") ?: "");
        if (*id)
                fprintf(stderr, ": %s [%s]", reason(w, "text"), id);
        fprintf(stderr, "\n");
        if (*reason(w, "remedy"))
                fprintf(stderr, "  %s\n", reason(w, "remedy"));
}

static void tell_success(const Wait *w) {
        const json_t *roles = json_member_array(w->status, "roles"), *role;
        size_t i;

        printf("this host is enrolled into ECE as runner %s (", json_member_string(w->status, "runner_id") ?: "");
        json_array_foreach(roles, i, role)
                printf("%s%s", i > 0 ? ", " : "", json_string_value(role) ?: "");
        printf("%s)\n", json_array_size(roles) == 0 ? "no roles" : "");
}

static int end(const Wait *w) {
        bool enrolled = streq(json_member_string(w->status, "state") ?: "", "ENROLLED");

        if (w->options->json)
                (void) fputs(buffer_string(&w->text), stdout);
        else if (enrolled)
                tell_success(w);
        if (enrolled)
                return EXIT_DONE;
        tell(w, "not enrolled");
        return (int) json_member_integer(w->status, "exit_code", EXIT_CONFIGURATION);
}

int command_wait(const CommonOptions *options) {
        _cleanup_(wait_done) Wait w = { .options = options, .text = BUFFER_INIT(STATUS_SIZE_MAX) };
        _cleanup_watch_ DirectoryWatch watch = DIRECTORY_WATCH_NONE;
        usec_t until_us = options->timeout_us ? usec_add(clock_boottime_us(), options->timeout_us) : USEC_INFINITY;
        int error = directory_watch_open(options->runtime_dir, &watch);

        if (error < 0) {
                fprintf(stderr, "ece-enroll wait: can't watch %s: %s\n", options->runtime_dir, strerror(-error));
                return error == -ENOENT ? EXIT_CONFIGURATION : EXIT_INTERNAL;
        }
        for (;;) {
                usec_t now_us = clock_boottime_us();

                if (read_again(&w) < 0)
                        return EXIT_INTERNAL;
                if (is_over(&w))
                        return end(&w);
                if (now_us >= until_us) {
                        tell(&w, "not enrolled yet");
                        return EXIT_TRANSIENT;
                }
                error = directory_watch_wait(&watch, until_us == USEC_INFINITY ? USEC_INFINITY : usec_sub(until_us, now_us));
                if (error < 0)
                        return command_failed(error);
        }
}
