# SPDX-License-Identifier: Apache-2.0
"""One host on its way into the installation, whose programs are traced, killed, stopped and started again.

A Scene is a Bench with a scenario (what the installer does) and somebody who does what systemd's units do, or what a
person does who calls `ece-enroll run` again. A part begins it, injects its fault, lets it go on to its end, and holds
verdict() against what the scenario says: the same sentence whatever happened on the way.
"""

import dataclasses
import json
import os
import pathlib
import signal
import socket
import time

import tap
from bench import INSTALLER, Bench
from matrix import Case, Skip
from sampler import TOKEN

END_S = 100  # in which a scene has to come to its end
HIT_S = 1.5  # beyond a scene's end, in which a fault may still hit
TRIES = 4
LEAVE_S = 10  # in which everybody has to have left after that
RESTART_S = 0.1
POLL_S = 0.005
SET_ASIDE_BY_KEEPER = "attempt.json.unreadable"
FINAL_STATES = ("ENROLLED", "FAILED")
# ece-enrolld.service: what is no failure, and what does not mend by starting again.
NOT_RESTARTED = (0, 130, 143, 64, 73, 76, 77, 78)
INTERNAL = 70
# Where a secret may be, because that is its place or because a stand-in keeps it there.
PLACES_OF_SECRETS = ("platform", "engine", "key")


@dataclasses.dataclass
class Scenario:
    name: str
    expected: str  # of verdict(), for the service
    expected_run: str  # the same of `ece-enroll run`, with its exit code
    behaviour: tuple = ()  # runs of the installer's container
    os_release: str = ""  # what the installer believes that it runs on
    spec: dict = dataclasses.field(default_factory=dict)  # changes of the usual one

    def expects(self, how) -> str:
        return self.expected_run if how == "run" else self.expected


JOINED = "ENROLLED, 1 installer to success"
REFUSED = "FAILED installer.os-unsupported, no installer to success"
JOINS = Scenario("joins", JOINED, JOINED + ", exit 0")
RETRIES = Scenario("fails once", JOINED, JOINED + ", exit 0", behaviour=({"exit": 1},))
# An agent that took its installer for dead would not find the member in time, and begin a second one.
WORKS_LONG = Scenario("works long", JOINED, JOINED + ", exit 0", behaviour=({"seconds": 2.5},),
                      spec={"verify": {"timeout": "1s"}})
FAILS = Scenario("fails for good", REFUSED, REFUSED + ", exit 73", os_release='ID=debian\nVERSION_ID="12"\n')
SCENARIOS = (JOINS, RETRIES, FAILS, WORKS_LONG)


class NotHit(Exception):
    """The scene has come to its end, and what was to be injected has found no place."""


def need_root(what) -> None:
    if os.getuid() != 0:
        raise Skip("only root can " + what)


def not_here(missing) -> Case:
    """One line in the place of a whole part."""
    def run():
        raise missing

    return Case("all", "", run)


class Agent:
    """ece-enrolld as its unit keeps it, or `ece-enroll run` as somebody who wants it to end calls it again."""

    def __init__(self, scene):
        self.scene, self.process, self.starts, self.ends = scene, None, 0, []
        self._again_at = None

    def start(self) -> None:
        bench, wrap = self.scene.bench, self.scene.wrap_agent(self.starts + 1)
        self.seen_before = self.scene.status_identity()
        self.starts += 1
        self.process = bench.start_run(prefix=wrap) if self.scene.how == "run" else bench.daemon(prefix=wrap)

    def _wants_to_start_again(self, code) -> bool:
        if self.scene.how == "run":
            return code < 0 or code == INTERNAL
        return code not in NOT_RESTARTED

    def tick(self) -> None:
        """Starts it again when it has ended and that was not the end of it."""
        if self.alive():
            return
        if self._again_at is None:
            self.ends.append(self.process.returncode)
            if not self._wants_to_start_again(self.process.returncode):
                self._again_at = float("inf")
                return
            self._again_at = time.monotonic() + RESTART_S
        if time.monotonic() >= self._again_at:
            self._again_at = None
            self.start()

    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self, number=signal.SIGKILL) -> bool:
        """Whether there was somebody to be killed; who is killed is dead afterwards."""
        if not self.alive():
            return False
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()
        return True

    def over(self) -> bool:
        """In a final state that this very process has told of, or gone for good."""
        if self.scene.how == "run":
            return self._again_at == float("inf")
        status = self.scene.bench.status()
        return (self.alive() and status is not None and status["state"] in FINAL_STATES and self.has_told())

    def has_told(self) -> bool:
        """Is the status this very process's?"""
        return self.scene.status_identity() != self.seen_before

    def leave(self) -> int:
        """Ended as `systemctl stop` does it."""
        self.kill(signal.SIGTERM)
        self.kill(signal.SIGCONT)
        return self.process.wait(LEAVE_S)


class Scene:
    """how: "service" (both programs as units) or "run" (`ece-enroll run`, which starts its keeper itself)."""

    def __init__(self, how="service", scenario=JOINS):
        self.how, self.scenario = how, scenario
        self.bench = Bench()
        self.tracing = self.bench.top / "tracing"
        self.tracing.mkdir()
        self.bench.write_spec(**scenario.spec)
        self.bench.engine.behave(*scenario.behaviour)
        if scenario.os_release:
            (self.bench.script.parent / "os-release").write_text(scenario.os_release)
        self.agent, self.unit = Agent(self), None
        self.wrap_agent = self.wrap_keeper = lambda start: ()
        self.platform = {self.bench.sim.process.pid, self.bench.engine.process.pid}
        self.fault_may_end_agent = False  # with 70, which its unit answers with another start
        self.mints_allowed = 2  # a token dies with its agent

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bench.close()

    # Life

    def begin(self, wrap_agent=None, wrap_keeper=None) -> None:
        """wrap_...(n): words before the n-th start's command."""
        self.wrap_agent = wrap_agent or self.wrap_agent
        self.wrap_keeper = wrap_keeper or self.wrap_keeper
        if self.how == "service" and self.unit is None:
            self.unit = self.bench.socket_unit(wrap=lambda start: self.wrap_keeper(start))
        self.began = time.monotonic()
        self.agent.start()

    def start_keeper(self) -> None:
        """Before the agent: somebody who connects and has no request is enough for its unit."""
        self.unit = self.bench.socket_unit()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as visitor:
            visitor.connect(str(self.bench.runtime / "installd.sock"))
            deadline = time.monotonic() + LEAVE_S
            while self.keeper() is None or name_of(self.keeper()) != "ece-installd":
                if time.monotonic() > deadline:
                    raise AssertionError("no keeper was started")
                time.sleep(POLL_S)

    def go_on(self, until) -> None:
        """The agent is kept running until something is true."""
        deadline = self.began + END_S
        while not until():
            self.agent.tick()
            if time.monotonic() > deadline:
                raise AssertionError("no end of it: " + self.where())
            time.sleep(POLL_S)

    def until_hit(self, has_hit) -> None:
        """The agent is kept running until the fault is there, or long enough beyond its end to know that it won't be."""
        over_since = []

        def hit_or_over():
            if has_hit():
                return True
            if not self.agent.over():
                over_since.clear()
            elif not over_since:
                over_since.append(time.monotonic())
            elif time.monotonic() - over_since[0] > HIT_S:
                raise NotHit
            return False

        self.go_on(hit_or_over)

    def to_the_end(self) -> float:
        """The seconds that it took."""
        self.go_on(self.agent.over)
        return time.monotonic() - self.began

    def where(self) -> str:
        status = self.bench.status() or {}
        return "%s %s, agent's ends %s, keeper started %s times" % (
            status.get("state"), (status.get("reason") or {}).get("id", ""), self.agent.ends,
            self.unit.starts if self.unit else "?")

    def status_identity(self):
        """Changes whenever status.json is replaced."""
        try:
            found = (self.bench.runtime / "status.json").stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    # Whom there is to be killed

    @property
    def keeper_directory(self) -> pathlib.Path:
        return self.bench.top / "installd" if self.how == "service" else self.bench.runtime / "installd"

    def keeper(self):
        """The keeper's pid, or None."""
        if self.unit is not None:
            process = self.unit.process
            return process.pid if process is not None and process.poll() is None else None
        for pid in processes_with(b"ece-installd", bytes(self.bench.top)):
            return pid
        return None

    def kill_keeper(self, number=signal.SIGKILL) -> bool:
        pid = self.keeper()
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        if number == signal.SIGKILL:
            self._wait_for_death(pid)
        return True

    def _wait_for_death(self, pid) -> None:
        """The keeper is the unit's child, or that of a run that is gone."""
        if self.unit is not None:
            self.unit.process.wait()
            return
        while not is_dead(pid):
            time.sleep(0.001)

    # The verdict

    def verdict(self) -> str:
        """What has become of it; and, behind that, everything that must not be."""
        end = self._end()
        for person in (self._leave, self._wait_for_leaving):
            person()
        return ", ".join([end, *self._faults()])

    def _end(self) -> str:
        status = self.bench.status() or {"state": "no status"}
        reason = (status.get("reason") or {}).get("id", "")
        succeeded = sum(e["code"] == 0 for e in self.engine_events("exit"))
        words = [" ".join(filter(None, (status["state"], reason))),
                 "%s installer to success" % (succeeded or "no")]
        if self.how == "run":
            words.append("exit %d" % self.agent.ends[-1])
        return ", ".join(words)

    def _leave(self) -> None:
        if self.how == "service":
            self.left_with = self.agent.leave()
            if self.left_with == INTERNAL and self.fault_may_end_agent:
                self.agent.start()  # a moment after it had told the end: as its unit would; once is all it may cost
                self.to_the_end()
                self.left_with = self.agent.leave()
            self.kill_keeper(signal.SIGCONT)
            self.kill_keeper(signal.SIGTERM)

    def _wait_for_leaving(self) -> None:
        deadline = time.monotonic() + LEAVE_S
        while self.orphans() and time.monotonic() < deadline:
            time.sleep(POLL_S)

    def orphans(self):
        """Whoever is still there but the platform; what belongs to a living parent comes to us with its death."""
        return sorted(name for pid, state, name in tap.children() if state != "Z" and pid not in self.platform)

    def _faults(self):
        yield from self._process_faults()
        yield from self._engine_faults()
        yield from self._record_faults()
        if self.bench.minted() > self.mints_allowed:
            yield "%d tokens minted" % self.bench.minted()
        yield from ("a secret in %s" % path for path in self.secrets_in_files())

    def _process_faults(self):
        if self.how == "service" and self.left_with not in (0, 143):
            yield "the agent left with %d" % self.left_with
        orphans = self.orphans()
        if orphans:
            yield "still running: %s" % " ".join(orphans)

    def engine_events(self, kind):
        """From the file: it outlives an engine that is started again."""
        lines = (self.bench.engine.directory / "events.jsonl").read_text().splitlines()
        return [e for e in map(json.loads, lines) if e["event"] == kind and e.get("name") == INSTALLER]

    def _engine_faults(self):
        if self.bench.installer_containers():
            yield "a container is left"
        if self.engine_events("conflict"):
            yield "an installer met another one"
        if self.most_at_once() > 1:
            yield "%d installers at once" % self.most_at_once()

    def most_at_once(self) -> int:
        lines = (self.bench.engine.directory / "events.jsonl").read_text().splitlines()
        running = most = 0
        for event in map(json.loads, lines):
            if event.get("name") == INSTALLER:
                running += {"start": 1, "exit": -1}.get(event["event"], 0)
                most = max(most, running)
        return most

    def _record_faults(self):
        for path in (self.bench.state / "record.json", self.keeper_directory / "attempt.json"):
            try:
                json.loads(path.read_text())
            except FileNotFoundError:
                # The keeper writes no new one before the next attempt.
                if self.engine_events("start") and not os.path.lexists(path.with_name(SET_ASIDE_BY_KEEPER)):
                    yield "%s is gone" % path.name
            except ValueError:
                yield "%s is damaged" % path.name

    def secrets_in_files(self):
        """Files of the host that hold a token or the API key, by their path below its top."""
        key = self.bench.sim.credentials["api_key"].encode()
        for path in sorted(self.bench.top.rglob("*")):
            place = path.relative_to(self.bench.top)
            if place.parts[0] in PLACES_OF_SECRETS or path.is_symlink() or not path.is_file():
                continue
            content = path.read_bytes()
            if TOKEN.search(content) or key in content:
                yield str(place)


def until_it_hits(attempt) -> str:
    """An enrollment may be faster or take a step less than the one before: then it is done once more. attempt(n)."""
    for number in range(TRIES):
        try:
            return attempt(number)
        except NotHit:
            pass
    return "the fault did not hit in %d tries" % TRIES


def name_of(pid) -> str:
    return pathlib.Path("/proc/%d/comm" % pid).read_text().strip()


def is_dead(pid) -> bool:
    try:
        return pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def processes_with(*words):
    """Ids of processes that have all these words in their command line; the dead have none."""
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if all(word in line for word in words):
            yield int(path.parent.name)
