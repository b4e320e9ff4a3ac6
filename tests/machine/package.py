# SPDX-License-Identifier: Apache-2.0
"""A package as small as it may be, of the programs under test, and hosts on which nothing of ours is but by it.

The real packages are tested in test_package.py; this is for those who only need one that can be installed, quickly.
"""

import hashlib
import shutil

from bed import BUILD, run

CONTROL = "Package: ece-enroll\nVersion: 0.0.1\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: what make install leaves\n"
PROGRAMS = ("usr/bin/ece-enroll", "usr/sbin/ece-enrolld", "usr/sbin/ece-installd", "usr/libexec/ece-enroll-shim")
UNITS = ("ece-enrolld.service", "ece-enrolld.path", "ece-enrolled.path", "ece-enrolled.target", "ece-installd.socket", "ece-installd.service")


def remove(host) -> None:
    """Before the boot: takes away what the bed has installed, the spec as well. Users and directories stay, as they do after a removal."""
    host.run_in_tree("systemctl", "disable", "ece-enrolld.service")
    for path in (*PROGRAMS, *("usr/lib/systemd/system/" + unit for unit in UNITS)):
        (host.tree / path).unlink()
    shutil.rmtree(host.tree / "etc/ece-enroll")


def package(bed):
    """Made once."""
    tree, path = bed.top / "package", bed.top / "ece-enroll.deb"
    if not path.exists():
        run("make", "-s", "-C", BUILD, "install", "DESTDIR=%s" % tree)
        (tree / "DEBIAN").mkdir()
        (tree / "DEBIAN/control").write_text(CONTROL)
        run("dpkg-deb", "--build", "--root-owner-group", tree, path)
    return path


def repository(host) -> None:
    """A repository on the host with this package, and no other: there is no way out."""
    for path in (host.tree / "etc/apt/sources.list", *(host.tree / "etc/apt/sources.list.d").iterdir()):
        path.unlink(missing_ok=True)
    content = package(host.bed).read_bytes()
    host.write("srv/repository/ece-enroll.deb", content)
    host.write("srv/repository/Packages", CONTROL + "Filename: ./ece-enroll.deb\nSize: %d\nSHA256: %s\n" % (len(content), hashlib.sha256(content).hexdigest()))
    host.write("etc/apt/sources.list.d/ours.list", "deb [trusted=yes] file:/srv/repository ./\n")
