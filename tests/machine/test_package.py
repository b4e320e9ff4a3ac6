# SPDX-License-Identifier: Apache-2.0
"""The .deb on hosts with a real systemd: installed, upgraded beside an installer at work, removed, purged."""

import pathlib
import unittest

from bed import BUILD
from machinetest import KEY, MachineTest

PACKAGES = sorted((BUILD.parent / "packages").glob("ece-enroll_*.deb"))
OURS = ("usr/bin/ece-enroll", "usr/sbin/ece-enrolld", "usr/sbin/ece-installd", "usr/libexec/ece-enroll-shim")
UNITS = ("ece-enrolld.service", "ece-enrolld.path", "ece-enrolled.path", "ece-installd.socket")


def without_ours(host):
    """A host of the bed, and what is on it of this package is taken away again."""
    host.run_in_tree("systemctl", "disable", "ece-enrolld.service")
    for path in (*OURS, *("usr/lib/systemd/system/" + unit for unit in (*UNITS, "ece-enrolled.target", "ece-installd.service"))):
        (host.tree / path).unlink()
    return host


@unittest.skipUnless(PACKAGES, "needs build/packages/ece-enroll_*.deb (scripts/package deb)")
class Package(MachineTest):
    def installed(self, **changes):
        """A host on which nothing of ours was but by the package."""
        host = without_ours(self.host(**changes))
        host.write("srv/ece-enroll.deb", PACKAGES[-1].read_bytes())
        host.write("etc/ece-enroll/api-key", self.key, 0o600)
        host.drop_in("credential", "LoadCredential=%s:/etc/ece-enroll/api-key" % KEY)
        host.run_in_tree("dpkg", "--install", "/srv/ece-enroll.deb")
        return host

    def test_installed_in_an_image(self):
        host = self.installed()
        self.assertEnrolls(host)
        for unit in UNITS:
            self.assertTrue(host.active(unit), unit)
        self.assertEqual(host.run("systemctl", "list-units", "--failed", "--no-legend", "--plain", "ece-*")[1].strip(), "")

    def test_installed_on_a_host_that_is_up(self):
        """Then the one file is dropped, and nobody logs in."""
        host = self.installed()
        spec = host.tree / "etc/ece-enroll/enroll.yaml"
        text = spec.read_text()
        spec.unlink()
        host.run_in_tree("dpkg", "--purge", "ece-enroll")
        host.boot()
        host.wait_for(lambda: host.active("multi-user.target"), "multi-user.target")
        host.run("dpkg", "--install", "/srv/ece-enroll.deb")
        self.assertEqual((host.active("ece-enrolld.service"), host.active("ece-enrolld.path")), (False, True))
        host.path("/etc/ece-enroll/enroll.yaml").write_text(text)
        self.assertEnrolls(host)

    def test_upgraded_beside_an_installer_at_work(self):
        host = self.installed()
        self.engine_holds(host)
        host.boot()
        engine = self.containers(host)
        self.assertTrue(engine.wait("start", timeout_s=60))
        before = host.property("ece-enrolld.service", "MainPID"), host.property("ece-installd.service", "MainPID")
        host.run("dpkg", "--install", "/srv/ece-enroll.deb")
        after = host.property("ece-enrolld.service", "MainPID"), host.property("ece-installd.service", "MainPID")
        self.assertNotEqual(before[0], after[0])  # the agent is the new one
        self.assertEqual(before[1], after[1])  # and the keeper was left alone
        engine.release()
        self.assertPlays("an upgrade of the package while the installer works", host)
        self.assertEqual(len(engine.events("start", "elastic-cloud-enterprise-installer")), 1)

    def test_removed_and_purged(self):
        host = self.installed()
        self.assertEnrolls(host)
        host.run("dpkg", "--remove", "ece-enroll")
        for unit in UNITS:
            self.assertFalse(host.active(unit), unit)
        self.assertFalse(host.path("/usr/sbin/ece-enrolld").exists())
        self.assertTrue(host.path("/var/lib/ece-enroll/record.json").exists())
        # It stays a member: what is on it is others' data.
        self.assertIn(host.address, self.sim.control.state()["runners"])
        host.run("dpkg", "--purge", "ece-enroll")
        for path in ("/var/lib/ece-enroll", "/var/lib/ece-installd", "/run/ece-enroll"):
            self.assertFalse(host.path(path).exists(), path)
        self.assertTrue(host.path("/etc/ece-enroll/enroll.yaml").exists())
        self.assertTrue(any(pathlib.Path(host.path("/mnt/data/elastic")).iterdir()))
