/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The installer's command: what it says for a given Plan, and that no hostile value gets into it by
 * any field. The values are put into Plan and Spec directly, past the spec's decoder, since this is
 * the last check before the shell.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/allow-list.h"
#include "model/installer-command.h"
#include "plan-fixture.h"

#define COMMAND __attribute__((cleanup(installer_command_done))) InstallerCommand

/* A Plan with its Spec and the request around it, each field free to be broken. */
typedef struct Bench {
        Spec spec;
        Plan plan;
        InstallerCommandRequest request;
        char *list[70];  /* for string lists */
        char *extra[4];  /* environment */
} Bench;

static void bench_init(Bench *b) {
        *b = (Bench) { .spec = fixture_spec() };
        b->plan = fixture_plan(&b->spec);
        b->request = (InstallerCommandRequest) {
                .plan = &b->plan,
                .coordinator_host = "192.0.2.1",
                .token = TOKEN_PLACEHOLDER,
                .path = "/usr/bin:/bin",
        };
}

static void assert_words(char *const *got, const char *const *wanted) {
        size_t i;

        for (i = 0; wanted[i]; i++) {
                assert_non_null(got[i]);
                assert_string_equal(got[i], wanted[i]);
        }
        assert_null(got[i]);
}

static void test_smallest_command(void **state) {
        static const char *const argv[] = {
                "/opt/ece/elastic-cloud-enterprise.sh", "install",
                "--coordinator-host", "192.0.2.1",
                "--roles-token", TOKEN_PLACEHOLDER,
                "--roles", "allocator,proxy",
                "--runner-id", "192.0.2.7",
                "--host-ip", "192.0.2.7",
                "--cloud-enterprise-version", "4.0.3",
                "--host-storage-path", "/mnt/data/elastic",
                "--host-docker-host", "/var/run/docker.sock", NULL,
        };
        static const char *const envp[] = {
                "PATH=/usr/bin:/bin",
                "HOME=/home/elastic",
                "USER=elastic",
                "LOGNAME=elastic",
                "LC_ALL=C",
                "DOCKER_HOST=unix:///var/run/docker.sock",
                NULL,
        };
        COMMAND command = { 0 };
        Observation refusal = OBSERVATION_NONE;
        Bench b;

        bench_init(&b);
        assert_int_equal(installer_command_build(&b.request, &command, &refusal), 0);
        assert_words(command.argv, argv);
        assert_words(command.envp, envp);
}

static void fill(Bench *b) {
        b->spec.host.availability_zone = lend("ece-zone-1b");
        b->spec.host.capacity_mb = 65536;
        b->spec.host.memory_settings = lend("{\"runner\":{\"xms\":\"1G\",\"xmx\":\"1G\"}}");
        b->spec.host.allocator_tags = lend("disk:ssd,rack:r7");
        b->list[0] = lend("a.example.com");
        b->list[1] = lend("b.example.com");
        b->spec.host.external_hostnames = b->list;
        b->spec.installer.docker_registry = lend("registry.example.com:5000");
        b->spec.installer.ece_docker_repository = lend("mirror/ece");
        b->spec.installer.timeout_factor = lend("2.5");
        b->spec.installer.force = true;
        b->spec.installer.engine = ENGINE_PODMAN;
        b->spec.installer.selinux = true;
        b->list[10] = lend("--debug");
        b->list[11] = lend("--proxy-tags");
        b->list[12] = lend("lan:10g");
        b->spec.installer.extra_args = b->list + 10;
        b->extra[0] = lend("ECE_ENROLL_TOKEN_FD=200");
        b->extra[1] = lend("HTTPS_PROXY=http://proxy.example.com:3128");
        b->request.extra_env = b->extra;
}

static const char *const whole_argv[] = {
        "/opt/ece/elastic-cloud-enterprise.sh", "install",
        "--coordinator-host", "192.0.2.1",
        "--roles-token", TOKEN_PLACEHOLDER,
        "--roles", "allocator,proxy",
        "--runner-id", "192.0.2.7",
        "--host-ip", "192.0.2.7",
        "--cloud-enterprise-version", "4.0.3",
        "--availability-zone", "ece-zone-1b",
        "--host-storage-path", "/mnt/data/elastic",
        "--host-docker-host", "/var/run/docker.sock",
        "--capacity", "65536",
        "--memory-settings", "{\"runner\":{\"xms\":\"1G\",\"xmx\":\"1G\"}}",
        "--docker-registry", "registry.example.com:5000",
        "--ece-docker-repository", "mirror/ece",
        "--allocator-tags", "disk:ssd,rack:r7",
        "--external-hostname", "a.example.com,b.example.com",
        "--timeout-factor", "2.5",
        "--force", "--podman", "--selinux",
        "--debug", "--proxy-tags", "lan:10g", NULL,
};

static void test_whole_command(void **state) {
        COMMAND command = { 0 };
        Observation refusal = OBSERVATION_NONE;
        Bench b;

        bench_init(&b);
        fill(&b);
        assert_int_equal(installer_command_build(&b.request, &command, &refusal), 0);
        assert_words(command.argv, whole_argv);
        assert_string_equal(command.envp[6], "ECE_ENROLL_TOKEN_FD=200");
        assert_string_equal(command.envp[7], "HTTPS_PROXY=http://proxy.example.com:3128");
        assert_null(command.envp[8]);
}

static bool has_word(char *const *words, const char *word) {
        for (; *words; words++)
                if (streq(*words, word))
                        return true;
        return false;
}

static void test_no_role_is_no_option(void **state) {
        COMMAND command = { 0 };
        Observation refusal = OBSERVATION_NONE;
        Bench b;

        bench_init(&b);
        b.plan.roles = 0;
        assert_int_equal(installer_command_build(&b.request, &command, &refusal), 0);
        assert_false(has_word(command.argv, "--roles"));
        assert_true(has_word(command.argv, "--roles-token"));
}

static void test_handoff_argv_carries_the_token(void **state) {
        COMMAND command = { 0 };
        Observation refusal = OBSERVATION_NONE;
        Bench b;

        bench_init(&b);
        b.request.token = FIXTURE_TOKEN;
        assert_int_equal(installer_command_build(&b.request, &command, &refusal), 0);
        assert_true(has_word(command.argv, FIXTURE_TOKEN));
        assert_false(has_word(command.argv, TOKEN_PLACEHOLDER));
}

static const struct {
        const char *factor;
        bool passed;
} factors[] = {
        { NULL, false },   { "1", false },   { "1.0", false }, { "1.000", false }, { "01.0", false },
        { "1.01", true },  { "0.1", true },  { "10", true },   { "11", true },     { "2.5", true },
        { "100", true },
};

static void test_timeout_factor(void **state) {
        for (size_t i = 0; i < ELEMENTS(factors); i++) {
                COMMAND command = { 0 };
                Observation refusal = OBSERVATION_NONE;
                Bench b;

                print_message("# %s\n", factors[i].factor ? factors[i].factor : "none");
                bench_init(&b);
                b.spec.installer.timeout_factor = lend(factors[i].factor);
                assert_int_equal(installer_command_build(&b.request, &command, &refusal), 0);
                assert_int_equal(has_word(command.argv, "--timeout-factor"), factors[i].passed);
        }
}

/* --- Hostile values ---------------------------------------------------------------------------- */

/* None of these is a value of any kind. */
static const char *const hostile[] = {
        "", " ", "\t", "\n", "a b", " a", "a ", "a\tb", "a\nb", "a\r", "'", "a'b", "';id;'",
        "'$(id)'", "\"", "a\"b", "`id`", "$(id)", "${HOME}", "$HOME", "a;b", "a&b", "a&&b", "a|b",
        "a>b", "a<b", "*", "?", "[a]", "a[$(id)]", "{a,b}", "~", "~root", "!x", "#x", "a\\b",
        "a%b", "a^b", "(a)", "-", "-x", "--", "--help", "--coordinator-host", "a\001b", "a\033[m",
        "a\177", "a\303\244", "\377\376", "a\240b",
};
_Static_assert(ELEMENTS(hostile) >= 40, "a broad choice");

static void set_coordinator(Bench *b, const char *v) { b->request.coordinator_host = v; }
static void set_token(Bench *b, const char *v) { b->request.token = v; }
static void set_path(Bench *b, const char *v) { b->request.path = v; }
static void set_script(Bench *b, const char *v) { b->spec.installer.script = lend(v); }
static void set_zone(Bench *b, const char *v) { b->spec.host.availability_zone = lend(v); }
static void set_storage(Bench *b, const char *v) { b->spec.installer.storage_path = lend(v); }
static void set_socket(Bench *b, const char *v) { b->spec.installer.engine_socket = lend(v); }
static void set_memory(Bench *b, const char *v) { b->spec.host.memory_settings = lend(v); }
static void set_registry(Bench *b, const char *v) { b->spec.installer.docker_registry = lend(v); }
static void set_repository(Bench *b, const char *v) { b->spec.installer.ece_docker_repository = lend(v); }
static void set_tags(Bench *b, const char *v) { b->spec.host.allocator_tags = lend(v); }
static void set_factor(Bench *b, const char *v) { b->spec.installer.timeout_factor = lend(v); }
static void set_runner_id(Bench *b, const char *v) { (void) snprintf(b->plan.runner_id, sizeof(b->plan.runner_id), "%s", v); }
static void set_host_ip(Bench *b, const char *v) { (void) snprintf(b->plan.host_ip, sizeof(b->plan.host_ip), "%s", v); }
static void set_version(Bench *b, const char *v) { (void) snprintf(b->plan.version, sizeof(b->plan.version), "%s", v); }
static void set_user(Bench *b, const char *v) { (void) snprintf(b->plan.user_name, sizeof(b->plan.user_name), "%s", v); }
static void set_home(Bench *b, const char *v) { (void) snprintf(b->plan.home, sizeof(b->plan.home), "%s", v); }

static void set_hostname(Bench *b, const char *v) {
        b->list[0] = lend("a.example.com");
        b->list[1] = lend(v);
        b->spec.host.external_hostnames = b->list;
}

static void set_extra_first(Bench *b, const char *v) {
        b->list[0] = lend(v);
        b->spec.installer.extra_args = b->list;
}

static void set_extra_value(Bench *b, const char *v) {
        b->list[0] = lend("--proxy-tags");
        b->list[1] = lend(v);
        b->spec.installer.extra_args = b->list;
}

static void set_environment(Bench *b, const char *v) {
        b->extra[0] = lend(v);
        b->request.extra_env = b->extra;
}

typedef struct Field {
        const char *where;
        void (*set)(Bench *b, const char *value);
        const char *also[10]; /* refused in this field, whatever they are elsewhere */
} Field;

static const Field fields[] = {
        { "--coordinator-host", set_coordinator,
          { NULL, "a:b:c", "http://a", "a/b", "a..b", "256.1.1.1", "a@b", "1" } },
        { "--roles-token", set_token, { NULL, "a", "a.b", "a.b.", "a.b.c.d", "a.b.c=", "a+b.c.d" } },
        { "PATH", set_path, { "usr/bin", "/usr/bin:", ":/usr/bin", "/usr/bin::/bin", "/usr/bin:.", "/a/../b", "/a/" } },
        { "installer.script", set_script, { NULL, "a.sh", "/a//b", "/a/../b", "/a/", "/a:b", "/a=b" } },
        { "--availability-zone", set_zone, { ".", "..", "a/b", "a:b", "a,b", "a=b" } },
        { "--host-storage-path", set_storage, { NULL, "mnt", "/", "/a/", "/../b", "/a,b" } },
        { "--host-docker-host", set_socket, { NULL, "unix:///a", "tcp://a", "/a/..", "/a:b" } },
        { "--memory-settings", set_memory,
          { "{", "{}}", "{\"runner\": {}}", "{\"runner\":{\"xms\":\"1 G\"}}", "{\"runner\":{\"xms\":\"$(id)\"}}", "[]",
            "null", "1" } },
        { "--docker-registry", set_registry, { "a/b", "a:0", "a:65536", "a:b", "https://a", "a,b", ":5000" } },
        { "--ece-docker-repository", set_repository, { "a//b", "/a", "a/", "A", "a:b", "../a", "a/../b" } },
        { "--allocator-tags", set_tags, { "a", "a:", ":b", "a:b,", "a:b:c", "a:b,,c:d", "a=b" } },
        { "--timeout-factor", set_factor, { "0", "0.0", "101", "1e3", "nan", "1.", ".5", "2,5", "1.0.0", "+2" } },
        { "--runner-id", set_runner_id, { ".", "..", "a/b", "a:b", "a,b", "a@b" } },
        { "--host-ip", set_host_ip,
          { "0.0.0.0", "127.0.0.1", "224.0.0.1", "192.0.2.007", "192.0.2", "::1", "a", "192.0.2.1/24", "2001:DB8::1" } },
        { "--cloud-enterprise-version", set_version, { "4", "4.0", "4.0.x", "4.0.3-", "v4.0.3", "4.0.3+1", "latest" } },
        { "USER", set_user, { NULL } },
        { "HOME", set_home, { "home", "/", "/home/", "/a/../b" } },
        { "--external-hostname", set_hostname, { "a..b", "-a", "a_b", "a,", "a:b", "https://a" } },
        { "extra_args", set_extra_first,
          { "install", "help", "a", "--Debug", "---x", "--a=b", "--roles", "--roles-token", "--podman", "--force" } },
        { "extra_args", set_extra_value, { "help", "--runner-id", "--capacity", "--timeout-factor" } },
        { "environment", set_environment,
          { "A", "COORDINATOR_HOST=a", "CONFIG_FILE=", "PATH=/evil", "BASH_ENV=/a", "DOCKER_ADDITIONAL_ARGUMENTS=--privileged",
            "ece_enroll_x=1", "ECE_ENROLL_X Y=1", "=x", "CLOUD_FEATURE=1" } },
};

static void assert_refused(const Field *field, const char *value) {
        COMMAND command = { 0 };
        Observation refusal = OBSERVATION_NONE;
        Bench b;

        bench_init(&b);
        field->set(&b, value);
        assert_int_equal(installer_command_build(&b.request, &command, &refusal), -EINVAL);
        assert_null(command.argv);
        assert_null(command.envp);
        assert_int_equal(refusal.origin, ORIGIN_PLAN);
        assert_string_equal(refusal.code, "value-refused");
        assert_true(refusal.where[0] != '\0');
        if (field->set != set_environment)
                assert_string_equal(refusal.where, field->where);
}

static void test_hostile_values_are_refused_everywhere(void **state) {
        for (size_t f = 0; f < ELEMENTS(fields); f++)
                for (size_t h = 0; h < ELEMENTS(hostile); h++) {
                        print_message("# %s %zu\n", fields[f].where, h);
                        assert_refused(&fields[f], hostile[h]);
                }
}

static void test_wrong_forms_are_refused(void **state) {
        for (size_t f = 0; f < ELEMENTS(fields); f++)
                for (size_t i = 0; i < ELEMENTS(fields[f].also); i++) {
                        const char *value = fields[f].also[i];

                        /* NULL: "not there", meant only at the head of a list; behind its end it
                         * means nothing. */
                        if (!value && (i > 0 || fields[f].set == set_user))
                                continue;
                        print_message("# %s %s\n", fields[f].where, value ? value : "(null)");
                        assert_refused(&fields[f], value);
                }
}

/* A value of a variable for the shim is no argument, but lands in a shell's environment. */
static void test_hostile_environment_values(void **state) {
        static const char *const quoting[] = { "'",    "\"",   "`id`", "$(id)",
                                               "a\\b", "a\nb", "\001", "\377" };
        const Field field = { "ECE_ENROLL_X", set_environment, { NULL } };

        for (size_t i = 0; i < ELEMENTS(quoting); i++) {
                char pair[64];

                (void) snprintf(pair, sizeof(pair), "ECE_ENROLL_X=%s", quoting[i]);
                assert_refused(&field, pair);
        }
}

static void test_lengths_are_bounded(void **state) {
        static char longest[5000];

        (void) memset(longest, 'a', sizeof(longest) - 1);
        longest[0] = '/';
        for (size_t f = 0; f < ELEMENTS(fields); f++) {
                if (fields[f].set == set_environment)
                        continue;
                print_message("# %s\n", fields[f].where);
                if (fields[f].set != set_home && fields[f].set != set_user)
                        assert_refused(&fields[f], longest);
                /* An array of the Plan holds no more than fits, and what fits of these may pass. */
                if (fields[f].set != set_user && fields[f].set != set_runner_id)
                        assert_refused(&fields[f], longest + 1);
        }
}

static void test_numbers_are_bounded(void **state) {
        static const uint64_t bad[] = { 1, 8191, 16777217, UINT64_MAX };

        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                COMMAND command = { 0 };
                Observation refusal = OBSERVATION_NONE;
                Bench b;

                bench_init(&b);
                b.spec.host.capacity_mb = bad[i];
                assert_int_equal(installer_command_build(&b.request, &command, &refusal), -EINVAL);
                assert_string_equal(refusal.where, "--capacity");
        }
}

static void test_roles_that_do_not_exist(void **state) {
        COMMAND command = { 0 };
        Observation refusal = OBSERVATION_NONE;
        Bench b;

        bench_init(&b);
        b.plan.roles = 0x10;
        assert_int_equal(installer_command_build(&b.request, &command, &refusal), -EINVAL);
        assert_string_equal(refusal.where, "--roles");
}

/* Every option that the agent may say itself can't be said again by the operator. */
static void test_extra_arguments_repeat_nothing(void **state) {
        for (size_t i = 2; whole_argv[i] && !streq(whole_argv[i], "--debug"); i++)
                if (whole_argv[i][0] == '-') {
                        print_message("# %s\n", whole_argv[i]);
                        assert_refused(&(Field){ "extra_args", set_extra_first, { NULL } },
                                       whole_argv[i]);
                }
}

static void test_too_many_extra_arguments(void **state) {
        static char *many[400];
        COMMAND command = { 0 };
        Observation refusal = OBSERVATION_NONE;
        Bench b;

        for (size_t i = 0; i < ELEMENTS(many) - 1; i++)
                many[i] = lend("--debug");
        bench_init(&b);
        b.spec.installer.extra_args = many;
        assert_int_equal(installer_command_build(&b.request, &command, &refusal), -EINVAL);
        assert_string_equal(refusal.where, "extra_args");
}

/* A refused token is not quoted: the Observation goes into logs. */
static void test_refusal_does_not_quote(void **state) {
        COMMAND command = { 0 };
        Observation refusal = OBSERVATION_NONE;
        Bench b;

        bench_init(&b);
        b.request.token = "topsecret.topsecret.topsecret=";
        assert_int_equal(installer_command_build(&b.request, &command, &refusal), -EINVAL);
        assert_null(strstr(refusal.detail, "topsecret"));
}

static void test_check_knows_no_more_than_the_plan(void **state) {
        Observation refusal = OBSERVATION_NONE;
        Bench b;

        bench_init(&b);
        b.plan.version[0] = '\0';
        assert_int_equal(installer_command_check(&b.plan, &refusal), 0);
        assert_true(observation_is_none(&refusal));
        assert_string_equal(b.plan.version, "");
        b.spec.host.allocator_tags = lend("no tag");
        assert_int_equal(installer_command_check(&b.plan, &refusal), -EINVAL);
        assert_string_equal(refusal.where, "--allocator-tags");
}

static void test_placeholder_has_the_form_of_a_token(void **state) {
        assert_int_equal(allow_list_check(VALUE_TOKEN, TOKEN_PLACEHOLDER, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_smallest_command),
                cmocka_unit_test(test_whole_command),
                cmocka_unit_test(test_no_role_is_no_option),
                cmocka_unit_test(test_handoff_argv_carries_the_token),
                cmocka_unit_test(test_timeout_factor),
                cmocka_unit_test(test_hostile_values_are_refused_everywhere),
                cmocka_unit_test(test_wrong_forms_are_refused),
                cmocka_unit_test(test_hostile_environment_values),
                cmocka_unit_test(test_lengths_are_bounded),
                cmocka_unit_test(test_numbers_are_bounded),
                cmocka_unit_test(test_roles_that_do_not_exist),
                cmocka_unit_test(test_extra_arguments_repeat_nothing),
                cmocka_unit_test(test_too_many_extra_arguments),
                cmocka_unit_test(test_refusal_does_not_quote),
                cmocka_unit_test(test_check_knows_no_more_than_the_plan),
                cmocka_unit_test(test_placeholder_has_the_form_of_a_token),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
