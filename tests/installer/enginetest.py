# SPDX-License-Identifier: Apache-2.0
"""What the tests of the stand-in installer and engine share."""

import json
import os
import pathlib
import pwd
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "engine"), str(HERE.parent / "e2e")]

import tap  # noqa: E402,F401
from enginesim.process import EngineProcess  # noqa: E402

SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
SCRIPT_FILES = ("elastic-cloud-enterprise.sh", "stand-in.conf", "os-release")


def install_user():
    """Somebody the installer accepts: ourselves, or when we are root any other ordinary user; None without one."""
    if os.getuid() >= 1000:
        return pwd.getpwuid(os.getuid())
    if os.getuid() != 0:
        return None
    for user in pwd.getpwall():
        if 1000 <= user.pw_uid < 60000 and 1000 <= user.pw_gid < 60000:
            return user
    return None


def as_user(user):
    """Keyword arguments of subprocess.Popen that run a program as this user, with its groups."""
    if user is None or user.pw_uid == os.getuid():
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid,
            "extra_groups": os.getgrouplist(user.pw_name, user.pw_gid)}


class Platform(socketserver.ThreadingTCPServer):
    """A platform that accepts every host (unless told otherwise) and remembers what it was told."""

    daemon_threads = True
    allow_reuse_address = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.server.hosts.append(json.loads(self.rfile.readline()))
            self.wfile.write(json.dumps(self.server.answer).encode() + b"\n")

    def __init__(self):
        self.hosts, self.answer = [], {"accepted": True}
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def address(self) -> str:
        return "127.0.0.1:%d" % self.server_address[1]


class EngineTest(unittest.TestCase):
    """An engine, a platform, a copy of the script and a storage directory of the install user for each test."""

    def setUp(self):
        # The install user must get in, and a socket's path must be short.
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="ece-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.top, True)
        self.top.chmod(0o755)
        self.platform = Platform()
        self.addCleanup(self.platform.server_close)
        self.addCleanup(self.platform.shutdown)
        self.engine = EngineProcess(self.top / "engine", self.platform.address)
        self.addCleanup(self.engine.close)
        self.bench, self.socket = self.engine.bench, str(self.engine.socket)
        self.clients = self.copy(HERE / "engine", "stand-ins") / "bin"

    def copy(self, source, name):
        """The tree may lie where the install user can't go."""
        shutil.copytree(source, self.top / name, ignore=shutil.ignore_patterns("__pycache__"))
        return self.top / name

    def call(self, *command, path=None, user=None, env=None, cwd=None):
        """Runs to the end: (status, stdout, stderr), with an environment made from nothing."""
        process = self.start(*command, path=path, user=user, env=env, cwd=cwd)
        try:
            out, err = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        return process.returncode, out, err

    def start(self, *command, path=None, user=None, env=None, cwd=None):
        environment = {"PATH": "%s:%s" % (path or self.clients, SYSTEM_PATH)}
        environment.update(env or {})
        return subprocess.Popen([str(word) for word in command], env=environment, cwd=cwd or "/",
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, start_new_session=True, **as_user(user))
