/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * LocalView: what the container engine of this host shows of ECE, and the verdict by it.
 *
 * For hosts that hold no credential of the platform (verify.by: local), and as a second witness (both). It
 * can show less than the platform: that the services of a role run here, not that the role is blessed.
 */

#include "model/role.h"
#include "model/verdict.h"

typedef enum LocalState {
        LOCAL_ABSENT,
        LOCAL_STOPPED, /* there, and not running */
        LOCAL_RUNNING,
        _LOCAL_STATE_MAX,
        _LOCAL_STATE_INVALID = -EINVAL,
} LocalState;

const char *local_state_to_string(LocalState state); /* "absent", "stopped", "running" */
LocalState local_state_from_string(const char *text);

/* ECE's own containers that say something of a host; the names are ECE's (container per role,
 * "Elastic Cloud Enterprise architecture"). */
typedef enum LocalPart {
        LOCAL_RUNNER,
        LOCAL_ALLOCATOR,
        LOCAL_COORDINATOR,
        LOCAL_CONSTRUCTOR,
        LOCAL_DIRECTOR,
        LOCAL_ZOOKEEPER,
        LOCAL_PROXY,
        LOCAL_ROUTE_SERVER,
        _LOCAL_PART_MAX,
} LocalPart;

const char *local_part_container(LocalPart part); /* "frc-runners-runner" */

typedef struct LocalView {
        LocalState state[_LOCAL_PART_MAX];
        char version[64]; /* tag of the runner's image; "" when there is none, or it is no version */
} LocalView;

/*
 * Pure. The runner must run, with the plan's version when both are known; the container that makes a role
 * must run for each wanted role and for no other; what else belongs to a wanted role must not stand still.
 * The version's difference is judged only when the plan knows one.
 */
void local_view_judge(const Plan *plan, const LocalView *view, Verdict *ret);
