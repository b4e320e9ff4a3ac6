/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The words for states, events, timers and actions. Those of the states are public (status.json,
 * hooks, journal) and are what the record keeps; the others are for the graph in the manual and for
 * debug lines.
 */

#include <assert.h>

#include "base/text.h"
#include "engine/machine.h"

static const char *const state_words[_STATE_MAX] = {
        [STATE_LOADING] = "LOADING",
        [STATE_UNCONFIGURED] = "UNCONFIGURED",
        [STATE_PREFLIGHT] = "PREFLIGHT",
        [STATE_PROBING] = "PROBING",
        [STATE_PREPARING] = "PREPARING",
        [STATE_MINTING] = "MINTING",
        [STATE_INSTALLING] = "INSTALLING",
        [STATE_TERMINATING] = "TERMINATING",
        [STATE_SETTLING] = "SETTLING",
        [STATE_VERIFYING] = "VERIFYING",
        [STATE_BACKOFF] = "BACKOFF",
        [STATE_ENROLLED] = "ENROLLED",
        [STATE_FAILED] = "FAILED",
        [STATE_STOPPING] = "STOPPING",
};

static const char *const timer_words[_TIMER_MAX] = {
        [TIMER_GIVE_UP] = "GIVE_UP", [TIMER_WAIT] = "WAIT",   [TIMER_ATTEMPT] = "ATTEMPT",
        [TIMER_VERIFY] = "VERIFY",   [TIMER_GUARD] = "GUARD",
};

static const char *const event_words[_EVENT_KIND_MAX] = {
        [EVENT_START] = "START",
        [EVENT_SPEC_LOADED] = "SPEC_LOADED",
        [EVENT_SPEC_ABSENT] = "SPEC_ABSENT",
        [EVENT_SPEC_REFUSED] = "SPEC_REFUSED",
        [EVENT_KEEPER_IDLE] = "KEEPER_IDLE",
        [EVENT_KEEPER_RUNNING] = "KEEPER_RUNNING",
        [EVENT_HOST_READY] = "HOST_READY",
        [EVENT_NETWORK_READY] = "NETWORK_READY",
        [EVENT_PROBED] = "PROBED",
        [EVENT_REPLACED] = "REPLACED",
        [EVENT_PREPARED] = "PREPARED",
        [EVENT_MINTED] = "MINTED",
        [EVENT_INSTALL_EXITED] = "INSTALL_EXITED",
        [EVENT_SETTLED] = "SETTLED",
        [EVENT_VIEWED] = "VIEWED",
        [EVENT_ROLES_SET] = "ROLES_SET",
        [EVENT_REVOKED] = "REVOKED",
        [EVENT_FAILED] = "FAILED",
        [EVENT_UNRECORDED] = "UNRECORDED",
        [EVENT_KEEPER_LOST] = "KEEPER_LOST",
        [EVENT_TIMER] = "TIMER",
        [EVENT_STOP] = "STOP",
        [EVENT_RETRY] = "RETRY",
        [EVENT_SPEC_CHANGED] = "SPEC_CHANGED",
};

static const char *const action_words[_ACTION_KIND_MAX] = {
        [ACTION_WIPE_TOKEN] = "WIPE_TOKEN",
        [ACTION_SAVE] = "SAVE",
        [ACTION_REPORT] = "REPORT",
        [ACTION_LOAD_SPEC] = "LOAD_SPEC",
        [ACTION_ATTACH] = "ATTACH",
        [ACTION_CHECK_HOST] = "CHECK_HOST",
        [ACTION_CHECK_NETWORK] = "CHECK_NETWORK",
        [ACTION_PROBE] = "PROBE",
        [ACTION_REPLACE_RUNNER] = "REPLACE_RUNNER",
        [ACTION_PREPARE] = "PREPARE",
        [ACTION_MINT] = "MINT",
        [ACTION_INSTALL] = "INSTALL",
        [ACTION_TERMINATE] = "TERMINATE",
        [ACTION_SETTLE] = "SETTLE",
        [ACTION_ACKNOWLEDGE] = "ACKNOWLEDGE",
        [ACTION_LOOK] = "LOOK",
        [ACTION_SET_ROLES] = "SET_ROLES",
        [ACTION_REVOKE_TOKEN] = "REVOKE_TOKEN",
        [ACTION_CANCEL] = "CANCEL",
        [ACTION_ARM] = "ARM",
        [ACTION_DISARM] = "DISARM",
        [ACTION_EXIT] = "EXIT",
};

const char *state_to_string(State s) {
        assert(s >= 0 && s < _STATE_MAX);
        return state_words[s];
}

State state_from_string(const char *s) {
        for (State state = 0; state < _STATE_MAX; state++)
                if (streq_ptr(s, state_words[state]))
                        return state;
        return _STATE_INVALID;
}

const char *timer_to_string(Timer t) {
        assert(t < _TIMER_MAX);
        return timer_words[t];
}

const char *event_kind_to_string(EventKind k) {
        assert(k < _EVENT_KIND_MAX);
        return event_words[k];
}

const char *action_kind_to_string(ActionKind k) {
        assert(k < _ACTION_KIND_MAX);
        return action_words[k];
}
