/* SPDX-License-Identifier: Apache-2.0 */

/* What is accepted, field by field: the example of the contract, the shortest spec with its
 * defaults, and the spellings that are made canonical. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../torture/scarce-memory.h"
#include "base/text.h"
#include "model/spec.h"

#define PIN "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEX_UPPER "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"

#define HEAD "version: 1\ncoordinators: [https://192.0.2.10]\n"
#define CREDENTIAL "credential: {api_key: {from: credential, name: k}}\n"
#define HOST "host: {roles: [allocator]}\n"
#define INSTALLER "installer: {script: /opt/ece.sh}\n"
#define MINIMAL HEAD CREDENTIAL HOST INSTALLER

static const char full[] =
        "version: 1\n"
        "coordinators:\n"
        "  - https://192.0.2.10:12443\n"
        "  - https://ECE.example.com\n"
        "trust:\n"
        "  ca_file: /etc/ece-enroll/coordinator-ca.pem\n"
        "  pins: [\"" PIN "\"]\n"
        "credential:\n"
        "  api_key: {from: credential, name: ece-api-key}\n"
        "token:\n"
        "  source: coordinator\n"
        "  validity: 2h\n"
        "  persistent: true\n"
        "host:\n"
        "  roles: [allocator, proxy]\n"
        "  runner_id: host-1\n"
        "  host_ip: 192.0.2.77\n"
        "  availability_zone: ece-zone-1b\n"
        "  capacity: 65536\n"
        "  memory_settings: {runner: {xms: 1G, xmx: 2G}, allocator: {xmx: 4G, xms: 512M}}\n"
        "  allocator_tags: {disk: ssd, rack: 7, fast: true}\n"
        "  external_hostnames: [host.example.com, Other.example.com]\n"
        "installer:\n"
        "  script: /opt/ece/elastic-cloud-enterprise.sh\n"
        "  sha256: " HEX_UPPER "\n"
        "  version: 4.0.3\n"
        "  user: ece\n"
        "  storage_path: /data/elastic\n"
        "  engine: podman\n"
        "  engine_socket: /run/podman/other.sock\n"
        "  docker_registry: registry.example.com:5000\n"
        "  ece_docker_repository: mirror/cloud-enterprise\n"
        "  handoff: argv\n"
        "  prepull: false\n"
        "  attempt_timeout: 25m\n"
        "  timeout_factor: 2.5\n"
        "  force: true\n"
        "  selinux: true\n"
        "  extra_args: [--debug, --config-file, /etc/ece/extra.conf]\n"
        "retry:\n"
        "  splay: 0\n"
        "  backoff: {min: 10s, max: 2m}\n"
        "  windows: 5\n"
        "  give_up_after: 8h\n"
        "verify:\n"
        "  by: both\n"
        "  timeout: 15m\n"
        "  stable_for: 45s\n"
        "on_member: ignore\n"
        "on_stale_runner: replace\n"
        "report:\n"
        "  hooks_dir: /opt/hooks.d\n"
        "  metrics_textfile: /var/lib/prometheus/node-exporter/ece-enroll.prom\n"
        "  webhook: {url: \"https://cmdb.example.com/ece\", hmac_key: {from: file, path: "
        "/etc/hook.key}}\n"
        "forget_credential: true\n";

static int parse_once(const void *text) {
        _cleanup_problems_ Problems problems = { 0 };
        _cleanup_(spec_freep) Spec *spec = NULL;

        return spec_parse("s", text, strlen(text), &problems, &spec);
}

/* A good spec without any problem; without memory it is none. */
static Spec *parse(const char *text) {
        _cleanup_problems_ Problems problems = { 0 };
        Spec *spec = NULL;

        int r = spec_parse("s", text, strlen(text), &problems, &spec);
        for (size_t i = 0; i < problems.n; i++)
                print_message("%u:%u: %s\n", problems.items[i].line, problems.items[i].column,
                              problems.items[i].text);
        assert_int_equal(r, 0);
        assert_int_equal(problems.n, 0);
        assert_non_null(spec);
        if (scarce_memory_in_force())
                (void) scarce_torture(parse_once, text, 0);
        return spec;
}

static void assert_list(char *const *list, const char *const expected[]) {
        size_t i = 0;

        for (; expected[i]; i++) {
                assert_true(i < string_list_size(list));
                assert_string_equal(list[i], expected[i]);
        }
        assert_int_equal(string_list_size(list), i);
}
#define assert_items(list, ...) assert_list((list), (const char *const[]) { __VA_ARGS__, NULL })

static void test_full_platform(void **state) {
        _cleanup_(spec_freep) Spec *s = parse(full);

        assert_items(s->files, "s");
        assert_int_equal(strlen(s->digest), 64);
        assert_items(s->coordinators, "https://192.0.2.10:12443", "https://ece.example.com:12443");
        assert_string_equal(s->trust.ca_file, "/etc/ece-enroll/coordinator-ca.pem");
        assert_items(s->trust.pins, PIN);
        assert_int_equal(s->credential.kind, CREDENTIAL_API_KEY);
        assert_null(s->credential.user);
        assert_int_equal(s->credential.secret.kind, SECRET_FROM_CREDENTIAL);
        assert_string_equal(s->credential.secret.name, "ece-api-key");
        assert_null(s->credential.secret.path);
        assert_null(s->credential.secret.argv);
        assert_int_equal(s->token.source, TOKEN_FROM_COORDINATOR);
        assert_int_equal(s->token.pre_minted.kind, SECRET_FROM_NOWHERE);
        assert_int_equal(s->token.validity_us, 2 * USEC_PER_HOUR);
        assert_true(s->token.persistent);
        assert_int_equal(s->retry.splay_us, 0);
        assert_int_equal(s->retry.backoff_min_us, 10 * USEC_PER_SEC);
        assert_int_equal(s->retry.backoff_max_us, 2 * USEC_PER_MINUTE);
        assert_int_equal(s->retry.windows, 5);
        assert_int_equal(s->retry.give_up_after_us, 8 * USEC_PER_HOUR);
        assert_int_equal(s->verify.by, VERIFY_BY_BOTH);
        assert_int_equal(s->verify.timeout_us, 15 * USEC_PER_MINUTE);
        assert_int_equal(s->verify.stable_for_us, 45 * USEC_PER_SEC);
        assert_int_equal(s->on_member, ON_MEMBER_IGNORE);
        assert_int_equal(s->on_stale_runner, ON_STALE_REPLACE);
        assert_string_equal(s->report.hooks_dir, "/opt/hooks.d");
        assert_string_equal(s->report.metrics_textfile,
                            "/var/lib/prometheus/node-exporter/ece-enroll.prom");
        assert_string_equal(s->report.webhook_url, "https://cmdb.example.com/ece");
        assert_int_equal(s->report.webhook_hmac_key.kind, SECRET_FROM_FILE);
        assert_string_equal(s->report.webhook_hmac_key.path, "/etc/hook.key");
        assert_true(s->forget_credential);
}

static void test_full_host(void **state) {
        _cleanup_(spec_freep) Spec *s = parse(full);

        assert_int_equal(s->host.roles, role_bit(ROLE_ALLOCATOR) | role_bit(ROLE_PROXY));
        assert_string_equal(s->host.runner_id, "host-1");
        assert_string_equal(s->host.host_ip, "192.0.2.77");
        assert_string_equal(s->host.availability_zone, "ece-zone-1b");
        assert_int_equal(s->host.capacity_mb, 65536);
        assert_string_equal(s->host.memory_settings,
                            "{\"runner\":{\"xms\":\"1G\",\"xmx\":\"2G\"},\"allocator\":{\"xms\":"
                            "\"512M\",\"xmx\":\"4G\"}}");
        assert_string_equal(s->host.allocator_tags, "disk:ssd,rack:7,fast:true");
        assert_items(s->host.external_hostnames, "host.example.com", "other.example.com");
        assert_string_equal(s->installer.script, "/opt/ece/elastic-cloud-enterprise.sh");
        assert_string_equal(s->installer.sha256, HEX);
        assert_string_equal(s->installer.version, "4.0.3");
        assert_string_equal(s->installer.user, "ece");
        assert_string_equal(s->installer.storage_path, "/data/elastic");
        assert_int_equal(s->installer.engine, ENGINE_PODMAN);
        assert_string_equal(s->installer.engine_socket, "/run/podman/other.sock");
        assert_string_equal(s->installer.docker_registry, "registry.example.com:5000");
        assert_string_equal(s->installer.ece_docker_repository, "mirror/cloud-enterprise");
        assert_int_equal(s->installer.handoff, HANDOFF_ARGV);
        assert_false(s->installer.prepull);
        assert_int_equal(s->installer.attempt_timeout_us, 25 * USEC_PER_MINUTE);
        assert_string_equal(s->installer.timeout_factor, "2.5");
        assert_true(s->installer.force);
        assert_true(s->installer.selinux);
        assert_items(s->installer.extra_args, "--debug", "--config-file", "/etc/ece/extra.conf");
}

static void test_defaults(void **state) {
        _cleanup_(spec_freep) Spec *s = parse(MINIMAL);

        assert_items(s->coordinators, "https://192.0.2.10:12443");
        assert_null(s->trust.ca_file);
        assert_null(s->trust.pins);
        assert_int_equal(s->token.source, TOKEN_FROM_COORDINATOR);
        assert_int_equal(s->token.validity_us, USEC_PER_HOUR);
        assert_false(s->token.persistent);
        assert_null(s->host.runner_id);
        assert_null(s->host.host_ip);
        assert_null(s->host.availability_zone);
        assert_int_equal(s->host.capacity_mb, 0);
        assert_null(s->host.memory_settings);
        assert_null(s->host.allocator_tags);
        assert_null(s->host.external_hostnames);
        assert_null(s->installer.sha256);
        assert_null(s->installer.version);
        assert_string_equal(s->installer.user, "elastic");
        assert_string_equal(s->installer.storage_path, "/mnt/data/elastic");
        assert_int_equal(s->installer.engine, ENGINE_DOCKER);
        assert_string_equal(s->installer.engine_socket, "/var/run/docker.sock");
        assert_null(s->installer.docker_registry);
        assert_null(s->installer.ece_docker_repository);
        assert_int_equal(s->installer.handoff, HANDOFF_SHIM);
        assert_true(s->installer.prepull);
        assert_int_equal(s->installer.attempt_timeout_us, 20 * USEC_PER_MINUTE);
        assert_null(s->installer.timeout_factor);
        assert_false(s->installer.force);
        assert_false(s->installer.selinux);
        assert_null(s->installer.extra_args);
        assert_int_equal(s->retry.splay_us, 60 * USEC_PER_SEC);
        assert_int_equal(s->retry.backoff_min_us, 5 * USEC_PER_SEC);
        assert_int_equal(s->retry.backoff_max_us, 60 * USEC_PER_SEC);
        assert_int_equal(s->retry.windows, 3);
        assert_int_equal(s->retry.give_up_after_us, 4 * USEC_PER_HOUR);
        assert_int_equal(s->verify.by, VERIFY_BY_COORDINATOR);
        assert_int_equal(s->verify.timeout_us, 10 * USEC_PER_MINUTE);
        assert_int_equal(s->verify.stable_for_us, 30 * USEC_PER_SEC);
        assert_int_equal(s->on_member, ON_MEMBER_VERIFY);
        assert_int_equal(s->on_stale_runner, ON_STALE_REFUSE);
        assert_string_equal(s->report.hooks_dir, "/etc/ece-enroll/hooks.d");
        assert_null(s->report.metrics_textfile);
        assert_null(s->report.webhook_url);
        assert_int_equal(s->report.webhook_hmac_key.kind, SECRET_FROM_NOWHERE);
        assert_false(s->forget_credential);
}

static void test_coordinators_become_canonical(void **state) {
        _cleanup_(spec_freep) Spec *s = parse("version: 1\n" CREDENTIAL HOST INSTALLER
                                              "coordinators:\n"
                                              "  - HTTPS://Ece.Example.COM/\n"
                                              "  - https://[2001:DB8:0:0::1]\n"
                                              "  - https://[::1]:8443\n"
                                              "  - https://127.0.0.1:18443\n"
                                              "  - \"https://localhost:1\"\n");

        assert_items(s->coordinators, "https://ece.example.com:12443",
                     "https://[2001:db8::1]:12443", "https://[::1]:8443", "https://127.0.0.1:18443",
                     "https://localhost:1");
}

static void test_roles(void **state) {
        _cleanup_(spec_freep) Spec *none = parse(HEAD CREDENTIAL INSTALLER "host: {roles: []}\n");
        _cleanup_(spec_freep) Spec *two = parse(HEAD CREDENTIAL INSTALLER
                                                "host: {roles: [director, coordinator]}\n");

        assert_int_equal(none->host.roles, 0);
        assert_int_equal(two->host.roles, role_bit(ROLE_DIRECTOR) | role_bit(ROLE_COORDINATOR));
}

static void test_address_becomes_canonical(void **state) {
        _cleanup_(spec_freep) Spec *s = parse(
                HEAD CREDENTIAL INSTALLER
                "host: {roles: [], host_ip: \"2001:DB8:0:0:0:0:0:A\", runner_id: auto}\n");

        assert_string_equal(s->host.host_ip, "2001:db8::a");
        assert_null(s->host.runner_id);
}

static void test_podman_socket(void **state) {
        _cleanup_(spec_freep)
                Spec *s = parse(HEAD CREDENTIAL HOST "installer: {script: /a, engine: podman}\n");

        assert_string_equal(s->installer.engine_socket, "/run/podman/podman.sock");
}

static void test_credentials(void **state) {
        _cleanup_(spec_freep) Spec *basic = parse(HEAD HOST INSTALLER
                                                  "credential: {basic: {user: admin, password: "
                                                  "{from: command, argv: [/bin/pw, a b, '']}}}\n");
        _cleanup_(spec_freep) Spec *bearer = parse(
                HEAD HOST INSTALLER
                "credential: {bearer: {user: ops@x, password: {from: env, name: ECE_PW}}}\n");

        assert_int_equal(basic->credential.kind, CREDENTIAL_BASIC);
        assert_string_equal(basic->credential.user, "admin");
        assert_int_equal(basic->credential.secret.kind, SECRET_FROM_COMMAND);
        assert_items(basic->credential.secret.argv, "/bin/pw", "a b", "");
        assert_int_equal(bearer->credential.kind, CREDENTIAL_BEARER);
        assert_string_equal(bearer->credential.user, "ops@x");
        assert_int_equal(bearer->credential.secret.kind, SECRET_FROM_ENV);
        assert_string_equal(bearer->credential.secret.name, "ECE_PW");
}

static void test_pre_minted_tokens(void **state) {
        static const struct {
                const char *token;
                SecretSourceKind kind;
                const char *name, *path, *program;
        } rows[] = {
                { "token: {source: credential, name: ece-token}\n", SECRET_FROM_CREDENTIAL,
                  "ece-token", NULL, NULL },
                { "token: {source: file, path: /run/token}\n", SECRET_FROM_FILE, NULL, "/run/token",
                  NULL },
                { "token: {source: command, argv: [/bin/t]}\n", SECRET_FROM_COMMAND, NULL, NULL,
                  "/bin/t" },
                { "token: {source: {from: file, path: /run/token}}\n", SECRET_FROM_FILE, NULL,
                  "/run/token", NULL },
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                char text[1024];
                /* No credential is needed where nobody asks the coordinator for anything. The asked
                 * validity has no meaning. */
                (void) snprintf(text, sizeof(text), "%s%s%s%s%s", HEAD, HOST,
                                "installer: {script: /a, attempt_timeout: 2h}\n",
                                "verify: {by: local}\n", rows[i].token);
                _cleanup_(spec_freep) Spec *s = parse(text);

                assert_int_equal(s->token.source, TOKEN_PRE_MINTED);
                assert_int_equal(s->token.pre_minted.kind, rows[i].kind);
                assert_true(streq_ptr(s->token.pre_minted.name, rows[i].name));
                assert_true(streq_ptr(s->token.pre_minted.path, rows[i].path));
                assert_true(streq_ptr(s->token.pre_minted.argv ? s->token.pre_minted.argv[0] : NULL,
                                      rows[i].program));
                assert_int_equal(s->credential.kind, CREDENTIAL_NONE);
        }
}

/* Texts are taken as written, whatever type YAML would give a plain scalar. */
static void test_texts_as_written(void **state) {
        _cleanup_(spec_freep)
                Spec *s = parse(HEAD CREDENTIAL INSTALLER
                                "host: {roles: [], runner_id: 007, availability_zone: 1.50}\n");

        assert_string_equal(s->host.runner_id, "007");
        assert_string_equal(s->host.availability_zone, "1.50");
}

static void test_shortest_times(void **state) {
        _cleanup_(spec_freep) Spec *s = parse(
                HEAD CREDENTIAL HOST
                "installer: {script: /a, attempt_timeout: 1s}\n"
                "token: {validity: 61s}\n"
                "retry: {splay: 0s, backoff: {min: 1ms, max: 1ms}, windows: 1, give_up_after: 1s}\n"
                "verify: {timeout: 1s, stable_for: 0s}\n");

        assert_int_equal(s->retry.backoff_min_us, USEC_PER_MSEC);
        assert_int_equal(s->verify.stable_for_us, 0);
}

static void test_yaml_forms(void **state) {
        static const char *const texts[] = {
                "%YAML 1.2\n---\n" MINIMAL "...\n",
                "%YAML 1.1\n---\n" MINIMAL,
                "\xef\xbb\xbf" MINIMAL,
                "{version: 1, coordinators: [\"https://a\"], \"credential\": {api_key: {from: env, "
                "name: K}}, "
                "host: {roles: []}, installer: {script: '/a'}}",
                "version: 1\r\ncoordinators: [https://a]\r\n" CREDENTIAL HOST INSTALLER,
        };

        for (size_t i = 0; i < ELEMENTS(texts); i++)
                spec_free(parse(texts[i]));
}

/* Same bytes, same digest; one byte more, another one. */
static void test_digest(void **state) {
        _cleanup_(spec_freep) Spec *a = parse(MINIMAL), *b = parse(MINIMAL),
                                   *c = parse(MINIMAL "\n");

        assert_string_equal(a->digest, b->digest);
        assert_string_not_equal(a->digest, c->digest);
}

static void test_keys(void **state) {
        size_t n = 0;

        for (const char *key; (key = spec_key(n)); n++) {
                assert_true(text_consists_of(key, "abcdefghijklmnopqrstuvwxyz0123456789_."));
                for (size_t i = 0; i < n; i++)
                        assert_string_not_equal(spec_key(i), key);
        }
        assert_true(n > 50);
        assert_string_equal(spec_key(0), "version");
        assert_null(spec_key(n + 1));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_full_platform),
                cmocka_unit_test(test_full_host),
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_coordinators_become_canonical),
                cmocka_unit_test(test_roles),
                cmocka_unit_test(test_address_becomes_canonical),
                cmocka_unit_test(test_podman_socket),
                cmocka_unit_test(test_credentials),
                cmocka_unit_test(test_pre_minted_tokens),
                cmocka_unit_test(test_texts_as_written),
                cmocka_unit_test(test_shortest_times),
                cmocka_unit_test(test_yaml_forms),
                cmocka_unit_test(test_digest),
                cmocka_unit_test(test_keys),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, scarce_memory_setup, NULL);
}
