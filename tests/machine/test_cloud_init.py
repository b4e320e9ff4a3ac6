# SPDX-License-Identifier: Apache-2.0
"""First boot from user data alone, by a real cloud-init (NoCloud): the examples as they stand, but for address and token."""

import json
import pathlib

from coordsim.process import TOKENS
import package
import tftemplate
from machinetest import MachineTest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "etc/examples"
CONFIGURATION = "datasource_list: [NoCloud, None]\nnetwork: {config: disabled}\nlocale: false\n"
INNER = "import sys, yaml; print('#cloud-config'); yaml.safe_dump(yaml.safe_load(open(sys.argv[1]))['autoinstall']['user-data'], sys.stdout)"
# What nobody wants to wait for in a test; a drop-in of the image.
HASTE = "retry: {splay: 0s}\nverify: {stable_for: 0s}\n"


class CloudInit(MachineTest):
    def image(self):
        """A host that carries everything but what makes it this one."""
        host = self.host()
        for path in ("etc/ece-enroll/enroll.yaml", "etc/cloud/cloud-init.disabled"):
            (host.tree / path).unlink()
        host.run_in_tree("systemctl", "disable", "ece-enrolld.service")
        host.write("etc/cloud/cloud.cfg.d/99-bed.cfg", CONFIGURATION)
        host.write("etc/ece-enroll/enroll.yaml.d/haste.yaml", HASTE)
        return host

    def give(self, host, user_data):
        host.write("var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-1\nlocal-hostname: host\n")
        host.write("var/lib/cloud/seed/nocloud/user-data", user_data)

    def example(self, name, **replaced):
        text = (EXAMPLES / name).read_text(encoding="utf-8").replace("https://192.0.2.10:12443", self.sim.url)
        for old, new in replaced.items():
            self.assertIn(old.replace("_", "."), text)
            text = text.replace(old.replace("_", "."), new)
        return text

    def test_they_are_valid(self):
        host = self.host()
        for path in sorted([*EXAMPLES.glob("cloud-init*.yaml"), *EXAMPLES.glob("autoinstall*.yaml")]):
            self.schema(host, path.name, path.read_bytes())
        for package in ("ece-enroll.deb", ""):
            self.schema(host, "terraform.yaml", tftemplate.render(tftemplate.values(package=package)))
        # What Ubuntu's installer leaves for the first boot is cloud-config once more.
        inner = host.run_in_tree("python3", "-c", INNER, "/srv/autoinstall-user-data.yaml")
        self.assertIn("ssh_authorized_keys", inner)
        self.schema(host, "inner.yaml", inner)

    def schema(self, host, name, text):
        host.write("srv/" + name, text)
        self.assertIn("Valid cloud-config", host.run_in_tree("cloud-init", "schema", "--config-file", "/srv/" + name))

    def test_a_token_that_was_minted_before(self):
        """Nothing on the host can harm the platform: it holds no credential of it."""
        answer = self.sim.ask("POST", TOKENS, {"persistent": False, "roles": ["allocator"]}, auth=self.sim.api_key())
        host = self.image()
        self.give(host, self.example("cloud-init-token.yaml", THE_ROLES_TOKEN=answer.value["token"]))
        self.assertPlays("first boot from user data, with a token", host)
        self.assertEqual(host.status()["verified"]["by"], "local")

    def test_user_data_by_terraform(self):
        """The image knows a repository; package, secret and spec come with the user data."""
        answer = self.sim.ask("POST", TOKENS, {"persistent": False, "roles": ["allocator"]}, auth=self.sim.api_key())
        host = self.image()
        package.remove(host)
        package.repository(host)
        host.write("etc/ece-enroll/enroll.yaml.d/haste.yaml", HASTE)
        given = tftemplate.values(token=answer.value["token"], package="")
        given["ca"] = json.dumps((self.bed.pki.directory / "ca.pem").read_text())
        self.give(host, tftemplate.render(given))
        self.assertEnrolls(host)
        self.assertEqual(host.status()["verified"]["by"], "local")
        self.assertEqual((host.tree / "etc/ece-enroll/token").stat().st_mode & 0o7777, 0o400)

    def test_a_credential_of_the_image(self):
        host = self.image()
        host.write("etc/ece-enroll/api-key", self.key, 0o600)
        self.give(host, self.example("cloud-init.yaml"))
        self.assertPlays("first boot from user data, with a credential of the image", host)

    def test_run_without_the_daemon(self):
        host = self.image()
        host.write("etc/ece-enroll/api-key", self.key, 0o600)
        host.run_in_tree("systemctl", "mask", "ece-enrolld.service")  # or both would be at work with it
        host.write("etc/ece-enroll/enroll.yaml", self.spec(credential={"api_key": {"from": "file", "name": None, "path": "/etc/ece-enroll/api-key"}}))
        self.give(host, "#cloud-config\nruncmd:\n  - [ece-enroll, run]\n")
        host.boot()
        host.wait_for(lambda: (host.status() or {}).get("state") == "ENROLLED", "the end of the run")
        self.assertFalse(host.active("ece-enrolld.service"))
        result = host.path("/run/cloud-init/result.json")
        host.wait_for(result.exists, "the end of cloud-init")
        self.assertEqual(json.loads(result.read_text())["v1"]["errors"], [])
