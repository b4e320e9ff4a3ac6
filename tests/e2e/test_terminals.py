#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where people look: a serial console, tmux, a pipe."""

import fcntl
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import tap  # noqa: E402
from bench import EndToEnd  # noqa: E402


class Terminals(EndToEnd):
    def on_terminal(self, term, columns, *words, **environment):
        """What a program prints on a terminal of this kind and width: (exit code, text)."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([self.bench.programs / "ece-enroll", *map(str, words)], stdin=theirs, stdout=theirs, stderr=theirs,
                                   env=self.bench.environment(TERM=term, **environment))
        os.close(theirs)
        said = []
        while True:
            try:
                said.append(os.read(ours, 4096))
            except OSError:  # the other end is closed
                break
        os.close(ours)
        return process.wait(), b"".join(said).decode().replace("\r\n", "\n")

    def test_a_serial_console(self):
        """80 columns, no colour, no word broken, for a run and for the status."""
        self.fault("status", method="POST", status=401, code="root.unauthenticated")
        code, run = self.on_terminal("vt220", 80, "run", *self.bench.options())
        self.assertEqual(code, 77)
        _, status = self.on_terminal("vt220", 80, "status", *self.bench.options()[2:])
        piped = self.bench.spoken("status", *self.bench.options()[2:])[1]
        for text in (run, status):
            self.assertNotIn("\x1b", text)
        for line in status.splitlines():
            self.assertLessEqual(len(line), 80 if " " in line.strip() else 200, line)
        # What a pipe gets is not folded; the words are the same.
        self.assertTrue(any(len(line) > 80 for line in piped.splitlines()))
        self.assertEqual(re.sub(r"\(\w+ ago\)", "", status).split(), re.sub(r"\(\w+ ago\)", "", piped).split())

    def test_a_terminal_with_colours(self):
        self.assertEnrolled(self.bench.run())
        code, text = self.on_terminal("xterm-256color", 120, "status", *self.bench.options()[2:])
        self.assertEqual(code, 0)
        self.assertIn("\x1b[32mece-enroll: ENROLLED\x1b[0m", text)
        _, plain = self.on_terminal("xterm-256color", 120, "status", *self.bench.options()[2:], NO_COLOR="1")
        self.assertNotIn("\x1b", plain)
        self.assertEqual(self.bench.spoken("status", *self.bench.options()[2:], TERM="xterm")[1].count("\x1b"), 0)

    @unittest.skipUnless(shutil.which("tmux"), "needs tmux (package tmux)")
    def test_tmux(self):
        """status --watch, until the host is enrolled, as the window shows it."""
        socket = str(self.bench.top / "tmux")

        def tmux(*words):
            return subprocess.run(["tmux", "-S", socket, "-f", "/dev/null", *map(str, words)], env=self.bench.environment(),
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout

        self.addCleanup(tmux, "kill-server")
        tmux("new-session", "-d", "-x", "80", "-y", "50", "sh")
        words = " ".join(map(str, [self.bench.programs / "ece-enroll", "status", "--watch", *self.bench.options()[2:]]))
        tmux("send-keys", words, "Enter")
        run = self.bench.start_run()
        self.bench.wait_for(lambda: "ece-enroll: ENROLLED" in tmux("capture-pane", "-p"))
        self.assertEnrolled(self.bench.end(run))
        shown = tmux("capture-pane", "-p", "-S", "-")
        self.assertIn("ece-enroll: INSTALLING", shown)
        self.assertNotIn("\x1b", shown)


if __name__ == "__main__":
    tap.main()
