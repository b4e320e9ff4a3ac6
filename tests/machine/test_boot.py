# SPDX-License-Identifier: Apache-2.0
"""A host boots, and is enrolled when it is up."""

from machinetest import KEY, MachineTest


class Boot(MachineTest):
    def test_enrolled(self):
        host = self.host()
        host.write("etc/ece-enroll/api-key", self.key, 0o600)
        host.drop_in("credential", "LoadCredential=%s:/etc/ece-enroll/api-key" % KEY)
        self.assertEnrolls(host)

    def test_a_spec_that_comes_later(self):
        """Nothing happens on a host without one; when it is written, the agent starts, and the target is reached."""
        host = self.host()
        (host.tree / "etc/ece-enroll/enroll.yaml").unlink()
        host.write("etc/ece-enroll/api-key", self.key, 0o600)
        host.drop_in("credential", "LoadCredential=%s:/etc/ece-enroll/api-key" % KEY)
        host.boot()
        host.wait_for(lambda: host.active("multi-user.target"), "multi-user.target")
        self.assertEqual((host.active("ece-enrolld.service"), host.status()), (False, None))
        host.path("/etc/ece-enroll/enroll.yaml").write_text(self.spec())
        self.assertEnrolls(host)

    def test_a_host_that_leaves(self):
        """The agent hears of it at once, and stays out over a reboot."""
        host = self.host()
        host.write("etc/ece-enroll/api-key", self.key, 0o600)
        host.drop_in("credential", "LoadCredential=%s:/etc/ece-enroll/api-key" % KEY)
        self.assertEnrolls(host)
        host.write("etc/ece-enroll/leave.yaml", self.spec(credential={"api_key": {"from": "file", "name": None, "path": "/etc/ece-enroll/api-key"}}))
        host.run("ece-enroll", "leave", "--yes", "--spec", "/etc/ece-enroll/leave.yaml")
        self.assertEqual(self.sim.control.state()["runners"], {})
        self.assertEqual(host.wait_status("UNCONFIGURED")["reason"]["id"], "host.left")
        self.assertFalse(host.path("/run/ece-enroll/enrolled").exists())
        host.power_off()
        host.boot()
        self.assertEqual(host.wait_status("UNCONFIGURED")["reason"]["id"], "host.left")
        self.assertEqual((self.sim.control.state()["counts"].get("mint"), self.sim.control.state()["runners"]), (1, {}))
