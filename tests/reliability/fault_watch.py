# SPDX-License-Identifier: Apache-2.0
"""Watches a run while a fault lasts and says in the words of the table what was seen.

Three kinds of cases:

passes(...)  the fault lasts until status.json has named its reason and the agent has tried once more, then it is taken
             away: "REASON; then enrolled, 1 installer"
stays(...)   it lasts for longer than the enrollment may: "REASON until the deadline; exit N"
stops(...)   it is for good: "REASON; exit N, M further requests"

What differs from the plain course (ended early, too late, other reasons beside the cause, more tokens, something left
running) stands in the text as well, so that the row can't be equal to what was expected.
"""

import dataclasses
import time
import typing

from bench import HOST_IP, Bench, merged
from matrix import note

# The agent's own bounds on a request are 5 s for the connection and 30 s in all; beyond them a loaded machine's share.
SOON_S = 10
HOLD_S = 0.5
DEADLINE_S = 2
SLACK_S = 8


@dataclasses.dataclass
class Fault:
    """What is wrong, and how it is put right. All get the Bench."""

    inject: typing.Callable = lambda bench: None
    heal: typing.Callable = lambda bench: bench.sim.control.clear_faults()
    spec: typing.Callable = lambda bench: {}  # changes of it
    options: tuple = ()  # of the simulator
    own_certificates: bool = False
    soon_s: float = SOON_S  # by then the reason has to stand in status.json
    hold_s: float = HOLD_S  # how much longer the fault lasts at least
    tokens: typing.Optional[int] = 1  # minted by the end; None: as many as the fault lasts for
    tries: int = 1  # how many more connections or requests are waited for meanwhile, for at most SOON_S


def rule(action, *, also=(), **arguments) -> Fault:
    """A fault that the simulator knows: see coordsim/faults.py. also: further rules."""
    def inject(bench):
        bench.sim.control.fault(action, **arguments)
        for more in also:
            bench.sim.control.fault(**more)
    return Fault(inject)


class Watch:
    """Every reason that status.json has shown since the run began, its history included."""

    def __init__(self, bench, process):
        self.bench, self.process = bench, process
        self.begin = time.monotonic()
        self.reasons = []

    def look(self) -> None:
        status = self.bench.status() or {}
        shown = [entry["reason"] for entry in status.get("history", ())] + [(status.get("reason") or {}).get("id")]
        for reason in shown:
            if reason and reason not in self.reasons:
                self.reasons.append(reason)

    def until(self, true, timeout_s) -> bool:
        """Whether it has become true in time and before the run's end."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.process.poll() is None:
            self.look()
            if true():
                return True
            time.sleep(0.005)
        self.look()
        return False

    def lasting(self, seconds) -> None:
        self.until(lambda: False, seconds)

    @property
    def told(self) -> str:
        return ", ".join(self.reasons) or "no reason"


def connections(bench) -> int:
    return bench.sim.control.state()["counts"].get("connect", 0)


def arrivals(bench) -> int:
    """A connection serves several requests, and one that is cut serves none."""
    return connections(bench) + bench.sim.control.state()["counts"].get("request", 0)


def further_requests(bench) -> int:
    """Requests after the first one that met the fault: a scripted one, or a refusal of the simulator's own."""
    met = [bool(entry["faults"]) or entry["status"] in (401, 403, 501) for entry in bench.sim.requests()]
    return len(met) - met.index(True) - 1


def further_connections(bench) -> int:
    return connections(bench) - 1


def count(number, word) -> str:
    return "%d %s%s" % (number, word, "" if number == 1 else "s")


def end_of(bench, outcome, tokens=1) -> str:
    """How it has ended. The number of tokens is told where it is not the usual 1; with None, never."""
    note(str(outcome))
    words = []
    if outcome.code == 0 and bench.status()["state"] == "ENROLLED" and HOST_IP in bench.sim.control.state()["runners"]:
        words.append("enrolled, " + count(bench.installs(), "installer"))
    else:
        words.append("exit %d in state %s, %s" % (outcome.code, bench.status()["state"], outcome.reason))
    if tokens is not None and bench.minted() != 1:
        words.append(count(bench.minted(), "token"))
    return ", ".join(words + left(bench))


def left(bench):
    return ["an installer is left"] if bench.installer_containers() else []


def started(fault, spec=None):
    bench = Bench(*fault.options, own_certificates=fault.own_certificates)
    bench.write_spec(**merged(fault.spec(bench), spec or {}))
    fault.inject(bench)
    return bench


def passes(fault) -> str:
    bench = started(fault)
    try:
        process = bench.start_run()
        watch = Watch(bench, process)
        if not watch.until(lambda: watch.reasons, fault.soon_s):
            return "no reason within %d s; then %s" % (fault.soon_s, end_of(bench, bench.end(process)))
        before = arrivals(bench)
        watch.lasting(fault.hold_s)
        watch.until(lambda: arrivals(bench) >= before + fault.tries, SOON_S)
        if process.poll() is not None:
            return "%s; ended at once, %s" % (watch.told, end_of(bench, bench.end(process)))
        seen = watch.told
        fault.heal(bench)
        return "%s; then %s" % (seen, end_of(bench, bench.end(process), fault.tokens))
    finally:
        bench.close()


def once(fault, at_end=lambda bench: None) -> str:
    """A fault that takes itself away after a number of times, so that nobody has to be quick."""
    bench = started(fault)
    try:
        process = bench.start_run()
        watch = Watch(bench, process)
        watch.lasting(60)
        outcome = bench.end(process)
        at_end(bench)
        return "%s; then %s" % (watch.told, end_of(bench, outcome, fault.tokens))
    finally:
        bench.close()


def stays(fault, deadline_s=DEADLINE_S) -> str:
    # An attempt may not be longer than the whole.
    bench = started(fault, {"retry": {"give_up_after": "%ds" % deadline_s}, "installer": {"attempt_timeout": "1s"}})
    try:
        process = bench.start_run()
        watch = Watch(bench, process)
        watch.lasting(deadline_s + SLACK_S)
        took_s = time.monotonic() - watch.begin
        outcome = bench.end(process)
        note(str(outcome))
        words = ["%s until the deadline" % watch.told, "exit %d" % outcome.code]
        if outcome.reason != watch.reasons[-1:][0]:
            words.append("in the end " + outcome.reason)
        if took_s < deadline_s:
            words.append("%.1f s too early" % (deadline_s - took_s))
        if took_s >= deadline_s + SLACK_S:
            words.append("too late")
        if bench.installs():
            words.append(count(bench.installs(), "installer"))
        return "; ".join(words + left(bench))
    finally:
        bench.close()


def stops(fault, counted=further_requests, installs=0) -> str:
    """counted: what came after the first one that met the fault."""
    bench = started(fault)
    try:
        process = bench.start_run()
        watch = Watch(bench, process)
        watch.lasting(fault.soon_s)
        if process.poll() is None:
            return "%s; no end within %d s" % (watch.told, fault.soon_s)
        outcome = bench.end(process)
        note(str(outcome))
        if outcome.reason not in watch.reasons or len(watch.reasons) > 1:
            return "%s; exit %d with %s" % (watch.told, outcome.code, outcome.reason)
        words = ["exit %d" % outcome.code, count(counted(bench), "further request")]
        if bench.installs() != installs:
            words.append(count(bench.installs(), "installer"))
        return "%s; %s" % (outcome.reason, ", ".join(words + left(bench)))
    finally:
        bench.close()


def differs(fault, least_s=1) -> str:
    """The installer has done its part, and the platform's view is not as planned until verify.timeout is over."""
    bench = started(fault, {"verify": {"timeout": "1s"}})
    try:
        process = bench.start_run()
        watch = Watch(bench, process)
        watch.lasting(fault.soon_s)
        if process.poll() is None:
            return "%s; no end within %d s" % (watch.told, fault.soon_s)
        outcome = bench.end(process)
        note(str(outcome))
        words = ["exit %d" % outcome.code, count(bench.installs(), "installer")]
        if outcome.reason != watch.told:
            words.append("in the end " + outcome.reason)
        if time.monotonic() - watch.begin < least_s:
            words.append("before verify.timeout")
        return "%s; %s" % (watch.told, ", ".join(words + left(bench)))
    finally:
        bench.close()
