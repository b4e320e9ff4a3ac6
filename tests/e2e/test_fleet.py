# SPDX-License-Identifier: Apache-2.0
"""A dozen hosts at once at a coordinator that is down at first and then serves few: all become members, each asks for one token, and each request
beyond those of a healthy join is one that begins anew because another one was refused. The same with hundreds: scripts/fleet-real."""

import collections
import pathlib
import sys
import unittest

import tap
from bench import MISSING
from coordsim.process import TOKENS

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fleet-real"))

from fleetreal import Fleet, Plan, is_possible  # noqa: E402

# A probe, then a look: doc/coordinator-load.md. Who is refused begins his row again.
KINDS = {"/platform": "platform", "/platform/infrastructure/runners/": "runner", TOKENS: "mint",
         "/platform/infrastructure/blueprinter/roles/": "role", "/platform/infrastructure/allocators/": "allocator"}
ROWS = (("platform", "absent", "mint"), ("runner", "role", "allocator"))


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
        self.assertEqual(set(fleet.sim.control.state()["runners"]), {fleet.address(number) for number in range(self.plan.hosts)})
        self.account_for(fleet.sim.control.events())

    def account_for(self, events):
        answered, refused = self.counted(events)
        self.assertGreater(sum(refused.values()), 0, "nobody was refused: this was no crowd")
        for row in ROWS:
            self.assertEqual(answered[row[-1]], self.plan.hosts, (row, answered))
            for kind, following in zip(row, row[1:]):
                self.assertEqual(answered[kind], answered[following] + refused[following], (kind, answered, refused))

    @staticmethod
    def counted(events):
        """How often each kind was answered, and refused. Until its host has joined, a runner is looked for as one that is absent."""
        joined, answered, refused = set(), collections.Counter(), collections.Counter()
        for event in events:
            if event["event"] == "join":
                joined.add(event["runner_id"])
            if event["event"] != "request":
                continue
            path = event["path"].removeprefix("/api/v1")
            directory, _, last = path.rpartition("/")
            kind = KINDS.get(path) or KINDS[directory + "/"]
            if kind == "runner" and last not in joined:
                kind = "absent"
            (refused if event["status"] == 429 else answered)[kind] += 1
        return answered, refused


if __name__ == "__main__":
    tap.main()
