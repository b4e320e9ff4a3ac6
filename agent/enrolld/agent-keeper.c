/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keeper's side: requests to ece-installd, and its events turned into the machine's.
 *
 * Each request has one answer; `keeper_request` says which one is awaited, and an answer to nothing is
 * dropped. A lost connection is a failure of the request under way; while an installer may be running it
 * is EVENT_KEEPER_LOST, because the installer has outlived the connection and must be found again before
 * anything else is done.
 */

#include "enrolld/agent-private.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/host-check.h"
#include "report/journal.h"



static Observation keeper_trouble(Agent *a, int error, const char *doing) {
        const char *code = error == -EPERM ? "peer" : "unreachable";

        return observe(ORIGIN_KEEPER, -error, code, a->options.runtime_dir, "%s: %s", doing, strerror(-error));
}

/* Who may be listening there beside root: the install user, as whom the keeper runs. */
static uid_t keeper_uid(const Agent *a) {
        return a->facts.user_known ? a->facts.uid : (uid_t) -1;
}

/* A user that was missing when the spec was read may be there by now. */
static int look_for_user(Agent *a) {
        return a->facts.user_known ? 0 : host_facts_add_user(a->spec, &a->facts);
}

static int connect_or_start(Agent *a, Observation *ret) {
        char path[4096];
        int error = look_for_user(a);

        if (error >= 0)
                error = keeper_client_connect(a->keeper, keeper_uid(a));
        if (error >= 0 || !a->options.start_keeper || (error != -ENOENT && error != -ECONNREFUSED)) {
                if (error < 0)
                        *ret = keeper_trouble(a, error, "can't connect to ece-installd");
                return error;
        }
        (void) snprintf(path, sizeof(path), "%s/%s", a->options.runtime_dir, KEEPER_SOCKET);
        *ret = a->options.start_keeper(a->options.userdata, a->spec, path);
        if (!observation_is_none(ret))
                return -ENOTCONN;
        error = keeper_client_connect(a->keeper, keeper_uid(a));
        if (error < 0)
                *ret = keeper_trouble(a, error, "can't connect to the ece-installd that was just started");
        return error;
}

/* Without the install user there can be no keeper: then that is the trouble, and the gate that it belongs to. */
static void blame_user(Agent *a, Observation *seen) {
        Gate gate = gate_named("user");

        if (a->facts.user_known)
                return;
        *seen = host_check_user(a->spec, &a->facts);
        gate_judge(&gate, seen);
        agent_gate_seen(a, &gate);
}

static void request(Agent *a, Message *m, const Secret *token) {
        Observation seen;
        int error;

        error = connect_or_start(a, &seen);
        if (error >= 0) {
                error = keeper_client_request(a->keeper, m, token);
                if (error < 0)
                        seen = keeper_trouble(a, error, "can't speak to ece-installd");
        }
        if (m->kind == MESSAGE_ACKNOWLEDGE)
                return; /* nothing waits for its echo, and a lost one is said again after the next ATTACH */
        if (error >= 0) {
                a->keeper_request = m->kind;
                return;
        }
        blame_user(a, &seen);
        agent_post_seen(a, EVENT_FAILED, &seen);
}

void agent_keeper_attach(Agent *a) {
        Message m = { .kind = MESSAGE_ATTACH };

        request(a, &m, NULL);
}

static void fill_install(Agent *a, Message *m) {
        (void) snprintf(m->attempt, sizeof(m->attempt), "%s", a->record.attempt_id);
        (void) snprintf(m->coordinator, sizeof(m->coordinator), "%s",
                        a->coordinator ? coordinator_host(a->coordinator) : "");
        if (a->token)
                a->token_age_at_start_us = usec_sub(clock_boottime_us(), a->token->minted_us);
}

/* Does the plan fit this host, as far as it can be known here? Looked at behind the keeper's gates, when the paths that
 * this reads have just been seen to answer. */
static bool plan_holds(Agent *a) {
        Observation refusal = OBSERVATION_NONE;
        Plan *plan = NULL;
        int error;

        error = host_facts_gather(a->spec, &a->facts);
        if (error >= 0)
                error = plan_resolve(a->spec, &a->facts, NULL, &plan, &refusal);
        if (error < 0) {
                agent_fail(a, error, "can't resolve the plan");
                return false;
        }
        if (!plan) {
                agent_post_seen(a, EVENT_FAILED, &refusal);
                return false;
        }
        (void) plan_free(a->plan);
        a->plan = plan;
        (void) snprintf(a->record.runner_id, sizeof(a->record.runner_id), "%s", plan->runner_id);
        return true;
}

void agent_keeper_request(Agent *a, MessageKind kind) {
        Message m = { .kind = kind };

        if (kind == MESSAGE_PREPARE || kind == MESSAGE_INSTALL)
                (void) snprintf(m.version, sizeof(m.version), "%s", a->plan ? a->plan->version : "");
        if (kind == MESSAGE_INSTALL)
                fill_install(a, &m);
        if (kind == MESSAGE_TERMINATE || kind == MESSAGE_ACKNOWLEDGE)
                (void) snprintf(m.attempt, sizeof(m.attempt), "%s", a->record.attempt_id);
        request(a, &m, kind == MESSAGE_INSTALL && a->token ? a->token->secret : NULL);
}

/* The answer to ATTACH and INSTALL, or an acknowledgement's echo. */
static void on_state(Agent *a, const Message *event) {
        MessageKind asked = a->keeper_request;

        if (asked != MESSAGE_ATTACH && asked != MESSAGE_INSTALL)
                return; /* the echo of an acknowledgement, while something else is awaited */
        a->keeper_request = _MESSAGE_KIND_INVALID;
        if (asked == MESSAGE_ATTACH && event->attempt_state != ATTEMPT_NONE)
                /* Ours even if our own record was lost: there is one agent to a keeper. */
                (void) snprintf(a->record.attempt_id, sizeof(a->record.attempt_id), "%s", event->attempt);
        if (event->attempt_state == ATTEMPT_RUNNING)
                agent_post(a, EVENT_KEEPER_RUNNING);
        else if (event->attempt_state == ATTEMPT_NONE && asked == MESSAGE_ATTACH)
                agent_post(a, EVENT_KEEPER_IDLE);
        /* ATTEMPT_ENDED: `exited` follows by itself. */
}

static void on_exited(Agent *a, const Message *event) {
        Observation seen = event->seen;

        if (!streq(event->attempt, a->record.attempt_id))
                return;
        /* It may be told twice, when TERMINATE crosses the installer's own end: then SETTLE is under way already. */
        if (a->keeper_request == MESSAGE_INSTALL || a->keeper_request == MESSAGE_ATTACH ||
            a->keeper_request == MESSAGE_TERMINATE)
                a->keeper_request = _MESSAGE_KIND_INVALID;
        a->stage[0] = 0;
        if (a->attempt_timed_out && !observation_is_none(&seen)) /* what ended well in time after all ended well */
                seen = observe(ORIGIN_INSTALLER, seen.number, "timed-out", NULL, "%s", seen.detail);
        agent_post_seen(a, EVENT_INSTALL_EXITED, &seen);
}

static void on_refused(Agent *a, const Message *event) {
        MessageKind asked = a->keeper_request;

        a->keeper_request = _MESSAGE_KIND_INVALID;
        if (asked == _MESSAGE_KIND_INVALID)
                return;
        if (asked == MESSAGE_GATES)
                agent_report(a, false);
        agent_post_seen(a, EVENT_FAILED, &event->seen);
        if (streq(event->seen.code, "spec-differs"))
                agent_post(a, EVENT_SPEC_CHANGED); /* the keeper has read the file as it is now: so must we */
}

static void on_line(Agent *a, const Message *event) {
        if (a->options.story)
                story_installer_line(a->options.story, event->text, clock_boottime_us());
        else
                journal_installer_line(event->text, a->record.runner_id);
}

static void on_answer(Agent *a, MessageKind wanted, EventKind kind) {
        if (a->keeper_request != wanted)
                return;
        a->keeper_request = _MESSAGE_KIND_INVALID;
        agent_post(a, kind);
}

static void on_view(Agent *a, const Message *event) {
        LocalView view = {};

        if (a->keeper_request != MESSAGE_LOOK)
                return;
        a->keeper_request = _MESSAGE_KIND_INVALID;
        (void) memcpy(view.state, event->local, sizeof(view.state));
        (void) snprintf(view.version, sizeof(view.version), "%s", event->version);
        agent_on_local_view(a, &view);
}

static void on_gate(Agent *a, const Message *event) {
        if (a->keeper_request == MESSAGE_GATES)
                agent_gate_seen(a, &event->gate);
}

static void on_gates_open(Agent *a) {
        if (a->keeper_request != MESSAGE_GATES)
                return;
        a->keeper_request = _MESSAGE_KIND_INVALID;
        agent_report(a, false);
        if (plan_holds(a))
                agent_post(a, EVENT_HOST_READY);
}

static void on_lost(Agent *a, const Observation *lost) {
        MessageKind asked = a->keeper_request;
        bool running = a->machine.installer_pending || a->machine.unsettled;

        a->keeper_request = _MESSAGE_KIND_INVALID;
        if (running || asked == MESSAGE_PREPARE)
                agent_post_seen(a, EVENT_KEEPER_LOST, lost);
        else if (asked != _MESSAGE_KIND_INVALID)
                agent_post_seen(a, EVENT_FAILED, lost);
}

void agent_on_keeper(void *userdata, const Message *event, const Observation *lost) {
        Agent *a = userdata;

        if (!event)
                return on_lost(a, lost);
        switch ((int) event->kind) {
        case MESSAGE_STATE:
                return on_state(a, event);
        case MESSAGE_GATE:
                return on_gate(a, event);
        case MESSAGE_GATES_OPEN:
                return on_gates_open(a);
        case MESSAGE_PREPARED:
                return on_answer(a, MESSAGE_PREPARE, EVENT_PREPARED);
        case MESSAGE_SETTLED:
                return on_answer(a, MESSAGE_SETTLE, EVENT_SETTLED);
        case MESSAGE_EXITED:
                return on_exited(a, event);
        case MESSAGE_VIEW:
                return on_view(a, event);
        case MESSAGE_REFUSED:
                return on_refused(a, event);
        case MESSAGE_LINE:
                return on_line(a, event);
        case MESSAGE_STAGE:
                (void) text_copy_printable(a->stage, sizeof(a->stage), event->text);
                return agent_report(a, false);
        default:
                return; /* the codec lets only events of the keeper through */
        }
}
