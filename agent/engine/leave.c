/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One step at a time, the way out of an installation.
 *
 * The order is what keeps data safe: what is refused comes first, an allocator is closed before it is emptied, and a runner goes only when
 * nothing that people use runs on it. Each step is repeated until the platform shows its effect, so no step
 * needs to know whether it was done before.
 */

#include "engine/leave.h"

static LeaveStep empty_the_allocator(const LeaveView *view) {
        const AllocatorLoad *load = view->load;

        if (!load->maintenance)
                return LEAVE_START_MAINTENANCE;
        if (view->may_move && load->moving < load->instances && view->since_move_us >= LEAVE_MOVE_AGAIN_US)
                return LEAVE_MOVE;
        return LEAVE_WAIT;
}

LeaveStep leave_next(const LeaveView *view) {
        const RunnerView *runner = view->runner;

        if (!runner->found)
                return view->load->found ? LEAVE_DELETE_ALLOCATOR : LEAVE_DONE;
        if (!address_is_same(runner->host_ip, view->host_ip))
                return LEAVE_REFUSE_FOREIGN;
        if (!view->force && role_set_has(runner->listed_roles, ROLE_DIRECTOR))
                return LEAVE_REFUSE_DIRECTOR;
        if (!view->force && role_set_has(runner->listed_roles, ROLE_COORDINATOR) && !view->other_coordinator)
                return LEAVE_REFUSE_LAST_COORDINATOR;
        /* A disconnected allocator takes nothing new; but what it holds has to be moved all the same. */
        if (view->load->found && (view->load->instances > 0 || (!view->load->maintenance && view->load->connected)))
                return empty_the_allocator(view);
        return LEAVE_DELETE_RUNNER;
}

const char *leave_step_to_string(LeaveStep step) {
        static const char *const words[_LEAVE_STEP_MAX] = {
                [LEAVE_DONE] = "nothing is left to be done",
                [LEAVE_REFUSE_FOREIGN] = "another host bears this runner's id: nothing is touched",
                [LEAVE_REFUSE_DIRECTOR] = "this host is a director: ZooKeeper, the installation's memory, runs on it",
                [LEAVE_REFUSE_LAST_COORDINATOR] =
                        "this host is the last coordinator that is connected: without it nobody could manage the installation",
                [LEAVE_START_MAINTENANCE] = "start the allocator's maintenance mode",
                [LEAVE_MOVE] = "ask for the allocator's instances to be moved elsewhere",
                [LEAVE_WAIT] = "wait until the allocator holds no instances",
                [LEAVE_DELETE_RUNNER] = "remove the runner",
                [LEAVE_DELETE_ALLOCATOR] = "remove the allocator",
        };

        return words[step];
}
