# SPDX-License-Identifier: Apache-2.0
"""The network's and the API's faults as data. What a row means is in fault_watch.py.

A transient row: name, reason, exit code when it stays, how it is injected. A permanent one: name, reason, exit
code, further requests, how. `path` in a rule picks the question that it hits; without one it hits whatever comes first,
which is the question for the platform's version.
"""

import email.utils
import threading
import time

from bench import HOST_IP
from coordsim.process import TOKENS
from fault_watch import Fault, rule

RUNNER = "/infrastructure/runners/%s$" % HOST_IP
BLUEPRINT = "/blueprinter/roles/"
# The first look at the runner is the one before anything is done.
VERIFYING = {"path": RUNNER, "after": 1}
CONNECT = {"event": "connect"}


def status(number, code=None, **more):
    """An answer in ECE's words; without a code one that is none of ECE's."""
    if code is None:
        return rule("text", status=number, **more)
    return rule("status", status=number, code=code, **more)


def tls(**how):
    return rule("connect-tls", event="connect", **how)


def spec_with(**changes):
    return lambda bench: changes


def many_tokens(fault):
    """Each try mints one, and the spec must not be what ends it."""
    fault.spec, fault.tokens = spec_with(retry={"windows": 100}), None
    return fault


def down(bench):
    bench.sim.control.listener(up=False)


def up(bench):
    bench.sim.control.listener(up=True)


# A connection that never comes to a reply. The last member: in the bounded run, too, when it stays.
CONNECTIONS = (
    ("refused", "coordinator.connect-refused", 69, Fault(down, up, tries=0), True),
    ("reset at the first byte", "coordinator.reset", 69, rule("connect-reset", **CONNECT), False),
    ("closed on connect", "coordinator.reset", 69, rule("connect-close", **CONNECT), False),
    ("handshake cut in the middle", "coordinator.reset", 69, rule("connect-cut", **CONNECT), False),
    ("garbage instead of a handshake", "coordinator.tls-protocol", 69, rule("connect-garbage", **CONNECT), True),
    ("an SSH server on the port", "coordinator.tls-protocol", 69, rule("connect-ssh", **CONNECT), False),
    ("plain HTTP on the port", "coordinator.tls-protocol", 69, rule("connect-plain", **CONNECT), False),
    ("TLS 1.1 only", "coordinator.tls-protocol", 69, tls(maximum="TLSv1_1"), False),
    ("certificate expired", "coordinator.tls-expired", 69, tls(leaf="expired"), True),
    ("certificate not yet valid", "coordinator.tls-not-yet-valid", 69, tls(leaf="not-yet-valid"), True),
)

# A reply that is broken.
REPLIES = (
    ("reset after the request", "coordinator.reset", 69, rule("reset"), True),
    ("reset in the middle of the body", "coordinator.reset", 69, rule("truncate-reset"), False),
    ("closed after the request", "coordinator.empty-reply", 69, rule("no-reply"), True),
    ("body shorter than its Content-Length", "coordinator.reset", 69, rule("truncate"), False),
    ("half a JSON text", "coordinator.reply-unusable", 69, rule("truncate-json"), True),
    ("body of 8 MiB", "coordinator.reply-too-large", 69, rule("big-body", bytes=8 << 20), True),
    ("headers of 64 KiB", "coordinator.reply-too-large", 69, rule("header", name="X-Padding", value="x" * 65536), False),
    ("chunks without end", "coordinator.reply-too-large", 69, rule("endless"), False),
    ("a compressed body", "coordinator.reply-unusable", 69, rule("gzip"), False),
    ("HTML with 200", "coordinator.reply-html", 69, rule("html"), True),
    ("HTML with 502", "coordinator.server-error", 69, rule("html", status=502), False),
    ("empty body with 200", "coordinator.reply-unusable", 69, rule("empty"), False),
    ("204", "coordinator.reply-unusable", 69, rule("empty", status=204), False),
    ("plain text with 200", "coordinator.reply-unusable", 69, rule("text"), False),
    ("200 with errors: controller_not_ready", "coordinator.not-ready", 69, rule("200-with-errors"), True),
    ("200 with errors of unknown code", "coordinator.unknown-answer", 69,
     rule("200-with-errors", code="future.unheard_of"), True),
    ("200 with errors without a code", "coordinator.reply-unusable", 69,
     rule("value", value={"errors": [{"message": "who knows"}]}), False),
    ("200 with errors: null", "coordinator.reply-unusable", 69, rule("errors-null"), False),
    ("200 with no errors in the list and nothing else", "coordinator.reply-unusable", 69, rule("errors-empty"), False),
    ('200 with {"error": "..."}', "coordinator.reply-unusable", 69, rule("error-string"), False),
    ('200 with {"ok": false}', "coordinator.reply-unusable", 69, rule("ok-false"), False),
    ("a list instead of an object", "coordinator.reply-unusable", 69, rule("value", value=[]), False),
    ("the version as an object", "coordinator.reply-unusable", 69, rule("wrong-type", member="version"), False),
    ("the version is a command", "coordinator.reply-unusable", 69,
     rule("edit", path="/platform$", set={"version": "a[$(reboot)].1.1"}), False),
    ("299 and an empty object", "coordinator.reply-unusable", 69, rule("value", status=299), False),
)

# Answers that pass, by status and code. in-between and no-signing-key need a person, who may come at any time.
STATUSES = (
    ("403 of something in between", "coordinator.in-between", 78, status(403), True),
    ("404 of something in between", "coordinator.in-between", 78, rule("html", status=404), False),
    ("407", "coordinator.proxy-authentication", 78, status(407), True),
    ("408", "coordinator.timeout", 69, status(408), False),
    ("409 roles.version_conflict", "coordinator.conflict", 75, status(409, "roles.version_conflict"), True),
    ("409 of unknown code", "coordinator.conflict", 75, status(409, "future.conflict"), False),
    ("425", "coordinator.server-error", 69, status(425), False),
    ("429 of ECE", "coordinator.throttled", 69, status(429, "root.too_many_requests"), True),
    ("429 of something in between", "coordinator.throttled", 69, status(429), False),
    ("500 root.internal_error", "coordinator.server-error", 69, status(500, "root.internal_error"), True),
    ("500 internal.server.error", "coordinator.server-error", 69, status(500, "internal.server.error"), False),
    ("500 without a body of ECE", "coordinator.server-error", 69, status(500), False),
    ("501 of unknown code", "coordinator.server-error", 69, status(501, "future.not_done"), False),
    ("502 authc.authentication_cluster_error", "credential.login-failing", 69,
     status(502, "authc.authentication_cluster_error"), True),
    ("502 without a body of ECE", "coordinator.server-error", 69, status(502), False),
    ("503 of a balancer", "coordinator.server-error", 69, status(503), False),
    ("503 of ECE, code in the header only", "coordinator.not-ready", 69,
     rule("value", status=503, headers={"x-cloud-error-codes": "controller_route.controller_not_ready"}), False),
    ("504 of a balancer", "coordinator.timeout", 69, status(504), True),
    ("504 of unknown code", "coordinator.server-error", 69, status(504, "future.slow"), False),
    ("599", "coordinator.server-error", 69, status(599), False),
    ("999", "coordinator.unknown-answer", 69, status(999), False),
    ("403 enrollment_tokens.signing_key_not_found", "platform.no-signing-key", 69,
     status(403, "enrollment_tokens.signing_key_not_found", path=TOKENS), True),
    ("a token that lives for 30 s", "token.short-lived", 78, many_tokens(rule("exp-in", seconds=30)), True),
)

def down_after_join(bench):
    def wait_and_kill():
        if bench.sim.control.wait("join", timeout_s=60):
            down(bench)
    threading.Thread(target=wait_and_kill, daemon=True).start()


# While the installed host is looked at, which takes some time here, so that the fault can come in between.
LOOKS = (
    ("coordinator dies while the installer runs", "coordinator.connect-refused", 69,
     Fault(down_after_join, up, spec_with(verify={"stable_for": "2s"}), tries=0), True),
    ("reset while verifying", "coordinator.reset", 69, rule("reset", **VERIFYING), False),
    ("200 with errors while verifying", "coordinator.not-ready", 69, rule("200-with-errors", **VERIFYING), False),
    ("502 while verifying", "coordinator.server-error", 69, status(502, **VERIFYING), True),
    ("connected is no boolean while verifying", "coordinator.reply-unusable", 69,
     rule("wrong-type", member="connected", **VERIFYING), False),
)

# The request for a token is the one that must not be repeated lightly: its reply may be lost and the token minted all
# the same. name, reason, tokens, how; each once.
MINTS = (
    ("reply to the token request reset", "coordinator.empty-reply", 2, "drop-after-read", {}),
    ("reply to the token request lost", "coordinator.empty-reply", 2, "close-after-read", {}),
    ("reply to the token request cut off", "coordinator.reset", 2, "truncate", {}),
    ("half a JSON text for a token", "coordinator.reply-unusable", 2, "truncate-json", {}),
    ("no token in the reply", "token.absent", 2, "edit", {"remove": ["token"]}),
    ("the token is an object", "token.absent", 2, "wrong-type", {"member": "token"}),
    ("token request refused with 500", "coordinator.server-error", 1, "status", {"status": 500}),
    ("token request answered with HTML", "coordinator.reply-html", 1, "html", {}),
    ("token request answered 200 with errors", "coordinator.not-ready", 2, "200-with-errors", {}),
    ("expired token", "token.expired", 2, "exp-past", {}),
)


def retry_after(value, **more):
    return {"status": 429, "code": "root.too_many_requests", "headers": {"Retry-After": value}, **more}


def in_seconds(seconds):
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


# name, the header (called when the case runs), the pause that it asks for. Then the host is enrolled.
PAUSES = (
    ("429 with Retry-After: 2", lambda: "2", 2),
    ("429 with Retry-After: a date in 4 s", lambda: in_seconds(4), 3),
    ("429 with Retry-After: -1", lambda: "-1", 0),
    ("429 with Retry-After: a date in the past", lambda: in_seconds(-3600), 0),
    ("429 with Retry-After: soon", lambda: "soon", 0),
)
ENDLESS_PAUSE = ("429 with Retry-After: 99999999999", "coordinator.throttled", 69,
                 rule("status", **retry_after("99999999999")))


def trust(**changes):
    return Fault(spec=lambda bench: {"trust": {name: change(bench) for name, change in changes.items()}})


# Whom the agent does not believe. name, reason, further connections, how.
STRANGERS = (
    ("another platform's CA", "coordinator.tls-untrusted", 0, trust(ca_file=lambda bench: str(bench.sim.other_ca))),
    ("self-signed certificate", "coordinator.tls-untrusted", 0, tls(leaf="self-signed")),
    ("certificate for another name", "coordinator.tls-name-mismatch", 0, tls(leaf="wrong-name")),
    ("wrong pin", "coordinator.tls-pin-mismatch", 0, trust(pins=lambda bench: ["sha256//" + "A" * 43 + "="])),
    ("key of 1024 bits", "coordinator.tls-weak", 0, tls(leaf="weak-key")),
    ("certificate signed with SHA-1", "coordinator.tls-weak", 0, tls(leaf="weak-digest")),
)


def key(name):
    def inject(bench):
        bench.secret_file("key", bench.sim.credentials.get(name, "bm9ib2R5OndyaXRlcw=="))
    return Fault(inject)


def bearer(*options, inject=lambda bench: None):
    def spec(bench):
        path = str(bench.secret_file("password", bench.sim.credentials["ops_password"]))
        return {"credential": {"api_key": None, "bearer": {"user": "ops", "password": {"from": "file", "path": path}}}}
    return Fault(inject, spec=spec, options=options)


def every_session_is_refused(bench):
    bench.sim.control.fault("status", path="/platform$", status=401, code="root.unauthorized")


def elsewhere(location, number=302):
    return rule("redirect", status=number, location=location)


def to_itself(bench):
    bench.sim.control.fault("redirect", status=307, location=bench.sim.url + "/api/v1/platform")


# For good. name, reason, exit code, further requests, how.
REFUSALS = (
    ("400 enrollment_tokens.invalid_token_request", "coordinator.request-invalid", 78, 0,
     status(400, "enrollment_tokens.invalid_token_request", path=TOKENS)),
    ("400 root.invalid_json_request", "coordinator.request-invalid", 78, 0,
     status(400, "root.invalid_json_request", path=TOKENS)),
    ("400 of unknown code", "coordinator.request-refused", 78, 0, status(400, "future.refusal", path=TOKENS)),
    ("401: nobody's key", "credential.denied", 77, 1, key("nobody")),
    ("401 root.unauthenticated", "credential.denied", 77, 1, status(401, "root.unauthenticated")),
    ("401 without a body of ECE", "credential.denied", 77, 1, status(401)),
    ('401 with {"ok": false}', "credential.denied", 77, 1, rule("ok-false", status=401)),
    ("401 root.unauthorized in every session", "credential.session-expired", 77, 2,
     bearer(inject=every_session_is_refused)),
    ("403: a viewer's key", "credential.not-permitted", 77, 0, key("viewer_api_key")),
    ("403 root.unauthorized.rbac", "credential.not-permitted", 77, 0,
     status(403, "root.unauthorized.rbac", path=TOKENS)),
    ("403 of unknown code", "credential.refused", 77, 3, status(403, "future.forbidden", path=TOKENS)),
    ("404 root.resource_not_found", "coordinator.no-such-address", 78, 0, status(404, "root.resource_not_found")),
    ("404 root.region_not_found", "coordinator.no-such-address", 78, 0, status(404, "root.region_not_found")),
    ("404 of unknown code", "coordinator.no-such-address", 78, 0, status(404, "future.absent")),
    ("405 of unknown code", "coordinator.request-refused", 78, 0, status(405, "root.method_not_allowed")),
    ("418", "coordinator.request-refused", 78, 0, status(418)),
    ("449 elevated_permissions_required, in quotes", "credential.elevation-required", 77, 0,
     status(449, '"root.unauthorized.rbac.elevated_permissions_required"', path=TOKENS)),
    ("449 elevated_permissions_required", "credential.elevation-required", 77, 0,
     status(449, "root.unauthorized.rbac.elevated_permissions_required", path=TOKENS)),
    ("449 root.needs_elevated_permissions", "credential.elevation-required", 77, 0,
     status(449, "root.needs_elevated_permissions", path=TOKENS)),
    ("449 root.needs_sudo", "credential.elevation-required", 77, 0, status(449, "root.needs_sudo", path=TOKENS)),
    ("449 of unknown code", "credential.elevation-required", 77, 0, status(449, "future.sudo", path=TOKENS)),
    ("449 without a body of ECE", "credential.elevation-required", 77, 0, status(449, path=TOKENS)),
    ("501 authc.no_authentication_cluster", "credential.login-unavailable", 78, 0,
     bearer("--no-authentication-cluster")),
    ("redirect to https elsewhere", "coordinator.redirect", 78, 0, elsewhere("https://127.0.0.1:9/api/v1/platform")),
    ("redirect to http", "coordinator.redirect", 78, 0, elsewhere("http://127.0.0.1:12400/api/v1/platform", 301)),
    ("redirect to itself", "coordinator.redirect", 78, 0, Fault(to_itself)),
    ("redirect of the token request", "coordinator.redirect", 78, 0,
     rule("redirect", status=308, path=TOKENS, location="/api/v1/elsewhere")),
    ("a token that is none", "token.malformed", 78, 0, rule("token-text", path=TOKENS, value="a.b';reboot;'.c")),
    ("a token without the role", "token.role-missing", 76, 0, rule("missing-role", path=TOKENS)),
    ("a token without roles", "token.role-missing", 76, 0, rule("no-roles", path=TOKENS)),
    ("a token without an end", "token.no-expiry", 78, 0, rule("no-exp", path=TOKENS)),
    ("a token marked persistent", "token.persistent", 78, 0, rule("persistent-claim", path=TOKENS)),
    ("a token with an id in the list", "token.persistent", 78, 0,
     rule("edit", path=TOKENS, set={"token_id": "4c8990df-1fb7-4820-b868-6bc9e8860814"})),
)


def another_host(bench):
    bench.sim.control.add_runner(runner_id=HOST_IP, host_ip="198.51.100.7", roles=["allocator"])


FOREIGN = ("another host under our id", "verify.foreign-host", 76, Fault(another_host))
UNKNOWN_ROLE = ("404 roles.not_found while verifying", "platform.role-unknown", 78,
                status(404, "roles.not_found", path=BLUEPRINT))


def runner_is(**members):
    def heal(bench):
        bench.sim.control.change_runner(runner_id=HOST_IP, **members)
    return heal


def joined(action, heal):
    return Fault(lambda bench: bench.sim.control.fault(action, event="join"), heal,
                 spec_with(verify={"timeout": "30s"}), tries=0)


def patient(fault):
    fault.spec = spec_with(verify={"timeout": "30s"})
    return fault


def no_allocator():
    """Neither under its id nor in the list, where an agent may look for its address."""
    empty = {"action": "value", "path": "/infrastructure/allocators([?]|$)", "value": {"zones": []}}
    return patient(rule("status", also=[empty], status=404, code="allocators.allocator_not_found",
                        path="/infrastructure/allocators/"))


# The platform's view is not the spec's. name, reason, how.
VERDICTS = (
    ("not healthy", "verify.runner-not-healthy", joined("unhealthy", runner_is(healthy=True))),
    ("not connected", "verify.runner-not-connected", joined("never-connected", runner_is(connected=True, effective_from=0.0))),
    ("role listed, not blessed", "verify.role-not-blessed", joined("no-bless", runner_is(blessed=["allocator"]))),
    ("role not listed", "verify.role-missing",
     joined("unlisted-role", runner_is(roles=["allocator"], blessed=["allocator"]))),
    ("role without effect", "verify.role-not-effective", joined("never-effective", runner_is(effective_from=0.0))),
    ("role pending", "verify.role-pending", joined("pending", runner_is(pending=[]))),
    ("wrong zone", "verify.zone-differs", joined("wrong-zone", runner_is(zone="ece-zone-1b"))),
    ("wrong version", "verify.version-differs", joined("wrong-version", runner_is(version="4.0.3"))),
    ("404 runners.runner_not_found after the installation", "verify.runner-not-found",
     patient(status(404, "runners.runner_not_found", **VERIFYING))),
    ("404 allocators.allocator_not_found, nor in the list", "verify.role-not-effective", no_allocator()),
)
