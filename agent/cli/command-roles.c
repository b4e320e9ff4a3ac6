/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll roles: what a runner may do, as the platform sees it, and the setting of it.
 *
 * A host that joined with a role-less token, or whose token lacked a role, runs nothing until somebody gives it its
 * roles; ECE's pages say "Update roles" in the Cloud UI. Here it is one command: the runner's own list is read, what ECE has put there is
 * kept, the four are replaced and blessed, and then it is looked until the effect is there: an answer of 200 is
 * none. Taking the director away is refused, because ZooKeeper goes on on that host (ece-roles.md).
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/platform-session.h"
#include "cli/this-runner.h"
#include "model/verdict.h"

#define EVERY_ROLE    ((RoleSet) ((1U << _ROLE_MAX) - 1U))
#define LOOK_AGAIN_US (2 * USEC_PER_SEC)

static const char *word(Tristate t) {
        return t == UNKNOWN ? "unknown" : t == YES ? "yes" : "no";
}

static json_t *tristate_json(Tristate t) {
        return t == UNKNOWN ? json_null() : json_boolean(t == YES);
}

static int print_json(const RunnerView *view) {
        _cleanup_json_ json_t *page = json_pack("{s:s, s:b, s:b, s:s, s:s, s:s, s:[]}", "runner_id", view->runner_id, "connected",
                                                (int) view->connected, "healthy", (int) view->healthy, "host_ip", view->host_ip,
                                                "zone", view->zone, "version", view->version, "roles");

        for (Role r = 0; page && r < _ROLE_MAX; r++)
                (void) json_array_append_new(
                        json_object_get(page, "roles"),
                        json_pack("{s:s, s:b, s:o, s:o, s:o, s:s}", "role", role_to_string(r), "listed",
                                  (int) view->role[r].listed, "blessed", tristate_json(view->role[r].blessed), "pending",
                                  tristate_json(view->role[r].pending), "effect", tristate_json(view->role[r].effect), "detail",
                                  view->role[r].effect_detail));
        if (!page || json_dumpf(page, stdout, JSON_INDENT(1)) < 0)
                return EXIT_INTERNAL;
        (void) fputc('\n', stdout);
        return EXIT_DONE;
}

static int print(const RunnerView *view, bool as_json) {
        if (as_json)
                return print_json(view);
        printf("runner %s at %s, %s%s%s", view->runner_id, view->host_ip, view->connected ? "connected" : "not connected",
               view->healthy ? "" : ", not healthy", view->healthy || !view->health_detail[0] ? "" : ": ");
        printf("%s%s%s%s%s\n\n", view->healthy ? "" : view->health_detail, view->zone[0] ? ", zone " : "", view->zone,
               view->version[0] ? ", ECE " : "", view->version);
        printf("%-12s %-7s %-8s %-8s %s\n", "ROLE", "LISTED", "BLESSED", "PENDING", "EFFECT");
        for (Role r = 0; r < _ROLE_MAX; r++) {
                const RoleView *role = view->role + r;

                printf("%-12s %-7s %-8s %-8s %s%s%s\n", role_to_string(r), role->listed ? "yes" : "no", word(role->blessed),
                       word(role->pending), role->listed ? word(role->effect) : "-",
                       role->listed && role->effect_detail[0] ? ": " : "", role->listed ? role->effect_detail : "");
        }
        return EXIT_DONE;
}

typedef struct Setting {
        PlatformSession *session;
        const Spec *spec;
        const CommonOptions *options;
        const ThisRunner *runner;
        RoleSet wanted;
        RunnerView view;
} Setting;

static Observation look(Setting *s) {
        Observation o = platform_look(s->session, s->runner->id, s->runner->host_ip, EVERY_ROLE, &s->view);

        if (observation_is_none(&o) && !s->view.found)
                return observe(ORIGIN_VERIFY, 0, "runner-not-found", s->runner->id, "the platform knows no runner %s",
                               s->runner->id);
        if (observation_is_none(&o) && s->runner->host_ip[0] && !address_is_same(s->view.host_ip, s->runner->host_ip))
                return observe(ORIGIN_VERIFY, 0, "foreign-host", s->runner->id,
                               "runner %s has address %s on the platform, this host is %s", s->runner->id, s->view.host_ip,
                               s->runner->host_ip);
        return o;
}

/* 0, or told and refused. */
static int look_before(const Setting *s) {
        bool director_goes = role_set_has(s->view.listed_roles, ROLE_DIRECTOR) && !role_set_has(s->wanted, ROLE_DIRECTOR);
        const char *advice;

        for (size_t i = 0; (advice = role_set_advice(s->wanted, i)); i++)
                fprintf(stderr, "warning: %s\n", advice);
        if (!director_goes || s->options->force)
                return EXIT_DONE;
        fprintf(stderr, "ece-enroll roles: this would take the role director away, and ZooKeeper would go on running on that "
                        "host: ECE's\n"
                        "  documentation advises to delete the runner and install it anew instead. Nothing was changed; with "
                        "--force it is.\n");
        return EXIT_BAD_USAGE;
}

static void tell_progress(const Verdict *verdict, char last[static sizeof(verdict->items[0].text)]) {
        const char *text = verdict->n > 0 ? verdict->items[0].text : "";

        if (streq(text, last))
                return;
        (void) snprintf(last, sizeof(verdict->items[0].text), "%s", text);
        fprintf(stderr, "waiting: %s\n", text);
}

/* Trouble on the way is no end: the roles are set, and what became of it is what counts. */
static int wait_for_effect(Setting *s) {
        usec_t limit_us = s->options->timeout_us > 0 ? s->options->timeout_us : s->spec->verify.timeout_us;
        usec_t until_us = usec_add(clock_boottime_us(), limit_us);
        char last[sizeof(((Difference *) NULL)->text)] = "";

        for (;;) {
                Observation o = look(s);
                Verdict verdict = {};
                int error;

                if (observation_is_none(&o)) {
                        verdict_judge_roles(s->wanted, &s->view, &verdict);
                        if (verdict.enrolled)
                                return EXIT_DONE;
                        o = verdict_observation(&verdict, s->runner->id);
                        tell_progress(&verdict, last);
                }
                if (clock_boottime_us() >= until_us)
                        return command_tell_seen(&o);
                error = platform_session_wait(s->session, LOOK_AGAIN_US);
                if (error < 0)
                        return command_failed(error);
        }
}

static int set(Setting *s) {
        Verdict verdict;
        Observation o;
        int code = look_before(s);

        if (code != EXIT_DONE)
                return code;
        verdict_judge_roles(s->wanted, &s->view, &verdict);
        if (verdict.enrolled) {
                fprintf(stderr, "nothing to do: it has these roles\n");
                return EXIT_DONE;
        }
        o = platform_set_roles(s->session, s->runner->id, s->wanted);
        return observation_is_none(&o) ? wait_for_effect(s) : command_tell_seen(&o);
}

static int show_or_set(Setting *s) {
        Observation o = look(s);
        int code = EXIT_DONE, printed;

        if (!observation_is_none(&o))
                return command_tell_seen(&o);
        if (s->options->roles_given)
                code = set(s);
        if (code == EXIT_BAD_USAGE)
                return code;
        printed = print(&s->view, s->options->json);
        return code != EXIT_DONE ? code : printed;
}

int command_roles(const CommonOptions *options) {
        _cleanup_(platform_session_closep) PlatformSession *session = NULL;
        _cleanup_(spec_freep) Spec *spec = NULL;
        Setting setting = { .options = options, .wanted = options->roles };
        ThisRunner runner;
        int code;

        for (size_t i = 0; i < options->n_arguments; i++)
                if (!options->roles_given || !command_read_roles(options->arguments[i], &setting.wanted))
                        return command_misused("roles", "'%.64s' is no role to be --set", options->arguments[i]);
        code = command_load_spec(options->spec_path, &spec);
        if (code == EXIT_DONE)
                code = this_runner(spec, options, &runner);
        if (code == EXIT_DONE)
                code = command_open_session(spec, &session);
        if (code != EXIT_DONE)
                return code;
        setting.session = session;
        setting.spec = spec;
        setting.runner = &runner;
        return show_or_set(&setting);
}
