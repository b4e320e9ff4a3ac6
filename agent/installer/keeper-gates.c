/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The gates, asked by the agent. The keeper is the install user, for whom they have to be open.
 *
 * The host is looked at in a worker, the engine over its socket, each gate within a limit: nothing that hangs
 * on this host (a storage path on a server that is away, a daemon that takes connections and says nothing) holds
 * the keeper, which may have an installer to look after. All gates are told, then the answer: they are open, or
 * the first shut one is why not.
 *
 * A process keeps the groups with which it was started. When the user was put into the engine's group
 * since, this keeper can't become what it is asked to be: it tells so and leaves as soon as nothing
 * hangs on it, and whoever started it starts one that has the group.
 */

#include "installer/keeper-private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "base/text.h"
#include "host/access.h"
#include "host/gates.h"

static void add_all(Gates *to, const Gates *from) {
        for (size_t i = 0; i < from->n; i++)
                (void) gates_put(to, &from->items[i]);
}

static bool is_open(const Gates *gates, const char *name) {
        const Gate *gate = gates_find(gates, name);

        return gate && gate->state == GATE_OPEN;
}

/* The user has the group of the engine's socket, and this process has not. */
static bool groups_are_old(const Keeper *k, const HostFacts *facts) {
        const Gate *group = gates_find(&k->gates.gates, "group");
        struct stat st;

        return facts && group && group->state == GATE_SHUT &&
               stat(k->spec->installer.engine_socket, &st) >= 0 && (st.st_mode & S_IWGRP) &&
               user_has_group(facts, st.st_gid);
}

/* At once, when it can: an agent that asks again and again leaves no pause in which to be idle. */
static void leave_for_another(Keeper *k) {
        keeper_notice(k, LOG_NOTICE, "the install user has got a group that this process lacks: leaving for one that has it");
        k->options.idle_exit = true;
        if (k->n_out == 0)
                keeper_peer_drop(k);
        if (keeper_is_idle(k))
                (void) sd_event_exit(k->event, 0);
}

static void finish(Keeper *k) {
        const Gate *shut = gates_first_shut(&k->gates.gates);
        Message m = { .kind = MESSAGE_GATE };

        k->gates.wanted = false;
        for (size_t i = 0; i < k->gates.gates.n; i++) {
                m.gate = k->gates.gates.items[i];
                keeper_send(k, &m);
        }
        if (shut)
                keeper_refuse(k, &shut->seen);
        else
                keeper_send(k, &(Message) { .kind = MESSAGE_GATES_OPEN });
        if (k->gates.groups_are_old)
                leave_for_another(k);
        keeper_idle_update(k);
}

static void on_engine(void *userdata, const Gates *gates, bool ours_alive) {
        Keeper *k = userdata;

        k->gates.engine = NULL;
        add_all(&k->gates.gates, gates);
        finish(k);
}

static void finish_without_engine(Keeper *k, const char *why) {
        Gates gates;

        engine_gates_untried(why, &gates);
        add_all(&k->gates.gates, &gates);
        finish(k);
}

static void refuse_internal(Keeper *k, int error) {
        Observation seen = observe(ORIGIN_KEEPER, -error, "internal", NULL, "can't look at the gates: %s",
                                   strerror(-error));

        k->gates.wanted = false;
        keeper_refuse(k, &seen);
}

static void on_host(void *userdata, const Gates *gates, const HostFacts *facts) {
        Keeper *k = userdata;
        const EngineQuestion question = {
                .socket_path = k->spec->installer.engine_socket,
                .record = &k->attempt.record,
                .limit_us = k->options.gate_limit_us,
        };
        int error;

        k->gates.gates = *gates;
        k->gates.groups_are_old = groups_are_old(k, facts);
        if (!is_open(gates, "engine-socket"))
                return finish_without_engine(k, "not looked at while 'engine-socket' is not open");
        if (!is_open(gates, "group"))
                return finish_without_engine(k, "not looked at while 'group' is not open");
        error = engine_gates_start(k->event, k->http, &question, on_engine, k, &k->gates.engine);
        if (error < 0)
                refuse_internal(k, error);
}

void keeper_gates_forget(Keeper *k) {
        k->gates.wanted = false;
        if (k->gates.run)
                gate_run_cancel(k->gates.run);
        engine_gates_cancel(TAKE_PTR(k->gates.engine));
}

/* A second question begins anew: its spec may be another one, and who asked first is gone. */
void keeper_gates(Keeper *k) {
        int error;

        keeper_gates_forget(k);
        k->gates.wanted = true;
        error = gate_run_start(k->gates.run, k->spec, k->options.path, on_host, k);
        if (error < 0)
                refuse_internal(k, error);
}
