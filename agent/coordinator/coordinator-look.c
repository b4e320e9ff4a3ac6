/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One look at this host: the runner, then for each wanted role its blessing and its effect.
 *
 *     runner --404 runner_not_found--> found = false, done
 *       |    --not connected--> done: it explains whatever else is missing, and it is what a fleet asks most often
 *       |
 *       v        for each wanted role R
 *     blueprinter/roles/R --> allocator: allocators/ID --404--> allocators (search by address)
 *                         --> proxy: proxies
 *                         --> coordinator, director: nothing more; the API shows no effect of theirs
 *
 * The runner's list of roles proves nothing: a token without a role lets an install succeed that
 * leaves the role unassigned. Hence the further questions. Any failure ends the look, because half
 * a view would be judged as a bad one; the only absences that belong to a view are ECE's own "no
 * such runner" and "no such allocator".
 */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/coordinator-private.h"
#include "coordinator/reply.h"

/* Allocators per list, on the one page that is searched for an allocator with another id than its
 * runner. */
#define ALLOCATORS_QUERY "?size=500"

static void look_finish(Coordinator *c, const Observation *failure) {
        CoordinatorViewHandler handler = c->handler.view;
        RunnerView view = c->look.view;
        Observation seen = *failure;

        handler(question_end(c), observation_is_none(&seen) ? &view : NULL, &seen);
}

static void look_wrong_type(Coordinator *c, const HttpReply *reply, const char *what) {
        Observation seen = exchange_wrong_type(c, reply, what);

        look_finish(c, &seen);
}

static void look_ask(Coordinator *c, const char *path, ExchangeDone done) {
        int r = exchange_begin(c, "GET", path, NULL, done);

        if (r < 0)
                exchange_fail(c, &c->exchange, r);
}

static void look_at_next_role(Coordinator *c, Role role);

static void proxies_done(Coordinator *c, const HttpReply *reply, const json_t *object,
                         const Observation *failure) {
        if (!observation_is_none(failure))
                look_finish(c, failure);
        else if (!reply_read_proxies(object, c->look.runner_id, c->look.host_ip,
                                     &c->look.view.role[ROLE_PROXY]))
                look_wrong_type(c, reply, "the list of proxies");
        else
                look_at_next_role(c, ROLE_PROXY + 1);
}

static void allocator_is_absent(Coordinator *c, const char *detail) {
        RoleView *role = &c->look.view.role[ROLE_ALLOCATOR];

        role->effect = NO;
        text_copy_printable(role->effect_detail, sizeof(role->effect_detail), detail);
        look_at_next_role(c, ROLE_ALLOCATOR + 1);
}

static void allocators_done(Coordinator *c, const HttpReply *reply, const json_t *object,
                            const Observation *failure) {
        /* Our id has no allocator; a list too long to read can't prove that another one is ours. */
        if (failure->origin == ORIGIN_REPLY && streq(failure->code, "too-large"))
                allocator_is_absent(c, "no allocator object under our id, the list is too long to search");
        else if (!observation_is_none(failure))
                look_finish(c, failure);
        else if (reply_find_allocator(object, c->look.host_ip, c->look.view.public_hostname, &c->look.view))
                look_at_next_role(c, ROLE_ALLOCATOR + 1);
        else
                allocator_is_absent(c, "no allocator object");
}

static void allocator_done(Coordinator *c, const HttpReply *reply, const json_t *object,
                           const Observation *failure) {
        if (observation_is_absence(failure, "allocators.allocator_not_found"))
                look_ask(c, API_ALLOCATORS ALLOCATORS_QUERY, allocators_done);
        else if (!observation_is_none(failure))
                look_finish(c, failure);
        else if (!reply_read_allocator(object, &c->look.view))
                look_wrong_type(c, reply, "the allocator");
        else
                look_at_next_role(c, ROLE_ALLOCATOR + 1);
}

static void role_done(Coordinator *c, const HttpReply *reply, const json_t *object,
                      const Observation *failure) {
        Role role = c->look.role;
        char path[PATH_SIZE];

        if (!observation_is_none(failure))
                look_finish(c, failure);
        else if (!reply_read_role(object, c->look.runner_id, &c->look.view.role[role]))
                look_wrong_type(c, reply, "the role");
        else if (role == ROLE_ALLOCATOR) {
                (void) snprintf(path, sizeof(path), API_ALLOCATORS "/%s", c->look.runner_id);
                look_ask(c, path, allocator_done);
        } else if (role == ROLE_PROXY)
                look_ask(c, API_PROXIES, proxies_done);
        else
                look_at_next_role(c, role + 1);
}

/* The first wanted role from this one on; without one the view is whole. */
static void look_at_next_role(Coordinator *c, Role role) {
        char path[PATH_SIZE];

        while (role < _ROLE_MAX && !role_set_has(c->look.wanted, role))
                role++;
        if (role == _ROLE_MAX) {
                look_finish(c, &OBSERVATION_NONE);
                return;
        }
        c->look.role = role;
        (void) snprintf(path, sizeof(path), API_ROLES "%s", role_to_string(role));
        look_ask(c, path, role_done);
}

static void runner_done(Coordinator *c, const HttpReply *reply, const json_t *object,
                        const Observation *failure) {
        if (observation_is_absence(failure, "runners.runner_not_found")) {
                c->look.view = (RunnerView) { .found = false };
                look_finish(c, &OBSERVATION_NONE);
        } else if (!observation_is_none(failure))
                look_finish(c, failure);
        else if (!reply_read_runner(object, &c->look.view))
                look_wrong_type(c, reply, "the runner");
        else if (c->look.connected_only && !c->look.view.connected)
                look_finish(c, &OBSERVATION_NONE);
        else
                look_at_next_role(c, 0);
}

static int look(Coordinator *c, const char *runner_id, const char *host_ip, RoleSet roles, bool connected_only,
                CoordinatorViewHandler handler, void *userdata) {
        char path[PATH_SIZE];

        int r = question_begin(c, userdata);
        if (r < 0)
                return r;
        c->handler.view = handler;
        c->look = (Look) { .wanted = roles, .connected_only = connected_only };
        text_copy_printable(c->look.runner_id, sizeof(c->look.runner_id), runner_id);
        text_copy_printable(c->look.host_ip, sizeof(c->look.host_ip), host_ip);
        (void) snprintf(path, sizeof(path), API_RUNNERS "%s", c->look.runner_id);
        r = exchange_begin(c, "GET", path, NULL, runner_done);
        if (r < 0)
                (void) question_end(c);
        return r;
}

int coordinator_look_at(Coordinator *c, const char *runner_id, const char *host_ip, RoleSet roles, CoordinatorViewHandler handler,
                        void *userdata) {
        return look(c, runner_id, host_ip, roles, false, handler, userdata);
}

int coordinator_look(Coordinator *c, const Plan *plan, CoordinatorViewHandler handler, void *userdata) {
        return look(c, plan->runner_id, plan->host_ip, plan->roles, true, handler, userdata);
}
