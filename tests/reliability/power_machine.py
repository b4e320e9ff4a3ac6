# SPDX-License-Identifier: Apache-2.0
"""A virtual machine whose first process is power-host: its kernel, its initial file system, its line, its end."""

import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from matrix import Skip
from power_disk import Image, Server

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ECE_BUILD_DIR") or TOP / "build/default")
QEMU = "qemu-system-x86_64"
MODULES = {"ext4": ("virtio_pci", "virtio_blk", "ext4"), "xfs": ("virtio_pci", "virtio_blk", "xfs")}

MAKE = {"ext4": ("mkfs.ext4", "e2fsprogs", "-q", "-F", "-b", "4096"), "xfs": ("mkfs.xfs", "xfsprogs", "-q", "-f")}
SIZE_MB = {"ext4": 16, "xfs": 320}


class Died(Exception):
    """The machine said that something is wrong, or ended without being asked to."""


def need(name, package):
    """The path of a program, which may be one that only root's search path has."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        raise Skip("needs %s (package %s)" % (name, package))
    return path


def kernel():
    """The folder of an unpacked kernel package."""
    said = subprocess.run([TOP / "scripts/guest-kernel"], capture_output=True, text=True, check=False)
    if said.returncode:
        raise Skip("needs a kernel for the virtual machine: " + said.stderr.strip())
    return pathlib.Path(said.stdout.strip())


def fresh_image(file_system="ext4"):
    with tempfile.NamedTemporaryFile(prefix="power-") as file:
        file.truncate(SIZE_MB[file_system] << 20)
        name, package, *options = MAKE[file_system]
        subprocess.run([need(name, package), *options, file.name], check=True, capture_output=True)
        return Image.from_file(file.name)


def modules(folder, names):
    """(name, content) of the kernel's modules and of those that they need, in the order of loading."""
    root = next((folder / "lib/modules").iterdir())
    files = {path.name.split(".")[0].replace("-", "_"): path for path in root.rglob("*.ko*")}
    built_in = {pathlib.Path(line).stem.replace("-", "_") for line in (root / "modules.builtin").read_text().split()}
    found = {}

    def add(name):
        if name in found or name in built_in:
            return
        path = files[name]
        content = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        for needed in re.search(rb"\0depends=([^\0]*)\0", content).group(1).decode().split(","):
            if needed:
                add(needed)
        found[name] = content

    for name in names:
        add(name)
    return found


def program():
    """power-host; made when it is missing or older than its sources."""
    said = subprocess.run(["make", "-s", "-C", BUILD, "tests/reliability/power-host"], capture_output=True, text=True,
                          check=False)
    if said.returncode:
        raise RuntimeError("power-host: " + said.stderr[-400:])
    return BUILD / "tests/reliability/power-host"


def libraries(path):
    """The dynamic loader and the libraries of a program, under the names by which it looks for them."""
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", said)


class Archive:
    """The initial file system, in the kernel's format (cpio, "newc")."""

    def __init__(self):
        self.pieces, self.names, self.number = [], set(), 0

    def _add(self, name, mode, data=b"", mtime=0):
        self.number += 1
        path = name.encode() + b"\0"
        fields = (self.number, mode, 0, 0, 1, mtime, len(data), 0, 0, 0, 0, len(path), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
        self.pieces += [head, bytes(-len(head) % 4), data, bytes(-len(data) % 4)]

    def add(self, name, data, mode=0o755, mtime=0):
        name = name.lstrip("/")
        for parent in map(str, reversed(pathlib.PurePosixPath(name).parents[:-1])):
            if parent not in self.names:
                self.names.add(parent)
                self._add(parent, 0o040755)
        if name not in self.names:
            self.names.add(name)
            self._add(name, 0o100000 | mode, data, mtime)

    def add_file(self, path, name=None):
        """A file of this machine, under its own name, with the libraries that it needs."""
        path = pathlib.Path(path)
        if str(name or path).lstrip("/") in self.names:
            return
        self.add(str(name or path), path.read_bytes(), path.stat().st_mode & 0o777, int(path.stat().st_mtime))
        if path.read_bytes()[:4] == b"\x7fELF":
            for library in libraries(path):
                self.add_file(library)

    def add_tree(self, top):
        for path in sorted(pathlib.Path(top).rglob("*")):
            if path.is_file():
                self.add_file(path)

    def write(self, path):
        self._add("TRAILER!!!", 0)
        path.write_bytes(b"".join(self.pieces))


class Lab:
    """What all machines of a case share: the files that they boot from, and a folder for their sockets. more(archive) adds to the
    initial file system; options are qemu's."""

    def __init__(self, file_system="ext4", more=None, memory_mb=256, options=()):
        need(QEMU, "qemu-system-x86")
        self.file_system, self.memory_mb, self.options = file_system, memory_mb, options
        self._folder = tempfile.TemporaryDirectory(prefix="power-")
        self.folder = pathlib.Path(self._folder.name)
        self.kernel = kernel()
        self._initial(program(), MODULES[file_system] + (("virtio_net",) if more else ()), more)
        self.boots = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def _initial(self, host, names, more):
        archive = Archive()
        archive.add_file(host, "init")
        found = modules(self.kernel, names)
        for name, content in found.items():
            archive.add("modules/" + name, content)
        archive.add("modules/list", "".join(name + "\n" for name in found).encode())
        if more:
            more(archive)
        archive.write(self.folder / "initial")

    def boot(self, task, disks):
        self.boots += 1
        return Machine(self, task, disks)


class Machine:
    def __init__(self, lab, task, disks):
        self.disks = disks
        path = lab.folder / ("disks-%d" % lab.boots)
        self.server = Server(path, disks)
        self.console = lab.folder / ("console-%d" % lab.boots)
        drives = []
        for number in range(len(disks)):
            drives += ["-blockdev", "driver=nbd,node-name=d%d,server.type=unix,server.path=%s,export=%d" % (number, path, number),
                       "-device", "virtio-blk-pci,drive=d%d,write-cache=on" % number]
        self.process = subprocess.Popen(
            [QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-accel", "tcg", "-cpu", "max",
             "-m", "%dM" % lab.memory_mb, "-kernel", next((lab.kernel / "boot").glob("vmlinuz-*")), "-initrd", lab.folder / "initial",
             "-append", "console=ttyS0 quiet panic=-1 tsc=reliable ece_task=%s ece_fs=%s" % (task, lab.file_system),
             "-serial", "file:%s" % self.console, "-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line", *drives, *lab.options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()
        self.server.close()
        self.process.stdin.close()
        self.process.stdout.close()

    def hear(self):
        """The next line as words; "off" is the last one."""
        line = self.process.stdout.readline().decode(errors="replace").strip()
        if not line or line.startswith("bad"):
            console = self.console.read_text(errors="replace")[-1500:] if self.console.exists() else ""
            raise Died("%s\n%s" % (line or "the machine ended", console))
        return line.split()

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def cut(self):
        """The power is gone: for the disks, and at the same moment for the machine."""
        for disk in self.disks:
            disk.cut()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def wait_off(self):
        while self.hear() != ["off"]:
            pass
        self.process.wait()
