/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory that runs out while a spec is read, merged and resolved to a plan. The answer is -ENOMEM or the same as always;
 * nothing leaks, and nothing is half made.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "../model/plan-fixture.h"
#include "base/cleanup.h"
#include "model/spec.h"
#include "scarce-memory.h"

static const char good[] =
        "version: 1\n"
        "coordinators: [https://192.0.2.10, https://b.example]\n"
        "trust: {ca_file: /ca.pem, pins: "
        "[\"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"]}\n"
        "credential: {basic: {user: a, password: {from: command, argv: [/bin/p, x]}}}\n"
        "token: {source: file, path: /t}\n"
        "host: {roles: [allocator, director], runner_id: r, host_ip: 192.0.2.1, availability_zone: "
        "z,\n"
        "  memory_settings: {runner: {xms: 1G, xmx: 2G}}, allocator_tags: {a: b}, "
        "external_hostnames: [a.b]}\n"
        "installer: {script: /s, sha256: "
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855,\n"
        "  version: 4.0.3, docker_registry: r, ece_docker_repository: a/b, timeout_factor: 2, "
        "extra_args: [--a, b]}\n"
        "report: {metrics_textfile: /m, webhook: {url: \"https://w/\", hmac_key: {from: env, name: "
        "H}}}\n";

static const char bad[] =
        "version: 2\n"
        "coordinators: [http://a, \"https://a:1\", \"https://A:1\"]\n"
        "coordinators: []\n"
        "credential: &x {api_key: *x}\n"
        "host: {role: [], memory_settings: {proxy: 1}, allocator_tags: {a: \"b c\"}}\n"
        "installer: !!map {script: !!str a, extra_args: [--help]}\n";

static void torture(ScarceWork work, const void *subject, int expected) {
        size_t allocations = scarce_torture(work, subject, expected);

        printf("# %zu allocations\n", allocations);
        assert_true(allocations > 0);
}

static int parse(const void *subject) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;
        const char *text = subject;

        int r = spec_parse("s", text, strlen(text), &problems, &spec);
        assert_true((spec != NULL) == (r == 0));
        return r;
}

static void test_good_spec(void **state) {
        torture(parse, good, 0);
}

static void test_bad_spec(void **state) {
        torture(parse, bad, -EINVAL);
}

/* --- From files --------------------------------------------------------------------------------------------------- */

static void put(const Scratch *scratch, const char *name, const char *text) {
        FILE *f = fopen(scratch_path(scratch, name), "we");

        assert_non_null(f);
        assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
        assert_int_equal(fclose(f), 0);
}

static int load(const void *subject) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;

        int r = spec_load(scratch_path(subject, "e.yaml"), &problems, &spec);
        assert_true((spec != NULL) == (r == 0));
        return r;
}

static void test_drop_ins(void **state) {
        Scratch *scratch = *state;

        put(scratch, "e.yaml", good);
        assert_return_code(mkdir(scratch_path(scratch, "e.yaml.d"), 0755), errno);
        put(scratch, "e.yaml.d/10-zone.yaml", "host: {availability_zone: b, allocator_tags: {c: d}}\n");
        put(scratch, "e.yaml.d/20-more.yaml", "retry: {windows: 5}\nhost: {roles: [proxy]}\n");
        torture(load, scratch, 0);

        put(scratch, "e.yaml.d/30-wrong.yaml", "host: {roles: [none]}\n");
        torture(load, scratch, -EINVAL);
}

/* --- The plan ----------------------------------------------------------------------------------------------------- */

/* 0 as well when it is refused: then there is no plan, and a reason. */
static int resolve(const void *subject) {
        static const PlatformFacts platform = { .version = "4.0.3" };
        _cleanup_(plan_freep) Plan *plan = NULL;
        Observation refusal = OBSERVATION_NONE;
        HostFacts host = fixture_host();

        int r = plan_resolve(subject, &host, &platform, &plan, &refusal);
        assert_true(r < 0 ? !plan : (plan != NULL) == observation_is_none(&refusal));
        return r;
}

static void test_plan(void **state) {
        Spec spec = fixture_spec();

        torture(resolve, &spec, 0);
}

int main(void) {
        if (!scarce_memory_or_skip())
                return 0;
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good_spec),
                cmocka_unit_test(test_bad_spec),
                cmocka_unit_test_setup_teardown(test_drop_ins, scratch_setup, scratch_teardown),
                cmocka_unit_test(test_plan),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, scarce_memory_setup, NULL);
}
