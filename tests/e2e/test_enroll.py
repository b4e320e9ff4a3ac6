# SPDX-License-Identifier: Apache-2.0
"""A host becomes a member: every credential, every role, and what exactly goes over the wire."""

import json
import pathlib

import tap
from bench import HOST_IP, INSTALLER, ZONE, EndToEnd
from coordsim.process import TOKENS

ROLES = ("allocator", "coordinator", "director", "proxy")


class CredentialTest(EndToEnd):
    def password(self, user, kind):
        """The spec's credential is the password of a user then."""
        path = self.bench.secret_file("password", self.sim.credentials[user + "_password"])
        self.bench.write_spec(credential={"api_key": None, kind: {
            "user": user, "password": {"from": "file", "path": str(path)}}})

    def schemes(self):
        return {entry["auth"] for entry in self.sim.requests() if not entry["path"].endswith("_login")}


class Credentials(CredentialTest):
    def api_key(self, **source):
        self.bench.write_spec(credential={"api_key": dict({"path": None}, **source)})

    def test_api_key(self):
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.schemes(), {"ApiKey"})

    def test_api_key_from_the_environment(self):
        self.api_key(**{"from": "env", "name": "ECE_KEY"})
        self.assertEnrolled(self.bench.run(ECE_KEY=self.sim.credentials["api_key"]))

    def test_api_key_from_a_command(self):
        self.api_key(**{"from": "command", "argv": ["/bin/cat", str(self.bench.key_path)]})
        self.assertEnrolled(self.bench.run())

    def test_api_key_as_a_systemd_credential(self):
        directory = self.bench.top / "credentials"
        directory.mkdir(0o700)
        (directory / "ece-api-key").write_text(self.sim.credentials["api_key"])
        (directory / "ece-api-key").chmod(0o400)
        self.api_key(**{"from": "credential", "name": "ece-api-key"})
        self.assertEnrolled(self.bench.run(CREDENTIALS_DIRECTORY=str(directory)))

    def test_basic_is_sent_at_once(self):
        self.password("admin", "basic")
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.schemes(), {"Basic"})
        self.assertNotIn(401, {entry["status"] for entry in self.sim.requests()})


class Bearer(CredentialTest):
    bare = False

    def setUp(self):
        super().setUp()
        self.sim.control.change_platform(bare_login_reply=self.bare)
        self.password("ops", "bearer")

    def logins(self):
        return len(self.sim.requests("POST", "/users/auth/_login"))

    def test_it_logs_in(self):
        self.assertEnrolled(self.bench.run())
        self.assertEqual((self.schemes(), self.logins()), ({"Bearer"}, 1))

    def test_it_logs_in_again_when_the_session_ends(self):
        self.fault("status", path=TOKENS, times=1, status=401, code="root.unauthorized")
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.logins(), 2)


class BareLogin(Bearer):
    """A login reply of only a token, as the documentation's sample shows it."""

    bare = True


class Roles(EndToEnd):
    def enroll(self, roles):
        self.bench.write_spec(host={"roles": list(roles)})
        self.assertEnrolled(self.bench.run())
        runner = self.sim.control.state()["runners"][HOST_IP]
        self.assertEqual((set(runner["roles"]), set(runner["blessed"])), (set(roles), set(roles)))
        self.assertEqual(set(json.loads(self.sim.mints()[0]["body"])["roles"]), set(roles))
        self.assertEqual(set(self.bench.status()["roles"]), set(roles))

    def test_allocator(self):
        self.enroll(["allocator"])

    def test_coordinator(self):
        self.enroll(["coordinator"])

    def test_director(self):
        self.enroll(["director"])

    def test_proxy(self):
        self.enroll(["proxy"])

    def test_all_of_them(self):
        self.enroll(ROLES)

    def test_none(self):
        self.enroll([])


class OnTheWire(EndToEnd):
    def test_the_token_request(self):
        self.bench.write_spec(token={"validity": "30m"}, host={"roles": ["allocator", "proxy"]})
        self.assertEnrolled(self.bench.run())
        mint, = self.sim.mints()
        self.assertEqual(json.loads(mint["body"]), {
            "persistent": False, "roles": ["allocator", "proxy"], "validity_in_seconds": 1800})
        self.assertEqual(mint["path"], "/api/v1" + TOKENS)
        self.assertEqual((mint["kept"]["Content-Type"], mint["kept"]["Accept"]), ("application/json",) * 2)
        self.assertTrue(mint["kept"]["User-Agent"].startswith("ece-enroll"), mint)
        self.assertEqual(set(mint["headers"]), {
            "Host", "User-Agent", "Accept", "Authorization", "Content-Type", "Content-Length"})

    def test_it_looks_before_it_mints(self):
        self.assertEnrolled(self.bench.run())
        entries = self.sim.requests()
        mint = next(n for n, entry in enumerate(entries) if entry["method"] == "POST")
        self.assertTrue(any(entry["path"].endswith("/runners/" + HOST_IP) for entry in entries[:mint]))
        self.assertEqual({entry["method"] for entry in entries}, {"GET", "POST"})

    def test_each_role_is_asked_for(self):
        self.bench.write_spec(host={"roles": ["allocator", "proxy"]})
        self.assertEnrolled(self.bench.run())
        paths = [entry["path"] for entry in self.sim.requests("GET")]
        for part in ("/blueprinter/roles/allocator", "/blueprinter/roles/proxy", "/allocators/" + HOST_IP, "/proxies"):
            self.assertTrue(any(part in path for path in paths), part)

    def test_the_container_is_told_everything(self):
        self.bench.write_spec(host={"runner_id": "host-7", "capacity": 65536, "allocator_tags": {"disk": "ssd"},
                                    "memory_settings": {"runner": {"xms": "1G", "xmx": "1G"}},
                                    "external_hostnames": ["host.example.com"]},
                              installer={"timeout_factor": 2.5})
        outcome = self.bench.run()
        self.assertExit(outcome, 0)
        env = self.bench.containers.events("create", INSTALLER)[0]["env"]
        expected = {"RUNNER_ID": "host-7", "HOST_IP": HOST_IP, "AVAILABILITY_ZONE": ZONE, "CAPACITY": "65536",
                    "COORDINATOR_HOST": "127.0.0.1", "RUNNER_ROLES": "allocator", "ALLOCATOR_TAGS": "disk:ssd",
                    "RUNNER_EXTERNAL_HOSTNAME": "host.example.com", "ECE_TIMEOUT_FACTOR": "2.5",
                    "MEMORY_SETTINGS": '{"runner":{"xms":"1G","xmx":"1G"}}'}
        self.assertEqual({name: env.get(name) for name in expected}, expected)
        self.assertIn("host-7", self.sim.control.state()["runners"])

    def test_nothing_of_our_environment_reaches_the_installer(self):
        outcome = self.bench.run(COORDINATOR_HOST="198.51.100.1", CONFIG_FILE="/x", CLOUD_FEATURE_X="1",
                                 DOCKER_ADDITIONAL_ARGUMENTS="--privileged", BASH_ENV="/nonexistent")
        self.assertEnrolled(outcome)
        env = self.bench.containers.events("create", INSTALLER)[0]["env"]
        self.assertEqual((env["COORDINATOR_HOST"], env["CONFIG_FILE"]), ("127.0.0.1", ""))
        self.assertNotIn("CLOUD_FEATURE_X", env)

    def test_a_script_as_it_was_downloaded(self):
        self.bench.script.chmod(0o644)
        self.bench.write_spec()
        self.assertEnrolled(self.bench.run())

    def test_podman(self):
        self.bench.write_spec(installer={"engine": "podman", "extra_args": ["--skip-cloud-enterprise-version-check"]})
        self.assertEnrolled(self.bench.run())


class Again(EndToEnd):
    """A member that is asked to enroll once more."""

    def test_a_second_run_mints_nothing(self):
        self.assertEnrolled(self.bench.run())
        asked = len(self.sim.requests())
        self.assertEnrolled(self.bench.run())
        self.assertEqual({entry["method"] for entry in self.sim.requests()[asked:]}, {"GET"})

    def test_even_when_everything_local_was_lost(self):
        self.assertEnrolled(self.bench.run())
        (self.bench.state / "record.json").unlink()
        self.assertEnrolled(self.bench.run())

    def test_the_status_says_so(self):
        outcome = self.bench.run()
        self.assertEqual(outcome.status["verified"]["by"], "coordinator")
        self.assertEqual(outcome.status["runner_id"], HOST_IP)
        self.assertTrue((self.bench.runtime / "enrolled").exists())


class OtherHosts(EndToEnd):
    """Somebody bears our id already."""

    def stale(self):
        self.sim.control.add_runner(runner_id=HOST_IP, host_ip=HOST_IP, zone=ZONE, roles=["allocator"],
                                    connected=False)

    def test_a_foreign_host_under_our_id(self):
        self.sim.control.add_runner(runner_id=HOST_IP, host_ip="198.51.100.9", roles=["allocator"])
        self.assertExit(self.bench.run(), 76, "verify.foreign-host")
        self.assertUntouched()

    def test_a_stale_runner_is_refused(self):
        self.stale()
        self.assertExit(self.bench.run(), 76, "plan.stale-runner")
        self.assertEqual(self.sim.requests("DELETE"), [])

    def test_a_stale_runner_is_replaced_when_the_spec_says_so(self):
        self.stale()
        self.bench.write_spec(on_stale_runner="replace")
        self.assertEnrolled(self.bench.run())
        self.assertEqual(len(self.sim.requests("DELETE", "/runners/" + HOST_IP)), 1)


class ChangedWhileFailed(EndToEnd):
    def setUp(self):
        super().setUp()
        (self.bench.script.parent / "os-release").write_text('ID=debian\nVERSION_ID="12"\n')
        self.bench.socket_unit()
        self.agent = self.bench.daemon()
        self.bench.wait_status("FAILED")

    def starts(self):
        return [entry["state"] for entry in self.bench.status()["history"]].count("LOADING")

    def wakeups(self):
        """How often the agent has gone to sleep: once more for each thing that it hears of."""
        lines = pathlib.Path("/proc/%d/status" % self.agent.pid).read_text().splitlines()
        return int(next(line for line in lines if line.startswith("voluntary_ctxt_switches")).split()[1])

    def waits(self):
        """In its event loop, for whatever comes next."""
        return "poll" in pathlib.Path("/proc/%d/wchan" % self.agent.pid).read_text()

    def test_a_changed_spec_starts_over_and_a_file_beside_it_does_not(self):
        before = self.wakeups()
        (self.bench.top / "somebody.log").write_text("beside the spec\n")
        while self.wakeups() == before or not self.waits():
            self.assertIsNone(self.agent.poll())
        self.assertEqual(self.starts(), 0)
        self.bench.write_spec()
        self.assertTrue(self.sim.control.wait("mint", count=2))
        self.bench.wait_status("FAILED")
        self.assertEqual(self.starts(), 1)


if __name__ == "__main__":
    tap.main()
