/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What must hold in every scenario, whatever its file says: no verdict that the platform does not
 * share, no end before its time. (Promises that belong to one deed, as never two installers, are
 * held where the deed is done: model-keeper.c, model-platform.c.)
 */

#include "engine/classify.h"
#include "world.h"

static bool passes_by_itself(const Outcome *reason) {
        return reason->class != CLASS_PERMANENT && reason->class != CLASS_CREDENTIAL;
}

static void check_enrolled(void) {
        const Agent *a = world->agent;

        if (a->spec && a->spec->on_member == ON_MEMBER_IGNORE)
                return;
        if (!platform_agrees())
                world_break("enrolled means that the platform agrees");
        if (world->installer.running || world->installer.left_over)
                world_break("enrolled means that no installer is left");
}

static bool wall_is_reached(const Agent *a) {
        usec_t wall_us = usec_add(a->machine.started_us, usec_sub(a->policy.give_up_after_us, a->machine.spent_us));

        return world_boottime() >= wall_us;
}

/* A wrong view had all of verify.timeout to become a right one. */
static bool view_had_its_time(const Agent *a) {
        return a->machine.exit_code == EXIT_DIFFERS &&
               world->now_us - world->verifying_us >= a->policy.verify_timeout_us;
}

static void check_failed(void) {
        const Agent *a = world->agent;

        if (a->machine.exit_code <= 0)
                world_break("a failure has an exit code");
        switch (a->machine.end) {
        case END_DEADLINE:
                if (!wall_is_reached(a))
                        world_break("nothing gives up before the wall");
                return;
        case END_WINDOWS:
                if (a->machine.window < a->policy.windows)
                        world_break("nothing gives up before its tokens are spent");
                return;
        case END_LOOP:
                if (a->machine.vain_efforts < a->policy.vain_efforts_max)
                        world_break("nothing is called a loop before it is one");
                return;
        case END_OUTCOME:
        case END_NONE:
        case END_SIGNAL:
                break;
        }
        if (passes_by_itself(&a->reason) && !view_had_its_time(a))
                world_break("what passes by itself ends no run before its time");
}

void promises_check_state(void) {
        const Agent *a = world->agent;

        if (world->agent_dead)
                return;
        if (state_is_final(a->machine.state))
                world->final_us = world->now_us;
        if (a->machine.state == STATE_VERIFYING)
                world->verifying_us = world->now_us;
        if (a->machine.state == STATE_ENROLLED)
                check_enrolled();
        if (a->machine.state == STATE_FAILED)
                check_failed();
        if (a->machine.window > a->policy.windows)
                world_break("no more windows than the spec allows");
}
