/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two questions to the engine, the second only when the first was answered.
 *
 * A socket that can be connected to says little: systemd holds Docker's, and a daemon that hangs has one
 * as well. So the daemon is asked for a sign of life, and each question has a limit of its own, shorter
 * than what the calls allow when something depends on their end.
 *
 * The name of the installer's container is a lock that an operator's upgrade shares. What stands in our
 * way is one that is alive and not ours; a dead one is removed when the time comes, ours is settled.
 */

#include "installer/engine-gates.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "installer/container-engine.h"
#include "installer/container-judge.h"

typedef enum EngineGate { GATE_ENGINE, GATE_FOREIGN, _ENGINE_GATE_MAX } EngineGate;

static const char *const names[_ENGINE_GATE_MAX] = {
        [GATE_ENGINE] = "engine",
        [GATE_FOREIGN] = "foreign-installer",
};

struct EngineGates {
        Http *http;
        char *socket_path;
        bool has_record;
        AttemptRecord record;
        usec_t limit_us;
        EngineGatesHandler handler;
        void *userdata;

        EngineCall *call;
        sd_event_source *limit;
        EngineGate at;
        usec_t began_us;
        bool ours_alive;
        Gates gates;
};

size_t engine_gates_n(void) {
        return _ENGINE_GATE_MAX;
}

const char *engine_gate_name(size_t which) {
        return names[which];
}

void engine_gates_untried(const char *why, Gates *ret) {
        *ret = (Gates) { 0 };
        for (EngineGate i = 0; i < _ENGINE_GATE_MAX; i++) {
                Gate gate = gate_named(names[i]);

                gate_leave_untried(&gate, why);
                (void) gates_put(ret, &gate);
        }
}

void engine_gates_cancel(EngineGates *e) {
        if (!e)
                return;
        engine_call_cancel(e->call);
        (void) sd_event_source_disable_unref(e->limit);
        free(e->socket_path);
        free(e);
}
DEFINE_CLEANUP(EngineGates *, engine_gates_cancel)

static void finish(EngineGates *e) {
        EngineGatesHandler handler = e->handler;
        void *userdata = e->userdata;
        bool ours_alive = e->ours_alive;
        Gates gates = e->gates;

        engine_gates_cancel(e);
        handler(userdata, &gates, ours_alive);
}

static void judge(EngineGates *e, const Observation *seen) {
        Gate *gate = &e->gates.items[e->at];

        gate_judge(gate, seen);
        gate->took_us = usec_sub(clock_boottime_us(), e->began_us);
}

/* A question that can't be put is a gate that is shut. */
static void begin(EngineGates *e, EngineGate which);

static void on_ping(void *userdata, const EngineAnswer *answer) {
        EngineGates *e = userdata;

        e->call = NULL;
        if (observation_is_none(&answer->failure))
                gate_found(&e->gates.items[GATE_ENGINE], "answers on %s", e->socket_path);
        judge(e, &answer->failure);
        if (!observation_is_none(&answer->failure)) {
                gate_leave_untried(&e->gates.items[GATE_FOREIGN], "not looked at while 'engine' is shut");
                return finish(e);
        }
        begin(e, GATE_FOREIGN);
}

static Ownership judge_container(const EngineGates *e, const Container *c) {
        if (!e->has_record && c->state == CONTAINER_ALIVE && c->label[0] && !streq(c->command, UPGRADER_COMMAND))
                return CONTAINER_OURS;
        return container_judge(c, &e->record, clock_realtime_us());
}

static void on_found(void *userdata, const EngineAnswer *answer) {
        EngineGates *e = userdata;
        Gate *gate = &e->gates.items[GATE_FOREIGN];
        const Container *c = &answer->container;
        Observation seen = answer->failure;

        e->call = NULL;
        if (!observation_is_none(&seen))
                gate_found(gate, "%s", "");
        else if (!answer->found)
                gate_found(gate, "no container named " INSTALLER_CONTAINER);
        else
                switch (judge_container(e, c)) {
                case CONTAINER_OURS:
                        e->ours_alive = true;
                        gate_found(gate, "an installer of ours is at work (container %.12s)", c->id);
                        break;
                case CONTAINER_BLOCKING:
                        gate_found(gate, "a dead one (container %.12s), which is removed when the time comes", c->id);
                        break;
                case CONTAINER_FOREIGN:
                        seen = container_foreign(c);
                        break;
                }
        judge(e, &seen);
        finish(e);
}

static int on_limit(sd_event_source *source, uint64_t at, void *userdata) {
        EngineGates *e = userdata;
        Observation seen = observe(ORIGIN_ENGINE, ETIMEDOUT, "not-answering", e->socket_path, "no answer within %g s",
                                   (double) e->limit_us / (double) USEC_PER_SEC);

        engine_call_cancel(TAKE_PTR(e->call));
        judge(e, &seen);
        if (e->at == GATE_ENGINE)
                gate_leave_untried(&e->gates.items[GATE_FOREIGN], "not looked at while 'engine' is shut");
        finish(e);
        return 0;
}

static int ask(EngineGates *e, EngineGate which) {
        int error = sd_event_source_set_time(e->limit, usec_add(clock_boottime_us(), e->limit_us));

        e->at = which;
        e->began_us = clock_boottime_us();
        if (error >= 0)
                error = sd_event_source_set_enabled(e->limit, SD_EVENT_ONESHOT);
        if (error < 0)
                return error;
        return which == GATE_ENGINE ? engine_ping(e->http, e->socket_path, on_ping, e, &e->call)
                                    : engine_find(e->http, e->socket_path, on_found, e, &e->call);
}

static void begin(EngineGates *e, EngineGate which) {
        int error = ask(e, which);
        Observation seen;

        if (error >= 0)
                return;
        seen = observe(ORIGIN_ENGINE, -error, "not-answering", e->socket_path, "can't be asked: %s", strerror(-error));
        judge(e, &seen);
        finish(e);
}

int engine_gates_start(sd_event *event, Http *http, const EngineQuestion *question, EngineGatesHandler handler,
                       void *userdata, EngineGates **ret) {
        _cleanup_(engine_gates_cancelp) EngineGates *e = calloc(1, sizeof(*e));
        int error;

        if (!e)
                return -ENOMEM;
        e->http = http;
        e->handler = handler;
        e->userdata = userdata;
        e->limit_us = question->limit_us ?: ENGINE_GATE_LIMIT_US;
        e->has_record = question->record != NULL;
        if (question->record)
                e->record = *question->record;
        engine_gates_untried("", &e->gates);
        e->socket_path = strdup(question->socket_path);
        if (!e->socket_path)
                return -ENOMEM;
        error = sd_event_add_time(event, &e->limit, CLOCK_BOOTTIME, 0, 10 * USEC_PER_MSEC, on_limit, e);
        if (error >= 0)
                error = ask(e, GATE_ENGINE);
        if (error < 0)
                return error;
        *ret = TAKE_PTR(e);
        return 0;
}
