/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The worker walks through the gates and publishes how far it has come; the loop looks at that when the
 * present gate's time must be up.
 *
 * The job is the worker's, with copies of the few words of the spec that the gates read: the spec may be
 * read anew and freed while a look hangs on a server that is away. `done` is written after the gate that it
 * counts and read before, so what the loop reads is finished.
 *
 * A look that was given up is stale: some of its gates were seen long before the others. When it ends at
 * last it is thrown away, and whoever waits then gets a new one.
 */

#include "host/gate-run.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/worker.h"
#include "host/gates.h"

typedef struct Look {
        Spec *spec; /* only the members that gates read */
        char *path;
        HostFacts facts;
        Gates gates;
        atomic_size_t done;
        _Atomic usec_t began_us; /* of the gate that is being looked at */
} Look;

struct GateRun {
        sd_event *event;
        usec_t limit_us;
        Worker *worker; /* a look is under way, or hangs */
        Look *look;     /* the worker's */
        bool stale;     /* somebody has given it up */
        sd_event_source *timer;

        GateRunHandler handler; /* NULL: nobody asks */
        void *userdata;
        Spec *wanted; /* of who asks, until a look is made of it */
        char *wanted_path;
};

/* --- The look --- */

static int copy(char **to, const char *from) {
        *to = from ? strdup(from) : NULL;
        return from && !*to ? -ENOMEM : 0;
}

static Spec *copy_for_gates(const Spec *from) {
        _cleanup_(spec_freep) Spec *to = calloc(1, sizeof(*to));
        int error = 0;

        if (!to)
                return NULL;
        to->installer.engine = from->installer.engine;
        to->owner = from->owner;
        error = copy(&to->installer.user, from->installer.user) ?: error;
        error = copy(&to->installer.script, from->installer.script) ?: error;
        error = copy(&to->installer.sha256, from->installer.sha256) ?: error;
        error = copy(&to->installer.engine_socket, from->installer.engine_socket) ?: error;
        error = copy(&to->installer.storage_path, from->installer.storage_path) ?: error;
        error = copy(&to->host.host_ip, from->host.host_ip) ?: error;
        return error < 0 ? NULL : TAKE_PTR(to);
}

static void look_free(void *job) {
        Look *look = job;

        (void) spec_free(look->spec);
        free(look->path);
        free(look);
}

static void look_work(void *job) {
        Look *look = job;

        for (size_t i = 0; i < host_gates_n(); i++) {
                atomic_store(&look->began_us, clock_boottime_us());
                look->gates.items[i] = host_gate_check(i, look->spec, &look->facts, look->path);
                atomic_store(&look->done, i + 1);
        }
        look->gates.n = host_gates_n();
}

/* --- The answer --- */

static void answer(GateRun *r, const Gates *gates, const HostFacts *facts) {
        GateRunHandler handler = r->handler;

        r->handler = NULL;
        if (handler)
                handler(r->userdata, gates, facts);
}

static int look_start(GateRun *r);

static void on_look(void *userdata, void *job) {
        GateRun *r = userdata;
        Gates gates = ((Look *) job)->gates;
        HostFacts facts = ((Look *) job)->facts;
        bool stale = r->stale;

        r->worker = worker_free(r->worker);
        r->look = NULL;
        r->stale = false;
        (void) sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
        if (!r->handler)
                return;
        if (!stale)
                return answer(r, &gates, &facts);
        /* Without memory for another look its old answer is better than none. */
        if (look_start(r) < 0)
                answer(r, &gates, &facts);
}

static int arm(GateRun *r, usec_t at_us) {
        int error = sd_event_source_set_time(r->timer, at_us);

        return error < 0 ? error : sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
}

/* The gates as far as they are known: the one that hangs is shut, nobody came to the ones behind it. */
static void answer_without(GateRun *r, size_t done) {
        Gates gates = { 0 };
        Observation seen;

        for (size_t i = 0; i < host_gates_n(); i++) {
                Gate gate = i < done ? r->look->gates.items[i] : gate_named(host_gate_name(i));

                if (i == done) {
                        seen = observe(ORIGIN_HOST, ETIMEDOUT, "no-answer", gate.name, "no answer within %g s",
                                       (double) r->limit_us / (double) USEC_PER_SEC);
                        gate_judge(&gate, &seen);
                        gate.took_us = usec_sub(clock_boottime_us(), atomic_load(&r->look->began_us));
                } else if (i > done)
                        gate_leave_untried(&gate, "not looked at: an earlier look hangs");
                (void) gates_put(&gates, &gate);
        }
        answer(r, &gates, NULL);
}

static int on_time(sd_event_source *source, uint64_t at, void *userdata) {
        GateRun *r = userdata;
        size_t done = atomic_load(&r->look->done);
        usec_t due_us = usec_add(atomic_load(&r->look->began_us), r->limit_us);

        if (done == host_gates_n())
                return 0; /* its answer is on its way through the loop */
        if (!r->stale && due_us > clock_boottime_us())
                return arm(r, due_us);
        r->stale = true;
        answer_without(r, done);
        return 0;
}

/* --- Asking --- */

static int look_start(GateRun *r) {
        Look *look = calloc(1, sizeof(*look));
        int error;

        if (!look)
                return -ENOMEM;
        look->spec = TAKE_PTR(r->wanted);
        look->path = TAKE_PTR(r->wanted_path);
        atomic_store(&look->began_us, clock_boottime_us());
        error = worker_start(r->event, look_work, look, look_free, on_look, r, &r->worker);
        if (error < 0) {
                look_free(look);
                return error;
        }
        r->look = look;
        return arm(r, usec_add(clock_boottime_us(), r->limit_us));
}

int gate_run_start(GateRun *r, const Spec *spec, const char *path, GateRunHandler handler, void *userdata) {
        _cleanup_(spec_freep) Spec *wanted = copy_for_gates(spec);
        _cleanup_free_ char *wanted_path = strdup(path);
        int error;

        if (!wanted || !wanted_path)
                return -ENOMEM;
        gate_run_cancel(r);
        r->wanted = TAKE_PTR(wanted);
        r->wanted_path = TAKE_PTR(wanted_path);
        /* A look that is under way was made for somebody else, perhaps for another spec. */
        if (r->worker)
                r->stale = true;
        error = r->worker ? arm(r, usec_add(clock_boottime_us(), r->limit_us)) : look_start(r);
        if (error < 0)
                return error;
        r->handler = handler;
        r->userdata = userdata;
        return 0;
}

void gate_run_cancel(GateRun *r) {
        r->handler = NULL;
        r->wanted = spec_free(r->wanted);
        free(TAKE_PTR(r->wanted_path));
        (void) sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
}

bool gate_run_asked(const GateRun *r) {
        return r->handler != NULL;
}

int gate_run_new(sd_event *event, usec_t limit_us, GateRun **ret) {
        GateRun *r = calloc(1, sizeof(*r));
        int error;

        if (!r)
                return -ENOMEM;
        r->event = sd_event_ref(event);
        r->limit_us = limit_us ?: GATE_LIMIT_US;
        error = sd_event_add_time(event, &r->timer, CLOCK_BOOTTIME, 0, 10 * USEC_PER_MSEC, on_time, r);
        if (error >= 0)
                error = sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
        if (error < 0) {
                (void) gate_run_free(r);
                return error;
        }
        *ret = r;
        return 0;
}

GateRun *gate_run_free(GateRun *r) {
        if (!r)
                return NULL;
        if (r->timer)
                gate_run_cancel(r);
        (void) worker_free(r->worker);
        (void) sd_event_source_disable_unref(r->timer);
        (void) sd_event_unref(r->event);
        free(r);
        return NULL;
}
