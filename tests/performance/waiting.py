# SPDX-License-Identifier: Apache-2.0
"""What it costs to be there: the daemon of a host that is enrolled and its keeper, both waiting; and how long they take to get there.

Beside them the floor: waiting with its connection open, and from its exec until it would send its first request, which is when a
daemon that has read its spec and set up its HTTP says READY=1.
"""

import contextlib
import os
import pathlib
import select
import socket
import subprocess
import time

from processes import members
from world import SocketUnit

READY_S = 60


def memory(pid):
    """RssAnon and Pss in KiB."""
    status, rollup = members(pid, "status", ("RssAnon",)), members(pid, "smaps_rollup", ("Pss",))
    return {"anon_kib": status["RssAnon"], "pss_kib": rollup["Pss"]}


def tasks(pid):
    return [int(name) for name in os.listdir("/proc/%d/task" % pid)]


def switches(pid):
    """How often its threads were put to sleep or set aside: none more means that it has never run in between."""
    total = 0
    for task in tasks(pid):
        total += sum(members(task, "status", ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")).values())
    return total


def asleep(pid):
    """All threads, in the kernel."""
    return all(pathlib.Path("/proc/%d/stat" % task).read_text().rpartition(")")[2].split()[0] == "S" for task in tasks(pid))


def processor_ms(pid):
    return sum(int(pathlib.Path("/proc/%d/schedstat" % task).read_text().split()[0]) for task in tasks(pid)) / 1e6


class Waiting:
    """A bed with a host that is enrolled, by the daemon. Timers are as far away as the spec allows."""

    def __init__(self, bed):
        self.bed = bed

    @contextlib.contextmanager
    def daemon(self):
        """{name: pid} of agent and keeper when the host is enrolled and both have gone to sleep."""
        self.bed.forget()
        self.bed.write_spec(verify={"drift_every": "168h"})
        unit = SocketUnit(self.bed)
        agent = self.bed.daemon()
        try:
            self.bed.wait_status("ENROLLED")
            pids = {"ece-enrolld": agent.pid, "ece-installd": unit.process.pid}
            self.bed.wait_for(lambda: all(map(asleep, pids.values())))
            yield pids
        finally:
            agent.terminate()
            agent.wait()
            unit.close()
            self.bed.write_spec()

    def memories(self):
        """Of agent, keeper and floor."""
        with self.daemon() as pids:
            found = {name: memory(pid) for name, pid in pids.items()}
        with self.floor(self.bed.list) as process:
            found["floor"] = memory(process.pid)
        return found

    def wakeups(self, seconds):
        """How often each has run in so many seconds."""
        with self.daemon() as pids:
            before = {name: switches(pid) for name, pid in pids.items()}
            time.sleep(seconds)
            return {name: switches(pid) - before[name] for name, pid in pids.items()}

    # The floor, waiting

    @contextlib.contextmanager
    def floor(self, requests):
        self.bed.forget()
        with open(requests, "rb") as stdin:
            begin = time.monotonic()
            process = subprocess.Popen([self.bed.floor, self.bed.url, self.bed.sim.ca, self.bed.key_path, self.bed.door.directory,
                                        "--wait"], stdin=stdin, stdout=subprocess.PIPE, env=self.bed.environment(), cwd="/")
        try:
            if process.stdout.read(1) != b".":
                raise RuntimeError("the floor did not come to wait")
            process.came_ms = (time.monotonic() - begin) * 1e3
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    # Until they are ready

    def start_of_floor(self):
        """(wall, processor) in ms. Without requests it waits where it could send the first."""
        with self.floor(os.devnull) as process:
            return process.came_ms, processor_ms(process.pid)

    def start_of_daemon(self):
        self.bed.forget()
        path = self.bed.top / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            begin = time.monotonic()
            agent = self.bed.daemon(NOTIFY_SOCKET=str(path))
            try:
                while b"READY=1" not in self._received(notify):
                    pass
                return (time.monotonic() - begin) * 1e3, processor_ms(agent.pid)
            finally:
                agent.kill()
                agent.wait()
                path.unlink()

    @staticmethod
    def _received(notify):
        if not select.select([notify], [], [], READY_S)[0]:
            raise RuntimeError("never ready")
        return notify.recv(4096)
