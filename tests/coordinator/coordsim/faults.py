# SPDX-License-Identifier: Apache-2.0
"""Scripted faults: what a test wants to go wrong, as data.

A rule is a JSON object:

    {"match": {"method": "POST", "path": "enrollment-tokens$", "listener": 0},
     "after": 0, "times": 1, "action": "status", "status": 503, ...}

`match` holds regular expressions for method and path and the number of the listener; what is not named
matches all. `event` in it chooses what the rule is about: "request" (default), "connect" (a TCP connection, before TLS)
or "join" (a host presents itself). The first `after` matches pass; then the rule acts `times` times, or for
ever without it. With `above: R` it acts only on what is more than R a second: a bucket that holds R and is filled
again at that rate. All rules that match one request act, in order; see ACTIONS at the end for the names.
"""

import gzip
import json
import re
import threading
import time

from .state import NEVER, Rejected

PHASES = ("instead", "claims", "reply", "connect", "join")


class Reply:
    """One reply on its way out; `wire` says how the transport misbehaves."""

    def __init__(self, status=200, value=None, headers=(), body=None, media="application/json"):
        self.status = status
        self.headers = dict(headers)
        self.body = json.dumps(value).encode("utf-8") if body is None else body
        self.headers.setdefault("Content-Type", media)
        self.wire = {}

    def value(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def replace_value(self, value) -> None:
        self.body = json.dumps(value).encode("utf-8")


def failed(status, code, message, fields=None, header=True) -> Reply:
    """ECE's error body. The token operations do not send the x-cloud-error-codes header."""
    element = {"code": code, "message": message}
    if fields:
        element["fields"] = fields
    headers = {"x-cloud-error-codes": code} if header else {}
    return Reply(status, {"errors": [element]}, headers)


class Bucket:
    """So many a second pass, and at once no more than in one second."""

    def __init__(self, per_s, clock=time.monotonic):
        self.per_s, self.clock = per_s, clock
        self.level, self.filled_s = float(per_s), clock()

    def takes(self) -> bool:
        now_s = self.clock()
        self.level = min(self.per_s, self.level + (now_s - self.filled_s) * self.per_s)
        self.filled_s = now_s
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Rule:
    KNOWN = {"match", "after", "times", "above", "action"}

    def __init__(self, description: dict):
        self.action = description["action"]
        if self.action not in ACTIONS:
            raise ValueError("unknown action %r; known: %s" % (self.action, ", ".join(sorted(ACTIONS))))
        match = dict(description.get("match", {}))
        self.event = match.pop("event", "request")
        self.method = re.compile(match.pop("method", ""))
        self.path = re.compile(match.pop("path", ""))
        self.listener = match.pop("listener", None)
        if match:
            raise ValueError("unknown members of match: %s" % ", ".join(match))
        self.after = description.get("after", 0)
        self.times = description.get("times")
        self.bucket = Bucket(description["above"]) if "above" in description else None
        self.arguments = {k: v for k, v in description.items() if k not in self.KNOWN}

    def matches(self, event, method, path, listener) -> bool:
        return (event == self.event and self.method.search(method) is not None
                and self.path.search(path) is not None and self.listener in (None, listener))

    def take(self) -> bool:
        """Counts one match; whether the rule acts on it."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.times == 0 or (self.bucket and self.bucket.takes()):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def get(self, name, default=None):
        return self.arguments.get(name, default)


class Faults:
    def __init__(self):
        self._lock = threading.Lock()
        self._rules = []

    def add(self, descriptions) -> None:
        rules = [Rule(description) for description in descriptions]
        with self._lock:
            self._rules += rules

    def clear(self) -> None:
        with self._lock:
            self._rules = []

    def take(self, event, method="", path="", listener=0) -> "Taken":
        with self._lock:
            return Taken([rule for rule in self._rules
                          if rule.matches(event, method, path, listener) and rule.take()])


class Taken:
    """The rules that act on one request."""

    def __init__(self, rules):
        self.rules = rules

    @property
    def names(self):
        return [rule.action for rule in self.rules]

    def _each(self, phase):
        for rule in self.rules:
            if ACTIONS[rule.action][0] == phase:
                yield rule, ACTIONS[rule.action][1]

    def instead(self):
        """A reply that is given without looking at the request, or None."""
        for rule, act in self._each("instead"):
            return act(rule)
        return None

    def twist_claims(self, claims, now_s) -> None:
        for rule, act in self._each("claims"):
            act(rule, claims, now_s)

    def bend(self, reply) -> Reply:
        """Changes the reply that the request has earned."""
        for rule, act in self._each("reply"):
            reply = act(rule, reply) or reply
        return reply

    def connect(self):
        for rule, act in self._each("connect"):
            return act(rule)
        return None

    def twist_join(self, runner, granted, platform):
        for rule, act in self._each("join"):
            granted = act(rule, runner, granted, platform)
        return granted


# Instead of an answer

def _status(rule):
    reply = failed(rule.get("status", 500), rule.get("code", "root.internal_error"),
                   rule.get("message", "scripted"), header=rule.get("codes_header", True))
    reply.headers.update(rule.get("headers", {}))
    return reply


def _bare(media, body):
    def act(rule):
        return Reply(rule.get("status", 200), body=rule.get("body", body).encode("utf-8"),
                     media=rule.get("media", media), headers=rule.get("headers", {}))
    return act


def _value(value):
    def act(rule):
        return Reply(rule.get("status", 200), rule.get("value", value), rule.get("headers", {}))
    return act


def _redirect(rule):
    return Reply(rule.get("status", 302), {}, {"Location": rule.get("location", "/elsewhere")})


def _silence(**wire):
    def act(rule):
        reply = Reply(200, {})
        reply.wire.update(wire)
        if "hang_s" in wire:
            reply.wire["hang_s"] = rule.get("seconds", wire["hang_s"])
        return reply
    return act


# Claims of a token, before it is signed

def _drop_role(rule, claims, now_s):
    dropped = rule.get("role", claims["roles"][0] if claims["roles"] else None)
    claims["roles"] = [role for role in claims["roles"] if role != dropped]


def _add_role(default):
    def act(rule, claims, now_s):
        claims["roles"] = claims["roles"] + [rule.get("role", default)]
    return act


def _no_member(name):
    def act(rule, claims, now_s):
        claims.pop(name, None)
    return act


def _exp_from_now(default_s):
    def act(rule, claims, now_s):
        claims["exp"] = now_s + rule.get("seconds", default_s)
    return act


def _persistent_claim(rule, claims, now_s):
    claims["persistent"] = True


# The reply that was earned, bent

def _wire(**fixed):
    def act(rule, reply):
        reply.wire.update(fixed, **rule.arguments)
    return act


def _wire_seconds(name, default_s):
    def act(rule, reply):
        reply.wire[name] = rule.get("seconds", default_s)
    return act


def _cut_body(rule, reply):
    """Well-formed HTTP around half a JSON text."""
    reply.body = reply.body[:rule.get("keep", len(reply.body) // 2)]


def _walk(value, path):
    """(container, last key) of a dotted path; numbers index lists."""
    keys = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in keys[:-1]:
        value = value[key]
    return value, keys[-1]


def _edit(rule, reply):
    value = reply.value()
    for path, new in rule.get("set", {}).items():
        container, key = _walk(value, path)
        container[key] = new
    for path in rule.get("remove", []):
        container, key = _walk(value, path)
        del container[key]
    reply.replace_value(value)


def _wrong_type(rule, reply):
    value = reply.value()
    container, key = _walk(value, rule.get("member", "token"))
    container[key] = rule.get("value", {"not": "what you want"})
    reply.replace_value(value)


def _extra_members(rule, reply):
    value = reply.value()
    if isinstance(value, dict):
        value.update({"_links": {"self": {"href": "/"}}, "future": [None, 1.5, {"deep": [[]]}], "": ""})
        reply.replace_value(value)


def _with_errors(rule, reply):
    """200 in spite of an error body, as coordinators that were starting have been seen to do."""
    return Reply(rule.get("status", 200), {"errors": [{
        "code": rule.get("code", "controller_route.controller_not_ready"),
        "message": rule.get("message", "Not yet ready to serve requests to other routes")}]})


def _big_body(rule, reply):
    value = reply.value()
    value["padding"] = "x" * rule.get("bytes", 8 << 20)
    reply.replace_value(value)


def _gzip(rule, reply):
    """Nobody asked for it."""
    reply.body = gzip.compress(reply.body)
    reply.headers["Content-Encoding"] = "gzip"


def _other_status(rule, reply):
    reply.status = rule.get("status", 299)


def _header(rule, reply):
    reply.headers[rule.get("name")] = rule.get("value")


def _token_text(rule, reply):
    """The token as some other text: hostile, empty, not a JWT."""
    value = reply.value()
    value["token"] = rule.get("value", "eyJ0.'; touch /tmp/pwned; '.x")
    reply.replace_value(value)


# A host that joins

def _join(change):
    def act(rule, runner, granted, platform):
        changed = change(rule, runner, granted, platform)
        return granted if changed is None else changed
    return act


def _reject(rule, runner, granted, platform):
    raise Rejected(rule.get("code", "host.rejected"), rule.get("message", "The host was rejected"))


def _no_bless(rule, runner, granted, platform):
    refused = rule.get("role")
    return [role for role in granted if refused and role != refused]


def _pending(rule, runner, granted, platform):
    for name in runner.roles:
        if rule.get("role", name) == name:
            platform.roles[name].pending[runner.runner_id] = True


def _attribute(name, default):
    def change(rule, runner, granted, platform):
        setattr(runner, name, rule.get("value", default))
    return change


def _unlisted(rule, runner, granted, platform):
    dropped = rule.get("role", runner.roles[0] if runner.roles else None)
    runner.roles = [role for role in runner.roles if role != dropped]
    return [role for role in granted if role != dropped]


def _additional(rule, runner, granted, platform):
    runner.roles = runner.roles + [rule.get("role", "proxy")]
    return granted + [rule.get("role", "proxy")]


def _never(*names):
    def change(rule, runner, granted, platform):
        for name in names:
            setattr(runner, name, NEVER)
    return change


# A connection, before TLS

def _says(text):
    """Somebody else's service: these bytes instead of a handshake."""
    return lambda rule: {"text": text}


def _tls(rule):
    return {"tls": {"leaf": rule.get("leaf"), "maximum": rule.get("maximum")}}


# name: (phase, function). The request is not processed with "instead"; with all others it is.
ACTIONS = {
    "status": ("instead", _status),
    "html": ("instead", _bare("text/html", "<html><body><h1>503 Service Unavailable</h1></body></html>")),
    "text": ("instead", _bare("text/plain", "upstream connect error")),
    "empty": ("instead", _bare("application/json", "")),
    "ok-false": ("instead", _value({"ok": False, "message": "The supplied authentication is invalid"})),
    "errors-null": ("instead", _value({"errors": None})),
    "errors-empty": ("instead", _value({"errors": []})),
    "error-string": ("instead", _value({"error": "something went wrong"})),
    "value": ("instead", _value({})),
    "redirect": ("instead", _redirect),
    "no-reply": ("instead", _silence(close=True)),
    "reset": ("instead", _silence(reset=True)),
    "hang": ("instead", _silence(hang_s=3600, close=True)),

    "missing-role": ("claims", _drop_role),
    "extra-role": ("claims", _add_role("proxy")),
    "foreign-role": ("claims", _add_role("constructor")),
    "no-roles": ("claims", _no_member("roles")),
    "no-exp": ("claims", _no_member("exp")),
    "exp-past": ("claims", _exp_from_now(-60)),
    "exp-in": ("claims", _exp_from_now(60)),
    "persistent-claim": ("claims", _persistent_claim),

    "delay": ("reply", _wire_seconds("delay_s", 0.5)),
    "slow-head": ("reply", _wire(head_delay_s=1)),
    "slow-body": ("reply", _wire(chunk=16, chunk_delay_s=0.05)),
    "chunked": ("reply", _wire(chunked=True)),
    "truncate": ("reply", _wire(keep=10)),
    "truncate-json": ("reply", _cut_body),
    "truncate-reset": ("reply", _wire(keep=10, then_reset=True)),
    "endless": ("reply", _wire(endless=True)),
    "gzip": ("reply", _gzip),
    "other-status": ("reply", _other_status),
    "drop-after-read": ("reply", _wire(reset=True)),
    "close-after-read": ("reply", _wire(close=True)),
    "no-date": ("reply", _wire(no_date=True)),
    "wrong-date": ("reply", _wire_seconds("date_offset_s", 7200)),
    "garbage-date": ("reply", _wire(date_text="yesterday")),
    "header": ("reply", _header),
    "edit": ("reply", _edit),
    "wrong-type": ("reply", _wrong_type),
    "extra-members": ("reply", _extra_members),
    "200-with-errors": ("reply", _with_errors),
    "big-body": ("reply", _big_body),
    "token-text": ("reply", _token_text),

    "connect-close": ("connect", lambda rule: {"close": True}),
    "connect-reset": ("connect", lambda rule: {"hear": True, "reset": True}),
    "connect-hang": ("connect", lambda rule: {"hang_s": rule.get("seconds", 3600)}),
    "connect-plain": ("connect", _says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")),
    "connect-ssh": ("connect", _says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
    "connect-garbage": ("connect", _says(bytes(range(256)))),
    # The first bytes of a ServerHello.
    "connect-cut": ("connect", _says(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")),
    "connect-tls": ("connect", _tls),

    "reject": ("join", _join(_reject)),
    "no-bless": ("join", _join(_no_bless)),
    "pending": ("join", _join(_pending)),
    "unlisted-role": ("join", _join(_unlisted)),
    "additional-role": ("join", _join(_additional)),
    "unhealthy": ("join", _join(_attribute("healthy", False))),
    "foreign-host": ("join", _join(_attribute("host_ip", "198.51.100.66"))),
    "wrong-zone": ("join", _join(_attribute("zone", "ece-zone-elsewhere"))),
    "wrong-version": ("join", _join(_attribute("version", "3.8.0"))),
    "maintenance": ("join", _join(_attribute("maintenance", True))),
    "never-connected": ("join", _join(_never("connected_from", "effective_from"))),
    "never-effective": ("join", _join(_never("effective_from"))),
    "never-indexed": ("join", _join(_never("indexed_from"))),
}
assert all(phase in PHASES for phase, _ in ACTIONS.values())
