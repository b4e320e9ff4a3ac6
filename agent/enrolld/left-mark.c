/* SPDX-License-Identifier: Apache-2.0 */

/* Its being there is what counts; what is in it is for people. What may fail: the disk. */

#include "enrolld/left-mark.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

int left_mark_write(int state_fd, const char *runner_id, usec_t now_realtime_us) {
        char text[256], when[RFC3339_SIZE];
        int n = snprintf(text, sizeof(text), "{\"runner_id\":\"%.128s\",\"at\":\"%s\"}\n", runner_id,
                         clock_format_rfc3339(now_realtime_us, when));

        return file_replace(state_fd, LEFT_FILE, text, (size_t) n, 0644, FILE_DURABLE);
}

bool left_mark_is_there(int state_fd) {
        return state_fd >= 0 && faccessat(state_fd, LEFT_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int left_mark_remove(int state_fd) {
        return state_fd >= 0 && left_mark_is_there(state_fd) ? file_remove(state_fd, LEFT_FILE) : 0;
}
