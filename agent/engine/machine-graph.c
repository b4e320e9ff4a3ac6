/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The graph of the machine, found by driving the machine.
 *
 * For each state a plausible machine is taken, changed in up to three of its facts and policies
 * (the guards of the graph), and given each event with each class, membership and timer. Every
 * change of state that comes out is an edge. Nothing is declared twice, so the graph in the manual
 * can't drift from the code.
 *
 * Three facts at a time are enough: no edge hangs on four. Facts that can't be true in a state (a
 * stop signal while PROBING) are not set there, or the graph would show ways that nobody can go.
 */

#include <assert.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "engine/machine.h"

#define NOW_US (1000 * USEC_PER_HOUR)
#define GRAPH_SIZE_MAX (64U * 1024U)

typedef enum Fact {
        FACT_NONE,
        FACT_PENDING, FACT_UNSETTLED, FACT_HALF_JOINED, FACT_WAS_ENROLLED, FACT_TOKEN, FACT_PREPARED,
        FACT_ASKED_HOST, FACT_ASKED_NETWORK, FACT_SPLAYED, FACT_REPLACED, FACT_DIFFERS, FACT_STABLE, FACT_VERIFY_FIRED,
        FACT_WINDOWS_SPENT, FACT_IN_VAIN, FACT_SPEC_CHANGED, FACT_DEADLINE, FACT_SIGNAL, FACT_REFUSED_ONCE,
        FACT_NEXT_LOADING, FACT_NEXT_PREFLIGHT, FACT_NEXT_FAILED,
        FACT_NO_SPLAY, FACT_PREPULL, FACT_IGNORE_MEMBER, FACT_REPLACE_STALE, FACT_ONE_SHOT,
        _FACT_MAX,
} Fact;

/* The edges found: for each pair of states, a bit for each event and, behind them, for each
 * timer. */
typedef struct Graph {
        uint32_t edge[_STATE_MAX][_STATE_MAX];
} Graph;

#define STATE_BIT(s) (1U << (unsigned) (s))

static bool fact_fits(Fact fact, State state) {
        static const unsigned states[_FACT_MAX] = {
                [FACT_PENDING] = STATE_BIT(STATE_LOADING) | STATE_BIT(STATE_PREFLIGHT) | STATE_BIT(STATE_BACKOFF) |
                                 STATE_BIT(STATE_INSTALLING) | STATE_BIT(STATE_TERMINATING),
                [FACT_UNSETTLED] = STATE_BIT(STATE_LOADING) | STATE_BIT(STATE_PREFLIGHT) |
                                   STATE_BIT(STATE_BACKOFF) | STATE_BIT(STATE_SETTLING),
                [FACT_TOKEN] = STATE_BIT(STATE_PROBING) | STATE_BIT(STATE_BACKOFF) | STATE_BIT(STATE_INSTALLING),
                [FACT_ASKED_HOST] = STATE_BIT(STATE_PREFLIGHT),
                [FACT_ASKED_NETWORK] = STATE_BIT(STATE_PREFLIGHT),
                [FACT_REPLACED] = STATE_BIT(STATE_PROBING),
                [FACT_DIFFERS] = STATE_BIT(STATE_VERIFYING),
                [FACT_STABLE] = STATE_BIT(STATE_VERIFYING),
                [FACT_VERIFY_FIRED] = STATE_BIT(STATE_VERIFYING),
                [FACT_DEADLINE] = STATE_BIT(STATE_TERMINATING) | STATE_BIT(STATE_SETTLING),
                [FACT_SIGNAL] = STATE_BIT(STATE_TERMINATING) | STATE_BIT(STATE_SETTLING),
                [FACT_NEXT_LOADING] = STATE_BIT(STATE_BACKOFF),
                [FACT_NEXT_PREFLIGHT] = STATE_BIT(STATE_BACKOFF) | STATE_BIT(STATE_SETTLING),
                [FACT_NEXT_FAILED] = STATE_BIT(STATE_SETTLING),
        };

        return states[fact] == 0 || (states[fact] & STATE_BIT(state)) != 0;
}

static void set_machine_fact(Machine *m, Fact fact) {
        if (fact == FACT_PENDING)
                m->installer_pending = true;
        else if (fact == FACT_UNSETTLED)
                m->unsettled = true;
        else if (fact == FACT_HALF_JOINED)
                m->half_joined = true;
        else if (fact == FACT_WAS_ENROLLED)
                m->was_enrolled = true;
        else if (fact == FACT_TOKEN) {
                m->token_held = true;
                m->token_deadline_us = USEC_INFINITY;
        } else if (fact == FACT_PREPARED)
                m->prepared = true;
        else if (fact == FACT_ASKED_HOST)
                m->question = QUESTION_HOST;
        else if (fact == FACT_ASKED_NETWORK)
                m->question = QUESTION_NETWORK;
        else if (fact == FACT_SPLAYED)
                m->splayed = true;
        else if (fact == FACT_REPLACED)
                m->replaced = true;
        else if (fact == FACT_DIFFERS)
                m->differs = true;
        else if (fact == FACT_STABLE)
                m->stable_since_us = 1;
        else if (fact == FACT_VERIFY_FIRED)
                m->armed_us[TIMER_VERIFY] = USEC_INFINITY;
        else if (fact == FACT_WINDOWS_SPENT)
                m->window = 1;
        else if (fact == FACT_IN_VAIN)
                m->vain_efforts = 1;
        else if (fact == FACT_SPEC_CHANGED)
                m->spec_changed = true;
        else if (fact == FACT_DEADLINE)
                m->end = END_DEADLINE;
        else if (fact == FACT_SIGNAL)
                m->stop_signal = 15;
        else if (fact == FACT_REFUSED_ONCE)
                m->credential_refusals = 1;
        else if (fact == FACT_NEXT_LOADING)
                m->next = STATE_LOADING;
        else if (fact == FACT_NEXT_PREFLIGHT)
                m->next = STATE_PREFLIGHT;
        else if (fact == FACT_NEXT_FAILED)
                m->next = STATE_FAILED;
}

static void set_policy_fact(Policy *p, Fact fact) {
        if (fact == FACT_NO_SPLAY)
                p->splay_us = 0;
        else if (fact == FACT_PREPULL)
                p->prepull = true;
        else if (fact == FACT_IGNORE_MEMBER)
                p->on_member_ignore = true;
        else if (fact == FACT_REPLACE_STALE)
                p->on_stale_replace = true;
        else if (fact == FACT_ONE_SHOT)
                p->one_shot = p->stop_terminates = true;
}

static Policy plain_policy(void) {
        return (Policy) {
                .splay_us = USEC_PER_MINUTE,
                .backoff_min_us = 5 * USEC_PER_SEC,
                .backoff_max_us = USEC_PER_MINUTE,
                .windows = 1,
                .give_up_after_us = 4 * USEC_PER_HOUR,
                .attempt_timeout_us = 20 * USEC_PER_MINUTE,
                .token_margin_us = USEC_PER_MINUTE,
                .verify_timeout_us = 10 * USEC_PER_MINUTE,
                .stable_for_us = 30 * USEC_PER_SEC,
                .poll_us = 5 * USEC_PER_SEC,
                .guard_us = 2 * USEC_PER_MINUTE,
                .credential_tries = 2,
                .gate_poll_us = 4 * USEC_PER_SEC,
                .vain_efforts_max = 1,
        };
}

static bool timer_fits(Timer timer, State state) {
        switch (timer) {
        case TIMER_GIVE_UP:
                return !state_is_final(state);
        case TIMER_GUARD:
                return !state_is_final(state) && state != STATE_BACKOFF;
        case TIMER_WAIT:
                return state == STATE_BACKOFF || state == STATE_VERIFYING || state == STATE_PREFLIGHT;
        case TIMER_ATTEMPT:
                return state == STATE_INSTALLING;
        case TIMER_VERIFY:
                return state == STATE_VERIFYING;
        case _TIMER_MAX:
                break;
        }
        return false;
}

static Machine plain_machine(State state) {
        Machine m = machine_fresh();

        m.state = state;
        m.started_us = NOW_US - 1;
        m.next = state == STATE_SETTLING ? STATE_BACKOFF : STATE_PROBING;
        for (Timer t = 0; t < _TIMER_MAX; t++)
                if (timer_fits(t, state))
                        m.armed_us[t] = NOW_US;
        return m;
}

static void try_event(Graph *graph, const Machine *m, const Policy *policy, const Event *event) {
        Actions actions;
        Machine after = machine_step(*m, policy, event, NOW_US, &actions);
        unsigned bit = event->kind == EVENT_TIMER ? (unsigned) _EVENT_KIND_MAX + event->timer : event->kind;

        if (after.state != m->state)
                graph->edge[m->state][after.state] |= 1U << bit;
}

/* One event in all its shapes. */
static void try_kind(Graph *graph, const Machine *m, const Policy *policy, EventKind kind) {
        Event event = { .kind = kind, .signal_number = 15, .exit_code = EXIT_TRANSIENT };

        if (kind == EVENT_TIMER) {
                for (event.timer = 0; event.timer < _TIMER_MAX; event.timer++)
                        try_event(graph, m, policy, &event);
                return;
        }
        if (kind == EVENT_PROBED) {
                for (event.membership = 0; event.membership < _MEMBERSHIP_MAX; event.membership++)
                        try_event(graph, m, policy, &event);
                return;
        }
        if (kind == EVENT_MINTED) {
                try_event(graph, m, policy, &event);
                event.token_deadline_us = USEC_INFINITY;
        }
        for (event.class = 0; event.class < _CLASS_MAX; event.class++)
                try_event(graph, m, policy, &event);
}

static void try_facts(Graph *graph, State state, const Fact facts[static 3]) {
        Machine m = plain_machine(state);
        Policy policy = plain_policy();

        for (size_t i = 0; i < 3; i++) {
                set_machine_fact(&m, facts[i]);
                set_policy_fact(&policy, facts[i]);
        }
        for (EventKind kind = 0; kind < _EVENT_KIND_MAX; kind++)
                try_kind(graph, &m, &policy, kind);
}

static void explore(Graph *graph, State state) {
        for (Fact a = 0; a < _FACT_MAX; a++)
                for (Fact b = 0; b <= a; b++)
                        for (Fact c = 0; c <= b; c++)
                                if (fact_fits(a, state) && fact_fits(b, state) && fact_fits(c, state))
                                        try_facts(graph, state, (const Fact[3]) { a, b, c });
}

static int write_edge(Buffer *text, State from, State to, uint32_t events) {
        int r;

        r = buffer_append_format(text, "%s -> %s  on ", state_to_string(from), state_to_string(to));
        for (unsigned bit = 0, n = 0; r == 0 && bit < (unsigned) _EVENT_KIND_MAX + _TIMER_MAX; bit++) {
                bool timer = bit >= (unsigned) _EVENT_KIND_MAX;

                if (!(events & (1U << bit)))
                        continue;
                r = buffer_append_format(text, "%s%s%s", n++ > 0 ? ", " : "", timer ? "TIMER " : "",
                                         timer ? timer_to_string(bit - (unsigned) _EVENT_KIND_MAX)
                                               : event_kind_to_string(bit));
        }
        return r == 0 ? buffer_append_string(text, "\n") : r;
}

char *machine_graph(void) {
        _cleanup_buffer_ Buffer text = BUFFER_INIT(GRAPH_SIZE_MAX);
        Graph graph = {};
        int r = 0;

        static_assert((unsigned) _EVENT_KIND_MAX + (unsigned) _TIMER_MAX <= 32, "an edge has 32 bits");
        for (State from = 0; from < _STATE_MAX; from++)
                explore(&graph, from);
        for (State from = 0; r == 0 && from < _STATE_MAX; from++)
                for (State to = 0; r == 0 && to < _STATE_MAX; to++)
                        if (graph.edge[from][to] != 0)
                                r = write_edge(&text, from, to, graph.edge[from][to]);
        return r == 0 ? buffer_take(&text) : NULL;
}
