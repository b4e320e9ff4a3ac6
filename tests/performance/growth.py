#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an enrollment costs when there is more of something: roles, coordinators, refused requests, output of the installer.

    growth.py                    measures and prints tables; some minutes, most of them for a gigabyte of output
    growth.py --document PAGE    writes them into a page as well, each between `<!-- table: NAME -->` and `<!-- end -->`
    growth.py --axis NAME        only this one; may be repeated
    growth.py --check            a smaller form, judged, as TAP; the bounds are ratios within the one run

The real daemon and keeper (ECE_BUILD_DIR) between a simulated coordinator and a stand-in installer. Processor time is the
processes' own clock, read when the enrollment is over and both are at rest. Memory is the largest RssAnon seen while it lasted: what
the kernel could not take back.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import sys
import threading
import time

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "e2e"))

import tap  # noqa: E402
from bench import MISSING, Bench  # noqa: E402
from coordsim.process import TOKENS  # noqa: E402

ROLES = ("allocator", "coordinator", "director", "proxy")
MB = 1000 * 1000
LIMIT_S = 1200
JWT = re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")
LINE = "[2026-01-01 00:00:00,000][INFO ][no.found.bootstrap.BootstrapInitial] Waiting for a service to come up {}"

# Speaks of its end at its beginning, says when all is printed, holds until it is told to go on, and has its last word. `yes` is stopped by
# a pipe that nobody reads, which is no failure here.
FLOOD = """flood() {
    echo "Host storage path $HOST_STORAGE_PATH exists but doesn't have what it takes"
    { yes "%(line)s" || true; } | head -n %(half)d
    echo "Verified that ECE version 4.0.3 is what was wanted"
    echo "in the middle it says $RUNNER_ROLES_TOKEN to everybody"
    { yes "%(line)s" || true; } | head -n %(half)d
    : >"$HOST_STORAGE_PATH/printed"
    read -r _ <"%(door)s"
    echo "at the end it says $RUNNER_ROLES_TOKEN to everybody"
    echo "and this is the last word"
    exit 1
}

install() {"""


@dataclasses.dataclass
class Cost:
    """What one enrollment came to."""

    axis: str
    amount: int
    agent_ms: float
    keeper_ms: float
    agent_kib: int
    keeper_kib: int
    requests: int
    connections: int
    status_bytes: int
    record_bytes: int
    journal_lines: int
    kept: dict = dataclasses.field(default_factory=dict)


def cpu_ms(pid) -> float:
    """The clock of a whole process: clock_getcpuclockid(3) makes its number like this."""
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e6


def anonymous_kib(pid) -> int:
    try:
        text = pathlib.Path("/proc/%d/status" % pid).read_text()
    except OSError:
        return 0
    found = re.search(r"^RssAnon:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) if found else 0


class Peak(threading.Thread):
    """The largest RssAnon of a process that is asked for anew each time, for a keeper comes later than its socket."""

    def __init__(self, pid_of):
        super().__init__(daemon=True)
        self.pid_of, self.kib, self.over = pid_of, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.005):
            self.look()

    def look(self):
        pid = self.pid_of()
        self.kib = max(self.kib, anonymous_kib(pid) if pid else 0)

    def end(self) -> int:
        self.over.set()
        self.join()
        self.look()
        return self.kib


class Enrollment:
    """One host, one daemon, one keeper, from nothing to the state that is asked for."""

    def __init__(self, *sim_options, **changes):
        self.bench = Bench(*sim_options)
        self.bench.write_spec(**changes)
        self.keeper = self.bench.socket_unit()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bench.close()

    def start(self):
        self.agent = self.bench.daemon()
        self.peaks = Peak(lambda: self.agent.pid), Peak(lambda: self.keeper.process and self.keeper.process.pid)

    def finish(self, state, axis, amount) -> Cost:
        self.bench.wait_status(state, LIMIT_S)
        agent_kib, keeper_kib = (peak.end() for peak in self.peaks)
        output = self.agent.output_path.read_text(errors="replace")
        return Cost(axis, amount, round(cpu_ms(self.agent.pid), 2), round(cpu_ms(self.keeper.process.pid), 2), agent_kib, keeper_kib,
                    len(self.bench.sim.requests()), len(self.bench.sim.control.events("connect")),
                    (self.bench.runtime / "status.json").stat().st_size, (self.bench.state / "record.json").stat().st_size, output.count("\n"))


def least(times, measure, *arguments) -> Cost:
    """Of several the cheapest: what is added by others at work is no cost of ours."""
    return min((measure(*arguments) for _ in range(times)), key=lambda cost: cost.agent_ms)


def with_roles(amount) -> Cost:
    with Enrollment(host={"roles": list(ROLES[:amount])}) as host:
        host.start()
        return host.finish("ENROLLED", "roles", amount)


def with_coordinators(amount) -> Cost:
    with Enrollment(*("--listen", "127.0.0.1:0") * amount) as host:
        host.start()
        return host.finish("ENROLLED", "coordinators", amount)


def with_refusals(amount) -> Cost:
    """So many requests for a token are refused in ECE's own words, each after a look; then one is not."""
    with Enrollment(retry={"give_up_after": "1h"}) as host:
        if amount:
            host.bench.sim.control.fault("status", method="POST", path=TOKENS, status=503, code="root.unavailable", times=amount)
        host.start()
        return host.finish("ENROLLED", "refusals", amount)


def with_output(amount) -> Cost:
    """An installer that prints so many MB and fails for a reason that it gives in its first line."""
    with Enrollment(installer={"handoff": "argv", "attempt_timeout": "30m"}, retry={"give_up_after": "1h"}) as host:
        door, script = host.bench.top / "door", host.bench.script
        os.mkfifo(door)
        os.chmod(door, 0o644)
        text = script.read_text().replace("    open_log\n    check_os", "    open_log\n    flood\n    check_os", 1)
        half = amount * MB // (2 * (len(LINE) + 1))
        script.write_text(text.replace("install() {", FLOOD % {"line": LINE, "half": half, "door": door}, 1))
        host.start()
        host.bench.wait_for((host.bench.storage / "printed").exists, LIMIT_S)
        stage = shows_stage(host)
        go_on = os.open(door, os.O_RDWR)  # which waits for nobody
        os.write(go_on, b"go on\n")
        cost = host.finish("FAILED", "output", amount)
        os.close(go_on)
        cost.kept = kept(host, stage)
        return cost


def shows_stage(host) -> bool:
    """When all was printed, and what was printed has been read."""
    try:
        host.bench.wait_for(lambda: host.bench.status().get("stage") == "os-verified")
    except AssertionError:
        return False
    return True


def kept(host, stage) -> dict:
    """What must not be lost in it."""
    output = host.agent.output_path.read_text(errors="replace")
    heard = output + (host.bench.top / "installd.out").read_text(errors="replace") + json.dumps(host.bench.status())
    return {
        "the reason, from the first line": host.bench.status()["reason"]["id"] == "installer.storage-permissions",
        "the stage": stage,
        "the last word": "at the end it says [redacted]" in output and "and this is the last word" in output,
        "the secret": not JWT.search(heard),
        "the thread": "BACKOFF" not in [entry["state"] for entry in host.bench.status()["history"]],
    }


AXES = {  # measure, amounts, how often each, amounts of --check
    "roles": (with_roles, (0, 1, 2, 3, 4), 5, (0, 4)),
    "coordinators": (with_coordinators, (1, 3, 10, 16), 5, (1, 16)),
    "refusals": (with_refusals, (0, 1, 10, 100, 400), 1, (0, 10, 40)),
    "output": (with_output, (1, 10, 100, 1000), 1, (1, 8, 64)),
}


def table(costs):
    """Lines of a table; what grows is given as a ratio to the first row as well."""
    first = costs[0]
    if first.axis == "output":
        yield "| MB of output | agent, CPU ms per MB | keeper, CPU ms per MB | agent, KiB | keeper, KiB | kept |"
        yield "|---|---|---|---|---|---|"
        for cost in costs:
            missing = [what for what, good in cost.kept.items() if not good]
            yield "| %d | %.1f | %.1f | %d | %d | %s |" % (
                cost.amount, cost.agent_ms / cost.amount, cost.keeper_ms / cost.amount, cost.agent_kib, cost.keeper_kib,
                "not: " + ", ".join(missing) if missing else "all")
        return
    yield "| %s | requests | connections | agent, CPU ms | ratio | agent, KiB | ratio | keeper, CPU ms | keeper, KiB | status.json, bytes | record.json, bytes | lines in the journal |" % (
        "requests refused" if first.axis == "refusals" else first.axis)
    yield "|---" * 12 + "|"
    for cost in costs:
        yield "| %d | %d | %d | %.1f | %.2f | %d | %.2f | %.1f | %d | %d | %d | %d |" % (
            cost.amount, cost.requests, cost.connections, cost.agent_ms, cost.agent_ms / first.agent_ms, cost.agent_kib, cost.agent_kib / first.agent_kib,
            cost.keeper_ms, cost.keeper_kib, cost.status_bytes, cost.record_bytes, cost.journal_lines)


def machine() -> str:
    """Where it was measured, for whoever compares figures of two pages."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return "Measured on %d processors (%s), Linux %s; %s." % (
        os.cpu_count(), model[1] if model else os.uname().machine, os.uname().release, time.strftime("%Y-%m-%d", time.gmtime()))


def write_tables(page, tables) -> None:
    def between(match):
        return "<!-- table: %s -->\n\n%s\n\n<!-- end -->" % (match[1], tables[match[1]]) if match[1] in tables else match[0]

    text = page.read_text(encoding="utf-8")
    page.write_text(re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", between, text, flags=re.DOTALL), encoding="utf-8")


def measure_all(page, axes) -> int:
    tables = {"machine": machine()}
    for axis in axes:
        measure, amounts, times, _ = AXES[axis]
        costs = []
        for amount in amounts:
            costs.append(least(times, measure, amount))
            print("# %s" % costs[-1], file=sys.stderr, flush=True)
        tables[axis] = "\n".join(table(costs))
        print(tables[axis] + "\n", flush=True)
    if page:
        write_tables(page, tables)
    return 0


def per_step(costs, of) -> list:
    """What each further one costs, between two neighbours."""
    return [(of(b) - of(a)) / (b.amount - a.amount) for a, b in zip(costs, costs[1:])]


def bounds(axis, costs):
    """(what must be so, the ratio seen, the largest that is allowed). A ratio of 1 is flat; wide enough for a machine with others at work."""
    first, last = costs[0], costs[-1]
    yield "memory of the agent", last.agent_kib / first.agent_kib, 1.3
    yield "memory of the keeper", last.keeper_kib / first.keeper_kib, 1.3
    if axis in ("roles", "coordinators"):
        yield "processor time of the keeper", last.keeper_ms / first.keeper_ms, 2
        yield "connections", last.connections / first.connections, 2  # a POST may have one for itself, where the machine is slow
        yield "size of status.json", last.status_bytes / first.status_bytes, 1.75
    if axis == "roles":
        yield "processor time of the agent", last.agent_ms / first.agent_ms, 2
    if axis == "coordinators":
        yield "requests", last.requests / first.requests, 1
        yield "processor time of the agent", last.agent_ms / first.agent_ms, 3
    if axis == "refusals":
        early, late = per_step(costs, lambda cost: cost.agent_ms)
        yield "processor time of the agent for each further refusal", late / early, 2
        early, late = per_step(costs, lambda cost: cost.requests)
        yield "requests for each further refusal", late / early, 1
        yield "size of status.json, when the history is full", last.status_bytes / costs[1].status_bytes, 1.1
        yield "size of record.json, when the history is full", last.record_bytes / costs[1].record_bytes, 1.1
        early, late = per_step(costs, lambda cost: cost.journal_lines)
        yield "lines in the journal for each further refusal", late / early, 0.5
    if axis == "output":
        early, late = per_step(costs, lambda cost: cost.keeper_ms)
        yield "processor time of the keeper for each further MB", late / early, 2
        yield "processor time of the agent for each MB", last.agent_ms / last.amount / (first.agent_ms / first.amount), 1.5


def check() -> int:
    if MISSING:
        print("1..0 # SKIP " + MISSING)
        return 0
    lines = []
    for axis, (measure, _, _, amounts) in AXES.items():
        costs = [measure(amount) for amount in amounts]
        span = "%s, %d to %d" % (axis, amounts[0], amounts[-1])
        for what, ratio, most in bounds(axis, costs):
            lines.append((ratio <= most, "%s: %s" % (span, what), "%.2f times, at most %.2f" % (ratio, most)))
        for what in costs[0].kept:
            amounts_lost = [str(cost.amount) for cost in costs if not cost.kept[what]]
            lines.append((not amounts_lost, "%s: %s is kept" % (span, what), "lost at %s MB" % ", ".join(amounts_lost) if amounts_lost else "kept"))
    print("1..%d" % len(lines))
    for number, (good, name, seen) in enumerate(lines, 1):
        print("%sok %d - %s\n#   seen %s" % ("" if good else "not ", number, name, seen))
    return 0 if all(good for good, _, _ in lines) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="a smaller form, judged, as TAP")
    parser.add_argument("--document", metavar="PAGE", type=pathlib.Path, help="writes the tables into this page")
    parser.add_argument("--axis", action="append", choices=AXES, help="only this one; may be repeated")
    options = parser.parse_args()
    if 0 < os.getuid() < 1000 or (MISSING and not options.check):
        print("growth.py: %s" % (MISSING or "neither root nor a user that may install"), file=sys.stderr)
        return 69
    before = {pid for pid, _, _ in tap.children()}
    try:
        return check() if options.check else measure_all(options.document, options.axis or AXES)
    finally:
        tap.sweep(before)


if __name__ == "__main__":
    sys.exit(main())
