#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The completions as three shells use them, from where `make install` puts them. What is to be offered is asked of the program."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import shells  # noqa: E402
import tap  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ECE_BUILD_DIR") or TOP / "build" / "default")
ROLES = {"allocator", "coordinator", "director", "proxy", "none"}


def said(*words):
    return subprocess.run([BUILD / "ece-enroll", *words], capture_output=True, text=True, check=True).stdout


def commands():
    return set(re.findall(r"^  ([a-z-]+) ", said("--help"), re.MULTILINE))


def options(command):
    listed = said(command, "--help").partition("\n\n")[2].split("\n\n")[0]
    return set(re.findall(r"^ +(?:-\S, )?(--[a-z-]+)", listed, re.MULTILINE)) - {"--usage"}


def actions(command):
    """The words that --help has for a command's first argument."""
    return set(re.findall(r"(?<![\w-])[a-z]+", said(command, "--help").splitlines()[0].partition("[OPTION...]")[2]))


class Completion:
    """The cases; a class for each shell below."""

    @classmethod
    def setUpClass(cls):
        if not shutil.which(cls.kind.program) or not pathlib.Path(cls.kind.needs).exists():
            raise unittest.SkipTest("no %s, or not its completion" % cls.kind.program)
        cls.scratch = tempfile.TemporaryDirectory()
        top = pathlib.Path(cls.scratch.name)
        environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        subprocess.run(["make", "-s", "-C", BUILD, "datadir=/share", "DESTDIR=%s" % top, "install-dist_bashcompletionDATA",
                        "install-dist_zshcompletionDATA", "install-dist_fishcompletionDATA"],
                       env=environment, check=True, stdout=subprocess.DEVNULL)
        (top / "home").mkdir()
        for folder in ("here/state", "here/run"):
            (top / folder).mkdir(parents=True)
        for file in ("one.yaml", "two.yaml"):
            (top / "here" / file).touch()
        cls.shell = cls.kind(top / "share", top / "here", top / "home", BUILD)

    @classmethod
    def tearDownClass(cls):
        cls.shell.close()
        cls.scratch.cleanup()

    def offers(self, line, words):
        self.assertEqual(self.shell.offered("ece-enroll " + line), set(words), line)

    def test_commands(self):
        self.offers("--", {"--help", "--version"})
        self.assertEqual(self.shell.offered("ece-enroll ") - {"--help", "--version"}, commands())
        self.offers("tok", {"token"})
        self.offers("nothing-like-this", set())
        self.offers("nothing --sp", set())

    def test_options_of_each_command(self):
        for command in sorted(commands()):
            self.offers(command + " --", options(command))
        self.offers("explain status --", options("explain"))

    def test_actions(self):
        self.assertEqual(actions("token"), {"create", "list", "delete"})
        for command in sorted(commands()):
            if actions(command):
                self.offers(command + " ", actions(command))
        self.offers("token --json l", {"list"})
        self.offers("token --spec one.yaml d", {"delete"})
        self.offers("token --spec=one.yaml d", {"delete"})
        self.offers("token create ", set())

    def test_roles(self):
        self.offers("token create --role ", ROLES)
        self.offers("token create --role allocator,pr", {"allocator,proxy"})
        self.offers("token create --role=dir", {"director"})
        self.offers("roles --set all", {"allocator"})
        self.offers("roles --set allocator pr", {"proxy"})

    def test_reasons(self):
        reasons = {reason["id"] for reason in json.loads(said("explain", "--json"))}
        self.offers("explain ", reasons)
        self.offers("explain coordinator.", {reason for reason in reasons if reason.startswith("coordinator.")})
        self.assertFalse(self.shell.offered("ece-enroll explain agent.other a") & reasons)

    def test_files(self):
        for line in ("validate ", "plan ", "check ", "run --spec ", "token list --spec ", "validate --spec="):
            self.offers(line, {"one.yaml", "two.yaml", "state", "run"})
        self.offers("validate on", {"one.yaml"})
        self.offers("plan one.yaml t", set())

    def test_directories(self):
        for line in ("run --state-dir ", "status --runtime-dir ", "leave --state-dir="):
            self.offers(line, {"state", "run"})

    def test_what_nobody_can_know(self):
        for line in ("token create --validity ", "leave --timeout ", "roles --runner-id ", "pin "):
            self.offers(line, set())


class InBash(Completion, unittest.TestCase):
    kind = shells.Bash


class InZsh(Completion, unittest.TestCase):
    kind = shells.Zsh


class InFish(Completion, unittest.TestCase):
    kind = shells.Fish


if __name__ == "__main__":
    tap.main()
