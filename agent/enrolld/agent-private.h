/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the agent's files share. One file for each side of the world:
 *   agent.c              the queue of events, step, and the actions in their order
 *   agent-spec.c         LOAD_SPEC, the file's watch
 *   agent-gates.c        CHECK_HOST, CHECK_NETWORK, and what is known of the gates
 *   agent-keeper.c       ATTACH, PREPARE, INSTALL, TERMINATE, SETTLE, ACKNOWLEDGE
 *   agent-coordinator.c  REPLACE_RUNNER, MINT
 *   agent-platform.c     SET_ROLES, REVOKE_TOKEN
 *   agent-view.c         PROBE, LOOK
 *   agent-secrets.c      what becomes of the secrets that this host was given
 *   agent-record.c       SAVE, and what is found at the start
 *   agent-report.c       REPORT
 *   agent-webhook.c      reports that go to somebody else
 *   agent-tally.c        what is counted over transitions
 * Whatever happens becomes an Event in the queue; only agent.c calls the machine.
 */

#include "coordinator/coordinator.h"
#include "engine/classify.h"
#include "engine/machine.h"
#include "engine/record.h"
#include "enrolld/agent.h"
#include "enrolld/network-gates.h"
#include "host/host-facts.h"
#include "http/http.h"
#include "installer/keeper-client.h"
#include "model/report.h"
#include "report/outbox.h"
#include "report/repetition.h"

#define AGENT_QUEUE_MAX 64U
#define KEEPER_SOCKET "installd.sock" /* in the runtime directory */

typedef struct Occurrence {
        Event event;
        Outcome outcome;
} Occurrence;

struct Agent {
        AgentOptions options;
        sd_event *event;
        int state_fd; /* -1 as long as the directory can't be made or opened */
        int runtime_fd;
        int fatal; /* negative errno that ends the loop */

        Machine machine;
        Policy policy;
        Record record;
        int unrecorded; /* why the record on disk is not the machine's (negative errno), 0 when it is */

        Occurrence queue[AGENT_QUEUE_MAX];
        size_t queue_first, queue_n;
        sd_event_source *queue_source, *publish_again;
        sd_event_source *timer_source[_TIMER_MAX];
        sd_event_source *spec_watch[2], *state_watch;

        Spec *spec;
        HostFacts facts;
        PlatformFacts platform;
        Plan *plan;
        Http *http;
        Via *via; /* how coordinators are reached; NULL: not read yet */
        Coordinator *coordinator;
        bool anonymous;      /* the coordinator is asked without a credential: there is none, or it was forgotten */
        bool platform_known; /* it was asked for its version */
        bool probing;        /* the view is wanted by PROBE, not by LOOK */
        bool looking_for_strangers; /* the engine is asked whether ECE is on this host already */
        Membership membership;      /* what the platform has said before that */
        Verdict verdict;
        Token *token;

        struct {
                HttpTransfer *transfer; /* NULL: none under way */
                Trust *trust;           /* NULL: not made yet */
                char id[OUTBOX_ID_SIZE]; /* of the report under way */
                char last[160];         /* what was wrong last, "": nothing */
                unsigned tries;
                sd_event_source *again, *last_chance;
                int exit_code; /* a run's, once it waits for nothing else */
        } webhook;

        Gates gates; /* the last known of each */
        bool gate_awaited[GATES_MAX]; /* that it is shut was told, that it has opened not yet */
        NetworkGates *network;
        struct { /* PROBE's first question, if the gates have asked it already: its answer */
                bool valid, has_platform;
                PlatformFacts platform;
                Observation failure;
        } asked;

        KeeperClient *keeper;
        MessageKind keeper_request; /* the one under way, _MESSAGE_KIND_INVALID when none */
        bool attempt_timed_out;     /* TERMINATE was ours: the attempt's time was up */

        Outcome reason; /* of the present state, for people */
        Outcome trouble; /* the last one that was not OK, for a state that ends without one of its own */
        char told[OUTCOME_TEXT_SIZE]; /* the trouble that was told last: not repeated */
        Repetition repetition; /* of transitions, for the journal */
        char stage[64];
        usec_t token_age_at_start_us;
        usec_t spent_us[_STATE_MAX]; /* in each state, since we were started */
        size_t n_retries;
        ReportRetry retries[REPORT_RETRIES_MAX];
        char *metrics_path;      /* of the last spec that could be read: without one they would only grow old */
        bool metrics_complained; /* that they can't be written was told */
        size_t n_notes;
        char notes[16][200];
};

uint32_t agent_random(void); /* of the kernel's good ones; for spreading things, not for secrets */

/* Queue an event; with an observation it is classified and its class, exit code and wait go along. */
void agent_post(Agent *a, EventKind kind);
void agent_post_event(Agent *a, const Event *event, const Observation *seen);
void agent_post_seen(Agent *a, EventKind kind, const Observation *seen);

/* Remembers something that is no failure and worth telling, once. */
void agent_note(Agent *a, const char *note);

/* A person's wish, by a signal or by a file. */
void agent_try_again(Agent *a);

/* Ends the loop: nothing sensible can be done. */
void agent_fail(Agent *a, int error, const char *what);

/* agent-spec.c */
void agent_load_spec(Agent *a);
void agent_forget_spec(Agent *a); /* and everything that was made from it */

/* agent-keeper.c */
/* The client's handler. */
void agent_on_keeper(void *userdata, const Message *event, const Observation *lost);
void agent_keeper_attach(Agent *a);
void agent_keeper_request(Agent *a, MessageKind kind); /* GATES, PREPARE, INSTALL, TERMINATE, SETTLE, ACKNOWLEDGE */

/* agent-gates.c */
void agent_check_host(Agent *a);    /* HOST_READY or FAILED */
void agent_check_network(Agent *a); /* NETWORK_READY or FAILED */
void agent_gates_cancel(Agent *a);
void agent_gates_reset(Agent *a);   /* a new spec: nobody has looked yet */
void agent_gate_seen(Agent *a, const Gate *gate);
bool agent_gate_was_told(const Agent *a, const char *reason); /* that a gate is shut for it */

/* agent-coordinator.c */
bool agent_has_via(Agent *a);         /* as the next */
void agent_forget_via(Agent *a);      /* and the client that uses it: both are made anew */
bool agent_has_coordinator(Agent *a); /* false: why not is on its way to the machine */
bool agent_may_have_coordinator(Agent *a); /* the same, and nobody is told why not */
uint64_t agent_host_seed(void);           /* by which this host's order of coordinators is shuffled */
void agent_miss_credential(Agent *a); /* FAILED: it was forgotten, and now there is something to do again */
void agent_replace_runner(Agent *a);
void agent_mint(Agent *a);

/* agent-platform.c */
void agent_set_roles(Agent *a);
void agent_revoke_token(Agent *a);

/* agent-view.c */
void agent_probe(Agent *a);
void agent_look(Agent *a);
void agent_on_local_view(Agent *a, const LocalView *view);
const char *agent_witness(const Agent *a); /* by whom the host is verified: "coordinator", "local", "both" */

/* agent-secrets.c */
void agent_warn_of_key(Agent *a);     /* after an answer of the platform */
bool agent_may_forget(const Agent *a);
void agent_forget_secrets(Agent *a);  /* behind the record of ENROLLED */

/* agent-record.c */
int agent_record_open(Agent *a); /* takes the state directory and what is on record; -EBUSY: another agent's */
void agent_save(Agent *a);
bool agent_is_recorded(Agent *a); /* after trying once more, if need be */
Observation agent_unrecorded_observation(const Agent *a);

/* agent-webhook.c */
void agent_webhook_report(Agent *a, const Report *r); /* a verdict goes into the outbox, if it is news */
void agent_webhook_send(Agent *a);                    /* what is in the outbox, one after the other */
void agent_webhook_forget(Agent *a);                  /* the spec, and what is under way for it */
bool agent_webhook_delays_exit(Agent *a, int exit_code); /* a run's: it ends by itself then, soon */
void agent_webhook_is_idle(Agent *a);
void agent_webhook_fill(const Agent *a, Report *ret);

/* agent-tally.c */
void agent_tally(Agent *a, const Machine *before); /* of a transition: how long, and why again */
void agent_tally_fill(const Agent *a, Report *ret);

/* agent-report.c */
void agent_add_to_history(Agent *a); /* the state just entered, with its reason */
void agent_report(Agent *a, bool transition); /* transition: tell the journal and the story, too */
void agent_report_trouble(Agent *a);          /* a new reason without a change of state */
void agent_report_fill(const Agent *a, Report *ret);
