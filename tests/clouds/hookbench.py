# SPDX-License-Identifier: Apache-2.0
"""Runs one hook as ece-enroll does: an environment made from nothing, the status on standard input, nobody who reads its output.

Every program that a hook may start stands in a directory of its own, as a script that writes down its argument list and its
environment and then becomes the program. So a hook that wants another program is found out, and a secret that goes through an
argument list or an environment is there to be seen, however short the process lived.
"""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
HOOKS = TOP / "hooks"
sys.path[:0] = [str(TOP / "tests" / "e2e"), str(TOP / "tests" / "clouds")]

import service as clouds  # noqa: E402
from bench import Scratch  # noqa: E402

PROGRAMS = ("cat", "curl", "date", "dirname", "grep", "head", "id", "od", "readlink", "sed", "sha256sum", "sleep", "stat", "tail", "tr", "uname")
ENDLESS_TAKEN_MAX = 32 << 20
SHELLS = [path for path in map(shutil.which, ("dash", "bash", "busybox")) if path]
STATUS = '{"schema":1,"state":"FAILED","since":"2026-11-28T12:00:00.000000Z","reason":{"id":"a.b","since":"1999"}}\n'

_RECORD = """#!/bin/sh
{ printf '%%s\\n' "%(name)s" "$@"; tr '\\0' '\\n' </proc/$$/environ; } >>%(record)s
exec %(program)s "$@"
"""


def wrapped_programs(directory, record, also=()):
    """A directory for PATH."""
    directory.mkdir()
    real = {name: shutil.which(name) for name in PROGRAMS}
    real.update(also, logger="/bin/true")
    for name, program in real.items():
        path = directory / name
        # tr itself is what the record is made with.
        path.write_text(_RECORD.replace("tr ", real["tr"] + " ") % {"name": name, "record": record, "program": program})
        path.chmod(0o755)
    return directory


class Said:
    def __init__(self, code, words):
        self.code, self.words = code, words

    def __str__(self):
        return "exit status %d: %s" % (self.code, self.words)


@unittest.skipUnless(shutil.which("curl"), "needs curl")
class HookTest(unittest.TestCase):
    """hook: which one; secrets(): what nobody may see."""

    hook = ""

    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="hook", dir=Scratch.get().top))
        self.addCleanup(shutil.rmtree, self.top, True)
        self.pki, self.record = Scratch.get().pki, self.top / "record"
        self.bin = wrapped_programs(self.top / "bin", self.record)
        self.conf = self.top / "hook.conf"
        self.words = ""
        self.credentials, self.inherited = None, {}
        self.begin()
        self.addCleanup(self.look_for_secrets)

    def begin(self):
        raise NotImplementedError

    def secrets(self):
        return ()

    def service(self, service):
        self.addCleanup(service.close)
        return service

    def configure(self, **keys):
        self.conf.write_text("# made by a test\n\n" + "".join("%s=%s\n" % item for item in keys.items()))

    def secret_file(self, text, mode=0o600):
        path = self.top / "secret"
        path.write_text(text)
        path.chmod(mode)
        return path

    def environment(self, state, **more):
        made = {"PATH": str(self.bin), "ECE_ENROLL_STATE": state, "ECE_ENROLL_REASON": "credential.denied" if state == "FAILED" else "",
                "ECE_ENROLL_RUNNER_ID": "192.0.2.21", "ECE_ENROLL_ROLES": "allocator,proxy", "ECE_ENROLL_DEADLINE_S": "600"}
        if self.credentials:
            made["CREDENTIALS_DIRECTORY"] = str(self.credentials)
        return {**self.inherited, **made, **more}

    def run_hook(self, state, *words, status=STATUS, shell=(), **more):
        words = words or ("--conf", self.conf)
        done = subprocess.run([*shell, str(HOOKS / self.hook), *map(str, words)], env=self.environment(state, **more), input=status, cwd="/", check=False,
                              capture_output=True, text=True, timeout=100)
        self.assertEqual(done.stdout, "")
        self.words += done.stderr
        return Said(done.returncode, done.stderr)

    def assertDone(self, state, *words, **more):
        said = self.run_hook(state, *words, **more)
        self.assertEqual((said.code, said.words), (0, ""))

    def with_names(self, state):
        """Somebody's environment has all the names that the hooks use for variables of their own."""
        text = "".join(path.read_text() for path in HOOKS.iterdir())
        names = set(re.findall(r"\b([a-z][a-z_]+)=", text))
        self.assertIn("aws_session", names)
        self.inherited = dict.fromkeys(names, "x")
        self.assertDone(state)
        self.assertTrue("\nrequest_left=" in self.record.read_text(errors="replace"))

    def each_shell(self, *states):
        """What /bin/sh is differs from distribution to distribution."""
        for shell in SHELLS:
            for state in states:
                self.assertDone(state, shell=(shell, "sh") if shell.endswith("busybox") else (shell,))

    def assertEnds(self, state, code, words, **more):
        said = self.run_hook(state, **more)
        self.assertEqual(said.code, code, said)
        self.assertIn(words, said.words)
        # One sentence, in print, of a bounded length: it goes to the journal.
        self.assertEqual(said.words.count("\n"), 1, said)
        self.assertLess(len(said.words), 300)
        self.assertTrue(said.words.startswith(self.hook + ": ") and said.words[:-1].isprintable(), said)
        self.assertIn("-p\ndaemon.warning\n--\n" + said.words.removeprefix(self.hook + ": "), self.record.read_text(errors="replace"))

    def look_for_secrets(self):
        """Not in an argument list, an environment, or what was said; and it does see what is there."""
        record = self.record.read_text(errors="replace") if self.record.exists() else ""
        if record:
            self.assertIn("ECE_ENROLL_STATE=", record)
        for secret in self.secrets():
            self.assertFalse(secret in record, "a secret is in the record")
            self.assertNotIn(secret, self.words)

    def assertStrict(self, key, value):
        """What is wrong with a configuration, whichever hook it is of."""
        good = self.conf.read_text()
        for line in ("unknown=1", "no pair", "=x", "Key=x", "%s=" % key, '%s="%s"' % (key, value), "%s= %s" % (key, value), "%s=%s " % (key, value),
                     "%s=a\tb" % key, "%s=$(id)\n%s=x" % (key, key), "%s=\u00e4" % key):
            kept = "".join(part + "\n" for part in good.splitlines() if not part.startswith(key + "="))
            self.conf.write_text(kept + line + "\n")
            said = self.run_hook("FAILED")
            self.assertEqual((said.code, said.words.count("\n")), (78, 1), (line, said))
        self.conf.write_text(good)
        for mode in (0o666, 0o620):
            self.conf.chmod(mode)
            self.assertEnds("FAILED", 78, "nobody else may write")
        self.conf.chmod(stat.S_IRUSR)
        if os.getuid() == 0:
            os.chown(self.conf, 12345, 0)
            self.assertEnds("FAILED", 78, "nobody else may write")
            os.chown(self.conf, 0, 0)

    def hostile(self, service, state, path=""):
        """Whoever answers may be anybody: each such answer ends the hook with a sentence, in its time."""
        for answer, code, words in ((clouds.ENDLESS, 76, "too long"), (clouds.REDIRECT, 76, "redirects (302)"), (clouds.RESET, 75, "does not answer"),
                                    (clouds.Answer(418, "$(id) `id` \\ \" ' \x1b[31m"), 76, "418"), (clouds.Answer(503, "busy"), 75, "503"),
                                    (clouds.Answer(429, "slower"), 75, "429")):
            service.always(answer, path)
            self.assertEnds(state, code, words)
            service.relent()
        # What two sockets hold is much more than what a hook reads.
        self.assertLess(service.endless, ENDLESS_TAKEN_MAX)
        service.endless = 0
