/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The verdict: is this host what the spec wants, by the coordinator's own account?
 *
 * Each thing that must hold is asked by itself, in the order of its weight, and whatever does not
 * hold becomes a Difference. The order matters: the first one is the reason that people see, and a
 * runner that is not connected explains a missing effect, not the other way round. Of one role only
 * the heaviest difference is told: a role that is not listed is of course not blessed either.
 *
 * Pure; nothing fails. A view that lies or is full of odd text ends in printable, bounded
 * sentences.
 */

#include "model/verdict.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"

static const char *const kind_words[_DIFFERENCE_MAX] = {
        [DIFFERENCE_NOT_FOUND] = "runner-not-found",
        [DIFFERENCE_FOREIGN_HOST] = "foreign-host",
        [DIFFERENCE_NOT_CONNECTED] = "runner-not-connected",
        [DIFFERENCE_NOT_HEALTHY] = "runner-not-healthy",
        [DIFFERENCE_ROLE_MISSING] = "role-missing",
        [DIFFERENCE_ROLE_NOT_BLESSED] = "role-not-blessed",
        [DIFFERENCE_ROLE_PENDING] = "role-pending",
        [DIFFERENCE_ROLE_NOT_EFFECTIVE] = "role-not-effective",
        [DIFFERENCE_LOCAL_RUNNER] = "local-runner",
        [DIFFERENCE_LOCAL_ROLE] = "local-role",
        [DIFFERENCE_ROLE_EXTRA] = "role-extra",
        [DIFFERENCE_ZONE] = "zone-differs",
        [DIFFERENCE_VERSION] = "version-differs",
        [DIFFERENCE_MAINTENANCE] = "maintenance-mode",
};

const char *difference_kind_to_string(DifferenceKind kind) {
        assert(kind >= 0 && kind < _DIFFERENCE_MAX);
        return kind_words[kind];
}

static bool is_warning(DifferenceKind kind) {
        return kind == DIFFERENCE_MAINTENANCE;
}

void verdict_add(Verdict *v, DifferenceKind kind, Role role, const char *format, ...) {
        char text[512] = "";
        va_list arguments;
        Difference *d;

        assert(v->n < DIFFERENCES_MAX);
        d = &v->items[v->n++];
        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        d->kind = kind;
        d->role = role;
        (void) text_copy_printable(d->text, sizeof(d->text), text);
        if (!is_warning(kind))
                v->enrolled = false;
}

/* Any address as 16 bytes, IPv4 in its mapped form, so that "::ffff:192.0.2.1" is 192.0.2.1. */
static bool parse_address(const char *text, struct in6_addr *ret) {
        struct in_addr four;

        if (inet_pton(AF_INET6, text, ret) == 1)
                return true;
        if (inet_pton(AF_INET, text, &four) != 1)
                return false;
        *ret = (struct in6_addr) { .s6_addr = { [10] = 0xff, [11] = 0xff } };
        (void) memcpy(&ret->s6_addr[12], &four, sizeof(four));
        return true;
}

bool address_is_same(const char *a, const char *b) {
        struct in6_addr x, y;

        return parse_address(a, &x) && parse_address(b, &y) && memcmp(&x, &y, sizeof(x)) == 0;
}

static void judge_host(const Plan *plan, const RunnerView *view, Verdict *v) {
        if (view->runner_id[0] != '\0' && !streq(view->runner_id, plan->runner_id))
                verdict_add(v, DIFFERENCE_FOREIGN_HOST, _ROLE_INVALID,
                    "asked for runner %s, the platform answered with %s", plan->runner_id,
                    view->runner_id);
        else if (view->host_ip[0] == '\0')
                verdict_add(v, DIFFERENCE_FOREIGN_HOST, _ROLE_INVALID,
                    "the platform names no address for runner %s, wanted %s", plan->runner_id,
                    plan->host_ip);
        else if (!address_is_same(view->host_ip, plan->host_ip))
                verdict_add(v, DIFFERENCE_FOREIGN_HOST, _ROLE_INVALID,
                    "runner %s has address %s on the platform, this host is %s", plan->runner_id,
                    view->host_ip, plan->host_ip);

        if (!view->connected)
                verdict_add(v, DIFFERENCE_NOT_CONNECTED, _ROLE_INVALID, "the runner is not connected");
        if (!view->healthy)
                verdict_add(v, DIFFERENCE_NOT_HEALTHY, _ROLE_INVALID, "the runner is not healthy%s%s",
                    view->health_detail[0] != '\0' ? ": " : "", view->health_detail);
}

/* The heaviest thing that is wrong with one wanted role; _DIFFERENCE_MAX when nothing is. */
static DifferenceKind role_difference(const RoleView *role) {
        if (!role->listed)
                return DIFFERENCE_ROLE_MISSING;
        if (role->blessed != YES)
                return DIFFERENCE_ROLE_NOT_BLESSED;
        if (role->pending == YES)
                return DIFFERENCE_ROLE_PENDING;
        if (role->effect == NO)
                return DIFFERENCE_ROLE_NOT_EFFECTIVE;
        return _DIFFERENCE_MAX;
}

static void add_role_difference(Verdict *v, DifferenceKind kind, Role role, const RoleView *view) {
        const char *name = role_to_string(role);

        if (kind == DIFFERENCE_ROLE_MISSING)
                verdict_add(v, kind, role, "role %s: wanted, not listed on the runner", name);
        else if (kind == DIFFERENCE_ROLE_NOT_BLESSED)
                verdict_add(v, kind, role, "role %s: wanted, %s", name,
                    view->blessed == NO ? "not blessed by the platform"
                                        : "its blessing is unknown");
        else if (kind == DIFFERENCE_ROLE_PENDING)
                verdict_add(v, kind, role, "role %s: wanted, still waits to be blessed", name);
        else
                verdict_add(v, kind, role, "role %s: has no effect yet%s%s", name,
                    view->effect_detail[0] != '\0' ? ": " : "", view->effect_detail);
}

/* Kind by kind, not role by role: the list is in the order of weight. */
static void judge_wanted_roles(const Plan *plan, const RunnerView *view, Verdict *v) {
        for (DifferenceKind kind = DIFFERENCE_ROLE_MISSING; kind <= DIFFERENCE_ROLE_NOT_EFFECTIVE;
             kind++)
                for (Role role = 0; role < _ROLE_MAX; role++)
                        if (role_set_has(plan->roles, role) &&
                            role_difference(&view->role[role]) == kind)
                                add_role_difference(v, kind, role, &view->role[role]);
}

static void judge_extra_roles(const Plan *plan, const RunnerView *view, Verdict *v) {
        for (Role role = 0; role < _ROLE_MAX; role++)
                if (role_set_has(view->listed_roles, role) && !role_set_has(plan->roles, role))
                        verdict_add(v, DIFFERENCE_ROLE_EXTRA, role,
                            "role %s: listed on the runner, not wanted", role_to_string(role));
}

static void judge_place(const Plan *plan, const RunnerView *view, Verdict *v) {
        const char *zone = plan->spec->host.availability_zone;
        bool allocator = role_set_has(plan->roles, ROLE_ALLOCATOR);

        if (zone && view->zone[0] != '\0' && !streq(view->zone, zone))
                verdict_add(v, DIFFERENCE_ZONE, _ROLE_INVALID, "the runner is in zone %s, wanted %s",
                    view->zone, zone);
        if (zone && allocator && view->allocator_zone[0] != '\0' &&
            !streq(view->allocator_zone, zone))
                verdict_add(v, DIFFERENCE_ZONE, ROLE_ALLOCATOR, "the allocator is in zone %s, wanted %s",
                    view->allocator_zone, zone);
        if (plan->version[0] != '\0' && view->version[0] != '\0' &&
            !streq(view->version, plan->version))
                verdict_add(v, DIFFERENCE_VERSION, _ROLE_INVALID,
                    "the runner is ECE %s, the installation is %s", view->version, plan->version);
        if (allocator && view->role[ROLE_ALLOCATOR].maintenance)
                verdict_add(v, DIFFERENCE_MAINTENANCE, ROLE_ALLOCATOR,
                    "the allocator is in maintenance mode and takes no new work");
}

void verdict_judge(const Plan *plan, const RunnerView *view, Verdict *ret) {
        Verdict v = { .enrolled = true };

        if (view->found) {
                judge_host(plan, view, &v);
                if (view->connected) /* else nobody has asked for them (coordinator/coordinator-look.c) */
                        judge_wanted_roles(plan, view, &v);
                judge_extra_roles(plan, view, &v);
                judge_place(plan, view, &v);
        } else
                verdict_add(&v, DIFFERENCE_NOT_FOUND, _ROLE_INVALID, "the platform knows no runner %s",
                    plan->runner_id);
        *ret = v;
}

void verdict_judge_roles(RoleSet wanted, const RunnerView *view, Verdict *ret) {
        const Plan plan = { .roles = wanted };

        *ret = (Verdict) { .enrolled = true };
        judge_wanted_roles(&plan, view, ret);
        judge_extra_roles(&plan, view, ret);
}

Observation verdict_observation(const Verdict *verdict, const char *runner_id) {
        _cleanup_buffer_ Buffer all = BUFFER_INIT(DIFFERENCES_MAX * sizeof(verdict->items[0].text));
        int r = 0;

        if (verdict->enrolled)
                return OBSERVATION_NONE;
        /* Weightier ones come first, so a warning can't be at the head while something else is
         * there. */
        assert(verdict->n > 0 && !is_warning(verdict->items[0].kind));
        /* Should memory end here, the list is shorter; the reason is in the code anyway. */
        for (size_t i = 0; i < verdict->n && r >= 0; i++)
                r = buffer_append_format(&all, "%s%s", i > 0 ? "; " : "", verdict->items[i].text);
        return observe(ORIGIN_VERIFY, 0, difference_kind_to_string(verdict->items[0].kind),
                       runner_id, "%s", buffer_string(&all));
}
