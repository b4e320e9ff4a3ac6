# SPDX-License-Identifier: Apache-2.0
"""What the agent says in the journal: each thing once, or less and less often; the installer under a name of its own; all of it explained.

The journal is the test's own, so that records are seen as they are sent, with all their fields.
"""

import collections
import os
import pathlib
import re
import unittest

import tap
from bench import TESTS, EndToEnd
from journal_ear import Journal

CATALOG = pathlib.Path(TESTS.parent / "etc/catalog/ece-enroll.catalog").read_text()
EXPLAINED = set(re.findall(r"^-- ([0-9a-f]{32})$", CATALOG, re.MULTILINE))
INSTALLER_LINE = "f9dfd4ba2ecd49fabc8cdf21ce535c83"


@unittest.skipUnless(os.getuid() == 0, "a journal of its own needs a mount namespace")
class Journalled(EndToEnd):
    def setUp(self):
        super().setUp()
        self.journal = Journal(self.bench.top / "journal")

    def daemon(self):
        self.bench.socket_unit()
        return self.bench.daemon(prefix=self.journal.prefix)

    def stop(self, agent):
        agent.terminate()
        self.assertEqual(agent.wait(20), 0)

    def said(self, **fields):
        return [record["MESSAGE"] for record in self.journal.records if all(record.get(name) == value for name, value in fields.items())]

    def assertNothingTwice(self):
        often = {text: n for text, n in collections.Counter(self.said()).items() if n > 1}
        self.assertEqual(often, {}, self.said())


class Waiting(Journalled):
    def connections(self, count):
        self.assertTrue(self.sim.control.wait("connect", count=count, timeout_s=60), self.bench.status())

    def test_at_a_gate_that_stays_shut(self):
        """Looked at every few seconds; the sentence has the time of day in it, which is another at each look."""
        self.fault("connect-tls", event="connect", leaf="expired")
        agent = self.daemon()
        self.bench.wait_gate("time", "shut")
        self.bench.wait_for(lambda: self.bench.status()["reason"])
        texts = {self.bench.status()["reason"]["text"]}
        self.bench.wait_for(lambda: texts.add(self.bench.status()["reason"]["text"]) or len(texts) > 2)
        self.connections(8)
        self.assertEqual(self.bench.status()["state"], "PREFLIGHT")
        self.assertEqual(len(self.said(ECE_ENROLL_REASON="coordinator.tls-expired")), 1, self.said())
        self.assertNothingTwice()
        self.stop(agent)

    def test_round_and_round(self):
        """A round is a pause, a look at the gates and a refusal; it takes 100 ms here and a minute in real life."""
        self.fault("status", status=503)
        self.bench.write_spec(retry={"give_up_after": "1h"})
        agent = self.daemon()
        self.assertTrue(self.sim.control.wait("request", count=40, timeout_s=60), self.bench.status())
        rounds = len(self.sim.requests())
        self.assertGreaterEqual(rounds, 32)
        refusals = self.said(ECE_ENROLL_REASON="coordinator.server-error", ECE_ENROLL_STATE="BACKOFF")
        times = [re.search(r"\((\d+) times so far\)$", text) for text in refusals]
        self.assertEqual([int(found[1]) if found else 1 for found in times], [2 ** n for n in range(len(refusals))])
        self.assertGreaterEqual(2 ** len(refusals), rounds)
        self.assertNothingTwice()
        # What is new is told at once, and each time anew.
        self.sim.control.clear_faults()
        self.bench.wait_status("ENROLLED")
        self.bench.wait_for(lambda: self.said(ECE_ENROLL_STATE="ENROLLED"))
        self.stop(agent)

    def test_each_installer_is_told(self):
        """They are few, and each is news."""
        self.engine.behave({"exit": 1}, {"exit": 1}, {"exit": 1})
        agent = self.daemon()
        self.bench.wait_status("ENROLLED")
        self.bench.wait_for(lambda: self.said(ECE_ENROLL_STATE="ENROLLED"))
        self.assertEqual(len(self.said(ECE_ENROLL_STATE="INSTALLING")), 4)
        self.assertEqual(len(self.said(ECE_ENROLL_STATE="BACKOFF", ECE_ENROLL_REASON="installer.installation-failed")), 3)
        self.stop(agent)

    def test_a_gate_that_is_shut_again(self):
        """After a new spec it is worth a line again."""
        self.bench.storage.rmdir()
        agent = self.daemon()
        for n in (1, 2):
            self.bench.wait_for(lambda: len(self.said(ECE_ENROLL_REASON="host.storage")) == n)
            self.bench.write_spec(retry={"windows": 4})
        self.stop(agent)


class Installer(Journalled):
    def test_its_lines_have_a_name_of_their_own(self):
        self.engine.behave({"lines": ["- Pulling the moon", "- Done"]})
        agent = self.daemon()
        self.bench.wait_status("ENROLLED")
        self.bench.wait_for(lambda: self.said(ECE_ENROLL_STATE="ENROLLED"))
        self.stop(agent)
        lines = self.said(SYSLOG_IDENTIFIER="ece-installer")
        for text in ("- Pulling the moon", "- Done"):
            self.assertIn(text, lines)
        self.assertEqual(lines, self.said(MESSAGE_ID=INSTALLER_LINE))
        self.assertEqual({record["SYSLOG_IDENTIFIER"] for record in self.journal.records}, {"ece-enrolld", "ece-installer"})
        self.assertEqual({record["ECE_ENROLL_RUNNER_ID"] for record in self.journal.records if record.get("MESSAGE_ID") == INSTALLER_LINE},
                         {self.bench.status()["runner_id"]})


class Catalogue(Journalled):
    def test_what_is_said_is_explained(self):
        """Each record of the enrollment has an id, each id an entry, and what an entry quotes is there."""
        self.bench.storage.rmdir()
        self.engine.behave({"exit": 1})
        agent = self.daemon()
        self.bench.wait_for(lambda: self.said(ECE_ENROLL_REASON="host.storage"))
        self.bench.owned("data")
        self.bench.wait_status("ENROLLED")
        self.stop(agent)
        agent = self.bench.daemon(prefix=self.journal.prefix)
        self.sim.control.change_runner(runner_id=self.bench.status()["runner_id"], roles=[])
        self.bench.write_spec(verify={"timeout": "1s"})
        self.bench.wait_status("FAILED")
        self.bench.wait_for(lambda: self.said(ECE_ENROLL_STATE="FAILED"))
        self.stop(agent)
        entries = dict(zip(re.findall(r"^-- ([0-9a-f]{32})$", CATALOG, re.MULTILINE), re.split(r"^-- .*$", CATALOG, flags=re.MULTILINE)[1:]))
        seen = set()
        for record in self.journal.records:
            if "ECE_ENROLL_STATE" not in record and "MESSAGE_ID" not in record:
                continue
            seen.add(record["MESSAGE_ID"])
            for name in re.findall(r"@([A-Z_]+)@", entries[record["MESSAGE_ID"]]):
                self.assertTrue(record.get(name), (name, record))
        self.assertEqual(seen, EXPLAINED)


if __name__ == "__main__":
    tap.main()
