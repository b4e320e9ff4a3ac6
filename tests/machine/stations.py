# SPDX-License-Identifier: Apache-2.0
"""Each state of the agent, and how a host can be held in it: what happens to a host there is a test's affair.

    station = Verifying(test)      # a host and a platform of its own
    station.lead()                 # boots it and returns when status.json and journal say that the agent is in the state
    ...                            # the host goes down, by whatever
    station.release()              # takes away what held it; the next boot leads to the end

A station knows how many tokens and installers it takes in all until the host is ENROLLED. A token lives in the agent's memory and
nowhere else, so one that was minted is lost with the host, and another one is minted; an installer dies with the host,
so another one is started. Whoever was not so far, or is through, needs one of each.
"""

import ctypes
import json
import os
import signal

from bench import INSTALLER
from machinetest import KEY

FAN_CLASS_CONTENT, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD = 0x4, 0x1, 0x10000, -100
TOKEN_REQUEST = "enrollment-tokens$"
# No wait of the agent's own may end while it is held.
PATIENT = {"retry": {"give_up_after": "30m"}, "verify": {"timeout": "10m"}}


class OpenHeld:
    """Whoever opens the file waits until let_go(); the kernel asks us (fanotify(7))."""

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.fanotify_init(FAN_CLASS_CONTENT, os.O_RDONLY)
        if self.fd < 0 or libc.fanotify_mark(self.fd, FAN_MARK_ADD, ctypes.c_uint64(FAN_OPEN_PERM), AT_FDCWD, os.fsencode(path)):
            raise OSError(ctypes.get_errno(), "fanotify: " + os.strerror(ctypes.get_errno()))

    def let_go(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class Station:
    tokens = installers = 1
    spec, image, engine, is_told = {}, True, True, True

    def __init__(self, test):
        self.test, self.state = test, type(self).__name__.upper()
        self.sim = test.platform()
        changes = {"platform": self.sim, **PATIENT, **{key: {**PATIENT.get(key, {}), **value} for key, value in self.spec.items()}}
        self.host = test.furnished(type(self).__name__.lower(), **changes, **({} if self.image else {"image": None}))
        if not self.engine:
            self.test.no_engine(self.host)
        self.furnish()

    @property
    def expected(self) -> str:
        return "ENROLLED, %d token%s, %d installer%s" % (self.tokens, "s"[:self.tokens > 1], self.installers, "s"[:self.installers > 1])

    def lead(self) -> None:
        self.host.boot()
        self.approach()
        self.host.wait_status(self.state)
        self.arrived()
        if self.is_told:
            self.host.wait_for(lambda: [states[-1] for states in self.host.boots()] == [self.state], "%s in the journal" % self.state)

    def furnish(self) -> None:
        """Before the boot."""

    def approach(self) -> None:
        """From the boot on, until it comes by itself."""

    def arrived(self) -> None:
        """Until it is held, and to prove that it is."""

    def leaving(self) -> None:
        """A reboot was ordered; who is held in a way that nobody can be must go."""

    def release(self) -> None:
        """Of a host that is down."""
        self.sim.control.clear_faults()

    # What several need

    def behave(self, *runs) -> None:
        self.host.write("var/lib/engine/behaviour.json", json.dumps({"runs": runs, "rest": {}}))

    def wait_installer(self) -> None:
        if not self.test.containers(self.host).wait("start", timeout_s=60):
            raise AssertionError("no installer\n" + self.host.tale())

    def stop_engine_dead(self) -> None:
        """It is there, and answers nobody."""
        self.host.run("systemctl", "kill", "--signal=STOP", "docker.service")


class Loading(Station):
    """The spec is on a disk that does not answer. The journal tells of what comes next."""

    is_told = False

    def furnish(self):
        self.held = OpenHeld(self.host.tree / "etc/ece-enroll/enroll.yaml")
        self.test.addCleanup(self.held.let_go)

    def leaving(self):
        self.host.wait_for(lambda: self.host.property("ece-enrolld.service", "ActiveState") == "deactivating", "it is told to stop")
        self.held.let_go()

    def release(self):
        self.held.let_go()


class Unconfigured(Station):
    """Somebody takes the spec away before anything has begun, and brings it back."""

    engine = False

    def approach(self):
        self.host.wait_status("PREFLIGHT")
        path = self.host.path("/etc/ece-enroll/enroll.yaml")
        self.text = path.read_text()
        path.unlink()

    def release(self):
        self.host.write("etc/ece-enroll/enroll.yaml", self.text)
        self.test.there_is_an_engine(self.host)


class Preflight(Station):
    engine = False

    def arrived(self):
        self.host.wait_for(lambda: self.host.gate("engine-socket") == "shut", "the engine's gate is shut")

    def release(self):
        self.test.there_is_an_engine(self.host)


class Probing(Station):
    """The coordinator says what it is, takes the question for this host and does not answer."""

    def furnish(self):
        self.sim.control.fault("hang", method="GET", path="/runners/")

    def arrived(self):
        self.test.assertTrue(self.sim.control.wait("request", count=2, timeout_s=30))


class Preparing(Station):
    """The registry is slow."""

    image = False

    def furnish(self):
        self.host.write("var/lib/engine/pull-hold", "")

    def arrived(self):
        self.test.assertTrue(self.test.containers(self.host).wait("pulling", timeout_s=30, name=""))

    def release(self):
        (self.host.tree / "var/lib/engine/pull-hold").unlink()


class Minting(Station):
    """The token is made, and the answer with it is on its way. The request is on record, and that it may have made a token:
    its window is spent, and a second one is opened."""

    tokens = 2

    def furnish(self):
        self.sim.control.fault("delay", method="POST", path=TOKEN_REQUEST, seconds=3600)

    def arrived(self):
        self.test.assertTrue(self.sim.control.wait("mint", timeout_s=30))


class Installing(Station):
    tokens = installers = 2

    def furnish(self):
        self.behave({"hold": True})

    def arrived(self):
        self.wait_installer()

    def release(self):
        self.behave()


class Terminating(Installing):
    """An installer that outlives its time and the signal that is to end it, in an engine that has stopped to answer."""

    spec = {"installer": {"attempt_timeout": "10s"}}

    def furnish(self):
        self.behave({"hold": True, "deaf": ["TERM", "INT", "HUP"]})

    def arrived(self):
        self.stop_engine_dead()


class Settling(Installing):
    """The script dies, and the engine that has its container answers nobody."""

    def approach(self):
        self.wait_installer()
        self.stop_engine_dead()
        for pid in self.host.processes("elastic-cloud-enterprise.sh"):
            os.kill(pid, signal.SIGKILL)

    def arrived(self):
        pass


class Verifying(Station):
    """The runner is there, and not well."""

    def furnish(self):
        self.sim.control.fault("unhealthy", event="join")

    def release(self):
        self.sim.control.clear_faults()
        self.sim.control.change_runner(runner_id=self.host.address, healthy=True)


class Backoff(Station):
    """An installer has failed; the token is kept for the next one, and lost with the host."""

    tokens = installers = 2
    spec = {"retry": {"backoff": {"min": "5m", "max": "5m"}}}

    def furnish(self):
        self.behave({"exit": 1})

    def release(self):
        self.behave()


class Enrolled(Station):
    pass


class Failed(Station):
    """A wrong credential, which somebody mends."""

    def furnish(self):
        self.host.write("etc/credstore/" + KEY, "d3Jvbmc6d3Jvbmc=", 0o600)

    def release(self):
        self.host.write("etc/credstore/" + KEY, self.sim.credentials["api_key"], 0o600)


class Stopping(Installing):
    """The agent is told to stop while an installer is at work, which it leaves to the keeper."""

    def approach(self):
        self.wait_installer()
        self.host.run("systemctl", "stop", "ece-enrolld.service")

    def arrived(self):
        self.test.assertEqual(len(self.host.processes("elastic-cloud-enterprise.sh")) > 0, True)


STATIONS = (Loading, Unconfigured, Preflight, Probing, Preparing, Minting, Installing, Terminating, Settling, Verifying, Backoff,
            Enrolled, Failed, Stopping)
