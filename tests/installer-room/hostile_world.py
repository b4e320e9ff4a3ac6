# SPDX-License-Identifier: Apache-2.0
"""A real ece-installd whose agent was taken over, and a witness of every program that it starts.

The witness is strace: it sees each execve(2) of the keeper and of all that comes from it, so nothing can be started
unseen. Between attacks the keeper's descriptors are counted; what a hostile message brought along must not stay.
"""

import array
import fcntl
import hashlib
import json
import os
import pathlib
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile

BUILD = pathlib.Path(os.environ.get("ECE_BUILD_DIR", "."))
LIMIT_S = 30
ATTEMPT = secrets.token_hex(16)  # what bears it is killed by it, in whichever test it runs
TOKEN = b"QWxhZGRpbg.b3BlbiBzZXNhbWU.c2lnbmF0dXJl"
COORDINATOR, VERSION = "192.0.2.10", "4.0.3"
F_ADD_SEALS = 1033
SEALS = 1 | 2 | 4 | 8  # F_SEAL_SEAL, SHRINK, GROW, WRITE
EXECVE = re.compile(r'execve(?:at)?\("([^"]*)", \[(.*?)\]')

SPEC = """version: 1
coordinators: ["https://192.0.2.10:12443", "https://[2001:db8::1]:12443"]
credential:
  api_key: {{from: credential, name: key}}
host:
  roles: [allocator]
  host_ip: 192.0.2.20
installer:
  script: {top}/script.sh
  user: {user}
  storage_path: {top}/storage
  engine_socket: {top}/engine.sock
  prepull: false
"""
SCRIPT = """#!/bin/bash
CLOUD_ENTERPRISE_VERSION=4.0.3
[ ! -e {top}/storage/wait ] || until [ -e {top}/storage/go ]; do read -rt 0.02 <> <(:); done
exit 0
"""


def install_user():
    entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return entry if min(entry.pw_uid, entry.pw_gid) >= 1000 else None


def lacking():
    """Why it can't be played here, or None."""
    if not shutil.which("strace"):
        return "needs strace"
    return None if install_user() else "needs a user with uid and gid of 1000 or above"


def memfd(content, seals=SEALS, size=None):
    fd = os.memfd_create("token", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.write(fd, content)
    if size is not None:
        os.ftruncate(fd, size)
    if seals:
        fcntl.fcntl(fd, F_ADD_SEALS, seals)
    return fd


class Closed(Exception):
    """The keeper has ended the connection."""


class Agent:
    """One connection, to say anything on. The protocol is written down here once more, and independently."""

    def __init__(self, world):
        self.world = world
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(str(world.socket_path))  # without a time limit it waits for room in the queue
        self.socket.settimeout(LIMIT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def message(self, kind, **members):
        return {"protocol": 1, "kind": kind, "spec": self.world.digest, **members}

    def send(self, data, fds=()):
        """Bytes as they are, anything else as JSON. A connection that is closed already is found by receive()."""
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.socket.sendmsg([data], rights)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def say(self, kind, fds=(), **members):
        self.send(self.message(kind, **members), fds)

    def receive(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed
        return json.loads(data)

    def receive_behind(self, *kinds):
        """The next one that is of none of these kinds."""
        event = self.receive()
        while event["kind"] in kinds:
            event = self.receive()
        return event

    def state(self):
        """The keeper's, which is behind what an installer of an earlier conversation says of itself meanwhile."""
        event = self.receive_behind("line", "stage", "exited")
        assert event["kind"] == "state", event
        return event

    def install(self, token=TOKEN, fds=None, **members):
        """fds are closed here: sent, they live on in the message."""
        fds = [memfd(token)] if fds is None else fds
        request = {"attempt": ATTEMPT, "coordinator": COORDINATOR, "version": VERSION, **members}
        self.send(self.message("install", **{key: value for key, value in request.items() if value is not None}), fds)
        for fd in fds:
            os.close(fd)

    def answer(self):
        """What the keeper says to that: "closed", "refused CODE", or the event's kind."""
        try:
            event = self.receive_behind("line", "stage")  # what an installer says in between
        except Closed:
            return "closed"
        return "refused " + event["seen"]["code"] if event["kind"] == "refused" else event["kind"]


class World:
    def __init__(self):
        self.user = install_user()
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="hostile-agent.", dir="/tmp"))
        self.top.chmod(0o755)
        for name in ("state", "run", "storage"):
            (self.top / name).mkdir(mode=0o700)
            if os.geteuid() == 0:
                os.chown(self.top / name, self.user.pw_uid, self.user.pw_gid)
        for name in ("ece-installd", "ece-enroll-shim"):
            shutil.copy(BUILD / name, self.top / name)
        text = SPEC.format(top=self.top, user=self.user.pw_name)
        (self.top / "enroll.yaml").write_text(text)
        self.digest = hashlib.sha256(text.encode()).hexdigest()
        self.script = self.top / "script.sh"
        self.script.write_text(SCRIPT.format(top=self.top))
        self.script.chmod(0o755)
        self.socket_path, self.log = self.top / "installd.sock", self.top / "execve.log"
        self.seen = 0
        self._start()

    def _start(self):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(str(self.socket_path))
        self.socket_path.chmod(0o666)
        listener.listen(128)
        fd = listener.fileno()
        environment = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
        # A descriptor that is passed under its number; --kill-on-exit is newer than some strace.
        self.process = subprocess.Popen(
            ["strace", "-f", "-qq", "-s", "4096", "-e", "trace=execve,execveat", "-e", "signal=none", "-o", self.log,
             self.top / "ece-installd", "--spec", self.top / "enroll.yaml", "--state-dir", self.top / "state",
             "--runtime-dir", self.top / "run", "--shim", self.top / "ece-enroll-shim", "--listen-fd", str(fd)],
            pass_fds=[fd], stdin=subprocess.DEVNULL, stdout=open(self.top / "installd.out", "ab"),
            stderr=subprocess.STDOUT, cwd="/", env=environment, start_new_session=True)
        listener.close()
        self.honest_probe()
        self.pid = self._child_of(self.process.pid)
        self.programs()  # the keeper itself
        self._ask_everything_once()
        self.descriptors = self.open_descriptors()

    def _ask_everything_once(self):
        """What is made at the first question of its kind (threads, HTTP) is there before anything is counted."""
        for kind in ("gates", "settle", "look"):
            with Agent(self) as agent:
                agent.say(kind)
                while agent.receive()["kind"] == "gate":
                    pass
        self.honest_probe()

    @staticmethod
    def _child_of(pid):
        return int(pathlib.Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()[0])

    def close(self):
        try:
            os.kill(self.pid, 15)
        except ProcessLookupError:
            pass
        try:
            self.process.wait(LIMIT_S)
        finally:
            self.process.kill()
            self.process.wait()
            shutil.rmtree(self.top)

    def open_descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def programs(self):
        """(program, arguments) of what was started since the last time."""
        text = self.log.read_text(errors="replace")
        new, self.seen = text[self.seen:], len(text)
        return [(found[1], json.loads("[" + found[2] + "]")) for found in EXECVE.finditer(new)]

    def honest_probe(self):
        """Is it there, and does it serve who asks in the right way?"""
        with Agent(self) as agent:
            agent.say("probe")
            return agent.state()

    def rest(self):
        """Waits for the end of what an attack may have started, and acknowledges it."""
        with Agent(self) as agent:
            agent.say("attach")
            state = agent.state()
            if state["state"] == "none":
                return
            while agent.receive()["kind"] != "exited":
                pass
            agent.say("acknowledge", attempt=state["attempt"])
            agent.state()

    def settle(self):
        """After an attack: the keeper answers, and holds no descriptor more than before."""
        self.rest()
        state = self.honest_probe()
        # The honest connection may still be counted as open: it is replaced by the next, which has been closed before.
        for _ in range(200):
            if self.open_descriptors() <= self.descriptors + 1:
                return state
            self.honest_probe()
        raise AssertionError("the keeper holds %d descriptors, %d at first" % (self.open_descriptors(), self.descriptors))

    def acknowledge(self):
        with Agent(self) as agent:
            agent.say("acknowledge", attempt=ATTEMPT)
            return agent.state()["state"]

    def expected_arguments(self, coordinator=COORDINATOR, version=VERSION):
        return [str(self.script), "install", "--coordinator-host", coordinator, "--roles-token",
                "ece-enroll.placeholder." + ATTEMPT, "--roles", "allocator", "--runner-id", "192.0.2.20", "--host-ip",
                "192.0.2.20", "--cloud-enterprise-version", version, "--host-storage-path", str(self.top / "storage"),
                "--host-docker-host", str(self.top / "engine.sock")]
