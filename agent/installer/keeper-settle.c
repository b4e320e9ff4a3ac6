/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Settling: the proof that no installer of ours is left, before another one may be started.
 *
 * Processes first: what bears the attempt's mark in its environment is killed, wherever it went.
 * Then the container, in rounds of look, judge, act, until a look finds none. The name is shared
 * with an operator's `upgrade`, so a container that is alive is stopped only if it is provably
 * ours; one that is somebody else's is never touched, and the agent waits for it. A dead one that
 * only blocks the name is removed. Rounds are bounded: an engine that says one thing and does
 * another ends as a refusal, not as a loop.
 */

#include "installer/keeper-private.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/text.h"
#include "installer/process.h"

#define ROUNDS_MAX 12U
#define STOP_TIMEOUT_S 15U /* the engine's own patience before it kills */

/* --- The end of it --- */

static void finish(Keeper *k, const Observation *refusal) {
        k->settle.active = false;
        k->settle.again = sd_event_source_disable_unref(k->settle.again);
        if (k->settling.wanted && !refusal)
                keeper_send_text(k, MESSAGE_SETTLED, k->settle.text);
        else if (k->settling.wanted)
                keeper_refuse(k, refusal);
        keeper_idle_update(k);
}

static void finish_internal(Keeper *k, int error) {
        Observation seen = observe(ORIGIN_KEEPER, -error, "internal", NULL, "can't settle: %s", strerror(-error));

        finish(k, &seen);
}

/* --- Rounds --- */

static void look(Keeper *k);

static int on_again(sd_event_source *source, uint64_t at, void *userdata) {
        look(userdata);
        return 0;
}

static void look_again(Keeper *k) {
        int error = keeper_arm(k, &k->settle.again, k->options.round_us, on_again);

        if (error < 0)
                finish_internal(k, error);
}

/* Whatever the engine says to it, the next look tells whether it worked. */
static void on_acted(void *userdata, const EngineAnswer *answer) {
        Keeper *k = userdata;

        k->settling.call = NULL;
        if (!observation_is_none(&answer->failure))
                keeper_notice(k, LOG_INFO, "engine: %s", answer->failure.detail);
        look_again(k);
}

static void act(Keeper *k, const Container *c, Ownership ownership) {
        const char *socket_path = k->spec->installer.engine_socket;
        int error;

        keeper_notice(k, LOG_NOTICE, "%s the installer's container %.12s",
                      ownership == CONTAINER_OURS ? "stopping" : "removing", c->id);
        if (ownership == CONTAINER_OURS) {
                k->settle.stopped = true;
                error = engine_stop(k->http, socket_path, c->id, STOP_TIMEOUT_S, on_acted, k, &k->settling.call);
        } else
                error = engine_remove(k->http, socket_path, c->id, on_acted, k, &k->settling.call);
        if (error < 0)
                return finish_internal(k, error);
        (void) snprintf(k->settle.text, sizeof(k->settle.text), "%s container %.12s",
                        k->settle.stopped ? "stopped and removed" : "removed", c->id);
}

static void on_found(void *userdata, const EngineAnswer *answer) {
        Keeper *k = userdata;
        const Container *c = &answer->container;
        Ownership ownership;
        Observation seen;

        k->settling.call = NULL;
        if (!observation_is_none(&answer->failure))
                return finish(k, &answer->failure);
        if (!answer->found)
                return finish(k, NULL);
        ownership = container_judge(c, &k->attempt.record, clock_realtime_us());
        if (ownership == CONTAINER_FOREIGN) {
                seen = container_foreign(c);
                return finish(k, &seen);
        }
        if (k->settle.rounds > ROUNDS_MAX) {
                seen = observe(ORIGIN_ENGINE, 0, "not-settled", c->id,
                               "the container is still there after %u attempts to be rid of it", ROUNDS_MAX);
                return finish(k, &seen);
        }
        if (c->state == CONTAINER_REMOVING)
                return look_again(k);
        act(k, c, ownership);
}

static void look(Keeper *k) {
        int error;

        k->settle.rounds++;
        error = engine_find(k->http, k->spec->installer.engine_socket, on_found, k, &k->settling.call);
        if (error < 0)
                finish_internal(k, error);
}

/* --- The request --- */

/* Of the attempt on record, if any: its recorded leader with its group, then everything that bears
 * its mark. */
static void kill_leftovers(Keeper *k) {
        const AttemptRecord *r = &k->attempt.record;
        char pair[64], boot_id[BOOT_ID_SIZE];
        uint64_t start_ticks;
        unsigned n;

        if (r->state == RECORD_NONE || clock_boot_id(boot_id) < 0 || !streq(boot_id, r->boot_id))
                return;
        if (r->pid > 1 && process_start_ticks(r->pid, &start_ticks) >= 0 && start_ticks == r->start_ticks)
                (void) kill(-r->pid, SIGKILL);
        (void) snprintf(pair, sizeof(pair), SHIM_LABEL "=%s", r->id);
        n = process_kill_by_environment(pair);
        if (n > 0)
                keeper_notice(k, LOG_NOTICE, "killed %u processes that attempt %s had left", n, r->id);
}

void keeper_settle(Keeper *k) {
        Observation seen;

        if (k->attempt.record.state == RECORD_RUNNING) {
                seen = observe(ORIGIN_KEEPER, 0, "busy", k->attempt.record.id, "an installer is running");
                return keeper_refuse(k, &seen);
        }
        k->settling.wanted = true;
        if (k->settle.active)
                return; /* what is under way is for this request as well */
        kill_leftovers(k);
        k->settle.active = true;
        k->settle.rounds = 0;
        k->settle.stopped = false;
        (void) snprintf(k->settle.text, sizeof(k->settle.text), "nothing was left");
        look(k);
}
