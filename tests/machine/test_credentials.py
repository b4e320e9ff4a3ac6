# SPDX-License-Identifier: Apache-2.0
"""Every way in which systemd hands a credential to the agent, each with a host that enrolls by it.

What comes with the machine (a container's manager, the firmware of a virtual machine) is a credential of the first
process, which the unit inherits by its name; so is what lies in a credstore. Nobody has to write a drop-in for those.
"""

import subprocess
import tempfile

from machinetest import KEY, TOKEN, MachineTest


class Credentials(MachineTest):
    def assertNotInUnit(self, host):
        """Everybody may read a unit and its properties."""
        self.assertNotIn(self.key, host.run("systemctl", "cat", "ece-enrolld.service")[1])
        self.assertNotIn(self.key, host.run("systemctl", "show", "ece-enrolld.service")[1])

    def test_load(self):
        host = self.host()
        host.write("etc/ece-enroll/api-key", self.key, 0o600)
        host.drop_in("credential", "LoadCredential=%s:/etc/ece-enroll/api-key" % KEY)
        self.assertEnrolls(host)
        self.assertNotInUnit(host)

    def test_credstore(self):
        host = self.host()
        host.write("etc/credstore/" + KEY, self.key, 0o600)
        self.assertEnrolls(host)
        self.assertNotInUnit(host)

    def encrypted(self, host, *options):
        """By the host's own key, which is made on the host; the root file system is the one that it will boot from."""
        with tempfile.NamedTemporaryFile("w", prefix="credential-", dir=host.top) as file:
            file.write(self.key)
            file.flush()
            return subprocess.run(["chroot", host.tree, "systemd-creds", "encrypt", "--with-key=host", "--name=" + KEY, *options,
                                   "-", "-"], stdin=open(file.name, "rb"), capture_output=True, text=True, check=True).stdout

    def test_load_encrypted(self):
        host = self.host()
        host.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        host.write("etc/credstore.encrypted/" + KEY, self.encrypted(host))
        host.drop_in("credential", "LoadCredentialEncrypted=%s" % KEY)
        self.assertEnrolls(host)
        self.assertNotInUnit(host)
        # The secret lies nowhere in the clear: neither in what the host has written nor in what it was given.
        found = subprocess.run(["grep", "-rlF", self.key, host.top / "own"], capture_output=True, text=True, check=False)
        self.assertEqual(found.stdout, "")

    def test_set_encrypted(self):
        host = self.host()
        host.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        host.drop_in("credential", self.encrypted(host, "--pretty").replace("\\\n", "\\\n").strip())
        self.assertEnrolls(host)
        self.assertNotInUnit(host)

    def test_set(self):
        """It works, and everybody can read it: enroll.yaml(5) says so."""
        host = self.host()
        host.drop_in("credential", "SetCredential=%s:%s" % (KEY, self.key))
        self.assertEnrolls(host)
        self.assertIn(self.key, host.run("systemctl", "cat", "ece-enrolld.service")[1])

    def test_of_the_machine(self):
        """As nspawn passes them; for a virtual machine systemd reads the same from SMBIOS or fw_cfg into the same place."""
        path = self.bed.top / "key"
        path.write_text(self.key)
        path.chmod(0o600)
        host = self.host(nspawn=["--load-credential=%s:%s" % (KEY, path)])
        self.assertEnrolls(host)
        self.assertNotInUnit(host)
        self.assertEqual(host.run("systemd-creds", "--system", "cat", KEY)[1].strip(), self.key)

    def test_token_of_the_machine(self):
        """A host without any credential of the platform: what it has is one token for one hour."""
        token = self.sim.ask("POST", "/platform/configuration/security/enrollment-tokens",
                             {"persistent": False, "roles": ["allocator"]}, self.sim.api_key()).value["token"]
        path = self.bed.top / "token"
        path.write_text(token)
        path.chmod(0o600)
        host = self.host(nspawn=["--load-credential=%s:%s" % (TOKEN, path)], credential=None,
                         token={"source": "credential", "name": TOKEN}, verify={"by": "local"})
        self.assertEnrolls(host)

    def test_none(self):
        """No credential at all: the unit starts all the same, and says what is wrong and what to do."""
        host = self.host()
        host.boot()
        status = host.wait_status("FAILED")
        self.assertEqual(status["reason"]["id"], "credential.missing")
        self.assertTrue(host.active("ece-enrolld.service"))
        self.assertIn("LoadCredential", host.messages("-u", "ece-enrolld.service"))
