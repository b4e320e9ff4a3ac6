/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A host inside a virtual machine whose power is cut. Two files:
 *   power-init.c  it is the machine's first process: modules, mounts, and the line to the world outside
 *   power-host.c  the enrollment: the real machine, the real record, the real way of replacing a file
 * The line is the second serial port, because what is said there has been said when the power goes.
 */

#include <stddef.h>

#define LINE_SIZE 256U

/* Loads the modules, mounts what a program needs, opens the line. Ends the machine when it can't. */
void power_begin(void);

/* Says a line / waits for one, without its newline. The machine ends when nobody listens any more. */
void line_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void line_hear(char ret[static LINE_SIZE]);

/* Mounts the file system of the N-th disk; NULL, or what went wrong. Ends with a sync, as a shutdown does. */
const char *disk_mount(unsigned n, const char *file_system);
void disk_unmount(void);
#define DISK_PATH "/disk"

/* Says why and switches the machine off. */
void power_off(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
