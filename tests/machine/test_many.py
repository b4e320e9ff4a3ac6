# SPDX-License-Identifier: Apache-2.0
"""Hosts that are switched on in the same moment and join the same installation: each once, with a token of its own."""

import scenarios
from machinetest import MachineTest


class AtOnce(MachineTest):
    crowd = True
    limit_s = 300

    def enroll(self, hosts, platform) -> str:
        for host in hosts:
            host.boot()
        for host in hosts:
            self.wait_enrolled(host)
        counts = platform.control.state()["counts"]
        seen = ["%d ENROLLED" % sum(host.status()["state"] == "ENROLLED" for host in hosts), "%d tokens" % counts.get("mint", 0),
                "%d installers" % sum(self.installers_started(host) for host in hosts)]
        for host in hosts:
            seen += ["%s: %s" % (host.name, fault) for fault in self.faults(host, platform)]
            scenarios.note(host.tale())
            host.close()
        return ", ".join(seen)

    def test_at_once(self):
        played = []
        for number in (2, 10):
            platform = self.platform()
            hosts = [self.furnished("many", platform) for _ in range(number)]
            played.append(scenarios.Scenario("%d hosts at once" % number, "%d ENROLLED, %d tokens, %d installers" % ((number,) * 3),
                                             lambda hosts=hosts, platform=platform: self.enroll(hosts, platform)))
        scenarios.play(self, played, at_once=1)
