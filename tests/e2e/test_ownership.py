# SPDX-License-Identifier: Apache-2.0
"""Whoever could change what decides for us is told of, and nothing is done: exit 78, the place and the command that mends it."""

import os
import shutil
import unittest

import tap
from bench import EndToEnd

STRANGER = 54321


class Ownership(EndToEnd):
    """Each test makes one thing wrong, and mends it at last: then all is well again, so it was that."""

    def drop_in(self):
        directory = self.bench.spec_path.with_name("enroll.yaml.d")
        directory.mkdir()
        path = directory / "50-roles.yaml"
        path.write_text("on_member: verify\n")
        return path

    def assertRefused(self, path, says, *command):
        outcome = self.bench.command(*command, "--spec", self.bench.spec_path)
        self.assertExit(outcome, 78)
        self.assertIn(str(path), outcome.output)
        self.assertRegex(outcome.output, says)
        return outcome

    def each_way(self, path, *command):
        """Writable by everybody, by a group, a stranger's; then mended."""
        mode = path.stat().st_mode & 0o7777
        path.chmod(mode | 0o002)
        self.assertRefused(path, "writable by everybody: chmod go-w", *command)
        path.chmod(mode)
        if os.getuid() == 0:
            os.chown(path, 0, STRANGER)
            path.chmod(mode | 0o020)
            self.assertRefused(path, "writable by group %d: chmod g-w" % STRANGER, *command)
            os.chown(path, STRANGER, 0)
            path.chmod(mode)
            self.assertRefused(path, "belongs to uid %d, .*: chown root" % STRANGER, *command)
            os.chown(path, 0, 0)
        self.assertExit(self.bench.command(*command, "--spec", self.bench.spec_path), 0)

    def test_spec(self):
        self.each_way(self.bench.spec_path, "validate")

    def test_the_directory_of_the_spec(self):
        inner = self.bench.top / "etc"
        inner.mkdir()
        shutil.copy(self.bench.spec_path, inner / "enroll.yaml")
        self.bench.spec_path = inner / "enroll.yaml"
        self.each_way(inner, "validate")

    def test_drop_in(self):
        self.each_way(self.drop_in(), "validate")

    def test_the_directory_of_the_drop_ins(self):
        self.each_way(self.drop_in().parent, "validate")

    def test_a_link_to_the_spec(self):
        """The link is root's and where it leads is not."""
        elsewhere = self.bench.top / "elsewhere"
        elsewhere.mkdir()
        self.bench.spec_path.rename(elsewhere / "enroll.yaml")
        self.bench.spec_path.symlink_to(elsewhere / "enroll.yaml")
        self.each_way(elsewhere, "validate")

    def test_ca_file(self):
        copy = self.bench.top / "ca.pem"
        shutil.copy(self.sim.ca, copy)
        self.bench.write_spec(trust={"ca_file": str(copy)})
        copy.chmod(0o666)
        outcome = self.bench.run()
        self.assertExit(outcome, 78, "spec.invalid")
        self.assertIn("%s is writable by everybody: chmod go-w" % copy, outcome.output)
        self.assertUntouched()
        copy.chmod(0o644)
        self.assertEnrolled(self.bench.run())

    def test_script(self):
        self.bench.write_spec(give_up_after="2s")
        for path in (self.bench.script, self.bench.script.parent):
            mode = path.stat().st_mode & 0o777
            path.chmod(mode | 0o002)
            outcome = self.bench.run()
            self.assertExit(outcome, 78, "host.script-permissions")
            self.assertIn("%s is writable by everybody: chmod go-w" % path, outcome.output)
            self.assertIn("chown root", outcome.output)
            self.assertUntouched()
            path.chmod(mode)
        self.bench.write_spec()
        self.assertEnrolled(self.bench.run())

    @unittest.skipIf(os.getuid() != 0, "needs root, to give a file away")
    def test_a_script_of_the_install_user(self):
        self.bench.write_spec(give_up_after="2s")
        os.chown(self.bench.script, self.bench.user.pw_uid, self.bench.user.pw_gid)
        outcome = self.bench.run()
        self.assertExit(outcome, 78, "host.script-permissions")
        self.assertIn("belongs to uid %d" % self.bench.user.pw_uid, outcome.output)

    def test_the_command_of_a_credential(self):
        program = self.bench.top / "vault"
        program.write_text("#!/bin/sh\ncat %s\n" % self.bench.key_path)
        program.chmod(0o757)
        self.bench.write_spec(credential={"api_key": {"from": "command", "path": None, "argv": [str(program)]}})
        outcome = self.bench.run()
        self.assertExit(outcome, 78, "credential.permissions")
        self.assertIn("%s is writable by everybody: chmod go-w" % program, outcome.output)
        self.assertEqual(self.sim.control.state()["counts"].get("mint", 0), 0)
        program.chmod(0o755)
        self.assertEnrolled(self.bench.run())

    def test_a_search_path_of_others(self):
        """A client that somebody else could put there is not the engine's client: the next directory's is."""
        directory = self.bench.top / "bin"
        directory.mkdir()
        (directory / "docker").write_text("#!/bin/sh\n>%s\n" % (self.bench.top / "was-run"))
        (directory / "docker").chmod(0o755)
        directory.chmod(0o777)
        (self.bench.top / "was-run").touch()
        (self.bench.top / "was-run").chmod(0o666)
        (self.bench.top / "was-run").write_text("no")
        outcome = self.bench.run(PATH="%s:%s" % (directory, self.bench.environment()["PATH"]))
        self.assertEnrolled(outcome)
        self.assertEqual((self.bench.top / "was-run").read_text(), "no")

    @unittest.skipIf(os.getuid() != 0, "needs root, to give a file away")
    def test_the_keeper_looks_for_itself(self):
        """A spec that the agent's own user may write is the agent's word, and not root's: the keeper does not start."""
        os.chown(self.bench.spec_path, STRANGER, 0)
        outcome = self.bench.end(self.bench.start("ece-installd", "--spec", self.bench.spec_path))
        self.assertEqual(outcome.code, 78, outcome)
        self.assertIn("belongs to uid %d" % STRANGER, outcome.output)


if __name__ == "__main__":
    tap.main()
