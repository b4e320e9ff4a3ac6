# SPDX-License-Identifier: Apache-2.0
"""Instructions by callgrind: the same from run to run and on a busy machine, so that small changes show.

Each process writes how many it has carried out when it ends; the sum is that of the tree. What a process does between its fork and its
exec is in no sum, and neither is the kernel's work.
"""

import os
import pathlib
import re
import shutil
import socket
import struct
import threading

PREFIX = ("valgrind", "--tool=callgrind", "--trace-children=yes", "--callgrind-out-file=/dev/null")
COMMAND = re.compile(r"^==\d+== Command: (\S+)", re.MULTILINE)
COLLECTED = re.compile(r"^==\d+== Collected : (\d+)", re.MULTILINE)


class Helper:
    """The other end of pidfd.c."""

    def __init__(self, path):
        self.path = str(path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                pid, = struct.unpack("i", client.recv(4))
                try:
                    fd = os.pidfd_open(pid)
                except OSError:
                    continue
                socket.send_fds(client, [b"."], [fd])
                os.close(fd)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        pathlib.Path(self.path).unlink()


def count(candidate, preload):
    """{program: instructions} of one enrollment, in all."""
    bed = candidate.bed
    logs = bed.top / "callgrind"
    shutil.rmtree(logs, True)
    logs.mkdir()
    logs.chmod(0o777)  # the installer runs as somebody else
    helper = Helper(bed.top / "pidfd")
    try:
        candidate.run([*PREFIX, "--log-file=%s/%%p" % logs], LD_PRELOAD=str(preload), PIDFD_HELPER=helper.path)
    finally:
        helper.close()
    found = {}
    for path in sorted(logs.iterdir()):
        text = path.read_text(errors="replace")
        command, collected = COMMAND.search(text), COLLECTED.search(text)
        if command and collected:
            name = os.path.basename(command[1])
            found[name] = found.get(name, 0) + int(collected[1])
    return found
