/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The gates of PREFLIGHT as the agent sees them: the keeper's, which it asks for, and the network's, which it
 * looks at itself. All results are kept in one list, the last known of each gate, for status and story; the
 * machine hears of one event for each question.
 *
 * What is waited for is told once when it is found shut and once when it opens, not at every look.
 */

#include "enrolld/agent-private.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "host/gates.h"
#include "installer/engine-gates.h"
#include "model/coordinator-url.h"

static void add_untried(Agent *a, const char *name) {
        Gate gate = gate_named(name);

        (void) gates_put(&a->gates, &gate);
}

void agent_gates_reset(Agent *a) {
        a->gates = (Gates) { 0 };
        (void) memset(a->gate_awaited, 0, sizeof(a->gate_awaited));
        for (size_t i = 0; i < host_gates_n(); i++)
                add_untried(a, host_gate_name(i));
        for (size_t i = 0; i < engine_gates_n(); i++)
                add_untried(a, engine_gate_name(i));
        for (size_t i = 0; i < network_gates_n(); i++)
                add_untried(a, network_gate_name(i));
}

static void tell_shut(Agent *a, const Gate *gate, bool *awaited) {
        Outcome outcome;

        classify(&gate->seen, &outcome);
        /* One that won't open by itself ends the enrollment, and is told with that end. */
        if (*awaited || outcome.class == CLASS_PERMANENT)
                return;
        *awaited = true;
        if (a->options.story)
                story_gate_shut(a->options.story, gate->name, &outcome, clock_boottime_us());
}

static void tell_open(Agent *a, const Gate *gate, bool *awaited) {
        if (!*awaited)
                return;
        *awaited = false;
        if (a->options.story)
                story_gate_open(a->options.story, gate->name, clock_boottime_us());
        else
                log_info("gate '%s' is open now: %s", gate->name, gate->found);
}

void agent_gate_seen(Agent *a, const Gate *gate) {
        Gate *kept = gates_put(&a->gates, gate);
        bool *awaited = &a->gate_awaited[kept - a->gates.items];

        switch (kept->state) {
        case GATE_SHUT:
                return tell_shut(a, kept, awaited);
        case GATE_OPEN:
                return tell_open(a, kept, awaited);
        case GATE_UNTRIED:
        case _GATE_STATE_MAX:
        case _GATE_STATE_INVALID:
                return;
        }
}

bool agent_gate_was_told(const Agent *a, const char *reason) {
        for (size_t i = 0; i < a->gates.n; i++) {
                Outcome outcome;

                if (a->gates.items[i].state != GATE_SHUT || !a->gate_awaited[i])
                        continue;
                classify(&a->gates.items[i].seen, &outcome);
                if (streq(outcome.reason, reason))
                        return true;
        }
        return false;
}

/* --- The host's --- */

void agent_check_host(Agent *a) {
        agent_keeper_request(a, MESSAGE_GATES);
}

/* --- The network's ---
 *
 * Is a coordinator there? The first question that PROBE has for it answers that as well as a handshake that nothing
 * follows (network-gates.c). So it is asked here, and its answer is kept for the moment until PROBE wants it.
 */

/* Whatever was answered: somebody was there, and has proved itself. */
static void on_first_answer(void *userdata, const PlatformFacts *platform, const Observation *failure) {
        Agent *a = userdata;

        a->asked.valid = !observation_is_silence(failure);
        a->asked.failure = *failure;
        a->asked.has_platform = platform != NULL;
        if (platform)
                a->asked.platform = *platform;
        network_gates_asked(a->network, coordinator_url(a->coordinator), a->asked.valid ? &OBSERVATION_NONE : failure);
}

/* A credential that can't be had is told when it is needed, which is not here. */
static bool ask_first_question(void *userdata) {
        Agent *a = userdata;

        return agent_may_have_coordinator(a) && coordinator_ask_platform_in_haste(a->coordinator, on_first_answer, a) >= 0;
}

static bool is_loopback(const char *host) {
        return text_starts_with(host, "127.") || streq(host, "::1") || streq(host, "localhost");
}

/* Nobody is there to be asked, and nobody will be until this host's own ECE is up. */
static bool is_its_own_coordinator(const Agent *a) {
        const char *address = a->spec->host.host_ip ? a->spec->host.host_ip : a->facts.default_address;

        for (char *const *url = a->spec->coordinators; *url; url++) {
                char host[COORDINATOR_URL_SIZE];

                coordinator_url_host(*url, host);
                if (!address_is_same(host, address) && !is_loopback(host))
                        return false;
        }
        return true;
}

static void note_first_host(Agent *a, const Gate *shut) {
        if (streq(shut->name, "coordinator") && is_its_own_coordinator(a))
                agent_note(a, "the only coordinator of the spec is this host itself, and its ECE is not up: the first host of an "
                              "installation is installed by hand");
}

static void on_network(void *userdata, const Gates *gates) {
        Agent *a = userdata;
        const Gate *shut = gates_first_shut(gates);

        for (size_t i = 0; i < gates->n; i++)
                agent_gate_seen(a, &gates->items[i]);
        if (shut)
                note_first_host(a, shut);
        agent_report(a, false);
        if (shut)
                agent_post_event(a, &(Event) { .kind = EVENT_FAILED, .nobody_answered = streq(shut->name, "coordinator") }, &shut->seen);
        else
                agent_post(a, EVENT_NETWORK_READY);
}

/* A person may have put a better password or certificate in the place of the one that was refused. */
static bool way_was_refused(const Agent *a) {
        return text_starts_with(a->trouble.reason, "proxy.") || streq(a->trouble.reason, "coordinator.wants-certificate");
}

void agent_check_network(Agent *a) {
        NetworkQuestion question = { .spec = a->spec, .seed = agent_host_seed(), .ask = ask_first_question, .ask_userdata = a };
        int error = 0;

        a->asked.valid = false;
        if (way_was_refused(a))
                agent_forget_via(a);
        if (!agent_has_via(a))
                return;
        question.via = a->via;
        if (a->coordinator)
                question.has_clock_offset = coordinator_clock_offset_s(a->coordinator, &question.clock_offset_s);
        if (!a->network)
                error = network_gates_new(a->event, a->http, &a->network);
        if (error >= 0)
                error = network_gates_start(a->network, &question, on_network, a);
        if (error < 0)
                agent_fail(a, error, "can't look at the network's gates");
}

void agent_gates_cancel(Agent *a) {
        a->asked.valid = false;
        if (a->network)
                network_gates_cancel(a->network);
}
