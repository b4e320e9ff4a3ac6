/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whose container is it? Pure. */

#include "installer/attempt-record.h"
#include "installer/container-engine.h"

typedef enum Ownership {
        CONTAINER_OURS,     /* stop and remove */
        CONTAINER_BLOCKING, /* dead, bears the name: remove */
        CONTAINER_FOREIGN,  /* somebody else's, alive: wait for it */
} Ownership;

Ownership container_judge(const Container *c, const AttemptRecord *r, usec_t now_realtime_us);

/* ORIGIN_ENGINE "foreign-installer", with what is known of it. */
Observation container_foreign(const Container *c);
