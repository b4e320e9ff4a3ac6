# SPDX-License-Identifier: Apache-2.0
"""First boot from user data alone, by a real cloud-init (NoCloud): the examples as they stand, but for address and token."""

import json
import re

import package
import tftemplate
from cloudhost import EXAMPLES, HASTE, CloudMachine

NOCLOUD = "NoCloud, None"
INNER = "import sys, yaml; print('#cloud-config'); yaml.safe_dump(yaml.safe_load(open(sys.argv[1]))['autoinstall']['user-data'], sys.stdout)"


class CloudInit(CloudMachine):
    def give(self, host, user_data):
        host.write("var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-1\nlocal-hostname: host\n")
        host.write("var/lib/cloud/seed/nocloud/user-data", user_data)

    def test_they_are_valid(self):
        host = self.host()
        found = sorted(EXAMPLES.glob("cloud-init*.yaml"))
        self.assertEqual(len(found), 13)
        for path in [*found, *sorted(EXAMPLES.glob("autoinstall*.yaml"))]:
            self.schema(host, path.name, path.read_bytes())
        for name in ("ece-enroll.deb", ""):
            self.schema(host, "terraform.yaml", tftemplate.render(tftemplate.values(package=name)))
        # What Ubuntu's installer leaves for the first boot is cloud-config once more.
        inner = host.run_in_tree("python3", "-c", INNER, "/srv/autoinstall-user-data.yaml")
        self.assertIn("ssh_authorized_keys", inner)
        self.schema(host, "inner.yaml", inner)

    def schema(self, host, name, text):
        host.write("srv/" + name, text)
        self.assertIn("Valid cloud-config", host.run_in_tree("cloud-init", "schema", "--config-file", "/srv/" + name))

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
        self.assertPlays("first boot from user data, with a token", host)
        self.assertEqual(host.status()["verified"]["by"], "local")
        # But for the seed itself, which is a directory here.
        self.assertNotToBeSeen(host, token, besides=("/var/lib/cloud/seed/nocloud/user-data",))
        self.assertModes(host, token=0o400)

    def test_a_credential_of_the_image(self):
        host = self.image(NOCLOUD)
        host.write("etc/ece-enroll/api-key", self.key, 0o600)
        self.give(host, self.example("nocloud-credential"))
        self.assertJoined(host, "DataSourceNoCloud")
        self.assertPlays("first boot from user data, with a credential of the image", host)
        self.assertNotToBeSeen(host, self.key)

    def test_user_data_by_terraform(self):
        """The image knows a repository; package, secret and spec come with the user data."""
        host = self.image(NOCLOUD)
        package.remove(host)
        package.repository(host)
        host.write("etc/ece-enroll/enroll.yaml.d/haste.yaml", HASTE)
        given = tftemplate.values(token=self.mint(), package="")
        given["ca"] = json.dumps((self.bed.pki.directory / "ca.pem").read_text())
        self.give(host, tftemplate.render(given))
        self.assertJoined(host, "DataSourceNoCloud")
        self.assertEqual(host.status()["verified"]["by"], "local")
        self.assertModes(host, token=0o400)

    def by_run(self, token):
        """Booted with the one command that enrolls, in its user data; its spec has drop-ins of its own."""
        host = self.image(NOCLOUD)
        host.write("etc/ece-enroll/once.yaml.d/haste.yaml", HASTE)
        self.give(host, self.example("run", THE_ROLES_TOKEN=token))
        host.boot()
        return host

    def test_run_without_the_daemon(self):
        token = self.mint()
        host = self.by_run(token)
        self.assertCloudInitIsDone(host, "DataSourceNoCloud")
        self.assertEqual(host.status()["state"], "ENROLLED")
        self.assertIn(host.address, self.sim.control.state()["runners"])
        self.assertFalse(host.active("ece-enrolld.service"))
        self.assertFalse(host.path("/etc/ece-enroll/token").exists())
        self.assertNotToBeSeen(host, token, besides=("/var/lib/cloud/seed/nocloud/user-data",))

    def test_run_tells_cloud_init_that_it_failed(self):
        host = self.by_run("not.a.token")
        host.wait_for(host.path("/run/cloud-init/result.json").exists, "the end of cloud-init")
        self.assertIn("scripts-user", host.path("/run/cloud-init/result.json").read_text())
        self.assertTrue(host.path("/etc/ece-enroll/token").exists())
