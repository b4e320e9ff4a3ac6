# SPDX-License-Identifier: Apache-2.0
"""packaging/terraform: the user data that it renders, its program that mints, and what its comments say of the token.

With a terraform on PATH (no distribution has one) by Terraform itself, in a folder of its own and without a provider; without one, by
tftemplate.py. Not tested: aws-autoscaling/ beyond its syntax and what it hands to the module, since its providers come from the network.
"""

import json
import os
import re
import shutil
import subprocess
import unittest

import tap
import tftemplate
from bench import EndToEnd
from coordsim import jwt
from tftemplate import CA, SHA256, TERRAFORM

HAVE = shutil.which("terraform")
# The spec, in Terraform's order and without its quotation marks.
YAML = """coordinators:
- https://192.0.2.10:12443
host:
  availability_zone: ece-zone-1b
  roles:
  - allocator
installer:
  script: /opt/ece/elastic-cloud-enterprise.sh
token:
  name: ece-token
  source: credential
trust:
  ca_file: /etc/ece-enroll/coordinator-ca.pem
verify:
  by: local
version: 1
"""
ROOT = """
variable "given" { type = any }
variable "token" {
  default   = null
  sensitive = true
}
module "hosts" {
  source            = %s
  coordinators      = ["https://192.0.2.10:12443"]
  ca_pem            = var.given.ca
  availability_zone = "ece-zone-1b"
  token             = var.token
  token_command     = try(var.given.token_command, null)
  package_url       = try(var.given.package_url, "")
  package_sha256    = try(var.given.package_sha256, "")
  spec              = try(var.given.spec, {})
}
output "user_data" {
  value     = module.hosts.user_data
  sensitive = true
}
"""


class Rendered(EndToEnd):
    """By whichever there is."""

    def validated(self, user_data):
        path = self.bench.top / "rendered.yaml"
        path.write_text(tftemplate.files(user_data)["/etc/ece-enroll/enroll.yaml"][1])
        said = subprocess.run([self.bench.programs / "ece-enroll", "validate", path], capture_output=True, text=True, env=self.bench.environment(), check=False)
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
        return path

    def test_without_terraform(self):
        for package in ("ece-enroll.deb", "ece-enroll.rpm", ""):
            for token in ("THE.ROLES.TOKEN", None):
                user_data = tftemplate.render(tftemplate.values(token, package=package))
                self.validated(user_data)
                files = tftemplate.files(user_data)
                self.assertEqual(len(files), user_data.count("- path: "))
                self.assertEqual(files.get("/etc/ece-enroll/token"), (0o400, token + "\n") if token else None)
                self.assertEqual(list(files)[-1], "/etc/ece-enroll/enroll.yaml")
                self.assertEqual("packages: [ece-enroll]" in user_data, not package)
                shell = "\n".join(re.findall(r"^  - (.*)$", user_data.partition("runcmd:")[2], re.MULTILINE))
                self.assertEqual(subprocess.run(["sh", "-n"], input=shell, text=True, check=False).returncode, 0)
                self.assertTrue(shell.startswith("set -eu\n"))

    @unittest.skipUnless(HAVE, "needs terraform")
    def test_by_terraform(self):
        """Both say the same; sensitive values are not printed, and are in the state, as the comments warn."""
        package = {"package_url": "https://mirror.example.com/ece-enroll.deb", "package_sha256": SHA256}
        said, user_data, state = self.apply("THE.ROLES.TOKEN", **package)
        self.assertNotIn("THE.ROLES.TOKEN", said)
        self.assertIn("THE.ROLES.TOKEN", state)
        self.assertEqual(self.validated(user_data).read_text().replace('"', ""), YAML)
        ours = tftemplate.render(tftemplate.values())
        without = re.compile(r'^    content: "(?:\\"coord|{).*$', re.MULTILINE)
        self.assertEqual(without.sub("", user_data), without.sub("", ours))
        self.assertEqual(tftemplate.files(user_data)["/etc/ece-enroll/coordinator-ca.pem"], (0o644, CA))

    @unittest.skipUnless(HAVE, "needs terraform")
    def test_what_is_asked_for_in_vain(self):
        for token, given, complaint in ((None, {}, "Exactly one of token and token_command"),
                                        ("A.B.C", {"token_command": ["/bin/true"]}, "Exactly one of token and token_command"),
                                        ("A.B.C", {"package_url": "http://mirror.example.com/a.deb", "package_sha256": SHA256}, "A package_url is https"),
                                        ("A.B.C", {"package_url": "https://mirror.example.com/a.deb"}, "A package_url is https")):
            with self.subTest(given):
                said, user_data, _ = self.apply(token, **given)
                self.assertIn(complaint, " ".join(said.split()))
                self.assertEqual(user_data, "")

    @unittest.skipUnless(HAVE, "needs terraform")
    def test_a_command_and_more_of_a_spec(self):
        _, user_data, _ = self.apply(None, token_command=["/usr/local/bin/ece-token"], spec={"retry": {"splay": "5m"}, "on_member": "ignore"})
        files = tftemplate.files(user_data)
        self.assertNotIn("/etc/ece-enroll/token", files)
        path = self.validated(user_data)
        for words in ('"source": "command"', '"/usr/local/bin/ece-token"', '"splay": "5m"', '"on_member": "ignore"'):
            self.assertIn(words, path.read_text())

    def apply(self, token, **given):
        """(what is printed, user data, state); user data is empty when Terraform refuses."""
        work = self.bench.top / "terraform"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        (work / "main.tf").write_text(ROOT % json.dumps(str(TERRAFORM)))
        environment = {"PATH": os.environ["PATH"], "HOME": str(work), "TF_VAR_given": json.dumps({"ca": CA, **given}), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        if token:
            environment["TF_VAR_token"] = token

        def terraform(*words):
            return subprocess.run([HAVE, *words], cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

        made = terraform("init", "-no-color", "-input=false")
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        done = terraform("apply", "-no-color", "-input=false", "-auto-approve")
        said = re.sub("[│╷╵]", "", done.stdout + done.stderr)
        if done.returncode:
            return said, "", ""
        return said, terraform("output", "-raw", "user_data").stdout, (work / "terraform.tfstate").read_text()


class Files(unittest.TestCase):
    @unittest.skipUnless(HAVE, "needs terraform")
    def test_form(self):
        """It parses what it formats: all of it is HCL."""
        said = subprocess.run([HAVE, "fmt", "-check", "-diff", "-recursive", TERRAFORM], capture_output=True, text=True, check=False)
        self.assertEqual((said.returncode, said.stdout), (0, ""), said.stderr)

    def test_the_consumer_gives_what_the_module_takes(self):
        takes = dict(re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', (TERRAFORM / "variables.tf").read_text(), re.MULTILINE | re.DOTALL))
        block = re.search(r'^module "user_data" \{\n(.*?)^\}', (TERRAFORM / "aws-autoscaling/main.tf").read_text(), re.MULTILINE | re.DOTALL)[1]
        gives = set(re.findall(r"^  (\w+) +=", block, re.MULTILINE)) - {"source", "for_each"}
        self.assertEqual(gives - set(takes), set())
        self.assertEqual({name for name, body in takes.items() if " default " not in body} - gives, set())


class Minted(EndToEnd):
    def test_the_program(self):
        path = "%s:%s" % (self.bench.programs, os.environ["PATH"])

        def mint(*words):
            return subprocess.run([TERRAFORM / "mint-token", *words], env={**self.bench.environment(), "PATH": path, "ECE_ENROLL_SPEC": str(self.bench.spec_path)},
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        said = mint("20m", "allocator", "proxy")
        self.assertEqual(said.returncode, 0, said.stderr)
        result = json.loads(said.stdout)
        self.assertEqual(list(result), ["token"])
        self.assertEqual(sorted(jwt.claims_of(result["token"])["roles"]), ["allocator", "proxy"])
        for words in (("20m",), ("20m", "alocator")):
            said = mint(*words)
            self.assertEqual((said.returncode, said.stdout), (64, ""))
            self.assertNotEqual(said.stderr, "")


if __name__ == "__main__":
    tap.main()
