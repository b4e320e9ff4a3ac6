# SPDX-License-Identifier: Apache-2.0
"""What is left to do when a host has joined, or will not: persistent tokens, given tokens, drift, and hosts that are not ours."""

import hashlib
import json
import signal

import tap
from bench import HOST_IP, ZONE, EndToEnd
from coordsim import jwt
from coordsim.process import TOKENS

RUNNER = "/platform/infrastructure/runners/" + HOST_IP


class AfterJoin(EndToEnd):
    def listed(self):
        answer = self.sim.ask("GET", TOKENS, auth=self.sim.api_key())
        return {token["token_id"]: token["roles"] for token in answer.value["tokens"]}

    def mint(self, *roles, persistent=True):
        answer = self.sim.ask("POST", TOKENS, {"persistent": persistent, "roles": list(roles)}, auth=self.sim.api_key())
        return answer.value["token"]

    def mints(self):
        return self.sim.control.events("mint")

    def record(self):
        return json.loads((self.bench.state / "record.json").read_text())

    def write_record(self, **changes):
        """Sealed as a whole one is."""
        record = dict(self.record(), **changes)
        del record["sha256"]
        sealed = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        record["sha256"] = hashlib.sha256(sealed.encode()).hexdigest()
        (self.bench.state / "record.json").write_text(json.dumps(record, ensure_ascii=False))

    def forget_record(self):
        (self.bench.state / "record.json").unlink()

    def changes(self):
        return [(e["method"], e["path"].removeprefix("/api/v1")) for e in self.sim.requests() if e["method"] not in ("GET", "HEAD")]


class PersistentToken(AfterJoin):
    def setUp(self):
        super().setUp()
        self.bench.write_spec(token={"persistent": True})

    def test_it_is_deleted_after_the_join(self):
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        (mint,) = self.mints()
        self.assertEqual((mint["persistent"], mint["roles"]), (True, ["allocator"]))
        self.assertEqual(self.listed(), {})
        self.assertEqual(self.changes(), [("POST", TOKENS), ("DELETE", TOKENS + "/" + mint["sub"])])
        last = [(e["method"], e["path"].removeprefix("/api/v1")) for e in self.sim.requests()][-2:-1]
        self.assertEqual(last, [("GET", TOKENS)])  # and it was looked for; the last one was ours
        self.assertIn("not listed any more", outcome.output)
        self.assertEqual((self.record()["token_owed"], self.record()["token_id"]), (False, ""))

    def test_it_is_on_record_before_it_is_used(self):
        self.engine.behave({"hold": True})
        agent = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start"))
        (identity,) = self.listed()
        self.assertEqual((self.record()["token_owed"], self.record()["token_id"]), (True, identity))
        self.bench.containers.release()
        self.assertEnrolled(self.bench.end(agent))
        self.assertEqual(self.listed(), {})

    def test_it_serves_all_attempts(self):
        self.engine.behave({"exit": 1}, {"exit": 1})
        self.assertEnrolled(self.bench.run(), installs=3)
        self.assertEqual(len(self.mints()), 1)
        self.assertEqual(self.listed(), {})

    def test_it_is_deleted_when_the_installation_fails(self):
        self.fault("foreign-host", event="join")
        self.assertExit(self.bench.run(), 76, "verify.foreign-host")
        self.assertEqual((len(self.mints()), self.listed()), (1, {}))

    def test_it_is_deleted_when_the_run_is_stopped(self):
        self.engine.behave({"hold": True})
        agent = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start"))
        self.assertEqual(len(self.listed()), 1)
        agent.send_signal(signal.SIGTERM)
        self.assertExit(self.bench.end(agent), 143)
        self.assertEqual(self.listed(), {})

    def test_it_is_deleted_after_a_kill(self):
        self.engine.behave({"hold": True})
        agent = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start"))
        agent.kill()
        agent.wait()
        self.assertEqual(len(self.listed()), 1)
        self.bench.containers.release()
        self.assertEnrolled(self.bench.run(), installs=1)
        self.assertEqual((len(self.mints()), self.listed()), (1, {}))

    def test_a_run_that_can_not_delete_it_leaves_it_to_the_next(self):
        self.fault("status", method="DELETE", status=503)
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        (identity,) = self.listed()
        self.assertIn("the persistent token %s is not deleted yet" % identity, outcome.output)
        self.sim.control.clear_faults()
        self.assertEnrolled(self.bench.run(), installs=1)
        self.assertEqual((len(self.mints()), self.listed()), (1, {}))

    def test_one_that_stays_listed_is_told(self):
        self.fault("value", method="DELETE", times=1)
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertIn("lists it all the same", outcome.output)

    def test_others_are_not_touched(self):
        self.mint("allocator")
        self.mint()
        before = self.listed()
        self.assertExit(self.bench.run(), 0)
        self.assertEqual(self.listed(), before)

    def test_the_credential_is_forgotten_when_it_is_gone(self):
        self.bench.write_spec(token={"persistent": True}, forget_credential=True)
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.listed(), {})
        self.assertFalse(self.bench.key_path.exists())

    def test_and_not_before(self):
        self.bench.write_spec(token={"persistent": True}, forget_credential=True)
        self.fault("status", method="DELETE", status=503)
        self.assertEnrolled(self.bench.run())
        self.assertTrue(self.bench.key_path.exists())
        self.sim.control.clear_faults()
        self.assertEnrolled(self.bench.run(), installs=1)
        self.assertEqual((self.listed(), self.bench.key_path.exists()), ({}, False))

    def test_the_daemon(self):
        self.bench.socket_unit()
        daemon = self.bench.daemon()
        self.bench.wait_status("ENROLLED")
        self.bench.wait_for(lambda: not self.record()["token_owed"])
        self.assertEqual(self.listed(), {})
        daemon.terminate()
        self.assertEqual(daemon.wait(20), 0)


class GivenToken(AfterJoin):
    def give(self, token, **changes):
        path = self.bench.secret_file("token", token)
        self.bench.write_spec(**dict({"token": {"source": "file", "path": str(path)}}, **changes))

    def test_from_a_command(self):
        path = self.bench.secret_file("token", self.mint("allocator", persistent=False))
        self.bench.write_spec(token={"source": "command", "argv": ["/bin/cat", str(path)]})
        self.assertEnrolled(self.bench.run())

    def test_a_persistent_one_is_used_and_stays(self):
        self.give(self.mint("allocator"))
        self.assertEnrolled(self.bench.run())
        self.assertEqual(list(self.listed().values()), [["allocator"]])
        self.assertEqual(len(self.mints()), 1)  # ours

    def test_an_emergency_one(self):
        """All roles but allocator; those of the spec are passed on, and no others."""
        token = self.mint("coordinator", "director", "proxy")
        self.give(token, host={"roles": ["proxy", "coordinator"]})
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertIn("director", outcome.output)  # more than was asked for is told
        answer = self.sim.ask("GET", RUNNER, auth=self.sim.api_key())
        self.assertEqual(sorted(r["role_name"] for r in answer.value["roles"] if r["role_name"] in ("allocator", "coordinator", "director", "proxy")),
                         ["coordinator", "proxy"])

    def test_an_emergency_one_for_a_host_without_roles(self):
        self.give(self.mint("coordinator", "director", "proxy"), host={"roles": []})
        self.assertEnrolled(self.bench.run())

    def test_an_emergency_one_does_not_make_an_allocator(self):
        self.give(self.mint("coordinator", "director", "proxy"))
        self.assertExit(self.bench.run(), 76, "token.role-missing")
        self.assertEqual(self.bench.installs(), 0)

    def test_a_role_less_one_and_a_credential(self):
        self.give(self.mint(persistent=False), host={"roles": ["allocator", "proxy"]})
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertIn("roles were set by the platform's API", outcome.output)
        self.assertEqual([call for call in self.changes() if call[0] == "PUT"], [("PUT", RUNNER + "/roles?bless=true")])
        answer = self.sim.ask("GET", RUNNER, auth=self.sim.api_key())
        self.assertEqual([r["role_name"] for r in answer.value["roles"]], ["beats-runner", "services-forwarder", "allocator", "proxy"])

    def test_a_role_less_one_and_no_credential(self):
        self.give(self.mint(persistent=False), credential=None, verify={"by": "local"})
        self.assertExit(self.bench.run(), 76, "token.role-missing")

    def test_roles_that_may_not_be_set(self):
        self.give(self.mint(persistent=False))
        self.fault("status", method="PUT", status=403, code="root.unauthorized.rbac")
        self.assertExit(self.bench.run(), 77, "credential.not-permitted")

    def test_a_member_is_not_given_roles(self):
        """Nobody knows why it has none: only a join of ours is completed."""
        self.sim.control.add_runner(runner_id=HOST_IP, host_ip=HOST_IP, roles=[])
        self.give(self.mint(persistent=False), verify={"timeout": "1s", "stable_for": "0"})
        self.assertExit(self.bench.run(), 76, "verify.role-missing")
        self.assertEqual([call for call in self.changes() if call[0] == "PUT"], [])


class Drift(AfterJoin):
    def enroll(self, **changes):
        self.bench.write_spec(verify={"drift_every": "1s"}, **changes)
        self.bench.socket_unit()
        self.daemon = self.bench.daemon()
        self.bench.wait_status("ENROLLED")

    def reason(self):
        status = self.bench.status()
        self.assertEqual(status["state"], "ENROLLED")
        return status["reason"] and status["reason"]["id"]

    def test_it_is_told_and_not_repaired(self):
        self.enroll()
        before = self.changes()
        self.sim.control.change_runner(runner_id=HOST_IP, roles=[])
        self.bench.wait_for(lambda: self.reason() == "verify.role-missing")
        self.assertTrue((self.bench.runtime / "enrolled").exists())
        self.assertEqual(self.changes(), before)
        self.assertEqual(len(self.mints()), 1)
        self.sim.control.change_runner(runner_id=HOST_IP, roles=["allocator"])
        self.bench.wait_for(lambda: self.reason() is None)
        self.daemon.terminate()
        self.daemon.wait(20)
        output = self.daemon.output_path.read_text()
        self.assertEqual(output.count("verify.role-missing"), 1, output)
        self.assertIn("as planned again", output)

    def test_a_platform_that_is_away_is_no_drift(self):
        self.enroll()
        self.fault("status", status=503)
        self.sim.control.wait("request", count=len(self.sim.requests()) + 4, timeout_s=30)
        self.assertIsNone(self.reason())

    def test_an_upgraded_installation_is_none_either(self):
        self.enroll()
        at = self.bench.status()["verified"]["at"]
        self.bench.wait_for(lambda: self.bench.status()["verified"]["at"] > at)
        self.assertIsNone(self.reason())


class Member(AfterJoin):
    def test_it_costs_little(self):
        self.assertEnrolled(self.bench.run())
        before = len(self.sim.requests())
        self.assertEnrolled(self.bench.run())
        asked = [(e["method"], e["path"].removeprefix("/api/v1/platform").removeprefix("/infrastructure")) for e in self.sim.requests()[before:]]
        self.assertEqual(asked, [("GET", ""), ("GET", "/runners/" + HOST_IP), ("GET", "/blueprinter/roles/allocator"), ("GET", "/allocators/" + HOST_IP)])

    def test_it_differs(self):
        self.assertEnrolled(self.bench.run())
        self.bench.write_spec(verify={"timeout": "1s", "stable_for": "0"})
        for changes, reason in (({"roles": []}, "verify.role-missing"), ({"roles": ["allocator", "proxy"]}, "verify.role-extra"),
                                ({"zone": "elsewhere"}, "verify.zone-differs"), ({"version": "3.8.0"}, "verify.version-differs"),
                                ({"healthy": False}, "verify.runner-not-healthy")):
            self.sim.control.change_runner(**dict({"runner_id": HOST_IP, "roles": ["allocator"], "zone": ZONE, "version": "4.0.3", "healthy": True},
                                                  **changes))
            before = self.changes()
            self.assertExit(self.bench.run(), 76, reason)
            self.assertEqual(self.changes(), before)

    def test_it_differs_and_that_is_ignored(self):
        self.assertEnrolled(self.bench.run())
        self.sim.control.change_runner(runner_id=HOST_IP, zone="elsewhere")
        self.bench.write_spec(on_member="ignore")
        self.assertExit(self.bench.run(), 0)


class OtherHosts(AfterJoin):
    def assertUntouched(self, outcome, code, reason):
        self.assertExit(outcome, code, reason)
        self.assertEqual((len(self.mints()), self.bench.installs()), (1, 1))  # those of before

    def test_a_runner_that_the_platform_does_not_know(self):
        self.assertEnrolled(self.bench.run())
        self.sim.ask("DELETE", RUNNER, auth=self.sim.api_key())
        self.assertUntouched(self.bench.run(), 78, "host.other-installation")
        self.forget_record()
        self.bench.write_spec(on_stale_runner="replace")
        self.assertUntouched(self.bench.run(), 78, "host.other-installation")

    def test_a_runner_that_is_here_and_not_connected(self):
        self.assertEnrolled(self.bench.run())
        self.forget_record()
        self.sim.control.change_runner(runner_id=HOST_IP, connected_from=1e12)
        self.bench.write_spec(on_stale_runner="replace", verify={"timeout": "1s", "stable_for": "0"})
        self.assertUntouched(self.bench.run(), 76, "verify.runner-not-connected")
        self.assertNotIn(("DELETE", RUNNER), self.changes())
        self.sim.control.change_runner(runner_id=HOST_IP, connected_from=0)
        self.assertEnrolled(self.bench.run(), installs=1)  # it has only been slow

    def test_a_cloned_image(self):
        self.assertEnrolled(self.bench.run())
        theirs = self.mint("allocator")
        self.write_record(machine_id="00000000000000000000000000000000", token_owed=True, token_id=jwt.claims_of(theirs)["sub"])
        self.assertExit(self.bench.run(), 0)
        self.assertEqual((len(self.mints()), self.bench.installs()), (2, 1))
        self.assertTrue((self.bench.state / "record.json.other-host").exists())
        self.assertEqual(len(self.listed()), 1)  # what that host owes is that host's affair
        self.assertNotEqual(self.record()["machine_id"], "00000000000000000000000000000000")

    def test_the_same_host(self):
        self.assertEnrolled(self.bench.run())
        self.write_record(product_uuid="", hardware_addresses="")  # written by somebody who could not see them
        self.assertEnrolled(self.bench.run(), installs=1)
        self.assertFalse((self.bench.state / "record.json.other-host").exists())


class Left(AfterJoin):
    def leave(self):
        code, _, err = self.bench.spoken("leave", "--yes", *self.bench.options())
        self.assertEqual(code, 0, err)

    def test_a_daemon_that_runs_hears_of_it(self):
        self.bench.socket_unit()
        daemon = self.bench.daemon()
        self.bench.wait_status("ENROLLED")
        self.leave()
        self.assertEqual(self.bench.wait_status("UNCONFIGURED")["reason"]["id"], "host.left")
        self.assertFalse((self.bench.runtime / "enrolled").exists())
        daemon.send_signal(signal.SIGHUP)  # another spec is no wish to come back
        self.bench.wait_for(lambda: daemon.output_path.read_text().count("UNCONFIGURED") > 1)
        self.assertEqual(len(self.mints()), 1)

    def test_a_daemon_that_starts_stays_out_until_it_is_told(self):
        self.bench.socket_unit()
        daemon = self.bench.daemon()
        self.bench.wait_status("ENROLLED")
        daemon.terminate()
        daemon.wait(20)
        self.leave()
        daemon = self.bench.daemon()
        self.assertEqual(self.bench.wait_status("UNCONFIGURED")["reason"]["id"], "host.left")
        daemon.send_signal(signal.SIGUSR1)
        self.bench.wait_status("FAILED")  # ECE is still on it
        self.assertEqual(self.bench.status()["reason"]["id"], "host.other-installation")
        self.assertFalse((self.bench.state / "left").exists())

    def test_a_run_is_a_wish_to_come_back(self):
        self.assertEnrolled(self.bench.run())
        self.leave()
        self.assertExit(self.bench.run(), 78, "host.other-installation")
        self.assertFalse((self.bench.state / "left").exists())


if __name__ == "__main__":
    tap.main()
