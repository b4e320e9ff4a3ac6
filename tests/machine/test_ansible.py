# SPDX-License-Identifier: Apache-2.0
"""The role of packaging/ansible, by a real Ansible, on hosts with a real systemd: what it does once, it does not do twice."""

import json
import os
import re
import shutil
import subprocess
import unittest

import package
from bed import TESTS
from coordsim.process import TOKENS
from machinetest import MachineTest

ANSIBLE = TESTS.parent / "packaging/ansible"
# What nobody wants to wait for in a test.
HASTE = {"haste": {"retry": {"splay": "0s", "backoff": {"min": "200ms", "max": "500ms"}}, "verify": {"stable_for": "0s"}}}
AGENT = "ece-enrolld.service"


@unittest.skipUnless(shutil.which("ansible-playbook"), "needs ansible-playbook (package ansible-core)")
class Role(MachineTest):
    def bare(self, furnish=lambda host: None):
        """A host that is ready for ECE, up, and on which nothing of ours is."""
        host = self.host()
        package.remove(host)
        furnish(host)
        host.boot()
        host.wait_for(lambda: host.active("multi-user.target"), "multi-user.target")
        return host

    def token(self):
        return self.sim.ask("POST", TOKENS, {"persistent": False, "roles": ["allocator"]}, auth=self.sim.api_key()).value["token"]

    def play(self, host, *words, fails=False, **variables):
        """Plays packaging/ansible/site.yml as it stands; ({ok: N, changed: N, ...}, all that was said)."""
        with open(self.bed.top / "inventory.json", "w", encoding="utf-8") as file:
            json.dump({"ece": {"hosts": {"host": {
                "ansible_connection": "nsenter", "ansible_leader": host.leader, "ansible_become": False, "ansible_python_interpreter": "/usr/bin/python3"}}}}, file)
        (self.bed.top / "vars.json").write_text(json.dumps({
            "ece_zone": "ece-zone-1b", "ece_enroll_ca_file": str(self.bed.pki.directory / "ca.pem"), "ece_enroll_drop_ins": HASTE,
            "ece_enroll_package_file": str(package.package(self.bed)), **variables}))
        environment = {**os.environ, "ANSIBLE_HOME": str(self.bed.top / "ansible"), "ANSIBLE_CONNECTION_PLUGINS": str(TESTS / "machine/ansible"),
                       "ANSIBLE_ROLES_PATH": str(ANSIBLE / "roles"), "ANSIBLE_PIPELINING": "1", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_GATHER_SUBSET": "!all", "PYTHONDONTWRITEBYTECODE": "1"}
        said = subprocess.run(["ansible-playbook", "-i", self.bed.top / "inventory.json", "-e", "@%s" % (self.bed.top / "vars.json"), *words, ANSIBLE / "site.yml"],
                              env=environment, cwd=self.bed.top, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(said.returncode != 0, fails, said.stdout[-4000:])
        recap = re.search(r"^host +: (.*)$", said.stdout, re.MULTILINE)
        self.assertTrue(recap, said.stdout[-4000:])
        return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", recap[1])}, said.stdout

    def test_a_host_is_made_and_left_alone(self):
        host, token = self.bare(), self.token()
        before, _ = self.play(host, "--check", ece_token=token)
        self.assertGreater(before["changed"], 0)
        self.assertFalse((host.tree / "etc/ece-enroll/enroll.yaml").exists())
        self.assertFalse((host.tree / "usr/bin/ece-enroll").exists())
        _, said = self.play(host, "--diff", "-vv", ece_token=token)
        self.assertNotIn(token, said)
        self.assertEnrolls(host)
        self.assertEqual(host.status()["verified"]["by"], "local")
        secret = (host.tree / "etc/ece-enroll/credentials/ece-token").stat()
        self.assertEqual((secret.st_mode & 0o7777, secret.st_uid, secret.st_gid), (0o400, 0, 0))
        pid = host.property(AGENT, "MainPID")
        again, said = self.play(host, ece_token=token)
        self.assertEqual(again["changed"], 0, said)
        self.assertEqual(host.property(AGENT, "MainPID"), pid)
        self.assertEqual(host.property(AGENT, "UnitFileState"), "enabled")

    def test_what_has_changed(self):
        """A drop-in is read anew by an agent that goes on; a secret wants a new one."""
        host, token = self.bare(), self.token()
        self.play(host, ece_token=token)
        self.assertEnrolls(host)
        pid = host.property(AGENT, "MainPID")
        changed, said = self.play(host, ece_token=token, ece_enroll_drop_ins={**HASTE, "drift": {"verify": {"drift_every": "2h"}}})
        self.assertEqual(changed["changed"], 2, said)
        self.assertIn("RUNNING HANDLER [ece_enroll : Reload the agent]", said)
        self.assertEqual(host.property(AGENT, "MainPID"), pid)
        changed, said = self.play(host, ece_token=self.token(), ece_enroll_drop_ins_absent=["drift"])
        self.assertIn("RUNNING HANDLER [ece_enroll : Restart the agent]", said)
        self.assertNotEqual(host.property(AGENT, "MainPID"), pid)
        self.assertEqual(sorted(path.name for path in (host.tree / "etc/ece-enroll/enroll.yaml.d").iterdir()), ["haste.yaml"])

    def test_a_wrong_spec_changes_nothing(self):
        host, token = self.bare(), self.token()
        spec = host.tree / "etc/ece-enroll/enroll.yaml"
        wrong = {"version": 1, "coordinators": [self.sim.url], "host": {"rols": ["allocator"]}, "installer": {"script": "/opt/ece/elastic-cloud-enterprise.sh"}}
        self.play(host, ece_token=token)
        good = spec.read_text()
        for complaint, variables in {"did you mean 'roles'?": {"ece_enroll_spec": wrong},
                                     "retry.windows": {"ece_enroll_drop_ins": {"haste": {"retry": {"windows": "many"}}}}}.items():
            with self.subTest(complaint):
                ended, said = self.play(host, ece_token="NEW.ROLES.TOKEN", fails=True, **variables)
                self.assertIn(complaint, said)
                self.assertEqual(ended["changed"], 0, said)
                self.assertEqual(spec.read_text(), good)
                self.assertIn("splay", (host.tree / "etc/ece-enroll/enroll.yaml.d/haste.yaml").read_text())
                self.assertEqual((host.tree / "etc/ece-enroll/credentials/ece-token").read_text().strip(), token)
        self.assertEqual(list((host.path("/tmp")).glob("*ece-enroll")), [])

    def test_a_repository(self):
        host = self.bare(package.repository)
        host.run("apt-get", "update")
        token = self.token()
        self.play(host, ece_token=token, ece_enroll_package_file="")
        self.assertEnrolls(host)
        again, said = self.play(host, "--check", "--diff", ece_token=token, ece_enroll_package_file="")
        self.assertEqual(again["changed"], 0, said)
