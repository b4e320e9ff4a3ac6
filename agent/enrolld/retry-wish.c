/* SPDX-License-Identifier: Apache-2.0 */

/* Its being there is all. It need not outlive a power cut: after one the agent starts anyway. What may fail: the disk. */

#include "enrolld/retry-wish.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

int retry_wish_write(int state_fd) {
        return file_replace(state_fd, RETRY_FILE, "", 0, 0600, FILE_VOLATILE);
}

bool retry_wish_is_there(int state_fd) {
        return faccessat(state_fd, RETRY_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int retry_wish_take(int state_fd) {
        if (unlinkat(state_fd, RETRY_FILE, 0) == 0)
                return 1;
        return errno == ENOENT ? 0 : -errno;
}
