# SPDX-License-Identifier: Apache-2.0
"""A network of the case's own: a namespace in which packets are filtered and names resolved as a case wants it.

A case runs in a process of its own, so the process itself moves into the namespaces, and all that it starts with it:
simulator, engine and agent talk over the loopback of that network, and nothing else of the machine is touched.
"""

import ctypes
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

from matrix import Skip

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
NAME = "ece.test"
_TABLE = """
flush ruleset
table inet faults {
    chain here {
        type filter hook input priority 0
        %s
    }
}
"""


def run(*words, text=None) -> None:
    subprocess.run(words, input=text, stdin=None if text else subprocess.DEVNULL, check=True, text=True,
                   stdout=subprocess.DEVNULL)


def unshare(kinds) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(kinds) != 0:
        raise Skip("namespaces of its own: " + os.strerror(ctypes.get_errno()))


def enter_network() -> None:
    for program in ("ip", "nft"):
        if not shutil.which(program):
            raise Skip("the program " + program)
    unshare(CLONE_NEWNET)
    run("ip", "link", "set", "lo", "up")
    # Somewhere to go, so that the host does not look as if it had no network at all.
    run("ip", "address", "add", "192.0.2.21/24", "dev", "lo")
    run("ip", "route", "add", "default", "dev", "lo")


FAR = "203.0.113.5"


def enter_far_network() -> None:
    """The coordinator is at FAR."""
    enter_network()
    far_away(False)


def far_away(away) -> None:
    """Whether there is no way to FAR."""
    run("ip", "address", "delete" if away else "add", FAR + "/32", "dev", "lo")
    if away:
        run("ip", "route", "delete", "default")


def port_of(bench) -> int:
    return bench.sim.address.port


def filtered(*rules) -> None:
    run("nft", "-f", "-", text=_TABLE % "\n".join(rules))


def swallow(bench) -> None:
    """Both ways, and connections that are open, too."""
    filtered("tcp dport %d drop" % port_of(bench), "tcp sport %d drop" % port_of(bench))


def reject(how):
    def act(bench):
        filtered("tcp dport %d reject with %s" % (port_of(bench), how))
    return act


def let_pass(bench=None) -> None:
    run("nft", "flush", "ruleset")


class NameServer:
    """Answers on 127.0.0.1:53 of this network, as `mode` says: address, nxdomain, servfail, garbage, silence."""

    def __init__(self, mode):
        self.mode = mode
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(512)
            answer = self._answer(query)
            if answer:
                self._socket.sendto(answer, client)

    def _answer(self, query):
        end = query.index(b"\0", 12) + 5
        question, kind = query[12:end], struct.unpack(">H", query[end - 4:end - 2])[0]
        if self.mode == "silence":
            return None
        if self.mode == "garbage":
            return b"\xff" * 40
        code = {"address": 0, "nxdomain": 3, "servfail": 2}[self.mode]
        found = kind == 1 and code == 0
        head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, int(found), 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton("127.0.0.1")
        return head + question + (record if found else b"")


def enter_resolver() -> None:
    """Names are asked for at 127.0.0.1 only, after /etc/hosts."""
    enter_network()
    unshare(CLONE_NEWNS)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="ece-names-"))
    run("mount", "--make-rprivate", "/")
    for path, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\n"), ("/etc/nsswitch.conf", "hosts: files dns\n")):
        ours = directory / path.rpartition("/")[2]
        ours.write_text(text)
        os.chmod(ours, 0o644)
        run("mount", "--bind", str(ours), os.path.realpath(path))
    shutil.rmtree(directory)  # what is mounted stays


class Hole:
    """An address that swallows SYNs: a queue of connections that is full and that nobody empties."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.url = "https://127.0.0.1:%d" % self._listener.getsockname()[1]
        self._waiting = []
        while self._fill():
            pass

    def _fill(self) -> bool:
        """False when a connection got no answer any more."""
        filler = socket.socket()
        filler.settimeout(0.3)
        self._waiting.append(filler)
        try:
            filler.connect(self._listener.getsockname())
        except socket.timeout:
            return False
        return True
