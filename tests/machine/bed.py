# SPDX-License-Identifier: Apache-2.0
"""The bed that hosts stand in: a network, mounts and control groups that nobody else on this machine sees.

The process that tests moves into namespaces of its own, once (enter()). Its network is then the platform's: a bridge
without a way out, with the coordinator's address on it; each host hangs on it by a pair of virtual cards. Its mounts end with it. The
control groups are mounted anew, as version 2 alone, because that is what systemd in a host wants to find.

A host's file system is made of layers: the shared root (root.py), the site (what a package and an administrator would have
put there: our programs, a stand-in for engine and installer, users), and what the host itself writes.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import atexit

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path[:0] = [str(HERE), str(TESTS / "e2e"), str(TESTS / "reliability")]

import power_machine  # noqa: E402
import root  # noqa: E402
import tap  # noqa: E402,F401
from bench import BUILD, IMAGE, PROGRAMS, SCRIPT_FILES  # noqa: E402
from coordsim.pki import Pki  # noqa: E402
from matrix import Skip  # noqa: E402

CLONE_NEWNS, CLONE_NEWNET, MS_REC, MS_SLAVE, MNT_DETACH = 0x00020000, 0x40000000, 0x4000, 0x80000, 2
COORDINATOR, PORT, JOIN_PORT = "192.0.2.10", 12443, 12999
FOREIGN = "198.51.100.7"  # an address on the same wire that is nobody's coordinator
# What a cloud has around its hosts: metadata service, Azure's second one, and a place for stores and repositories.
METADATA, WIRESERVER, STORES = "169.254.169.254", "168.63.129.16", "203.0.113.5"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
NEEDED = {"systemd-nspawn": "systemd-container", "ip": "iproute2", "nsenter": "util-linux", "openssl": "openssl"}

SYSUSERS = """
g docker -
u elastic 1500 "who installs ECE" /home/elastic /bin/bash
m elastic docker
"""
NAME = "ece.example.com"  # the coordinator's, for hosts that look names up


def engine_unit(join_port=JOIN_PORT, image=IMAGE) -> str:
    """image: the one that is there already, or None."""
    return """
[Unit]
Description=A stand-in for the container engine
[Service]
Type=exec
ExecStart=/opt/engine/ece-engine-sim --socket /run/docker.sock --dir /var/lib/engine --join %s:%d%s
[Install]
WantedBy=multi-user.target
""" % (COORDINATOR, join_port, " --image=" + image if image else "")


def run(*words, **options):
    """A program that has to succeed; its complaint is the exception's text."""
    said = subprocess.run([*map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)
    if said.returncode:
        raise RuntimeError("%s: %s" % (" ".join(map(str, words)), (said.stderr or said.stdout).strip()))
    return said.stdout


def missing():
    """Why there can be no bed on this machine, or None."""
    if os.getuid() != 0:
        return "needs root"
    absent = ["%s (package %s)" % item for item in NEEDED.items() if not shutil.which(item[0])]
    absent += [str(BUILD / name) for name in PROGRAMS if not os.access(BUILD / name, os.X_OK)]
    return "needs " + ", ".join(absent) if absent else None


def _fetch_kernel() -> None:
    """For hosts that are virtual machines (guest.py), as long as there is a way out; whoever wants it and finds none says why."""
    if shutil.which("qemu-system-x86_64"):
        with contextlib.suppress(Skip):
            power_machine.kernel()


def _unshare() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare: " + os.strerror(ctypes.get_errno()))
    libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None)
    # Theirs are undone for us alone; what is below goes with it.
    libc.umount2(os.fsencode(CGROUPS), MNT_DETACH)


class Bed:
    """There is one a process; bed() gives it."""

    def __init__(self, further=()):
        self.root = root.root([BUILD / name for name in PROGRAMS], further)
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="ece-machine-", dir="/tmp"))
        self.top.chmod(0o755)
        atexit.register(shutil.rmtree, self.top, True)
        self.pki = Pki(self.top / "pki", COORDINATOR, ("localhost", NAME))
        _fetch_kernel()
        _unshare()
        run("mount", "-t", "cgroup2", "none", CGROUPS)
        self._network()
        self.site = self._site()

    def certificates(self, leaf) -> pathlib.Path:
        """Those of a coordinator; each leaf below the authority that all hosts trust."""
        if leaf == "good":
            return self.pki.directory
        folder = self.top / ("pki-" + leaf)
        if not folder.exists():
            chain, key = self.pki.further_leaf(leaf, self.top / ("making-" + leaf))
            shutil.copytree(self.pki.directory, folder)
            shutil.copy(chain, folder / "chain.pem")
            shutil.copy(key, folder / "leaf.key")
        return folder

    @staticmethod
    def _network() -> None:
        # Names of networks are files; ours shall not be seen beside those of the machine.
        pathlib.Path("/run/netns").mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "none", "/run/netns")
        run("ip", "link", "set", "lo", "up")
        # A bridge without an address of its own takes the lowest of its ports', another one whenever a host comes or goes; those that
        # are up then talk to the old one until their ARP entry is doubted.
        run("ip", "link", "add", "name", "wire", "address", "02:00:c0:00:02:0a", "type", "bridge")
        for address in (COORDINATOR + "/24", *(other + "/32" for other in (FOREIGN, METADATA, WIRESERVER, STORES))):
            run("ip", "address", "add", address, "dev", "wire")
        run("ip", "link", "set", "wire", "up")

    def overlay(self, at, upper, *lower) -> None:
        work = at.with_name(at.name + ".work")
        for folder in (at, upper, work):
            folder.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "overlay", "none", "-o", "lowerdir=%s,upperdir=%s,workdir=%s" % (":".join(map(str, lower)), upper, work), at)

    def _site(self):
        """What `make install` and an administrator leave, with the tools of the host's own systemd, as a package would."""
        upper, whole = self.top / "site", self.top / "site.whole"
        self.overlay(whole, upper, self.root)
        run("make", "-s", "-C", BUILD, "install", "DESTDIR=%s" % whole)
        shutil.copytree(TESTS / "installer/engine", whole / "opt/engine", ignore=shutil.ignore_patterns("__pycache__"))
        (whole / "opt/ece").mkdir()
        for name in SCRIPT_FILES:
            shutil.copy(TESTS / "installer" / name, whole / "opt/ece" / name)
        for name in ("docker", "podman-remote"):
            (whole / "usr/bin" / name).symlink_to("/opt/engine/bin/" + name)
        for path, text in {"usr/lib/sysusers.d/site.conf": SYSUSERS, "etc/systemd/system/docker.service": engine_unit()}.items():
            (whole / path).write_text(text)
        (whole / "etc/ece-enroll").mkdir()
        (whole / "etc/cloud/cloud-init.disabled").touch()
        shutil.copy(self.pki.directory / "ca.pem", whole / "etc/ece-enroll/coordinator-ca.pem")
        (whole / "var/log/journal").mkdir(exist_ok=True)
        run("chroot", whole, "systemd-sysusers")
        for folder in ("home/elastic", "mnt/data/elastic"):
            (whole / folder).mkdir(parents=True)
            run("chroot", whole, "chown", "elastic:", "/" + folder)
        run("chroot", whole, "systemctl", "enable", "docker.service", "ece-enrolld.service", "systemd-networkd.service")
        run("umount", whole)
        return upper


_bed = None


def bed() -> Bed:
    global _bed
    _bed = _bed or Bed()
    return _bed
