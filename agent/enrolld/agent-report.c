/* SPDX-License-Identifier: Apache-2.0 */

/*
 * REPORT: what is told to everyone who looks. A status that can't be written is logged and stops nothing: to be
 * enrolled matters more than to be seen.
 */

#include "enrolld/agent-private.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/text.h"
#include "enrolld/gate-report.h"
#include "report/journal.h"
#include "report/metrics.h"
#include "report/repetition.h"
#include "report/status-file.h"
#include "report/status-line.h"

#define PUBLISH_AGAIN_US (2 * USEC_PER_SEC)

/* A moment of CLOCK_BOOTTIME, which may be past, by the wall clock. */
static usec_t on_the_wall(usec_t at, usec_t now, usec_t wall) {
        return at >= now ? usec_add(wall, at - now) : usec_sub(wall, now - at);
}

static void fill_next(const Agent *a, Report *r, usec_t now, usec_t wall) {
        usec_t at;
        State next = machine_next(&a->machine, &at);
        usec_t deadline = machine_deadline_us(&a->machine, &a->policy);
        usec_t due = machine_due_us(&a->machine);

        if (at != USEC_INFINITY) {
                r->next_known = true;
                r->next_in_us = usec_sub(at, now);
                (void) snprintf(r->next_state, sizeof(r->next_state), "%s", state_to_string(next));
        }
        if (deadline != USEC_INFINITY) {
                r->deadline_known = true;
                r->deadline_in_us = usec_sub(deadline, now);
                r->deadline_at_realtime_us = on_the_wall(deadline, now, wall);
        }
        if (due != USEC_INFINITY)
                r->due_at_realtime_us = on_the_wall(due, now, wall);
}

static void fill_token(const Agent *a, Report *r, usec_t now) {
        r->token_age_at_start_us = a->token_age_at_start_us;
        if (!a->token)
                return;
        r->token_held = true;
        r->token_roles = a->token->claims.roles;
        r->token_extra_roles = a->token->extra_roles;
        r->token_remaining_us = token_remaining_us(a->token, now);
}

static void fill_coordinators(const Agent *a, Report *r) {
        CoordinatorState states[REPORT_COORDINATORS_MAX];

        if (!a->coordinator)
                return;
        r->n_coordinators = coordinator_states(a->coordinator, states, ELEMENTS(states));
        for (size_t i = 0; i < r->n_coordinators; i++) {
                ReportCoordinator *c = &r->coordinators[i];

                (void) text_copy_printable(c->url, sizeof(c->url), states[i].url);
                (void) text_copy_printable(c->state, sizeof(c->state), states[i].state);
                (void) text_copy_printable(c->last, sizeof(c->last), states[i].last);
        }
        (void) text_copy_printable(r->key_expiration, sizeof(r->key_expiration),
                                   coordinator_key_expiration(a->coordinator));
}

static void fill_history(const Agent *a, Report *r) {
        for (size_t i = 0; i < a->record.n_history && i < REPORT_HISTORY_MAX; i++) {
                const Transition *t = &a->record.history[i];
                ReportTransition *to = &r->history[r->n_history++];

                to->at_realtime_us = t->at_realtime_us;
                (void) snprintf(to->state, sizeof(to->state), "%s", state_to_string(t->state));
                (void) snprintf(to->reason, sizeof(to->reason), "%s", t->reason);
                (void) snprintf(to->text, sizeof(to->text), "%s", t->text);
        }
}

static void fill_gates(const Agent *a, Report *r) {
        for (size_t i = 0; i < a->gates.n && i < ELEMENTS(r->gates); i++)
                gate_report(&a->gates.items[i], &r->gates[r->n_gates++]);
}

void agent_report_fill(const Agent *a, Report *r) {
        usec_t now = clock_boottime_us(), wall = clock_realtime_us();

        *r = (Report) { .reason = a->reason, .window = a->machine.window, .attempt = a->machine.attempt };
        (void) snprintf(r->state, sizeof(r->state), "%s", state_to_string(a->machine.state));
        r->since_realtime_us = usec_sub(wall, usec_sub(now, a->machine.since_us));
        (void) snprintf(r->runner_id, sizeof(r->runner_id), "%s", a->record.runner_id);
        r->roles = a->record.roles;
        r->roles_known = a->spec != NULL;
        (void) snprintf(r->stage, sizeof(r->stage), "%s", a->stage);
        if (a->spec)
                (void) snprintf(r->handoff, sizeof(r->handoff), "%s",
                                a->spec->installer.handoff == HANDOFF_SHIM ? "shim" : "argv");
        if (a->machine.state == STATE_ENROLLED && a->record.verified_realtime_us != 0) {
                r->verified = true;
                r->verified_at_realtime_us = a->record.verified_realtime_us;
                (void) snprintf(r->verified_by, sizeof(r->verified_by), "%s", agent_witness(a));
        }
        fill_next(a, r, now, wall);
        fill_token(a, r, now);
        fill_coordinators(a, r);
        fill_gates(a, r);
        fill_history(a, r);
        agent_tally_fill(a, r);
        agent_webhook_fill(a, r);
        r->n_notes = a->n_notes;
        for (size_t i = 0; i < a->n_notes && i < ELEMENTS(r->notes); i++)
                (void) snprintf(r->notes[i], sizeof(r->notes[i]), "%s", a->notes[i]);
}

void agent_add_to_history(Agent *a) {
        Transition t = { .at_realtime_us = clock_realtime_us(), .state = a->machine.state };

        (void) snprintf(t.reason, sizeof(t.reason), "%s", a->reason.reason);
        (void) text_copy_printable(t.text, sizeof(t.text), a->reason.text);
        record_add_transition(&a->record, &t);
}

static int on_publish_again(sd_event_source *source, uint64_t at_us, void *userdata) {
        agent_report(userdata, false);
        return 0;
}

/* Nothing else may happen for hours, and an old status would be believed for as long. */
static void publish_again(Agent *a) {
        a->publish_again = sd_event_source_unref(a->publish_again);
        (void) sd_event_add_time_relative(a->event, &a->publish_again, CLOCK_BOOTTIME, PUBLISH_AGAIN_US, USEC_PER_SEC,
                                          on_publish_again, a);
}

static void complain_of_metrics(const Agent *a, int error) {
        char words[500];

        (void) snprintf(words, sizeof(words), "can't write %.300s (report.metrics_textfile), which the agent's user has to be allowed to: %s",
                        a->metrics_path, strerror(-error));
        if (a->options.story)
                story_note(a->options.story, words, clock_boottime_us());
        else
                log_warning("%s", words);
}

/* Into a directory of somebody else's; that it can't be is told once, until it can. */
static void publish_metrics(Agent *a, const Report *r) {
        int error;

        if (a->spec && !streq_ptr(a->metrics_path, a->spec->report.metrics_textfile)) {
                free(a->metrics_path);
                a->metrics_path = a->spec->report.metrics_textfile ? strdup(a->spec->report.metrics_textfile) : NULL;
        }
        error = a->metrics_path ? metrics_file_publish(a->metrics_path, r, clock_realtime_us()) : 0;
        if (error < 0 && !a->metrics_complained)
                complain_of_metrics(a, error);
        a->metrics_complained = error < 0;
}

static void publish(Agent *a, const Report *r) {
        int error = status_file_publish(a->runtime_fd, r, clock_realtime_us());
        char line[STATUS_LINE_SIZE];

        if (error < 0) {
                log_warning_errno(error, "can't write %s/%s", a->options.runtime_dir, STATUS_FILE);
                publish_again(a);
        }
        publish_metrics(a, r);
        (void) sd_notifyf(0, "STATUS=%s", status_line(r, line));
}

void agent_report(Agent *a, bool transition) {
        _cleanup_free_ Report *r = calloc(1, sizeof(*r)); /* some 20 KiB: not for the stack */

        if (!r)
                return agent_fail(a, -ENOMEM, "can't report");
        agent_report_fill(a, r);
        publish(a, r);
        if (!transition)
                return;
        r->times = repetition_count(&a->repetition, r);
        if (a->repetition.n_items == 0)
                a->told[0] = '\0'; /* after news, trouble of before is worth a line again */
        agent_webhook_report(a, r);
        journal_transition(r);
        if (a->options.story)
                story_transition(a->options.story, r, clock_boottime_us());
}

void agent_report_trouble(Agent *a) {
        _cleanup_free_ Report *r = calloc(1, sizeof(*r));

        if (!r)
                return agent_fail(a, -ENOMEM, "can't report");
        agent_report_fill(a, r);
        publish(a, r);
        if (repetition_is_same_text(a->told, a->reason.text))
                return;
        (void) snprintf(a->told, sizeof(a->told), "%s", a->reason.text);
        journal_trouble(r);
        if (a->options.story && !agent_gate_was_told(a, a->reason.reason))
                story_trouble(a->options.story, r, clock_boottime_us());
}
