# SPDX-License-Identifier: Apache-2.0
"""What a tree of processes is made of: how many there were and which programs they became, by strace; and what memory they held at
once, by looking again and again. Each in a run of its own, for both slow down what they look at.
"""

import os
import pathlib
import re

STARTED = re.compile(r"^(?P<pid>\d+) +(?:<\.\.\. )?(?P<call>clone3?|fork|vfork)\b(?P<rest>.*)$")
EXECUTED = re.compile(r"^\d+ +(?:execve\(|<\.\.\. execve resumed>).* = 0$")
RESULT = re.compile(r"= (-?\d+)(?: .*)?$")


def strace(log):
    return ["strace", "-f", "-qq", "-o", log, "-e", "trace=clone,clone3,fork,vfork,execve", "-e", "signal=none"]


def counted(text):
    """(processes, programs, threads) of strace's log, the first process included. A call that somebody else's line has cut in two has
    its flags in either half."""
    processes, threads, halves = 1, 0, {}
    lines = text.splitlines()
    for line in lines:
        call = STARTED.match(line)
        if not call:
            continue
        words = halves.pop(call["pid"], "") + call["rest"]
        if line.endswith("<unfinished ...>"):
            halves[call["pid"]] = words
            continue
        result = RESULT.search(line)
        if result and int(result[1]) > 0:
            if "CLONE_THREAD" in words:
                threads += 1
            else:
                processes += 1
    return processes, sum(1 for line in lines if EXECUTED.match(line)), threads


def family(top):
    """Ids of all below the process top."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            tail = pathlib.Path("/proc", name, "stat").read_text().rpartition(")")[2]
        except OSError:
            continue
        parents.setdefault(int(tail.split()[1]), []).append(int(name))
    found, waiting = [], [top]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def members(pid, name, wanted):
    """Numbers of a file of /proc/PID whose lines are "Key: number"; those of all mappings of a kind are added. None of a process that
    is gone, or is a kernel's idea of one only."""
    found = dict.fromkeys(wanted, 0)
    try:
        lines = pathlib.Path("/proc/%d/%s" % (pid, name)).read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, rest = line.partition(":")
        if key in found:
            found[key] += int(rest.split()[0])
    return found


def held(pid):
    """(Pss, RssAnon) in KiB: what is shared counts for each who shares it with its part; anonymous memory is its own."""
    found = members(pid, "smaps_rollup", ("Pss", "Anonymous"))
    return (found["Pss"], found["Anonymous"]) if found else (0, 0)


class Peak:
    """watch() of candidates: the most that the whole family has held at once."""

    def __init__(self):
        self.pss_kib = self.anon_kib = 0

    def __call__(self, top) -> None:
        """As long as there is a family; top itself is tree.py, which is none of it."""
        born = False
        while True:
            pids = family(top)
            born = born or bool(pids)
            if not pids and (born or not pathlib.Path("/proc/%d/maps" % top).exists() or self._gone(top)):
                return
            all_of_them = list(map(held, pids))
            self.pss_kib = max(self.pss_kib, sum(pss for pss, _ in all_of_them))
            self.anon_kib = max(self.anon_kib, sum(anon for _, anon in all_of_them))

    @staticmethod
    def _gone(top) -> bool:
        try:
            return pathlib.Path("/proc/%d/stat" % top).read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True
