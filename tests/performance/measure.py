# SPDX-License-Identifier: Apache-2.0
"""Everything that is measured, in the order in which it disturbs the least: times first, interleaved, with nobody looking on."""

import os
import pathlib
import platform
import re
import subprocess
import sys
import urllib.parse

import candidates
import instructions
import places
import processes
from waiting import Waiting
from wire import Relay
from world import BUILD, FILES, World

PRELOAD = BUILD / "tests" / "performance" / "pidfd.so"


def say(text) -> None:
    print("# " + text, file=sys.stderr, flush=True)


def times(chosen, runs, rare):
    """Round after round, each candidate once, whoever is first in one round being last in the next. rare: {name: of how many rounds}."""
    cost = {candidate.name: {"cpu_ms": [], "wall_ms": [], "parts": []} for candidate in chosen}
    for number in range(runs):
        for candidate in chosen[number % len(chosen):] + chosen[:number % len(chosen)]:
            if number >= rare.get(candidate.name, runs):
                continue
            found = candidate.run()
            parts = {}
            for process in found["processes"]:
                parts[process["name"]] = parts.get(process["name"], 0) + process["cpu_s"] * 1e3
            cost[candidate.name]["cpu_ms"].append(sum(parts.values()))
            cost[candidate.name]["wall_ms"].append(found["wall_s"] * 1e3)
            cost[candidate.name]["parts"].append(parts)
    return cost


def on_the_wire(bed, chosen):
    """Through the relay, whose port all are told for the time."""
    address, direct = urllib.parse.urlsplit(bed.sim.url), bed.url
    relay, found = Relay(address.hostname, address.port), {}
    bed.url = "https://127.0.0.1:%d" % relay.port
    bed.write_spec()
    try:
        for candidate in chosen:
            bed.forget()
            counts, seen = relay.begin(), bed.seen()
            candidate.run()
            relay.drain()
            requests = len(bed.requests_since(seen))
            found[candidate.name] = dict(vars(counts), requests=requests, round_trips=counts.round_trips(requests))
    finally:
        bed.url = direct
        bed.write_spec()
        relay.close()
    return found


def trees(bed, chosen, looks):
    """How many processes and programs, and the most memory at once, in so many runs that were looked into."""
    found = {}
    for candidate in chosen:
        log = bed.top / "strace.log"
        candidate.run(processes.strace(log))
        started, programs, threads = processes.counted(log.read_text(errors="replace"))
        peaks = []
        for _ in range(looks):
            peak = processes.Peak()
            candidate.run(watch=peak)
            peaks.append(peak)
        found[candidate.name] = {"processes": started, "programs": programs, "threads": threads,
                                 "pss_kib": max(peak.pss_kib for peak in peaks), "anon_kib": max(peak.anon_kib for peak in peaks)}
    return found


def starts(bed, runs):
    waiting = Waiting(bed)
    found = {"ece-enrolld": [], "floor": []}
    for _ in range(runs):
        found["ece-enrolld"].append(waiting.start_of_daemon())
        found["floor"].append(waiting.start_of_floor())
    return found


def memories(bed, runs):
    waiting = Waiting(bed)
    found = {}
    for _ in range(runs):
        for name, memory in waiting.memories().items():
            found.setdefault(name, []).append(memory)
    return found


def said(*command):
    """First line of what a program says of its version."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError:
        return "none"
    return done.stdout.splitlines()[0].strip() if done.stdout else "none"


def machine():
    cpu = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    curl = said("curl", "--version")
    compiler = re.search(r"^CC = (.*)$", (BUILD / "Makefile").read_text(), re.MULTILINE)[1].split()[0]
    release = re.search(r'^PRETTY_NAME="?(.*?)"?$', pathlib.Path("/etc/os-release").read_text(), re.MULTILINE)
    return {"system": release[1] if release else "unknown", "kernel": platform.release(),
            "processor": "%d x %s" % (os.cpu_count(), cpu[1] if cpu else platform.machine()),
            "compiler": said(compiler, "--version"), "C library": " ".join(platform.libc_ver()), "curl": " ".join(curl.split()[:4]),
            "OpenSSL": said("openssl", "version"), "bash": said("bash", "--version"), "jq": said("jq", "--version"),
            "Ansible": said("ansible-playbook", "--version"), "valgrind": said("valgrind", "--version")}


def choose(bed, names):
    """Those candidates that can run here; of the others it is told."""
    chosen = []
    for kind in candidates.ALL:
        if names and kind.name not in names:
            continue
        if kind.missing():
            say("%s is left out: no %s" % (kind.name, ", ".join(kind.missing())))
        else:
            chosen.append(kind(bed))
    return chosen


def learn(bed) -> None:
    """What ece-enroll asks, from a run of its own; and everything is in the page cache then."""
    seen = bed.seen()
    candidates.Enroll(bed).run()
    bed.learn(bed.requests_since(seen))


def everything(options):
    """options: runs; names of candidates, or none for all; rare; memories, how often waiting memory is looked at; window_s, of the wake-ups;
    looked_into, whose wire and processes are counted; looks, how many runs are looked into for memory; counted, who runs under
    callgrind; placed, of whom it is told where the instructions go."""
    bed = World()
    try:
        learn(bed)
        chosen = choose(bed, options["names"])
        say("times: %d rounds of %s" % (options["runs"], ", ".join(candidate.name for candidate in chosen)))
        results = {"runs": options["runs"], "machine": machine(), "candidates": times(chosen, options["runs"], options["rare"])}
        results["sizes"] = {name: (bed.programs / name).stat().st_size for name in FILES}
        say("start and waiting")
        results["start"] = starts(bed, options["runs"])
        results["waiting"] = memories(bed, options["memories"])
        results["wakeups"] = {"seconds": options["window_s"], "counts": Waiting(bed).wakeups(options["window_s"])}
        say("wire, processes, memory")
        results["wire"] = on_the_wire(bed, [candidate for candidate in chosen if candidate.name in options["looked_into"]])
        results["trees"] = trees(bed, [candidate for candidate in chosen if candidate.name in options["looked_into"]], options["looks"])
        say("instructions")
        results["instructions"] = {candidate.name: instructions.count(candidate, PRELOAD) for candidate in chosen
                                   if candidate.name in options["counted"]}
        results["places"] = {}
        for candidate in chosen:
            if candidate.name in options["placed"]:
                results["places"].update(places.look(candidate, PRELOAD))
        return results
    finally:
        bed.close()
