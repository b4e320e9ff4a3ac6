/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The look at what runs of ECE on this host: one question of the engine, and its answer handed on as it is. Who
 * judges it is the agent (model/local-view.h). What may fail: the engine does not answer, or not in its own words.
 */

#include "installer/keeper-private.h"

#include <stdio.h>
#include <string.h>

static void on_look(void *userdata, const EngineAnswer *answer) {
        Keeper *k = userdata;
        Message m = { .kind = MESSAGE_VIEW };

        k->looking.call = NULL;
        if (!k->looking.wanted)
                keeper_idle_update(k);
        else if (!observation_is_none(&answer->failure))
                keeper_refuse(k, &answer->failure);
        else {
                (void) snprintf(m.version, sizeof(m.version), "%s", answer->local.version);
                (void) memcpy(m.local, answer->local.state, sizeof(m.local));
                keeper_send(k, &m);
        }
}

void keeper_look(Keeper *k) {
        Observation seen;
        int error;

        k->looking.wanted = true;
        if (k->looking.call)
                return; /* whoever asked before is gone: this one gets the answer */
        error = engine_look(k->http, k->spec->installer.engine_socket, on_look, k, &k->looking.call);
        if (error >= 0)
                return;
        seen = observe(ORIGIN_KEEPER, -error, "internal", NULL, "can't ask the engine: %s", strerror(-error));
        keeper_refuse(k, &seen);
}
