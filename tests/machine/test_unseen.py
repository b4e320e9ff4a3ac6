# SPDX-License-Identifier: Apache-2.0
"""A host enrolls under the eyes of somebody outside who sees all of it, and there is neither credential nor token to be seen."""

import subprocess

from machinetest import KEY, MachineTest
from sampler import TOKEN, Sampler

AGENT, KEEPER = "ece-enrolld.service", "ece-installd.service"
# Where systemd itself keeps a credential, in memory, for its unit and for nobody else.
THEIRS = ("credentials", "host")


class Secrets(MachineTest):
    def boot(self):
        path = self.bed.top / "key"
        path.write_text(self.key)
        path.chmod(0o600)
        host = self.host(nspawn=["--load-credential=%s:%s" % (KEY, path)])
        self.engine_holds(host)
        host.boot()
        host.wait_for(host.path("/run/systemd/journal/socket").is_socket, "journald")
        return host

    def directories(self, host):
        return [host.path("/var"), host.path("/tmp"), host.path("/dev/shm"), host.path("/etc"),
                *(path for path in host.path("/run").iterdir() if path.name not in THEIRS and path.is_dir())]

    def assertUnseen(self, host, sampler):
        subjects = [event["sub"] for event in self.sim.control.events("mint")]
        self.assertEqual(len(subjects), 1)
        self.assertEqual(sampler.found, {})
        self.assertEqual(sampler.places_of_tokens(subjects), set())
        exported = subprocess.run(["journalctl", "--directory=%s" % (host.tree / "var/log/journal"), "--output=export"],
                                  capture_output=True, check=True).stdout
        self.assertGreater(exported.count(b"ece-enrolld"), 10)
        self.assertNotIn(self.key.encode(), exported)
        self.assertIsNone(TOKEN.search(exported))

    def test_enrolling(self):
        host = self.boot()
        with Sampler(self.directories(host), {"key": self.key}) as sampler:
            self.assertTrue(self.containers(host).wait("start", timeout_s=30), host.tale())
            sampler.wait_rounds(3)
            self.containers(host).release()
            self.assertEnrolls(host)
        print("# %d rounds, %d processes, %d looks" % (sampler.rounds, len(sampler.pids), sampler.looked))
        self.assertTrue({b"ece-enrolld", b"ece-installd", b"bash"} <= sampler.programs, sampler.programs)
        self.assertUnseen(host, sampler)

    def test_aborted(self):
        """Whatever ends agent and keeper in the worst moment, there is no core of them; of other programs there is."""
        host = self.boot()
        with Sampler(self.directories(host), {"key": self.key}) as sampler:
            self.assertTrue(self.containers(host).wait("start", timeout_s=30), host.tale())
            for unit in (AGENT, KEEPER):
                host.run("systemctl", "kill", "--kill-who=main", "--signal=ABRT", unit)
                host.wait_for(lambda unit=unit: int(host.property(unit, "NRestarts")) > 0, unit + " is started again")
                # "dumped" it would say, had there been one.
                self.assertIn("code=killed, status=6/ABRT", host.messages("UNIT=" + unit))
            self.containers(host).release()
            self.assertEnrolls(host)
        self.assertUnseen(host, sampler)
        host.run("systemd-run", "--wait", "--property=LimitCORE=infinity", "--property=WorkingDirectory=/tmp", "--unit=other",
                 "sh", "-c", "kill -ABRT $$$$", check=False)
        self.assertIn("code=dumped, status=6/ABRT", host.messages("UNIT=other.service"))

    def test_the_eyes_see(self):
        """The same looking finds a secret where there is one."""
        host = self.boot()
        with Sampler(self.directories(host), {"key": self.key}) as sampler:
            host.run("logger", "seen: " + self.key)
            host.run("sh", "-c", 'printf %s "$1" >/var/tmp/seen', "sh", self.key)
        self.assertIn(("file", "key"), sampler.found)
