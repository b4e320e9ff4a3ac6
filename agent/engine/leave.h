/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Leaving an installation, decided step by step from what the platform shows: nothing of it is remembered, so a leave that was
 * broken off anywhere goes on from there, and one that is over is over. Pure.
 *
 *   another host under our id                  refuse, always
 *   the role director, or the last coordinator refuse, unless forced: the installation's own state is on this host
 *   an allocator that takes new instances      start its maintenance mode
 *   instances on it                            ask for them to be moved (again each minute, as long as some are not under way); wait
 *   the runner                                 delete it
 *   an allocator without a runner              delete it
 *   neither                                    done
 */

#include <stdbool.h>

#include "base/clock.h"
#include "model/allocator-load.h"
#include "model/verdict.h"

typedef enum LeaveStep {
        LEAVE_DONE,
        LEAVE_REFUSE_FOREIGN,
        LEAVE_REFUSE_DIRECTOR,
        LEAVE_REFUSE_LAST_COORDINATOR,
        LEAVE_START_MAINTENANCE,
        LEAVE_MOVE,
        LEAVE_WAIT,
        LEAVE_DELETE_RUNNER,
        LEAVE_DELETE_ALLOCATOR,
        _LEAVE_STEP_MAX,
} LeaveStep;

typedef struct LeaveView {
        const RunnerView *runner;
        const AllocatorLoad *load;
        const char *host_ip;    /* this host's */
        bool other_coordinator; /* another connected runner has the role; looked up only where this host has it */
        usec_t since_move_us;   /* since instances were last asked to be moved; USEC_INFINITY: not yet */
        bool may_move;
        bool force;
} LeaveView;

#define LEAVE_MOVE_AGAIN_US USEC_PER_MINUTE

LeaveStep leave_next(const LeaveView *view);

/* What is done, or why it is not: a clause for people, "start the allocator's maintenance mode". */
const char *leave_step_to_string(LeaveStep step);
