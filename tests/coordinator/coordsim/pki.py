# SPDX-License-Identifier: Apache-2.0
"""Certificates like those of an ECE installation, made with the openssl command.

The default chain of a coordinator is leaf <- "elastic ce admin console root" <- self-signed
"elastic ce master". The leaf's SAN holds the host's address both as DNS name and as IP address, and
there is no extendedKeyUsage. The server sends all three, the master last: that is the one people are told to
download and trust.
"""

import datetime
import pathlib
import shutil
import subprocess

LEAVES = ("good", "expired", "not-yet-valid", "wrong-name", "self-signed", "weak-key", "weak-digest")

_CA_CONFIG = """
[req]
distinguished_name = no_questions
[no_questions]
[ca]
default_ca = default
[default]
database = {work}/index.txt
new_certs_dir = {work}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = anything
copy_extensions = none
[anything]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature,keyEncipherment
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""

_DAY = datetime.timedelta(days=1)


def _openssl(*arguments) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise RuntimeError("openssl %s: %s" % (arguments[0], done.stdout.decode(errors="replace")))


def _stamp(moment: datetime.datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%SZ")


def _validity(leaf: str):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "expired": (now - 400 * _DAY, now - _DAY),
        "not-yet-valid": (now + _DAY, now + 400 * _DAY),
    }.get(leaf, (now - _DAY, now + 398 * _DAY))


def _names(address: str, names, leaf: str) -> str:
    if leaf == "wrong-name":
        return "DNS:ece-elsewhere-runner, DNS:198.51.100.77, IP:198.51.100.77"
    entries = ["DNS:ece-0-runner", "DNS:" + address, "IP:" + address]
    return ", ".join(entries + ["DNS:" + name for name in names])


def _bits(leaf: str) -> int:
    return 1024 if leaf == "weak-key" else 2048


class Pki:
    """One directory of certificates: ca.pem, other-ca.pem, chain.pem, leaf.key; names: what the leaf is made out to."""

    def __init__(self, directory, address="127.0.0.1", names=("localhost",), leaf="good"):
        if leaf not in LEAVES:
            raise ValueError("unknown kind of leaf %r" % leaf)
        self.directory = pathlib.Path(directory)
        self.address, self.names = address, names
        self.ca = self.directory / "ca.pem"
        self.other_ca = self.directory / "other-ca.pem"
        self.chain = self.directory / "chain.pem"
        self.key = self.directory / "leaf.key"
        if not self.chain.exists():
            self._make(address, names, leaf)

    def _make(self, address, names, leaf) -> None:
        work = self.directory / "work"
        config = self._config(work, _names(address, names, leaf))
        master = self._authority(work, "master", "elastic ce master")
        self._issue(config, work, "root", "elastic ce admin console root", master, "authority", "good")
        other = self._authority(work, "other", "somebody else's master")
        shutil.copyfile(master, self.ca)
        shutil.copyfile(other, self.other_ca)
        self._leaf(config, work, leaf, self.chain, self.key)

    def further_leaf(self, leaf, directory):
        """(chain, key) of another leaf below the same authorities, made in a directory of the caller's own."""
        directory = pathlib.Path(directory)
        chain, key = directory / "chain.pem", directory / "leaf.key"
        if not chain.exists():
            config = self._config(directory, _names(self.address, self.names, leaf))
            self._leaf(config, directory, leaf, chain, key)
        return chain, key

    @staticmethod
    def _config(work, names):
        work.mkdir(parents=True, exist_ok=True)
        (work / "index.txt").write_text("")
        config = work / "ca.cnf"
        config.write_text(_CA_CONFIG.format(work=work, names=names))
        return config

    def _leaf(self, config, work, leaf, chain, key) -> None:
        above = self.directory / "work"
        if leaf == "self-signed":
            end = self._self_signed(config, work, "elastic ce admin console 4f2b7c")
        else:
            end = self._issue(config, work, "leaf", "elastic ce admin console 4f2b7c", above / "root.pem", "leaf", leaf)
        others = [] if leaf == "self-signed" else [above / "root.pem", above / "master.pem"]
        if key != work / "leaf.key":
            shutil.copyfile(work / "leaf.key", key)
        # Last, because its presence means that the rest is complete.
        chain.write_bytes(b"".join(part.read_bytes() for part in [end] + others))

    @staticmethod
    def _self_signed(config, work, subject):
        """Right in everything but the one who vouches for it."""
        certificate = work / "leaf.pem"
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", 398, "-config", config,
                 "-extensions", "leaf", "-keyout", work / "leaf.key", "-out", certificate, "-subj", "/CN=" + subject)
        return certificate

    @staticmethod
    def _authority(work, name, subject):
        """A self-signed authority of ten years."""
        certificate = work / (name + ".pem")
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", 3650,
                 "-keyout", work / (name + ".key"), "-out", certificate, "-subj", "/CN=" + subject)
        return certificate

    @staticmethod
    def _issue(config, work, name, subject, issuer, extensions, leaf):
        request, certificate = work / (name + ".csr"), work / (name + ".pem")
        validity = _validity(leaf)
        _openssl("req", "-newkey", "rsa:%d" % _bits(leaf), "-nodes", "-keyout", work / (name + ".key"),
                 "-out", request, "-subj", "/CN=" + subject)
        _openssl("ca", "-batch", "-notext", "-config", config, "-extensions", extensions,
                 "-cert", issuer, "-keyfile", issuer.with_suffix(".key"),
                 "-startdate", _stamp(validity[0]), "-enddate", _stamp(validity[1]),
                 "-md", "sha1" if leaf == "weak-digest" else "sha256",
                 "-in", request, "-out", certificate)
        return certificate
