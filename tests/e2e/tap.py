# SPDX-License-Identifier: Apache-2.0
"""Runs unittest cases and speaks TAP: a time limit for each test, nothing left running after it.

Whatever a test starts becomes, when its parent goes, a child of ours (a "child subreaper"), so what outlives
a test can be found and ended by its id, daemons with sessions of their own included; and that it had to be is told.
"""

import ctypes
import os
import pathlib
import signal
import sys
import time
import traceback
import unittest

LIMIT_S = 120
PR_SET_CHILD_SUBREAPER = 36


class TimedOut(Exception):
    """A test took longer than its limit_s, or LIMIT_S."""


def _on_alarm(number, frame):
    raise TimedOut("no end in time")


def adopt_orphans() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children():
    """(pid, state, name) of our own children; one that goes away meanwhile is no child any more."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = stat.read_text().rpartition(")")
        except OSError:
            continue
        state, parent = tail.split()[:2]
        if int(parent) == os.getpid():
            yield int(head.split()[0]), state, head.partition("(")[2]


def _reap(pid) -> None:
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass


def sweep(known=()):
    """Ends our children but the known ones, and theirs that come to us then. The names of those still alive."""
    left = []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = [child for child in children() if child[0] not in known]
        if not found:
            break
        for pid, state, name in found:
            if state != "Z":
                left.append(name)
                os.kill(pid, signal.SIGKILL)
            _reap(pid)
    return left


class Result(unittest.TestResult):
    """Prints each test's line as soon as it has ended. total: None if that is known at the end only."""

    def __init__(self, total):
        super().__init__()
        self.total, self.number, self.passed, self.failed = total, 0, 0, 0
        if total is not None:
            print("1..%d" % total, flush=True)

    def line(self, ok, test, remark="", details=""):
        self.number += 1
        print("%sok %d - %s%s" % ("" if ok else "not ", self.number, test.id().replace("__main__.", ""), remark))
        for detail in details.rstrip().splitlines():
            print("#   " + detail)
        sys.stdout.flush()

    @staticmethod
    def _text(error):
        return "".join(traceback.format_exception(*error))

    def startTest(self, test):
        super().startTest(test)
        self.parts = []
        self.before = {pid for pid, _, _ in children()}
        signal.signal(signal.SIGALRM, _on_alarm)
        signal.alarm(getattr(test, "limit_s", LIMIT_S))

    def stopTest(self, test):
        signal.alarm(0)
        # A test whose subtests failed is neither a success nor a failure to unittest.
        if self.parts:
            self._failed(test, "".join(self.parts))
        # Cleanups have run: whoever is left was forgotten by a test, or is a keeper on its way out.
        left = sweep(self.before)
        if left:
            print("# %s left running: %s" % (test.id(), ", ".join(sorted(left))), flush=True)
        super().stopTest(test)

    def addSuccess(self, test):
        if not self.parts:
            self.passed += 1
            self.line(True, test)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self.parts.append("%s\n%s" % (subtest, self._text(error)))

    def _failed(self, test, text):
        self.failed += 1
        self.parts = []
        self.line(False, test, details=text)

    def addError(self, test, error):
        super().addError(test, error)
        self._failed(test, self._text(error))

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._failed(test, self._text(error))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line(True, test, " # SKIP " + reason)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._failed(test, "unexpected success")

    def end(self) -> int:
        # A class whose setUp failed or was skipped has one line for all of its tests.
        while self.number < (self.total or 0):
            self.number += 1
            print("ok %d # SKIP with the line of its class" % self.number)
        if self.total is None:
            print("1..%d" % self.number)
        print("# %d passed, %d failed, %d skipped" % (self.passed, self.failed, len(self.skipped)), flush=True)
        return 1 if self.failed else 0


class Share(unittest.TestSuite):
    """Those of the cases that no other process has taken: all that share the folder go through the same cases, and whoever writes a
    case's name there first runs it. Those that say of themselves that they are a `crowd`, for they fill the machine, go to one process,
    which runs them one after the other."""

    _cleanup = False  # of cases that were run; it counts on their places

    def __init__(self, cases, folder):
        super().__init__(cases)
        self.folder = pathlib.Path(folder)

    def _takes(self, name):
        try:
            (self.folder / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def __iter__(self):
        cases = list(super().__iter__())
        crowds = [case for case in cases if getattr(case, "crowd", False)]
        if crowds and self._takes("crowds"):
            yield from crowds
        yield from (case for case in cases if case not in crowds and self._takes(case.id()))

    def countTestCases(self):
        """Nobody knows before the end."""
        return None


def run(suite) -> int:
    adopt_orphans()
    result = Result(suite.countTestCases())
    suite.run(result)
    return result.end()


def main() -> None:
    """For the end of a test module."""
    loader = unittest.TestLoader()
    if len(sys.argv) > 1:
        suite = loader.loadTestsFromNames(sys.argv[1:], sys.modules["__main__"])
    else:
        suite = loader.loadTestsFromModule(sys.modules["__main__"])
    sys.exit(run(suite))


def _cases(suite):
    """The test cases of a suite; suites nest as deep as packages do, which is three."""
    waiting = [suite]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, unittest.TestSuite):
            waiting[:0] = list(item)
        else:
            yield item


def run_folder(folder, words) -> int:
    """All tests of a folder, or those whose ids have one of the words in them; -l lists them. With --share=FOLDER what others leave."""
    names = [word for word in words if not word.startswith("-")]
    share = next((word.partition("=")[2] for word in words if word.startswith("--share=")), None)
    found = [case for case in _cases(unittest.defaultTestLoader.discover(str(folder)))
             if not names or any(name in case.id() for name in names)]
    if "-l" in words:
        print("\n".join(case.id() for case in found))
        return 0
    if not found:
        print("no test has such a name", file=sys.stderr)
        return 64
    return run(Share(found, share) if share else unittest.TestSuite(found))
