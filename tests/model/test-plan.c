/* SPDX-License-Identifier: Apache-2.0 */

/* The Plan: what "auto" becomes, what is refused and by which code, what this release admits not
 * to do. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/plan.h"
#include "plan-fixture.h"

static const PlatformFacts platform_403 = { .version = "4.0.3" };

static Plan *resolve(const Spec *spec, const HostFacts *host, const PlatformFacts *platform,
                     Observation *refusal) {
        Plan *plan = NULL;

        *refusal = observe(ORIGIN_AGENT, 0, "untouched", NULL, NULL);
        assert_int_equal(plan_resolve(spec, host, platform, &plan, refusal), 0);
        assert_int_equal(plan != NULL, observation_is_none(refusal));
        return plan;
}

static void test_resolves_what_is_auto(void **state) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        const Spec spec = fixture_spec();
        const HostFacts host = fixture_host();
        Observation refusal;

        plan = resolve(&spec, &host, &platform_403, &refusal);
        assert_non_null(plan);
        assert_ptr_equal(plan->spec, &spec);
        assert_string_equal(plan->host_ip, "192.0.2.7");
        assert_string_equal(plan->runner_id, "192.0.2.7");
        assert_string_equal(plan->version, "4.0.3");
        assert_int_equal(plan->roles, spec.host.roles);
        assert_string_equal(plan->user_name, "elastic");
        assert_string_equal(plan->home, "/home/elastic");
        assert_int_equal(plan->uid, 1234);
        assert_int_equal(plan->gid, 1234);
        assert_string_equal(plan->image,
                            "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3");
}

static void test_keeps_what_is_named(void **state) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        Spec spec = fixture_spec();
        const HostFacts host = fixture_host();
        Observation refusal;

        spec.host.host_ip = lend("198.51.100.4");
        spec.host.runner_id = lend("rack-7");
        spec.installer.version = lend("4.0.3");
        spec.installer.docker_registry = lend("registry.example.com:5000");
        spec.installer.ece_docker_repository = lend("mirror/ece");
        plan = resolve(&spec, &host, &platform_403, &refusal);
        assert_non_null(plan);
        assert_string_equal(plan->host_ip, "198.51.100.4");
        assert_string_equal(plan->runner_id, "rack-7");
        assert_string_equal(plan->image,
                            "registry.example.com:5000/mirror/ece/elastic-cloud-enterprise:4.0.3");
}

/* --- Versions ---------------------------------------------------------------------------------- */

static const struct {
        const char *script, *spec, *platform; /* "" and NULL: not known */
        const char *version;                  /* of the Plan, or NULL */
        const char *refused;
        const char *says[2]; /* both in the refusal's detail */
} versions[] = {
        { "4.0.3", NULL, NULL, "", NULL, { NULL } },
        { "4.0.3", NULL, "", "", NULL, { NULL } },
        { "4.0.3", "4.0.3", NULL, "4.0.3", NULL, { NULL } },
        { "4.0.3", NULL, "4.0.9", "4.0.9", NULL, { NULL } }, /* a patch does not count */
        { "4.0.3", NULL, "3.8.0", "3.8.0", NULL, { NULL } }, /* a newer script is fine */
        { "4.0.3-SNAPSHOT", NULL, "4.0.3", "4.0.3", NULL, { NULL } },
        { "3.10.0", NULL, "3.9.0", "3.9.0", NULL, { NULL } }, /* numbers, not text */
        { "3.9.0", NULL, "3.10.0", NULL, "script-too-old", { "3.9.0", "3.10.0" } },
        { "4.0.3", NULL, "4.1.0", NULL, "script-too-old", { "4.0.3", "4.1.0" } },
        { "4.9.9", NULL, "5.0.0", NULL, "script-too-old", { "4.9.9", "5.0.0" } },
        { "4.0.3", "4.1.0", NULL, NULL, "script-too-old", { "4.0.3", "4.1.0" } },
        { "4.0.3", "4.0.3", "4.0.2", NULL, "version-mismatch", { "4.0.3", "4.0.2" } },
        { "4.0.3", "4.0.3", "4.0.3-SNAPSHOT", NULL, "version-mismatch", { "4.0.3", "4.0.3-SNAPSHOT" } },
        { "", NULL, "4.0.3", NULL, "script-version-unknown", { "CLOUD_ENTERPRISE_VERSION" } },
        { "", NULL, NULL, NULL, "script-version-unknown", { NULL } },
        { "4.0.3", NULL, "4.0.3[$(id)]", NULL, "value-refused", { "platform version" } },
        { "4.0.3", NULL, "4.0", NULL, "value-refused", { NULL } },
        { "4.0.3", "latest", NULL, NULL, "value-refused", { "installer.version" } },
};

static void test_versions(void **state) {
        for (size_t i = 0; i < ELEMENTS(versions); i++) {
                _cleanup_(plan_freep) Plan *plan = NULL;
                Spec spec = fixture_spec();
                HostFacts host = fixture_host();
                PlatformFacts platform = { "" };
                Observation refusal;

                print_message("# %zu\n", i);
                (void) snprintf(host.script_version, sizeof(host.script_version), "%s", versions[i].script);
                spec.installer.version = lend(versions[i].spec);
                if (versions[i].platform)
                        (void) snprintf(platform.version, sizeof(platform.version), "%s", versions[i].platform);
                plan = resolve(&spec, &host, versions[i].platform ? &platform : NULL, &refusal);
                if (versions[i].version) {
                        assert_non_null(plan);
                        assert_string_equal(plan->version, versions[i].version);
                        assert_int_equal(plan->image[0] == '\0', versions[i].version[0] == '\0');
                        continue;
                }
                assert_null(plan);
                assert_int_equal(refusal.origin, ORIGIN_PLAN);
                assert_string_equal(refusal.code, versions[i].refused);
                for (size_t k = 0; k < 2 && versions[i].says[k]; k++)
                        assert_non_null(strstr(refusal.detail, versions[i].says[k]));
        }
}

static const struct {
        const char *a, *b;
        int order;
} pairs[] = {
        { "4.0.3", "4.0.3", 0 },   { "4.0.3", "4.0.99", 0 },  { "4.0.3", "4.1.0", -1 }, { "4.2.0", "4.1.9", 1 },
        { "4.10.0", "4.9.0", 1 },  { "10.0.0", "9.9.9", 1 },  { "04.00.3", "4.0.1", 0 }, { "4.0.3-a", "4.0.3", 0 },
        { "3.99.0", "4.0.0", -1 }, { "4.100000000000000000000.0", "4.99999999999999999999.0", 1 },
};

static void test_version_order(void **state) {
        for (size_t i = 0; i < ELEMENTS(pairs); i++) {
                int there = version_compare_major_minor(pairs[i].a, pairs[i].b);
                int back = version_compare_major_minor(pairs[i].b, pairs[i].a);

                print_message("# %s %s\n", pairs[i].a, pairs[i].b);
                assert_int_equal((there > 0) - (there < 0), pairs[i].order);
                assert_int_equal((back > 0) - (back < 0), -pairs[i].order);
        }
}

/* --- Host -------------------------------------------------------------------------------------- */

static void break_user(Spec *spec, HostFacts *host) { host->user_known = false; }
static void break_uid(Spec *spec, HostFacts *host) { host->uid = 999; }
static void break_gid(Spec *spec, HostFacts *host) { host->gid = 999; }
static void break_root(Spec *spec, HostFacts *host) { host->uid = host->gid = 0; }
static void break_script(Spec *spec, HostFacts *host) { host->script_sha256[0] = '\0'; }
static void break_address(Spec *spec, HostFacts *host) { host->default_address[0] = '\0'; }
static void break_sha256(Spec *spec, HostFacts *host) {
        spec->installer.sha256 =
                lend("ffff456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
}

static const struct {
        void (*break_it)(Spec *spec, HostFacts *host);
        const char *code;
        const char *says;
} breakages[] = {
        { break_user, "user-missing", "no user 'elastic'" },
        { break_uid, "user", "ECE refuses a uid below 1000" },
        { break_gid, "user", "ECE refuses a gid below 1000" },
        { break_root, "user", "uid 0" },
        { break_script, "script", "not readable" },
        { break_sha256, "script-sha256", "ffff4567" },
        { break_address, "address", "no default route" },
};

/* Who may not ask the platform installs what the script installs by itself. */
static void test_version_without_a_credential(void **state) {
        _cleanup_(plan_freep) Plan *own = NULL, *named = NULL, *told = NULL;
        Spec spec = fixture_spec();
        const HostFacts host = fixture_host();
        Observation refusal;

        spec.credential.kind = CREDENTIAL_NONE;
        own = resolve(&spec, &host, NULL, &refusal);
        assert_non_null(own);
        assert_string_equal(own->version, host.script_version);
        assert_true(own->image[0] != '\0');
        told = resolve(&spec, &host, &platform_403, &refusal);
        assert_string_equal(told->version, platform_403.version);
        spec.installer.version = lend("3.8.0");
        named = resolve(&spec, &host, NULL, &refusal);
        assert_string_equal(named->version, "3.8.0");
}

static void test_host_breakages(void **state) {
        for (size_t i = 0; i < ELEMENTS(breakages); i++) {
                Spec spec = fixture_spec();
                HostFacts host = fixture_host();
                Observation refusal;

                print_message("# %s: %s\n", breakages[i].code, breakages[i].says);
                breakages[i].break_it(&spec, &host);
                assert_null(resolve(&spec, &host, &platform_403, &refusal));
                assert_int_equal(refusal.origin, ORIGIN_HOST);
                assert_string_equal(refusal.code, breakages[i].code);
                assert_non_null(strstr(refusal.detail, breakages[i].says));
        }
}

static void test_what_breaks_nothing(void **state) {
        _cleanup_(plan_freep) Plan *edge = NULL, *named = NULL;
        Spec spec = fixture_spec();
        HostFacts host = fixture_host();
        Observation refusal;

        host.uid = host.gid = 1000;
        spec.installer.sha256 = lend(FIXTURE_SHA256);
        edge = resolve(&spec, &host, &platform_403, &refusal);
        assert_non_null(edge);

        /* Without a default route a named address is enough. */
        host.default_address[0] = '\0';
        spec.host.host_ip = lend("192.0.2.9");
        named = resolve(&spec, &host, &platform_403, &refusal);
        assert_non_null(named);
        assert_string_equal(named->runner_id, "192.0.2.9");
}

static void test_ipv6_needs_a_runner_id(void **state) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        Spec spec = fixture_spec();
        const HostFacts host = fixture_host();
        Observation refusal;

        spec.host.host_ip = lend("2001:db8::7");
        assert_null(resolve(&spec, &host, &platform_403, &refusal));
        assert_string_equal(refusal.code, "value-refused");
        assert_string_equal(refusal.where, "host.runner_id");
        spec.host.runner_id = lend("rack-7");
        plan = resolve(&spec, &host, &platform_403, &refusal);
        assert_non_null(plan);
        assert_string_equal(plan->host_ip, "2001:db8::7");
}

/* A value that the installer would evaluate is found while planning, not while installing;
 * version known or not. */
static void test_refuses_values(void **state) {
        const PlatformFacts *platforms[] = { NULL, &platform_403 };

        for (size_t i = 0; i < ELEMENTS(platforms); i++) {
                Spec spec = fixture_spec();
                const HostFacts host = fixture_host();
                Observation refusal;

                spec.host.availability_zone = lend("ece-zone-1';id;'");
                assert_null(resolve(&spec, &host, platforms[i], &refusal));
                assert_int_equal(refusal.origin, ORIGIN_PLAN);
                assert_string_equal(refusal.code, "value-refused");
                assert_string_equal(refusal.where, "--availability-zone");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_resolves_what_is_auto),
                cmocka_unit_test(test_keeps_what_is_named),
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_version_order),
                cmocka_unit_test(test_version_without_a_credential),
                cmocka_unit_test(test_host_breakages),
                cmocka_unit_test(test_what_breaks_nothing),
                cmocka_unit_test(test_ipv6_needs_a_runner_id),
                cmocka_unit_test(test_refuses_values),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
