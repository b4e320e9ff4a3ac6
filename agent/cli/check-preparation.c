/* SPDX-License-Identifier: Apache-2.0 */

/*
 * First the host and then the place of ECE's data, each in a worker with a limit, since a file system may be away; then
 * the engine, which has a limit of its own. A job is the worker's, which may outlive us: it holds all that it needs.
 *
 * What could not be looked at in time is judged like all else: as an item that nobody has tried.
 */

#include "cli/check-preparation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/worker.h"
#include "installer/engine-about.h"

typedef enum Stage { STAGE_HOST, STAGE_STORAGE } Stage;

typedef struct Look {
        Stage stage;
        PreparationQuestion question;
        PreparationFacts facts;
} Look;

struct CheckPreparation {
        sd_event *event;
        Http *http;
        PreparationQuestion question;
        PreparationFacts facts;
        char engine_why[GATE_FOUND_SIZE]; /* "": it is asked */
        Stage stage;
        Worker *worker;
        sd_event_source *limit;
        EngineAbout *about;
        PreparationHandler handler;
        void *userdata;
};

void check_preparation_cancel(CheckPreparation *p) {
        if (!p)
                return;
        (void) worker_free(p->worker);
        (void) sd_event_source_disable_unref(p->limit);
        engine_about_cancel(p->about);
        free(p);
}
DEFINE_CLEANUP(CheckPreparation *, check_preparation_cancel)

static void finish(CheckPreparation *p, const EngineFacts *engine) {
        PreparationHandler handler = p->handler;
        void *userdata = p->userdata;
        Advices advices;

        preparation_judge(&p->question, &p->facts, engine, p->engine_why, &advices);
        check_preparation_cancel(p);
        handler(userdata, &advices);
}

static void on_about(void *userdata, const EngineFacts *facts) {
        CheckPreparation *p = userdata;

        p->about = NULL;
        finish(p, facts);
}

static void ask_engine(CheckPreparation *p) {
        static const EngineFacts nothing;
        const PreparationQuestion *q = &p->question;

        if (p->engine_why[0] == '\0' && engine_about_start(p->event, p->http, q->engine_socket, q->engine, PREPARATION_LIMIT_US,
                                                           on_about, p, &p->about) >= 0)
                return;
        finish(p, &nothing);
}

/* --- The looks --- */

static void look_work(void *job) {
        Look *look = job;

        if (look->stage == STAGE_HOST)
                preparation_gather("", &look->question, &look->facts);
        else
                preparation_gather_storage("", &look->question, &look->facts);
}

static int look_start(CheckPreparation *p);

static void go_on(CheckPreparation *p) {
        p->worker = worker_free(p->worker);
        (void) sd_event_source_set_enabled(p->limit, SD_EVENT_OFF);
        if (p->stage == STAGE_HOST) {
                p->stage = STAGE_STORAGE;
                if (look_start(p) >= 0)
                        return;
        }
        ask_engine(p);
}

static void on_look(void *userdata, void *job) {
        CheckPreparation *p = userdata;
        const Look *look = job;

        p->question = look->question;
        p->facts = look->facts;
        go_on(p);
}

/* What was known before is still so. */
static int on_limit(sd_event_source *source, uint64_t at, void *userdata) {
        CheckPreparation *p = userdata;

        if (p->stage == STAGE_HOST)
                preparation_facts_missing(-ETIMEDOUT, &p->facts);
        else
                preparation_storage_missing(-ETIMEDOUT, &p->facts);
        go_on(p);
        return 0;
}

static int arm(CheckPreparation *p) {
        int error = sd_event_source_set_time(p->limit, usec_add(clock_boottime_us(), PREPARATION_LIMIT_US));

        return error < 0 ? error : sd_event_source_set_enabled(p->limit, SD_EVENT_ONESHOT);
}

static int look_start(CheckPreparation *p) {
        Look *look = calloc(1, sizeof(*look));
        int error;

        if (!look)
                return -ENOMEM;
        look->stage = p->stage;
        look->question = p->question;
        look->facts = p->facts;
        error = worker_start(p->event, look_work, look, free, on_look, p, &p->worker);
        if (error < 0) {
                free(look);
                return error;
        }
        return arm(p);
}

int check_preparation_start(sd_event *event, Http *http, const PreparationQuestion *question, const char *engine_why,
                            PreparationHandler handler, void *userdata, CheckPreparation **ret) {
        _cleanup_(check_preparation_cancelp) CheckPreparation *p = calloc(1, sizeof(*p));
        int error;

        if (!p)
                return -ENOMEM;
        p->event = event;
        p->http = http;
        p->question = *question;
        p->handler = handler;
        p->userdata = userdata;
        (void) snprintf(p->engine_why, sizeof(p->engine_why), "%s", engine_why ?: "");
        error = sd_event_add_time(event, &p->limit, CLOCK_BOOTTIME, 0, 10 * USEC_PER_MSEC, on_limit, p);
        if (error >= 0)
                error = sd_event_source_set_enabled(p->limit, SD_EVENT_OFF);
        if (error >= 0)
                error = look_start(p);
        if (error < 0)
                return error;
        *ret = TAKE_PTR(p);
        return 0;
}
