# SPDX-License-Identifier: Apache-2.0
"""The bench: a coordinator simulator, a stand-in engine and installer, and the real programs between them.

A Bench is one host with its platform, in a directory of its own that the install user may enter. Tests say what goes
wrong (sim.control.fault(), engine.behave()), start the agent (run(), start(), daemon()) and look at what is
there afterwards: exit code, output, status.json, the simulator's log of requests, the engine's log of events.
Nothing sleeps for a guessed time: simulator and engine answer when an event has happened.

The programs are those of ECE_BUILD_DIR. When the tests run as root, the installer runs as some ordinary user
of the machine; where there is none, `elastic` is made with useradd, as ECE's own documentation has it.
"""

import atexit
import fcntl
import json
import os
import pathlib
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import tap

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "coordinator"), str(TESTS / "installer"), str(TESTS / "installer" / "engine")]

from coordsim.pki import Pki  # noqa: E402
from coordsim.process import SimProcess  # noqa: E402
from enginesim.process import EngineProcess  # noqa: E402
from enginetest import SCRIPT_FILES, SYSTEM_PATH, as_user, install_user  # noqa: E402

PROGRAMS = ("ece-enroll", "ece-enrolld", "ece-installd", "ece-enroll-shim")
BUILD = pathlib.Path(os.environ.get("ECE_BUILD_DIR") or TESTS.parent / "build" / "default")
INSTALLER = "elastic-cloud-enterprise-installer"
IMAGE = "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3"
HOST_IP = "192.0.2.21"
ZONE = "ece-zone-1b"
# What a sanitizer or a coverage build wants to be told.
PASSED_ON = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "GCOV_PREFIX", "GCOV_PREFIX_STRIP", "LD_LIBRARY_PATH")
DEADLINE_S = 60


def _missing():
    absent = [name for name in PROGRAMS if not os.access(BUILD / name, os.X_OK)]
    return "not built in %s: %s" % (BUILD, ", ".join(absent)) if absent else None


MISSING = _missing()


def _useradd():
    subprocess.run(["useradd", "--system", "--uid", "1234", "--user-group", "elastic"], check=True,
                   stdin=subprocess.DEVNULL)
    return pwd.getpwnam("elastic")


def find_install_user():
    user = install_user()
    if user is None and os.getuid() == 0 and shutil.which("useradd"):
        user = _useradd()
    return user


tap.adopt_orphans()


class Scratch:
    """Made once for all tests of a process: certificates, copies of programs and stand-ins."""

    def __init__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="ece-e2e-", dir="/tmp"))
        atexit.register(shutil.rmtree, self.top, True)
        self.top.chmod(0o755)
        self.pki = Pki(self.top / "pki").directory
        # The build tree may lie where the install user can't go; the programs look for each other beside themselves.
        self.programs = self.top / "programs"
        self.programs.mkdir()
        for name in PROGRAMS:
            shutil.copy2(BUILD / name, self.programs / name, follow_symlinks=False)
        shutil.copytree(TESTS / "installer" / "engine", self.top / "engine",
                        ignore=shutil.ignore_patterns("__pycache__"))

    _instance = None

    @classmethod
    def get(cls):
        cls._instance = cls._instance or cls()
        return cls._instance


def yaml(value, indent=0):
    """Block style as people write it; scalars and lists as JSON, which is YAML too."""
    lines = []
    for key, member in value.items():
        if isinstance(member, dict) and member:
            lines += ["%s%s:" % (" " * indent, key)] + yaml(member, indent + 2)
        else:
            lines.append("%s%s: %s" % (" " * indent, key, json.dumps(member)))
    return lines


def merged(base, over):
    """over on top of base: mappings merge, all else replaces, None takes away. As deep as a spec is."""
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


class Outcome:
    """What a run has left."""

    def __init__(self, code, output, status):
        self.code, self.output, self.status = code, output, status

    @property
    def reason(self) -> str:
        return ((self.status or {}).get("reason") or {}).get("id", "")

    def __str__(self):
        return "exit code %s, reason %r\n%s" % (self.code, self.reason, self.output)


class SocketUnit:
    """What systemd's socket unit does: holds the socket, starts ece-installd when somebody connects, and again.

    wrap(start): words to put before the n-th start's command, or none. Such a command starts with our rights and has to
    become the install user by itself.
    """

    def __init__(self, bench, wrap=lambda start: ()):
        self.bench, self.wrap, self.process, self.starts = bench, wrap, None, 0
        self.directory = bench.owned("installd")
        path = str(bench.runtime / "installd.sock")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen(8)
        # A high number, so that the shell in between can move it to 3.
        self.fd = fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, 64)
        listener.close()
        self._stop_reader, self._stop_writer = os.pipe()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        while True:
            ready = select.select([self.fd, self._stop_reader], [], [])[0]
            with self._lock:
                if self._stop_reader in ready:
                    return
                self.process = self._start()
            self.process.wait()

    def _start(self):
        self.starts += 1
        activate = 'fd=$1; shift; exec 3<&"$fd"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
        programs, wrapping = self.bench.programs, list(map(str, self.wrap(self.starts)))
        return subprocess.Popen(
            wrapping + ["bash", "-c", activate, "activate", str(self.fd), programs / "ece-installd", "--spec",
             self.bench.spec_path, "--state-dir", self.directory, "--runtime-dir", self.directory,
             "--shim", programs / "ece-enroll-shim"],
            env=self.bench.environment(), pass_fds=[self.fd], stdin=subprocess.DEVNULL, start_new_session=True,
            stdout=open(self.bench.top / "installd.out", "ab"), stderr=subprocess.STDOUT, cwd="/",
            **({} if wrapping else as_user(self.bench.user)))

    def kill(self) -> None:
        """The main process only, as an out-of-memory kill would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        with self._lock:
            os.write(self._stop_writer, b"x")
            if self.process is not None and self.process.poll() is None:
                self.process.kill()
        self._thread.join()
        for fd in (self.fd, self._stop_reader, self._stop_writer):
            os.close(fd)


class Bench:
    def __init__(self, *sim_options, own_certificates=False):
        scratch = Scratch.get()
        self.programs, self.user = scratch.programs, find_install_user()
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="h", dir=scratch.top))
        self.top.chmod(0o755)
        self.state, self.runtime = self.top / "state", self.top / "run"
        self.runtime.mkdir(0o755)
        self._closers = []
        self.sim = self._keep(SimProcess(self.top / "platform", *sim_options,
                                         pki=None if own_certificates else scratch.pki))
        self.engine = self._keep(EngineProcess(self.top / "engine", self.sim.join, [IMAGE]))
        self.containers = self.engine.bench
        self.clients = scratch.top / "engine" / "bin"
        self.script = self._install_script()
        self.storage = self.owned("data")
        self.spec_path = self.top / "enroll.yaml"
        self.key_path = self.secret_file("key", self.sim.credentials["api_key"])
        self._outputs = 0
        self.write_spec()

    def _keep(self, thing):
        self._closers.append(thing.close)
        return thing

    def close(self) -> None:
        while self._closers:
            self._closers.pop()()
        shutil.rmtree(self.top, True)

    # Files

    def owned(self, name):
        """A directory of the install user."""
        path = self.top / name
        path.mkdir(0o700, exist_ok=True)
        if os.getuid() == 0 and path.stat().st_uid != self.user.pw_uid:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        return path

    def _install_script(self):
        directory = self.top / "ece"
        directory.mkdir()
        for name in SCRIPT_FILES:
            shutil.copy(TESTS / "installer" / name, directory / name)
        return directory / SCRIPT_FILES[0]

    def secret_file(self, name, text):
        path = self.top / name
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text + "\n")
        return path

    def base_spec(self):
        return {
            "version": 1,
            "coordinators": list(self.sim.urls),
            "trust": {"ca_file": str(self.sim.ca)},
            "credential": {"api_key": {"from": "file", "path": str(self.key_path)}},
            "host": {"roles": ["allocator"], "host_ip": HOST_IP, "availability_zone": ZONE},
            "installer": {"script": str(self.script), "user": self.user.pw_name, "storage_path": str(self.storage),
                          "engine_socket": str(self.engine.socket), "attempt_timeout": "30s"},
            "retry": {"splay": "0s", "backoff": {"min": "100ms", "max": "100ms"}, "windows": 3,
                      "give_up_after": "45s"},
            "verify": {"timeout": "10s", "stable_for": "0s"},
        }

    def write_spec(self, give_up_after=None, **changes) -> None:
        """The usual spec with changes merged over it. An attempt may not be longer than the whole."""
        if give_up_after:
            changes = merged({"retry": {"give_up_after": give_up_after},
                              "installer": {"attempt_timeout": "1s"}}, changes)
        self.spec_path.write_text("\n".join(yaml(merged(self.base_spec(), changes))) + "\n")

    # Programs

    def environment(self, **more):
        made = {"PATH": "%s:%s" % (self.clients, SYSTEM_PATH), "HOME": str(self.top), "LC_ALL": "C.UTF-8"}
        made.update({name: os.environ[name] for name in PASSED_ON if name in os.environ})
        made.update(more)
        return made

    def options(self):
        return ["--spec", self.spec_path, "--state-dir", self.state, "--runtime-dir", self.runtime]

    def start(self, program, *words, prefix=(), **environment):
        """A program whose output goes to a file; for communicate() see end(). prefix: words of a program that becomes it."""
        self._outputs += 1
        path = self.top / ("output-%d" % self._outputs)
        process = subprocess.Popen([*map(str, prefix), str(self.programs / program), *map(str, words)], cwd="/",
                                   env=self.environment(**environment), stdin=subprocess.DEVNULL,
                                   stdout=open(path, "wb"), stderr=subprocess.STDOUT, start_new_session=True)
        process.output_path = path
        self._closers.append(lambda: self._stop(process))
        return process

    @staticmethod
    def _stop(process) -> None:
        if process.poll() is None:
            process.kill()
            process.wait()

    def end(self, process, timeout_s=DEADLINE_S) -> Outcome:
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._stop(process)
            raise AssertionError("no end after %d s:\n%s\n%s" % (
                timeout_s, process.output_path.read_text(errors="replace"), self.status())) from None
        return Outcome(code, process.output_path.read_text(errors="replace"), self.status())

    def start_run(self, **more):
        return self.start("ece-enroll", "run", *self.options(), **more)

    def run(self, **more) -> Outcome:
        return self.end(self.start_run(**more))

    def command(self, *words, **more) -> Outcome:
        return self.end(self.start("ece-enroll", *words, **more))

    def spoken(self, *words, timeout_s=DEADLINE_S, **environment):
        """A command whose standard output and standard error are told apart: (exit code, output, error)."""
        done = subprocess.run([str(self.programs / "ece-enroll"), *map(str, words)], cwd="/", env=self.environment(**environment),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False)
        return done.returncode, done.stdout, done.stderr

    def daemon(self, **more):
        return self.start("ece-enrolld", *self.options(), **more)

    def socket_unit(self, **options) -> SocketUnit:
        return self._keep(SocketUnit(self, **options))

    # What is there

    def status(self):
        try:
            return json.loads((self.runtime / "status.json").read_text())
        except (OSError, ValueError):
            return None

    def wait_status(self, state, timeout_s=DEADLINE_S) -> dict:
        """status.json is replaced, so it is looked at again and again."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            status = self.status()
            if status and status["state"] == state:
                return status
            time.sleep(0.01)
        raise AssertionError("never %s: %s" % (state, self.status()))

    def wait_for(self, holds, timeout_s=DEADLINE_S) -> None:
        """Until something that is written into a file, or shown by the platform, is so."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError("never so: %s" % (self.status(),))
            time.sleep(0.02)

    def wait_gate(self, name, state, timeout_s=DEADLINE_S) -> dict:
        """The gate as status.json has it, once it is in this state."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for gate in (self.status() or {}).get("gates", ()):
                if (gate["name"], gate["state"]) == (name, state):
                    return gate
            time.sleep(0.01)
        raise AssertionError("gate %s never %s: %s" % (name, state, self.status()))

    def minted(self) -> int:
        return self.sim.control.state()["counts"].get("mint", 0)

    def installs(self) -> int:
        return len(self.containers.events("start", INSTALLER))

    def installer_containers(self):
        return [name for name in self.containers.names() if name == INSTALLER]


@unittest.skipIf(MISSING, MISSING or "")
@unittest.skipIf(0 < os.getuid() < 1000, "neither root nor a user that may install")
class EndToEnd(unittest.TestCase):
    """A fresh bench for each test. sim_options: further options of the simulator."""

    sim_options = ()

    def setUp(self):
        self.bench = self.make_bench()
        self.addCleanup(self.bench.close)
        self.sim, self.engine, self.fault = self.bench.sim, self.bench.engine, self.bench.sim.control.fault

    def make_bench(self):
        return Bench(*self.sim_options)

    def assertExit(self, outcome, code, reason=None):
        self.assertEqual(outcome.code, code, outcome)
        if reason is not None:
            self.assertEqual(outcome.reason, reason, outcome)

    def assertEnrolled(self, outcome=None, minted=1, installs=1):
        """Enrolled, with so many tokens and installers, and nothing left of the latter."""
        status = self.bench.status()
        if outcome is not None:
            self.assertExit(outcome, 0)
        self.assertEqual(status["state"], "ENROLLED", outcome or status)
        self.assertEqual((self.bench.minted(), self.bench.installs()), (minted, installs), outcome or status)
        self.assertEqual(self.bench.installer_containers(), [])
        self.assertIn(HOST_IP, self.sim.control.state()["runners"])

    def assertUntouched(self, minted=0):
        """No installer was started."""
        self.assertEqual((self.bench.minted(), self.bench.installs()), (minted, 0))

    def kill_group(self, process, number=signal.SIGKILL):
        os.kill(process.pid, number)
        process.wait()
