/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll health: answers one HTTP request on standard input with this host's health (report/health.h). For a socket unit
 * with Accept=yes: systemd takes the connections, and a host that nobody asks runs nothing for it.
 *
 * Whoever has connected may be anybody: the request is bounded in size and time, and one that does not come is not waited for.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"
#include "report/health.h"
#include "report/status-file.h"
#include "report/status-json.h"

#define REQUEST_TIMEOUT_US (5 * USEC_PER_SEC)

/* 0; -ETIME, -EMSGSIZE, -EPIPE when it ends too early. */
static int read_request(Buffer *request) {
        usec_t until_us = usec_add(clock_boottime_us(), REQUEST_TIMEOUT_US);
        char chunk[1024];

        while (!health_request_is_whole(buffer_string(request))) {
                struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
                usec_t left_us = usec_sub(until_us, clock_boottime_us());
                ssize_t n;
                int error;

                if (left_us == 0 || poll(&in, 1, (int) (left_us / USEC_PER_MSEC) + 1) == 0)
                        return -ETIME;
                n = read(STDIN_FILENO, chunk, sizeof(chunk));
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        return -EPIPE;
                error = n > 0 ? buffer_append(request, chunk, (size_t) n) : 0;
                if (error < 0)
                        return error;
        }
        return 0;
}

int command_health(const CommonOptions *options) {
        _cleanup_buffer_ Buffer request = BUFFER_INIT(HEALTH_REQUEST_MAX), answer = BUFFER_INIT(HEALTH_ANSWER_MAX);
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX);
        _cleanup_json_ json_t *status = NULL;
        int error = read_request(&request);

        if (error == -ENOMEM)
                return command_failed(error);
        if (error < 0) /* nothing that could be answered; that happens, and is no fault of ours */
                return EXIT_DONE;
        error = status_file_read(options->runtime_dir, &text, &status);
        if (error == -ENOMEM)
                return command_failed(error);
        error = health_answer(buffer_string(&request), status, &answer);
        if (error >= 0)
                error = file_write_all(STDOUT_FILENO, answer.data, answer.size);
        return error < 0 ? command_failed(error) : EXIT_DONE;
}
