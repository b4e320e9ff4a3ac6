# SPDX-License-Identifier: Apache-2.0
"""What the tests of whole hosts share: a platform, and hosts that want to join it."""

import json
import unittest

import bed
from bed import COORDINATOR, JOIN_PORT, PORT
from bench import merged, yaml
from coordsim.process import SimProcess
from enginesim.client import Bench as Engine
from host import Host

KEY, TOKEN = "ece-api-key", "ece-token"
MISSING = bed.missing()


@unittest.skipIf(MISSING, MISSING or "")
class MachineTest(unittest.TestCase):
    """A fresh platform for each test. Hosts are made by the test, and boot when it says so."""

    def setUp(self):
        self.bed = bed.bed()
        self.sim = SimProcess(self.bed.top / ("platform-" + self.id()), "--listen", "%s:%d" % (COORDINATOR, PORT),
                              "--join", "%s:%d" % (COORDINATOR, JOIN_PORT), pki=self.bed.pki.directory)
        self.addCleanup(self.sim.close)
        self.key = self.sim.credentials["api_key"]

    def spec(self, **changes) -> str:
        """What an administrator would write, in a hurry: nothing is waited for but what has to be."""
        return "\n".join(yaml(merged({
            "version": 1,
            "coordinators": [self.sim.url],
            "trust": {"ca_file": "/etc/ece-enroll/coordinator-ca.pem"},
            "credential": {"api_key": {"from": "credential", "name": KEY}},
            "host": {"roles": ["allocator"], "availability_zone": "ece-zone-1b"},
            "installer": {"script": "/opt/ece/elastic-cloud-enterprise.sh", "user": "elastic", "attempt_timeout": "60s"},
            "retry": {"splay": "0s", "backoff": {"min": "200ms", "max": "500ms"}, "give_up_after": "2m"},
            "verify": {"timeout": "30s", "stable_for": "0s"}}, changes))) + "\n"

    def host(self, name="host", nspawn=(), **changes) -> Host:
        host = Host(name, nspawn)
        self.addCleanup(host.close)
        host.write("etc/ece-enroll/enroll.yaml", self.spec(**changes))
        return host

    @staticmethod
    def engine_holds(host) -> None:
        """Before the boot: the first installer waits for containers(host).release()."""
        host.write("var/lib/engine/behaviour.json", json.dumps({"runs": [{"hold": True}], "rest": {}}))

    @staticmethod
    def containers(host):
        """The host's engine, asked from outside, as soon as it is up."""
        path = host.path("/run/docker.sock")
        host.wait_for(path.is_socket, "the engine's socket")
        return Engine(str(path), timeout=60)

    def assertEnrolls(self, host) -> None:
        """Boots it; reached is the target that other units wait for, and the journal says so, too."""
        if not host.process:
            host.boot()
        try:
            host.wait_for(lambda: host.active("ece-enrolled.target"), "ece-enrolled.target")
        except AssertionError as error:
            self.fail(error)
        self.assertEqual(host.status()["state"], "ENROLLED")
        self.assertIn(host.address, self.sim.control.state()["runners"])
        self.assertEqual(self.sim.control.state()["counts"].get("mint", 0), 1)
