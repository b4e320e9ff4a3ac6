/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The verdict by what runs on this host.
 *
 * One container makes a role: where it runs, the runner has been told by the platform to serve the role.
 * The others that belong to it have come and gone over ECE's releases, so an absent one is no
 * objection; one that is there and stands still is. Pure; nothing fails.
 */

#include "model/local-view.h"

#include <assert.h>

#include "base/cleanup.h"
#include "base/text.h"

typedef struct PartRow {
        const char *container;
        Role role;     /* _ROLE_INVALID: of every host */
        bool makes_it; /* where it runs, the host has the role */
} PartRow;

static const PartRow parts[_LOCAL_PART_MAX] = {
        [LOCAL_RUNNER] = { "frc-runners-runner", _ROLE_INVALID, false },
        [LOCAL_ALLOCATOR] = { "frc-allocators-allocator", ROLE_ALLOCATOR, true },
        [LOCAL_COORDINATOR] = { "frc-admin-consoles-admin-console", ROLE_COORDINATOR, true },
        [LOCAL_CONSTRUCTOR] = { "frc-constructors-constructor", ROLE_COORDINATOR, false },
        [LOCAL_DIRECTOR] = { "frc-directors-director", ROLE_DIRECTOR, true },
        [LOCAL_ZOOKEEPER] = { "frc-zookeeper-servers-zookeeper", ROLE_DIRECTOR, false },
        [LOCAL_PROXY] = { "frc-proxies-proxyv2", ROLE_PROXY, true },
        [LOCAL_ROUTE_SERVER] = { "frc-proxies-route-server", ROLE_PROXY, false },
};

static const char *const state_words[_LOCAL_STATE_MAX] = {
        [LOCAL_ABSENT] = "absent",
        [LOCAL_STOPPED] = "stopped",
        [LOCAL_RUNNING] = "running",
};

const char *local_state_to_string(LocalState state) {
        assert(state >= 0 && state < _LOCAL_STATE_MAX);
        return state_words[state];
}

LocalState local_state_from_string(const char *text) {
        for (LocalState s = 0; s < _LOCAL_STATE_MAX; s++)
                if (streq(state_words[s], text))
                        return s;
        return _LOCAL_STATE_INVALID;
}

const char *local_part_container(LocalPart part) {
        assert(part < _LOCAL_PART_MAX);
        return parts[part].container;
}

static void judge_runner(const LocalView *view, Verdict *v) {
        const char *name = parts[LOCAL_RUNNER].container;

        if (view->state[LOCAL_RUNNER] == LOCAL_ABSENT)
                verdict_add(v, DIFFERENCE_LOCAL_RUNNER, _ROLE_INVALID, "there is no container %s on this host", name);
        else if (view->state[LOCAL_RUNNER] == LOCAL_STOPPED)
                verdict_add(v, DIFFERENCE_LOCAL_RUNNER, _ROLE_INVALID, "the container %s does not run", name);
}

static void judge_wanted(const PartRow *row, LocalState state, Verdict *v) {
        const char *role = role_to_string(row->role);

        if (state == LOCAL_STOPPED)
                verdict_add(v, DIFFERENCE_LOCAL_ROLE, row->role, "role %s: its container %s does not run", role,
                            row->container);
        else if (state == LOCAL_ABSENT && row->makes_it)
                verdict_add(v, DIFFERENCE_LOCAL_ROLE, row->role, "role %s: wanted, there is no container %s", role,
                            row->container);
}

static void judge_unwanted(const PartRow *row, LocalState state, Verdict *v) {
        if (state == LOCAL_RUNNING && row->makes_it)
                verdict_add(v, DIFFERENCE_ROLE_EXTRA, row->role, "role %s: not wanted, and its container %s runs",
                            role_to_string(row->role), row->container);
}

/* The wanted ones first: that is the order of weight. */
static void judge_parts(const Plan *plan, const LocalView *view, bool wanted, Verdict *v) {
        for (LocalPart part = 0; part < _LOCAL_PART_MAX; part++)
                if (parts[part].role != _ROLE_INVALID && role_set_has(plan->roles, parts[part].role) == wanted)
                        (wanted ? judge_wanted : judge_unwanted)(parts + part, view->state[part], v);
}

static void judge_version(const Plan *plan, const LocalView *view, Verdict *v) {
        if (plan->version[0] != '\0' && view->version[0] != '\0' && !streq(view->version, plan->version))
                verdict_add(v, DIFFERENCE_VERSION, _ROLE_INVALID, "the runner is ECE %s, wanted %s", view->version,
                            plan->version);
}

void local_view_judge(const Plan *plan, const LocalView *view, Verdict *ret) {
        Verdict v = { .enrolled = true };

        judge_runner(view, &v);
        judge_parts(plan, view, true, &v);
        judge_parts(plan, view, false, &v);
        judge_version(plan, view, &v);
        *ret = v;
}
