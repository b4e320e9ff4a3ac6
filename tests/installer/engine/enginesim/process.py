# SPDX-License-Identifier: Apache-2.0
"""The stand-in daemon as a process of its own, for tests."""

import json
import pathlib
import subprocess
import sys

from .client import Bench

ENGINE = pathlib.Path(__file__).resolve().parent.parent


class EngineProcess:
    def __init__(self, directory, join=None, images=()):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.socket = self.directory / "engine.sock"
        self.join, self.images = join, images
        self.bench = Bench(str(self.socket), timeout=60)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-B", str(ENGINE / "ece-engine-sim"), "--socket", str(self.socket),
                   "--dir", str(self.directory)]
        command += ["--join", self.join] if self.join else []
        command += ["--image=" + image for image in self.images]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if not self.process.stdout.readline().startswith(b"ready"):
            self.close()
            raise RuntimeError("the stand-in engine did not start")

    def behave(self, *runs, rest=None) -> None:
        """Scripts the installer's runs, counted from the daemon's start; see installer.py."""
        script = {"runs": list(runs), "rest": rest or {}}
        temporary = self.directory / ".behaviour.json"
        temporary.write_text(json.dumps(script))
        temporary.rename(self.directory / "behaviour.json")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
