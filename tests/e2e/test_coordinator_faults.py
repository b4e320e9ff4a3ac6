# SPDX-License-Identifier: Apache-2.0
"""The coordinator is odd, has another clock, or lies.

What is only a row of fault, reason and end stands in tests/reliability/fault_table.py."""

import json
import os

import tap
from bench import EndToEnd
from coordsim.process import TOKENS


class Odd(EndToEnd):
    """Uncommon, and no reason not to enroll."""

    def enrolls_with(self, *actions):
        for action in actions:
            self.fault(action)
        self.assertEnrolled(self.bench.run())

    def test_unknown_members_change_nothing(self):
        self.enrolls_with("extra-members")

    def test_chunked_and_unhurried(self):
        self.enrolls_with("chunked", "delay")

    def test_no_date(self):
        self.enrolls_with("no-date")

    def test_a_nonsensical_date(self):
        self.enrolls_with("garbage-date")

    def test_a_host_that_was_rejected_once(self):
        self.fault("reject", event="join", times=1, code="token.expired")
        outcome = self.bench.run()
        self.assertExit(outcome, 0)
        self.assertEqual(self.bench.installs(), 2)


class OtherClocks(EndToEnd):
    """exp is the platform's time; the host's wall clock has no part in it."""

    def test_ahead(self):
        self.sim.control.change_platform(offset_s=7200)
        self.assertEnrolled(self.bench.run())

    def test_behind(self):
        self.sim.control.change_platform(offset_s=-7200)
        self.assertEnrolled(self.bench.run())


class Lies(EndToEnd):
    def test_a_token_without_the_role(self):
        self.bench.write_spec(host={"roles": ["allocator", "proxy"]})
        self.fault("missing-role", path=TOKENS, role="proxy")
        outcome = self.bench.run()
        self.assertExit(outcome, 76, "token.role-missing")
        self.assertIn("proxy", outcome.output)
        self.assertUntouched(minted=1)

    def test_a_role_that_is_listed_and_not_blessed(self):
        self.bench.write_spec(verify={"timeout": "1s"})
        self.fault("no-bless", event="join")
        outcome = self.bench.run()
        self.assertExit(outcome, 76, "verify.role-not-blessed")
        self.assertIn("allocator", outcome.output)
        self.assertEqual(self.bench.installs(), 1)

    def test_an_extra_role_is_reported(self):
        self.fault("extra-role", path=TOKENS, role="proxy")
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertIn("proxy", outcome.output + json.dumps(outcome.status))

    def test_a_token_that_would_run_code(self):
        loot = self.bench.top / "loot"
        self.fault("token-text", path=TOKENS, value="a.b';touch${IFS}%s;'.c" % loot)
        self.assertExit(self.bench.run(), 78, "token.malformed")
        self.assertEqual((self.bench.installs(), loot.exists()), (0, False))

    def test_a_version_that_would_run_code(self):
        loot = self.bench.top / "loot"
        self.fault("edit", path="/platform$", set={"version": "a[$(touch %s)].1.1" % loot})
        self.bench.write_spec(give_up_after="2s")
        self.assertExit(self.bench.run(), 69, "coordinator.reply-unusable")
        self.assertUntouched()
        self.assertFalse(loot.exists())

    def test_the_platforms_own_secrets_are_told_to_nobody(self):
        self.bench.write_spec(host={"roles": ["allocator", "proxy"]})
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        secret = self.sim.credentials["secret_in_roles"].encode()
        self.assertNotIn(secret, outcome.output.encode())
        for directory in (self.bench.state, self.bench.runtime):
            for where, _, names in os.walk(directory):
                for name in names:
                    path = os.path.join(where, name)
                    if os.path.isfile(path):
                        with open(path, "rb") as file:
                            self.assertNotIn(secret, file.read(), path)


if __name__ == "__main__":
    tap.main()
