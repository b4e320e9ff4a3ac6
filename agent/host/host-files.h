/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Readers of the system's own files, as far as the preparation of a host is concerned. All are pure: text in, values
 * out. What is not understood is passed over; nothing fails but where it says so.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/facts.h"

/* os-release(5): ID and VERSION_ID; "" where they are missing. */
typedef struct OsRelease {
        char id[32], version[32];
} OsRelease;
void os_release_read(const char *text, OsRelease *ret);

/* proc_meminfo(5): the number behind "MemTotal:", in kB. 0, -ENOENT. */
int meminfo_find(const char *text, const char *name, uint64_t *ret);

/* Is the word one of the kernel's command line? */
bool command_line_has(const char *text, const char *word);

/* proc_pid_mounts(5): the mount that path is on, which is the last one with the longest point. 0, -ENOENT. */
typedef struct Mount {
        char device[FACT_SIZE], point[FACT_SIZE], type[32];
        bool project_quota; /* accounted and enforced: xfs(5) */
} Mount;
int mounts_find(const char *text, const char *path, Mount *ret);

/* For whom a file of rights is read. */
typedef struct Who {
        const char *user;
        uid_t uid;
        bool (*in_group)(const struct Who *who, const char *group);
        const void *userdata;
} Who;

/* limits.conf(5). A user's own line wins over a group's and that over "*"; of equals the last one wins. */
typedef enum LimitKind { LIMIT_NOFILE, LIMIT_MEMLOCK, LIMIT_NPROC, _LIMIT_MAX } LimitKind;
#define LIMIT_UNLIMITED UINT64_MAX

typedef struct Limit {
        enum { LIMIT_UNSET, LIMIT_OF_ALL, LIMIT_OF_GROUP, LIMIT_OF_USER } rank;
        uint64_t value;
        char where[FACT_SIZE]; /* the file */
} Limit;

typedef struct Limits {
        Limit soft[_LIMIT_MAX], hard[_LIMIT_MAX];
} Limits;

const char *limit_kind_to_string(LimitKind kind); /* "nofile" */
/* Adds what this file says; limits begin zeroed. where: its name. */
void limits_read(const char *text, const char *where, const Who *who, Limits *limits);

/* sudoers(5): may the user do everything without a password? UNCLEAR: there are aliases or further files, which are not
 * followed. */
typedef enum SudoRule { SUDO_NONE, SUDO_UNCLEAR, SUDO_ALL } SudoRule;
SudoRule sudoers_read(const char *text, const Who *who);

/* tzfile(5), RFC 9636: the TZ string of its last line ("UTC0"). 0, -EBADMSG when it is no such file or has none. */
#define TIME_ZONE_SIZE 64
int time_zone_read(const char *bytes, size_t n, char ret[static TIME_ZONE_SIZE]);

/* A key of a section in a file of `key = value` lines, without its quotes (containers.conf(5), selinux_config(5), where
 * the section is ""). The last one counts. 0, -ENOENT. */
int setting_find(const char *text, const char *section, const char *key, char ret[static FACT_SIZE]);

/* Docker's daemon.json, "default-ulimits": how the soft and the hard limit of each kind stand there; UNSET where they
 * don't. 0, -EBADMSG, -ENOMEM. */
int ulimits_read(const char *text, size_t n, Limits *ret);
