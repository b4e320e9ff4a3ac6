/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ece-enroll plan: what would be requested and run. The command line and the environment come from the very
 * functions that the keeper uses, the request's body from the one that mints, so the plan can't say one thing and
 * the run do another. Where the token would be stands a word; no token exists while planning.
 *
 * Offline the platform's version is not known: the command is shown with the script's own, and says so.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/plan-online.h"
#include "coordinator/token-request.h"
#include "coordinator/via.h"
#include "engine/classify.h"
#include "host/gates.h"
#include "host/host-facts.h"
#include "model/coordinator-url.h"
#include "model/installer-command.h"

#define TOKEN_WORD "<roles token>"

typedef struct Drawing {
        const Spec *spec;
        HostFacts facts;
        Plan *plan;
        bool version_guessed;
        InstallerCommand command;
        Buffer body;
        bool online;
        OnlineView view;
} Drawing;

static const struct {
        const char *word, *sentence;
} witness_words[] = {
        [VERIFY_BY_COORDINATOR] = { "coordinator", "by the coordinator's own view" },
        [VERIFY_BY_LOCAL] = { "local", "by the engine of this host: ECE's containers run; the platform's blessing can't be seen" },
        [VERIFY_BY_BOTH] = { "both", "by the coordinator's own view, and by the engine of this host" },
};

static const char *shown(const char *argument) {
        return streq(argument, TOKEN_PLACEHOLDER) ? TOKEN_WORD : argument;
}

static json_t *strings_json(char *const *list) {
        json_t *array = json_array();

        for (size_t i = 0; list && list[i]; i++)
                (void) json_array_append_new(array, json_string(shown(list[i])));
        return array;
}

static json_t *membership_json(const Drawing *d) {
        json_t *differences = json_array();

        for (size_t i = 0; i < d->view.verdict.n; i++)
                (void) json_array_append_new(differences, json_string(d->view.verdict.items[i].text));
        return json_pack("{s:s, s:b, s:b, s:o}", "platform_version", d->view.platform.version, "found",
                         (int) d->view.runner.found, "as_planned",
                         (int) (d->view.runner.found && d->view.verdict.enrolled), "differences", differences);
}

static void print_json(const Drawing *d) {
        _cleanup_json_ json_t *plan = json_pack(
                "{s:s, s:s, s:s, s:b, s:s, s:i, s:i, s:o, s:s, s:s, s:o, s:o}", "runner_id", d->plan->runner_id,
                "host_ip", d->plan->host_ip, "version", d->plan->version, "version_from_script",
                (int) d->version_guessed, "user", d->plan->user_name, "uid", (int) d->plan->uid, "gid",
                (int) d->plan->gid, "coordinators", strings_json(d->spec->coordinators), "image", d->plan->image,
                "token_request", d->spec->token.source == TOKEN_FROM_COORDINATOR ? buffer_string(&d->body) : "", "command", strings_json(d->command.argv), "environment",
                strings_json(d->command.envp));

        (void) json_object_set_new(plan, "handoff",
                                   json_string(d->spec->installer.handoff == HANDOFF_SHIM ? "shim" : "argv"));
        (void) json_object_set_new(plan, "verify_by", json_string(witness_words[d->spec->verify.by].word));
        (void) json_object_set_new(plan, "proxy", d->spec->proxy.url ? json_string(d->spec->proxy.url) : json_null());
        (void) json_object_set_new(plan, "interpreter",
                                   d->facts.script_executable ? json_null() : json_string("/bin/bash"));
        if (d->online)
                (void) json_object_set_new(plan, "online", membership_json(d));
        (void) json_dumpf(plan, stdout, JSON_INDENT(1));
        (void) fputc('\n', stdout);
}

static void print_list(const char *label, char *const *list) {
        for (size_t i = 0; list && list[i]; i++)
                printf("%13s  %s\n", i == 0 ? label : "", shown(list[i]));
}

/* One option to a line, with its value: as a person would write it into a script. */
static void print_command(char *const *argv, bool executable) {
        printf("%13s  %s%s", "command", executable ? "" : "/bin/bash ", argv[0]);
        for (size_t i = 1; argv[i]; i++) {
                if (text_starts_with(argv[i], "--"))
                        printf(" \\\n%17s", "");
                else
                        printf(" ");
                printf("%s", shown(argv[i]));
        }
        printf("\n");
}

static void print_membership(const Drawing *d) {
        const OnlineView *v = &d->view;

        if (!d->online || !observation_is_none(&v->failure))
                return;
        printf("%13s  version %s; this host is %s\n", "platform", v->platform.version,
               !v->runner.found        ? "no member: a token would be asked for"
               : v->verdict.enrolled   ? "a member as planned: nothing would be minted"
                                       : "known, and differs from the spec:");
        for (size_t i = 0; i < v->verdict.n; i++)
                printf("%13s  - %s\n", "", v->verdict.items[i].text);
}

static void print_token(const Drawing *d) {
        const SecretSource *given = &d->spec->token.pre_minted;

        if (d->spec->token.source == TOKEN_FROM_COORDINATOR)
                printf("%13s  POST " TOKEN_REQUEST_PATH "\n%15s%s\n", "token", "", buffer_string(&d->body));
        else if (given->kind == SECRET_FROM_COMMAND)
                printf("%13s  what %s prints; none is asked for\n", "token", given->argv[0]);
        else
                printf("%13s  the one in %s%s; none is asked for\n", "token", given->path ? "" : "the credential ",
                       given->path ?: given->name);
}

static void print_way(const Spec *spec) {
        const char *ignored = via_ignored_variable();

        if (spec->proxy.url)
                printf("%13s  through the proxy %s%s\n", "way", spec->proxy.url,
                       spec->proxy.exceptions ? ", but for what no_proxy names" : "");
        if (ignored)
                printf("%13s  %s is set in the environment and ignored\n", spec->proxy.url ? "" : "way", ignored);
}

static void print_page(const Drawing *d) {
        const Plan *p = d->plan;
        char roles[ROLE_SET_STRING_SIZE];

        printf("%13s  %s\n", "runner", p->runner_id);
        printf("%13s  %s\n", "host address", p->host_ip);
        printf("%13s  %s\n", "roles", p->roles ? role_set_format(p->roles, ",", roles) : "none: joins without roles");
        printf("%13s  %s%s\n", "version", p->version[0] ? p->version : "the coordinator's",
               d->version_guessed ? " (the script's: the coordinator is asked when it runs)" : "");
        print_list("coordinators", d->spec->coordinators);
        print_way(d->spec);
        print_membership(d);
        print_token(d);
        printf("%13s  %s\n", "proof", witness_words[d->spec->verify.by].sentence);
        printf("%13s  %s\n", "hand-over",
               d->spec->installer.handoff == HANDOFF_SHIM
                       ? "shim: in no argument list and no environment"
                       : "argv: local users can see the token while the installer runs");
        printf("%13s  %s (uid %u, gid %u)\n", "as user", p->user_name, (unsigned) p->uid, (unsigned) p->gid);
        if (d->command.argv)
                print_command(d->command.argv, d->facts.script_executable);
        print_list("environment", d->command.envp);
}

/* The installer's command for this plan, with the placeholder where the token will be. */
static int draw_command(Drawing *d, Observation *refusal) {
        _cleanup_free_ char *path = installer_path_make(getenv("PATH"));
        char coordinator[COORDINATOR_URL_SIZE];

        if (!path)
                return -ENOMEM;
        coordinator_url_host(d->spec->coordinators[0], coordinator);
        if (!d->plan->version[0]) {
                (void) snprintf(d->plan->version, sizeof(d->plan->version), "%s", d->facts.script_version);
                d->version_guessed = true;
        }
        return installer_command_build(&(InstallerCommandRequest) { .plan = d->plan,
                                                                    .coordinator_host = coordinator,
                                                                    .token = TOKEN_PLACEHOLDER,
                                                                    .path = path },
                                       &d->command, refusal);
}

static int draw(Drawing *d, bool online, Observation *refusal) {
        int error = host_facts_gather(d->spec, &d->facts);

        if (error >= 0)
                error = plan_resolve(d->spec, &d->facts, NULL, &d->plan, refusal);
        if (error < 0 || !d->plan)
                return error;
        if (online && d->spec->credential.kind == CREDENTIAL_NONE)
                fprintf(stderr, "warning: --online: without a credential the platform can't be asked\n");
        else if (online) {
                d->online = true;
                error = plan_ask_online(d->spec, &d->facts, &d->plan, &d->view);
                if (error < 0)
                        return error;
                *refusal = d->view.failure;
        }
        error = token_request_body(d->spec->host.roles, d->spec->token.validity_us, d->spec->token.persistent,
                                   &d->body);
        if (error < 0)
                return error;
        error = draw_command(d, refusal);
        return error == -EINVAL ? 0 : error;
}

int command_plan(const CommonOptions *options) {
        _cleanup_(spec_freep) Spec *spec = NULL;
        Observation refusal = OBSERVATION_NONE;
        Drawing d = { .body = BUFFER_INIT(4096) };
        int code = command_load_spec(options->argument ?: options->spec_path, &spec);
        int error;

        if (code != EXIT_DONE)
                return code;
        d.spec = spec;
        error = draw(&d, options->online, &refusal);
        if (error >= 0 && d.plan && d.command.argv) {
                if (options->json)
                        print_json(&d);
                else
                        print_page(&d);
        }
        (void) fflush(stdout);
        code = error < 0 ? EXIT_INTERNAL : command_tell_seen(&refusal);
        if (error < 0)
                fprintf(stderr, "ece-enroll: %s\n", strerror(-error));
        installer_command_done(&d.command);
        buffer_done(&d.body);
        (void) plan_free(d.plan);
        return code;
}
