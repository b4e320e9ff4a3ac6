/* SPDX-License-Identifier: Apache-2.0 */

/* Each row of the table at the head of leave.h; then a platform that does what it is told, with a break after any step. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "engine/leave.h"

#define US "192.0.2.7"
#define A (1U << ROLE_ALLOCATOR)
#define C (1U << ROLE_COORDINATOR)
#define D (1U << ROLE_DIRECTOR)
#define P (1U << ROLE_PROXY)
#define NEVER USEC_INFINITY

static const struct {
        const char *address; /* NULL: no runner */
        unsigned roles;
        bool allocator, connected, maintenance;
        unsigned instances, moving;
        bool other_coordinator, may_move, force;
        usec_t since_move_us;
        LeaveStep step;
} rows[] = {
        { NULL, 0, false, false, false, 0, 0, false, true, false, NEVER, LEAVE_DONE },
        { NULL, 0, true, false, true, 0, 0, false, true, false, NEVER, LEAVE_DELETE_ALLOCATOR },
        /* another host: force or not */
        { "192.0.2.8", A, true, true, false, 0, 0, false, true, false, NEVER, LEAVE_REFUSE_FOREIGN },
        { "192.0.2.8", A, false, true, true, 0, 0, true, true, true, NEVER, LEAVE_REFUSE_FOREIGN },
        { "", A, false, true, true, 0, 0, true, true, true, NEVER, LEAVE_REFUSE_FOREIGN },
        { "::ffff:192.0.2.7", P, false, true, false, 0, 0, false, true, false, NEVER, LEAVE_DELETE_RUNNER },
        /* what an installation can't do without */
        { US, D | A, true, true, false, 3, 0, true, true, false, NEVER, LEAVE_REFUSE_DIRECTOR },
        { US, D | C, false, true, false, 0, 0, false, true, true, NEVER, LEAVE_DELETE_RUNNER },
        { US, C, false, true, false, 0, 0, false, true, false, NEVER, LEAVE_REFUSE_LAST_COORDINATOR },
        { US, C, false, true, false, 0, 0, true, true, false, NEVER, LEAVE_DELETE_RUNNER },
        { US, C, false, true, false, 0, 0, false, true, true, NEVER, LEAVE_DELETE_RUNNER },
        /* an allocator */
        { US, A, true, true, false, 0, 0, false, true, false, NEVER, LEAVE_START_MAINTENANCE },
        { US, A, true, true, false, 5, 0, false, true, false, NEVER, LEAVE_START_MAINTENANCE },
        { US, A, true, true, true, 5, 0, false, true, false, NEVER, LEAVE_MOVE },
        { US, A, true, true, true, 5, 0, false, true, false, 0, LEAVE_WAIT },
        { US, A, true, true, true, 5, 0, false, true, false, LEAVE_MOVE_AGAIN_US - 1, LEAVE_WAIT },
        { US, A, true, true, true, 5, 4, false, true, false, LEAVE_MOVE_AGAIN_US, LEAVE_MOVE },
        { US, A, true, true, true, 5, 5, false, true, false, NEVER, LEAVE_WAIT }, /* all are under way */
        { US, A, true, true, true, 5, 0, false, false, false, NEVER, LEAVE_WAIT },
        { US, A, true, true, true, 5, 0, false, true, true, 0, LEAVE_WAIT }, /* force is not for data */
        { US, A, true, true, true, 0, 0, false, true, false, NEVER, LEAVE_DELETE_RUNNER },
        { US, A, true, false, false, 0, 0, false, true, false, NEVER, LEAVE_DELETE_RUNNER },
        { US, A, true, false, false, 2, 0, false, true, false, NEVER, LEAVE_START_MAINTENANCE },
        { US, A, false, false, false, 0, 0, false, true, false, NEVER, LEAVE_DELETE_RUNNER },
        { US, P, false, false, false, 0, 0, false, true, false, NEVER, LEAVE_DELETE_RUNNER },
        { US, 0, false, true, false, 0, 0, false, true, false, NEVER, LEAVE_DELETE_RUNNER },
};

static void each_row(void **state) {
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                RunnerView runner = { .found = rows[i].address != NULL, .listed_roles = (RoleSet) rows[i].roles };
                AllocatorLoad load = { rows[i].allocator, rows[i].connected, rows[i].maintenance, rows[i].instances, rows[i].moving, 0 };
                LeaveView view = { &runner, &load, US, rows[i].other_coordinator, rows[i].since_move_us, rows[i].may_move, rows[i].force };

                (void) snprintf(runner.host_ip, sizeof(runner.host_ip), "%s", rows[i].address ?: "");
                if (leave_next(&view) != rows[i].step)
                        fail_msg("row %zu: %s", i, leave_step_to_string(leave_next(&view)));
        }
        for (LeaveStep s = 0; s < _LEAVE_STEP_MAX; s++)
                assert_true(strlen(leave_step_to_string(s)) > 10);
}

/* Any platform that obeys is left within few steps, whatever it holds, and never with instances on a host without a runner. */
static void obedient_platforms(void **state) {
        unsigned seed = 20261125;

        for (unsigned n = 0; n < 2000; n++) {
                unsigned r = (unsigned) rand_r(&seed);
                RunnerView runner = { .found = true, .listed_roles = r & A ? A : P, .host_ip = US };
                AllocatorLoad load = { .found = r & A, .connected = r & 2, .maintenance = r & 4, .instances = r & A ? (r >> 4) % 9 : 0 };
                usec_t since_us = NEVER;
                LeaveStep step = _LEAVE_STEP_MAX;

                for (unsigned steps = 0; step != LEAVE_DONE; steps++) {
                        LeaveView view = { &runner, &load, US, false, since_us, true, false };

                        assert_true(steps < 40);
                        step = leave_next(&view);
                        since_us = since_us == NEVER ? NEVER : since_us + LEAVE_MOVE_AGAIN_US / 2;
                        if (step == LEAVE_START_MAINTENANCE)
                                load.maintenance = true;
                        else if (step == LEAVE_MOVE)
                                since_us = 0, load.moving = load.instances > 2 ? load.instances - 2 : load.instances; /* no room for two */
                        else if (step == LEAVE_WAIT && load.moving > 0)
                                load.moving--, load.instances--;
                        else if (step == LEAVE_DELETE_RUNNER) {
                                assert_int_equal(load.instances, 0);
                                runner.found = false;
                        } else if (step == LEAVE_DELETE_ALLOCATOR)
                                load.found = false;
                        if (rand_r(&seed) % 5 == 0)
                                since_us = NEVER; /* broken off, and called again */
                }
                assert_false(runner.found || load.found);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_row),
                cmocka_unit_test(obedient_platforms),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
