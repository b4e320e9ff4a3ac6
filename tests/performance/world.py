# SPDX-License-Identifier: Apache-2.0
"""Where all candidates run: one simulator behind TLS, one stand-in engine, one installer that returns at once.

They are processes of their own, so nothing that they cost is counted. Before each run the host is a stranger to the platform;
during it the host joins by the door that the installer knocks at. The programs are those of ECE_BUILD_DIR,
stripped as a package has them.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import bench  # noqa: E402
from bench import BUILD, HOST_IP, MISSING, PROGRAMS, SYSTEM_PATH, ZONE, Bench, Scratch, SocketUnit  # noqa: E402,F401

SHARED_MEMORY = pathlib.Path("/dev/shm")
RUNNER = "/platform/infrastructure/runners/" + HOST_IP


# Programs that are links to another one are there already.
FILES = [name for name in PROGRAMS if not (BUILD / name).is_symlink()]


class Door:
    """The host's way into the installation: who writes into `door` has joined when there is a word in `answer`."""

    def __init__(self, directory, join):
        self.directory, self._join = directory, join
        for name in ("door", "answer"):
            os.mkfifo(directory / name)
            os.chmod(directory / name, 0o666)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            with open(self.directory / "door") as door:
                word = door.read()
            if word.startswith("close"):
                return
            self._join()
            with open(self.directory / "answer", "w") as answer:
                answer.write("joined\n")

    def close(self) -> None:
        with open(self.directory / "door", "w") as door:
            door.write("close\n")
        self._thread.join()


class World(Bench):
    url = owner = None  # whom the host's directories belong to, if not us

    def __init__(self):
        super().__init__()
        for name in FILES:
            subprocess.run(["strip", self.programs / name], check=True)
        self.floor = self.programs / "floor"
        shutil.copy2(BUILD / "tests" / "performance" / "floor", self.floor)
        subprocess.run(["strip", self.floor], check=True)
        # As on a host, where /run is in memory.
        if SHARED_MEMORY.is_dir():
            self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="ece-bench-", dir=SHARED_MEMORY))
            self.runtime.chmod(0o755)
            self._closers.append(lambda: shutil.rmtree(self.runtime, True))
        self.door = self._keep(Door(self.script.parent, self.join))
        self.url, self.list, self.wanted = self.sim.url, self.top / "requests", None

    def _install_script(self):
        directory = self.top / "ece"
        directory.mkdir()
        for name in ("installer.sh", "recipe.sh", "play.yaml"):
            shutil.copy(HERE / name, directory / name)
        return directory / "installer.sh"

    def base_spec(self):
        """Nothing in it makes ece-enroll wait: no splay, and one good look is enough."""
        return bench.merged(super().base_spec(), {"coordinators": [self.url or self.sim.url], "installer": {"prepull": False}})

    # The host, as the platform sees it

    def join(self) -> None:
        self.sim.control.add_runner(runner_id=HOST_IP, host_ip=HOST_IP, zone=ZONE, roles=["allocator"])

    def forget(self) -> None:
        """A stranger again, on the platform and on this host."""
        if HOST_IP in self.sim.control.state()["runners"]:
            answer = self.sim.ask("DELETE", RUNNER, auth=self.sim.api_key())
            if answer.status != 200:
                raise RuntimeError("the platform does not forget the host: %s" % answer.body)
        for directory in (self.state, self.runtime):
            shutil.rmtree(directory, True)
        self.runtime.mkdir(0o755)
        if self.owner:
            self.state.mkdir(0o700)
            for directory in (self.state, self.runtime):
                os.chown(directory, self.owner.pw_uid, self.owner.pw_gid)

    def seen(self):
        """How many requests the simulator has had; requests_since() are those after it."""
        return len(self.sim.requests())

    def requests_since(self, seen):
        return self.sim.requests()[seen:]

    def learn(self, entries) -> None:
        """What ece-enroll has asked is what everybody has to ask: for the floor a list, the host joining where the token is there."""
        self.wanted, lines = [(entry["method"], entry["path"]) for entry in entries], []
        for entry in entries:
            lines.append("%s %s %s" % (entry["method"], entry["path"], entry["body"] if entry["method"] == "POST" else ""))
            if entry["method"] == "POST":
                lines.append("JOIN")
        self.list.write_text("".join(line.rstrip() + "\n" for line in lines))
