/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The Plan: every "auto" of the spec resolved, every pair of facts that must fit held together.
 *
 * All that can be known to fail before a token is minted has to fail here: a script that is older
 * than the platform, a user that ECE refuses, a value that the installer would evaluate. The
 * function is pure, so agent and keeper, each reading the spec by itself, arrive at the same
 * values, and `ece-enroll plan` shows exactly them.
 *
 * Refusals come in the order in which a person would mend them: user, script, versions, address,
 * values. What fails: memory.
 */

#include "model/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/allow-list.h"
#include "model/host-check.h"
#include "model/installer-command.h"

#define REGISTRY_DEFAULT "docker.elastic.co"
#define REPOSITORY_DEFAULT "cloud-enterprise"
#define IMAGE_NAME "elastic-cloud-enterprise"

Plan *plan_free(Plan *plan) {
        free(plan);
        return NULL;
}

/* Compares the decimal numbers at both cursors, of any length, and moves behind them. */
static int compare_number(const char **a, const char **b) {
        size_t n_a, n_b;
        int order;

        *a += strspn(*a, "0");
        *b += strspn(*b, "0");
        n_a = strspn(*a, "0123456789");
        n_b = strspn(*b, "0123456789");
        order = n_a == n_b ? strncmp(*a, *b, n_a) : (n_a < n_b ? -1 : 1);
        *a += n_a;
        *b += n_b;
        return order;
}

int version_compare_major_minor(const char *a, const char *b) {
        int order = compare_number(&a, &b);

        if (order != 0)
                return order;
        a += *a == '.';
        b += *b == '.';
        return compare_number(&a, &b);
}

static Observation refuse_value(const char *where, const char *why) {
        return observe(ORIGIN_PLAN, 0, "value-refused", where, "%s: the value %s", where, why);
}

/* Copies a value that passes and fits. An over-long one is refused, never cut: a cut id is
 * another id. */
static Observation take_value(const char *where, ValueKind kind, const char *value, char *dst,
                              size_t dst_size) {
        char why[ALLOW_LIST_WHY_SIZE];

        if (allow_list_check(kind, value, why) < 0)
                return refuse_value(where, why);
        if (strlen(value) >= dst_size)
                return refuse_value(where, "is too long");
        (void) memcpy(dst, value, strlen(value) + 1);
        return OBSERVATION_NONE;
}

/* Does the script know how to install this version? The installer itself says no only after the
 * token was minted. */
static Observation check_script_age(const char *script_version, const char *version) {
        if (version_compare_major_minor(script_version, version) >= 0)
                return OBSERVATION_NONE;
        return observe(ORIGIN_PLAN, 0, "script-too-old", NULL,
                       "the script installs ECE %s, the installation to join is %s", script_version,
                       version);
}

static Observation resolve_version(const Spec *spec, const HostFacts *host,
                                   const PlatformFacts *platform, Plan *plan) {
        const char *asked = spec->installer.version;
        const char *found = platform && platform->version[0] != '\0' ? platform->version : NULL;
        Observation o;

        /* Who may not ask the platform takes what the script installs by itself. */
        if (!found && !asked && spec->credential.kind == CREDENTIAL_NONE)
                asked = host->script_version;
        if (!found && !asked)
                return OBSERVATION_NONE;
        o = take_value(found ? "platform version" : "installer.version", VALUE_VERSION,
                       found ? found : asked, plan->version, sizeof(plan->version));
        if (!observation_is_none(&o))
                return o;
        if (found && asked && !streq(found, asked))
                return observe(ORIGIN_PLAN, 0, "version-mismatch", "installer.version",
                               "the spec asks for ECE %s, the installation to join is %s", asked,
                               found);
        return check_script_age(host->script_version, plan->version);
}

static Observation resolve_address(const Spec *spec, const HostFacts *host, Plan *plan) {
        const char *address = spec->host.host_ip ? spec->host.host_ip : host->default_address;

        if (address[0] == '\0')
                return observe(
                        ORIGIN_HOST, 0, "address", NULL,
                        "there is no default route to take an address from, and no host.host_ip");
        return take_value("host.host_ip", VALUE_ADDRESS, address, plan->host_ip,
                          sizeof(plan->host_ip));
}

/* An IPv6 address makes no runner id: its colons would go into a directory's name and a URL. */
static Observation resolve_runner_id(const Spec *spec, Plan *plan) {
        const char *id = spec->host.runner_id ? spec->host.runner_id : plan->host_ip;

        if (!spec->host.runner_id && strchr(id, ':'))
                return refuse_value("host.runner_id",
                                    "'auto' takes the host's address, and an IPv6 address is no "
                                    "runner id; name one");
        return take_value("host.runner_id", VALUE_RUNNER_ID, id, plan->runner_id,
                          sizeof(plan->runner_id));
}

Observation plan_name_runner(const Spec *spec, const HostFacts *host, Plan *ret) {
        Observation o = resolve_address(spec, host, ret);

        return observation_is_none(&o) ? resolve_runner_id(spec, ret) : o;
}

static Observation resolve_image(const Spec *spec, Plan *plan) {
        const char *registry = spec->installer.docker_registry;
        const char *repository = spec->installer.ece_docker_repository;
        int n;

        if (plan->version[0] == '\0')
                return OBSERVATION_NONE;
        n = snprintf(plan->image, sizeof(plan->image), "%s/%s/" IMAGE_NAME ":%s",
                     registry ? registry : REGISTRY_DEFAULT,
                     repository ? repository : REPOSITORY_DEFAULT, plan->version);
        if (n < 0 || (size_t) n >= sizeof(plan->image))
                return refuse_value("installer.docker_registry", "makes the image's name too long");
        return OBSERVATION_NONE;
}

static Observation check_host(const Spec *spec, const HostFacts *host) {
        Observation (*const checks[])(const Spec *, const HostFacts *) = {
                host_check_user,
                host_check_script,
                host_check_script_sha256,
                host_check_script_version,
        };

        for (size_t i = 0; i < ELEMENTS(checks); i++) {
                Observation o = checks[i](spec, host);

                if (!observation_is_none(&o))
                        return o;
        }
        return OBSERVATION_NONE;
}

static Observation resolve(const Spec *spec, const HostFacts *host, const PlatformFacts *platform,
                           Plan *plan) {
        Observation o = check_host(spec, host);

        if (observation_is_none(&o))
                o = resolve_version(spec, host, platform, plan);
        if (observation_is_none(&o))
                o = plan_name_runner(spec, host, plan);
        if (observation_is_none(&o))
                o = resolve_image(spec, plan);
        return o;
}

static void take_user(const HostFacts *host, Plan *plan) {
        _Static_assert(sizeof(plan->user_name) == sizeof(host->user_name),
                       "a user's name is copied whole");
        _Static_assert(sizeof(plan->home) == sizeof(host->home), "a home is copied whole");

        (void) memcpy(plan->user_name, host->user_name, sizeof(plan->user_name));
        (void) memcpy(plan->home, host->home, sizeof(plan->home));
        plan->uid = host->uid;
        plan->gid = host->gid;
}

int plan_resolve(const Spec *spec, const HostFacts *host, const PlatformFacts *platform, Plan **ret,
                 Observation *refusal) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        Observation against;
        int r;

        plan = calloc(1, sizeof(*plan));
        if (!plan)
                return -ENOMEM;
        plan->spec = spec;
        plan->roles = spec->host.roles;
        take_user(host, plan);

        against = resolve(spec, host, platform, plan);
        if (observation_is_none(&against)) {
                r = installer_command_check(plan, &against);
                if (r < 0 && r != -EINVAL)
                        return r;
        }
        *refusal = against;
        *ret = observation_is_none(&against) ? TAKE_PTR(plan) : NULL;
        return 0;
}
