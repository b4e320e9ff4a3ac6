/* SPDX-License-Identifier: Apache-2.0 */

/* What is refused of coordinators, trust and whereabouts of secrets. No row's problem may hold the
 * word hunter2, which stands for a secret in the wrong place. */

#include "spec-rows.h"

#define PIN_FORM                                                                                   \
        "trust.pins: a pin is sha256// and the base64 of 32 bytes (44 characters with '=' at the " \
        "end); ece-enroll pin HOST:PORT prints it"
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const Row trust_rows[] = {
        { NO_COORDINATORS "coordinators: []\n",
          "s:5:15: coordinators is empty; name at least one, https://HOST:12443" },
        { NO_COORDINATORS "coordinators: https://a\n",
          "s:5:15: coordinators must be a list, not a single value" },
        { NO_COORDINATORS "coordinators: [http://192.0.2.10:12400]\n",
          "s:5:16: coordinators: http:// is refused: ECE's port 12400 is plain HTTP and would show "
          "the "
          "credential to the network; use https:// with port 12443" },
        { NO_COORDINATORS "coordinators: [\"https://a:12400\"]\n",
          "s:5:16: coordinators: port 12400 is ECE's plain HTTP and would show the credential to "
          "the "
          "network; use port 12443" },
        { NO_COORDINATORS "coordinators: [\"https://a:12300\"]\n",
          "s:5:16: coordinators: port 12300 is ECE's plain HTTP and would show the credential to "
          "the "
          "network; use port 12443" },
        { NO_COORDINATORS "coordinators: [a.example]\n",
          "s:5:16: coordinators: the scheme https:// is missing; a coordinator is written "
          "https://HOST:12443" },
        { NO_COORDINATORS "coordinators: [\"https://admin:s3cr3t@a\"]\n",
          "s:5:16: coordinators: a user or password in the URL is refused; the key credential says "
          "where "
          "they are" },
        { NO_COORDINATORS "coordinators: [https://a/api]\n",
          "s:5:16: coordinators: a path is refused; a coordinator is written https://HOST:12443" },
        { NO_COORDINATORS "coordinators: [\"https://a?x=1\"]\n",
          "s:5:16: coordinators: a query ('?') is refused; a coordinator is written "
          "https://HOST:12443" },
        { NO_COORDINATORS "coordinators: [\"https://a#x\"]\n",
          "s:5:16: coordinators: a fragment ('#') is refused; a coordinator is written "
          "https://HOST:12443" },
        { NO_COORDINATORS "coordinators: [\"https://a:0\", \"https://b:65536\", \"https://c:x\"]\n",
          "s:5:16: coordinators: the port must be a number from 1 to 65535\n"
          "s:5:31: coordinators: the port must be a number from 1 to 65535\n"
          "s:5:50: coordinators: the port must be a number from 1 to 65535" },
        { NO_COORDINATORS "coordinators: [\"https://2001:db8::1\"]\n",
          "s:5:16: coordinators: an IPv6 address needs brackets: https://[2001:db8::1]:12443" },
        { NO_COORDINATORS "coordinators: [\"https://[2001:db8::1\"]\n",
          "s:5:16: coordinators: the brackets of the IPv6 address are not closed; it is written "
          "https://[2001:db8::1]:12443" },
        { NO_COORDINATORS "coordinators: [\"https://[x]\"]\n",
          "s:5:16: coordinators: between the brackets is no IPv6 address" },
        { NO_COORDINATORS "coordinators: [\"https://a b\"]\n",
          "s:5:16: coordinators: the host contains a blank at byte 2" },
        { NO_COORDINATORS "coordinators: [\"https://\"]\n",
          "s:5:16: coordinators: the host is empty" },
        { NO_COORDINATORS "coordinators: [https://A, https://a:12443]\n",
          "s:5:27: coordinators names https://a:12443 twice" },
        { NO_COORDINATORS "coordinators: [https://a, ~, [b]]\n",
          "s:5:27: coordinators has no value\n"
          "s:5:30: coordinators must be a single value, not a list" },
        { BASE "trust: {ca_file: ca.pem}\n", "s:6:18: trust.ca_file does not start with '/'" },
        { BASE "trust: {ca_file: /a/../b}\n", "s:6:18: trust.ca_file has a component '.' or '..'" },
        { BASE "trust: {pins: []}\n",
          "s:6:15: trust.pins is empty; leave the key out to pin nothing" },
        { BASE "trust: {pins: [\"sha1//AAAA\"]}\n", "s:6:16: " PIN_FORM },
        { BASE "trust: {pins: [\"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\"]}\n",
          "s:6:16: " PIN_FORM },
        { BASE "trust: {pins: [\"" PIN "\", \"" PIN "\"]}\n",
          "s:6:72: trust.pins names this pin twice" },
};

static const Row secret_rows[] = {
        { NO_CREDENTIAL,
          "s:1:1: required key 'credential' is missing; the token is minted by the coordinator "
          "(token.source: coordinator)" },
        { NO_CREDENTIAL "token: {source: file, path: /t}\n",
          "s:1:1: required key 'credential' is missing; the coordinator is asked for the proof "
          "(verify.by)" },
        { NO_CREDENTIAL
          "token: {source: file, path: /t}\nverify: {by: local}\non_stale_runner: replace\n",
          "s:1:1: required key 'credential' is missing; a stale runner is replaced through the "
          "coordinator "
          "(on_stale_runner: replace)" },
        { NO_CREDENTIAL "credential: {}\n",
          "s:5:13: credential is empty; exactly one of api_key, basic, bearer is needed" },
        { NO_CREDENTIAL "credential:\n  api_key: {from: env, name: K}\n"
                        "  basic: {user: a, password: {from: env, name: P}}\n",
          "s:7:3: credential has both 'api_key' and 'basic'; exactly one of api_key, basic, bearer "
          "is allowed" },
        { NO_CREDENTIAL "credential: hunter2\n",
          "s:5:13: secrets do not belong in the spec; say where it is: {api_key: {from: file, "
          "path: ...}}" },
        { NO_CREDENTIAL "credential: {api_key: hunter2}\n", "s:5:23: " SECRET_HINT },
        { NO_CREDENTIAL "credential: {api_key: {value: hunter2}}\n", "s:5:24: " SECRET_HINT },
        { NO_CREDENTIAL "credential: {api_key: {hunter2}}\n",
          "s:5:24: unknown key in credential.api_key; allowed are from, name, path, argv" },
        { NO_CREDENTIAL "credential: {hunter2}\n",
          "s:5:14: unknown key in credential; allowed are api_key, basic, bearer" },
        { NO_CREDENTIAL "credential: {basic: {user: admin, password: hunter2}}\n",
          "s:5:45: " SECRET_HINT },
        { NO_CREDENTIAL "credential: {basic: {password: {from: env, name: P}}}\n",
          "s:5:14: required key 'user' is missing in credential.basic" },
        { NO_CREDENTIAL "credential: {bearer: {user: \"a:b\", password: {from: env, name: P}}}\n",
          "s:5:29: credential.bearer.user contains ':', which ends the name in HTTP "
          "authentication" },
        { NO_CREDENTIAL "credential: {api_key: {name: k}}\n",
          "s:5:14: required key 'from' is missing in credential.api_key" },
        { NO_CREDENTIAL "credential: {api_key: {from: hunter2}}\n",
          "s:5:30: credential.api_key.from must be one of credential, file, command, env" },
        { NO_CREDENTIAL "credential: {api_key: {from: flie, path: /k}}\n",
          "s:5:30: credential.api_key.from must be one of credential, file, command, env; did you "
          "mean 'file'?" },
        { NO_CREDENTIAL "credential: {api_key: {from: file}}\n",
          "s:5:14: required key 'path' is missing in credential.api_key (from: file needs it)" },
        { NO_CREDENTIAL "credential: {api_key: {from: file, path: k}}\n",
          "s:5:42: credential.api_key.path must be an absolute path" },
        { NO_CREDENTIAL "credential: {api_key: {from: file, name: k, path: /k}}\n",
          "s:5:36: 'name' does not belong to from: file in credential.api_key" },
        { NO_CREDENTIAL "credential: {api_key: {from: credential, name: a/b}}\n",
          "s:5:48: credential.api_key.name is not the name of a systemd credential (letters, "
          "digits, '.', "
          "'_' and '-')" },
        { NO_CREDENTIAL "credential: {api_key: {from: env, name: 1A}}\n",
          "s:5:41: credential.api_key.name is not the name of an environment variable (letters, "
          "digits and '_')" },
        { NO_CREDENTIAL "credential: {api_key: {from: command, argv: /bin/true}}\n",
          "s:5:45: credential.api_key.argv must be a list: the absolute path of a program, then "
          "its arguments" },
        { NO_CREDENTIAL "credential: {api_key: {from: command, argv: [true]}}\n",
          "s:5:46: credential.api_key.argv must begin with the absolute path of a program" },
        { NO_CREDENTIAL "credential: {api_key: {from: command, argv: [/bin/true, \"a\\nb\"]}}\n",
          "s:5:57: credential.api_key.argv has an argument with a control character" },
        { NO_CREDENTIAL "credential: {api_key: {from: command, argv: []}}\n",
          "s:5:45: credential.api_key.argv must have 1 to 32 items" },
        { BASE "token: eyJhbGciOiJIUzI1NiJ9.e30.c2ln\n",
          "s:6:8: secrets do not belong in the spec; say where it is: {source: file, path: ...}" },
        { BASE "token: {source: eyJhbGciOiJIUzI1NiJ9.e30.c2ln}\n",
          "s:6:17: secrets do not belong in the spec; say where it is: {source: file, path: ...}" },
        { BASE "token: {source: coordinators}\n",
          "s:6:17: token.source must be one of coordinator, credential, file, command; did you "
          "mean "
          "'coordinator'?" },
        { BASE "token: {source: file}\n",
          "s:6:17: required key 'path' is missing in token (source: file needs it)" },
        { BASE "token: {source: coordinator, path: /t}\n",
          "s:6:30: 'path' does not belong to source: coordinator in token" },
        { BASE "token: {source: {from: env, name: T}}\n",
          "s:6:24: token.source.from must be one of credential, file, command" },
        { BASE "token: {source: {from: file, path: /t}, path: /u}\n",
          "s:6:41: 'path' belongs into token.source here" },
        { BASE "token: {source: file, path: /t, persistent: true}\n",
          "s:6:45: token.persistent: true needs token.source: coordinator; a token minted "
          "elsewhere is not "
          "ours to delete" },
        { BASE "report: {webhook: {url: https://a, hmac_key: hunter2}}\n", "s:6:46: " SECRET_HINT },
        { BASE "report: {webhook: {url: http://a}}\n",
          "s:6:25: report.webhook.url must begin with https://" },
        { BASE "report: {webhook: {url: \"https://u:p@a/\"}}\n",
          "s:6:25: report.webhook.url must not hold a user or password" },
        { BASE "report: {webhook: {url: https://a/\\x}}\n",
          "s:6:25: report.webhook.url contains a character at byte 11 that has no place in a URL" },
};

ROWS_TEST(trust)
ROWS_TEST(secret)

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_trust),
                cmocka_unit_test(test_secret),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, scarce_memory_setup, NULL);
}
