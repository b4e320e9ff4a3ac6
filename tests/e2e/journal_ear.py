# SPDX-License-Identifier: Apache-2.0
"""A journal and a service manager of a test's own: what a program says to each of them is kept, record by record.

libsystemd sends its records to /run/systemd/journal/socket and nowhere else, so a program under test gets a /run of its own in a
mount namespace, where that name leads to us; that needs root. A record is one datagram (systemd.io/JOURNAL_NATIVE_PROTOCOL):
lines NAME=value, or NAME, then the value's length in 8 bytes and the value, which may have line feeds. The service manager is an
address for datagrams (sd_notify(3)).
"""

import os
import socket
import struct
import threading

# The service manager says by device and inode which standard error is the journal's (systemd.exec(5)).
_AS_A_SERVICE = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/journal
ln -s "$1" /run/systemd/journal/socket
shift
JOURNAL_STREAM=$(stat --dereference --format=%d:%i /dev/stderr)
export JOURNAL_STREAM
exec "$@"
"""


class _Ear:
    """Hears datagrams at an address of the file system."""

    def __init__(self, path, understand):
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(self.path)
        os.chmod(path, 0o666)
        self._understand = understand
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._understand(self._socket.recv(1 << 17))


def _fields(datagram):
    """(name, value) of one record."""
    at = 0
    while at < len(datagram):
        end = datagram.index(b"\n", at)
        name, equals, value = datagram[at:end].partition(b"=")
        at = end + 1
        if not equals:
            (size,) = struct.unpack("<Q", datagram[at:at + 8])
            value = datagram[at + 8:at + 8 + size]
            at += 8 + size + 1
        yield name.decode(), value.decode()


class Journal(_Ear):
    """records: a dictionary of each record's fields, in the order in which they came."""

    def __init__(self, path):
        self.records = []
        super().__init__(path, lambda datagram: self.records.append(dict(_fields(datagram))))

    @property
    def prefix(self):
        """Words before a program's own, which let it believe that its standard error is the journal's, and this journal be that one."""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", _AS_A_SERVICE, "sh", self.path]


class ServiceManager(_Ear):
    """told: each STATUS= that came. path is for NOTIFY_SOCKET."""

    def __init__(self, path):
        self.told = []
        super().__init__(path, self._hear)

    def _hear(self, datagram) -> None:
        self.told += [line[len("STATUS="):] for line in datagram.decode().splitlines() if line.startswith("STATUS=")]
