# SPDX-License-Identifier: Apache-2.0
"""Faults of the network and of the coordinator's API against the real programs: reason, bounded time, right end."""

import functools

import fault_table as table
from fault_several import several
from fault_watch import Fault, differs, further_connections, once, passes, rule, stays, stops
from matrix import Case

TITLE = "Network and API faults"
METHOD = """\
Each fault is injected under the real programs: by the coordinator simulator (replies, TLS, listeners that go down), by
packet filters in a network namespace of the case's own, by a name server that lies. While a passing fault lasts, every
reason that status.json shows is collected, and it has to be the fault's own one, there within 10 s (or the agent's own
bound on a request, if that is longer); the run must not end by itself. When the fault is taken away the host has to be
enrolled with one installer and one token. When it stays, the run ends at its deadline with that reason and its exit
code, and not earlier. A permanent fault ends the run at once; what was asked after the first refusal is counted.
"""
SLOW_S = 120


def _passing(rows, bounded_only, installed=False):
    """Two cases for each: the fault goes away; the fault stays."""
    for name, reason, code, fault, stays_in_bounded in rows:
        yield Case(name, "%s; then enrolled, 1 installer" % reason, functools.partial(passes, fault))
        if stays_in_bounded or not bounded_only:
            yield Case(name + ", and stays", "%s until the deadline; exit %d%s" % (
                reason, code, "; 1 installer" if installed else ""), functools.partial(stays, fault))


def _mints():
    for name, reason, tokens, action, arguments in table.MINTS:
        fault = rule(action, path=table.TOKENS, times=1, **arguments)
        fault.tokens = tokens
        yield Case(name, "%s; then enrolled, 1 installer%s" % (reason, "" if tokens == 1 else ", %d tokens" % tokens),
                   functools.partial(once, fault))


def _asked_again(header, pause_s):
    """Held against the time between the refusal and the next request, both on the simulator's clock."""
    times = []

    def inject(bench):
        bench.sim.control.fault("status", times=1, **table.retry_after(header()))

    def at_end(bench):
        times.extend(entry["at"] for entry in bench.sim.requests()[:2])

    seen = once(Fault(inject), at_end)
    pause_seen_s = times[1] - times[0]
    if not pause_s <= pause_seen_s < pause_s + 5:
        seen += ", asked again after %.1f s" % pause_seen_s
    return seen


def _pauses():
    for name, header, pause_s in table.PAUSES:
        yield Case(name, "coordinator.throttled; then enrolled, 1 installer",
                   functools.partial(_asked_again, header, pause_s))
    name, reason, code, fault = table.ENDLESS_PAUSE
    yield Case(name, "%s until the deadline; exit %d" % (reason, code), functools.partial(stays, fault))


def _final():
    for name, reason, further, fault in table.STRANGERS:
        yield Case(name, "%s; exit 69, %d further requests" % (reason, further),
                   functools.partial(stops, fault, further_connections))
    for name, reason, code, further, fault in table.REFUSALS:
        yield Case(name, "%s; exit %d, %d further request%s" % (reason, code, further, "" if further == 1 else "s"),
                   functools.partial(stops, fault))


def _verdicts():
    for name, reason, fault in table.VERDICTS:
        yield Case(name, "%s; then enrolled, 1 installer" % reason, functools.partial(passes, fault))
        yield Case(name + ", and stays", "%s; exit 76, 1 installer" % reason, functools.partial(differs, fault))
    name, reason, code, fault = table.UNKNOWN_ROLE
    yield Case(name, "%s; exit %d, 0 further requests" % (reason, code),
               functools.partial(stops, fault, installs=1))
    name, reason, code, fault = table.FOREIGN
    yield Case(name, "%s; exit %d, 0 installers" % (reason, code), functools.partial(differs, fault, least_s=0))


def cases(full):
    yield from _passing(table.CONNECTIONS, not full)
    yield from _passing(table.REPLIES, not full)
    yield from _passing(table.STATUSES, not full)
    yield from _passing(table.LOOKS, not full, installed=True)
    yield from _mints()
    yield from _pauses()
    yield from _final()
    yield from _verdicts()
    yield from several(full)
