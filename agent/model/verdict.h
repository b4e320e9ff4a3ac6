/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Verdict: the coordinator's own view of this host, held against the Plan field by field.
 * An installer that exits 0 proves nothing; a role in the runner's list proves nothing either (a token without
 * the role lets the install succeed and the role stay unassigned). Enrolled means: no Difference.
 */

#include "model/outcome.h"
#include "model/plan.h"

typedef enum Tristate { UNKNOWN = -1, NO = 0, YES = 1 } Tristate;

/* What the coordinator said about one wanted role. */
typedef struct RoleView {
        bool listed;         /* in runner.roles[] */
        Tristate blessed;    /* auto_blessed, or this runner's blessing is true */
        Tristate pending;    /* waiting to be blessed */
        Tristate effect;     /* allocator or proxy object there and connected/healthy; UNKNOWN where the API can't show it */
        bool maintenance;    /* allocator only: takes no new work */
        char effect_detail[96]; /* what exactly is missing, or "" */
} RoleView;

typedef struct RunnerView {
        bool found; /* false: 404 runners.runner_not_found; all else below is then unset */
        char runner_id[129];
        bool connected, healthy;
        char health_detail[96]; /* from health_checks: "docker unhealthy, not connected to ZooKeeper", or "" */
        char host_ip[64];
        char public_hostname[256];
        char zone[129];    /* "" when not given */
        char version[64];  /* "" when not given */
        RoleSet listed_roles;
        RoleView role[_ROLE_MAX]; /* filled for wanted roles only */
        char allocator_zone[129]; /* zone_id of the allocator object, or "" */
} RunnerView;

/* In order of weight: the first one present is the reason. */
typedef enum DifferenceKind {
        DIFFERENCE_NOT_FOUND,
        DIFFERENCE_FOREIGN_HOST, /* our id, another address */
        DIFFERENCE_NOT_CONNECTED,
        DIFFERENCE_NOT_HEALTHY,
        DIFFERENCE_ROLE_MISSING,
        DIFFERENCE_ROLE_NOT_BLESSED,
        DIFFERENCE_ROLE_PENDING,
        DIFFERENCE_ROLE_NOT_EFFECTIVE,
        DIFFERENCE_LOCAL_RUNNER, /* by the engine of this host (local-view.h) */
        DIFFERENCE_LOCAL_ROLE,
        DIFFERENCE_ROLE_EXTRA,   /* a role of the four that the spec does not name */
        DIFFERENCE_ZONE,
        DIFFERENCE_VERSION,
        DIFFERENCE_MAINTENANCE,  /* a warning: reported, does not keep the host from being enrolled */
        _DIFFERENCE_MAX,
} DifferenceKind;

/* "runner-not-found", "foreign-host", "runner-not-connected", "runner-not-healthy", "role-missing",
 * "role-not-blessed", "role-pending", "role-not-effective", "local-runner", "local-role", "role-extra", "zone-differs", "version-differs", "maintenance-mode".
 * Used as code of ORIGIN_VERIFY observations. */
const char *difference_kind_to_string(DifferenceKind kind);

typedef struct Difference {
        DifferenceKind kind;
        Role role; /* _ROLE_INVALID when it is not about one */
        char text[200]; /* "role allocator: wanted, not blessed by the platform" */
} Difference;

#define DIFFERENCES_MAX 32

typedef struct Verdict {
        bool enrolled; /* nothing in the list but warnings */
        size_t n;
        Difference items[DIFFERENCES_MAX];
} Verdict;

/* For who judges: one more Difference. The text is made printable and bounded. */
void verdict_add(Verdict *v, DifferenceKind kind, Role role, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Two spellings of one IP address are the same, also IPv4 and its mapped form. False for what is none. */
bool address_is_same(const char *a, const char *b);

/* Pure. Addresses compare as addresses; runner.host_ip must equal plan.host_ip; zone only when the spec names
 * one and the view has one; version only when both are known. UNKNOWN blessing counts as not blessed;
 * UNKNOWN pending and effect count as no objection. Of a runner that is not connected the wanted roles are not judged. */
void verdict_judge(const Plan *plan, const RunnerView *view, Verdict *ret);

/* The same of the four roles alone: those that are wanted granted, the others not listed. */
void verdict_judge_roles(RoleSet wanted, const RunnerView *view, Verdict *ret);

/* The most important Difference as an ORIGIN_VERIFY observation (none when enrolled); detail lists all. */
Observation verdict_observation(const Verdict *verdict, const char *runner_id);
