# SPDX-License-Identifier: Apache-2.0
"""strace as an injector: words to put before a program, and what its log tells afterwards.

With -D the traced program stays the direct child of whoever started it, with its own process id and exit status; strace
itself is somebody's grandchild and ends with the program. A signal is delivered when a system call is entered, so a
SIGKILL then means that the call was not carried out; an error that is injected is marked "(INJECTED)" in the log.
"""

import re
import shutil

from matrix import Skip
from scene import need_root

CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(?P<name>[a-z_0-9]+)\((?P<rest>.*)$")


def need_strace() -> None:
    need_root("trace programs that hide from others")
    if not shutil.which("strace"):
        raise Skip("strace is not installed")


def strace(log, calls, inject=None, only_path=None, user=None, children=False):
    """Words before a command. inject: "fsync:signal=KILL:when=3"; user: whom the command becomes."""
    words = ["strace", "-D", "-qq", "-y", "-o", log, "-e", "trace=" + ",".join(calls), "-e", "signal=none"]
    words += ["-f"] if children else []
    words += ["-e", "inject=" + inject] if inject else []
    words += ["-P", only_path] if only_path else []
    words += ["-u", user] if user else []
    return words


def calls_in(log):
    """(name, rest of the line) of each call, in order."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = map(CALL.match, lines)
    return [(match["name"], match["rest"]) for match in found if match]


def count(log, name) -> int:
    return sum(called == name for called, _ in calls_in(log))
