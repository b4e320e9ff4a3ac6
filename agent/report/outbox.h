/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The outbox: reports that somebody is to get, on disk until he has them, over crashes, reboots and power cuts. A directory `outbox`
 * in the state directory: one file for each report, named by its identifier, and `last`, which remembers what was reported last.
 *
 * A report is identified by what it says and by the one before it, so that the same verdict found again (by an agent that was
 * restarted, at the next boot) is not a second report, the same verdict after another one is, and a report that is written down twice
 * because of a crash in between has one identifier. Whoever receives it can tell by that.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"

#define OUTBOX_DIRECTORY "outbox"
#define OUTBOX_REPORTS_MAX 16U /* the oldest goes when there are more: of a host that changes its mind for days the end counts */
#define OUTBOX_REPORT_SIZE_MAX (64U * 1024U)
#define OUTBOX_ID_SIZE 33

/* Is a verdict that says this (any text) another one than the last? Then 1 and its identifier; 0; negative errno. */
int outbox_is_news(int state_fd, const char *verdict, char ret_id[static OUTBOX_ID_SIZE]);

/* Writes the report down, and that it was the last. Durable before it returns. 0 or negative errno: then it is still news. */
int outbox_add(int state_fd, const char *verdict, const char *id, const char *report, size_t size);

/* The oldest that waits: 1, its identifier and text; 0: there is none; negative errno. */
int outbox_next(int state_fd, char ret_id[static OUTBOX_ID_SIZE], Buffer *ret_report);
size_t outbox_count(int state_fd);

/* How long a report waits after so many tries that came to nothing: 5 s, then twice as long each time, up to an hour, with up to half
 * of it taken off (random: all of 32 bits), so that the reports of a fleet do not come at once when their receiver is back. */
usec_t outbox_pause_us(unsigned tries, uint32_t random);

/* Somebody has it. Durable. 0 or negative errno. */
int outbox_remove(int state_fd, const char *id);
