# SPDX-License-Identifier: Apache-2.0
"""A host boots, and is enrolled when it is up."""

from machinetest import KEY, MachineTest


class Boot(MachineTest):
    def test_enrolled(self):
        host = self.host()
        host.write("etc/ece-enroll/api-key", self.key, 0o600)
        host.drop_in("credential", "LoadCredential=%s:/etc/ece-enroll/api-key" % KEY)
        self.assertEnrolls(host)
