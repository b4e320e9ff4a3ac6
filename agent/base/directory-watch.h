/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Hearing of files that come, are replaced or go, by inotify(7). The directory is watched and not a file in it: a file that
 * is replaced is another file.
 */

#include "base/clock.h"

typedef struct DirectoryWatch {
        int fd; /* readable when something has happened; -1: closed */
} DirectoryWatch;

#define DIRECTORY_WATCH_NONE ((DirectoryWatch) { .fd = -1 })

/* Begin before the first look, or a change between the two is missed. 0 or negative errno (-ENOENT: no such directory). */
int directory_watch_open(const char *path, DirectoryWatch *ret);

/* 1: something has happened; 0: the time is over, or a signal came; negative errno. USEC_INFINITY: no bound. */
int directory_watch_wait(DirectoryWatch *watch, usec_t timeout_us);

/* Takes what has happened without waiting for more. 0 or negative errno. */
int directory_watch_take(DirectoryWatch *watch);

void directory_watch_close(DirectoryWatch *watch);
#define _cleanup_watch_ _cleanup_(directory_watch_close)
