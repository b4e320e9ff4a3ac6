# SPDX-License-Identifier: Apache-2.0
"""Faults that need a network of their own, more than one coordinator, or more than one moment."""

import functools
import threading

import fault_link as link
from coordsim.process import TOKENS
from fault_table import CONNECT, bearer, down, spec_with, up
from fault_watch import Fault, once, passes, rule, stays, stops
from matrix import Case

THREE = ("--listen", "127.0.0.1:0") * 3
ENROLLED = "no reason; then enrolled, 1 installer"
# The agent gives up a connection after 5 s, a request after 30 s.
AFTER_CONNECT_S, AFTER_REQUEST_S = 5 + 10, 30 + 10


def in_network(kind, fault, enter=link.enter_network):
    """The same kind of case, inside."""
    def run():
        enter()
        return kind(fault)
    return run


def _packets(full):
    hole = Fault(link.swallow, link.let_pass, soon_s=AFTER_CONNECT_S, tries=0)
    yield Case("packets dropped", "coordinator.timeout; then enrolled, 1 installer", in_network(passes, hole))
    yield Case("packets dropped, and stays", "coordinator.timeout until the deadline; exit 69",
               in_network(functools.partial(stays, deadline_s=8), hole))
    for name, how in (("a firewall that resets", "tcp reset"), ("ICMP: prohibited", "icmpx admin-prohibited"),
                      ("ICMP: no such host", "icmpx host-unreachable")):
        fault = Fault(link.reject(how), link.let_pass, tries=0)
        yield Case(name, "coordinator.connect-refused; then enrolled, 1 installer", in_network(passes, fault))
    lost = Fault(lambda bench: link.far_away(True), lambda bench: link.far_away(False), tries=0,
                 options=("--listen", link.FAR + ":0"), own_certificates=True)
    yield Case("no route", "host.route; then enrolled, 1 installer", in_network(passes, lost, link.enter_far_network))
    if full:
        fault = Fault(cut_while_minting, link.let_pass, soon_s=AFTER_REQUEST_S, tries=0, tokens=2)
        yield Case("packets dropped while the token request is answered",
                   "coordinator.timeout; then enrolled, 1 installer, 2 tokens", in_network(passes, fault))
        yield Case("packets dropped every other 300 ms", "enrolled, 1 installer", in_network(flapping, Fault()))


def cut_while_minting(bench):
    """The reply is held back for as long as the filter needs."""
    bench.sim.control.fault("delay", path=TOKENS, times=1, seconds=1)

    def wait_and_cut():
        if bench.sim.control.wait("mint", timeout_s=60):
            link.swallow(bench)
    threading.Thread(target=wait_and_cut, daemon=True).start()


def flapping(fault, worse=link.swallow, better=link.let_pass):
    """Down and up again for as long as the run takes; which reasons show is chance, the end is not."""
    over = threading.Event()

    def flap(bench):
        while not over.is_set():
            worse(bench)
            over.wait(0.3)
            better(bench)
            over.wait(0.3)

    def inject(bench):
        bench.sim.control.change_platform(join_delay_s=2, effect_delay_s=1)
        threading.Thread(target=flap, args=(bench,), daemon=True).start()

    def at_end(bench):
        over.set()

    fault.inject, fault.tokens = inject, None
    fault.spec = spec_with(retry={"windows": 100, "give_up_after": "2m"}, verify={"timeout": "60s"})
    return once(fault, at_end).rpartition("; then ")[2]


def _names(full):
    rows = [("name that does not exist", "nxdomain", 10), ("name server fails", "servfail", 10),
            ("name server is silent", "silence", AFTER_CONNECT_S)]
    rows += [("name server answers nonsense", "garbage", AFTER_CONNECT_S)] if full else []
    for name, mode, soon_s in rows:
        yield Case(name, "coordinator.resolve-failed; then enrolled, 1 installer",
                   in_network(passes, named(mode, soon_s), link.enter_resolver))
    yield Case("name that does not exist, and stays", "coordinator.resolve-failed until the deadline; exit 69",
               in_network(stays, named("nxdomain", 10), link.enter_resolver))


def named(mode, soon_s):
    servers = []

    def inject(bench):
        servers.append(link.NameServer(mode))

    def heal(bench):
        servers[0].mode = "address"

    def spec(bench):
        return {"coordinators": ["https://%s:%d" % (link.NAME, link.port_of(bench))]}

    return Fault(inject, heal, spec, options=("--name", link.NAME), own_certificates=True, soon_s=soon_s, tries=0)


def on(listener, action, **arguments):
    return dict(arguments, action=action, listener=listener, **({} if "event" in arguments else CONNECT))


def each(*rules):
    def inject(bench):
        for one in rules:
            bench.sim.control.fault(**one)
    return Fault(inject, options=THREE)


def hole_and_others(bench):
    bench.hole = link.Hole()  # as long as the bench
    return {"coordinators": [bench.hole.url] + bench.sim.urls}


def one_down(number):
    return lambda bench: bench.sim.control.listener(False, number)


def _coordinators(full):
    reset = functools.partial(on, action="connect-reset")
    wrong = functools.partial(on, action="connect-tls", leaf="wrong-name")
    expired = functools.partial(on, action="connect-tls", leaf="expired")
    rows = (
        ("one of three is down", Fault(one_down(1), options=THREE)),
        ("one of four is a black hole", Fault(spec=hole_and_others, options=THREE)),
        ("one of three is somebody else", each(wrong(0))),
        ("two of three break connections", each(reset(0), reset(2))),
        ("one of three answers 503", each(on(1, "status", status=503, event="request"))),
        ("one of three is starting", each(on(1, "200-with-errors", event="request"))),
    )
    for name, fault in rows:
        yield Case(name, ENROLLED, functools.partial(once, fault))
    grave = (
        ("three faults: 503, reset, wrong name", "coordinator.server-error",
         each(on(0, "status", status=503, event="request"), reset(1), wrong(2))),
        ("three faults: reset, expired, wrong name", "coordinator.reset", each(reset(0), expired(1), wrong(2))),
        ("three faults: expired, wrong name, weak key", "coordinator.tls-expired",
         each(expired(0), wrong(1), on(2, "connect-tls", leaf="weak-key"))),
    )
    for name, reason, fault in grave:
        yield Case(name, reason + "; then enrolled, 1 installer", functools.partial(passes, fault))
        if full:
            yield Case(name + ", and stays", reason + " until the deadline; exit 69", functools.partial(stays, fault))


def dies_while_minting(bench):
    """The reply is held back until the coordinator is down."""
    bench.sim.control.fault("delay", path=TOKENS, times=1, seconds=1)

    def wait_and_kill():
        if bench.sim.control.wait("mint", timeout_s=60):
            down(bench)
    threading.Thread(target=wait_and_kill, daemon=True).start()


def _moments(full):
    yield Case("coordinator dies while it mints", "coordinator.empty-reply, coordinator.connect-refused; "
               "then enrolled, 1 installer, 2 tokens",
               functools.partial(passes, Fault(dies_while_minting, up, tries=0, tokens=2)))
    yield Case("coordinator up and down every 300 ms", "enrolled, 1 installer",
               functools.partial(flapping, Fault(), down, up))
    yield Case("the platform refuses the host once", "installer.installation-failed; then enrolled, 2 installers",
               functools.partial(once, rule("reject", event="join", times=1, code="host.rejected")))


def _sessions():
    def wrong_password(bench):
        bench.secret_file("password", "nobody's")

    def login(action, **arguments):
        return lambda bench: bench.sim.control.fault(action, path="/_login$", **arguments)

    yield Case("401 root.unauthorized once in a session", ENROLLED, functools.partial(once, bearer(
        inject=lambda bench: bench.sim.control.fault("status", path="/infrastructure/runners/", times=1, status=401,
                                                     code="root.unauthorized"))))
    yield Case("401 for the login", "credential.denied; exit 77, 1 further request",
               functools.partial(stops, bearer(inject=wrong_password)))
    yield Case("502 authc.authentication_cluster_error for the login",
               "credential.login-failing; then enrolled, 1 installer", functools.partial(passes, bearer(
                   inject=login("status", status=502, code="authc.authentication_cluster_error"))))
    yield Case("a login without a token", "coordinator.reply-unusable; then enrolled, 1 installer",
               functools.partial(passes, bearer(inject=login("value", value={}))))


def _slow():
    """Bounded by the agent's own bounds, which are long."""
    for name, fault in (("headers a byte a second", rule("slow-head")),
                        ("body a byte a second", rule("slow-body", chunk=1, chunk_delay_s=1)),
                        ("silence after the request", rule("hang"))):
        fault.soon_s, fault.tries = AFTER_REQUEST_S, 0
        yield Case(name, "coordinator.timeout; then enrolled, 1 installer", functools.partial(passes, fault))
    yield Case("silence after the request, and stays", "coordinator.timeout until the deadline; exit 69",
               functools.partial(stays, rule("hang"), deadline_s=35))


def several(full):
    yield from _packets(full)
    yield from _names(full)
    yield from _coordinators(full)
    yield from _moments(full)
    yield from _sessions()
    silent = rule("connect-hang", **CONNECT)
    silent.soon_s, silent.tries = AFTER_CONNECT_S, 0
    yield Case("silence instead of a handshake", "coordinator.timeout; then enrolled, 1 installer",
               functools.partial(passes, silent))
    if full:
        yield from _slow()
