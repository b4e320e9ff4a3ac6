/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Watching an installer to its end. "The process has exited" and "its output has ended" are two events; the attempt
 * is over when both are there, or some seconds after the first: a grandchild may hold a pipe for
 * ever.
 *
 * The dead leader is not reaped before that: as long as its zombie is there its process group's
 * number can't be given to anybody else, so a last SIGKILL to the group can't hit a stranger.
 *
 * The ladder down is TERM to the group (the engine's client hands it on to the container), some
 * seconds, KILL. Its cause is noted when it begins and not changed any more. The outcome is on disk
 * before anybody hears of it.
 */

#include "installer/keeper-private.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <syslog.h>

#include "base/text.h"
#include "installer/attempt-directory.h"
#include "installer/process.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* --- What is told --- */

static void on_line(void *userdata, const char *line) {
        Keeper *k = userdata;
        const char *stage = evidence_stage(line);

        evidence_line(&k->attempt.evidence, line);
        lines_add(k, line);
        if (stage)
                lines_stage(k, stage);
}

/* A note of the shim. That the run was reached is kept on disk: it is what tells the script's
 * statuses from the container's, and the next keeper can't read it from the pipe again. */
static void on_note(void *userdata, const char *line) {
        Keeper *k = userdata;
        AttemptRecord *r = &k->attempt.record;

        if (!streq(line, SHIM_NOTE_REACHED) || r->run_reached)
                return;
        r->run_reached = true;
        k->attempt.evidence.run_reached = true;
        (void) attempt_record_write(k->state_fd, r);
        lines_stage(k, "run-reached");
}

void attempt_exited_again(Keeper *k) {
        Message m = { .kind = MESSAGE_EXITED, .seen = k->attempt.record.outcome };

        (void) snprintf(m.attempt, sizeof(m.attempt), "%s", k->attempt.record.id);
        keeper_send(k, &m);
}

/* --- The end --- */

/* Lets go of the process and its pipes; what is still in them is for the next keeper. */
void attempt_done(Attempt *a) {
        output_close(&a->output);
        output_close(&a->errors);
        output_close(&a->notes);
        a->exit = sd_event_source_disable_unref(a->exit);
        a->limit = sd_event_source_disable_unref(a->limit);
        a->kill = sd_event_source_disable_unref(a->kill);
        a->drain = sd_event_source_disable_unref(a->drain);
        if (a->pidfd >= 0)
                (void) close(TAKE_FD(a->pidfd));
        free(TAKE_PTR(a->lines));
}

static void persist_outcome(Keeper *k, const Observation *outcome) {
        AttemptRecord *r = &k->attempt.record;
        int error;

        r->state = RECORD_ENDED;
        r->outcome = *outcome;
        error = attempt_record_write(k->state_fd, r);
        k->attempt.end_only_here = error < 0;
        if (error < 0)
                keeper_notice(k, LOG_ERR, "can't write the attempt's outcome: %s", strerror(-error));
        if (observation_is_none(outcome))
                keeper_notice(k, LOG_NOTICE, "installer ended: attempt %s, status 0", r->id);
        else
                keeper_notice(k, LOG_NOTICE, "installer ended: attempt %s, status %d, %s: %s", r->id,
                              outcome->number, outcome->code, outcome->detail);
}

/* Nobody could tell the status: the process was a former keeper's child. */
static Observation status_lost(const Attempt *a) {
        const char *code = a->end == ENDED_BY_CLOCK     ? "timed-out"
                           : a->end == ENDED_BY_REQUEST ? "terminated"
                                                        : "status-lost";

        return observe(ORIGIN_INSTALLER, -1, code, NULL, "%s", a->evidence.last);
}

/* Reaps. The group is killed first when the end was a bad one: see above. */
static Observation reap(Attempt *a) {
        siginfo_t info = { 0 };
        bool signalled;
        int status;

        if (waitid(P_PIDFD, (id_t) a->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
                return status_lost(a);
        signalled = info.si_code != CLD_EXITED;
        status = signalled ? 128 + info.si_status : info.si_status;
        if (status != 0)
                (void) kill(-a->record.pid, SIGKILL);
        (void) waitid(P_PIDFD, (id_t) a->pidfd, &info, WEXITED | WNOHANG);
        return evidence_conclude(&a->evidence, status, signalled, a->end);
}

static void finish(Keeper *k) {
        Attempt *a = &k->attempt;
        char (*lines)[LINE_TEXT_MAX + 1];
        Observation outcome;

        output_stop(&a->output); /* the last lines are evidence too */
        output_stop(&a->errors);
        output_stop(&a->notes);
        outcome = reap(a);
        lines = TAKE_PTR(a->lines); /* the ring stays for the next attempt */
        attempt_done(a);
        a->lines = lines;
        persist_outcome(k, &outcome);
        attempt_directory_remove(k->runtime_fd, a->record.id);
        lines_finish(k);
        attempt_exited_again(k);
        keeper_idle_update(k);
}

static int on_drained(sd_event_source *source, uint64_t at, void *userdata) {
        finish(userdata);
        return 0;
}

static void on_output_end(void *userdata) {
        Keeper *k = userdata;
        Attempt *a = &k->attempt;

        if (a->exited && output_ended(&a->output) && output_ended(&a->errors))
                /* Not from inside the pipe's own callback: it is being let go of. */
                (void) keeper_arm(k, &a->drain, 0, on_drained);
}

static void on_notes_end(void *userdata) {
        /* The shim is gone, or never came: nothing follows from that. */
}

static int on_leader_exit(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Keeper *k = userdata;
        Attempt *a = &k->attempt;
        bool drained = output_ended(&a->output) && output_ended(&a->errors);
        usec_t patience_us = k->options.drain_us;

        a->exited = true;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (a->end != ENDED_ITSELF) /* bash dies of SIGTERM at once; its client is still stopping the container */
                patience_us = usec_add(patience_us, k->options.kill_after_us);
        if (keeper_arm(k, &a->drain, drained ? 0 : patience_us, on_drained) < 0)
                finish(k);
        return 0;
}

/* --- The ladder --- */

/* The zombie of our own child keeps its number; that of an adopted leader may be somebody else's by
 * now. */
static void signal_group(Attempt *a, int signal_number) {
        if (!a->exited || !a->adopted)
                (void) kill(-a->record.pid, signal_number);
}

static int on_kill(sd_event_source *source, uint64_t at, void *userdata) {
        Keeper *k = userdata;
        char pair[64];

        (void) snprintf(pair, sizeof(pair), SHIM_LABEL "=%s", k->attempt.record.id);
        keeper_notice(k, LOG_WARNING, "installer does not end: killing it");
        signal_group(&k->attempt, SIGKILL);
        (void) process_kill_by_environment(pair);
        return 0;
}

void attempt_terminate(Keeper *k, EvidenceEnd end) {
        Attempt *a = &k->attempt;

        assert(end != ENDED_ITSELF);
        if (a->end != ENDED_ITSELF || a->pidfd < 0)
                return;
        a->end = end;
        signal_group(a, SIGTERM);
        if (keeper_arm(k, &a->kill, k->options.kill_after_us, on_kill) < 0)
                signal_group(a, SIGKILL);
}

static int on_limit(sd_event_source *source, uint64_t at, void *userdata) {
        Keeper *k = userdata;

        keeper_notice(k, LOG_WARNING, "installer has had its time");
        attempt_terminate(k, ENDED_BY_CLOCK);
        return 0;
}

/* --- The beginning --- */

static int watch_output(Keeper *k, Output *o, int fd, LineHandler line, OutputEndHandler end) {
        return fd < 0 ? 0 : output_start(o, k->event, fd, &k->attempt.print, line, end, k);
}

/* Who can't be watched must not run. */
static void give_up(Keeper *k, int error) {
        keeper_notice(k, LOG_ERR, "can't watch the installer, killing it: %s", strerror(-error));
        k->attempt.end = ENDED_BY_REQUEST;
        signal_group(&k->attempt, SIGKILL);
        finish(k);
}

void attempt_watch(Keeper *k, bool adopted, int pidfd, int output, int errors, int notes) {
        Attempt *a = &k->attempt;
        usec_t end_us = usec_add(a->record.started_boottime_us,
                                 usec_add(k->spec->installer.attempt_timeout_us, k->options.slack_us));
        int error;

        a->pidfd = pidfd;
        a->adopted = adopted;
        a->exited = false;
        a->end = ENDED_ITSELF;
        a->evidence = (Evidence) { .run_reached = a->record.run_reached,
                                   .run_watched = a->record.handoff == HANDOFF_SHIM };
        lines_begin(a);
        keeper_send_state(k);
        lines_stage(k, a->record.run_reached ? "run-reached" : "started");
        error = watch_output(k, &a->output, output, on_line, on_output_end);
        error = watch_output(k, &a->errors, errors, on_line, on_output_end) ?: error;
        error = watch_output(k, &a->notes, notes, on_note, on_notes_end) ?: error;
        error = sd_event_add_io(k->event, &a->exit, pidfd, EPOLLIN, on_leader_exit, k) ?: error;
        error = keeper_arm(k, &a->limit, usec_sub(end_us, clock_boottime_us()), on_limit) ?: error;
        if (error < 0)
                return give_up(k, error);
        keeper_idle_update(k);
}

void attempt_lost(Keeper *k) {
        Observation outcome = observe(ORIGIN_INSTALLER, -1, "status-lost", NULL,
                                      "the installer ended while no keeper was there to see how");

        persist_outcome(k, &outcome);
        attempt_directory_remove(k->runtime_fd, k->attempt.record.id);
}

void attempt_acknowledge(Keeper *k) {
        AttemptRecord *r = &k->attempt.record;
        int error;

        r->state = RECORD_ACKNOWLEDGED;
        error = attempt_record_write(k->state_fd, r);
        if (error < 0) /* a restart would tell the outcome once more: harmless */
                keeper_notice(k, LOG_WARNING, "can't record the acknowledgement: %s", strerror(-error));
        keeper_idle_update(k);
}
