# SPDX-License-Identifier: Apache-2.0
"""A dozen hosts at once at a coordinator that is down at first and then serves few: all become members, each asks for one token, and none
asks more often than what it was refused explains. The same with hundreds: scripts/fleet-real."""

import pathlib
import sys
import unittest

import tap
from bench import MISSING

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fleet-real"))

from fleetreal import Fleet, Plan, is_possible  # noqa: E402

JOIN = 6  # requests of a healthy join: doc/coordinator-load.md
AGAIN = 3  # at most so many are asked once more because one was refused: those of a token request, or of a look


@unittest.skipIf(MISSING, MISSING or "")
@unittest.skipIf(is_possible(), is_possible())
class AtOnce(unittest.TestCase):
    plan = Plan(hosts=12, boot_s=0, outage_s=1, capacity=8, splay_s=1, backoff_min_s=1, backoff_max_s=2, install_s=0.2, stable_s=0)

    def test_all_are_enrolled(self):
        fleet = Fleet(self.plan)
        self.addCleanup(fleet.close)
        fleet.play()
        for agent in fleet.agents.values():
            self.assertEqual(agent.code, 0, agent.output)
        hosts = {fleet.address(number) for number in range(self.plan.hosts)}
        self.assertEqual(set(fleet.sim.control.state()["runners"]), hosts)
        self.assertEqual(len(fleet.sim.control.events("mint")), self.plan.hosts)
        requests = fleet.sim.control.events("request")
        refused = sum(event["status"] == 429 for event in requests)
        self.assertGreater(refused, 0, "nobody was refused: this was no crowd")
        self.assertLessEqual(len(requests), self.plan.hosts * JOIN + refused * AGAIN)


if __name__ == "__main__":
    tap.main()
