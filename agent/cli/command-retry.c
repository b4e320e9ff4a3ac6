/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll retry: the agent starts over after FAILED, ends a pause before its time, looks at once at a host that is enrolled,
 * and takes back one that was told to leave.
 *
 * It is asked by a file in its state directory, which only root and the agent may write to: that works with and without
 * systemd, and needs neither a bus nor the agent's process number. The agent takes the file away; that is its answer.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/directory-watch.h"
#include "base/file.h"
#include "cli/command.h"
#include "enrolld/retry-wish.h"

#define ANSWER_US (10 * USEC_PER_SEC)

static int no_agent(const CommonOptions *options) {
        fprintf(stderr,
                "ece-enroll retry: no agent is at work with %s\n"
                "  Start it: systemctl start ece-enrolld. Or enroll this host in the foreground: ece-enroll run.\n",
                options->state_dir);
        return EXIT_CONFIGURATION;
}

static int cant(const char *what, const char *directory, int error) {
        fprintf(stderr, "ece-enroll retry: can't %s %s: %s\n", what, directory, strerror(-error));
        return error == -EACCES || error == -EPERM ? EXIT_DENIED : EXIT_INTERNAL;
}

static int await_answer(DirectoryWatch *watch, int state_fd) {
        usec_t until_us = usec_add(clock_boottime_us(), ANSWER_US);

        while (retry_wish_is_there(state_fd)) {
                usec_t left_us = usec_sub(until_us, clock_boottime_us());
                int error = left_us == 0 ? 0 : directory_watch_wait(watch, left_us);

                if (error < 0)
                        return command_failed(error);
                if (left_us == 0) {
                        (void) retry_wish_take(state_fd);
                        fprintf(stderr, "ece-enroll retry: the agent has not answered within 10 s; see ece-enroll status\n");
                        return EXIT_TRANSIENT;
                }
        }
        fprintf(stderr, "the agent tries again; ece-enroll wait returns when it is through\n");
        return EXIT_DONE;
}

int command_retry(const CommonOptions *options) {
        _cleanup_close_ int state_fd = open(options->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_watch_ DirectoryWatch watch = DIRECTORY_WATCH_NONE;
        int error;

        if (state_fd < 0)
                return errno == ENOENT ? no_agent(options) : cant("open", options->state_dir, -errno);
        error = directory_lock(state_fd);
        if (error >= 0)
                return no_agent(options);
        if (error != -EBUSY)
                return cant("look for an agent at", options->state_dir, error);
        error = directory_watch_open(options->state_dir, &watch);
        if (error < 0)
                return cant("watch", options->state_dir, error);
        error = retry_wish_write(state_fd);
        return error < 0 ? cant("write to", options->state_dir, error) : await_answer(&watch, state_fd);
}
