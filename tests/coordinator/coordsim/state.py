# SPDX-License-Identifier: Apache-2.0
"""What the platform knows: roles tokens, runners, blessings; and how a host comes to join.

Everything that happens "a little later" on a real platform (connected, blessed, effective, indexed) is
computed from the moment of joining when somebody looks, so there are no timers here. All access happens under
`lock`, a condition that is notified of every event: tests wait for events, they never sleep.
"""

import dataclasses
import secrets
import threading
import time
import uuid

from . import jwt

ENROLLABLE = ("allocator", "coordinator", "director", "proxy")
AUTOMATIC = ("beats-runner", "services-forwarder")
OTHER = ("constructor",)
DEFAULT_ZONE = "ece-zone-1"
DEFAULT_VALIDITY_S = 3600


class Clock:
    """The platform's wall clock, which need not be that of the host."""

    def __init__(self, offset_s=0):
        self.offset_s = offset_s

    def now(self) -> int:
        return int(time.time() + self.offset_s)


@dataclasses.dataclass
class Runner:
    runner_id: str
    host_ip: str
    zone: str = DEFAULT_ZONE
    version: str = ""
    roles: list = dataclasses.field(default_factory=list)  # as listed, without the automatic ones
    public_hostname: str = ""
    healthy: bool = True
    maintenance: bool = False
    instances: int = 0
    moving: int = 0  # of these, under way to other allocators
    room_elsewhere: int = 1 << 30  # for how many of them there is room
    connected_from: float = 0.0  # moments on time.monotonic()
    effective_from: float = 0.0
    indexed_from: float = 0.0

    def __post_init__(self):
        self.public_hostname = self.public_hostname or self.host_ip

    @property
    def connected(self) -> bool:
        return time.monotonic() >= self.connected_from

    @property
    def indexed(self) -> bool:
        return time.monotonic() >= self.indexed_from

    def effective(self) -> bool:
        return time.monotonic() >= self.effective_from


@dataclasses.dataclass
class Role:
    """A blueprinter role: who holds its blessing."""

    name: str
    auto_blessed: bool
    version: int = 1
    blessings: dict = dataclasses.field(default_factory=dict)
    pending: dict = dataclasses.field(default_factory=dict)
    modified_s: int = 0


class Rejected(Exception):
    """A host that may not join."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


NEVER = float("inf")


class Platform:
    def __init__(self, version="4.0.3", clock=None, join_delay_s=0.0, effect_delay_s=0.0,
                 index_lag_s=0.0):
        self.version = version
        self.clock = clock or Clock()
        self.join_delay_s, self.effect_delay_s = join_delay_s, effect_delay_s
        self.index_lag_s = index_lag_s
        self.started_s = self.clock.now()
        self.signing_key = secrets.token_bytes(32)
        self.refuse_connected_delete = False
        # Fills the members of role objects that may hold secrets: an agent must never log them.
        self.secret_in_roles = "plat-" + secrets.token_hex(16)
        self.lock = threading.Condition(threading.RLock())
        self.events = []
        self.tokens = {}
        self.runners = {}
        self.roles = {name: Role(name, name in AUTOMATIC, modified_s=self.started_s)
                      for name in ENROLLABLE + AUTOMATIC + OTHER}

    # Events

    def tell(self, event, **facts) -> None:
        with self.lock:
            self.events.append(dict(facts, event=event, at=round(time.time(), 3)))
            self.lock.notify_all()

    def wait_for(self, predicate, timeout_s):
        """Waits until predicate(events) is true; returns its last value."""
        with self.lock:
            return self.lock.wait_for(lambda: predicate(self.events), timeout_s)

    # Tokens

    def mint(self, persistent, roles, validity_s, twist=None):
        """(token, token_id or None). twist(claims) may change the claims before they are signed."""
        identity = str(uuid.uuid4())
        claims = {"sub": identity, "roles": list(roles)}
        if persistent:
            claims.update(iss="current", persistent=True)
        else:
            life_s = DEFAULT_VALIDITY_S if validity_s is None else validity_s
            claims.update(iss="bootstrap-initial", exp=self.clock.now() + life_s)
        if twist:
            twist(claims)
        if persistent:
            self.tokens[identity] = list(roles)
        self.tell("mint", persistent=persistent, roles=list(roles), sub=identity)
        return jwt.sign(claims, self.signing_key), identity if persistent else None

    def revoke(self, token_or_id) -> bool:
        identity = token_or_id
        if identity not in self.tokens:
            try:
                identity = jwt.verify(token_or_id, self.signing_key).get("sub")
            except jwt.BadToken:
                return False
        return self.tokens.pop(identity, None) is not None

    def _claims_for_join(self, token) -> dict:
        try:
            claims = jwt.verify(token or "", self.signing_key)
        except jwt.BadToken as error:
            raise Rejected("token.invalid", "The roles token is invalid") from error
        if "exp" in claims and claims["exp"] <= self.clock.now():
            raise Rejected("token.expired", "The roles token has expired")
        if claims.get("persistent") and claims["sub"] not in self.tokens:
            raise Rejected("token.revoked", "The roles token was revoked")
        return claims

    # Hosts

    def join(self, request: dict, twist=None) -> Runner:
        """
        A host presents itself. Roles that it asks for are listed; only those that its token carries
        are blessed: the documented trap of an install that "succeeds". twist(runner, granted) may change both.
        """
        with self.lock:
            claims = self._claims_for_join(request.get("token"))
            if request.get("version") != self.version:
                raise Rejected("version.mismatch", "The host is of version %s, the installation of %s"
                               % (request.get("version"), self.version))
            runner = self._runner_of(request)
            granted = [role for role in runner.roles if role in claims.get("roles", [])]
            if twist:
                granted = twist(runner, granted)
            self.runners[runner.runner_id] = runner
            self.bless(runner, granted)
            self.tell("join", runner_id=runner.runner_id, roles=runner.roles, granted=granted,
                      token_roles=claims.get("roles", []), sub=claims.get("sub"))
            return runner

    def _runner_of(self, request) -> Runner:
        runner_id, host_ip = request.get("runner_id"), request.get("host_ip")
        if not runner_id or not host_ip:
            raise Rejected("host.incomplete", "A host needs a runner id and an address")
        known = self.runners.get(runner_id)
        if known and known.connected and known.host_ip != host_ip:
            raise Rejected("host.duplicate", "Another host bears the id %s" % runner_id)
        roles = [name for name in (request.get("roles") or "").split(",") if name]
        for name in roles:
            if name not in ENROLLABLE:
                raise Rejected("host.role", "Unknown role %s" % name)
        now = time.monotonic()
        connected = now + self.join_delay_s
        return Runner(runner_id, host_ip, request.get("zone") or DEFAULT_ZONE, self.version, roles,
                      connected_from=connected, effective_from=connected + self.effect_delay_s,
                      indexed_from=connected + self.index_lag_s)

    def bless(self, runner, granted) -> None:
        for name in runner.roles:
            role = self.roles[name]
            role.blessings[runner.runner_id] = name in granted
            self.touch(role)

    def touch(self, role) -> None:
        role.version += 1
        role.modified_s = self.clock.now()

    def blessed(self, runner, name) -> bool:
        role = self.roles[name]
        return role.auto_blessed or role.blessings.get(runner.runner_id, False)

    def has_effect(self, runner, name) -> bool:
        return name in runner.roles and self.blessed(runner, name) and runner.effective()

    def forget(self, runner_id) -> None:
        self.runners.pop(runner_id, None)
        for role in self.roles.values():
            role.blessings.pop(runner_id, None)
            role.pending.pop(runner_id, None)
