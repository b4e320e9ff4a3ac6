# SPDX-License-Identifier: Apache-2.0
"""A host that is a virtual machine, for what a container can't show: limits that a kernel of its own enforces, and a clock.

It is a Host in all but its boot: its tree becomes a disk, its cable hangs on the same wire, and it is looked into through a door (a
port at which it runs what it is asked to). qemu without KVM: a boot takes half a minute or more.
"""

import json
import os
import shutil
import socket
import subprocess
import unittest

from bed import BUILD, HERE, run
from host import Host
import power_machine
from matrix import Skip

DOOR = 4711
QEMU, MAKE_DISK = "qemu-system-x86_64", "mkfs.ext4"
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "ext4")
DISK_MB, MEMORY_MB = 2048, 1024
DOOR_UNIT = """
[Unit]
Description=The door for whoever owns this machine
DefaultDependencies=no
After=systemd-networkd.service
[Service]
ExecStart=/usr/bin/python3 /srv/guest_door.py
Restart=on-failure
RestartSec=1
[Install]
WantedBy=multi-user.target
"""
# Nobody logs in, and what they do at a first boot is not what is looked at here.
MASKED = ("getty.target", "systemd-logind.service", "systemd-hwdb-update.service", "systemd-journal-catalog-update.service",
          "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service", "systemd-random-seed.service", "ldconfig.service",
          "systemd-udev-settle.service", "e2scrub_reap.service", "systemd-pstore.service", "timers.target")


def missing():
    """Why there can be no such machine here, or None."""
    absent = [name for name in (QEMU, MAKE_DISK) if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if absent:
        return "needs %s (scripts/setup --reliability)" % ", ".join(absent)
    return None if os.path.exists("/dev/net/tun") else "needs /dev/net/tun"


class Guest(Host):
    def __init__(self, name="guest", clock=None):
        """clock: what its clock says when it is switched on, "2020-01-01T00:00:00"; else the right time."""
        super().__init__(name)
        self.clock = clock
        try:
            self.kernel = power_machine.kernel()
        except Skip as missing_kernel:
            raise unittest.SkipTest(str(missing_kernel)) from None
        self.write("etc/machine-id", "%032x\n" % (0xb00700 + int(self.address.rpartition(".")[2])))
        self.write("srv/guest_door.py", (HERE / "guest_door.py").read_text())
        self.write("etc/systemd/system/door.service", DOOR_UNIT)
        self.run_in_tree("systemctl", "enable", "door.service")
        for unit in MASKED:
            (self.tree / "etc/systemd/system" / unit).symlink_to("/dev/null")

    def _network(self) -> None:
        super()._network()
        # In the place of the pair of cards: qemu is the other end.
        run("ip", "link", "delete", self.plug)
        run("ip", "tuntap", "add", "dev", self.plug, "mode", "tap")
        run("ip", "link", "set", self.plug, "master", "wire", "up")

    # Life

    def _disk(self):
        """Of its tree as it is now."""
        disk = self.top / "disk"
        with open(disk, "wb") as file:
            file.truncate(DISK_MB << 20)
        run(MAKE_DISK, "-q", "-F", "-d", self.tree, disk)
        return disk

    def _initial(self):
        """Its first process and what the kernel needs to find the disk, of the same parts as in the power cuts of tests/reliability."""
        run("make", "-s", "-C", BUILD, "tests/machine/guest-init")
        archive, found = power_machine.Archive(), power_machine.modules(self.kernel, MODULES)
        archive.add_file(BUILD / "tests/machine/guest-init", "init")
        for name, content in found.items():
            archive.add("modules/" + name, content)
        archive.add("modules/list", "".join(name + "\n" for name in found).encode())
        archive.write(self.top / "initial")
        return self.top / "initial"

    def boot(self) -> None:
        """Once: the disk is made for it. Returns at once; see is_up()."""
        disk, initial = self._disk(), self._initial()
        self.process = subprocess.Popen(
            [QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-accel", "tcg,thread=multi", "-cpu", "max",
             "-smp", "2", "-m", "%dM" % MEMORY_MB, "-kernel", next((self.kernel / "boot").glob("vmlinuz-*")), "-initrd", initial,
             "-append", "console=ttyS0 quiet panic=-1 tsc=reliable net.ifnames=0 systemd.show_status=no",
             "-drive", "file=%s,format=raw,if=virtio,cache=unsafe" % disk, "-serial", "file:%s" % self.console,
             "-netdev", "tap,id=n,ifname=%s,script=no,downscript=no" % self.plug, "-device", "virtio-net-pci,netdev=n,romfile=",
             *(["-rtc", "base=" + self.clock] if self.clock else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def cut(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    # Looking

    def run(self, *words, check=True):
        with socket.create_connection((self.address, DOOR), 60) as door:
            door.sendall(json.dumps([str(word) for word in words]).encode() + b"\n")
            code, text = json.loads(door.makefile("rb").readline())
        if check and code:
            raise AssertionError("%s: %d: %s" % (" ".join(map(str, words)), code, text))
        return code, text

    def is_up(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError("the machine has ended: " + self.console.read_text(errors="replace")[-2000:])
        try:
            return self.run("true", check=False)[0] == 0
        except OSError:
            return False

    def path(self, path):
        raise NotImplementedError("a virtual machine's files are looked at with run()")

    def status(self):
        try:
            return json.loads(self.run("cat", "/run/ece-enroll/status.json", check=False)[1])
        except (OSError, ValueError):
            return None

    def journal(self, *matches):
        said = self.run("journalctl", "--output=json", "--no-pager", *matches)[1]
        return [json.loads(line) for line in said.splitlines()]

    def engine_log(self) -> str:
        return self.run("cat", "/var/lib/engine/events.jsonl", check=False)[1]
