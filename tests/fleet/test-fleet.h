/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the parts of the fleet's test have in common. */

#include "fleet.h"

typedef struct Arrived {
        unsigned host, coordinator;
        Arrival arrival;
        Door answer;
        usec_t at_us;
} Arrived;

typedef struct Log {
        Arrived *item;
        size_t n;
} Log;

Log log_new(void);
void log_follow(Log *log, FleetPlan *plan); /* from its beginning on */
FleetPlan plan_of(const char *words);       /* with blanks between them; until the next call */

/* test-fleet-lone.c */
void test_a_lone_host_is_the_agent(void **state);
void test_a_lone_host_fails_over_like_the_agent(void **state);
