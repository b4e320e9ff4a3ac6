/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of keys.
 *
 * A key exists because it has a row here: the decoder accepts nothing else, suggests from here,
 * takes defaults and bounds from here. Defaults are written as a user would write them and pass
 * through the same decoder, so a default that breaks its own bounds can't exist. Pure data; nothing
 * fails.
 */

#include "model/spec-schema.h"

#include <assert.h>

#include "base/cleanup.h"
#include "base/text.h"

#define FIELD(member) .offset = offsetof(Spec, member)
#define SECONDS(n) ((n) * USEC_PER_SEC)
#define HOURS(n) ((n) * USEC_PER_HOUR)
#define SOCKET_PATH_MAX 107U /* sun_path without its NUL */

/* An enum is stored by its index, as unsigned. */
static_assert(sizeof(HandOff) == sizeof(unsigned) && sizeof(VerifyBy) == sizeof(unsigned),
              "enum size");

static const char *const engine_words[] = { "docker", "podman", NULL };
static const char *const handoff_words[] = { "shim", "argv", NULL };
static const char *const verify_words[] = { "coordinator", "local", "both", NULL };
static const char *const member_words[] = { "verify", "ignore", NULL };
static const char *const stale_words[] = { "refuse", "replace", NULL };

static const SpecSchema schema[_SPEC_KEY_MAX] = {
        [KEY_VERSION] = { "version", SPEC_TYPE_VERSION,
                .required = true,
                .summary = "version of this format" },
        [KEY_COORDINATORS] = { "coordinators", SPEC_TYPE_COORDINATORS,
                .required = true, FIELD(coordinators),
                .summary = "coordinators of the installation, https://HOST:PORT" },

        [KEY_TRUST] = { "trust", SPEC_TYPE_SECTION,
                .summary = "what proves that a coordinator is the right one" },
        [KEY_TRUST_CA_FILE] = { "trust.ca_file", SPEC_TYPE_TEXT,
                .kind = VALUE_PATH, FIELD(trust.ca_file),
                .summary = "PEM file with the CA certificates of the coordinators" },
        [KEY_TRUST_PINS] = { "trust.pins", SPEC_TYPE_PINS,
                FIELD(trust.pins),
                .summary = "public keys of the leaf or of a CA in its chain, sha256//BASE64" },

        [KEY_CLIENT_CERTIFICATE] = { "client_certificate", SPEC_TYPE_SECTION,
                .summary = "what this host shows to a coordinator that wants a certificate" },
        [KEY_CLIENT_CERTIFICATE_FILE] = { "client_certificate.file", SPEC_TYPE_TEXT,
                .required = true, .kind = VALUE_PATH, FIELD(client.certificate),
                .summary = "PEM file with the certificate, and those between it and its CA" },
        [KEY_CLIENT_CERTIFICATE_KEY] = { "client_certificate.key", SPEC_TYPE_SECRET,
                .required = true, FIELD(client.key),
                .summary = "where its private key is: PEM, not encrypted" },

        [KEY_PROXY] = { "proxy", SPEC_TYPE_PROXY,
                .maximum = 280, FIELD(proxy.url),
                .summary = "HTTP proxy on the way to the coordinators, http://HOST:PORT; the environment's is ignored" },
        [KEY_NO_PROXY] = { "no_proxy", SPEC_TYPE_NO_PROXY,
                FIELD(proxy.exceptions),
                .summary = "coordinators that are reached without it: names, .domains, addresses, networks (192.0.2.0/24)" },
        [KEY_PROXY_CREDENTIAL] = { "proxy_credential", SPEC_TYPE_SECTION,
                .summary = "user and password for the proxy (Basic)" },
        [KEY_PROXY_CREDENTIAL_USER] = { "proxy_credential.user", SPEC_TYPE_LOGIN,
                .required = true, FIELD(proxy.user),
                .summary = "the proxy's user" },
        [KEY_PROXY_CREDENTIAL_PASSWORD] = { "proxy_credential.password", SPEC_TYPE_SECRET,
                .required = true, FIELD(proxy.password),
                .summary = "where the password is" },

        [KEY_CREDENTIAL] = { "credential", SPEC_TYPE_SECTION,
                .summary = "the platform credential: exactly one of api_key, basic, bearer" },
        [KEY_CREDENTIAL_API_KEY] = { "credential.api_key", SPEC_TYPE_SECRET,
                FIELD(credential.secret),
                .summary = "where the API key is" },
        [KEY_CREDENTIAL_BASIC] = { "credential.basic", SPEC_TYPE_SECTION,
                .summary = "user and password in each request" },
        [KEY_CREDENTIAL_BASIC_USER] = { "credential.basic.user", SPEC_TYPE_LOGIN,
                .required = true, FIELD(credential.user),
                .summary = "platform user" },
        [KEY_CREDENTIAL_BASIC_PASSWORD] = { "credential.basic.password", SPEC_TYPE_SECRET,
                .required = true, FIELD(credential.secret),
                .summary = "where the password is" },
        [KEY_CREDENTIAL_BEARER] = { "credential.bearer", SPEC_TYPE_SECTION,
                .summary = "user and password, exchanged for a bearer token" },
        [KEY_CREDENTIAL_BEARER_USER] = { "credential.bearer.user", SPEC_TYPE_LOGIN,
                .required = true, FIELD(credential.user),
                .summary = "platform user" },
        [KEY_CREDENTIAL_BEARER_PASSWORD] = { "credential.bearer.password", SPEC_TYPE_SECRET,
                .required = true, FIELD(credential.secret),
                .summary = "where the password is" },

        [KEY_TOKEN] = { "token", SPEC_TYPE_SECTION,
                .summary = "the ECE roles token" },
        [KEY_TOKEN_SOURCE] = { "token.source", SPEC_TYPE_TOKEN_SOURCE,
                .otherwise = "coordinator", FIELD(token.source),
                .summary = "coordinator (mint it), or credential, file, command (elsewhere)" },
        [KEY_TOKEN_NAME] = { "token.name", SPEC_TYPE_TOKEN_PART,
                .summary = "with source: credential, its name" },
        [KEY_TOKEN_PATH] = { "token.path", SPEC_TYPE_TOKEN_PART,
                .summary = "with source: file, its path" },
        [KEY_TOKEN_ARGV] = { "token.argv", SPEC_TYPE_TOKEN_PART,
                .summary = "with source: command, program and arguments" },
        [KEY_TOKEN_VALIDITY] = { "token.validity", SPEC_TYPE_DURATION,
                .otherwise = "1h", .minimum = SECONDS(60), .maximum = HOURS(24),
                FIELD(token.validity_us),
                .summary = "life asked for when minting" },
        [KEY_TOKEN_PERSISTENT] = { "token.persistent", SPEC_TYPE_BOOLEAN,
                .otherwise = "false", FIELD(token.persistent),
                .summary = "mint a persistent token and delete it after the join" },

        [KEY_HOST] = { "host", SPEC_TYPE_SECTION,
                .required = true,
                .summary = "what this host is to be" },
        [KEY_HOST_ROLES] = { "host.roles", SPEC_TYPE_ROLES,
                .required = true, FIELD(host.roles),
                .summary = "allocator, coordinator, director, proxy; [] joins without roles" },
        [KEY_HOST_RUNNER_ID] = { "host.runner_id", SPEC_TYPE_TEXT_OR_AUTO,
                .otherwise = "auto", .kind = VALUE_RUNNER_ID, FIELD(host.runner_id),
                .summary = "id of the runner; auto: host_ip" },
        [KEY_HOST_IP] = { "host.host_ip", SPEC_TYPE_ADDRESS_OR_AUTO,
                .otherwise = "auto", .kind = VALUE_ADDRESS, FIELD(host.host_ip),
                .summary = "address of this host; auto: of the default route" },
        [KEY_HOST_ZONE] = { "host.availability_zone", SPEC_TYPE_TEXT,
                .kind = VALUE_ZONE, FIELD(host.availability_zone),
                .summary = "availability zone; otherwise the platform's default" },
        [KEY_HOST_CAPACITY] = { "host.capacity", SPEC_TYPE_SIZE,
                .minimum = 8192, .maximum = 16777216, FIELD(host.capacity_mb),
                .summary = "memory for ECE in MB; otherwise the installer's default" },
        [KEY_HOST_MEMORY_SETTINGS] = { "host.memory_settings", SPEC_TYPE_MEMORY,
                FIELD(host.memory_settings),
                .summary = "heap of ECE's own services: {PART: {xms: SIZE, xmx: SIZE}}" },
        [KEY_HOST_ALLOCATOR_TAGS] = { "host.allocator_tags", SPEC_TYPE_TAGS,
                FIELD(host.allocator_tags),
                .summary = "tags of the allocator: {KEY: VALUE}" },
        [KEY_HOST_EXTERNAL_HOSTNAMES] = { "host.external_hostnames", SPEC_TYPE_HOSTNAMES,
                FIELD(host.external_hostnames),
                .summary = "further names for generated certificates" },

        [KEY_INSTALLER] = { "installer", SPEC_TYPE_SECTION,
                .required = true,
                .summary = "ECE's installation script and how it is run" },
        [KEY_INSTALLER_SCRIPT] = { "installer.script", SPEC_TYPE_TEXT,
                .required = true, .kind = VALUE_PATH, FIELD(installer.script),
                .summary = "path of elastic-cloud-enterprise.sh" },
        [KEY_INSTALLER_SHA256] = { "installer.sha256", SPEC_TYPE_SHA256,
                FIELD(installer.sha256),
                .summary = "the script is refused when its SHA-256 is another one" },
        [KEY_INSTALLER_VERSION] = { "installer.version", SPEC_TYPE_TEXT_OR_AUTO,
                .otherwise = "auto", .kind = VALUE_VERSION, FIELD(installer.version),
                .summary = "ECE version to install; auto: the coordinator's" },
        [KEY_INSTALLER_USER] = { "installer.user", SPEC_TYPE_ACCOUNT,
                .otherwise = "elastic", FIELD(installer.user),
                .summary = "user that runs the script; uid and gid >= 1000" },
        [KEY_INSTALLER_STORAGE_PATH] = { "installer.storage_path", SPEC_TYPE_TEXT,
                .otherwise = "/mnt/data/elastic", .kind = VALUE_PATH, FIELD(installer.storage_path),
                .summary = "ECE's data directory" },
        [KEY_INSTALLER_ENGINE] = { "installer.engine", SPEC_TYPE_WORD,
                .otherwise = "docker", .words = engine_words, FIELD(installer.engine),
                .summary = "container engine" },
        /* No default here: it depends on the engine (spec-check.c). */
        [KEY_INSTALLER_ENGINE_SOCKET] = { "installer.engine_socket", SPEC_TYPE_TEXT,
                .kind = VALUE_PATH, .maximum = SOCKET_PATH_MAX, FIELD(installer.engine_socket),
                .summary = "the engine's socket; otherwise where the engine usually has it" },
        [KEY_INSTALLER_REGISTRY] = { "installer.docker_registry", SPEC_TYPE_TEXT,
                .kind = VALUE_REGISTRY, FIELD(installer.docker_registry),
                .summary = "registry of the images, HOST[:PORT]" },
        [KEY_INSTALLER_REPOSITORY] = { "installer.ece_docker_repository", SPEC_TYPE_TEXT,
                .kind = VALUE_REPOSITORY, FIELD(installer.ece_docker_repository),
                .summary = "repository of ECE's images" },
        [KEY_INSTALLER_HANDOFF] = { "installer.handoff", SPEC_TYPE_WORD,
                .otherwise = "shim", .words = handoff_words, FIELD(installer.handoff),
                .summary = "how the token reaches the container; argv shows it to local users" },
        [KEY_INSTALLER_PREPULL] = { "installer.prepull", SPEC_TYPE_BOOLEAN,
                .otherwise = "true", FIELD(installer.prepull),
                .summary = "pull the image before a token is asked for" },
        [KEY_INSTALLER_ATTEMPT_TIMEOUT] = { "installer.attempt_timeout", SPEC_TYPE_DURATION,
                .otherwise = "20m", .minimum = SECONDS(1), .maximum = HOURS(6),
                FIELD(installer.attempt_timeout_us),
                .summary = "wall of one run of the installer" },
        [KEY_INSTALLER_TIMEOUT_FACTOR] = { "installer.timeout_factor", SPEC_TYPE_FACTOR,
                .kind = VALUE_FACTOR, FIELD(installer.timeout_factor),
                .summary = "multiplies the installer's own time limits" },
        [KEY_INSTALLER_FORCE] = { "installer.force", SPEC_TYPE_BOOLEAN,
                .otherwise = "false", FIELD(installer.force),
                .summary = "the installer goes on after some failed checks" },
        [KEY_INSTALLER_SELINUX] = { "installer.selinux", SPEC_TYPE_BOOLEAN,
                .otherwise = "false", FIELD(installer.selinux),
                .summary = "the installer sets SELinux up; with engine: podman only" },
        [KEY_INSTALLER_EXTRA_ARGS] = { "installer.extra_args", SPEC_TYPE_ARGUMENTS,
                FIELD(installer.extra_args),
                .summary = "further arguments of the script" },

        [KEY_RETRY] = { "retry", SPEC_TYPE_SECTION,
                .summary = "how often and how long" },
        [KEY_RETRY_SPLAY] = { "retry.splay", SPEC_TYPE_DURATION,
                .otherwise = "60s", .maximum = HOURS(24), FIELD(retry.splay_us),
                .summary = "the first contact is spread over this" },
        [KEY_RETRY_BACKOFF] = { "retry.backoff", SPEC_TYPE_SECTION,
                .summary = "pauses between tries" },
        [KEY_RETRY_BACKOFF_MIN] = { "retry.backoff.min", SPEC_TYPE_DURATION,
                .otherwise = "5s", .minimum = USEC_PER_MSEC, .maximum = HOURS(1),
                FIELD(retry.backoff_min_us),
                .summary = "first pause" },
        [KEY_RETRY_BACKOFF_MAX] = { "retry.backoff.max", SPEC_TYPE_DURATION,
                .otherwise = "60s", .minimum = USEC_PER_MSEC, .maximum = HOURS(24),
                FIELD(retry.backoff_max_us),
                .summary = "longest pause, between looks for a coordinator that is away as well" },
        [KEY_RETRY_WINDOWS] = { "retry.windows", SPEC_TYPE_COUNT,
                .otherwise = "3", .minimum = 1, .maximum = 100, FIELD(retry.windows),
                .summary = "tokens minted one after the other before giving up" },
        [KEY_RETRY_GIVE_UP_AFTER] = { "retry.give_up_after", SPEC_TYPE_DURATION,
                .otherwise = "4h", .minimum = SECONDS(1), .maximum = HOURS(24 * 30),
                FIELD(retry.give_up_after_us),
                .summary = "wall of the whole enrollment" },

        [KEY_VERIFY] = { "verify", SPEC_TYPE_SECTION,
                .summary = "the proof of membership" },
        [KEY_VERIFY_BY] = { "verify.by", SPEC_TYPE_WORD,
                .otherwise = "coordinator", .words = verify_words, FIELD(verify.by),
                .summary = "who is asked: coordinator, local, both" },
        [KEY_VERIFY_TIMEOUT] = { "verify.timeout", SPEC_TYPE_DURATION,
                .otherwise = "10m", .minimum = SECONDS(1), .maximum = HOURS(24),
                FIELD(verify.timeout_us),
                .summary = "time the platform has to agree" },
        [KEY_VERIFY_STABLE_FOR] = { "verify.stable_for", SPEC_TYPE_DURATION,
                .otherwise = "30s", .maximum = HOURS(24), FIELD(verify.stable_for_us),
                .summary = "time it must agree without a break" },
        [KEY_VERIFY_DRIFT_EVERY] = { "verify.drift_every", SPEC_TYPE_DURATION,
                .otherwise = "1h", .maximum = HOURS(24 * 7), FIELD(verify.drift_every_us),
                .summary = "time between two looks at an enrolled host; 0: none" },

        [KEY_ON_MEMBER] = { "on_member", SPEC_TYPE_WORD,
                .otherwise = "verify", .words = member_words, FIELD(on_member),
                .summary = "the host is a member already: verify, ignore" },
        [KEY_ON_STALE_RUNNER] = { "on_stale_runner", SPEC_TYPE_WORD,
                .otherwise = "refuse", .words = stale_words, FIELD(on_stale_runner),
                .summary = "a disconnected runner bears our id: refuse, replace" },

        [KEY_REPORT] = { "report", SPEC_TYPE_SECTION,
                .summary = "who else is told" },
        [KEY_REPORT_HOOKS_DIR] = { "report.hooks_dir", SPEC_TYPE_TEXT,
                .otherwise = "/etc/ece-enroll/hooks.d", .kind = VALUE_PATH, FIELD(report.hooks_dir),
                .summary = "directory of the hooks" },
        [KEY_REPORT_METRICS_TEXTFILE] = { "report.metrics_textfile", SPEC_TYPE_TEXT,
                .kind = VALUE_PATH, FIELD(report.metrics_textfile),
                .summary = "file for the node exporter's textfile collector" },
        [KEY_REPORT_WEBHOOK] = { "report.webhook", SPEC_TYPE_SECTION,
                .summary = "who is sent each verdict" },
        [KEY_REPORT_WEBHOOK_URL] = { "report.webhook.url", SPEC_TYPE_URL,
                .required = true, .maximum = 2048, FIELD(report.webhook_url),
                .summary = "https URL" },
        [KEY_REPORT_WEBHOOK_CA_FILE] = { "report.webhook.ca_file", SPEC_TYPE_TEXT,
                .kind = VALUE_PATH, FIELD(report.webhook_ca_file),
                .summary = "PEM file with the CA of the receiver; without: the system's own" },
        [KEY_REPORT_WEBHOOK_HMAC_KEY] = { "report.webhook.hmac_key", SPEC_TYPE_SECRET,
                FIELD(report.webhook_hmac_key),
                .summary = "where the signing key is" },

        [KEY_FORGET_CREDENTIAL] = { "forget_credential", SPEC_TYPE_BOOLEAN,
                .otherwise = "false", FIELD(forget_credential),
                .summary = "remove the credential's file once the host is verified" },
};

const SpecSchema *spec_schema(SpecKey key) {
        assert(key < _SPEC_KEY_MAX);
        return schema + key;
}

const char *spec_schema_name(SpecKey key) {
        const char *dot = strrchr(spec_schema(key)->path, '.');

        return dot ? dot + 1 : schema[key].path;
}

SpecKey spec_schema_section(SpecKey key) {
        const char *path = spec_schema(key)->path, *dot = strrchr(path, '.');

        if (!dot)
                return _SPEC_KEY_INVALID;
        size_t n = (size_t) (dot - path);
        for (SpecKey s = 0; s < _SPEC_KEY_MAX; s++)
                if (strlen(schema[s].path) == n && memcmp(schema[s].path, path, n) == 0)
                        return s;
        assert(!"a key without its section");
        return _SPEC_KEY_INVALID;
}

size_t spec_schema_members(SpecKey section, const char *ret[static SPEC_SECTION_KEYS_MAX]) {
        size_t n = 0;

        for (SpecKey key = 0; key < _SPEC_KEY_MAX; key++)
                if (spec_schema_section(key) == section) {
                        assert(n < SPEC_SECTION_KEYS_MAX);
                        ret[n++] = spec_schema_name(key);
                }
        return n;
}

const char *spec_key(size_t n) {
        return n < _SPEC_KEY_MAX ? schema[n].path : NULL;
}
