# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets where anybody could see them, as fast as it can, while something runs.

It reads the command line, the environment and the names of open files of every process, and all files below some
directories. A
known secret is searched as it is; a roles token, whose text nobody knows before, by its form and then by its
subject, which the simulator tells.
"""

import os
import pathlib
import re
import threading

from coordsim import jwt

TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")


def subjects_in(data):
    """Whose tokens are in there."""
    found = set()
    for match in TOKEN.findall(data) if b"eyJ" in data else ():
        try:
            found.add(jwt.claims_of(match.decode()).get("sub"))
        except jwt.BadToken:
            pass
    return found


def _entries(directory):
    try:
        return os.listdir(directory)
    except OSError:
        return []


class Sampler:
    def __init__(self, directories, secrets):
        self.directories = [pathlib.Path(d) for d in directories]
        self.secrets = {name: secret.encode() for name, secret in secrets.items()}
        self.found = {}  # (place, what) -> where exactly
        self.subjects = {}  # subject of a token -> places
        self.rounds = self.looked = 0
        self.programs, self.pids = set(), set()
        self._stop, self._turn = threading.Event(), threading.Condition()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self.round()

    def _loop(self) -> None:
        while not self._stop.is_set():
            self.round()

    def round(self) -> None:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            self.pids.add(pid)
            for name in ("cmdline", "environ"):
                self._look("/proc/%s/%s" % (pid, name), name)
            self._look_at_links(pid)
        for directory in self.directories:
            for where, _, names in os.walk(directory):
                for name in names:
                    path = os.path.join(where, name)
                    if os.path.isfile(path):
                        self._look(path, "file")
        with self._turn:
            self.rounds += 1
            self._turn.notify_all()

    def wait_rounds(self, n) -> None:
        """Until it has looked everywhere n times more, from now on."""
        with self._turn:
            until = self.rounds + 1 + n
            self._turn.wait_for(lambda: self.rounds >= until)

    def _look_at_links(self, pid) -> None:
        """Names of open files; what is in them is asked of the directories."""
        for fd in _entries("/proc/%s/fd" % pid):
            try:
                self._judge(os.fsencode(os.readlink("/proc/%s/fd/%s" % (pid, fd))), "open file", "/proc/%s/fd/%s" % (pid, fd))
            except OSError:
                pass

    def _look(self, path, place) -> None:
        try:
            with open(path, "rb") as file:
                self._judge(file.read(), place, path)
        except OSError:
            pass

    def _judge(self, data, place, path) -> None:
        self.looked += 1
        if place == "cmdline":
            self.programs.add(os.path.basename(data.partition(b"\0")[0]))
        for name, secret in self.secrets.items():
            if secret in data:
                self.found[place, name] = path
        for subject in subjects_in(data):
            self.subjects.setdefault(subject, set()).add(place)

    def places_of_tokens(self, subjects):
        """Where tokens with these subjects were seen."""
        return set().union(*(self.subjects.get(subject, set()) for subject in subjects))
