# SPDX-License-Identifier: Apache-2.0
"""The commands that fetch the API key from a cloud's store, without a boot: called on a host's file system, between services that are
right, wrong and hostile. What they print the agent takes for a key, so in doubt it must be nothing.
"""

import re
import subprocess

from bed import METADATA
from cloudhost import EXAMPLES, CloudMachine
from cloudsim.metadata import CLIENT, PROJECT, REGION, Azure, Ec2, Gce
from cloudsim.stores import ByHost, KeyVault, SecretManager, SecretsManager
from cloudsim.web import Reply, text

NAME = "ece-enroll-api-key"
# The contract of a credential's command, doc/spec.md.
LIMIT_S = 10
RECORDER = '#!/bin/sh\nprintf "%s\\n" "$*" >>/srv/arguments\nexec /usr/bin/curl "$@"\n'
HOSTILE = {
    "an empty reply": text(""),
    "a page": Reply(200, b"<html><body>Sign in</body></html>", "text/html"),
    "a redirect": Reply(302, b"", headers={"Location": "http://%s/elsewhere" % METADATA}),
    "a refusal that looks like a key": Reply(403, b'{"SecretString": "QUJD", "value": "QUJD", "payload": {"data": "QUJD"}}'),
    "options of curl": Reply(200, b'{"SecretString": "a\\"\\noutput = \\"/srv/taken", '
                                  b'"value": "a\\"\\nb", "payload": {"data": "a\\"b"}}'),
    "spaces and a line's end": Reply(200, b'{"SecretString": "a b\\nc", "value": "a b\\nc", "payload": {"data": "YSBiCmM="}}'),
    "much": Reply(200, b'{"SecretString": "%s", "value": "%s", "data": "%s"}' % ((b"QUFB" * 50000,) * 3)),
    "trouble": text("", 503),
}


class CloudSecrets(CloudMachine):
    def around(self, command, machine, store):
        """(host, metadata, its server, store, its server)"""
        host = self.host()
        host.write("etc/ece-enroll/" + command, (EXAMPLES / "credential-commands" / command).read_bytes(), 0o755)
        host.write("usr/local/bin/curl", RECORDER, 0o755)
        metadata = machine("", host)
        kept = store(metadata, NAME, self.key)
        return host, metadata, self.web((METADATA, 80), metadata), kept, self.secure(host, ByHost(kept))

    @staticmethod
    def call(host, command, *words):
        """(exit code, what it prints); with the environment that the agent gives."""
        given = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
        said = subprocess.run(["chroot", host.tree, "/etc/ece-enroll/" + command, *words], env=given, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        return said.returncode, said.stdout

    def assertKeyOrNothing(self, command, words, further, machine, store) -> None:
        host, metadata, web, kept, tls = self.around(command, machine, store)
        self.assertEqual(self.call(host, command, *words, further), (0, self.key + "\n"))
        self.assertNotEqual(self.call(host, command, *words, "another")[0], 0)
        (host.tree / "srv/arguments").unlink()
        self.assertEqual(self.call(host, command, *words), (0, self.key + "\n"))
        arguments = (host.tree / "srv/arguments").read_text()
        for secret in (self.key, *metadata.secrets()):
            self.assertNotIn(secret, arguments)
        self.assertLess(sum(map(int, re.findall(r"--max-time (\d+)", arguments))), LIMIT_S)
        self.assertEqual(len(re.findall("--max-time", arguments)), arguments.count("\n"))
        self.refused(host, command, words, kept, metadata, web, tls)

    def refused(self, host, command, words, kept, metadata, web, tls) -> None:
        """In each case it ends with an error and prints nothing."""
        def nothing(what):
            code, printed = self.call(host, command, *words)
            self.assertEqual((bool(code), printed), (True, ""), what)
        for server, right, where in ((tls, ByHost(kept), "store"), (web, metadata, "metadata service")):
            for what, reply in HOSTILE.items():
                server.service = lambda request, reply=reply: reply
                nothing("%s: %s" % (where, what))
            server.service = right
        self.assertFalse((host.tree / "srv/taken").exists())
        kept.metadata = type(metadata)("", host)  # another machine's identity
        nothing("not its secret")
        kept.metadata, kept.name = metadata, "another"
        nothing("no such secret")
        self.assertNotEqual(self.call(host, command)[0], 0)
        # Somebody else with the store's name.
        kept.name = NAME
        trusted = host.tree / "etc/ssl/certs/ca-certificates.crt"
        trusted.write_bytes(self.bed.pki.ca.read_bytes())
        nothing("an authority that nobody trusts")

    def test_ec2(self):
        self.assertKeyOrNothing("api-key-from-ec2", (NAME,), REGION, Ec2, SecretsManager)

    def test_azure(self):
        self.assertKeyOrNothing("api-key-from-azure", (KeyVault.host, NAME), CLIENT, Azure, KeyVault)

    def test_gce(self):
        self.assertKeyOrNothing("api-key-from-gce", (NAME,), PROJECT, Gce, SecretManager)
