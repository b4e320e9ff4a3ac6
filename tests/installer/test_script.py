# SPDX-License-Identifier: Apache-2.0
"""The stand-in installer has the real one's interface: order of checks, exit codes, messages and traps."""

import json
import os
import shutil
import signal
import subprocess
import unittest

from enginetest import HERE, SCRIPT_FILES, EngineTest, install_user, tap

INSTALLER = "elastic-cloud-enterprise-installer"
USER = install_user()


@unittest.skipIf(USER is None, "no user with uid and gid of 1000 or more to install as")
class ScriptTest(EngineTest):
    def setUp(self):
        super().setUp()
        for name in SCRIPT_FILES:
            shutil.copy(HERE / name, self.top / name)
        self.storage = self.owned("storage")
        self.cwd = self.owned("cwd")

    def owned(self, name):
        path = self.top / name
        path.mkdir()
        if os.getuid() == 0:
            os.chown(path, USER.pw_uid, USER.pw_gid)
        return path

    @property
    def script(self):
        return self.top / "elastic-cloud-enterprise.sh"

    def options(self, **replaced):
        """The usual options as a dictionary; None takes one away."""
        usual = {"coordinator-host": "192.0.2.10", "roles-token": "a.b.c", "roles": "allocator",
                 "availability-zone": "zone-1", "runner-id": "r1", "host-ip": "192.0.2.1",
                 "host-storage-path": self.storage, "host-docker-host": self.socket}
        usual.update({k.replace("_", "-"): v for k, v in replaced.items()})
        return [word for name, value in usual.items() if value is not None for word in ("--" + name, value)]

    def install(self, *words, user=USER, env=None, path=None, **replaced):
        environment = dict({"DOCKER_HOST": "unix://" + self.socket}, **env or {})
        return self.call(self.script, "install", *self.options(**replaced), *words,
                         user=user, env=environment, path=path, cwd=self.cwd)

    def environment_seen(self):
        return self.bench.events("create", INSTALLER)[-1]["env"]


class Interface(ScriptTest):
    def test_a_good_run(self):
        status, out, err = self.install("--memory-settings", '{"runner":{"xms":"1G","xmx":"1G"}}')
        self.assertEqual((status, err.count("Error")), (0, 0), out + err)
        seen = self.environment_seen()
        self.assertEqual((seen["COORDINATOR_HOST"], seen["RUNNER_ROLES"], seen["AVAILABILITY_ZONE"],
                          seen["RUNNER_ID"], seen["HOST_IP"]),
                         ("192.0.2.10", "allocator", "zone-1", "r1", "192.0.2.1"))
        self.assertEqual(json.loads(seen["MEMORY_SETTINGS"])["runner"]["xmx"], "1G")
        self.assertEqual((seen["UID"], seen["ROLE"]), (str(USER.pw_uid), "bootstrap-initiator"))
        self.assertEqual(self.platform.hosts[0]["token"], "a.b.c")
        image = self.bench.events("create", INSTALLER)[0]["image"]
        self.assertEqual(image, "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3")
        logs = self.storage / "logs" / "bootstrap-logs"
        self.assertIn("Application is exiting", (logs / "bootstrap.log").read_text())
        self.assertIn("Validating ECE version 4.0", (logs / "elastic-cloud-enterprise.log").read_text())

    def test_install_is_the_default(self):
        self.assertEqual(self.call(self.script, *self.options(), user=USER, cwd=self.cwd,
                                   env={"DOCKER_HOST": "unix://" + self.socket})[0], 0)

    def test_help_ends_with_zero(self):
        for words in ((), ("--help",), ("help",), ("install", "--force", "--help")):
            status, out, _ = self.call(self.script, *words, user=USER)
            self.assertEqual(status, 0)
            self.assertIn("--roles", out)

    def test_status_passes_through(self):
        for number in (1, 2, 3, 4, 5, 7, 125, 137, 143):
            self.engine.behave(rest={"exit": number})
            self.assertEqual(self.install()[0], number)

    def test_podman(self):
        self.assertEqual(self.install("--podman", "--skip-cloud-enterprise-version-check")[0], 0)
        self.assertEqual(self.environment_seen()["CONTAINER_ENGINE"], "podman")

    def test_registry_and_version(self):
        self.assertEqual(self.install(docker_registry="r:5000", ece_docker_repository="e",
                                      cloud_enterprise_version="3.8.1")[0], 0)
        self.assertEqual(self.bench.events("create", INSTALLER)[0]["image"],
                         "r:5000/e/elastic-cloud-enterprise:3.8.1")

    def test_upgrade_uses_the_same_name(self):
        process = self.start(self.script, "upgrade", *self.options(), user=USER)
        self.assertTrue(self.bench.wait("start"))
        created = self.bench.events("create")[0]
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertEqual((created["name"], created["command"]), (INSTALLER, ["elastic-cloud-enterprise-upgrader"]))


class Refusals(ScriptTest):
    def refused(self, status, beginning, *words, **more):
        """The status, the message on stdout in colour, and no container."""
        found, out, err = self.install(*words, **more)
        self.assertEqual(found, status, out + err)
        self.assertIn("\x1b[31m" + beginning, out)
        self.assertEqual(self.bench.events("create"), [])

    def test_arguments(self):
        self.refused(3, "Unknown argument '--x'", "--x")
        self.refused(3, "Argument '--roles-token' does not have a value", "--roles-token", "--roles")
        self.refused(3, "Argument '--roles' does not have a value", "--roles", "")
        status, out, _ = self.call(self.script, "unstall", user=USER)
        self.assertEqual(status, 2)
        self.assertIn("Unknown command 'unstall'", out)

    def test_version(self):
        self.refused(1, "Can't use a --cloud-enterprise-version value greater than 4.0.3.",
                     cloud_enterprise_version="4.1.0")

    def test_socket(self):
        self.refused(5, "ECE could not verify the Docker socket (/nonexistent).", host_docker_host="/nonexistent")

    @unittest.skipUnless(os.getuid() == 0, "needs root to be root")
    def test_root(self):
        self.refused(4, "The UID or GID must not be smaller than 1000.", user=None)

    def test_engine(self):
        self.refused(4, "To resolve the issue, add the user to the docker group or install as a different user.",
                     env={"DOCKER_HOST": "unix:///nonexistent"})

    def test_force_softens_the_engine_check(self):
        status, _, _ = self.install("--force", env={"DOCKER_HOST": "unix:///nonexistent"})
        self.assertEqual((status, self.environment_seen()["HOST_PREREQ_FAILED"]), (0, "true"))

    def test_system_table(self):
        (self.top / "os-release").write_text('ID=debian\nVERSION_ID="12"\n')
        self.refused(1, "ECE version 4.0 is not compatible with debian 12 and docker 27.0.")
        self.assertEqual(self.install("--skip-cloud-enterprise-version-check")[0], 0)

    def test_storage(self):
        path = self.top / "forbidden"
        path.mkdir(0o755)
        if os.getuid() == 0:
            status, _, err = self.install(host_storage_path=path)
            self.assertEqual(status, 1)
            self.assertIn("mkdir: cannot create directory", err)

    def test_pull(self):
        (self.engine.directory / "pull-error").write_text("denied")
        self.assertEqual(self.install("--overwrite-existing-image")[0], 1)

    def test_kernel_parameters(self):
        """A failing sysctl: status 1, nothing said, no container."""
        directory = self.top / "broken"
        directory.mkdir()
        (directory / "sysctl").write_text("#!/bin/sh\nexit 255\n")
        (directory / "sysctl").chmod(0o755)
        status, _, _ = self.install(path="%s:%s" % (directory, self.clients))
        self.assertNotEqual(status, 0)
        self.assertEqual(self.bench.events("create"), [])

    def test_no_ip_tool(self):
        directory = self.top / "few"
        directory.mkdir()
        for name in ("bash", "dirname", "id", "mkdir", "date", "tee", "sed", "cut", "env", "python3", "df", "tail"):
            (directory / name).symlink_to(shutil.which(name, path="/usr/bin:/bin"))
        status, out, _ = self.call(self.script, "install", *self.options(host_ip=None), user=USER, cwd=self.cwd,
                                   env={"PATH": "%s:%s" % (self.clients, directory),
                                        "DOCKER_HOST": "unix://" + self.socket})
        self.assertEqual(status, 1)
        self.assertIn("Can't determine a default HOST_IP ('ip' tool can't be found)", out)


class Traps(ScriptTest):
    """Each of these is what an agent must never run into; if they go away here, its tests prove nothing."""

    def test_a_quote_runs_code(self):
        loot = self.cwd / "loot"
        for option in ("runner_id", "roles_token", "availability_zone"):
            self.install(**{option: "x';touch${IFS}%s;'" % loot})
            self.assertTrue(loot.exists(), option)
            loot.unlink()

    def test_a_quote_in_docker_host_runs_code(self):
        loot = self.cwd / "loot"
        self.install(env={"DOCKER_HOST": "';touch${IFS}%s;'" % loot})
        self.assertTrue(loot.exists())

    def test_a_subscript_in_the_version_runs_code(self):
        loot = self.cwd / "loot"
        self.install(cloud_enterprise_version="a[$(touch${IFS}%s)].1" % loot)
        self.assertTrue(loot.exists())

    def test_blanks_split(self):
        self.assertEqual(self.install(roles="director, coordinator")[0], 0)
        self.assertEqual(self.environment_seen()["RUNNER_ROLES"], "director,")
        self.install(memory_settings='{"runner": {"xms": "1G"}}')
        self.assertEqual(self.environment_seen()["MEMORY_SETTINGS"], '{"runner":')

    def test_globbing(self):
        (self.cwd / "a-file").touch()
        self.install(runner_id="*")
        self.assertEqual(self.environment_seen()["RUNNER_ID"], "a-file")

    def test_an_empty_argument_ends_the_parsing(self):
        words = ["--coordinator-host", "192.0.2.10", "--host-ip", "192.0.2.1", "--host-storage-path", self.storage,
                 "--host-docker-host", self.socket, "", "--roles-token", "a.b.c", "--roles", "allocator"]
        status, _, _ = self.call(self.script, "install", *words, user=USER, cwd=self.cwd,
                                 env={"DOCKER_HOST": "unix://" + self.socket})
        self.assertEqual(status, 0)
        self.assertEqual(self.environment_seen()["RUNNER_ROLES"], "")
        self.assertIsNone(self.bench.events("create", INSTALLER)[0]["token_sha256"])

    def test_the_environment_presets(self):
        self.install(roles=None, env={"RUNNER_ROLES": "proxy", "CONFIG_FILE": "/x", "CLOUD_FEATURE_A": "1"})
        seen = self.environment_seen()
        self.assertEqual((seen["RUNNER_ROLES"], seen["CONFIG_FILE"], seen["CLOUD_FEATURE_A"]), ("proxy", "/x", "1"))

    def test_raw_arguments_from_the_environment(self):
        self.install(env={"DOCKER_ADDITIONAL_ARGUMENTS": "--env EXTRA=1"})
        self.assertEqual(self.environment_seen()["EXTRA"], "1")

    def test_metadata_is_broken(self):
        self.install(environment_metadata='{"a":"b"}')
        self.assertEqual(self.environment_seen()["RUNNER_ENVIRONMENT_METADATA_JSON"], '{"a":"b"}}')

    def test_two_addresses_shift_the_image(self):
        process = self.start(self.script, "install", *self.options(host_ip=None), user=USER, cwd=self.cwd,
                             env={"DOCKER_HOST": "unix://" + self.socket, "HOST_IP": "192.0.2.1 192.0.2.2"})
        # What follows the image is its command then, --name among it: so the container has another name.
        self.assertTrue(self.bench.wait("start", name=""))
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertEqual([e["image"] for e in self.bench.events("create")], ["192.0.2.2"])

    def test_token_and_roles_are_not_demanded(self):
        status, out, _ = self.install(roles=None, roles_token=None)
        self.assertEqual(status, 0, out)


class Signals(ScriptTest):
    def begin(self):
        self.engine.behave({"hold": True})
        process = self.start(self.script, "install", *self.options(), user=USER, cwd=self.cwd,
                             env={"DOCKER_HOST": "unix://" + self.socket})
        self.assertTrue(self.bench.wait("start"))
        return process

    def test_term_to_the_group_stops_the_container(self):
        process = self.begin()
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertIn(process.returncode, (-signal.SIGTERM, 143))
        self.assertTrue(self.bench.wait("remove"))

    def test_kill_leaves_it_running(self):
        process = self.begin()
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
        self.assertEqual(self.bench.names(), [INSTALLER])
        self.assertEqual(self.install()[0], 125)


class Sources(unittest.TestCase):
    def test_the_version_can_be_found(self):
        text = (HERE / "elastic-cloud-enterprise.sh").read_text()
        self.assertIn('\nCLOUD_ENTERPRISE_VERSION="4.0.3"\n', text)

    @unittest.skipUnless(shutil.which("shellcheck"), "no shellcheck on this machine")
    def test_shellcheck(self):
        done = subprocess.run(["shellcheck", HERE / "elastic-cloud-enterprise.sh", HERE / "stand-in.conf"],
                              stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    tap.main()
