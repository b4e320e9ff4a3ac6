/* SPDX-License-Identifier: Apache-2.0 */

/* What is refused of the text, the keys, the host, the installer and the times; and one spec with
 * everything wrong. */

#include "spec-rows.h"

#define TOP_KEYS                                                                         \
        "version, coordinators, trust, client_certificate, proxy, no_proxy, proxy_credential, credential, token, host, " \
        "installer, retry, verify, on_member, on_stale_runner, report, forget_credential"

static const Row syntax_rows[] = {
        { "", "s:1:1: the document is empty; it must be a mapping that begins with version: 1" },
        { "# nothing\n",
          "s:1:1: the document is empty; it must be a mapping that begins with version: 1" },
        { "---\n...\n",
          "s:2:1: the document is empty; it must be a mapping that begins with version: 1" },
        { "- version\n", "s:1:1: the document is a list; it must be a mapping (key: value)" },
        { "version\n", "s:1:1: the document is a single value; it must be a mapping (key: value)" },
        { BASE "---\nversion: 1\n", "s:6:1: a second document begins; a spec is exactly one" },
        { BASE "? [a]\n: 1\n", "s:6:3: a key must be a single word, not a collection" },
        { BASE "retry:\n\tsplay: 1s\n", "s:7:1: not YAML: found character that cannot start any "
                                        "token (a tab; YAML indents with blanks only)" },
        { BASE "retry: {splay: 1s\n", "s:7:1: not YAML: did not find expected ',' or '}', while "
                                      "parsing a flow mapping that begins at line 6" },
        { BASE "retry: \"1s\n", "s:7:1: not YAML: found unexpected end of stream, while scanning a "
                                "quoted scalar that begins at line 6" },
        { "%YAML 2.0\n---\nversion: 1\n", "s:1:1: not YAML: found incompatible YAML document" },
        { "%TAG !e! tag:example.com,2026:\n---\n" BASE,
          "s:1:1: the directive %TAG is not allowed; neither are tags" },
        { BASE "on_member: \xff\n",
          "s:6:12: a byte that is not UTF-8; the spec must be UTF-8 text" },
        { BASE "on_member: \xc0\xaf\n",
          "s:6:12: a byte that is not UTF-8; the spec must be UTF-8 text" },
        { BASE "# \x1b[31m\n", "s:6:3: a control character; the spec must be printable text" },
        { BASE "on_member: \"verify\\0\"\n", "s:6:12: a value contains a NUL byte" },
        { BASE "# \xe2\x80\xa8\n", "s:6:3: a Unicode line separator; lines end in a newline" },
        { BASE "report: {a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}}\n",
          "s:6:37: nested deeper than 8 levels" },
        { BASE "on_member: &m verify\n",
          "s:6:12: anchors (&) are not allowed; write the value where it is needed" },
        { BASE "on_member: *m\n", "s:6:12: aliases (*) are not allowed; write the value itself" },
        { BASE "*m : verify\n", "s:6:1: aliases (*) are not allowed; write the value itself" },
        { BASE "on_member: !!str verify\n",
          "s:6:12: tags (!) are not allowed; the type of each key is fixed" },
        { BASE "on_member: ! verify\n",
          "s:6:12: tags (!) are not allowed; the type of each key is fixed" },
        { BASE "retry: !map {splay: 1}\n",
          "s:6:8: tags (!) are not allowed; the type of each key is fixed\n"
          "s:6:21: retry.splay needs a unit: a duration such as 90s, 20m or 1h, not '1'" },
        { BASE "on_member: verify\non_member: ignore\n",
          "s:7:1: duplicate key 'on_member'; the first one is at line 6, column 1" },
        { BASE "retry: {splay: 1s, windows: 2, splay: x}\n",
          "s:6:32: duplicate key 'splay'; the first one is at line 6, column 9" },
        { BASE "on_member: # \xc3\xa4\n  w\xc3\xb6rd\n",
          "s:7:3: on_member must be one of verify, ignore, not 'w\xc3\xb6rd'" },
        { "\xef\xbb\xbf" BASE "retry: {\"\xc3\xa4\": 1, splay: 1}\n",
          "s:6:9: unknown key '\xc3\xa4' in retry; allowed are splay, backoff, windows, "
          "give_up_after\n"
          "s:6:25: retry.splay needs a unit: a duration such as 90s, 20m or 1h, not '1'" },
};

static const Row key_rows[] = {
        { BASE "coordinator: x\n",
          "s:6:1: unknown key 'coordinator'; did you mean 'coordinators'?" },
        { NO_HOST "host: {role: [allocator], roles: []}\n",
          "s:5:8: unknown key 'role' in host; did you mean 'roles'?" },
        { BASE "Retry: {}\n", "s:6:1: unknown key 'Retry'; did you mean 'retry'?" },
        { BASE "frobnicate: 1\n", "s:6:1: unknown key 'frobnicate'; allowed are " TOP_KEYS },
        { BASE "? ''\n: 1\n", "s:6:3: unknown key ''; allowed are " TOP_KEYS },
        { BASE "<<: {}\n", "s:6:1: unknown key '<<'; merge keys are not supported; use a drop-in" },
        { BASE "roles: [proxy]\n", "s:6:1: unknown key 'roles'; it belongs in host" },
        { BASE "retry: {backoff: {mim: 1s}}\n",
          "s:6:19: unknown key 'mim' in retry.backoff; did you mean 'min'?" },
        { BASE "trust: {insecure: true}\n", "s:6:9: unknown key 'insecure' in trust; there is no "
                                            "switch that turns verification off" },
        { BASE "trust: {verify: false}\n",
          "s:6:9: unknown key 'verify' in trust; there is no switch that turns verification off" },
        { BASE "insecure: true\n",
          "s:6:1: unknown key 'insecure'; there is no switch that turns verification off" },
        { BASE "trust: {ca: /x}\n", "s:6:9: unknown key 'ca' in trust; allowed are ca_file, pins" },
        { BASE "trust:\n", "s:6:7: trust has no value" },
        { BASE "trust: ~\n", "s:6:8: trust has no value" },
        { BASE "retry: {splay: null}\n", "s:6:16: retry.splay has no value" },
        { BASE "retry: 5\n", "s:6:8: retry must be a mapping (key: value), not a single value" },
        { BASE "retry: [splay]\n", "s:6:8: retry must be a mapping (key: value), not a list" },
        { BASE "on_member: {a: 1}\n", "s:6:12: on_member must be a single value, not a mapping" },
        { "coordinators: [https://a]\n" CREDENTIAL HOST INSTALLER,
          "s:1:1: required key 'version' is missing; this format is version: 1" },
        { "version: 2\ncoordinators: [https://a]\n" CREDENTIAL HOST INSTALLER,
          "s:1:10: version '2' is not known to this release; it reads version 1" },
        { "version: \"1\"\ncoordinators: [https://a]\n" CREDENTIAL HOST INSTALLER,
          "s:1:10: version must be a whole number, without quotes" },
        { NO_COORDINATORS, "s:1:1: required key 'coordinators' is missing" },
        { NO_HOST, "s:1:1: required key 'host' is missing" },
        { NO_INSTALLER, "s:1:1: required key 'installer' is missing" },
        { NO_HOST "host: {}\n", "s:5:1: required key 'roles' is missing in host" },
        { NO_INSTALLER "installer: {force: true}\n",
          "s:5:1: required key 'script' is missing in installer" },
        { BASE "report: {webhook: {}}\n",
          "s:6:10: required key 'url' is missing in report.webhook" },
};

static const Row host_rows[] = {
        { NO_HOST "host: {roles: allocator}\n",
          "s:5:15: host.roles must be a list, not a single value" },
        { NO_HOST "host: {roles: [alocator]}\n",
          "s:5:16: 'alocator' is not a role; did you mean 'allocator'?" },
        { NO_HOST "host: {roles: [ALLOCATOR]}\n",
          "s:5:16: 'ALLOCATOR' is not a role; did you mean 'allocator'?" },
        { NO_HOST "host: {roles: [kibana]}\n",
          "s:5:16: 'kibana' is not a role; the roles are allocator, coordinator, director, proxy" },
        { NO_HOST "host: {roles: [Controller]}\n",
          "s:5:16: 'Controller' is not a role; what the Cloud UI shows as Controller is called "
          "coordinator" },
        { NO_HOST "host: {roles: [beats-runner]}\n",
          "s:5:16: 'beats-runner' is a role that ECE assigns by itself; it can't be asked for" },
        { NO_HOST "host: {roles: [proxy, proxy]}\n", "s:5:23: host.roles names 'proxy' twice" },
        { NO_HOST "host: {roles: [allocator, coordinator]}\n",
          "s:5:15: warning: host.roles: ECE advises against allocator and coordinator on the same "
          "host: "
          "deployments then compete with the control plane for memory" },
        { NO_HOST "host: {roles: [], runner_id: \"a b\"}\n",
          "s:5:30: host.runner_id contains a blank at byte 2" },
        { NO_HOST "host: {roles: [], runner_id: \"a'b\"}\n",
          "s:5:30: host.runner_id contains ' at byte 2; allowed are letters, digits, '.', '_' and "
          "'-'" },
        { NO_HOST "host: {roles: [], runner_id: ..}\n",
          "s:5:30: host.runner_id is '..', which means a directory" },
        { NO_HOST "host: {roles: [], runner_id: \"\"}\n", "s:5:30: host.runner_id is empty" },
        { NO_HOST "host: {roles: [], availability_zone: -z}\n",
          "s:5:38: host.availability_zone starts with '-', which would make it an option" },
        { NO_HOST "host: {roles: [], host_ip: ece.example.com}\n",
          "s:5:28: host.host_ip must be auto or an IPv4 or IPv6 address" },
        { NO_HOST "host: {roles: [], host_ip: 127.0.0.1}\n",
          "s:5:28: host.host_ip is a loopback address; other hosts could not reach it" },
        { NO_HOST "host: {roles: [], host_ip: 224.0.0.1}\n",
          "s:5:28: host.host_ip is a multicast address" },
        { NO_HOST "host: {roles: [], host_ip: \"::\"}\n",
          "s:5:28: host.host_ip is the unspecified address" },
        { NO_HOST "host: {roles: [], capacity: 8191}\n",
          "s:5:29: host.capacity must be between 8192 and 16777216, not 8191" },
        { NO_HOST "host: {roles: [], capacity: \"65536\"}\n",
          "s:5:29: host.capacity must be a whole number, without quotes" },
        { NO_HOST "host: {roles: [], capacity: 0x10000}\n",
          "s:5:29: host.capacity must be a whole decimal number, not '0x10000'" },
        { NO_HOST "host: {roles: [], capacity: 064000}\n",
          "s:5:29: host.capacity must be a whole decimal number, not '064000'" },
        { NO_HOST "host: {roles: [], capacity: 99999999999999999999999}\n",
          "s:5:29: host.capacity must be between 8192 and 16777216, not 99999999999999999999999" },
        { NO_HOST "host: {roles: [], memory_settings: {proxy: {xms: 1G, xmx: 1G}}}\n",
          "s:5:37: host.memory_settings: ECE's documentation says not to set the memory of proxy" },
        { NO_HOST "host: {roles: [], memory_settings: {runer: {xms: 1G, xmx: 1G}}}\n",
          "s:5:37: unknown key 'runer' in host.memory_settings; did you mean 'runner'?" },
        { NO_HOST "host: {roles: [], memory_settings: {kibana: {}}}\n",
          "s:5:37: unknown key 'kibana' in host.memory_settings; allowed are runner, allocator, "
          "zookeeper, "
          "director, constructor, admin-console" },
        { NO_HOST "host: {roles: [], memory_settings: {runner: 1G}}\n",
          "s:5:45: host.memory_settings.runner must be a mapping such as {xms: 1G, xmx: 1G}" },
        { NO_HOST "host: {roles: [], memory_settings: {runner: {xms: 1G}}}\n",
          "s:5:37: required key 'xmx' is missing in host.memory_settings.runner" },
        { NO_HOST "host: {roles: [], memory_settings: {runner: {xms: 1G, xmx: 1G, heap: 1G}}}\n",
          "s:5:64: unknown key 'heap' in host.memory_settings.runner; allowed are xms, xmx" },
        { NO_HOST "host: {roles: [], memory_settings: {runner: {xms: 1G, xmx: 1.5G}}}\n",
          "s:5:60: host.memory_settings.runner.xmx must be a whole number with unit K, M or G, "
          "such as 1G" },
        { NO_HOST "host: {roles: [], memory_settings: {runner: {xms: 2G, xmx: 1024M}}}\n",
          "s:5:51: host.memory_settings.runner.xms (2G) is greater than xmx (1024M)" },
        { NO_HOST "host: {roles: [], allocator_tags: {disk: \"s d\"}}\n",
          "s:5:36: host.allocator_tags: the tag contains a blank at byte 7" },
        { NO_HOST "host: {roles: [], allocator_tags: {disk: [a]}}\n",
          "s:5:42: host.allocator_tags must be a single value, not a list" },
        { NO_HOST "host: {roles: [], allocator_tags: {\"a,b:c\": d}}\n",
          "s:5:36: host.allocator_tags: the tag has a tag that is not of the form key:value" },
        { NO_HOST "host: {roles: [], external_hostnames: [a_b]}\n",
          "s:5:40: host.external_hostnames contains _ at byte 2; allowed are letters, digits, '.', "
          "'-' and ','" },
        { NO_HOST "host: {roles: [], external_hostnames: [a.example, A.example]}\n",
          "s:5:51: host.external_hostnames names 'a.example' twice" },
};

static const Row installer_rows[] = {
        { NO_INSTALLER "installer: {script: ece.sh}\n",
          "s:5:21: installer.script does not start with '/'" },
        { NO_INSTALLER "installer: {script: /a, sha256: abc}\n",
          "s:5:33: installer.sha256 must be 64 hexadecimal digits" },
        { NO_INSTALLER "installer: {script: /a, version: \"4.0\"}\n",
          "s:5:34: installer.version is not of the form N.N.N or N.N.N-suffix" },
        { NO_INSTALLER "installer: {script: /a, version: \"4.0.a[0]\"}\n",
          "s:5:34: installer.version contains [ at byte 6; allowed are letters, digits, '.' and "
          "'-'" },
        { NO_INSTALLER "installer: {script: /a, user: root}\n",
          "s:5:31: installer.user must not be root: the installer refuses a uid or gid below "
          "1000" },
        { NO_INSTALLER "installer: {script: /a, user: 1000}\n",
          "s:5:31: installer.user must be the user's name, not a number" },
        { NO_INSTALLER "installer: {script: /a, user: \"a b\"}\n",
          "s:5:31: installer.user must be a user name: a letter or '_', then letters, digits, '_', "
          "'-' and "
          "'.', at most 32" },
        { NO_INSTALLER "installer: {script: /a, engine: podmann}\n",
          "s:5:33: installer.engine must be one of docker, podman, not 'podmann'; did you mean "
          "'podman'?" },
        { NO_INSTALLER "installer: {script: /a, engine_socket: \"unix:///run/docker.sock\"}\n",
          "s:5:40: installer.engine_socket contains : at byte 5; allowed are letters, digits, '.', "
          "'_', '-' "
          "and '/'" },
        { NO_INSTALLER "installer: {script: /a, engine_socket: /"
                       "0123456789012345678901234567890123456789"
                       "0123456789012345678901234567890123456789"
                       "0123456789012345678901234567}\n",
          "s:5:40: installer.engine_socket is longer than 107 bytes" },
        { NO_INSTALLER "installer: {script: /a, docker_registry: https://r}\n",
          "s:5:42: installer.docker_registry contains / at byte 7; allowed are letters, digits, "
          "'.', '-' and ':'" },
        { NO_INSTALLER "installer: {script: /a, ece_docker_repository: Cloud}\n",
          "s:5:48: installer.ece_docker_repository contains C at byte 1; allowed are lower-case "
          "letters, "
          "digits, '.', '_', '-' and '/'" },
        { NO_INSTALLER "installer: {script: /a, prepull: yes}\n",
          "s:5:34: installer.prepull must be true or false; 'yes' is a text in YAML 1.2, write "
          "true" },
        { NO_INSTALLER "installer: {script: /a, prepull: Off}\n",
          "s:5:34: installer.prepull must be true or false; 'Off' is a text in YAML 1.2, write "
          "false" },
        { NO_INSTALLER "installer: {script: /a, prepull: \"true\"}\n",
          "s:5:34: installer.prepull must be true or false, in lower case and without quotes" },
        { NO_INSTALLER "installer: {script: /a, force: 1}\n",
          "s:5:32: installer.force must be true or false, not '1'" },
        { NO_INSTALLER "installer: {script: /a, timeout_factor: \"1.0\"}\n",
          "s:5:41: installer.timeout_factor must be a number, without quotes" },
        { NO_INSTALLER "installer: {script: /a, timeout_factor: 100.1}\n",
          "s:5:41: installer.timeout_factor is greater than 100" },
        { NO_INSTALLER "installer: {script: /a, selinux: true}\n",
          "s:5:34: installer.selinux: true needs installer.engine: podman; the installer ignores "
          "it with docker" },
        { NO_INSTALLER "installer: {script: /a, extra_args: [--roles-token, x]}\n",
          "s:5:38: installer.extra_args: '--roles-token' is refused; the token is handed over by "
          "the agent; "
          "secrets do not belong in the spec" },
        { NO_INSTALLER "installer: {script: /a, extra_args: [--debug, --podman, --help]}\n",
          "s:5:47: installer.extra_args: '--podman' is refused; use the key installer.engine\n"
          "s:5:57: installer.extra_args: '--help' is refused; the installer would print its help "
          "and exit 0" },
        { NO_INSTALLER "installer: {script: /a, extra_args: [--debug, help]}\n",
          "s:5:47: installer.extra_args: 'help' is refused; the installer would print its help and "
          "exit 0" },
        { NO_INSTALLER "installer: {script: /a, extra_args: [--environment-metadata, \"{}\"]}\n",
          "s:5:38: installer.extra_args: '--environment-metadata' is refused; the installer "
          "garbles its value\n"
          "s:5:62: installer.extra_args: an argument contains { at byte 1; allowed are letters, "
          "digits and "
          "any of . _ : , / = + @ -" },
        { NO_INSTALLER "installer: {script: /a, extra_args: [x, --config-file, /a, /b]}\n",
          "s:5:38: installer.extra_args: a value must follow its option; this one follows none\n"
          "s:5:60: installer.extra_args: a value must follow its option; this one follows none" },
        { NO_INSTALLER "installer: {script: /a, extra_args: [--a=b]}\n",
          "s:5:38: installer.extra_args: the installer wants option and value as two items, "
          "without '='" },
        { NO_INSTALLER "installer: {script: /a, extra_args: [--a, \"\", -x]}\n",
          "s:5:43: installer.extra_args: an argument is empty\n"
          "s:5:47: installer.extra_args: an argument does not start with '--'" },
};

static const Row time_rows[] = {
        { BASE "retry: {splay: 60}\n",
          "s:6:16: retry.splay needs a unit: a duration such as 90s, 20m or 1h, not '60'" },
        { BASE "retry: {splay: 1h30m}\n",
          "s:6:16: retry.splay must be a duration such as 90s, 20m or 1h, not '1h30m'" },
        { BASE "retry: {splay: 25h}\n", "s:6:16: retry.splay must be between 0s and 1d, not 25h" },
        { BASE "retry: {windows: 0}\n", "s:6:18: retry.windows must be between 1 and 100, not 0" },
        { BASE "retry: {backoff: {min: 2m, max: 1m}}\n",
          "s:6:24: retry.backoff.min (2m) must not be longer than retry.backoff.max (1m)" },
        { BASE "retry: {splay: 4h}\n",
          "s:6:16: retry.splay (4h) must be shorter than retry.give_up_after (4h)" },
        { BASE "token: {validity: 59s}\n",
          "s:6:19: token.validity must be between 1m and 1d, not 59s" },
        { NO_INSTALLER "installer: {script: /a, attempt_timeout: 10m}\ntoken: {validity: 10m}\n",
          "s:6:19: token.validity (10m) must leave a tenth of itself, at most 60s, beyond "
          "installer.attempt_timeout (10m)" },
        { NO_INSTALLER "installer: {script: /a, attempt_timeout: 1h}\n",
          "s:5:42: token.validity (1h) must leave a tenth of itself, at most 60s, beyond "
          "installer.attempt_timeout (1h)" },
        { BASE "verify: {by: remote}\n",
          "s:6:14: verify.by must be one of coordinator, local, both, not 'remote'" },
        { BASE "verify: {timeout: 30s, stable_for: 30s}\n",
          "s:6:36: verify.stable_for (30s) must be shorter than verify.timeout (30s)" },
        { BASE "on_stale_runner: delete\n",
          "s:6:18: on_stale_runner must be one of refuse, replace, not 'delete'" },
        { NO_CREDENTIAL "credential: {api_key: {from: env, name: K}}\nforget_credential: true\n",
          "s:6:20: warning: forget_credential: true has no effect here: the credential is in no "
          "file" },
        /* The one with everything: nothing hides anything, and nothing is blamed for something
           else. */
        { "version: 1\n"
          "coordinators: [ftp://a]\n"
          "credential: {api_key: k}\n"
          "token: {validity: soon}\n"
          "host:\n"
          "  role: [allocator]\n"
          "  capacity: much\n"
          "installer:\n"
          "  script: /opt/ece.sh\n"
          "  attempt_timeout: 30h\n"
          "  force: on\n"
          "retry: none\n"
          "verify: {timeout: 1s, stable_for: 1s}\n",
          "s:2:16: coordinators: the scheme https:// is missing; a coordinator is written "
          "https://HOST:12443\n"
          "s:3:23: " SECRET_HINT "\n"
          "s:4:19: token.validity must be a duration such as 90s, 20m or 1h, not 'soon'\n"
          "s:5:1: required key 'roles' is missing in host\n"
          "s:6:3: unknown key 'role' in host; did you mean 'roles'?\n"
          "s:7:13: host.capacity must be a whole decimal number, not 'much'\n"
          "s:10:20: installer.attempt_timeout must be between 1s and 6h, not 30h\n"
          "s:11:10: installer.force must be true or false; 'on' is a text in YAML 1.2, write true\n"
          "s:12:8: retry must be a mapping (key: value), not a single value\n"
          "s:13:35: verify.stable_for (1s) must be shorter than verify.timeout (1s)" },
};

ROWS_TEST(syntax)
ROWS_TEST(key)
ROWS_TEST(host)
ROWS_TEST(installer)
ROWS_TEST(time)

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_syntax),
                cmocka_unit_test(test_key),
                cmocka_unit_test(test_host),
                cmocka_unit_test(test_installer),
                cmocka_unit_test(test_time),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, scarce_memory_setup, NULL);
}
