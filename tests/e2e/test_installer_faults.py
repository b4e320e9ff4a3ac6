# SPDX-License-Identifier: Apache-2.0
"""The installer and its engine fail in all the ways they know; and specs that don't fit, or mean harm."""

import hashlib

import tap
from bench import IMAGE, INSTALLER, EndToEnd


class Specs(EndToEnd):
    def refused(self, **changes):
        self.bench.write_spec(**changes)
        outcome = self.bench.run()
        self.assertExit(outcome, 78)
        self.assertUntouched()
        return outcome

    def test_values_that_would_run_code(self):
        loot = self.bench.top / "loot"
        code = "x';touch${IFS}%s;'" % loot
        for changes in ({"host": {"runner_id": code}}, {"host": {"availability_zone": code}},
                        {"host": {"host_ip": code}}, {"installer": {"docker_registry": code}},
                        {"installer": {"version": "a[$(touch %s)].1" % loot}},
                        {"installer": {"extra_args": ["--proxy-tags", code]}},
                        {"host": {"roles": ["allocator", code]}}, {"host": {"runner_id": ".."}},
                        {"host": {"runner_id": "--help"}}):
            with self.subTest(str(changes)):
                self.refused(**changes)
                self.assertFalse(loot.exists())
        self.assertEqual(self.sim.requests(), [])

    def test_an_unknown_key_with_a_suggestion(self):
        outcome = self.refused(host={"role": ["allocator"]})
        self.assertIn("roles", outcome.output)
        self.assertRegex(outcome.output, r"enroll\.yaml:\d+:\d+:")

    def test_another_script(self):
        self.refused(installer={"sha256": hashlib.sha256(b"another").hexdigest()})

    def test_the_right_script(self):
        digest = hashlib.sha256(self.bench.script.read_bytes()).hexdigest()
        self.bench.write_spec(installer={"sha256": digest})
        self.assertEnrolled(self.bench.run())

    def test_no_script(self):
        self.refused(installer={"script": str(self.bench.top / "nothing.sh")})


class OldScript(EndToEnd):
    sim_options = ("--version", "4.1.0")

    def test_it_can_not_join_a_newer_platform(self):
        self.assertExit(self.bench.run(), 78, "plan.script-too-old")
        self.assertUntouched()


class OlderPlatform(EndToEnd):
    sim_options = ("--version", "3.8.1")

    def test_the_platforms_version_is_installed(self):
        self.assertEnrolled(self.bench.run())
        self.assertTrue(self.bench.containers.events("create", INSTALLER)[0]["image"].endswith(":3.8.1"))


class Installer(EndToEnd):
    def test_a_refusal_for_good(self):
        (self.bench.script.parent / "os-release").write_text('ID=debian\nVERSION_ID="12"\n')
        outcome = self.bench.run()
        self.assertExit(outcome, 73, "installer.os-unsupported")
        self.assertIn("is not compatible", outcome.output)
        self.assertUntouched(minted=1)

    def test_two_failures_then_success_with_one_token(self):
        self.engine.behave({"exit": 1}, {"exit": 1})
        self.assertEnrolled(self.bench.run(), minted=1, installs=3)

    def test_the_token_windows_are_spent(self):
        # A token of 60 s has room for an attempt of 53 s and its margin for one second only.
        self.engine.behave(rest={"exit": 1})
        self.bench.write_spec(token={"validity": "60s"}, installer={"attempt_timeout": "53s"},
                              retry={"windows": 2, "backoff": {"min": "500ms", "max": "1s"}})
        outcome = self.bench.run()
        self.assertExit(outcome, 75)
        self.assertEqual(self.bench.minted(), 2)

    def test_the_deadline(self):
        self.engine.behave(rest={"exit": 1})
        self.bench.write_spec(give_up_after="2s")
        self.assertExit(self.bench.run(), 75)
        self.assertEqual(self.bench.installer_containers(), [])

    def test_one_that_hangs_is_ended(self):
        self.engine.behave({"hold": True})
        self.bench.write_spec(installer={"attempt_timeout": "2s"})
        self.assertEnrolled(self.bench.run(), installs=2)

    def test_success_that_is_none(self):
        self.engine.behave(rest={"exit": 0, "join": False, "frc": True})
        self.bench.write_spec(verify={"timeout": "1s"})
        self.assertExit(self.bench.run(), 76, "verify.runner-not-found")

    def test_failure_that_has_joined(self):
        """The exit status proves nothing in this direction either."""
        self.engine.behave({"exit": 1, "join": True})
        outcome = self.bench.run()
        self.assertExit(outcome, 0)
        self.assertEqual(self.bench.installs(), 1)

    def test_ports_in_use(self):
        self.engine.behave({"start_error": [500, "driver failed programming external connectivity: "
                                                 "port is already allocated"]})
        self.assertEnrolled(self.bench.run())


class NameTaken(EndToEnd):
    """The installer's container has a fixed name, which upgrades use too."""

    def place(self, command, **more):
        self.bench.containers.place(name=INSTALLER, image=IMAGE, command=[command], **more)

    def test_somebodys_upgrade_is_waited_for(self):
        self.place("elastic-cloud-enterprise-upgrader")
        self.bench.write_spec(give_up_after="3s")
        self.assertExit(self.bench.run(), 75, "engine.foreign-installer")
        self.assertEqual(self.bench.installer_containers(), [INSTALLER])
        self.assertEqual(self.bench.containers.events("signal"), [])
        self.assertEqual(self.bench.containers.events("remove", INSTALLER), [])

    def test_a_dead_one_of_ours_is_removed(self):
        self.engine.behave({"exit": 1, "leave": True})
        self.assertEnrolled(self.bench.run(), installs=2)


if __name__ == "__main__":
    tap.main()
