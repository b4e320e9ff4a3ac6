# SPDX-License-Identifier: Apache-2.0
"""Hosts that a cloud boots from an image and user data alone, by a real cloud-init: what the tests of the examples share."""

import json
import os
import pathlib
import stat

from bed import COORDINATOR, METADATA, STORES
from cloudsim.dhcp import Dhcp
from cloudsim.web import Web
from coordsim.pki import Pki
from coordsim.process import TOKENS
from machinetest import MachineTest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "etc/examples"
# One datasource, so that cloud-init takes it without looking at the machine:
# https://docs.cloud-init.io/en/latest/reference/datasources.html
CONFIGURATION = "datasource_list: [%s]\nnetwork: {config: disabled}\nlocale: false\n"
# What nobody wants to wait for in a test; a drop-in of the image.
HASTE = "retry: {splay: 0s, backoff: {min: 200ms, max: 500ms}}\nverify: {stable_for: 0s}\n"
# A container has no firmware of its own, and cloud-init asks it for none. So the one function that would read it is told what it says.
DMI = "\n\ndef read_dmi_data(key):\n    return %r.get(key)\n"
DMI_MODULE = "usr/lib/python3/dist-packages/cloudinit/dmi.py"
# nspawn shows a container the network devices of the place that it was started from; cloud-init, which looks for a card before there is
# a network, has to see the host's own.
CARDS = """[Service]
ExecStartPre=/bin/sh -ec 'mkdir /run/sysfs; mount -t sysfs none /run/sysfs; for it in class/net devices/virtual/net; do \
mount --bind /run/sysfs/$$it /sys/$$it; done; umount -l /run/sysfs'
"""
RESULT = "/run/cloud-init/result.json"
TRUSTED = "etc/ssl/certs/ca-certificates.crt"
# Where cloud-init writes, and where its examples do.
ITS_FOLDERS = ("/etc", "/run/cloud-init", "/var/lib/cloud", "/var/lib/waagent", "/var/log")


class CloudMachine(MachineTest):
    def image(self, datasource, dmi=None):
        """A host that carries everything but what makes it this one."""
        host = self.host()
        for path in ("etc/ece-enroll/enroll.yaml", "etc/cloud/cloud-init.disabled"):
            (host.tree / path).unlink()
        host.run_in_tree("systemctl", "disable", "ece-enrolld.service")
        host.write("etc/cloud/cloud.cfg.d/99-bed.cfg", CONFIGURATION % datasource)
        host.write("etc/ece-enroll/enroll.yaml.d/haste.yaml", HASTE)
        host.write("etc/systemd/system/cloud-init-local.service.d/cards.conf", CARDS)
        # Nobody answers; with the machine's own servers in there, whoever asks would wait.
        host.write("etc/resolv.conf", "")
        if dmi:
            host.write(DMI_MODULE, (host.tree / DMI_MODULE).read_text() + DMI % dmi)
        return host

    def mint(self) -> str:
        """As whoever starts a host would, elsewhere."""
        return self.sim.ask("POST", TOKENS, {"persistent": False, "roles": ["allocator"]}, auth=self.sim.api_key()).value["token"]

    def example(self, name, **replaced) -> str:
        """As it stands, but for what each host has to fill in."""
        text = (EXAMPLES / ("cloud-init-%s.yaml" % name)).read_text(encoding="utf-8").replace("https://192.0.2.10:12443", self.sim.url)
        for old, new in replaced.items():
            old = old.replace("_", "." if "TOKEN" in old else "-")
            self.assertIn(old, text)
            text = text.replace(old, new)
        return text

    # What is around it

    def web(self, *words, **options) -> Web:
        web = Web(*words, **options)
        self.addCleanup(web.close)
        return web

    def dhcp(self, host, further=None) -> Dhcp:
        """Before a network is set up there is only this."""
        dhcp = Dhcp("wire", COORDINATOR, host.address, further)
        self.addCleanup(dhcp.close)
        return dhcp

    def secure(self, host, service):
        """A service with TLS at STORES, for the names that it knows; the host trusts its authority, as it does a public one."""
        names = sorted(service.names)
        pki = Pki(self.bed.top / ("pki-of-" + names[0]), STORES, names)
        host.write("etc/hosts", "127.0.0.1 localhost\n%s metadata.google.internal\n%s %s\n" % (METADATA, STORES, " ".join(names)))
        host.write(TRUSTED, (host.tree / TRUSTED).read_bytes() + pki.ca.read_bytes())
        return self.web((STORES, 443), service, tls=(pki.chain, pki.key))

    # What is to be seen

    def assertCloudInitIsDone(self, host, datasource) -> None:
        result = host.path(RESULT)
        host.wait_for(result.exists, "the end of cloud-init")
        said = json.loads(result.read_text())["v1"]
        self.assertEqual(said["errors"], [])
        self.assertTrue(said["datasource"].startswith(datasource), said)

    def assertJoined(self, host, datasource) -> None:
        """Seen from outside, with its one role. cloud-init ends first: its last command may start the agent anew."""
        host.boot()
        self.assertCloudInitIsDone(host, datasource)
        host.wait_status("ENROLLED")
        self.assertEnrolls(host)
        self.assertEqual(self.sim.control.state()["runners"][host.address]["roles"], ["allocator"])

    def files(self, host):
        """(path, mode, content) of each file in its folders."""
        for folder in ITS_FOLDERS:
            for at, _, names in os.walk(host.path(folder)):
                for name in names:
                    path = pathlib.Path(at, name)
                    about = path.lstat()
                    if stat.S_ISREG(about.st_mode):
                        yield "/" + str(path.relative_to(host.path("/"))), stat.S_IMODE(about.st_mode), path.read_bytes()

    def assertNotToBeSeen(self, host, *secrets, besides=()) -> None:
        """In no file that everybody may read, and in no log and journal at all."""
        wanted = [secret.encode() for secret in secrets]
        self.assertTrue(all(wanted))
        for path, mode, content in self.files(host):
            if path not in besides and (mode & 0o044 or path.startswith("/var/log/")):
                self.assertFalse([secret for secret in wanted if secret in content], "%s, %o" % (path, mode))
        words = host.messages()
        self.assertFalse([secret for secret in secrets if secret in words])

    def assertModes(self, host, **modes) -> None:
        """Root's, and with these modes; names below /etc/ece-enroll."""
        for name, mode in {"enroll.yaml": 0o644, **modes}.items():
            about = host.path("/etc/ece-enroll/" + name.replace("_", "-")).lstat()
            self.assertEqual((about.st_uid, "%o" % stat.S_IMODE(about.st_mode)), (0, "%o" % mode), name)
        # What cloud-init keeps of user data.
        for path, mode, _ in self.files(host):
            if path.endswith(("/user-data.txt", "/user-data.txt.i", "/cloud-config.txt")):
                self.assertFalse(mode & 0o077, "%s, %o" % (path, mode))
