# SPDX-License-Identifier: Apache-2.0
"""First boot of a host that does not even carry the package: cloud-init installs it, from one file or from a repository of packages."""

import hashlib
import unittest

from cloudhost import CloudMachine
from cloudsim import repository
from test_package import PACKAGES, without_ours


@unittest.skipUnless(PACKAGES, "needs build/packages/ece-enroll_*.deb (scripts/package deb)")
@unittest.skipIf(repository.missing(), repository.missing() or "")
class CloudInitPackage(CloudMachine):
    def setUp(self):
        super().setUp()
        self.repository = repository.Repository(PACKAGES[-1])
        self.addCleanup(self.repository.close)

    def stock(self, name, **replaced):
        """A host of an image that knows nothing of this package; its own sources of packages are out of reach, and so it has none."""
        host = without_ours(self.image("NoCloud, None"))
        for path in (host.tree / "etc/apt/sources.list.d").iterdir():
            path.unlink()
        self.token = self.mint()
        host.write("var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-1\n")
        host.write("var/lib/cloud/seed/nocloud/user-data", self.example(name, THE_ROLES_TOKEN=self.token, **replaced), 0o600)
        self.server = self.secure(host, self.repository)
        return host

    def assertInstalled(self, host) -> None:
        self.assertJoined(host, "DataSourceNoCloud")
        self.assertIn("ok installed", host.run("dpkg-query", "--show", "--showformat=${Status}", "ece-enroll")[1])
        self.assertNotToBeSeen(host, self.token)
        self.assertModes(host, token=0o400)

    def assertNotInstalled(self, host) -> None:
        """And cloud-init says so."""
        host.boot()
        result = host.path("/run/cloud-init/result.json")
        host.wait_for(result.exists, "the end of cloud-init")
        self.assertNotIn('"errors": []', result.read_text())
        self.assertFalse(host.path("/usr/sbin/ece-enrolld").exists())

    def test_from_a_file(self):
        digest = hashlib.sha256(PACKAGES[-1].read_bytes()).hexdigest()
        self.assertInstalled(self.stock("package-file", THE_SHA_256_SUM=digest))

    def test_not_from_another_file(self):
        self.assertNotInstalled(self.stock("package-file", THE_SHA_256_SUM=hashlib.sha256(b"another").hexdigest()))
        self.assertIn("/ece-enroll.deb", [request.path for request, _ in self.server.seen])

    def test_from_a_repository(self):
        self.assertInstalled(self.stock("package-apt", THE_PUBLIC_KEY=self.key_lines()))

    def test_not_from_a_repository_of_somebody_else(self):
        """Signed, but not with the key that the host was given."""
        key = self.key_lines()
        other = repository.Repository(PACKAGES[-1])
        self.addCleanup(other.close)
        self.repository.files = other.files
        self.assertNotInstalled(self.stock("package-apt", THE_PUBLIC_KEY=key))
        self.assertIn("/debian/dists/stable/InRelease", [request.path for request, _ in self.server.seen])

    def key_lines(self) -> str:
        """Into the block of the example."""
        return self.repository.public_key.strip().replace("\n", "\n      ")
