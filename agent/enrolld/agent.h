/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Agent: the state machine wired to the world. The same object serves the daemon (ece-enrolld) and one run
 * in the foreground (`ece-enroll run`); the options say which.
 */

#include <systemd/sd-event.h>

#include "model/outcome.h"
#include "model/spec.h"
#include "report/story.h"

typedef struct Agent Agent;

/* Starts a keeper that listens on socket_path and returns when it may be connected to. none, or why it can't be had. */
typedef Observation (*AgentStartKeeper)(void *userdata, const Spec *spec, const char *socket_path);

typedef struct AgentOptions {
        const char *spec_path;
        const char *state_dir;   /* made if missing, 0700: the record */
        const char *runtime_dir; /* made if missing, 0755: status.json, the keeper's socket */
        bool one_shot;           /* `run`: exit in a final state; credentials may come from the environment */
        AgentStartKeeper start_keeper; /* NULL: somebody else listens (socket activation) */
        void *userdata;
        Story *story;            /* NULL: nobody watches */
} AgentOptions;

/* Before any library can start a thread: SIGINT, SIGTERM, SIGHUP and SIGUSR1 are read by the loop and by
 * nothing else, SIGPIPE by nobody. 0 or negative errno. */
int agent_block_signals(void);

/* Options and what they point to must outlive the agent. 0; -EBUSY when another agent has the state
 * directory; other negative errno. Nothing is done before the loop runs. Signals must be blocked. */
int agent_new(sd_event *event, const AgentOptions *options, Agent **ret);
Agent *agent_free(Agent *agent);
static inline void agent_freep(Agent **slot) {
        (void) agent_free(*slot);
}

/* Runs the loop until the agent leaves. The exit code of the contract, or negative errno (a fault of ours or of
 * the machine: exit 70). */
int agent_run(Agent *agent);
