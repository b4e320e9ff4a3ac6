/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keeper's life: made, listening, asked, idle, gone. It has no state machine of its own, only
 * things that are under way or not: an attempt, an image pull, a settlement, a question of the
 * gates. Each request looks at these and answers; who decides what is to be done next is the agent.
 *
 * What may fail: the spec at the start, the directories, memory. After the start nothing that the
 * world does ends the keeper, because an installer may hang on it.
 */

#include "installer/keeper-private.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"

#define DEFAULT_SLACK_US (60 * USEC_PER_SEC)
#define DEFAULT_KILL_AFTER_US (10 * USEC_PER_SEC)
#define DEFAULT_DRAIN_US (5 * USEC_PER_SEC)
#define DEFAULT_ROUND_US (500 * USEC_PER_MSEC)
#define DEFAULT_IDLE_US (300 * USEC_PER_MSEC)
#define FIRST_CONNECTION_FACTOR 15
#define TIMER_ACCURACY_US (20 * USEC_PER_MSEC)

void keeper_notice(Keeper *k, int level, const char *format, ...) {
        char text[512];
        va_list arguments;

        if (!k->options.notice)
                return;
        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        k->options.notice(k->options.userdata, level, text);
}

int keeper_arm(Keeper *k, sd_event_source **source, usec_t delay_us, sd_event_time_handler_t handler) {
        *source = sd_event_source_disable_unref(*source);
        return sd_event_add_time(k->event, source, CLOCK_BOOTTIME, usec_add(clock_boottime_us(), delay_us),
                                 TIMER_ACCURACY_US, handler, k);
}

/* --- Idle --- */

/* An end that nobody has acknowledged is no reason to stay if it is on record: the next keeper tells it. */
static bool attempt_needs_us(const Attempt *a) {
        return a->record.state == RECORD_RUNNING || (a->record.state == RECORD_ENDED && a->end_only_here);
}

bool keeper_is_idle(const Keeper *k) {
        return k->peer_fd < 0 && !attempt_needs_us(&k->attempt) && k->pull.pidfd < 0 && !k->settle.active &&
               !k->gates.wanted && !k->preparing.call && !k->looking.call;
}

static int on_idle(sd_event_source *source, uint64_t at, void *userdata) {
        Keeper *k = userdata;

        if (keeper_is_idle(k))
                (void) sd_event_exit(k->event, 0);
        return 0;
}

void keeper_idle_update(Keeper *k) {
        if (!k->options.idle_exit)
                return;
        k->idle = sd_event_source_disable_unref(k->idle);
        if (keeper_is_idle(k))
                (void) keeper_arm(k, &k->idle,
                                  k->had_peer ? k->options.idle_us : FIRST_CONNECTION_FACTOR * k->options.idle_us,
                                  on_idle);
}

/* --- Requests --- */

static void terminate(Keeper *k, const Message *request) {
        const AttemptRecord *r = &k->attempt.record;
        Observation seen;

        if (r->state == RECORD_RUNNING && streq(r->id, request->attempt))
                return attempt_terminate(k, ENDED_BY_REQUEST);
        if (r->state == RECORD_ENDED && streq(r->id, request->attempt))
                return attempt_exited_again(k);
        seen = observe(ORIGIN_KEEPER, 0, "refused", request->attempt, "no such attempt is running");
        keeper_refuse(k, &seen);
}

static void attach(Keeper *k) {
        keeper_send_state(k);
        if (k->attempt.record.state == RECORD_RUNNING)
                lines_replay(k);
        if (k->attempt.record.state != RECORD_ENDED)
                return;
        lines_replay(k); /* of an attempt that this process has seen; else there are none */
        lines_finish(k);
        attempt_exited_again(k);
}

static void acknowledge(Keeper *k, const Message *request) {
        const AttemptRecord *r = &k->attempt.record;

        if (r->state == RECORD_ENDED && streq(r->id, request->attempt))
                attempt_acknowledge(k);
        keeper_send_state(k);
}

/* What only names an attempt is served whatever the spec says: stopping must always be possible. */
static bool depends_on_spec(MessageKind kind) {
        return kind != MESSAGE_TERMINATE && kind != MESSAGE_ACKNOWLEDGE;
}

void keeper_dispatch(Keeper *k, const Message *request, int fd) {
        if (depends_on_spec(request->kind) && !keeper_spec_agrees(k, request->spec))
                return;
        switch (request->kind) {
        case MESSAGE_PROBE:
                return keeper_send_state(k);
        case MESSAGE_GATES:
                return keeper_gates(k);
        case MESSAGE_PREPARE:
                return keeper_prepare(k, request->version);
        case MESSAGE_INSTALL:
                return keeper_install(k, request, fd);
        case MESSAGE_ATTACH:
                return attach(k);
        case MESSAGE_TERMINATE:
                return terminate(k, request);
        case MESSAGE_SETTLE:
                return keeper_settle(k);
        case MESSAGE_LOOK:
                return keeper_look(k);
        case MESSAGE_ACKNOWLEDGE:
                return acknowledge(k, request);
        case MESSAGE_STATE:
        case MESSAGE_GATE:
        case MESSAGE_GATES_OPEN:
        case MESSAGE_STAGE:
        case MESSAGE_LINE:
        case MESSAGE_PREPARED:
        case MESSAGE_EXITED:
        case MESSAGE_SETTLED:
        case MESSAGE_VIEW:
        case MESSAGE_REFUSED:
        case _MESSAGE_KIND_MAX:
        case _MESSAGE_KIND_INVALID:
                assert(false); /* keeper-peer.c lets only requests through */
        }
}

/* --- Life --- */

static int copy_text(const char **slot) {
        *slot = *slot ? strdup(*slot) : NULL;
        return *slot ? 0 : -ENOMEM;
}

static int copy_options(Keeper *k, const KeeperOptions *options) {
        KeeperOptions *o = &k->options;
        int error = 0;

        *o = *options;
        o->slack_us = o->slack_us ?: DEFAULT_SLACK_US;
        o->kill_after_us = o->kill_after_us ?: DEFAULT_KILL_AFTER_US;
        o->drain_us = o->drain_us ?: DEFAULT_DRAIN_US;
        o->round_us = o->round_us ?: DEFAULT_ROUND_US;
        o->idle_us = o->idle_us ?: DEFAULT_IDLE_US;
        /* Each is copied even after a failure: none may still be the caller's when we are freed. */
        error = copy_text(&o->spec_path) ?: error;
        error = copy_text(&o->state_dir) ?: error;
        error = copy_text(&o->runtime_dir) ?: error;
        error = copy_text(&o->shim) ?: error;
        error = copy_text(&o->path) ?: error;
        return error;
}

static int open_all(Keeper *k) {
        int error;

        k->outbox = calloc(OUTBOX_MAX, sizeof(*k->outbox));
        k->attempt.lines = calloc(KEPT_LINES, sizeof(*k->attempt.lines));
        if (!k->outbox || !k->attempt.lines)
                return -ENOMEM;
        error = keeper_load_spec(k, &k->spec);
        if (error < 0)
                return error;
        k->user = strdup(k->spec->installer.user);
        if (!k->user)
                return -ENOMEM;
        k->state_fd = directory_ensure(k->options.state_dir, 0700);
        if (k->state_fd < 0)
                return k->state_fd;
        k->runtime_fd = directory_ensure(k->options.runtime_dir, 0700);
        if (k->runtime_fd < 0)
                return k->runtime_fd;
        error = gate_run_new(k->event, k->options.gate_limit_us, &k->gates.run);
        return error < 0 ? error : http_new(k->event, &k->http);
}

int keeper_new(sd_event *event, int listen_fd, const KeeperOptions *options, Keeper **ret) {
        _cleanup_close_ int owned = listen_fd;
        _cleanup_(keeper_freep) Keeper *k = calloc(1, sizeof(*k));
        int error;

        if (!k)
                return -ENOMEM;
        k->event = sd_event_ref(event);
        k->state_fd = k->runtime_fd = k->listen_fd = k->peer_fd = -1;
        k->attempt.pidfd = k->pull.pidfd = -1;
        k->attempt.output = k->attempt.errors = k->attempt.notes = OUTPUT_INIT;
        k->pull.output = k->pull.errors = OUTPUT_INIT;
        error = copy_options(k, options);
        if (error >= 0)
                error = open_all(k);
        if (error >= 0)
                error = keeper_listen(k, TAKE_FD(owned));
        if (error >= 0)
                error = keeper_adopt(k);
        if (error < 0)
                return error;
        keeper_idle_update(k);
        *ret = TAKE_PTR(k);
        return 0;
}

static void close_fd(int fd) {
        if (fd >= 0)
                (void) close(fd);
}

/* The options' texts are const for everybody else. */
static void free_text(const char *text) {
        union {
                const char *read_only;
                char *owned;
        } u = { .read_only = text };

        free(u.owned);
}

Keeper *keeper_free(Keeper *k) {
        if (!k)
                return NULL;
        keeper_peer_drop(k);
        attempt_done(&k->attempt);
        pull_done(&k->pull);
        (void) gate_run_free(k->gates.run);
        engine_call_cancel(k->preparing.call);
        engine_call_cancel(k->settling.call);
        engine_call_cancel(k->looking.call);
        (void) http_free(k->http);
        (void) sd_event_source_disable_unref(k->settle.again);
        (void) sd_event_source_disable_unref(k->idle);
        (void) sd_event_source_disable_unref(k->listen);
        close_fd(k->listen_fd);
        close_fd(k->state_fd);
        close_fd(k->runtime_fd);
        (void) spec_free(k->spec);
        free(k->user);
        free(k->outbox);
        free_text(k->options.spec_path);
        free_text(k->options.state_dir);
        free_text(k->options.runtime_dir);
        free_text(k->options.shim);
        free_text(k->options.path);
        (void) sd_event_unref(k->event);
        free(k);
        return NULL;
}
