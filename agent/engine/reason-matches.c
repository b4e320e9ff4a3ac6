/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From what was observed to its reason. One row for each fact that is known about ECE's API, its
 * installer, libcurl, TLS and ourselves, and one for each origin that fits whatever is left.
 *
 * The order here is for the reader; classify.c chooses by how much a row says. Numbers of
 * ORIGIN_CURL are CURLcodes, which libcurl never renumbers; they stand here as numbers because this
 * room knows no library. A test compares them with curl/curl.h.
 */

#include "engine/reasons.h"

#include "base/cleanup.h"

#define ANY MATCH_ANY

const ReasonMatch reason_matches[] = {
        /* No HTTP reply was had. What is not here can't happen with our options; the test names it. */
        { ORIGIN_CURL, 1, NULL, "coordinator.bad-address" },       /* CURLE_UNSUPPORTED_PROTOCOL */
        { ORIGIN_CURL, 2, NULL, "coordinator.client-fault" },      /* CURLE_FAILED_INIT */
        { ORIGIN_CURL, 3, NULL, "coordinator.bad-address" },       /* CURLE_URL_MALFORMAT */
        { ORIGIN_CURL, 4, NULL, "coordinator.client-fault" },      /* CURLE_NOT_BUILT_IN */
        { ORIGIN_CURL, 5, NULL, "coordinator.resolve-failed" },    /* CURLE_COULDNT_RESOLVE_PROXY */
        { ORIGIN_CURL, 6, NULL, "coordinator.resolve-failed" },    /* CURLE_COULDNT_RESOLVE_HOST */
        { ORIGIN_CURL, 7, NULL, "coordinator.connect-refused" },   /* CURLE_COULDNT_CONNECT */
        { ORIGIN_CURL, 7, "no-route", "host.route" },              /* the kernel knows no way */
        { ORIGIN_CURL, 8, NULL, "coordinator.unknown-answer" },    /* CURLE_WEIRD_SERVER_REPLY */
        { ORIGIN_CURL, 16, NULL, "coordinator.transfer-failed" },  /* CURLE_HTTP2 */
        { ORIGIN_CURL, 18, NULL, "coordinator.reset" },            /* CURLE_PARTIAL_FILE */
        { ORIGIN_CURL, 23, NULL, "coordinator.reply-too-large" },  /* CURLE_WRITE_ERROR */
        { ORIGIN_CURL, 27, NULL, "coordinator.client-fault" },     /* CURLE_OUT_OF_MEMORY */
        { ORIGIN_CURL, 28, NULL, "coordinator.timeout" },          /* CURLE_OPERATION_TIMEDOUT */
        { ORIGIN_CURL, 34, NULL, "coordinator.client-fault" },     /* CURLE_HTTP_POST_ERROR */
        { ORIGIN_CURL, 35, NULL, "coordinator.reset" },            /* CURLE_SSL_CONNECT_ERROR: cut in the handshake */
        { ORIGIN_CURL, 42, NULL, "coordinator.client-fault" },     /* CURLE_ABORTED_BY_CALLBACK */
        { ORIGIN_CURL, 43, NULL, "coordinator.client-fault" },     /* CURLE_BAD_FUNCTION_ARGUMENT */
        { ORIGIN_CURL, 47, NULL, "coordinator.redirect" },         /* CURLE_TOO_MANY_REDIRECTS */
        { ORIGIN_CURL, 48, NULL, "coordinator.client-fault" },     /* CURLE_UNKNOWN_OPTION */
        { ORIGIN_CURL, 49, NULL, "coordinator.client-fault" },     /* CURLE_SETOPT_OPTION_SYNTAX */
        { ORIGIN_CURL, 52, NULL, "coordinator.empty-reply" },      /* CURLE_GOT_NOTHING */
        { ORIGIN_CURL, 53, NULL, "coordinator.client-fault" },     /* CURLE_SSL_ENGINE_NOTFOUND */
        { ORIGIN_CURL, 54, NULL, "coordinator.client-fault" },     /* CURLE_SSL_ENGINE_SETFAILED */
        { ORIGIN_CURL, 55, NULL, "coordinator.reset" },            /* CURLE_SEND_ERROR */
        { ORIGIN_CURL, 56, NULL, "coordinator.reset" },            /* CURLE_RECV_ERROR */
        { ORIGIN_CURL, 58, NULL, "coordinator.tls-failed" },       /* CURLE_SSL_CERTPROBLEM */
        { ORIGIN_CURL, 59, NULL, "coordinator.tls-protocol" },     /* CURLE_SSL_CIPHER */
        { ORIGIN_CURL, 60, NULL, "coordinator.tls-untrusted" },    /* CURLE_PEER_FAILED_VERIFICATION */
        { ORIGIN_CURL, 61, NULL, "coordinator.reply-unusable" },   /* CURLE_BAD_CONTENT_ENCODING */
        { ORIGIN_CURL, 63, NULL, "coordinator.reply-too-large" },  /* CURLE_FILESIZE_EXCEEDED */
        { ORIGIN_CURL, 65, NULL, "coordinator.transfer-failed" },  /* CURLE_SEND_FAIL_REWIND */
        { ORIGIN_CURL, 66, NULL, "coordinator.client-fault" },     /* CURLE_SSL_ENGINE_INITFAILED */
        { ORIGIN_CURL, 67, NULL, "coordinator.bad-address" },      /* CURLE_LOGIN_DENIED */
        { ORIGIN_CURL, 77, NULL, "coordinator.tls-failed" },       /* CURLE_SSL_CACERT_BADFILE */
        { ORIGIN_CURL, 80, NULL, "coordinator.reset" },            /* CURLE_SSL_SHUTDOWN_FAILED */
        { ORIGIN_CURL, 81, NULL, "coordinator.transfer-failed" },  /* CURLE_AGAIN */
        { ORIGIN_CURL, 83, NULL, "coordinator.tls-untrusted" },    /* CURLE_SSL_ISSUER_ERROR */
        { ORIGIN_CURL, 89, NULL, "coordinator.client-fault" },     /* CURLE_NO_CONNECTION_AVAILABLE */
        { ORIGIN_CURL, 90, NULL, "coordinator.tls-pin-mismatch" }, /* CURLE_SSL_PINNEDPUBKEYNOTMATCH */
        { ORIGIN_CURL, 91, NULL, "coordinator.tls-failed" },       /* CURLE_SSL_INVALIDCERTSTATUS */
        { ORIGIN_CURL, 92, NULL, "coordinator.transfer-failed" },  /* CURLE_HTTP2_STREAM */
        { ORIGIN_CURL, 93, NULL, "coordinator.client-fault" },     /* CURLE_RECURSIVE_API_CALL */
        { ORIGIN_CURL, 94, NULL, "coordinator.client-fault" },     /* CURLE_AUTH_ERROR */
        { ORIGIN_CURL, 97, NULL, "coordinator.in-between" },       /* CURLE_PROXY */
        { ORIGIN_CURL, 98, NULL, "coordinator.wants-certificate" }, /* CURLE_SSL_CLIENTCERT */
        { ORIGIN_CURL, 99, NULL, "coordinator.client-fault" },     /* CURLE_UNRECOVERABLE_POLL */
        { ORIGIN_CURL, 100, NULL, "coordinator.reply-too-large" }, /* CURLE_TOO_LARGE */
        { ORIGIN_CURL, ANY, NULL, "coordinator.transfer-failed" },

        /* The proxy of the spec. */
        { ORIGIN_PROXY, ANY, "unreachable", "proxy.unreachable" },
        { ORIGIN_PROXY, 407, NULL, "proxy.authentication" },
        { ORIGIN_PROXY, MATCH_4XX, NULL, "proxy.forbidden" },
        { ORIGIN_PROXY, 408, NULL, "proxy.failing" },
        { ORIGIN_PROXY, 429, NULL, "proxy.failing" },
        { ORIGIN_PROXY, MATCH_5XX, NULL, "proxy.failing" },
        { ORIGIN_PROXY, ANY, NULL, "proxy.other" },

        /* The peer's certificate; numbers are OpenSSL's X509_V_ERR values. A check that fails is final
         * once and for all, save by a date; a check that could not be made says nothing yet. */
        { ORIGIN_TLS, ANY, "untrusted", "coordinator.tls-untrusted" },
        { ORIGIN_TLS, ANY, "pin-mismatch", "coordinator.tls-pin-mismatch" },
        { ORIGIN_TLS, ANY, "name-mismatch", "coordinator.tls-name-mismatch" },
        { ORIGIN_TLS, ANY, "expired", "coordinator.tls-expired" },
        { ORIGIN_TLS, ANY, "not-yet-valid", "coordinator.tls-not-yet-valid" },
        { ORIGIN_TLS, ANY, "protocol", "coordinator.tls-protocol" },
        { ORIGIN_TLS, ANY, "weak", "coordinator.tls-weak" },
        { ORIGIN_TLS, 0, "other", "coordinator.tls-failed" },    /* none: libcurl's own trouble */
        { ORIGIN_TLS, 1, "other", "coordinator.tls-failed" },    /* X509_V_ERR_UNSPECIFIED */
        { ORIGIN_TLS, 17, "other", "coordinator.client-fault" }, /* X509_V_ERR_OUT_OF_MEM */
        { ORIGIN_TLS, ANY, "other", "coordinator.tls-refused" },
        { ORIGIN_TLS, ANY, NULL, "coordinator.tls-failed" },

        /* A status, and the body was none of ECE's. 403 and 404 are then the word of something
         * in between; 449 is ECE's own invention (up to 3.5) and never means "again" here. */
        { ORIGIN_HTTP, MATCH_3XX, NULL, "coordinator.redirect" },
        { ORIGIN_HTTP, 401, NULL, "credential.denied" },
        { ORIGIN_HTTP, 403, NULL, "coordinator.in-between" },
        { ORIGIN_HTTP, 404, NULL, "coordinator.in-between" },
        { ORIGIN_HTTP, 407, NULL, "coordinator.proxy-authentication" },
        { ORIGIN_HTTP, 408, NULL, "coordinator.timeout" },
        { ORIGIN_HTTP, 425, NULL, "coordinator.server-error" },
        { ORIGIN_HTTP, 429, NULL, "coordinator.throttled" },
        { ORIGIN_HTTP, 449, NULL, "credential.elevation-required" },
        { ORIGIN_HTTP, MATCH_4XX, NULL, "coordinator.request-refused" },
        { ORIGIN_HTTP, 504, NULL, "coordinator.timeout" },
        { ORIGIN_HTTP, MATCH_5XX, NULL, "coordinator.server-error" },
        { ORIGIN_HTTP, ANY, NULL, "coordinator.unknown-answer" },

        /* ECE's own codes, whatever the status: 200 may carry errors, too. */
        { ORIGIN_ECE, ANY, "controller_route.controller_not_ready", "coordinator.not-ready" },
        { ORIGIN_ECE, ANY, "enrollment_tokens.invalid_token_request", "coordinator.request-invalid" },
        { ORIGIN_ECE, ANY, "enrollment_tokens.signing_key_not_found", "platform.no-signing-key" },
        { ORIGIN_ECE, ANY, "enrollment_tokens.invalid_token_id", "platform.token-unknown" },
        { ORIGIN_ECE, ANY, "root.invalid_json_request", "coordinator.request-invalid" },
        { ORIGIN_ECE, ANY, "root.unauthenticated", "credential.denied" },
        { ORIGIN_ECE, ANY, "root.unauthorized", "credential.session-expired" },
        { ORIGIN_ECE, ANY, "root.unauthorized.rbac", "credential.not-permitted" },
        { ORIGIN_ECE, ANY, "root.unauthorized.rbac.elevated_permissions_required",
          "credential.elevation-required" },
        { ORIGIN_ECE, ANY, "root.needs_elevated_permissions", "credential.elevation-required" },
        { ORIGIN_ECE, ANY, "root.needs_sudo", "credential.elevation-required" },
        { ORIGIN_ECE, ANY, "root.resource_not_found", "coordinator.no-such-address" },
        { ORIGIN_ECE, ANY, "root.region_not_found", "coordinator.no-such-address" },
        { ORIGIN_ECE, ANY, "runners.runner_not_found", "platform.not-found-yet" },
        { ORIGIN_ECE, ANY, "runners.runner_deletion_failed", "platform.not-removed" },
        { ORIGIN_ECE, ANY, "runners.runner_set_roles_failed", "coordinator.request-refused" },
        { ORIGIN_ECE, ANY, "runners.search_failed", "coordinator.request-invalid" },
        { ORIGIN_ECE, ANY, "runners.resync_failed", "coordinator.server-error" },
        { ORIGIN_ECE, ANY, "allocators.allocator_not_found", "platform.not-found-yet" },
        { ORIGIN_ECE, ANY, "allocators.delete_connected_allocator_attempt", "platform.not-removed" },
        { ORIGIN_ECE, ANY, "allocators.delete_allocator_with_instances_attempt",
          "platform.not-removed" },
        { ORIGIN_ECE, ANY, "clusters.command_prohibited", "platform.move-refused" },
        { ORIGIN_ECE, ANY, "clusters.cluster_invalid_plan", "platform.move-refused" },
        { ORIGIN_ECE, ANY, "clusters.plan_feature_not_implemented", "platform.move-refused" },
        { ORIGIN_ECE, ANY, "proxies.proxy_not_found", "platform.not-found-yet" },
        { ORIGIN_ECE, ANY, "roles.not_found", "platform.role-unknown" },
        { ORIGIN_ECE, ANY, "roles.version_conflict", "coordinator.conflict" },
        { ORIGIN_ECE, ANY, "user.not_found", "platform.user-unknown" },
        { ORIGIN_ECE, ANY, "api_keys.invalid_input", "coordinator.request-invalid" },
        { ORIGIN_ECE, ANY, "license.license_not_found", "coordinator.unknown-answer" },
        { ORIGIN_ECE, ANY, "authc.authentication_cluster_error", "credential.login-failing" },
        { ORIGIN_ECE, ANY, "authc.no_authentication_cluster", "credential.login-unavailable" },
        /* Codes that nobody has told us of: the status decides. A 403 is then no proof that the right
         * is missing, so it gets the benefit of the doubt that a 401 gets. */
        { ORIGIN_ECE, 401, NULL, "credential.denied" },
        { ORIGIN_ECE, 403, NULL, "credential.refused" },
        { ORIGIN_ECE, 404, NULL, "coordinator.no-such-address" },
        { ORIGIN_ECE, 408, NULL, "coordinator.timeout" },
        { ORIGIN_ECE, 409, NULL, "coordinator.conflict" },
        { ORIGIN_ECE, 429, NULL, "coordinator.throttled" },
        { ORIGIN_ECE, 449, NULL, "credential.elevation-required" },
        { ORIGIN_ECE, MATCH_4XX, NULL, "coordinator.request-refused" },
        { ORIGIN_ECE, MATCH_5XX, NULL, "coordinator.server-error" },
        { ORIGIN_ECE, ANY, NULL, "coordinator.unknown-answer" },

        /* A reply that should have been good and is of no use. */
        { ORIGIN_REPLY, ANY, "html", "coordinator.reply-html" },
        { ORIGIN_REPLY, ANY, "empty", "coordinator.reply-unusable" },
        { ORIGIN_REPLY, ANY, "truncated", "coordinator.reply-unusable" },
        { ORIGIN_REPLY, ANY, "not-json", "coordinator.reply-unusable" },
        { ORIGIN_REPLY, ANY, "wrong-type", "coordinator.reply-unusable" },
        { ORIGIN_REPLY, ANY, "not-ok", "coordinator.reply-unusable" },
        { ORIGIN_REPLY, ANY, "too-large", "coordinator.reply-too-large" },
        { ORIGIN_REPLY, ANY, "redirect", "coordinator.redirect" },
        { ORIGIN_REPLY, ANY, NULL, "coordinator.unknown-answer" },

        { ORIGIN_TOKEN, ANY, "malformed", "token.malformed" },
        { ORIGIN_TOKEN, ANY, "role-missing", "token.role-missing" },
        { ORIGIN_TOKEN, ANY, "given-expired", "token.given-expired" },
        { ORIGIN_TOKEN, ANY, "given-too-short", "token.given-too-short" },
        { ORIGIN_TOKEN, ANY, "expired", "token.expired" },
        { ORIGIN_TOKEN, ANY, "short-lived", "token.short-lived" },
        { ORIGIN_TOKEN, ANY, "no-expiry", "token.no-expiry" },
        { ORIGIN_TOKEN, ANY, "persistent", "token.persistent" },
        { ORIGIN_TOKEN, ANY, "absent", "token.absent" },
        { ORIGIN_TOKEN, ANY, "still-listed", "token.still-listed" },
        { ORIGIN_TOKEN, ANY, NULL, "token.other" },

        { ORIGIN_CREDENTIAL, ANY, "missing", "credential.missing" },
        { ORIGIN_CREDENTIAL, ANY, "unreadable", "credential.unreadable" },
        { ORIGIN_CREDENTIAL, ANY, "permissions", "credential.permissions" },
        { ORIGIN_CREDENTIAL, ANY, "empty", "credential.empty" },
        { ORIGIN_CREDENTIAL, ANY, "command-failed", "credential.command-failed" },
        { ORIGIN_CREDENTIAL, ANY, "too-large", "credential.unusable" },
        { ORIGIN_CREDENTIAL, ANY, "not-printable", "credential.unusable" },
        { ORIGIN_CREDENTIAL, ANY, "environment", "credential.unusable" },
        { ORIGIN_CREDENTIAL, ANY, "client-certificate", "credential.client-certificate" },
        { ORIGIN_CREDENTIAL, ANY, NULL, "credential.other" },

        { ORIGIN_SPEC, ANY, "absent", "spec.absent" },
        { ORIGIN_SPEC, ANY, "invalid", "spec.invalid" },
        { ORIGIN_SPEC, ANY, NULL, "spec.other" },

        { ORIGIN_HOST, ANY, "user", "host.user" },
        { ORIGIN_HOST, ANY, "user-missing", "host.user-missing" },
        { ORIGIN_HOST, ANY, "group", "host.group" },
        { ORIGIN_HOST, ANY, "no-answer", "host.no-answer" },
        { ORIGIN_HOST, ANY, "script", "host.script" },
        { ORIGIN_HOST, ANY, "script-permissions", "host.script-permissions" },
        { ORIGIN_HOST, ANY, "script-sha256", "host.script-sha256" },
        { ORIGIN_HOST, ANY, "script-version", "host.script-version" },
        { ORIGIN_HOST, ANY, "engine-socket", "host.engine-socket" },
        { ORIGIN_HOST, ANY, "engine-client", "host.engine-client" },
        { ORIGIN_HOST, ANY, "storage", "host.storage" },
        { ORIGIN_HOST, ANY, "address", "host.address" },
        { ORIGIN_HOST, ANY, "ports", "host.ports" },
        { ORIGIN_HOST, ANY, "disk-space", "host.disk-space" },
        { ORIGIN_HOST, ANY, "record", "host.record" },
        { ORIGIN_HOST, ANY, "left", "host.left" },
        { ORIGIN_HOST, ANY, "other-installation", "host.other-installation" },
        { ORIGIN_HOST, ANY, "route", "host.route" },
        { ORIGIN_HOST, ANY, NULL, "host.other" },

        { ORIGIN_PLAN, ANY, "script-too-old", "plan.script-too-old" },
        { ORIGIN_PLAN, ANY, "version-mismatch", "plan.version-mismatch" },
        { ORIGIN_PLAN, ANY, "script-version-unknown", "plan.script-version-unknown" },
        { ORIGIN_PLAN, ANY, "value-refused", "plan.value-refused" },
        { ORIGIN_PLAN, ANY, "stale-runner", "plan.stale-runner" },
        { ORIGIN_PLAN, ANY, NULL, "plan.other" },

        /* The installer: evidence first (installer/evidence.h makes it), the bare status only without
         * any: 1 to 5 may be the script's own or the container's. */
        { ORIGIN_INSTALLER, ANY, "bad-arguments", "installer.bad-arguments" },
        { ORIGIN_INSTALLER, ANY, "script-too-old", "installer.script-too-old" },
        { ORIGIN_INSTALLER, ANY, "engine-socket", "installer.engine-socket" },
        { ORIGIN_INSTALLER, ANY, "engine-down", "installer.engine-down" },
        { ORIGIN_INSTALLER, ANY, "engine-denied", "installer.engine-denied" },
        { ORIGIN_INSTALLER, ANY, "user-ids", "installer.user-ids" },
        { ORIGIN_INSTALLER, ANY, "firewalld", "installer.firewalld" },
        { ORIGIN_INSTALLER, ANY, "os-unsupported", "installer.os-unsupported" },
        { ORIGIN_INSTALLER, ANY, "storage-permissions", "installer.storage-permissions" },
        { ORIGIN_INSTALLER, ANY, "host-ip", "installer.host-ip" },
        { ORIGIN_INSTALLER, ANY, "not-runnable", "installer.not-runnable" },
        { ORIGIN_INSTALLER, ANY, "not-found", "installer.not-runnable" },
        { ORIGIN_INSTALLER, ANY, "script-failed", "installer.script-failed" },
        { ORIGIN_INSTALLER, ANY, "name-conflict", "installer.name-conflict" },
        { ORIGIN_INSTALLER, ANY, "port-in-use", "installer.port-in-use" },
        { ORIGIN_INSTALLER, ANY, "pull-failed", "installer.pull-failed" },
        { ORIGIN_INSTALLER, ANY, "engine-run-failed", "installer.engine-run-failed" },
        { ORIGIN_INSTALLER, ANY, "handoff-failed", "installer.handoff-failed" },
        { ORIGIN_INSTALLER, ANY, "shim-failed", "installer.shim-failed" },
        { ORIGIN_INSTALLER, ANY, "disk-full", "host.disk-space" },
        { ORIGIN_INSTALLER, ANY, "installation-failed", "installer.installation-failed" },
        { ORIGIN_INSTALLER, ANY, "run-failed", "installer.run-failed" },
        { ORIGIN_INSTALLER, ANY, "unexplained", "installer.failed" },
        { ORIGIN_INSTALLER, ANY, "timed-out", "installer.timed-out" },
        { ORIGIN_INSTALLER, ANY, "terminated", "installer.terminated" },
        { ORIGIN_INSTALLER, ANY, "killed", "installer.killed" },
        { ORIGIN_INSTALLER, ANY, "status-lost", "installer.status-lost" },
        { ORIGIN_INSTALLER, 1, NULL, "installer.script-failed" },
        { ORIGIN_INSTALLER, 2, NULL, "installer.bad-arguments" },
        { ORIGIN_INSTALLER, 3, NULL, "installer.bad-arguments" },
        { ORIGIN_INSTALLER, 4, NULL, "installer.engine-denied" },
        { ORIGIN_INSTALLER, 5, NULL, "installer.engine-socket" },
        { ORIGIN_INSTALLER, 97, NULL, "installer.handoff-failed" },
        { ORIGIN_INSTALLER, 98, NULL, "installer.shim-failed" },
        { ORIGIN_INSTALLER, 125, NULL, "installer.engine-run-failed" },
        { ORIGIN_INSTALLER, 126, NULL, "installer.not-runnable" },
        { ORIGIN_INSTALLER, 127, NULL, "installer.not-runnable" },
        { ORIGIN_INSTALLER, 130, NULL, "installer.killed" },
        { ORIGIN_INSTALLER, 137, NULL, "installer.killed" },
        { ORIGIN_INSTALLER, 141, NULL, "installer.killed" },
        { ORIGIN_INSTALLER, 143, NULL, "installer.killed" },
        { ORIGIN_INSTALLER, ANY, NULL, "installer.failed" },

        { ORIGIN_ENGINE, ANY, "no-socket", "host.engine-socket" },
        { ORIGIN_ENGINE, ANY, "not-answering", "engine.not-answering" },
        { ORIGIN_ENGINE, ANY, "foreign-installer", "engine.foreign-installer" },
        { ORIGIN_ENGINE, ANY, "pull-failed", "installer.pull-failed" },
        { ORIGIN_ENGINE, ANY, "not-settled", "engine.not-settled" },
        { ORIGIN_ENGINE, ANY, "unexpected-reply", "engine.other" },
        { ORIGIN_ENGINE, ANY, NULL, "engine.other" },

        { ORIGIN_KEEPER, ANY, "not-answering", "keeper.not-answering" },
        { ORIGIN_KEEPER, ANY, "unreachable", "keeper.unreachable" },
        { ORIGIN_KEEPER, ANY, "lost", "keeper.lost" },
        { ORIGIN_KEEPER, ANY, "protocol", "keeper.protocol" },
        { ORIGIN_KEEPER, ANY, "refused", "keeper.refused" },
        { ORIGIN_KEEPER, ANY, "spec-differs", "keeper.spec-differs" },
        { ORIGIN_KEEPER, ANY, "peer", "keeper.peer" },
        { ORIGIN_KEEPER, ANY, "busy", "keeper.busy" },
        { ORIGIN_KEEPER, ANY, "internal", "keeper.internal" },
        { ORIGIN_KEEPER, ANY, NULL, "keeper.other" },

        /* The platform's view: the words of model/verdict.h. */
        { ORIGIN_VERIFY, ANY, "runner-not-found", "verify.runner-not-found" },
        { ORIGIN_VERIFY, ANY, "foreign-host", "verify.foreign-host" },
        { ORIGIN_VERIFY, ANY, "runner-not-connected", "verify.runner-not-connected" },
        { ORIGIN_VERIFY, ANY, "runner-not-healthy", "verify.runner-not-healthy" },
        { ORIGIN_VERIFY, ANY, "role-missing", "verify.role-missing" },
        { ORIGIN_VERIFY, ANY, "role-not-blessed", "verify.role-not-blessed" },
        { ORIGIN_VERIFY, ANY, "role-pending", "verify.role-pending" },
        { ORIGIN_VERIFY, ANY, "role-not-effective", "verify.role-not-effective" },
        { ORIGIN_VERIFY, ANY, "local-runner", "verify.local-runner" },
        { ORIGIN_VERIFY, ANY, "local-role", "verify.local-role" },
        { ORIGIN_VERIFY, ANY, "role-extra", "verify.role-extra" },
        { ORIGIN_VERIFY, ANY, "zone-differs", "verify.zone-differs" },
        { ORIGIN_VERIFY, ANY, "version-differs", "verify.version-differs" },
        { ORIGIN_VERIFY, ANY, "maintenance-mode", "verify.maintenance-mode" },
        { ORIGIN_VERIFY, ANY, "instances-left", "verify.instances-left" },
        { ORIGIN_VERIFY, ANY, "unstable", "verify.unstable" },
        { ORIGIN_VERIFY, ANY, NULL, "verify.other" },

        { ORIGIN_AGENT, ANY, "deadline", "agent.deadline" },
        { ORIGIN_AGENT, ANY, "windows", "agent.windows" },
        { ORIGIN_AGENT, ANY, "loop", "agent.loop" },
        { ORIGIN_AGENT, ANY, "interrupted", "agent.interrupted" },
        { ORIGIN_AGENT, ANY, "not-answering", "agent.other" },
        /* A fault of ours, unless it is the machine that lacks something: numbers are errnos. */
        { ORIGIN_AGENT, 5, "internal", "agent.resources" },   /* EIO */
        { ORIGIN_AGENT, 11, "internal", "agent.resources" },  /* EAGAIN */
        { ORIGIN_AGENT, 12, "internal", "agent.resources" },  /* ENOMEM */
        { ORIGIN_AGENT, 23, "internal", "agent.resources" },  /* ENFILE */
        { ORIGIN_AGENT, 24, "internal", "agent.resources" },  /* EMFILE */
        { ORIGIN_AGENT, 28, "internal", "agent.resources" },  /* ENOSPC */
        { ORIGIN_AGENT, 105, "internal", "agent.resources" }, /* ENOBUFS */
        { ORIGIN_AGENT, ANY, "internal", "agent.internal" },
        { ORIGIN_AGENT, ANY, NULL, "agent.other" },
};

const size_t reason_matches_n = ELEMENTS(reason_matches);
