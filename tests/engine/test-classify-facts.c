/* SPDX-License-Identifier: Apache-2.0 */

/* What is known of ECE's API and installer, fact by fact, and what must come of it: reason, class, exit
 * code. Written from the descriptions of both, not from the classification table, so that a slip in
 * one of the two shows. Codes, statuses and evidence stand as the world says them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "engine/classify.h"

typedef struct Fact {
        Origin origin;
        int number;
        const char *code;
        const char *reason;
        OutcomeClass class;
        int exit_code;
} Fact;

static const Fact facts[] = {
        /* No reply: refused, time-out, names, reset, empty: passing, the next coordinator is asked */
        { ORIGIN_CURL, 6, "", "coordinator.resolve-failed", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 7, "", "coordinator.connect-refused", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 7, "no-route", "host.route", CLASS_HOST, 69 },
        { ORIGIN_CURL, 28, "", "coordinator.timeout", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 52, "", "coordinator.empty-reply", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 55, "", "coordinator.reset", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 56, "", "coordinator.reset", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 18, "", "coordinator.reset", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 35, "", "coordinator.reset", CLASS_TRANSIENT, 69 },
        { ORIGIN_CURL, 95, "", "coordinator.transfer-failed", CLASS_TRANSIENT, 69 },
        /* TLS: final, never insecure; but a date is the clock's */
        { ORIGIN_TLS, 18, "untrusted", "coordinator.tls-untrusted", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 19, "untrusted", "coordinator.tls-untrusted", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 20, "untrusted", "coordinator.tls-untrusted", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 62, "name-mismatch", "coordinator.tls-name-mismatch", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 64, "name-mismatch", "coordinator.tls-name-mismatch", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 0, "pin-mismatch", "coordinator.tls-pin-mismatch", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 66, "weak", "coordinator.tls-weak", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 10, "expired", "coordinator.tls-expired", CLASS_TIME, 69 },
        { ORIGIN_TLS, 9, "not-yet-valid", "coordinator.tls-not-yet-valid", CLASS_TIME, 69 },
        { ORIGIN_TLS, 0, "protocol", "coordinator.tls-protocol", CLASS_TRANSIENT, 69 },
        { ORIGIN_TLS, 25, "other", "coordinator.tls-refused", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 32, "other", "coordinator.tls-refused", CLASS_PERMANENT, 69 },
        { ORIGIN_TLS, 1, "other", "coordinator.tls-failed", CLASS_TRANSIENT, 69 },
        { ORIGIN_TLS, 0, "other", "coordinator.tls-failed", CLASS_TRANSIENT, 69 },
        /* Hosts that are somebody else's, or nobody's any more: nothing is done to them */
        { ORIGIN_HOST, 0, "other-installation", "host.other-installation", CLASS_PERMANENT, 78 },
        { ORIGIN_HOST, 0, "left", "host.left", CLASS_PERMANENT, 78 },
        /* A host that is to leave, and instances that find no place elsewhere */
        { ORIGIN_VERIFY, 0, "instances-left", "verify.instances-left", CLASS_OPERATOR, 76 },
        { ORIGIN_ECE, 403, "clusters.command_prohibited", "platform.move-refused", CLASS_OPERATOR, 76 },
        { ORIGIN_ECE, 400, "clusters.cluster_invalid_plan", "platform.move-refused", CLASS_OPERATOR, 76 },
        { ORIGIN_ECE, 400, "clusters.plan_feature_not_implemented", "platform.move-refused", CLASS_OPERATOR, 76 },
        /* A token that was revoked and is not gone: a list may lag */
        { ORIGIN_TOKEN, 200, "still-listed", "token.still-listed", CLASS_TRANSIENT, 76 },
        /* Any 3xx: final, never followed with a credential */
        { ORIGIN_HTTP, 301, "", "coordinator.redirect", CLASS_PERMANENT, 78 },
        { ORIGIN_HTTP, 302, "", "coordinator.redirect", CLASS_PERMANENT, 78 },
        { ORIGIN_HTTP, 307, "", "coordinator.redirect", CLASS_PERMANENT, 78 },
        { ORIGIN_REPLY, 302, "redirect", "coordinator.redirect", CLASS_PERMANENT, 78 },
        /* 200, and yet no good */
        { ORIGIN_ECE, 200, "controller_route.controller_not_ready",
          "coordinator.not-ready", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 200, "some.new_code", "coordinator.unknown-answer", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 200, "root.unauthenticated", "credential.denied", CLASS_CREDENTIAL, 77 },
        { ORIGIN_REPLY, 200, "html", "coordinator.reply-html", CLASS_TRANSIENT, 69 },
        { ORIGIN_REPLY, 200, "empty", "coordinator.reply-unusable", CLASS_TRANSIENT, 69 },
        { ORIGIN_REPLY, 200, "truncated", "coordinator.reply-unusable", CLASS_TRANSIENT, 69 },
        { ORIGIN_REPLY, 200, "not-json", "coordinator.reply-unusable", CLASS_TRANSIENT, 69 },
        { ORIGIN_REPLY, 200, "wrong-type", "coordinator.reply-unusable", CLASS_TRANSIENT, 69 },
        { ORIGIN_REPLY, 200, "not-ok", "coordinator.reply-unusable", CLASS_TRANSIENT, 69 },
        { ORIGIN_REPLY, 200, "too-large", "coordinator.reply-too-large", CLASS_TRANSIENT, 69 },
        /* 400 */
        { ORIGIN_ECE, 400, "enrollment_tokens.invalid_token_request",
          "coordinator.request-invalid", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 400, "root.invalid_json_request",
          "coordinator.request-invalid", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 400, "runners.search_failed", "coordinator.request-invalid", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 400, "runners.runner_set_roles_failed",
          "coordinator.request-refused", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 400, "runners.runner_deletion_failed", "platform.not-removed", CLASS_OPERATOR, 76 },
        { ORIGIN_ECE, 400, "allocators.delete_connected_allocator_attempt",
          "platform.not-removed", CLASS_OPERATOR, 76 },
        { ORIGIN_ECE, 400, "allocators.delete_allocator_with_instances_attempt",
          "platform.not-removed", CLASS_OPERATOR, 76 },
        { ORIGIN_ECE, 400, "api_keys.invalid_input", "coordinator.request-invalid", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 400, "some.new_code", "coordinator.request-refused", CLASS_PERMANENT, 78 },
        { ORIGIN_HTTP, 400, "", "coordinator.request-refused", CLASS_PERMANENT, 78 },
        /* 401: the credential's, with one more try */
        { ORIGIN_ECE, 401, "root.unauthenticated", "credential.denied", CLASS_CREDENTIAL, 77 },
        { ORIGIN_ECE, 401, "root.unauthorized", "credential.session-expired", CLASS_CREDENTIAL, 77 },
        { ORIGIN_ECE, 401, "some.new_code", "credential.denied", CLASS_CREDENTIAL, 77 },
        { ORIGIN_HTTP, 401, "", "credential.denied", CLASS_CREDENTIAL, 77 },
        /* 403: two opposite meanings, and a third without a body of ECE's */
        { ORIGIN_ECE, 403, "root.unauthorized.rbac", "credential.not-permitted", CLASS_PERMANENT, 77 },
        { ORIGIN_ECE, 403, "enrollment_tokens.signing_key_not_found",
          "platform.no-signing-key", CLASS_OPERATOR, 69 },
        { ORIGIN_ECE, 403, "some.new_code", "credential.refused", CLASS_CREDENTIAL, 77 },
        { ORIGIN_HTTP, 403, "", "coordinator.in-between", CLASS_OPERATOR, 78 },
        /* 404 */
        { ORIGIN_ECE, 404, "root.resource_not_found", "coordinator.no-such-address", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 404, "root.region_not_found", "coordinator.no-such-address", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 404, "runners.runner_not_found", "platform.not-found-yet", CLASS_TRANSIENT, 76 },
        { ORIGIN_ECE, 404, "allocators.allocator_not_found",
          "platform.not-found-yet", CLASS_TRANSIENT, 76 },
        { ORIGIN_ECE, 404, "proxies.proxy_not_found", "platform.not-found-yet", CLASS_TRANSIENT, 76 },
        { ORIGIN_ECE, 404, "roles.not_found", "platform.role-unknown", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 404, "user.not_found", "platform.user-unknown", CLASS_CREDENTIAL, 77 },
        { ORIGIN_ECE, 404, "enrollment_tokens.invalid_token_id",
          "platform.token-unknown", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 404, "some.new_code", "coordinator.no-such-address", CLASS_PERMANENT, 78 },
        { ORIGIN_HTTP, 404, "", "coordinator.in-between", CLASS_OPERATOR, 78 },
        /* 409, 449, 429, other 4xx */
        { ORIGIN_ECE, 409, "roles.version_conflict", "coordinator.conflict", CLASS_TRANSIENT, 75 },
        { ORIGIN_ECE, 449, "root.unauthorized.rbac.elevated_permissions_required",
          "credential.elevation-required", CLASS_PERMANENT, 77 },
        { ORIGIN_ECE, 449, "root.needs_elevated_permissions",
          "credential.elevation-required", CLASS_PERMANENT, 77 },
        { ORIGIN_ECE, 449, "root.needs_sudo", "credential.elevation-required", CLASS_PERMANENT, 77 },
        { ORIGIN_ECE, 449, "some.new_code", "credential.elevation-required", CLASS_PERMANENT, 77 },
        { ORIGIN_HTTP, 449, "", "credential.elevation-required", CLASS_PERMANENT, 77 },
        { ORIGIN_HTTP, 429, "", "coordinator.throttled", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 429, "some.new_code", "coordinator.throttled", CLASS_TRANSIENT, 69 },
        { ORIGIN_HTTP, 407, "", "coordinator.proxy-authentication", CLASS_OPERATOR, 78 },
        { ORIGIN_HTTP, 408, "", "coordinator.timeout", CLASS_TRANSIENT, 69 },
        { ORIGIN_HTTP, 418, "", "coordinator.request-refused", CLASS_PERMANENT, 78 },
        { ORIGIN_ECE, 418, "some.new_code", "coordinator.request-refused", CLASS_PERMANENT, 78 },
        /* any 5xx */
        { ORIGIN_HTTP, 500, "", "coordinator.server-error", CLASS_TRANSIENT, 69 },
        { ORIGIN_HTTP, 502, "", "coordinator.server-error", CLASS_TRANSIENT, 69 },
        { ORIGIN_HTTP, 503, "", "coordinator.server-error", CLASS_TRANSIENT, 69 },
        { ORIGIN_HTTP, 504, "", "coordinator.timeout", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 500, "internal.server.error", "coordinator.server-error", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 500, "runners.resync_failed", "coordinator.server-error", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 503, "some.new_code", "coordinator.server-error", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 502, "authc.authentication_cluster_error",
          "credential.login-failing", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 501, "authc.no_authentication_cluster",
          "credential.login-unavailable", CLASS_PERMANENT, 78 },
        /* A code counts with any status */
        { ORIGIN_ECE, 500, "controller_route.controller_not_ready",
          "coordinator.not-ready", CLASS_TRANSIENT, 69 },
        { ORIGIN_ECE, 200, "root.unauthorized.rbac", "credential.not-permitted", CLASS_PERMANENT, 77 },
        /* What a token must be */
        { ORIGIN_TOKEN, 200, "malformed", "token.malformed", CLASS_PERMANENT, 78 },
        { ORIGIN_TOKEN, 0, "role-missing", "token.role-missing", CLASS_PERMANENT, 76 },
        { ORIGIN_TOKEN, 0, "no-expiry", "token.no-expiry", CLASS_PERMANENT, 78 },
        { ORIGIN_TOKEN, 0, "persistent", "token.persistent", CLASS_PERMANENT, 78 },
        { ORIGIN_TOKEN, 0, "given-expired", "token.given-expired", CLASS_PERMANENT, 77 },
        { ORIGIN_TOKEN, 0, "given-too-short", "token.given-too-short", CLASS_PERMANENT, 77 },
        { ORIGIN_TOKEN, 0, "expired", "token.expired", CLASS_EXPIRED, 75 },
        /* The runner's verdict */
        { ORIGIN_VERIFY, 0, "runner-not-found", "verify.runner-not-found", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "runner-not-connected", "verify.runner-not-connected", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "runner-not-healthy", "verify.runner-not-healthy", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "role-missing", "verify.role-missing", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "role-not-blessed", "verify.role-not-blessed", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "role-pending", "verify.role-pending", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "role-not-effective", "verify.role-not-effective", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "local-runner", "verify.local-runner", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "local-role", "verify.local-role", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "zone-differs", "verify.zone-differs", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "version-differs", "verify.version-differs", CLASS_TRANSIENT, 76 },
        { ORIGIN_VERIFY, 0, "foreign-host", "verify.foreign-host", CLASS_PERMANENT, 76 },
        /* The installer's messages */
        { ORIGIN_INSTALLER, 2, "bad-arguments", "installer.bad-arguments", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 3, "bad-arguments", "installer.bad-arguments", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 1, "script-too-old", "installer.script-too-old", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 5, "engine-socket", "installer.engine-socket", CLASS_HOST, 78 },
        { ORIGIN_INSTALLER, 4, "user-ids", "installer.user-ids", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 4, "engine-denied", "installer.engine-denied", CLASS_HOST, 78 },
        { ORIGIN_INSTALLER, 4, "engine-down", "installer.engine-down", CLASS_HOST, 78 },
        { ORIGIN_INSTALLER, 5, "firewalld", "installer.firewalld", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 1, "os-unsupported", "installer.os-unsupported", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 1, "storage-permissions",
          "installer.storage-permissions", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 1, "host-ip", "installer.host-ip", CLASS_PERMANENT, 73 },
        /* Its statuses, when nothing else is known */
        { ORIGIN_INSTALLER, 1, "", "installer.script-failed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 2, "", "installer.bad-arguments", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 3, "", "installer.bad-arguments", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 4, "", "installer.engine-denied", CLASS_HOST, 78 },
        { ORIGIN_INSTALLER, 5, "", "installer.engine-socket", CLASS_HOST, 78 },
        { ORIGIN_INSTALLER, 7, "", "installer.failed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 97, "", "installer.handoff-failed", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 98, "", "installer.shim-failed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 125, "", "installer.engine-run-failed", CLASS_HOST, 75 },
        { ORIGIN_INSTALLER, 126, "", "installer.not-runnable", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 127, "", "installer.not-runnable", CLASS_PERMANENT, 73 },
        { ORIGIN_INSTALLER, 130, "", "installer.killed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 137, "", "installer.killed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 141, "", "installer.killed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 143, "", "installer.killed", CLASS_TRANSIENT, 75 },
        /* The container's own 1 to 5, 126 and 127 are not the script's */
        { ORIGIN_INSTALLER, 1, "run-failed", "installer.run-failed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 2, "run-failed", "installer.run-failed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 3, "run-failed", "installer.run-failed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 4, "run-failed", "installer.run-failed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 5, "run-failed", "installer.run-failed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 127, "run-failed", "installer.run-failed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 3, "unexplained", "installer.failed", CLASS_TRANSIENT, 75 },
        /* What goes wrong at the run and in it */
        { ORIGIN_INSTALLER, 125, "name-conflict", "installer.name-conflict", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 125, "port-in-use", "installer.port-in-use", CLASS_HOST, 78 },
        { ORIGIN_INSTALLER, 125, "pull-failed", "installer.pull-failed", CLASS_OPERATOR, 73 },
        { ORIGIN_INSTALLER, 1, "pull-failed", "installer.pull-failed", CLASS_OPERATOR, 73 },
        { ORIGIN_INSTALLER, 125, "disk-full", "host.disk-space", CLASS_HOST, 78 },
        { ORIGIN_INSTALLER, 125, "engine-down", "installer.engine-down", CLASS_HOST, 78 },
        { ORIGIN_INSTALLER, 1, "installation-failed",
          "installer.installation-failed", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 143, "timed-out", "installer.timed-out", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, 143, "terminated", "installer.terminated", CLASS_TRANSIENT, 75 },
        { ORIGIN_INSTALLER, -1, "status-lost", "installer.status-lost", CLASS_TRANSIENT, 75 },
        /* Secrets */
        { ORIGIN_CREDENTIAL, 0, "missing", "credential.missing", CLASS_CREDENTIAL, 77 },
        { ORIGIN_CREDENTIAL, 0, "client-certificate", "credential.client-certificate", CLASS_PERMANENT, 78 },
        { ORIGIN_CURL, 98, "", "coordinator.wants-certificate", CLASS_OPERATOR, 78 },
        { ORIGIN_PROXY, 0, "unreachable", "proxy.unreachable", CLASS_TRANSIENT, 69 },
        { ORIGIN_PROXY, 407, "", "proxy.authentication", CLASS_OPERATOR, 78 },
        { ORIGIN_PROXY, 403, "", "proxy.forbidden", CLASS_OPERATOR, 78 },
        { ORIGIN_PROXY, 502, "", "proxy.failing", CLASS_TRANSIENT, 69 },
        { ORIGIN_PROXY, 302, "", "proxy.other", CLASS_TRANSIENT, 69 },
        { ORIGIN_CREDENTIAL, 0, "permissions", "credential.permissions", CLASS_PERMANENT, 78 },
        { ORIGIN_CREDENTIAL, 1, "command-failed", "credential.command-failed", CLASS_TRANSIENT, 77 },
        /* This host, its engine, its keeper, ourselves */
        { ORIGIN_HOST, 28, "record", "host.record", CLASS_HOST, 78 },
        { ORIGIN_HOST, 28, "disk-space", "host.disk-space", CLASS_HOST, 78 },
        { ORIGIN_HOST, 101, "route", "host.route", CLASS_HOST, 69 },
        { ORIGIN_HOST, 111, "engine-socket", "host.engine-socket", CLASS_HOST, 78 },
        { ORIGIN_HOST, 0, "user", "host.user", CLASS_PERMANENT, 78 },
        { ORIGIN_HOST, 0, "ports", "host.ports", CLASS_HOST, 78 },
        { ORIGIN_HOST, 0, "script-permissions", "host.script-permissions", CLASS_HOST, 78 }, /* chown may be under way */
        { ORIGIN_HOST, 0, "script-sha256", "host.script-sha256", CLASS_HOST, 78 }, /* it may still be on its way */
        { ORIGIN_HOST, 0, "script-version", "host.script-version", CLASS_HOST, 78 },
        { ORIGIN_HOST, 0, "user-missing", "host.user-missing", CLASS_HOST, 78 },
        { ORIGIN_HOST, 13, "group", "host.group", CLASS_HOST, 78 },
        { ORIGIN_HOST, 110, "no-answer", "host.no-answer", CLASS_HOST, 78 },
        { ORIGIN_ENGINE, 0, "foreign-installer", "engine.foreign-installer", CLASS_HOST, 75 },
        { ORIGIN_ENGINE, 0, "not-settled", "engine.not-settled", CLASS_HOST, 75 },
        { ORIGIN_ENGINE, 409, "unexpected-reply", "engine.other", CLASS_HOST, 75 },
        { ORIGIN_ENGINE, 1, "pull-failed", "installer.pull-failed", CLASS_OPERATOR, 73 },
        { ORIGIN_KEEPER, 0, "busy", "keeper.busy", CLASS_TRANSIENT, 75 },
        { ORIGIN_KEEPER, 12, "internal", "keeper.internal", CLASS_TRANSIENT, 70 },
        { ORIGIN_KEEPER, 0, "not-answering", "keeper.not-answering", CLASS_TRANSIENT, 75 },
        { ORIGIN_KEEPER, 111, "unreachable", "keeper.unreachable", CLASS_HOST, 78 },
        { ORIGIN_PLAN, 0, "script-too-old", "plan.script-too-old", CLASS_PERMANENT, 78 },
        { ORIGIN_PLAN, 0, "version-mismatch", "plan.version-mismatch", CLASS_PERMANENT, 78 },
        { ORIGIN_PLAN, 0, "value-refused", "plan.value-refused", CLASS_PERMANENT, 78 },
        { ORIGIN_PLAN, 0, "stale-runner", "plan.stale-runner", CLASS_PERMANENT, 76 },
        { ORIGIN_SPEC, 0, "invalid", "spec.invalid", CLASS_PERMANENT, 78 },
        { ORIGIN_AGENT, 0, "deadline", "agent.deadline", CLASS_TRANSIENT, 75 },
        { ORIGIN_AGENT, 0, "windows", "agent.windows", CLASS_TRANSIENT, 75 },
        { ORIGIN_AGENT, 0, "loop", "agent.loop", CLASS_PERMANENT, 75 },
        { ORIGIN_AGENT, 15, "interrupted", "agent.interrupted", CLASS_TRANSIENT, 143 },
        { ORIGIN_AGENT, 22, "internal", "agent.internal", CLASS_PERMANENT, 70 },
        { ORIGIN_AGENT, 12, "internal", "agent.resources", CLASS_TRANSIENT, 70 },
};

static void test_facts(void **state) {
        for (size_t i = 0; i < ELEMENTS(facts); i++) {
                const Fact *f = &facts[i];
                Observation seen = observe(f->origin, f->number, f->code, "", NULL);
                Outcome outcome;

                classify(&seen, &outcome);
                if (outcome.class != f->class || outcome.exit_code != f->exit_code ||
                    !streq(outcome.reason, f->reason))
                        fail_msg("%s %d %s: %s, %s, %d", origin_to_string(f->origin), f->number, f->code,
                                 outcome.reason, outcome_class_to_string(outcome.class), outcome.exit_code);
        }
}

/* Every passing fact of a peer that says how long to wait is a throttled one, and no other is. */
static void test_facts_with_a_wish_to_wait(void **state) {
        for (size_t i = 0; i < ELEMENTS(facts); i++) {
                Observation seen = observe(facts[i].origin, facts[i].number, facts[i].code, "", NULL);
                Outcome outcome;

                seen.retry_after_us = USEC_PER_MINUTE;
                classify(&seen, &outcome);
                assert_int_equal(outcome.class,
                                 facts[i].class == CLASS_TRANSIENT ? CLASS_THROTTLED : facts[i].class);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_facts),
                cmocka_unit_test(test_facts_with_a_wish_to_wait),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
