# SPDX-License-Identifier: Apache-2.0
"""The root file system that all hosts share: this machine's distribution, small, made once with mmdebstrap and kept.

It lies below build/cache/ under a name made from its recipe (release, apt sources, packages), so a changed recipe makes a
new one and an unchanged one costs nothing. Nobody writes into it: a host's own files are in layers over it (bed.py).
"""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
CACHE = TOP / "build/cache"
# systemd and what a host of a cloud has besides, cloud-init among it (bed.py keeps it quiet where it is not wanted) with the DHCP client
# that it calls itself; curl is for commands that yield a credential; python3 for the stand-in engine and for ansible, whose module for
# packages wants python3-apt.
PACKAGES = ("systemd-sysv", "dbus", "udev", "iproute2", "procps", "ca-certificates", "netbase", "python3", "systemd-coredump",
            "cloud-init", "curl", "isc-dhcp-client", "python3-apt")
OPTIONS = ("--mode=root", "--variant=minbase", "--format=tar", '--aptopt=Acquire::Languages "none"', "--aptopt=Acquire::Retries 3",
           "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*")


class Unavailable(Exception):
    """This machine can't make the root file system, and why."""


def _release() -> str:
    return dict(re.findall(r'^(\w+)="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text(), re.MULTILINE))["VERSION_CODENAME"]


def _sources():
    """Where this machine has its own packages from; lists of others for other things are left out."""
    found = [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*.list")),
             *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*.sources"))]
    return [path for path in found if path.is_file() and re.search(r"\b%s\b" % _release(), path.read_text())]


def _needed(programs):
    """The packages of the libraries that the programs themselves ask for."""
    said = subprocess.run(["readelf", "-d", *programs], capture_output=True, text=True, check=True).stdout
    names = sorted(set(re.findall(r"\(NEEDED\).*\[(.*)\]", said)))
    owners = subprocess.run(["dpkg-query", "--search", *("*/" + name for name in names)], capture_output=True, text=True, check=False)
    return sorted({line.split(":")[0] for line in owners.stdout.splitlines() if not line.startswith("diversion")})


def _make(release, sources, packages, folder) -> None:
    """Beside its place and then moved there, so that what is there is whole."""
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="making-") as work:
        tree, archive = pathlib.Path(work) / "tree", pathlib.Path(work) / "root.tar"
        said = subprocess.run(["mmdebstrap", *OPTIONS, "--include=" + ",".join(packages), release, archive, *sources],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if said.returncode:
            raise Unavailable("mmdebstrap: " + said.stderr.strip()[-600:])
        tree.mkdir()
        subprocess.run(["tar", "-x", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", tree, "-f", archive], check=True)
        # Each host has to become somebody of its own at its first boot.
        (tree / "etc/machine-id").write_text("uninitialized\n")
        try:
            tree.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise


def root(programs, further=()) -> pathlib.Path:
    """The folder, made when it is not there yet. further: packages that only some tests want."""
    for program in ("mmdebstrap", "readelf", "dpkg-query"):
        if not shutil.which(program):
            raise Unavailable("needs the program %s (scripts/setup --machine)" % program)
    release, sources = _release(), _sources()
    packages = sorted({*PACKAGES, *further, *_needed(programs)})
    recipe = "\n".join([release, *packages, *OPTIONS, *(path.read_text() for path in sources)])
    folder = CACHE / ("root-%s-%s" % (release, hashlib.sha256(recipe.encode()).hexdigest()[:12]))
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "wb") as lock:  # two that run side by side make it once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            os.umask(0o022)
            _make(release, sources, packages, folder)
    return folder
