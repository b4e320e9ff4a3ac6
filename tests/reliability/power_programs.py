# SPDX-License-Identifier: Apache-2.0
"""The real agent and keeper in a virtual machine whose power is cut at a write of its disk.

Nothing is told where it stands: the disk counts its writes and is gone with one of them, whoever made it: the agent's record, the
keeper's, the file system. Coordinator and container engine stand outside; the engine's containers end with the power.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading

from bench import HOST_IP, INSTALLER, PROGRAMS, Bench
from matrix import Case, Skip
from power_disk import Disk
from power_machine import Died, Lab, fresh_image
from power_world import TOKENS_MAX, WINDOWS

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"
# What the installer's script, the stand-in for docker, and the guest use.
TOOLS = ("bash", "cut", "date", "df", "dirname", "env", "id", "ip", "mkdir", "sed", "sysctl", "tail", "tee", "wc", "cat")
PYTHON_MODULES = "fcntl, json, http.client, urllib.parse, signal, socket, struct, subprocess, threading, pathlib, time, encodings.idna"
SEARCH = "/usr/sbin:/usr/bin:/sbin:/bin"
NETWORK = ["-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,romfile="]
# The root is half of it, and has to leave what the disk-space gate wants. The host gives only what is used.
MEMORY_MB = 3072
# Everything takes ten times as long as outside.
SLOW = {"installer": {"attempt_timeout": "2m"}, "verify": {"timeout": "1m"},
        "retry": {"give_up_after": "10m", "windows": WINDOWS, "backoff": {"min": "500ms", "max": "500ms"}}}


def python_files():
    """The interpreter, and what of its library is used, compiled where it is."""
    if not os.access(PYTHON, os.X_OK):
        raise Skip("needs " + PYTHON)
    program = ("import sys, %s\nfor m in list(sys.modules.values()):\n    for p in (getattr(m, '__file__', None), getattr(m, "
               "'__cached__', None)):\n        if p: print(p)" % PYTHON_MODULES)
    said = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True, env={"PATH": SEARCH})
    return [PYTHON, *(path for path in said.stdout.split() if os.path.isfile(path))]


class Relay:
    """A port on which the virtual machine finds the engine's socket."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                outer, _ = self.listener.accept()
                inner = socket.socket(socket.AF_UNIX)
                inner.connect(str(self.path))
            except OSError:
                return
            for pair in ((inner, outer), (outer, inner)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    @staticmethod
    def _pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class World:
    """A bench whose host is a virtual machine."""

    def __init__(self):
        self.bench = Bench()
        self.bench.write_spec(**SLOW)
        self.relay = Relay(self.bench.engine.socket)
        self.user = self.bench.user

    def settings(self):
        groups = os.getgrouplist(self.user.pw_name, self.user.pw_gid)
        return {"tcp_ports": [int(self.bench.sim.url.rpartition(":")[2])], "engine_socket": str(self.bench.engine.socket),
                "engine_port": self.relay.port, "programs": str(self.bench.programs), "spec": str(self.bench.spec_path),
                "path": "%s:%s" % (self.bench.clients, SEARCH),
                "user": {"uid": self.user.pw_uid, "gid": self.user.pw_gid, "groups": groups,
                         "directories": [str(self.bench.storage)]}}

    def add_to(self, archive):
        for path in python_files():
            archive.add_file(path)
        for name in TOOLS:
            path = shutil.which(name, path=SEARCH)
            if not path:
                raise Skip("needs " + name)
            archive.add_file(path, "/usr/bin/" + name)
        for name in PROGRAMS:
            archive.add_file(self.bench.programs / name)
        archive.add_tree(self.bench.clients.parent)
        archive.add_tree(self.bench.script.parent)
        archive.add_file(self.bench.sim.ca)
        archive.add_file(self.bench.key_path)
        archive.add_file(self.bench.spec_path)
        for name in ("/etc/passwd", "/etc/group"):
            archive.add_file(name)
        archive.add("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files\n", 0o644)
        archive.add("etc/machine-id", b"5f0c1e6a0b7d4c8e9a2b3c4d5e6f7081\n", 0o644)
        archive.add("guest.json", json.dumps(self.settings()).encode())
        archive.add_file(HERE / "power_guest.py", "guest.py")

    def power_cut(self):
        for container in self.bench.containers.state()["containers"]:
            if container["State"] == "running" and container["Names"][0][1:] == INSTALLER:
                self.bench.containers.call("POST", "/containers/%s/kill?signal=9" % container["Id"])

    def two_at_once(self):
        running = 0
        for event in self.bench.containers.state()["events"]:
            if event.get("name") == INSTALLER:
                running += {"start": 1, "exit": -1}.get(event["event"], 0)
            if running > 1:
                return True
        return False

    def seen(self, state, consoles):
        ends = self.bench.containers.events("exit", INSTALLER)
        good = sum(event.get("code") == 0 for event in ends)
        words = [state, "%d installer%s" % (good, "" if good == 1 else "s")]
        words += ["%d tokens" % self.bench.minted()] if self.bench.minted() > TOKENS_MAX else []
        words += ["two at once"] if self.two_at_once() else []
        words += ["a container is left"] if self.bench.installer_containers() else []
        words += ["no runner"] if HOST_IP not in self.bench.sim.control.state()["runners"] else []
        words += ["a torn record"] if "can't be read" in consoles else []
        return ", ".join(words)

    def close(self):
        self.relay.listener.close()
        self.bench.close()


def until_final(machine):
    """What the agent has come to; "" when the power went before."""
    while True:
        try:
            word, *rest = machine.hear()
        except Died:
            if machine.disks[0].off:
                return ""
            raise
        if word == "state" and rest and rest[0] in ("ENROLLED", "FAILED"):
            return rest[0]


def life(lab, disk, cut_at_write=None):
    """One life of the machine, until its power is cut, or it is enrolled or has failed: the state, and what it said."""
    with lab.boot("programs", [disk]) as machine:
        if cut_at_write:
            disk.when_written(cut_at_write, machine.process.kill)
        return until_final(machine), machine.console.read_text(errors="replace")


def enrolled_after_cut(write, survives):
    world = World()
    try:
        with Lab(more=world.add_to, memory_mb=MEMORY_MB, options=NETWORK) as lab:
            disk = Disk(fresh_image())
            early, _ = life(lab, disk, write)
            if early:
                return "%s before write %d" % (early, write)
            world.power_cut()
            return world.seen(*life(lab, Disk(disk.image_after_cut(lambda position: survives))))
    finally:
        world.close()


def case(write, survives):
    return Case("agent and keeper: write %d of the disk, its cache %s" % (write, "kept" if survives else "lost"),
                "ENROLLED, 1 installer", lambda: enrolled_after_cut(write, survives), limit_s=300)


def cases(full):
    """An undisturbed enrollment writes more than sixty times; around the fortieth, the installer is there."""
    for number, write in enumerate(range(2, 52, 4) if full else (38,)):
        yield case(write, number % 2 == 1)
