/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The two files that others may trust without asking us: status.json is replaced whole, never seen
 * half-written; `enrolled` comes after the status that says so and goes before the one that does not,
 * so that whoever finds the mark finds a status that agrees. The directory lives in memory (/run), so
 * nothing is synced.
 */

#include "report/status-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/text.h"
#include "report/status-json.h"

int status_file_publish(int runtime_fd, const Report *report, usec_t now_realtime_us) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(STATUS_SIZE_MAX);
        bool enrolled = streq(report->state, "ENROLLED");
        int error;

        error = status_json_write(report, now_realtime_us, &text);
        if (error < 0)
                return error;
        if (!enrolled) {
                error = file_remove(runtime_fd, ENROLLED_FILE);
                if (error < 0)
                        return error;
        }
        error = file_replace(runtime_fd, STATUS_FILE, buffer_string(&text), text.size, 0644,
                             FILE_VOLATILE);
        if (error < 0 || !enrolled)
                return error;
        return file_replace(runtime_fd, ENROLLED_FILE, "", 0, 0644, FILE_VOLATILE);
}

int status_file_read(const char *runtime_dir, Buffer *text, json_t **ret) {
        _cleanup_close_ int fd = -1;
        _cleanup_json_ json_t *status = NULL;
        char path[PATH_MAX];
        struct stat st;
        int error;

        if ((size_t) snprintf(path, sizeof(path), "%s/%s", runtime_dir, STATUS_FILE) >= sizeof(path))
                return -ENAMETOOLONG;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        error = file_read_fd(fd, text);
        if (error >= 0)
                error = json_read(buffer_string(text), text->size, &status, NULL);
        if (error == -EMSGSIZE || (error >= 0 && !json_is_object(status)))
                return -EBADMSG;
        if (error < 0)
                return error;
        *ret = TAKE_PTR(status);
        return 0;
}
