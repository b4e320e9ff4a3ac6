/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Files as we need them: read whole with a bound, replaced atomically and synced, one instance lock. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"

/* Appends the whole of fd (from its current offset) to b. 0, -EMSGSIZE when b is full, or read's errno; b is
 * as it was on failure. */
int file_read_fd(int fd, Buffer *b);

/* Opens with O_CLOEXEC|O_NOCTTY and reads. -EINVAL for what is no regular file, -EISDIR for a directory. */
int file_read(const char *path, Buffer *b);

/* Writes all of it to fd, in as many pieces as it takes. 0 or write's errno. */
int file_write_all(int fd, const void *bytes, size_t n);

/* Replaces dir/name by the content: written beside it as .NAME.new (one writer at a time), synced, renamed, and the
 * directory synced when durable. On failure the old file is still there and the temporary one is gone;
 * only when the directory's sync failed, the new one is there but may not outlive a power cut.
 * dir_fd is a directory; mode is exact (umask does not matter). -EINVAL when name is no plain name. */
typedef enum FileDurability { FILE_VOLATILE, FILE_DURABLE } FileDurability;
int file_replace(int dir_fd, const char *name, const void *bytes, size_t n, mode_t mode,
                 FileDurability durability);

/* Removes dir/name and syncs the directory; a missing one is 0. */
int file_remove(int dir_fd, const char *name);

/* Makes path and its missing parents (each with exactly `mode`; those that exist keep theirs), returns an
 * O_DIRECTORY|O_CLOEXEC descriptor. */
int directory_ensure(const char *path, mode_t mode);

/* Takes the advisory lock on the directory itself, which works on a full and on a read-only disk as well. It
 * ends with the last copy of dir_fd's open file, also when the process is killed. 0, -EBUSY when another
 * open file has it, other negative errno of flock(2). */
int directory_lock(int dir_fd);

/* Is it the machine that could not read just now (no memory, no descriptor left, a disk's error), and says nothing about
 * the file? Takes a negative errno. */
bool file_error_is_the_machines(int error);
/* Likewise, and another try may well read it: not for want of a whole disk. */
bool file_error_passes(int error);

/* SHA-256 of the whole of fd, from offset 0 and without moving its offset, as 64 hex digits. */
#define SHA256_HEX_SIZE 65
int file_sha256(int fd, char ret[static SHA256_HEX_SIZE]);
int bytes_sha256(const void *bytes, size_t n, char ret[static SHA256_HEX_SIZE]);
