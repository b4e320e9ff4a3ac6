# SPDX-License-Identifier: Apache-2.0
"""A reboot, and a power cut, in every state of the agent: the host is enrolled all the same when it is up again.

After both nothing is left of agent, keeper, engine and installer but what is on the disk. The reboot is an orderly one: systemd
stops the agent in that state, and who can't be stopped is killed in the end. In a power cut everything ends at once
(kill -9 of all of the host); that the disk loses what was not synced is shown by tests/reliability/power*.py.
Without --full the power is cut in every state, and rebooted is in those in which systemd has something to stop.
"""

import scenarios
from machinetest import MachineTest
from stations import STATIONS, Enrolled, Installing, Loading, Settling, Verifying

STOPPED = (Loading, Installing, Settling, Verifying, Enrolled)


class InEveryState(MachineTest):
    crowd = True
    limit_s = 600

    def reboot(self, station) -> str:
        station.lead()
        station.host.order_reboot()
        station.leaving()
        station.host.wait_down()
        return self.second_boot(station, "STOPPING")

    def power_cut(self, station) -> str:
        station.lead()
        station.host.cut()
        return self.second_boot(station, station.state if station.is_told else None)

    def second_boot(self, station, last_told) -> str:
        """last_told: of the first boot's journal, by which the two kinds of end are told apart."""
        host = station.host
        self.assertEqual([states[-1] for states in host.boots()], [last_told] if last_told else [])
        station.release()
        host.boot()
        self.wait_enrolled(host)
        seen = self.verdict(host, station.sim)
        scenarios.note(host.tale())
        host.close()
        return seen

    def play(self, what, run, kinds):
        stations = [kind(self) for kind in kinds]
        scenarios.play(self, [scenarios.Scenario("%s in %s" % (what, station.state), station.expected,
                                                 lambda station=station: run(station)) for station in stations])

    def test_reboot(self):
        self.play("reboot", self.reboot, STATIONS if scenarios.FULL else STOPPED)

    def test_power_cut(self):
        self.play("power cut", self.power_cut, STATIONS)
