# SPDX-License-Identifier: Apache-2.0
"""The commands of doc/operations.md that only a host with a real systemd can show: a sealed credential, logs, JSON for Filebeat."""

import json
import pathlib
import re

from machinetest import MachineTest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "doc" / "operations.md"


def block(kind, word):
    """The one block of the page that has this word."""
    found, = (text for text in re.findall(r"^```%s\n(.*?)^```" % kind, PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL) if word in text)
    return found


class Operations(MachineTest):
    def commands(self, host, text, directory="/"):
        """Line by line, as root: [(command, what it says)]."""
        return [(line, host.run("sh", "-ec", "cd %s; %s" % (directory, line))[1]) for line in text.splitlines()]

    def enrolled_by_the_page(self):
        """A host that has been given no credential, and then is, by the page's own lines."""
        host = self.host()
        host.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        host.write("srv/new/api-key", self.key, 0o600)
        host.boot()
        self.assertEqual(host.wait_status("FAILED")["reason"]["id"], "credential.missing")
        self.commands(host, block("sh", "systemd-creds encrypt"), "/srv/new")
        host.wait_status("ENROLLED")
        return host

    def test_a_sealed_credential(self):
        host = self.enrolled_by_the_page()
        self.assertFalse(host.path("/srv/new/api-key").exists())
        self.assertNotIn(self.key, host.path("/etc/credstore.encrypted/ece-api-key").read_text())
        for command, said in self.commands(host, block("sh", "systemd-run")):
            self.assertTrue(said.strip(), command)
        told = dict(self.commands(host, block("sh", "journalctl -t ece-installer")))
        for command, said in told.items():
            if "coordinator.timeout" not in command:
                self.assertNotIn("-- No entries --", said, command)
        self.assertIn("credential.missing", next(said for command, said in told.items() if command.endswith("ECE_ENROLL_STATE=FAILED")))

    def test_logs_as_json(self):
        host = self.enrolled_by_the_page()
        lines = [line for line in block("ini", "--log-format=ecs").splitlines() if not line.startswith("#")]
        host.path("/etc/systemd/system/ece-enrolld.service.d/ecs.conf").write_text("\n".join(lines) + "\n")
        host.run("systemctl", "daemon-reload")
        host.run("systemctl", "restart", "ece-enrolld.service")
        host.wait_status("ENROLLED")

        def told():
            said = host.run("journalctl", "-q", "-o", "cat", "_SYSTEMD_UNIT=ece-enrolld.service")[1]
            return [record for record in map(json.loads, (line for line in said.splitlines() if line.startswith("{")))
                    if record.get("ece_enroll.state") == "ENROLLED"]

        record = host.wait_for(told, "a record in JSON")[-1]
        self.assertEqual((record["service.name"], record["ece_enroll.roles"]), ("ece-enrolld", "allocator"))
