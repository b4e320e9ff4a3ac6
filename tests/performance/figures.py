# SPDX-License-Identifier: Apache-2.0
"""Medians, their spread, and ratios of runs that were next to each other; and what must hold of them.

A ratio is that of two runs of the same round, so that what the machine does meanwhile hits both; the spread is the middle half of all
rounds. TARGETS are the product's own; check() asks for less: that nothing has become much worse than doc/performance.md says.
"""

import dataclasses
import statistics

KIB = 1024


@dataclasses.dataclass
class Spread:
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        if len(values) < 2:
            return cls(*[values[0]] * 3)
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(statistics.median(values), low, high)

    def text(self, form="%.1f"):
        if self.low == self.high:
            return form % self.median
        return "%s (%s to %s)" % tuple(form % value for value in (self.median, self.low, self.high))


def ratios(ours, theirs):
    """Round by round; who was measured less often only where both were."""
    return Spread.of([one / other for one, other in zip(ours, theirs)])


@dataclasses.dataclass
class Target:
    """key: its name in results and document; bound: at most this; slack: how much above the documented figure check() lets pass."""

    key: str
    what: str
    bound: float  # None: for a regression only
    slack: float
    form: str = "%.2f"
    unit: str = ""


# A regression of 2 is seen by each: noise of a busy machine stays within 1.7 for what is timed, and 1.3 for what is counted.
TARGETS = (
    Target("cpu/floor", "processor time, against the floor", 1.5, 1.7),
    Target("cpu/bash", "processor time, against bash, curl and jq", 0.5, 1.7),
    Target("cpu/ansible", "processor time, against the Ansible play", 0.02, 1.7, "%.4f"),
    Target("anon/floor", "RssAnon of the waiting daemon, against the floor", 2, 1.3),
    Target("handshakes", "TLS handshakes beyond those of the floor", 0, 1, "%d"),
    Target("wakeups", "wake-ups a minute of the waiting daemon and its keeper", 0, 1, "%d"),
    Target("size", "size of all programs, stripped", 500, 1.3, "%d", " KiB"),
    Target("start/floor", "start to READY, against the floor's start", 2, 1.7),
    Target("instructions/floor", "instructions, against the floor", None, 1.3),
    Target("processes", "processes started by an enrollment", None, 1, "%d"),
)


def values(results):
    """{key of a target: Spread} of what was measured."""
    cost, found = results["candidates"], {}
    for other in ("floor", "bash", "ansible"):
        if {"ece-enroll", other} <= cost.keys():
            found["cpu/" + other] = ratios(cost["ece-enroll"]["cpu_ms"], cost[other]["cpu_ms"])
    waiting, start, wire = results["waiting"], results["start"], results["wire"]
    if waiting:
        found["anon/floor"] = ratios([m["anon_kib"] for m in waiting["ece-enrolld"]], [m["anon_kib"] for m in waiting["floor"]])
    if start:
        found["start/floor"] = ratios([wall for wall, _ in start["ece-enrolld"]], [wall for wall, _ in start["floor"]])
    if {"ece-enroll", "floor"} <= wire.keys():
        found["handshakes"] = Spread.of([wire["ece-enroll"]["handshakes"] - wire["floor"]["handshakes"]])
    if results["wakeups"]:
        counted = results["wakeups"]
        found["wakeups"] = Spread.of([round(sum(counted["counts"].values()) * 60 / counted["seconds"])])
    counts = {name: sum(programs.values()) for name, programs in results["instructions"].items()}
    if {"ece-enroll", "floor"} <= counts.keys():
        found["instructions/floor"] = Spread.of([counts["ece-enroll"] / counts["floor"]])
    if "ece-enroll" in results["trees"]:
        found["processes"] = Spread.of([results["trees"]["ece-enroll"]["processes"]])
    found["size"] = Spread.of([sum(results["sizes"].values()) / KIB])
    return found


def verdict(target, value):
    return "" if target.bound is None else "met" if value.median <= target.bound else "missed"
