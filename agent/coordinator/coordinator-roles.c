/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A runner's roles: set, and who else holds one.
 *
 * set-runner-roles replaces the whole list (api.md, 8.5), so the runner is read first and whatever is none of the four
 * stays: ECE has put it there. `bless=true` makes the platform grant what it lists; without it a role would be listed and do
 * nothing. The answer is no proof: who asks looks at the runner afterwards.
 *
 * Who else holds a role is asked of the role's blessings, and then of each runner that has one, until one is connected:
 * a blessing outlives its host.
 */

#include <stdio.h>

#include "base/text.h"
#include "coordinator/coordinator-private.h"
#include "coordinator/reply.h"

static void runner_read(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure) {
        _cleanup_buffer_ Buffer body = BUFFER_INIT(REQUEST_BODY_MAX);
        char path[PATH_SIZE];
        int r;

        if (!observation_is_none(failure))
                return question_finish(c, failure);
        r = reply_rewrite_roles(object, c->look.wanted, &body);
        if (r == -EBADMSG) {
                Observation seen = exchange_wrong_type(c, reply, "the runner");
                return question_finish(c, &seen);
        }
        (void) snprintf(path, sizeof(path), API_RUNNERS "%s/roles?bless=true", c->look.runner_id);
        if (r >= 0)
                r = exchange_begin(c, "PUT", path, &body, question_done);
        if (r < 0)
                exchange_fail(c, &c->exchange, r);
}

static int ask_runner(Coordinator *c, const char *runner_id, ExchangeDone done) {
        char path[PATH_SIZE];

        (void) snprintf(path, sizeof(path), API_RUNNERS "%s", runner_id);
        return exchange_begin(c, "GET", path, NULL, done);
}

int coordinator_set_roles(Coordinator *c, const char *runner_id, RoleSet roles, CoordinatorDoneHandler handler, void *userdata) {
        int r = question_begin(c, userdata);

        if (r < 0)
                return r;
        c->handler.done = handler;
        c->look = (Look){ .wanted = roles };
        text_copy_printable(c->look.runner_id, sizeof(c->look.runner_id), runner_id);
        r = ask_runner(c, runner_id, runner_read);
        if (r < 0)
                (void) question_end(c);
        return r;
}

static void found_other(Coordinator *c, bool found, const Observation *failure) {
        CoordinatorFoundHandler handler = c->handler.found;
        Observation seen = *failure;

        handler(question_end(c), found, &seen);
}

static void ask_next_holder(Coordinator *c);

static void holder_read(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure) {
        RunnerView view;

        if (observation_is_absence(failure, "runners.runner_not_found"))
                return ask_next_holder(c);
        if (!observation_is_none(failure))
                return found_other(c, false, failure);
        if (reply_read_runner(object, &view) && view.connected && role_set_has(view.listed_roles, c->look.role))
                return found_other(c, true, &OBSERVATION_NONE);
        ask_next_holder(c);
}

static void ask_next_holder(Coordinator *c) {
        int r;

        if (c->holders.at == c->holders.n)
                return found_other(c, false, &OBSERVATION_NONE);
        r = ask_runner(c, c->holders.id[c->holders.at++], holder_read);
        if (r < 0)
                exchange_fail(c, &c->exchange, r);
}

static void holders_read(Coordinator *c, const HttpReply *reply, const json_t *object, const Observation *failure) {
        Observation seen;

        if (!observation_is_none(failure))
                return found_other(c, false, failure);
        if (!reply_read_holders(object, c->look.runner_id, &c->holders)) {
                seen = exchange_wrong_type(c, reply, "the role");
                return found_other(c, false, &seen);
        }
        ask_next_holder(c);
}

int coordinator_find_other(Coordinator *c, Role role, const char *runner_id, CoordinatorFoundHandler handler, void *userdata) {
        char path[PATH_SIZE];
        int r = question_begin(c, userdata);

        if (r < 0)
                return r;
        c->handler.found = handler;
        c->look = (Look){ .role = role };
        text_copy_printable(c->look.runner_id, sizeof(c->look.runner_id), runner_id);
        (void) snprintf(path, sizeof(path), API_ROLES "%s", role_to_string(role));
        r = exchange_begin(c, "GET", path, NULL, holders_read);
        if (r < 0)
                (void) question_end(c);
        return r;
}
