# SPDX-License-Identifier: Apache-2.0
"""The units around the agent: who waits for it, who is told, who asks."""

import json
import subprocess

from machinetest import KEY, MachineTest

ASK = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8680/').read().decode())"
SAY = '#!/bin/sh\necho "$ECE_ENROLL_STATE $ECE_ENROLL_REASON $(id -u)" >>/var/told\n'


class Units(MachineTest):
    def furnished(self, key=None, **changes):
        host = self.host(**changes)
        host.write("etc/ece-enroll/api-key", key or self.key, 0o600)
        host.drop_in("credential", "LoadCredential=%s:/etc/ece-enroll/api-key" % KEY)
        return host

    def begin(self, host, *words):
        """Something in there that takes its time."""
        process = subprocess.Popen(["nsenter", "--all", "-t", str(host.leader), "--", *words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        return process

    def told(self, host):
        path = host.path("/var/told")
        return path.read_text().splitlines() if path.exists() else []


class Target(Units):
    def test_its_start_returns_when_the_host_is_verified(self):
        host = self.furnished()
        self.engine_holds(host)
        host.boot()
        engine = self.containers(host)
        self.assertTrue(engine.wait("start", timeout_s=60))
        start = self.begin(host, "systemctl", "start", "ece-enrolled.target")
        host.wait_for(lambda: host.property("ece-enroll-wait.service", "ActiveState") == "activating", "the wait")
        self.assertIsNone(start.poll())
        self.assertFalse(host.active("ece-enrolled.target"))
        engine.release()
        self.assertEqual(start.wait(60), 0)
        self.assertEqual(host.status()["state"], "ENROLLED")
        self.assertTrue(host.active("ece-enrolled.target"))

    def test_its_start_fails_when_the_host_has_failed(self):
        host = self.furnished(key="bm90IGEga2V5")
        host.boot()
        host.wait_status("FAILED")
        code, said = host.run("systemctl", "start", "ece-enrolled.target", check=False)
        self.assertNotEqual(code, 0, said)
        self.assertFalse(host.active("ece-enrolled.target"))
        self.assertIn("[credential.denied]", host.messages("-u", "ece-enroll-wait.service"))
        # The agent is there and says why; systemd does not start it again and again.
        self.assertEqual((host.property("ece-enrolld.service", "NRestarts"), host.active("ece-enrolld.service")), ("0", True))
        # A person mends it.
        host.path("/etc/ece-enroll/api-key").write_text(self.key)
        host.run("systemctl", "restart", "ece-enrolld.service")
        host.run("systemctl", "start", "ece-enrolled.target")
        self.assertEqual(host.status()["state"], "ENROLLED")

    def test_without_a_spec_it_is_not_waited_for(self):
        host = self.furnished()
        (host.tree / "etc/ece-enroll/enroll.yaml").unlink()
        host.boot()
        host.wait_for(lambda: host.active("multi-user.target"), "multi-user.target")
        self.assertNotEqual(host.run("systemctl", "start", "ece-enrolled.target", check=False)[0], 0)


class Hooks(Units):
    def enabled(self, **changes):
        host = self.furnished(**changes)
        for event in ("enrolled", "failed"):
            host.write("etc/ece-enroll/hooks.d/%s/say" % event, SAY, 0o755)
        host.run_in_tree("systemctl", "enable", "ece-enroll-hooks.service")
        return host

    def test_told_once_and_again_after_a_boot(self):
        host = self.enabled()
        self.assertEnrolls(host)
        host.wait_for(lambda: self.told(host), "the hook")
        host.run("systemctl", "restart", "ece-enrolld.service")
        host.wait_for(lambda: host.active("ece-enroll-hooks.service"), "the hooks' service, again")
        host.wait_status("ENROLLED")
        self.assertEqual(self.told(host), ["ENROLLED  0"])
        host.power_off()
        host.boot()
        host.wait_for(lambda: len(self.told(host)) == 2, "the hook after a boot")
        self.assertEqual(self.told(host), ["ENROLLED  0"] * 2)

    def test_told_of_a_failure(self):
        host = self.enabled(key="bm90IGEga2V5")
        host.boot()
        host.wait_for(lambda: self.told(host), "the hook")
        self.assertEqual(self.told(host), ["FAILED credential.denied 0"])


class Console(Units):
    def test_one_line_when_it_is_enrolled(self):
        host = self.furnished()
        host.run_in_tree("systemctl", "enable", "ece-enroll-console.service")
        self.assertEnrolls(host)
        line = "this host is enrolled into ECE as runner %s (allocator)" % host.address
        host.wait_for(lambda: line in host.console.read_text(errors="replace"), "the line on the console")

    def test_and_why_when_it_is_not(self):
        host = self.furnished(key="bm90IGEga2V5")
        host.run_in_tree("systemctl", "enable", "ece-enroll-console.service")
        host.boot()
        host.wait_status("FAILED")
        host.wait_for(lambda: "[credential.denied]" in host.console.read_text(errors="replace"), "the line on the console")
        self.assertEqual(host.run("systemctl", "list-units", "--failed", "--no-legend", "--plain", "ece-*")[1].strip(), "")


class Health(Units):
    def test_asked_by_http(self):
        host = self.furnished()
        host.run_in_tree("systemctl", "enable", "ece-enroll-health.socket")
        self.engine_holds(host)
        host.boot()
        engine = self.containers(host)
        self.assertTrue(engine.wait("start", timeout_s=60))
        self.assertIn("503", host.run("python3", "-c", ASK, check=False)[1])
        engine.release()
        self.assertEnrolls(host)
        self.assertEqual(json.loads(host.run("python3", "-c", ASK)[1])["state"], "ENROLLED")
        self.assertEqual(host.run("systemctl", "list-units", "--failed", "--no-legend", "--plain", "ece-*")[1].strip(), "")


class Metrics(Units):
    """The file that the caged agent writes into a directory of node_exporter's."""

    FOLDER = "/var/lib/prometheus/node-exporter"

    def member(self):
        return self.furnished(report={"metrics_textfile": self.FOLDER + "/ece-enroll.prom"})

    def assertWritten(self, host):
        file = host.path(self.FOLDER) / "ece-enroll.prom"
        host.wait_for(lambda: file.exists() and 'ece_enroll_state{state="ENROLLED"} 1\n' in file.read_text(), "the metrics")
        self.assertEqual(file.stat().st_mode & 0o777, 0o644)
        self.assertEqual(host.run("stat", "-c", "%U", self.FOLDER + "/ece-enroll.prom")[1].strip(), "ece-enroll")

    def test_a_collector_that_was_there_before(self):
        host = self.member()
        (host.tree / self.FOLDER[1:]).mkdir(parents=True)
        self.assertEnrolls(host)
        self.assertWritten(host)
        self.assertNotIn("report.metrics_textfile", host.messages("-u", "ece-enrolld.service"))

    def test_one_that_comes_later(self):
        host = self.member()
        self.assertEnrolls(host)
        self.assertEqual(host.messages("-u", "ece-enrolld.service").count("report.metrics_textfile"), 1)
        host.run("mkdir", "-p", self.FOLDER)
        # As monitoring/README.md has it.
        host.run("systemd-tmpfiles", "--create", "ece-enroll.conf")
        host.run("systemctl", "restart", "ece-enrolld.service")
        self.assertWritten(host)
