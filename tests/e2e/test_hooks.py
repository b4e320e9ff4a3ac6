#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hooks of the enrollment: who is told what, how often, and that nothing of it holds up the host."""

import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import tap  # noqa: E402
from bench import HOST_IP, EndToEnd  # noqa: E402

SAY = 'echo "$ECE_ENROLL_STATE $ECE_ENROLL_REASON $ECE_ENROLL_RUNNER_ID $ECE_ENROLL_ROLES ${ECE_ENROLL_DEADLINE_S:+deadline}" >>%s\n'


class Hooks(EndToEnd):
    def setUp(self):
        super().setUp()
        self.hooks, self.told = self.bench.top / "hooks.d", self.bench.top / "told"
        self.bench.write_spec(report={"hooks_dir": str(self.hooks)})

    def hook(self, event, name, body, mode=0o755):
        path = self.hooks / event / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + body)
        path.chmod(mode)
        return path

    def tell_all(self):
        for event in ("progress", "enrolled", "failed"):
            self.hook(event, "say", SAY % self.told)

    def lines(self):
        return self.told.read_text().splitlines() if self.told.exists() else []

    def words(self):
        return [line.split(" ")[0] for line in self.lines()]


class Run(Hooks):
    def test_the_way_to_a_member(self):
        self.tell_all()
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.lines()[-1], "ENROLLED  %s allocator " % HOST_IP)
        self.assertEqual(self.words().count("ENROLLED"), 1)
        # States follow each other faster than a hook can be told; what lasted was told, with the time that is left.
        self.assertIn("INSTALLING  %s allocator deadline" % HOST_IP, self.lines())

    def test_a_failure(self):
        self.tell_all()
        self.fault("status", method="POST", status=401, code="root.unauthenticated")
        self.assertExit(self.bench.run(), 77, "credential.denied")
        self.assertEqual(self.lines()[-1].split(" ")[:3], ["FAILED", "credential.denied", HOST_IP])

    def test_a_spec_that_is_none(self):
        """Where the hooks are is then not known, and theirs is the default place."""
        self.tell_all()
        self.bench.spec_path.write_text("version: 2\n")
        outcome = self.bench.run()
        self.assertExit(outcome, 78, "spec.invalid")
        self.assertEqual(self.lines(), [])

    def test_the_status_is_on_standard_input(self):
        self.hook("enrolled", "10-part", "head -c 20 >/dev/null\n")
        self.hook("enrolled", "20-all", "cat >>%s; echo spoilt 1<>/dev/stdin\n" % self.told)
        self.hook("enrolled", "30-again", "cat >>%s\n" % self.told)
        self.assertEnrolled(self.bench.run())
        text = (self.bench.runtime / "status.json").read_text()
        self.assertEqual(self.told.read_text(), text + text)
        self.assertEqual(json.loads(text)["state"], "ENROLLED")

    def test_what_they_do_wrong_stops_nothing(self):
        self.hook("enrolled", "10-fails", "exit 3\n")
        self.hook("enrolled", "20-dies", "kill -9 $$\n")
        self.hook("enrolled", "30-open", "touch %s\n" % self.told, 0o757)
        self.hook("enrolled", "40-plain", "touch %s\n" % self.told, 0o644)
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        for words in ("10-fails: ended with exit status 3", "20-dies: was ended by signal 9", "writable by everybody", "40-plain: is not executable"):
            self.assertEqual(outcome.output.count(words), 1, outcome)
        self.assertFalse(self.told.exists())

    def test_they_see_no_secret(self):
        for event in ("progress", "enrolled"):
            self.hook(event, "all", "cat /proc/self/environ /proc/$PPID/environ >>%s; ls -l /proc/self/fd >>%s\n" % (self.told, self.told))
        self.assertEnrolled(self.bench.run(ECE_TEST_SECRET="do not look"))
        told = self.told.read_text(errors="replace")
        self.assertNotIn(self.sim.credentials["api_key"], told)
        self.assertNotIn("socket:", told)

    def test_a_hook_that_hangs_does_not_hold_up_the_end(self):
        """Progress is told while there is some; the verdict goes before it."""
        self.hook("progress", "hangs", "echo $$ >>%s\nexec sleep 1000\n" % self.told)
        self.hook("enrolled", "say", "echo enrolled >>%s\n" % self.told)
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertEqual(self.lines()[-1], "enrolled")
        self.assertNotIn("did not end in time", outcome.output)
        for pid in self.lines()[:-1]:
            self.assertFalse(pathlib.Path("/proc", pid).exists(), pid)

    def test_a_hook_that_wants_to_be_run_again(self):
        self.hook("enrolled", "10-once", "echo once >>%s\n" % self.told)
        self.hook("enrolled", "20-twice", 'echo twice >>%s\n[ "$(grep -c twice %s)" -ge 2 ] || exit 75\n' % (self.told, self.told))
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.lines(), ["once", "twice", "twice"])

    def test_a_run_that_is_interrupted_tells_no_end(self):
        self.tell_all()
        self.engine.behave({"hold": True})
        process = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start"))
        self.bench.wait_for(lambda: "INSTALLING" in self.words())
        process.send_signal(signal.SIGINT)
        self.assertExit(self.bench.end(process), 130)
        self.assertFalse({"ENROLLED", "FAILED"} & set(self.words()))

    def test_a_run_on_a_member_tells_it(self):
        self.assertEnrolled(self.bench.run())
        self.tell_all()
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.words().count("ENROLLED"), 1)


class Service(Hooks):
    """As ece-enroll-hooks.service has it: beside the daemon, for as long as the host is up."""

    def follow(self):
        self.memory = self.bench.top / "hooks-run"
        return self.bench.start("ece-enroll", "hooks", "--spec", self.bench.spec_path, "--runtime-dir", self.bench.runtime,
                                RUNTIME_DIRECTORY=str(self.memory))

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.bench.end(process).code, 0)

    def test_told_once(self):
        self.tell_all()
        self.bench.socket_unit()
        hooks, agent = self.follow(), self.bench.daemon()
        self.bench.wait_for(lambda: "ENROLLED" in self.words())
        self.stop(hooks)
        self.stop(agent)
        # A restart of either is no news; what a later state says is.
        hooks, agent = self.follow(), self.bench.daemon()
        self.bench.wait_status("ENROLLED")
        self.sim.control.add_runner(runner_id=HOST_IP, host_ip=HOST_IP, roles=["proxy"], blessed=["proxy"])
        self.assertEqual(self.bench.spoken("retry", *self.bench.options()[2:])[0], 0)
        self.stop(agent)
        self.stop(hooks)
        self.assertEqual(self.words().count("ENROLLED"), 1)

    def test_a_failure_that_is_tried_again_is_told_again(self):
        self.tell_all()
        self.engine.behave(rest={"exit": 126})
        self.bench.socket_unit()
        self.follow()
        self.bench.daemon()
        self.bench.wait_for(lambda: self.words().count("FAILED") == 1)
        self.assertEqual(self.bench.spoken("retry", *self.bench.options()[2:])[0], 0)
        self.bench.wait_for(lambda: self.words().count("FAILED") == 2)

    def test_what_was_not_through_is_run_by_the_next(self):
        """Stopped in the middle of a verdict."""
        self.hook("enrolled", "10-through", "echo through >>%s\n" % self.told)
        self.hook("enrolled", "20-hangs", "echo hangs >>%s\n[ \"$(grep -c hangs %s)\" -ge 2 ] || exec sleep 1000\n" % (self.told, self.told))
        self.hook("enrolled", "30-last", "echo last >>%s\n" % self.told)
        self.bench.socket_unit()
        hooks = self.follow()
        self.bench.daemon()
        self.bench.wait_for(lambda: "hangs" in self.lines())
        self.stop(hooks)
        self.follow()
        self.bench.wait_for(lambda: "last" in self.lines())
        self.assertEqual(self.lines(), ["through", "hangs", "hangs", "last"])

    def test_the_directory_of_credentials_is_passed_on(self):
        self.hook("enrolled", "say", 'echo "$CREDENTIALS_DIRECTORY" >>%s\n' % self.told)
        self.assertEnrolled(self.bench.run(CREDENTIALS_DIRECTORY="/run/credentials/hooks"))
        self.assertEqual(self.lines(), ["/run/credentials/hooks"])

    def test_a_status_that_is_none_is_no_news(self):
        self.tell_all()
        hooks = self.follow()
        self.bench.wait_for(self.memory.exists)
        for text in ("{", "[]", '{"state":"ENROLLED"}', '{"state":"$(id)","runner_id":"x","roles":[]}',
                     '{"state":"ENROLLED","runner_id":"a b","roles":[]}', '{"state":"ENROLLED","runner_id":"x","roles":["root"]}'):
            (self.bench.runtime / "new").write_text(text)
            os.rename(self.bench.runtime / "new", self.bench.runtime / "status.json")
        (self.bench.runtime / "new").symlink_to("/etc/hostname")
        os.rename(self.bench.runtime / "new", self.bench.runtime / "status.json")
        (self.bench.runtime / "new").write_text('{"state":"FAILED","runner_id":"x","roles":[],"reason":{"id":"a.b"}}')
        os.rename(self.bench.runtime / "new", self.bench.runtime / "status.json")
        self.bench.wait_for(lambda: self.lines())
        self.assertEqual(self.lines(), ["FAILED a.b x  "])
        self.assertIsNone(hooks.poll())


if __name__ == "__main__":
    tap.main()
