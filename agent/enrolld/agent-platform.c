/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the agent changes on the platform after the join: the runner's roles, where it has joined with a token that assigns none, and
 * the persistent token that was made for this host. Both end in an answer to the machine, and neither is
 * believed: the roles are looked at, and the token is looked for in the list.
 */

#include "enrolld/agent-private.h"

#include "base/log.h"

static void on_roles_set(void *userdata, const Observation *failure) {
        Agent *a = userdata;

        if (!observation_is_none(failure))
                return agent_post_seen(a, EVENT_FAILED, failure);
        agent_note(a, "the token has assigned no role: this host's roles were set by the platform's API");
        agent_post(a, EVENT_ROLES_SET);
}

void agent_set_roles(Agent *a) {
        int error;

        if (!agent_has_coordinator(a))
                return;
        if (a->anonymous)
                return agent_miss_credential(a);
        error = coordinator_set_roles(a->coordinator, a->plan->runner_id, a->plan->roles, on_roles_set, a);
        if (error < 0)
                agent_fail(a, error, "can't ask for this host's roles");
}

static void on_revoked(void *userdata, const Observation *failure) {
        Agent *a = userdata;

        if (!observation_is_none(failure))
                return agent_post_seen(a, EVENT_FAILED, failure);
        a->record.token_id[0] = '\0';
        agent_post(a, EVENT_REVOKED);
}

/* A spec that went away, or is refused, leaves nobody to ask. */
static void miss_spec(Agent *a) {
        Observation seen = observe(ORIGIN_SPEC, 0, "absent", a->options.spec_path, "the token can't be deleted without it");

        agent_post_seen(a, EVENT_FAILED, &seen);
}

void agent_revoke_token(Agent *a) {
        int error;

        if (!a->record.token_id[0])
                return agent_post(a, EVENT_REVOKED);
        if (!a->spec)
                return miss_spec(a);
        if (!agent_has_coordinator(a))
                return;
        if (a->anonymous)
                return agent_miss_credential(a);
        error = coordinator_revoke_token(a->coordinator, a->record.token_id, on_revoked, a);
        if (error < 0)
                agent_fail(a, error, "can't ask for the token's deletion");
}
