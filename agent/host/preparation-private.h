/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Between the table of items (preparation.c) and the functions that judge them. */

#include "host/preparation.h"

typedef struct Case {
        const PreparationQuestion *question;
        const PreparationFacts *facts;
        const EngineFacts *engine;
        const char *engine_why;
} Case;

/* How one item ends. The first two and the last take what was found. */
void advice_prepared(Advice *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void advice_advised(Advice *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void advice_untried(Advice *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What mends it. */
void advice_fix(Advice *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Untried for this negative errno. False when there is none. */
bool advice_unreadable(Advice *a, int error);

/* The families of distributions that the documentation has a page for. */
typedef enum OsFamily { OS_OTHER, OS_UBUNTU, OS_RHEL, OS_SLES } OsFamily;
OsFamily os_family(const Case *c);

/* The kernel's command line gets these words: how, on this distribution. */
void advice_fix_command_line(const Case *c, Advice *a, const char *words);

/* which: the member of the row, of Sysctl or LimitKind. */
typedef void (*Judge)(const Case *c, unsigned which, Advice *a);

/* preparation-machine.c */
void judge_memory(const Case *c, unsigned which, Advice *a);
void judge_swap(const Case *c, unsigned which, Advice *a);
void judge_sysctl(const Case *c, unsigned which, Advice *a);
void judge_command_line(const Case *c, unsigned which, Advice *a);
void judge_cgroup(const Case *c, unsigned which, Advice *a);
void judge_limit(const Case *c, unsigned which, Advice *a);
void judge_clock(const Case *c, unsigned which, Advice *a);
void judge_time_zone(const Case *c, unsigned which, Advice *a);
void judge_nscd(const Case *c, unsigned which, Advice *a);
void judge_firewalld(const Case *c, unsigned which, Advice *a);

/* preparation-storage.c */
void judge_file_system(const Case *c, unsigned which, Advice *a);
void judge_quota(const Case *c, unsigned which, Advice *a);
void judge_owner(const Case *c, unsigned which, Advice *a);
void judge_size(const Case *c, unsigned which, Advice *a);

/* preparation-engine.c */
void judge_os_engine(const Case *c, unsigned which, Advice *a);
void judge_group(const Case *c, unsigned which, Advice *a);
void judge_at_boot(const Case *c, unsigned which, Advice *a);
void judge_data_root(const Case *c, unsigned which, Advice *a);
void judge_driver(const Case *c, unsigned which, Advice *a);
void judge_icc(const Case *c, unsigned which, Advice *a);
void judge_ulimits(const Case *c, unsigned which, Advice *a);
void judge_wrapper(const Case *c, unsigned which, Advice *a);
void judge_sudo(const Case *c, unsigned which, Advice *a);
void judge_network_backend(const Case *c, unsigned which, Advice *a);
void judge_selinux(const Case *c, unsigned which, Advice *a);
