# SPDX-License-Identifier: Apache-2.0
"""strace as an injector: words to put before a program, and what its log tells afterwards.

With -D the traced program stays the direct child of whoever started it, with its own process id and exit status; strace
itself is somebody's grandchild and ends with the program. A signal is delivered when a system call is entered, so a
SIGKILL then means that the call was not carried out; an error that is injected is marked "(INJECTED)" in the log.
"""

import os
import pathlib
import re
import shutil
import subprocess
import time

from matrix import Skip
from scene import need_root

CALL = re.compile(r"^(?:\d+ +)?(?P<name>[a-z_0-9]+)\((?P<rest>.*)$")
ATTACH_S = 10


def need_strace() -> None:
    need_root("trace programs that hide from others")
    if not shutil.which("strace"):
        raise Skip("strace is not installed")


def strace(log, calls, inject=None, only_path=None, user=None):
    """Words before a command. inject: "fsync:signal=KILL:when=3"; user: whom the command becomes."""
    words = ["strace", "-D", "-qq", "-yy", "-o", log, "-e", "trace=" + ",".join(calls), "-e", "signal=none"]
    words += ["-e", "inject=" + inject] if inject else []
    words += ["-P", only_path] if only_path else []
    words += ["-u", user] if user else []
    return words


def attach(pid, log, inject):
    """To a process that runs already, and to all that it starts: for calls that only its children make."""
    process = subprocess.Popen(["strace", "-f", "-qq", "-o", log, "-e", "trace=" + inject.partition(":")[0],
                                "-e", "signal=none", "-e", "inject=" + inject, "-p", str(pid)],
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + ATTACH_S
    while tracer_of(pid) == 0:
        if process.poll() is not None or time.monotonic() > deadline:
            raise Skip("strace can't attach to a running process")
        time.sleep(0.005)
    return process


def tracer_of(pid) -> int:
    for line in pathlib.Path("/proc/%d/status" % pid).read_text().splitlines():
        if line.startswith("TracerPid:"):
            return int(line.split()[1])
    return 0


def detach(process) -> None:
    """The traced go on untraced. It is the kernel that lets go: strace itself may wait for one that waits for its vfork."""
    process.kill()
    process.wait(ATTACH_S)


def calls_in(log):
    """(name, rest of the line) of each call, in order."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = map(CALL.match, lines)
    return [(match["name"], match["rest"]) for match in found if match]


def injected(log) -> bool:
    return os.path.exists(log) and "(INJECTED)" in log.read_text(errors="replace")
