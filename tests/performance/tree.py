# SPDX-License-Identifier: Apache-2.0
"""Runs a command and says what it and all that it has started have cost.

    tree.py RESULT COMMAND [WORD...]

A program of its own, so that the measured have no other relatives: it is a child subreaper, so what outlives its parent comes to it
at last, as ece-installd does, which `ece-enroll run` starts and does not wait for. wait4(2) gives the processor time of a process
and of the children that it has waited for itself; the sum over all that come to us is that of the whole tree, each counted once.

RESULT becomes {"status", "wall_s", "end_s", "processes": [{"name", "cpu_s"}...]}: wall until the command itself has ended, end until
the last of the tree has.
"""

import ctypes
import json
import os
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def name_of(pid) -> str:
    """A zombie still has its name."""
    with open("/proc/%d/comm" % pid, encoding="utf-8", errors="replace") as file:
        return file.read().strip()


def run(command):
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")
    begin = time.monotonic()
    leader = os.posix_spawnp(command[0], command, os.environ)
    result = {"status": None, "wall_s": None, "processes": []}
    while True:
        try:
            pid = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid
        except ChildProcessError:
            break
        now, name = time.monotonic() - begin, name_of(pid)
        _, status, usage = os.wait4(pid, 0)
        result["processes"].append({"name": name, "cpu_s": usage.ru_utime + usage.ru_stime})
        if pid == leader:
            result.update(status=os.waitstatus_to_exitcode(status), wall_s=now)
    result["end_s"] = time.monotonic() - begin
    return result


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as output:
        json.dump(run(sys.argv[2:]), output)
