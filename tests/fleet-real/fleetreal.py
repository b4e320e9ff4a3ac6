# SPDX-License-Identifier: Apache-2.0
"""A fleet of real agents: `ece-enroll run` so many times at once, each with keeper, engine, machine-id and directories of its own, real TLS
to one simulated coordinator that may be down at first and serves so many requests a second.

What is not real: the installer only joins (quick-join.sh), the engines hold nothing, and all hosts share one machine.
"""

import collections
import dataclasses
import hashlib
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "e2e"))

import tap  # noqa: E402
from bench import PASSED_ON, Scratch, SimProcess, find_install_user, yaml  # noqa: E402
from enginetest import SYSTEM_PATH  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
# To each its own /etc/machine-id, by which its place in the splay and its order of coordinators are drawn.
AS_A_HOST = ("unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount --bind "$0" /etc/machine-id && exec "$@"')
PROGRAMS = {"ece-enroll": "agents", "ece-installd": "keepers"}
MEMORY_EVERY_S = 5


def is_possible() -> str:
    """Why not, or nothing."""
    if os.getuid() != 0:
        return "needs root, to give each host a machine-id of its own"
    told = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    return told.stderr.strip() if told.returncode else ""


@dataclasses.dataclass
class Plan:
    hosts: int = 200
    boot_s: float = 10  # their starts are spread over this
    outage_s: float = 30  # from the first start on nobody listens
    capacity: int = 40  # requests a second that are served; what is more is told 429
    retry_after_s: int = 0  # with these words; 0: without
    splay_s: int = 60
    backoff_min_s: int = 5
    backoff_max_s: int = 60
    install_s: float = 8
    spread_percent: int = 25
    stable_s: int = 30

    def spec_changes(self):
        return {"retry": {"splay": "%ds" % self.splay_s, "windows": 3, "give_up_after": "1h",
                          "backoff": {"min": "%ds" % self.backoff_min_s, "max": "%ds" % self.backoff_max_s}},
                "verify": {"timeout": "10m", "stable_for": "%ds" % self.stable_s}}

    def words(self):
        """The same for the model, which has no pull here and the default of verify.stable_for."""
        words = ["hosts=%d" % self.hosts, "boot=%gs" % self.boot_s, "pull=0s", "install=%gs" % self.install_s, "spread=%d" % self.spread_percent,
                 "splay=%ds" % self.splay_s, "min=%ds" % self.backoff_min_s, "max=%ds" % self.backoff_max_s, "capacity=%d" % self.capacity, "limit=429"]
        words += ["retry-after=%ds" % self.retry_after_s] if self.retry_after_s else []
        return words + (["outage=0s-%gs:refused" % self.outage_s] if self.outage_s else [])


@dataclasses.dataclass
class Agent:
    process: subprocess.Popen
    address: str
    began_s: float
    took_s: float = 0.0
    code: int = None

    @property
    def output(self):
        return self.process.output_path.read_text(errors="replace")


class Memory(threading.Thread):
    """The largest sum of what all agents take, and all keepers; pages that they share counted once (Pss)."""

    def __init__(self, top):
        super().__init__(daemon=True)
        self.top, self.kib, self.over = os.fsencode(str(top)), dict.fromkeys(PROGRAMS.values(), 0), threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(MEMORY_EVERY_S):
            self.look()

    def look(self):
        now = dict.fromkeys(PROGRAMS.values(), 0)
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes().split(b"\0")
                name = PROGRAMS.get(os.path.basename(words[0].decode()))
                if name and any(word.startswith(self.top) for word in words):
                    now[name] += int(re.search(r"^Pss: +(\d+) kB", (path / "smaps_rollup").read_text(), re.MULTILINE)[1])
            except (OSError, ValueError, TypeError):
                continue
        self.kib = {name: max(self.kib[name], now[name]) for name in now}

    def end(self):
        self.over.set()
        self.join()
        return self.kib


class Fleet:
    def __init__(self, plan):
        self.plan, scratch = plan, Scratch.get()
        self.programs, self.user = scratch.programs, find_install_user()
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="fleet", dir=scratch.top))
        self.top.chmod(0o755)
        self.sim = SimProcess(self.top / "platform", pki=scratch.pki)
        self.clients = scratch.top / "engine" / "bin"
        self._furnish()
        self.homes = [self._home(number) for number in range(plan.hosts)]
        self.engines = subprocess.Popen([sys.executable, str(HERE / "engines.py"), *(str(home / "engine.sock") for home in self.homes)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if not self.engines.stdout.readline().startswith(b"ready"):
            raise RuntimeError("the engines did not start")
        self.agents, self.ends, self.cpu_s = {}, select.poll(), dict.fromkeys(PROGRAMS.values(), 0.0)
        self.environment = {"PATH": "%s:%s" % (self.clients, SYSTEM_PATH), "LC_ALL": "C.UTF-8",
                            **{name: os.environ[name] for name in PASSED_ON if name in os.environ}}

    def close(self) -> None:
        for fd, agent in self.agents.items():
            os.close(fd)
            if agent.code is None:
                agent.process.kill()
                agent.process.wait()
        self.engines.terminate()
        self.sim.close()
        self.engines.wait()
        self.engines.stdout.close()
        shutil.rmtree(self.top, True)

    def _furnish(self):
        """What all hosts have alike."""
        (self.top / "ece").mkdir()
        self.script = self.top / "ece" / "elastic-cloud-enterprise.sh"
        shutil.copy(HERE / "quick-join.sh", self.script)
        (self.top / "ece" / "door").write_text(self.sim.join.replace(":", " ") + "\n")
        least, span = (self.plan.install_s * 10 * part for part in (100 - self.plan.spread_percent, 2 * self.plan.spread_percent))
        (self.top / "ece" / "takes").write_text("%d %d\n" % (least, span))
        self.storage = self.top / "data"
        self.storage.mkdir(0o700)
        os.chown(self.storage, self.user.pw_uid, self.user.pw_gid)
        self.key = self.top / "key"
        with open(os.open(self.key, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(self.sim.credentials["api_key"] + "\n")

    @staticmethod
    def address(number) -> str:
        """Of a network for measurements (RFC 2544), where nobody is."""
        return "198.18.%d.%d" % (number // 250, number % 250 + 1)

    def _home(self, number):
        home = self.top / ("host%03d" % number)
        (home / "run").mkdir(parents=True)
        (home / "machine-id").write_text(hashlib.sha256(b"host %d" % number).hexdigest()[:32] + "\n")
        spec = dict({
            "version": 1, "coordinators": list(self.sim.urls), "trust": {"ca_file": str(self.sim.ca)},
            "credential": {"api_key": {"from": "file", "path": str(self.key)}},
            "host": {"roles": ["allocator"], "host_ip": self.address(number)},
            "installer": {"script": str(self.script), "user": self.user.pw_name, "storage_path": str(self.storage), "handoff": "argv",
                          "engine_socket": str(home / "engine.sock"), "prepull": False, "attempt_timeout": "5m"},
        }, **self.plan.spec_changes())
        (home / "enroll.yaml").write_text("\n".join(yaml(spec)) + "\n")
        return home

    # Playing

    def play(self) -> None:
        """From the first start until the last agent has come to its end."""
        if self.plan.capacity:
            words = {"headers": {"Retry-After": str(self.plan.retry_after_s)}} if self.plan.retry_after_s else {}
            self.sim.control.fault("status", status=429, code="root.too_many_requests", above=self.plan.capacity, **words)
        if self.plan.outage_s:
            self.sim.control.listener(up=False)
        memory = Memory(self.top)
        self.began_at, self.began_s = time.time(), time.monotonic()
        due = [(number * self.plan.boot_s / self.plan.hosts, lambda home=home, number=number: self._start(home, number))
               for number, home in enumerate(self.homes)]
        if self.plan.outage_s:
            due.append((self.plan.outage_s, lambda: self.sim.control.listener(up=True)))
        due.sort(key=lambda pair: pair[0])
        while due or any(agent.code is None for agent in self.agents.values()):
            passed_s = time.monotonic() - self.began_s
            while due and due[0][0] <= passed_s:
                due.pop(0)[1]()
            for fd, _ in self.ends.poll(max(due[0][0] - passed_s, 0) * 1000 if due else None):
                self._ended(fd)
        self.kib = memory.end()
        self._end_keepers()

    def _start(self, home, number) -> None:
        words = [*AS_A_HOST, home / "machine-id", self.programs / "ece-enroll", "run", "--spec", home / "enroll.yaml",
                 "--state-dir", home / "state", "--runtime-dir", home / "run"]
        process = subprocess.Popen(list(map(str, words)), cwd="/", stdin=subprocess.DEVNULL, stdout=open(home / "output", "wb"),
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   env=self.environment)
        process.output_path = home / "output"
        fd = os.pidfd_open(process.pid)
        self.ends.register(fd, select.POLLIN)
        self.agents[fd] = Agent(process, self.address(number), time.monotonic() - self.began_s)

    def _wait(self, pid, whose) -> int:
        """Its exit code. What it has waited for itself is counted with it."""
        _, status, used = os.wait4(pid, 0)
        self.cpu_s[whose] += used.ru_utime + used.ru_stime
        return os.waitstatus_to_exitcode(status)

    def _ended(self, fd) -> None:
        agent = self.agents[fd]
        self.ends.unregister(fd)
        agent.took_s = time.monotonic() - self.began_s
        agent.code = agent.process.returncode = self._wait(agent.process.pid, "agents")

    def _end_keepers(self) -> None:
        """They outlive their agents for a while; orphans come to us."""
        for pid, _, name in list(tap.children()):
            if PROGRAMS.get(name) == "keepers":
                os.kill(pid, signal.SIGTERM)
                self._wait(pid, "keepers")

    # What came of it

    def _by_second(self, events) -> list:
        seconds = collections.Counter(int(event["at"] - self.began_at) for event in events)
        return [seconds[second] for second in range(max(seconds, default=0) + 1)]

    def result(self, seen=0) -> dict:
        """seen: so many events of the simulator are older."""
        events = self.sim.control.events()[seen:]
        connects, requests = ([event for event in events if event["event"] == kind] for kind in ("connect", "request"))
        curves = [self._by_second(events) for events in (requests, connects, [event for event in requests if event["status"] == 429])]
        ends = sorted(agent.took_s for agent in self.agents.values() if agent.code == 0)
        n = self.plan.hosts
        return {
            "enrolled": len(ends), "peak_requests": max(curves[0]), "peak_handshakes": max(curves[1]),
            "curve_requests": curves[0], "curve_handshakes": curves[1], "curve_refused": curves[2],
            "requests": len(requests) / n, "connections": len(connects) / n, "refused": sum(curves[2]) / n,
            "tokens": sum(event["event"] == "mint" for event in events) / n,
            "enrolled_99": ends[-(-len(ends) * 99 // 100) - 1] if len(ends) * 100 >= n * 99 else None,
            "agent_cpu_ms": self.cpu_s["agents"] / n * 1000, "keeper_cpu_ms": self.cpu_s["keepers"] / n * 1000,
            "agents_kib": self.kib["agents"], "keepers_kib": self.kib["keepers"],
        }
