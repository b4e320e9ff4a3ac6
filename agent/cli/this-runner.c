/* SPDX-License-Identifier: Apache-2.0 */

/* The identity only: a host that leaves, or gets its roles, need not have the installer's script any more. */

#include "cli/this-runner.h"

#include <stdio.h>

#include "base/text.h"
#include "host/host-facts.h"
#include "model/allow-list.h"
#include "model/plan.h"

int this_runner(const Spec *spec, const CommonOptions *options, ThisRunner *ret) {
        char why[ALLOW_LIST_WHY_SIZE];
        HostFacts facts;
        Plan plan = {};
        Observation o;
        int error;

        *ret = (ThisRunner){};
        if (options->runner_id) {
                if (strlen(options->runner_id) >= sizeof(ret->id) ||
                    allow_list_check(VALUE_RUNNER_ID, options->runner_id, why) < 0)
                        return command_misused("roles", "'%.64s' is no runner's id", options->runner_id);
                text_copy_printable(ret->id, sizeof(ret->id), options->runner_id);
                return EXIT_DONE;
        }
        error = host_facts_gather(spec, &facts);
        if (error < 0)
                return command_failed(error);
        o = plan_name_runner(spec, &facts, &plan);
        if (!observation_is_none(&o))
                return command_tell_seen(&o);
        text_copy_printable(ret->id, sizeof(ret->id), plan.runner_id);
        text_copy_printable(ret->host_ip, sizeof(ret->host_ip), plan.host_ip);
        return EXIT_DONE;
}
