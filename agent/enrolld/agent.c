/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The agent's heart: events come in from everywhere and wait in a queue; one at a time is given to the pure
 * machine, and the actions it answers with are carried out in their order. So the machine is never entered from inside an action, and
 * an action that answers at once (a spec that can't be read) is no special case.
 *
 * The record is written where the machine says SAVE. When that fails (a full disk, a read-only one), what
 * only looks goes on, and what must be on record before it is done is not done: the machine hears UNRECORDED,
 * takes it back and waits. To touch the world unrecorded would break the promise that a crash can be picked
 * up from the record.
 */

#include "enrolld/agent-private.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/random.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/text.h"
#include "enrolld/left-mark.h"
#include "enrolld/retry-wish.h"

uint32_t agent_random(void) {
        uint32_t value;

        /* The pool is ready long before a service starts; a short read leaves the jitter less random, no more. */
        if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != (ssize_t) sizeof(value))
                value = (uint32_t) clock_boottime_us();
        return value;
}

void agent_fail(Agent *a, int error, const char *what) {
        a->fatal = log_error_errno(error, "%s", what);
        (void) sd_event_exit(a->event, EXIT_INTERNAL);
}

void agent_note(Agent *a, const char *note) {
        for (size_t i = 0; i < a->n_notes; i++)
                if (streq(a->notes[i], note))
                        return;
        if (a->n_notes >= ELEMENTS(a->notes))
                return;
        (void) text_copy_printable(a->notes[a->n_notes++], sizeof(a->notes[0]), note);
        if (a->options.story)
                story_note(a->options.story, note, clock_boottime_us());
        else
                log_warning("%s", note);
}

void agent_post_event(Agent *a, const Event *event, const Observation *seen) {
        Occurrence *o;

        /* Every question has one answer and every timer one shot, so the queue can't grow without bound. */
        assert(a->queue_n < AGENT_QUEUE_MAX);
        o = &a->queue[(a->queue_first + a->queue_n++) % AGENT_QUEUE_MAX];
        *o = (Occurrence) { .event = *event, .outcome = OUTCOME_OK };
        o->event.random = agent_random();
        if (seen && !observation_is_none(seen)) {
                classify(seen, &o->outcome);
                o->event.class = o->outcome.class;
                o->event.exit_code = o->outcome.exit_code;
                o->event.retry_after_us = seen->retry_after_us;
                o->event.token_spent = o->outcome.class == CLASS_EXPIRED;
                o->event.maybe_minted = seen->maybe_minted;
        }
        (void) sd_event_source_set_enabled(a->queue_source, SD_EVENT_ONESHOT);
}

void agent_post_seen(Agent *a, EventKind kind, const Observation *seen) {
        agent_post_event(a, &(Event) { .kind = kind }, seen);
}

void agent_post(Agent *a, EventKind kind) {
        agent_post_seen(a, kind, NULL);
}

/* Who was asked and never answered; requests to coordinators have limits of their own, which come first. */
static void post_guard(Agent *a) {
        Event event = { .kind = EVENT_TIMER, .timer = TIMER_GUARD };
        bool keeper = a->keeper_request != _MESSAGE_KIND_INVALID;
        Observation seen = observe(keeper ? ORIGIN_KEEPER : ORIGIN_AGENT, 0, "not-answering", a->options.runtime_dir,
                                   "no answer while %s", state_to_string(a->machine.state));

        agent_post_event(a, &event, &seen);
}

static int on_timer(sd_event_source *source, uint64_t at_us, void *userdata) {
        Agent *a = userdata;

        for (Timer t = 0; t < _TIMER_MAX; t++)
                if (a->timer_source[t] == source && t == TIMER_GUARD)
                        post_guard(a);
                else if (a->timer_source[t] == source)
                        agent_post_event(a, &(Event) { .kind = EVENT_TIMER, .timer = t }, NULL);
        return 0;
}

static void arm(Agent *a, Timer timer, usec_t at_us) {
        sd_event_source *source = a->timer_source[timer];
        int error;

        if (!source)
                /* 10 ms of accuracy: far below what anyone waits for, and the kernel may still coalesce. */
                error = sd_event_add_time(a->event, &a->timer_source[timer], CLOCK_BOOTTIME, at_us,
                                          10 * USEC_PER_MSEC, on_timer, a);
        else {
                error = sd_event_source_set_time(source, at_us);
                if (error >= 0)
                        error = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        }
        if (error < 0)
                agent_fail(a, error, "can't arm a timer");
}

static void disarm(Agent *a, Timer timer) {
        if (a->timer_source[timer])
                (void) sd_event_source_set_enabled(a->timer_source[timer], SD_EVENT_OFF);
}

static void leave(Agent *a, int exit_code) {
        (void) sd_notify(0, "STOPPING=1");
        if (!agent_webhook_delays_exit(a, exit_code))
                (void) sd_event_exit(a->event, exit_code);
}

static void cancel(Agent *a) {
        if (a->coordinator)
                coordinator_cancel(a->coordinator);
        agent_gates_cancel(a);
        a->keeper_request = _MESSAGE_KIND_INVALID;
}

/* True when the world may be touched: what is about to be done stands on the disk. */
static bool recorded(Agent *a) {
        Observation seen;

        if (agent_is_recorded(a))
                return true;
        seen = agent_unrecorded_observation(a);
        agent_post_seen(a, EVENT_UNRECORDED, &seen);
        return false;
}

static void act(Agent *a, const Action *action, bool transition) {
        switch (action->kind) {
        case ACTION_WIPE_TOKEN:
                a->token = token_free(a->token);
                return;
        case ACTION_SAVE:
                return agent_save(a);
        case ACTION_REPORT:
                return agent_report(a, transition);
        case ACTION_LOAD_SPEC:
                return agent_load_spec(a);
        case ACTION_ATTACH:
                return agent_keeper_attach(a);
        case ACTION_CHECK_HOST:
                return agent_check_host(a);
        case ACTION_CHECK_NETWORK:
                return agent_check_network(a);
        case ACTION_PROBE:
                return agent_probe(a);
        case ACTION_REPLACE_RUNNER:
                return recorded(a) ? agent_replace_runner(a) : (void) 0;
        case ACTION_PREPARE:
                return agent_keeper_request(a, MESSAGE_PREPARE);
        case ACTION_MINT:
                return recorded(a) ? agent_mint(a) : (void) 0;
        case ACTION_INSTALL:
                return recorded(a) ? agent_keeper_request(a, MESSAGE_INSTALL) : (void) 0;
        case ACTION_TERMINATE:
                return agent_keeper_request(a, MESSAGE_TERMINATE);
        case ACTION_SETTLE:
                return agent_keeper_request(a, MESSAGE_SETTLE);
        case ACTION_ACKNOWLEDGE: /* else the keeper goes on remembering it for us */
                return agent_is_recorded(a) ? agent_keeper_request(a, MESSAGE_ACKNOWLEDGE) : (void) 0;
        case ACTION_LOOK:
                return agent_look(a);
        case ACTION_SET_ROLES:
                return agent_set_roles(a);
        case ACTION_REVOKE_TOKEN:
                return agent_revoke_token(a);
        case ACTION_CANCEL:
                return cancel(a);
        case ACTION_ARM:
                return arm(a, action->timer, action->at_us);
        case ACTION_DISARM:
                return disarm(a, action->timer);
        case ACTION_EXIT:
                return leave(a, action->exit_code);
        case _ACTION_KIND_MAX:
                break;
        }
        assert(false);
}

/* States that keep the reason which led to them; the others start with a clean slate. */
static bool keeps_reason(State s) {
        return s == STATE_TERMINATING || s == STATE_SETTLING || s == STATE_BACKOFF || s == STATE_FAILED ||
                s == STATE_STOPPING;
}

/* What goes wrong after that, as a keeper that dies while it tidies up, is not why the host is not enrolled. */
static bool end_is_decided(const Machine *m) {
        return m->state == STATE_FAILED || (m->state == STATE_SETTLING && m->next == STATE_FAILED);
}

/* At rest only a change of the host counts: that it can't be looked at for a while is no news, nor why a token is not revoked yet. */
static void remember_drift(Agent *a, const Occurrence *o, const Machine *before) {
        if (o->event.kind != EVENT_VIEWED)
                return;
        if (a->machine.drifted)
                a->reason = o->outcome;
        else if (before->drifted)
                a->reason = OUTCOME_OK;
        if (o->outcome.class == CLASS_OK)
                a->record.verified_realtime_us = clock_realtime_us();
}

static bool rests(const Machine *m) {
        return m->state == STATE_ENROLLED || m->state == STATE_FAILED || m->state == STATE_STOPPING;
}

/* An installer that we ended because the enrollment's time was over has nothing to say on what went wrong before. */
static bool is_our_own_doing(const Agent *a, const Occurrence *o, const Machine *before) {
        return before->state == STATE_TERMINATING && before->end == END_DEADLINE && a->trouble.class != CLASS_OK &&
               streq(o->outcome.reason, "installer.terminated");
}

static void remember_reason(Agent *a, const Occurrence *o, const Machine *before) {
        bool changed = a->machine.state != before->state;

        if (o->outcome.class != CLASS_OK && !end_is_decided(before) && !is_our_own_doing(a, o, before))
                a->reason = a->trouble = o->outcome;
        else if (changed && !keeps_reason(a->machine.state))
                a->reason = OUTCOME_OK;
        if (changed && a->machine.state == STATE_FAILED && a->reason.class == CLASS_OK)
                a->reason = a->trouble;
        if (a->machine.state == STATE_ENROLLED)
                a->trouble = OUTCOME_OK;
}

/* What the last enrollment came to, for one that does not even begin. */
static const char *last_trouble_on_record(const Record *record) {
        for (size_t i = record->n_history; i-- > 0;)
                if (record->history[i].state == STATE_FAILED && record->history[i].text[0])
                        return record->history[i].text;
        return "the record does not say what went wrong";
}

/* A machine that gives up by itself (deadline, windows, loop, signal) has a cause of its own; the last trouble is its
 * reason. */
static void name_the_end(Agent *a) {
        static const char *const codes[] = {
                [END_DEADLINE] = "deadline",
                [END_WINDOWS] = "windows",
                [END_LOOP] = "loop",
                [END_SIGNAL] = "interrupted",
        };
        Observation seen;
        Outcome end;

        if (a->machine.end == END_NONE || a->machine.end == END_OUTCOME)
                return;
        seen = observe(ORIGIN_AGENT, a->machine.stop_signal, codes[a->machine.end], NULL, "%s",
                       a->trouble.class != CLASS_OK     ? a->trouble.text
                       : a->machine.end == END_LOOP ? last_trouble_on_record(&a->record)
                                                    : "nothing went wrong before");
        classify(&seen, &end);
        if (a->machine.end == END_SIGNAL || a->trouble.class == CLASS_OK)
                a->reason = end;
        else {
                /* The reason stays the true one; that it is final is said in front of it. */
                a->reason = a->trouble;
                (void) snprintf(a->reason.text, sizeof(a->reason.text), "%s", end.text);
        }
        a->reason.exit_code = a->machine.exit_code;
}

/* What belongs to a step before its record is written. */
static void prepare_actions(Agent *a, const Actions *actions) {
        for (size_t i = 0; i < actions->n; i++)
                if (actions->item[i].kind == ACTION_INSTALL) {
                        int error = text_random_hex(16, a->record.attempt_id);

                        if (error < 0)
                                agent_fail(a, error, "can't name an attempt");
                        a->attempt_timed_out = false;
                        a->stage[0] = 0;
                }
}

/* What happens at rest and is worth telling. */
static void tell_at_rest(Agent *a, const Occurrence *o, const Machine *before) {
        char note[sizeof(a->notes[0])];

        if (before->revoking && before->token_owed && !a->machine.token_owed) {
                agent_note(a, "the persistent token was deleted, and is not listed any more");
                agent_report(a, false);
        } else if (before->revoking && o->outcome.class != CLASS_OK) {
                (void) snprintf(note, sizeof(note), "the persistent token %.40s is not deleted yet: %.110s", a->record.token_id,
                                o->outcome.text);
                agent_note(a, note);
                agent_report(a, false);
        }
        if (a->machine.drifted && !before->drifted)
                agent_report_trouble(a);
        else if (before->drifted && !a->machine.drifted)
                log_info("this host is as planned again");
}

static void step(Agent *a, const Occurrence *o) {
        const Machine before_it = a->machine;
        State before = before_it.state;
        Actions actions = {};
        bool transition, stays, forgets;

        a->machine = machine_step(a->machine, &a->policy, &o->event, clock_boottime_us(), &actions);
        transition = a->machine.state != before;
        stays = !transition && rests(&before_it);
        if (stays)
                remember_drift(a, o, &before_it);
        else
                remember_reason(a, o, &before_it);
        if (transition && (a->machine.state == STATE_FAILED || a->machine.state == STATE_STOPPING))
                name_the_end(a);
        if (o->event.kind == EVENT_TIMER && o->event.timer == TIMER_ATTEMPT)
                a->attempt_timed_out = true;
        if (transition && a->machine.state == STATE_ENROLLED)
                a->record.verified_realtime_us = clock_realtime_us();
        forgets = a->machine.state == STATE_ENROLLED && (transition || a->machine.token_owed != before_it.token_owed) &&
                  agent_may_forget(a);
        if (transition && a->machine.state == STATE_ENROLLED)
                a->record.credential_forgotten = false;
        if (forgets)
                a->record.credential_forgotten = true;

        log_debug("%s in %s: %s, %zu actions", event_kind_to_string(o->event.kind), state_to_string(before),
                  state_to_string(a->machine.state), actions.n);
        if (transition) {
                agent_tally(a, &before_it);
                agent_add_to_history(a); /* before SAVE: the record tells it, too */
        }
        prepare_actions(a, &actions);
        for (size_t i = 0; i < actions.n && a->fatal == 0; i++)
                act(a, &actions.item[i], transition);
        if (forgets)
                agent_forget_secrets(a);
        if (o->event.kind == EVENT_RETRY)
                (void) retry_wish_take(a->state_fd); /* whoever waits for that finds the new state in status.json */
        if (stays)
                tell_at_rest(a, o, &before_it);
        else if (!transition && o->outcome.class != CLASS_OK)
                agent_report_trouble(a);
}

/* At rest nobody is asked for a long while: connections that are still open are let go of now, and not by a wake-up later. */
static void let_go(Agent *a) {
        if (rests(&a->machine) && a->machine.armed_us[TIMER_GUARD] == USEC_INFINITY)
                http_let_go(a->http);
}

static int on_queue(sd_event_source *source, void *userdata) {
        Agent *a = userdata;
        Occurrence next;

        if (a->queue_n == 0 || a->fatal != 0)
                return 0;
        next = a->queue[a->queue_first];
        a->queue_first = (a->queue_first + 1) % AGENT_QUEUE_MAX;
        a->queue_n--;
        step(a, &next);
        let_go(a);
        if (a->queue_n > 0)
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

void agent_try_again(Agent *a) {
        (void) left_mark_remove(a->state_fd); /* whoever wants it tried again wants it back */
        agent_post(a, EVENT_RETRY);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Agent *a = userdata;

        if (info->ssi_signo == SIGHUP)
                agent_post(a, EVENT_SPEC_CHANGED);
        else if (info->ssi_signo == SIGUSR1)
                agent_try_again(a);
        else
                agent_post_event(a, &(Event) { .kind = EVENT_STOP, .signal_number = (int) info->ssi_signo },
                                 NULL);
        return 0;
}

static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

int agent_block_signals(void) {
        sigset_t set;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTS(signals); i++)
                (void) sigaddset(&set, signals[i]);
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

static int add_sources(Agent *a) {
        int error;

        for (size_t i = 0; i < ELEMENTS(signals); i++) {
                error = sd_event_add_signal(a->event, NULL, signals[i], on_signal, a);
                if (error < 0)
                        return error;
        }
        error = sd_event_add_defer(a->event, &a->queue_source, on_queue, a);
        if (error < 0)
                return error;
        return sd_event_source_set_enabled(a->queue_source, SD_EVENT_OFF);
}

static int open_directories(Agent *a) {
        a->runtime_fd = directory_ensure(a->options.runtime_dir, 0755);
        if (a->runtime_fd < 0)
                return log_error_errno(a->runtime_fd, "can't use the runtime directory %s",
                                       a->options.runtime_dir);
        return agent_record_open(a);
}

int agent_new(sd_event *event, const AgentOptions *options, Agent **ret) {
        _cleanup_(agent_freep) Agent *a = calloc(1, sizeof(*a));
        int error;

        if (!a)
                return -ENOMEM;
        a->options = *options;
        a->event = sd_event_ref(event);
        a->state_fd = a->runtime_fd = -1;
        a->keeper_request = _MESSAGE_KIND_INVALID;
        a->reason = a->trouble = OUTCOME_OK;
        a->machine = machine_fresh();

        error = open_directories(a);
        if (error < 0)
                return error;
        error = add_sources(a);
        if (error < 0)
                return error;
        error = http_new(event, &a->http);
        if (error < 0)
                return error;
        *ret = TAKE_PTR(a);
        return 0;
}

Agent *agent_free(Agent *a) {
        if (!a)
                return NULL;
        a->token = token_free(a->token);
        agent_forget_spec(a);
        (void) sd_event_source_unref(a->webhook.last_chance);
        (void) http_free(a->http);
        for (Timer t = 0; t < _TIMER_MAX; t++)
                (void) sd_event_source_unref(a->timer_source[t]);
        (void) sd_event_source_unref(a->queue_source);
        (void) sd_event_source_unref(a->publish_again);
        (void) sd_event_source_unref(a->state_watch);
        cleanup_closep(&a->state_fd);
        cleanup_closep(&a->runtime_fd);
        free(a->metrics_path);
        (void) sd_event_unref(a->event);
        free(a);
        return NULL;
}

int agent_run(Agent *a) {
        int exit_code;

        agent_post(a, EVENT_START);
        (void) sd_event_set_watchdog(a->event, true);
        (void) sd_notify(0, "READY=1");
        exit_code = sd_event_loop(a->event);
        if (a->publish_again && sd_event_source_get_enabled(a->publish_again, NULL) > 0)
                agent_report(a, false); /* the last chance to say how it ended */
        return a->fatal < 0 ? a->fatal : exit_code;
}
