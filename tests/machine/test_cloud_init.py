# SPDX-License-Identifier: Apache-2.0
"""First boot from user data alone, by a real cloud-init (NoCloud): the examples as they stand, but for address and token."""

import re

from cloudhost import EXAMPLES, CloudMachine

NOCLOUD = "NoCloud, None"


class CloudInit(CloudMachine):
    def give(self, host, user_data):
        host.write("var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-1\nlocal-hostname: host\n")
        host.write("var/lib/cloud/seed/nocloud/user-data", user_data)

    def test_they_are_valid(self):
        host = self.host()
        found = sorted(EXAMPLES.glob("cloud-init*.yaml"))
        self.assertEqual(len(found), 13)
        for path in found:
            host.write("srv/" + path.name, path.read_bytes())
            said = host.run_in_tree("cloud-init", "schema", "--config-file", "/srv/" + path.name)
            self.assertIn("Valid cloud-config", said)

    def test_the_clouds_differ_in_their_comments_alone(self):
        """One way to hand over a token, whatever the cloud."""
        bodies = {re.sub(r"\A(#.*\n)+", "", path.read_text(encoding="utf-8")) for path in EXAMPLES.glob("cloud-init-*-token.yaml")}
        self.assertEqual(len(bodies), 1)

    def test_a_token_that_was_minted_before(self):
        """Nothing on the host can harm the platform: it holds no credential of it."""
        token = self.mint()
        host = self.image(NOCLOUD)
        self.give(host, self.example("nocloud-token", THE_ROLES_TOKEN=token))
        self.assertJoined(host, "DataSourceNoCloud")
        self.assertEqual(host.status()["verified"]["by"], "local")
        # But for the seed itself, which is a directory here.
        self.assertNotToBeSeen(host, token, besides=("/var/lib/cloud/seed/nocloud/user-data",))
        self.assertModes(host, token=0o400)

    def test_a_credential_of_the_image(self):
        host = self.image(NOCLOUD)
        host.write("etc/ece-enroll/api-key", self.key, 0o600)
        self.give(host, self.example("nocloud-credential"))
        self.assertJoined(host, "DataSourceNoCloud")
        self.assertNotToBeSeen(host, self.key)

    def test_run_without_the_daemon(self):
        token = self.mint()
        host = self.image(NOCLOUD)
        host.write("etc/ece-enroll/once.yaml.d/haste.yaml", (host.tree / "etc/ece-enroll/enroll.yaml.d/haste.yaml").read_text())
        self.give(host, self.example("run", THE_ROLES_TOKEN=token))
        host.boot()
        self.assertCloudInitIsDone(host, "DataSourceNoCloud")
        self.assertEqual(host.status()["state"], "ENROLLED")
        self.assertIn(host.address, self.sim.control.state()["runners"])
        self.assertFalse(host.active("ece-enrolld.service"))
        self.assertFalse(host.path("/etc/ece-enroll/token").exists())
        self.assertNotToBeSeen(host, token, besides=("/var/lib/cloud/seed/nocloud/user-data",))

    def test_run_tells_cloud_init_that_it_failed(self):
        host = self.image(NOCLOUD)
        self.give(host, self.example("run", THE_ROLES_TOKEN="not.a.token"))
        host.boot()
        host.wait_for(host.path("/run/cloud-init/result.json").exists, "the end of cloud-init")
        self.assertIn("scripts-user", host.path("/run/cloud-init/result.json").read_text())
        self.assertTrue(host.path("/etc/ece-enroll/token").exists())
