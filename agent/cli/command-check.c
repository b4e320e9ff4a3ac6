/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll check: all gates, one line each, with what to do below a shut one. The functions are those of the
 * keeper (host and engine) and of the agent (network), so what is open here is open there.
 *
 * Below them it says how this host differs from what ECE's documentation wants it to be. Nobody waits for that, and the
 * exit code does not know of it: ECE checks hosts itself.
 *
 * It changes nothing, asks neither keeper nor agent and works beside them. Anybody may run it: what only the install
 * user and root can tell is then left untried, and says so. The installer of an enrollment that is under way has the
 * ports; that is told and shuts nothing.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/check-preparation.h"
#include "cli/command.h"
#include "cli/preparation-page.h"
#include "enrolld/gate-report.h"
#include "enrolld/network-gates.h"
#include "host/gate-run.h"
#include "host/gates.h"
#include "http/http.h"
#include "installer/engine-gates.h"
#include "report/fold.h"
#include "report/gates-page.h"
#include "report/paint.h"

#define PAGE_MAX (64U * 1024U)

typedef struct Check {
        sd_event *event;
        Http *http;
        const Spec *spec;
        GateRun *run;
        EngineGates *engine;
        NetworkGates *network;
        Via *via;
        CheckPreparation *preparation;
        PreparationQuestion question;
        Gates gates;
        Advices advices;
} Check;

static void add_all(Check *c, const Gates *from) {
        for (size_t i = 0; i < from->n; i++)
                (void) gates_put(&c->gates, &from->items[i]);
}

static void stop(Check *c, int error) {
        (void) sd_event_exit(c->event, error < 0 ? error : 0);
}

/* --- The preparation, when all gates have been looked at --- */

static void on_prepared(void *userdata, const Advices *advices) {
        Check *c = userdata;

        c->preparation = NULL;
        c->advices = *advices;
        stop(c, 0);
}

static const char *why_no_engine(const Check *c) {
        const Gate *engine = gates_find(&c->gates, "engine");

        if (engine->state == GATE_OPEN)
                return NULL;
        return engine->state == GATE_UNTRIED ? engine->found : "not looked at while 'engine' is shut";
}

static void look_at_preparation(Check *c) {
        int error = check_preparation_start(c->event, c->http, &c->question, why_no_engine(c), on_prepared, c,
                                            &c->preparation);

        if (error < 0)
                stop(c, error);
}

/* --- The gates --- */

static void on_network(void *userdata, const Gates *gates) {
        Check *c = userdata;

        add_all(c, gates);
        look_at_preparation(c);
}

/* Who may not read the secrets of the way, or finds them unusable, hears it as the gate's trouble. */
static void refuse_network(Check *c, const Observation *refusal) {
        Gate coordinator = gate_named("coordinator");

        gate_judge(&coordinator, refusal);
        (void) gates_put(&c->gates, &coordinator);
        look_at_preparation(c);
}

static void ask_network(Check *c) {
        Observation refusal = OBSERVATION_NONE;
        int error = via_new(c->spec, true, &c->via, &refusal);
        const NetworkQuestion question = { .spec = c->spec, .via = c->via, .all = true };

        if (error >= 0 && !c->via)
                return refuse_network(c, &refusal);
        if (error >= 0)
                error = network_gates_start(c->network, &question, on_network, c);

        if (error < 0)
                stop(c, error);
}

static void forgive_ports(Check *c) {
        Gate ports = gate_named("ports");

        gate_found(&ports, "used by our own installer, which is at work");
        gate_judge(&ports, &OBSERVATION_NONE);
        (void) gates_put(&c->gates, &ports);
}

static void on_engine(void *userdata, const Gates *gates, bool ours_alive) {
        Check *c = userdata;

        c->engine = NULL;
        add_all(c, gates);
        if (ours_alive)
                forgive_ports(c);
        ask_network(c);
}

static void skip_engine(Check *c, const char *why) {
        Gates gates;

        engine_gates_untried(why, &gates);
        add_all(c, &gates);
        ask_network(c);
}

static void on_host(void *userdata, const Gates *gates, const HostFacts *facts) {
        Check *c = userdata;
        const EngineQuestion question = { .socket_path = c->spec->installer.engine_socket };
        const Gate *socket = gates_find(gates, "engine-socket");
        int error;

        c->gates = *gates;
        preparation_question(c->spec, facts, &c->question);
        if (socket->state != GATE_OPEN)
                return skip_engine(c, "not looked at while 'engine-socket' is not open");
        /* As root for a user who may not: the engine can be asked all the same, and is. */
        if (access(c->spec->installer.engine_socket, R_OK | W_OK) < 0)
                return skip_engine(c, "only root and the install user can tell");
        error = engine_gates_start(c->event, c->http, &question, on_engine, c, &c->engine);
        if (error < 0)
                stop(c, error);
}

static int look(Check *c) {
        _cleanup_free_ char *path = installer_path_make(getenv("PATH"));
        int error = path ? 0 : -ENOMEM;

        if (error >= 0)
                error = gate_run_start(c->run, c->spec, path, on_host, c);
        return error < 0 ? error : sd_event_loop(c->event);
}

static int look_at_all(Check *c) {
        int error = sd_event_new(&c->event);

        if (error >= 0)
                error = http_new(c->event, &c->http);
        if (error >= 0)
                error = gate_run_new(c->event, 0, &c->run);
        if (error >= 0)
                error = network_gates_new(c->event, c->http, &c->network);
        if (error >= 0)
                error = look(c);
        (void) network_gates_free(c->network);
        (void) via_free(c->via);
        check_preparation_cancel(c->preparation);
        engine_gates_cancel(c->engine);
        (void) gate_run_free(c->run);
        (void) http_free(c->http);
        (void) sd_event_unref(c->event);
        return error;
}

/* The exit code is that of the first shut gate's reason. */
static int print(const Gates *gates, const Advices *advices, bool as_json) {
        _cleanup_free_ ReportGate *shown = calloc(gates->n, sizeof(*shown));
        _cleanup_buffer_ Buffer page = BUFFER_INIT(PAGE_MAX);
        _cleanup_json_ json_t *list = NULL;
        int code = EXIT_DONE;

        if (!shown)
                return -ENOMEM;
        for (size_t i = 0; i < gates->n; i++) {
                gate_report(&gates->items[i], &shown[i]);
                if (code == EXIT_DONE)
                        code = shown[i].reason.exit_code;
        }
        list = gates_to_json(shown, gates->n);
        if (!list || (as_json && advices_add_json(advices, list) < 0))
                return -ENOMEM;
        if (as_json) {
                (void) json_dumpf(list, stdout, JSON_INDENT(1));
                (void) fputc('\n', stdout);
        } else {
                gates_write_lines(list, "", paint_wanted(STDOUT_FILENO), &page);
                advices_write_lines(advices, paint_wanted(STDOUT_FILENO), &page);
                fold_print(buffer_string(&page));
        }
        (void) fflush(stdout);
        return code;
}

int command_check(const CommonOptions *options) {
        _cleanup_(spec_freep) Spec *spec = NULL;
        Check c = { 0 };
        int code = command_load_spec(options->argument ?: options->spec_path, &spec);
        int result;

        if (code != EXIT_DONE)
                return code;
        (void) signal(SIGPIPE, SIG_IGN);
        c.spec = spec;
        result = look_at_all(&c);
        if (result >= 0)
                result = print(&c.gates, &c.advices, options->json);
        if (result >= 0)
                return result;
        return command_failed(result);
}
