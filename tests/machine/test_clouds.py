# SPDX-License-Identifier: Apache-2.0
"""Hosts that are to go, with a real systemd: what is announced by a cloud, and what is only a shutdown."""

import sys

from bed import COORDINATOR, TESTS
from machinetest import KEY, MachineTest

sys.path.insert(0, str(TESTS / "clouds"))

import azure  # noqa: E402

AT_SHUTDOWN, SCALE_IN = "ece-enroll-leave-at-shutdown.service", "ece-enroll-scale-in@azure.service"
REBOOTS = 133  # as systemd-nspawn ends then


class Announced(azure.Metadata):
    address = COORDINATOR


class Goes(MachineTest):
    def member(self, *units, lines=(), **files):
        """A host that has joined, with these units enabled in its image, and these lines in a drop-in of the first."""
        path = self.bed.top / "key"
        path.write_text(self.key)
        path.chmod(0o600)
        host = self.host(nspawn=["--load-credential=%s:%s" % (KEY, path)])
        for name, text in files.items():
            host.write("etc/ece-enroll/%s.conf" % name.replace("_", "-"), text)
        if lines:
            host.drop_in("test", *lines, unit=units[0])
        for unit in units:
            host.run_in_tree("systemctl", "enable", unit)
        self.assertEnrolls(host)
        for unit in units:
            host.wait_for(lambda unit=unit: host.active(unit), unit)
        return host

    def is_member(self, host):
        return host.address in self.sim.control.state()["runners"]

    def changes(self):
        return [e["method"] for e in self.sim.requests(path="/infrastructure/") if e["method"] not in ("GET", "HEAD")]


class Shutdown(Goes):
    def test_for_good(self):
        """The network and names are there until it has left."""
        host = self.member(AT_SHUTDOWN)
        host.power_off()
        self.assertFalse(self.is_member(host), host.messages("-u", AT_SHUTDOWN))

    def test_a_reboot(self):
        host = self.member(AT_SHUTDOWN)
        before = self.changes()
        host.run("systemctl", "--no-block", "reboot")
        self.assertEqual(host.process.wait(60), REBOOTS)
        self.assertIn("the machine reboots: the host stays a member", host.messages())
        self.assertTrue(self.is_member(host))
        self.assertEqual(self.changes(), before)

    def test_a_unit_that_is_stopped_by_itself(self):
        host = self.member(AT_SHUTDOWN)
        host.run("systemctl", "stop", AT_SHUTDOWN)
        self.assertEqual(host.property(AT_SHUTDOWN, "Result"), "success")
        self.assertTrue(self.is_member(host))

    def test_a_platform_that_is_away(self):
        """The shutdown is not held up longer than the unit says."""
        host = self.member(AT_SHUTDOWN, lines=["ExecStart=", "ExecStart=/usr/libexec/ece-enroll/hooks/leave-at-shutdown 3", "TimeoutStopSec=8"])
        self.sim.control.fault("reset")
        host.power_off()
        self.assertIn(AT_SHUTDOWN + ": Main process exited, code=exited", host.messages())
        self.sim.control.clear_faults()
        self.assertTrue(self.is_member(host))


class ScaleIn(Goes):
    def setUp(self):
        super().setUp()
        self.metadata = Announced()
        self.addCleanup(self.metadata.close)

    def test_announced(self):
        host = self.member(SCALE_IN, azure_scale_set="metadata=%s\n" % self.metadata.url)
        self.metadata.wait(lambda metadata: [r for r in metadata.requests if "scheduledevents" in r.target])
        self.assertTrue(self.is_member(host))
        self.metadata.change(events=[azure.event(1)])
        host.wait_for(lambda: host.property(SCALE_IN, "ActiveState") == "inactive", "its end")
        self.assertEqual((host.property(SCALE_IN, "Result"), host.property(SCALE_IN, "NRestarts")), ("success", "0"), host.messages("-u", SCALE_IN))
        self.assertFalse(self.is_member(host))
        self.assertEqual(self.metadata.approved, [azure.event(1)["EventId"]])
        # The agent stays out, and the journal has the hook's word.
        self.assertIn("this host is to go: leaving the installation", host.messages("-t", "ece-enroll-scale-in-azure"))
        self.assertTrue((host.tree / "var/lib/ece-enroll/left").exists())

    def test_refused_is_not_tried_again(self):
        host = self.member(SCALE_IN, azure_scale_set="metadata=%s\n" % self.metadata.url)
        self.sim.control.change_runner(runner_id=host.address, roles=["director"], blessed=["director"])
        self.metadata.change(events=[azure.event(1)])
        host.wait_for(lambda: host.property(SCALE_IN, "ActiveState") == "failed", "its end")
        self.assertEqual(host.property(SCALE_IN, "ExecMainStatus"), "64")
        self.assertTrue(self.is_member(host))
        self.assertEqual(self.metadata.approved, [])
