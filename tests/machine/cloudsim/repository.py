# SPDX-License-Identifier: Apache-2.0
"""A repository of packages as apt reads it, signed with a key that lives as long as the test; a service for web.Web.

The form: https://wiki.debian.org/DebianRepository/Format
"""

import email.utils
import hashlib
import pathlib
import shutil
import subprocess
import tempfile

from cloudsim.web import Reply, text

HOST = "packages.example.com"
NEEDED = ("gpg", "gpg-agent", "dpkg-deb")
WHO = "repository@packages.example.com"


def missing():
    """Why there can be none on this machine, or None."""
    absent = [program for program in NEEDED if not shutil.which(program)]
    return "needs " + ", ".join(absent) if absent else None


class Repository:
    """files: what is served, by path. public_key: what a host has to be given, armoured."""

    host = HOST
    names = [HOST]

    def __init__(self, package):
        # A short name: the agent's socket lies in there.
        self.home = tempfile.mkdtemp(prefix="ece-gpg-", dir="/tmp")
        content = pathlib.Path(package).read_bytes()
        control = subprocess.run(["dpkg-deb", "--field", package], capture_output=True, text=True, check=True).stdout
        self.files = {"/ece-enroll.deb": content, "/debian/pool/ece-enroll.deb": content}
        self.index = "%sFilename: pool/ece-enroll.deb\nSize: %d\nSHA256: %s\n\n" % (
            control, len(content), hashlib.sha256(content).hexdigest())
        self._gpg("--quick-generate-key", WHO, "ed25519", "sign", "1d")
        self.public_key = self._gpg("--armor", "--export", WHO).decode()
        self.publish()

    def _gpg(self, *words, given=b"") -> bytes:
        quietly = ("--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")
        said = subprocess.run(["gpg", "--homedir", self.home, *quietly, *words], input=given, capture_output=True, check=False)
        if said.returncode:
            raise RuntimeError("gpg: " + said.stderr.decode(errors="replace"))
        return said.stdout

    def publish(self) -> None:
        """Signs what there is now."""
        index = self.index.encode()
        kind = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
        name = "main/binary-%s/Packages" % kind
        release = "Origin: test\nSuite: stable\nCodename: stable\nDate: %s\nArchitectures: %s\nComponents: main\nSHA256:\n %s %d %s\n" % (
            email.utils.formatdate(usegmt=True), kind, hashlib.sha256(index).hexdigest(), len(index), name)
        self.files["/debian/dists/stable/" + name] = index
        self.files["/debian/dists/stable/InRelease"] = self._gpg("--clear-sign", given=release.encode())

    def close(self) -> None:
        """Ends the agent that gpg has started for this key, and the key."""
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=False)
        shutil.rmtree(self.home, True)

    def __call__(self, request):
        if request.headers.get("host") != HOST:
            return text("", 404)
        found = self.files.get(request.path)
        return text("", 404) if found is None else Reply(200, found, "application/octet-stream")
