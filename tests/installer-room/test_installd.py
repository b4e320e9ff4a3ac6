#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ece-installd as a program: whom it becomes, whom it refuses to be, and a kill -9 in the middle of an installation.

What a keeper does with its requests is shown by test-keeper*; here it is the process that counts."""

import array
import ctypes
import fcntl
import hashlib
import json
import os
import pathlib
import re
import pwd
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("ECE_BUILD_DIR", "."))
ATTEMPT = secrets.token_hex(16)  # what bears it is killed by it, in whichever test it runs
TOKEN = "QWxhZGRpbg.b3BlbiBzZXNhbWU.c2lnbmF0dXJl"
LIMIT_S = 30
SEALS = 1 | 2 | 4 | 8  # F_SEAL_SEAL, SHRINK, GROW, WRITE
F_ADD_SEALS = 1033

SPEC = """version: 1
coordinators: ["https://192.0.2.10:12443"]
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
"""


def install_user():
    """Somebody with uid and gid of 1000 or above: ourselves, or nobody if we are root and may choose."""
    entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return entry if min(entry.pw_uid, entry.pw_gid) >= 1000 else None


USER = install_user()


class Installd(unittest.TestCase):
    def setUp(self):
        if not USER:
            self.skipTest("needs a user with uid and gid of 1000 or above")
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="test-installd."))
        self.addCleanup(shutil.rmtree, self.top)
        self.addCleanup(self.end_all)
        self.started = []
        for name in ("state", "run", "storage"):
            (self.top / name).mkdir(mode=0o700)
        for name in ("ece-installd", "ece-enroll-shim"):  # where the install user can get at them
            shutil.copy(BUILD / name, self.top / name)
        self.write_spec(USER.pw_name)
        self.script("exit 0")
        if os.geteuid() == 0:
            self.top.chmod(0o755)
            for name in ("state", "run", "storage"):
                os.chown(self.top / name, USER.pw_uid, USER.pw_gid)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(self.listener.close)
        self.listener.bind(str(self.top / "installd.sock"))
        self.listener.listen(4)

    def write_spec(self, user):
        (self.top / "enroll.yaml").write_text(SPEC.format(top=self.top, user=user), encoding="utf-8")

    def script(self, body):
        path = self.top / "script.sh"
        path.write_text(f"#!/bin/bash\nCLOUD_ENTERPRISE_VERSION=4.0.3\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def start(self, *options, wait=True):
        fd = self.listener.fileno()
        process = subprocess.Popen(
            [self.top / "ece-installd", "--spec", self.top / "enroll.yaml", "--state-dir", self.top / "state",
             "--runtime-dir", self.top / "run", "--shim", self.top / "ece-enroll-shim", "--listen-fd", str(fd), *options],
            pass_fds=[fd], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/")
        self.started.append(process)
        if not wait:
            output, _ = process.communicate(timeout=LIMIT_S)
            return process.returncode, output.decode()
        return process

    def end_all(self):
        for process in self.started:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()

    # --- the protocol, once more and independently ---

    def connect(self):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.settimeout(LIMIT_S)
        client.connect(str(self.top / "installd.sock"))
        self.addCleanup(client.close)
        return client

    def request(self, client, kind, fd=None, **members):
        digest = hashlib.sha256((self.top / "enroll.yaml").read_bytes()).hexdigest()
        data = json.dumps({"protocol": 1, "kind": kind, "spec": digest, **members}).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))] if fd is not None else []
        client.sendmsg([data], rights)

    def receive(self, client, kind):
        """The next event of the kind; lines that come before it are kept."""
        while True:
            data = client.recv(65536)
            self.assertTrue(data, "the keeper closed the connection")
            event = json.loads(data)
            if event["kind"] == kind:
                return event
            self.assertIn(event["kind"], ("line", "stage"), event)
            if event["kind"] == "line":
                self.lines.append(event["text"])

    def install(self, client):
        self.lines = []
        fd = os.memfd_create("token", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.write(fd, TOKEN.encode())
        fcntl.fcntl(fd, F_ADD_SEALS, SEALS)
        self.request(client, "install", fd=fd, attempt=ATTEMPT, coordinator="192.0.2.10", version="4.0.3")
        os.close(fd)
        self.assertEqual(self.receive(client, "state")["state"], "running")

    def wait_for_line(self, client, text):
        while text not in self.lines:
            self.lines.append(self.receive(client, "line")["text"])

    # --- whom it becomes ---

    def test_becomes_the_install_user_for_good(self):
        process = self.start()
        client = self.connect()
        self.request(client, "probe")
        self.receive(client, "state")
        status = dict(line.split(":\t") for line in
                      pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines() if ":\t" in line)
        self.assertEqual(status["Uid"].split(), [str(USER.pw_uid)] * 4)
        self.assertEqual(status["Gid"].split(), [str(USER.pw_gid)] * 4)
        self.assertEqual(int(status["CapPrm"], 16), 0)
        self.assertNotIn("0", status["Groups"].split())

    def test_refuses_to_install_as_root(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.write_spec("root")
        status, output = self.start(wait=False)
        self.assertEqual(status, 78, output)
        self.assertIn("1000", output)

    def test_unusable_spec(self):
        for text in ("nonsense", SPEC.format(top=self.top, user="does-not-exist-here")):
            if "does-not" in text and os.geteuid() != 0:
                continue  # an ordinary user hears of it from the gates
            (self.top / "enroll.yaml").write_text(text, encoding="utf-8")
            status, output = self.start(wait=False)
            self.assertEqual(status, 78, output)

    def test_wants_a_listening_socket(self):
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.close()
        self.listener = pair[0]
        status, output = self.start(wait=False)
        pair[1].close()
        self.assertEqual(status, 64, output)

    def test_takes_its_socket_from_systemd(self):
        if not shutil.which("systemd-socket-activate"):
            self.skipTest("needs systemd-socket-activate")
        path = self.top / "activated.sock"
        process = subprocess.Popen(
            ["systemd-socket-activate", "--seqpacket", "-l", path, self.top / "ece-installd", "--spec",
             self.top / "enroll.yaml", "--state-dir", self.top / "state", "--runtime-dir", self.top / "run"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started.append(process)
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(client.close)
        client.settimeout(LIMIT_S)
        with select.epoll():  # until the socket is there
            while client.connect_ex(str(path)) != 0:
                self.assertIsNone(process.poll())
                select.select([], [], [], 0.01)
        self.request(client, "probe")
        self.assertEqual(self.receive(client, "state")["state"], "none")

    # --- what happens to an installation ---

    def test_prints_faster_than_anyone_reads(self):
        """Nobody is cut off, what is missing is counted where it is missing, and the last lines come before the end."""
        total = 20000
        (self.top / "there").mkdir()
        (self.top / "there").chmod(0o777)
        self.script("for ((i = 1; i <= %d; i++)); do echo line $i; done; touch %s/there/done; exit 5" % (total, self.top))
        self.start()
        client = self.connect()
        self.install(client)
        while not (self.top / "there" / "done").exists():  # nothing is read until all is printed
            select.select([], [], [], 0.01)
        self.assertEqual(self.receive(client, "exited")["seen"]["number"], 5)
        told = 0
        for line in self.lines:
            gap = re.fullmatch(r"\[([0-9]+) lines are left out here: .*\]", line)
            told += int(gap[1]) if gap else 1
            if not gap:
                self.assertEqual(line, "line %d" % told)
        self.assertEqual(told, total)
        self.assertLess(len(self.lines), total)
        self.request(client, "attach")  # on the same connection, and once more: an end that was not acknowledged, with its last lines
        self.lines = []
        self.assertEqual(self.receive(client, "state")["state"], "ended")
        self.receive(client, "exited")
        self.assertEqual(self.lines[-1], "line %d" % total)

    def test_killed_keeper_is_replaced(self):
        self.script("echo one; while [ ! -e %s/go ]; do read -rt 0.05 <> <(:); done; echo two; echo three >&2; exit 5" % self.top)
        first = self.start()
        client = self.connect()
        self.install(client)
        self.wait_for_line(client, "one")
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        self.start()
        client = self.connect()
        self.request(client, "attach")
        self.lines = []
        event = self.receive(client, "state")
        self.assertEqual((event["state"], event["attempt"]), ("running", ATTEMPT))
        (self.top / "go").touch()
        seen = self.receive(client, "exited")["seen"]
        self.assertEqual((seen["origin"], seen["code"], seen["number"]), ("installer", "status-lost", -1))
        self.assertEqual(sorted(self.lines), ["three", "two"])
        self.request(client, "acknowledge", attempt=ATTEMPT)
        self.assertEqual(self.receive(client, "state")["state"], "none")

    def test_stopped_keeper_leaves_the_installer(self):
        self.script("echo $$; trap '' HUP; while [ ! -e %s/go ]; do read -rt 0.05 <> <(:); done" % self.top)
        first = self.start()
        client = self.connect()
        self.install(client)
        pid = int(self.receive(client, "line")["text"])
        first.terminate()
        self.assertEqual(first.wait(LIMIT_S), 0)
        os.kill(pid, 0)
        os.kill(-pid, signal.SIGKILL)

    def test_token_is_nowhere_to_be_seen(self):
        self.script("echo up; while [ ! -e %s/go ]; do read -rt 0.05 <> <(:); done" % self.top)
        self.start()
        client = self.connect()
        self.install(client)
        self.wait_for_line(client, "up")
        for name in ("cmdline", "environ"):
            for path in pathlib.Path("/proc").glob(f"[0-9]*/{name}"):
                try:
                    self.assertNotIn(TOKEN.encode(), path.read_bytes(), path)
                except OSError:
                    continue
        for path in self.top.rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.assertNotIn(TOKEN.encode(), path.read_bytes(), path)
        (self.top / "go").touch()
        self.receive(client, "exited")

    def test_leaves_when_idle(self):
        process = self.start("--exit-idle")
        client = self.connect()
        self.request(client, "probe")
        self.receive(client, "state")
        client.close()
        self.assertEqual(process.wait(LIMIT_S), 0)


def main():
    # What a killed keeper leaves becomes our child, as it becomes init's elsewhere, and is reaped.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    suite = unittest.TestLoader().loadTestsFromTestCase(Installd)
    tests = list(suite)
    print(f"1..{len(tests)}")
    failed = 0
    for number, test in enumerate(tests, 1):
        result = unittest.TestResult()
        test.run(result)
        name = test.id().rpartition(".")[2]
        if result.skipped:
            print(f"ok {number} {name} # SKIP {result.skipped[0][1]}", flush=True)
            continue
        for _, trace in result.errors + result.failures:
            print("".join(f"# {line}\n" for line in trace.splitlines()), end="")
        failed += not result.wasSuccessful()
        print(f"{'ok' if result.wasSuccessful() else 'not ok'} {number} {name}", flush=True)
    return 1 if failed else 0


sys.exit(main())
