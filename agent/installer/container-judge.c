/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The installer's container has a fixed name, which an operator's upgrade shares. Ours is the one that bears the
 * label of the attempt on record, added by our shim; or, where no shim could add one, the one that shows
 * everything that an install of ours would. All else that is alive is somebody else's and never touched.
 */

#include "installer/container-judge.h"

#include "base/text.h"

/* A container that somebody has just made and not started yet is not dead. */
#define JUST_CREATED_S 120

/* Seconds that the engine's idea of a creation may lie before our record, which is written first:
 * rounding. */
#define CREATED_SLACK_S 1

static bool created_in_attempt(const Container *c, const AttemptRecord *r) {
        return c->created_s + CREATED_SLACK_S >= (int64_t) (r->started_realtime_us / USEC_PER_SEC);
}

/* By our label; or, where no shim could add one, by everything that an install of ours would show.
 * */
static bool is_ours(const Container *c, const AttemptRecord *r) {
        if (r->state == RECORD_NONE)
                return false;
        if (c->label[0])
                return streq(c->label, r->id);
        return r->handoff == HANDOFF_ARGV && streq(c->command, INSTALLER_CONTAINER) && created_in_attempt(c, r) &&
               streq(c->runner_id, r->runner_id);
}

Ownership container_judge(const Container *c, const AttemptRecord *r, usec_t now_realtime_us) {
        bool ours = is_ours(c, r) && !streq(c->command, UPGRADER_COMMAND);
        int64_t age_s = (int64_t) (now_realtime_us / USEC_PER_SEC) - c->created_s;

        switch (c->state) {
        case CONTAINER_ALIVE:
                return ours ? CONTAINER_OURS : CONTAINER_FOREIGN;
        case CONTAINER_CREATED:
                return ours || (c->created_s > 0 && age_s > JUST_CREATED_S) ? CONTAINER_BLOCKING : CONTAINER_FOREIGN;
        case CONTAINER_DEAD:
        case CONTAINER_REMOVING:
                return CONTAINER_BLOCKING;
        }
        return CONTAINER_FOREIGN;
}

Observation container_foreign(const Container *c) {
        return observe(ORIGIN_ENGINE, 0, "foreign-installer", c->id, "command %s, runner id %s%s%s",
                       c->command[0] ? c->command : "unknown", c->runner_id[0] ? c->runner_id : "unknown",
                       c->label[0] ? ", attempt " : "", c->label);
}
