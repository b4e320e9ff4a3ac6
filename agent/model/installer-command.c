/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The installer's argument list.
 *
 * ECE's installer is a shell script that evaluates its arguments, splits them at blanks, expands
 * globs in them and stops reading at an empty one. There is no quoting that helps, so nothing is
 * quoted: each value has to have the form of its kind (model/allow-list.h) or there is no command.
 * It is asked here again although the spec's decoder asked before, because this is the last place
 * before the shell, and because the token and the version come from the network. An option whose
 * value is unknown is left out with its value.
 *
 * The extra arguments are the operator's, but no back door: they can't say again what the agent
 * says, since the installer would believe the later one and the verdict would be held against the
 * earlier.
 *
 * What fails: memory, and a value that is refused, which names the option and never the value.
 */

#include "model/installer-command.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/secret.h"
#include "base/text.h"
#include "model/allow-list.h"
#include "model/installer-environment.h"
#include "model/word-list.h"

/* Each option that build_arguments() can make; a second one among the extra arguments is
 * refused. */
static const char *const own_options[] = {
        "--coordinator-host",  "--roles-token",      "--roles",
        "--runner-id",         "--host-ip",          "--cloud-enterprise-version",
        "--availability-zone", "--host-storage-path", "--host-docker-host",
        "--capacity",          "--memory-settings",  "--docker-registry",
        "--ece-docker-repository", "--allocator-tags", "--external-hostname",
        "--timeout-factor",    "--force",            "--podman",
        "--selinux",
};

static void add_optional(WordList *list, const char *option, ValueKind kind, const char *value) {
        if (value)
                word_list_add_option(list, option, kind, value);
}

static void add_flag(WordList *list, bool wanted, const char *option) {
        if (wanted)
                word_list_add(list, option);
}

static void add_roles(WordList *list, RoleSet roles) {
        char text[ROLE_SET_STRING_SIZE];

        if (roles == 0)
                return;
        if (roles >> _ROLE_MAX)
                return word_list_refuse(list, "--roles", "names a role that does not exist");
        word_list_add_option(list, "--roles", VALUE_ROLES, role_set_format(roles, ",", text));
}

static void add_capacity(WordList *list, uint64_t capacity_mb) {
        char text[24];

        if (capacity_mb == 0)
                return;
        (void) snprintf(text, sizeof(text), "%" PRIu64, capacity_mb);
        word_list_add_option(list, "--capacity", VALUE_CAPACITY, text);
}

static void add_hostnames(WordList *list, char *const *names) {
        _cleanup_buffer_ Buffer joined = BUFFER_INIT(8192);
        int r = 0;

        if (string_list_size(names) == 0)
                return;
        for (size_t i = 0; names[i] && r >= 0; i++) {
                if (i > 0)
                        r = buffer_append_string(&joined, ",");
                if (r >= 0)
                        r = buffer_append_string(&joined, names[i]);
        }
        if (r == -EMSGSIZE)
                return word_list_refuse(list, "--external-hostname", "has too many names");
        if (r < 0)
                return word_list_fail(list, r);
        word_list_add_option(list, "--external-hostname", VALUE_HOSTNAMES, buffer_string(&joined));
}

/* Is a number of VALUE_FACTOR's form exactly one? "1", "1.0", "01.000". */
static bool factor_is_one(const char *text) {
        text += strspn(text, "0");
        if (*text != '1')
                return false;
        text++;
        if (*text == '.')
                text += 1 + strspn(text + 1, "0");
        return *text == '\0';
}

/* Checked even when it is left out: what is wrong is wrong. */
static void add_timeout_factor(WordList *list, const char *factor) {
        char why[ALLOW_LIST_WHY_SIZE];

        if (!factor)
                return;
        if (allow_list_check(VALUE_FACTOR, factor, why) < 0)
                return word_list_refuse(list, "--timeout-factor", why);
        if (!factor_is_one(factor))
                word_list_add_option(list, "--timeout-factor", VALUE_FACTOR, factor);
}

static bool is_own_option(const char *word) {
        for (size_t i = 0; i < ELEMENTS(own_options); i++)
                if (streq(word, own_options[i]))
                        return true;
        return false;
}

/* "--help" and a bare "help" make the installer print a page and exit with 0, which looks like
 * success. */
static void add_extra_option(WordList *list, const char *word) {
        char why[ALLOW_LIST_WHY_SIZE];

        if (allow_list_check(VALUE_OPTION, word, why) < 0)
                return word_list_refuse(list, "extra_args", why);
        if (is_own_option(word))
                return word_list_refuse(list, "extra_args",
                                        "repeats an option that has a key of its own");
        if (streq(word, "--help"))
                return word_list_refuse(list, "extra_args",
                                        "asks for help, not for an installation");
        word_list_add(list, word);
}

static void add_extra_value(WordList *list, const char *word, bool after_option) {
        char why[ALLOW_LIST_WHY_SIZE];

        if (allow_list_check(VALUE_PLAIN, word, why) < 0)
                return word_list_refuse(list, "extra_args", why);
        if (!after_option)
                return word_list_refuse(list, "extra_args", "has a value that follows no option");
        if (streq(word, "help"))
                return word_list_refuse(list, "extra_args",
                                        "asks for help, not for an installation");
        word_list_add(list, word);
}

static void add_extra(WordList *list, char *const *words) {
        bool after_option = false;

        if (!words)
                return;
        for (size_t i = 0; words[i]; i++) {
                bool option = words[i][0] == '-';

                if (option)
                        add_extra_option(list, words[i]);
                else
                        add_extra_value(list, words[i], after_option);
                after_option = option;
        }
}

/* All that follows from the Plan. */
static void add_plan(WordList *list, const Plan *plan) {
        const Spec *spec = plan->spec;

        add_roles(list, plan->roles);
        word_list_add_option(list, "--runner-id", VALUE_RUNNER_ID, plan->runner_id);
        word_list_add_option(list, "--host-ip", VALUE_ADDRESS, plan->host_ip);
        word_list_add_option(list, "--cloud-enterprise-version", VALUE_VERSION, plan->version);
        add_optional(list, "--availability-zone", VALUE_ZONE, spec->host.availability_zone);
        word_list_add_option(list, "--host-storage-path", VALUE_PATH, spec->installer.storage_path);
        word_list_add_option(list, "--host-docker-host", VALUE_PATH, spec->installer.engine_socket);
        add_capacity(list, spec->host.capacity_mb);
        add_optional(list, "--memory-settings", VALUE_MEMORY_SETTINGS, spec->host.memory_settings);
        add_optional(list, "--docker-registry", VALUE_REGISTRY, spec->installer.docker_registry);
        add_optional(list, "--ece-docker-repository", VALUE_REPOSITORY,
                     spec->installer.ece_docker_repository);
        add_optional(list, "--allocator-tags", VALUE_TAGS, spec->host.allocator_tags);
        add_hostnames(list, spec->host.external_hostnames);
        add_timeout_factor(list, spec->installer.timeout_factor);
        add_flag(list, spec->installer.force, "--force");
        add_flag(list, spec->installer.engine == ENGINE_PODMAN, "--podman");
        add_flag(list, spec->installer.selinux, "--selinux");
        add_extra(list, spec->installer.extra_args);
}

static int build_arguments(const Plan *plan, const char *coordinator_host, const char *token,
                           char ***ret, Observation *refusal) {
        _cleanup_word_list_ WordList list = { 0 };

        word_list_add_checked(&list, "installer.script", VALUE_PATH, plan->spec->installer.script);
        word_list_add(&list, "install");
        word_list_add_option(&list, "--coordinator-host", VALUE_COORDINATOR, coordinator_host);
        word_list_add_option(&list, "--roles-token", VALUE_TOKEN, token);
        add_plan(&list, plan);
        return word_list_take(&list, ret, refusal);
}

int installer_command_build(const InstallerCommandRequest *request, InstallerCommand *ret,
                            Observation *refusal) {
        _cleanup_(installer_command_done) InstallerCommand command = { 0 };
        const Plan *plan = request->plan;
        int r;

        r = build_arguments(plan, request->coordinator_host, request->token, &command.argv,
                            refusal);
        if (r < 0)
                return r;
        r = installer_environment_build(plan, request->path, request->extra_env, &command.envp,
                                        refusal);
        if (r < 0)
                return r;
        *ret = command;
        command = (InstallerCommand) { 0 };
        return 0;
}

/* A full build with stand-ins for what is not known yet: there is no second list of checks to
 * forget one in. */
int installer_command_check(const Plan *plan, Observation *refusal) {
        _cleanup_(installer_command_done) InstallerCommand command = { 0 };
        Plan whole = *plan;
        const InstallerCommandRequest request = {
                .plan = &whole,
                .coordinator_host = "coordinator.invalid",
                .token = TOKEN_PLACEHOLDER,
                .path = "/usr/bin",
        };

        if (whole.version[0] == '\0')
                (void) memcpy(whole.version, "1.0.0", sizeof("1.0.0"));
        return installer_command_build(&request, &command, refusal);
}

void installer_command_done(InstallerCommand *c) {
        words_free(c->argv);
        words_free(c->envp);
        *c = (InstallerCommand) { 0 };
}
