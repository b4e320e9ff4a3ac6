/* SPDX-License-Identifier: Apache-2.0 */

/* Two questions: which version, and what do you know of this host? */

#include "cli/plan-online.h"

#include "cli/platform-session.h"

static int resolve_anew(const Spec *spec, const HostFacts *facts, Plan **plan, OnlineView *view) {
        Plan *resolved = NULL;
        int r = plan_resolve(spec, facts, &view->platform, &resolved, &view->failure);

        if (r < 0 || !resolved)
                return r;
        (void) plan_free(*plan);
        *plan = resolved;
        return 0;
}

int plan_ask_online(const Spec *spec, const HostFacts *facts, Plan **plan, OnlineView *ret) {
        _cleanup_(platform_session_closep) PlatformSession *session = NULL;
        int r;

        *ret = (OnlineView) { .failure = OBSERVATION_NONE };
        r = platform_session_open(spec, &session, &ret->failure);
        if (r < 0 || !session)
                return r;
        ret->failure = platform_ask_version(session, &ret->platform);
        if (!observation_is_none(&ret->failure))
                return 0;
        r = resolve_anew(spec, facts, plan, ret);
        if (r < 0 || !observation_is_none(&ret->failure))
                return r;
        ret->failure = platform_look(session, (*plan)->runner_id, (*plan)->host_ip, (*plan)->roles, &ret->runner);
        if (observation_is_none(&ret->failure))
                verdict_judge(*plan, &ret->runner, &ret->verdict);
        return 0;
}
