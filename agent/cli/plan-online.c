/* SPDX-License-Identifier: Apache-2.0 */

/* A loop of its own around two questions: which version, and what do you know of this host? */

#include "cli/plan-online.h"

#include <signal.h>
#include <systemd/sd-event.h>

#include "coordinator/coordinator.h"
#include "coordinator/credential.h"
#include "http/http.h"

typedef struct Asking {
        sd_event *event;
        const Spec *spec;
        const HostFacts *facts;
        Coordinator *coordinator;
        Plan **plan;
        OnlineView *view;
} Asking;

static void finish(Asking *q, const Observation *failure) {
        q->view->failure = *failure;
        (void) sd_event_exit(q->event, 0);
}

static void on_view(void *userdata, const RunnerView *runner, const Observation *failure) {
        Asking *q = userdata;

        if (observation_is_none(failure)) {
                q->view->runner = *runner;
                verdict_judge(*q->plan, runner, &q->view->verdict);
        }
        finish(q, failure);
}

static void on_platform(void *userdata, const PlatformFacts *platform, const Observation *failure) {
        Asking *q = userdata;
        Observation refusal = OBSERVATION_NONE;
        Plan *plan = NULL;
        int error;

        if (!observation_is_none(failure))
                return finish(q, failure);
        q->view->platform = *platform;
        error = plan_resolve(q->spec, q->facts, platform, &plan, &refusal);
        if (error >= 0 && plan) {
                (void) plan_free(*q->plan);
                *q->plan = plan;
                error = coordinator_look(q->coordinator, plan, on_view, q);
        } else if (error >= 0)
                return finish(q, &refusal);
        if (error < 0)
                (void) sd_event_exit(q->event, error);
}

static int ask(Asking *q, Http *http) {
        _cleanup_(via_freep) Via *via = NULL; /* outlives what uses it */
        _cleanup_(coordinator_freep) Coordinator *coordinator = NULL;
        Observation refusal = OBSERVATION_NONE;
        Secret *secret = NULL;
        int error = via_new(q->spec, true, &via, &refusal);

        if (error >= 0 && via && q->spec->credential.kind != CREDENTIAL_NONE)
                error = credential_read(&q->spec->credential.secret, true, &secret, &refusal);
        if (error >= 0 && observation_is_none(&refusal))
                error = coordinator_new(q->event, http, q->spec, secret, 0, &coordinator, &refusal);
        if (error < 0)
                return error;
        if (!observation_is_none(&refusal)) {
                q->view->failure = refusal;
                return 0;
        }
        coordinator_use_via(coordinator, via);
        q->coordinator = coordinator;
        error = coordinator_ask_platform(coordinator, on_platform, q);
        return error < 0 ? error : sd_event_loop(q->event);
}

int plan_ask_online(const Spec *spec, const HostFacts *facts, Plan **plan, OnlineView *ret) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(http_freep) Http *http = NULL;
        Asking q = { .spec = spec, .facts = facts, .plan = plan, .view = ret };
        int error;

        *ret = (OnlineView) { .failure = OBSERVATION_NONE };
        (void) signal(SIGPIPE, SIG_IGN);
        error = sd_event_new(&event);
        if (error >= 0)
                error = http_new(event, &http);
        if (error < 0)
                return error;
        q.event = event;
        return ask(&q, http);
}
