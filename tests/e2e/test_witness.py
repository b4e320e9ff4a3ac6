# SPDX-License-Identifier: Apache-2.0
"""Hosts that hold no credential, hosts that forget it, and who proves that a host is a member."""

import json
import os
import signal
import time

import tap
from bench import HOST_IP, EndToEnd
from coordsim.process import TOKENS


class GivenToken(EndToEnd):
    """Minted by somebody else and put on the host, which has nothing else to show."""

    by = "local"

    def mint(self, roles=("allocator",), **members):
        answer = self.sim.ask("POST", TOKENS, dict({"persistent": False, "roles": list(roles)}, **members),
                              auth=self.sim.api_key())
        return answer.value["token"]

    def give(self, token, **changes):
        self.token_path = self.bench.secret_file("token", token)
        self.bench.write_spec(**dict({"credential": None, "token": {"source": "file", "path": str(self.token_path)},
                                      "verify": {"by": self.by}}, **changes))
        self.sim_requests_before = len(self.sim.requests())

    def requests(self):
        return self.sim.requests()[self.sim_requests_before:]

    def test_it_joins(self):
        self.give(self.mint())
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertEqual(self.bench.status()["verified"]["by"], "local")
        self.assertIn("local", outcome.output)
        # One question, of nobody in particular, and nothing that would prove who asks.
        self.assertEqual([(e["method"], e["path"], e["status"], e["auth"]) for e in self.requests()],
                         [("GET", "/api/v1/platform", 401, None)])

    def test_a_member_needs_no_token(self):
        self.give(self.mint())
        self.assertEnrolled(self.bench.run())
        os.unlink(self.token_path)
        self.assertEnrolled(self.bench.run())

    def test_it_is_taken_from_a_credential(self):
        directory = self.bench.top / "credentials"
        directory.mkdir(0o700)
        (directory / "ece-token").write_text(self.mint())
        (directory / "ece-token").chmod(0o400)
        self.bench.write_spec(credential=None, token={"source": "credential", "name": "ece-token"},
                              verify={"by": "local"})
        self.assertEnrolled(self.bench.run(CREDENTIALS_DIRECTORY=str(directory)))

    def test_one_that_has_expired(self):
        self.give(self.mint(validity_in_seconds=1))
        self.fault("header", name="Date", value="Fri, 01 Jan 2100 00:00:00 GMT")
        outcome = self.bench.run()
        self.assertExit(outcome, 77, "token.given-expired")
        self.assertIn(" ago", outcome.output)
        self.assertEqual(self.bench.installs(), 0)

    def test_one_that_is_too_short(self):
        self.give(self.mint(validity_in_seconds=90), installer={"attempt_timeout": "10m"},
                  retry={"give_up_after": "30m"})
        self.assertExit(self.bench.run(), 77, "token.given-too-short")
        self.assertEqual(self.bench.installs(), 0)

    def test_one_without_the_role(self):
        self.give(self.mint(("proxy",)))
        self.assertExit(self.bench.run(), 76, "token.role-missing")
        self.assertEqual(self.bench.installs(), 0)

    def test_something_else(self):
        self.give("not-a-token")
        self.assertExit(self.bench.run(), 78, "token.malformed")

    def test_one_that_others_may_read(self):
        self.give(self.mint())
        self.token_path.chmod(0o644)
        self.assertExit(self.bench.run(), 78, "credential.permissions")

    def test_an_installer_that_leaves_no_runner(self):
        self.give(self.mint(), verify={"by": "local", "timeout": "1s"})
        self.engine.behave(rest={"exit": 0, "join": False})
        self.assertExit(self.bench.run(), 76, "verify.local-runner")

    def test_a_role_that_does_not_come_up(self):
        self.give(self.mint(), verify={"by": "local", "timeout": "1s"})
        self.engine.behave(rest={"exit": 0, "join": False, "frc": False})
        self.bench.containers.place(name="frc-runners-runner", image="x/elastic-cloud-enterprise:4.0.3")
        self.assertExit(self.bench.run(), 76, "verify.local-role")
        self.assertEqual(self.bench.installs(), 0)  # it is somebody's runner: looked at, and not touched

    def test_the_daemon(self):
        self.give(self.mint())
        self.bench.socket_unit()
        self.bench.daemon()
        self.assertEqual(self.bench.wait_status("ENROLLED")["verified"]["by"], "local")


class Both(EndToEnd):
    def setUp(self):
        super().setUp()
        self.bench.write_spec(verify={"by": "both", "timeout": "2s"})

    def test_both_agree(self):
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.bench.status()["verified"]["by"], "both")

    def test_the_engine_does_not(self):
        self.engine.behave({"frc": False})
        self.assertExit(self.bench.run(), 76, "verify.local-runner")
        self.assertIn(HOST_IP, self.sim.control.state()["runners"])


class Forgetting(EndToEnd):
    def setUp(self):
        super().setUp()
        self.bench.write_spec(forget_credential=True)

    def test_the_file_goes_when_the_host_is_verified(self):
        self.assertEnrolled(self.bench.run())
        self.assertFalse(self.bench.key_path.exists())

    def test_it_stays_on_failure(self):
        self.engine.behave(rest={"exit": 3})
        self.assertNotEqual(self.bench.run().code, 0)
        self.assertTrue(self.bench.key_path.exists())

    def test_a_later_run_finds_a_member(self):
        self.assertEnrolled(self.bench.run())
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertEqual(self.bench.status()["verified"]["by"], "local")

    def test_a_restarted_daemon_stays_enrolled(self):
        self.bench.socket_unit()
        daemon = self.bench.daemon()
        self.bench.wait_status("ENROLLED")
        while self.bench.key_path.exists():
            pass
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)
        self.bench.daemon()
        self.bench.wait_status("ENROLLED")
        self.assertEnrolled()

    def test_with_nothing_to_look_at_it_is_missed(self):
        self.assertEnrolled(self.bench.run())
        for name in self.bench.containers.names():
            self.bench.containers.call("DELETE", "/containers/%s?force=1" % name)
        self.assertExit(self.bench.run(), 77, "credential.missing")

    def test_a_member_that_differs_is_not_verified(self):
        self.bench.write_spec(forget_credential=True, on_member="ignore")
        self.assertEnrolled(self.bench.run())
        self.bench.secret_file("key", self.sim.credentials["api_key"])
        self.sim.control.change_runner(runner_id=HOST_IP, roles=["allocator", "proxy"])
        self.assertExit(self.bench.run(), 0)
        self.assertTrue(self.bench.key_path.exists())

    def test_what_can_not_be_removed_is_told(self):
        self.bench.write_spec(forget_credential=True,
                              credential={"api_key": {"path": None, "from": "command",
                                                      "argv": ["/bin/cat", str(self.bench.key_path)]}})
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertIn("forget_credential", outcome.output)
        self.assertIn("forget_credential", json.dumps(self.bench.status()))
        self.assertTrue(self.bench.key_path.exists())


class KeyExpiration(EndToEnd):
    def expires(self, text):
        self.fault("header", name="X-Elastic-Api-Key-Expiration", value=text)
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertEqual(self.bench.status()["api_key_expiration"], text)
        return outcome.output

    def test_near(self):
        tomorrow = time.gmtime(time.time() + 24 * 3600)
        self.assertIn("API key ends in", self.expires(time.strftime("%Y-%m-%dT%H:%M:%SZ", tomorrow)))

    def test_far(self):
        self.assertNotIn("API key ends", self.expires("2090-01-01T00:00:00Z"))

    def test_of_an_unknown_form(self):
        self.assertNotIn("API key ends", self.expires("in a while"))


if __name__ == "__main__":
    tap.main()
