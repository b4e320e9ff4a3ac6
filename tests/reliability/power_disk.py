# SPDX-License-Identifier: Apache-2.0
"""A disk with a volatile write cache, served over the network block device protocol on a unix socket.

What is written is in the cache; a flush makes it durable. cut() is the power cut: from then on nothing is taken any more, and
what the disk has afterwards is image_after_cut(): the durable part and as much of the cache as the test wants to have survived.
Every write, flush and mark stands in the log, in the order in which the disk saw them.
"""

import os
import socket
import struct
import threading

BLOCK = 4096
MAGIC, OPTION_MAGIC, REPLY_MAGIC = b"NBDMAGIC", b"IHAVEOPT", 0x3E889045565A9
FIXED_NEWSTYLE, NO_ZEROES = 1, 2
HAS_FLAGS, SEND_FLUSH = 1, 4
OPTION_ABORT, OPTION_INFO, OPTION_GO = 2, 6, 7
REPLY_ACK, REPLY_INFO, REPLY_UNSUPPORTED = 1, 3, 0x80000001
REQUEST, SIMPLE_REPLY = 0x25609513, 0x67446698
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
EIO = 5


class Image:
    """The content of a disk: the blocks that are not all zero."""

    def __init__(self, size, blocks=None):
        self.size, self.blocks = size, dict(blocks or {})

    @classmethod
    def from_file(cls, path):
        image = cls(os.stat(path).st_size)
        with open(path, "rb") as file:
            for number in range(image.size // BLOCK):
                block = file.read(BLOCK)
                if block.count(0) != BLOCK:
                    image.blocks[number] = block
        return image

    def copy(self):
        return Image(self.size, self.blocks)

    def read(self, offset, length):
        first, end = offset // BLOCK, (offset + length + BLOCK - 1) // BLOCK
        whole = b"".join(self.blocks.get(number, bytes(BLOCK)) for number in range(first, end))
        return whole[offset - first * BLOCK:][:length]

    def write(self, offset, data):
        while data:
            number, start = divmod(offset, BLOCK)
            piece = data[:BLOCK - start]
            old = self.blocks.get(number, bytes(BLOCK))
            self.blocks[number] = old[:start] + piece + old[start + len(piece):]
            offset, data = offset + len(piece), data[len(piece):]


class Disk:
    def __init__(self, image):
        self.lock = threading.Lock()
        self.first = image.copy()
        self.now, self.durable = image.copy(), image.copy()
        self.cache = []  # (offset, bytes), oldest first
        self.log = []  # ("write", offset, bytes), ("flush",), ("mark", anything)
        self.off = False
        self.writes_left, self.at_cut = None, None

    def when_written(self, number, at_cut):
        """The power goes with the number-th write from now on: it is in the cache, and its answer does not arrive."""
        with self.lock:
            self.writes_left, self.at_cut = number, at_cut

    def mark(self, what):
        with self.lock:
            self.log.append(("mark", what))

    def cut(self):
        with self.lock:
            self.off = True

    def image_after_cut(self, survives):
        """survives(position in the cache) says of each write that was not flushed whether it reached the medium."""
        image = self.durable.copy()
        for position, (offset, data) in enumerate(self.cache):
            if survives(position):
                image.write(offset, data)
        return image

    def carry_out(self, kind, offset, data, length):
        """The answer's error and data; None once the power is cut."""
        with self.lock:
            if self.off:
                return None
            if offset + max(length, len(data)) > self.now.size:
                return EIO, b""
            if kind == READ:
                return 0, self.now.read(offset, length)
            if kind == WRITE:
                self.now.write(offset, data)
                self.cache.append((offset, data))
                self.log.append(("write", offset, data))
                if self.writes_left:
                    self.writes_left -= 1
                    if self.writes_left == 0:
                        self.off = True
                        self.at_cut()
                        return None
            elif kind == FLUSH:
                for write in self.cache:
                    self.durable.write(*write)
                self.cache.clear()
                self.log.append(("flush",))
            else:
                return EIO, b""
            return 0, b""


class Server:
    """Serves disks by name ("0", "1"...) until it is closed; one thread for each connection."""

    def __init__(self, path, disks):
        self.disks = {str(number): disk for number, disk in enumerate(disks)}
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(len(disks) + 1)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection, connection.makefile("rwb") as stream:
                disk = self._greet(stream)
                while disk and self._transfer(stream, disk):
                    pass
        except (OSError, EOFError, struct.error):
            pass  # the machine is gone

    def _greet(self, stream):
        """Answers options until the client has chosen its disk."""
        stream.write(MAGIC + OPTION_MAGIC + struct.pack(">H", FIXED_NEWSTYLE | NO_ZEROES))
        stream.flush()
        stream.read(4)
        while True:
            magic, option, length = struct.unpack(">8sII", stream.read(16))
            data = stream.read(length)
            if magic != OPTION_MAGIC or option == OPTION_ABORT:
                return None
            if option not in (OPTION_INFO, OPTION_GO):
                self._reply(stream, option, REPLY_UNSUPPORTED)
                continue
            disk = self.disks[data[4:4 + struct.unpack(">I", data[:4])[0]].decode()]
            self._reply(stream, option, REPLY_INFO, struct.pack(">HQH", 0, disk.now.size, HAS_FLAGS | SEND_FLUSH))
            self._reply(stream, option, REPLY_ACK)
            if option == OPTION_GO:
                return disk

    @staticmethod
    def _reply(stream, option, kind, data=b""):
        stream.write(struct.pack(">QIII", REPLY_MAGIC, option, kind, len(data)) + data)
        stream.flush()

    @staticmethod
    def _transfer(stream, disk):
        magic, _, kind, handle, offset, length = struct.unpack(">IHHQQI", stream.read(28))
        if magic != REQUEST or kind == DISCONNECT:
            return False
        data = stream.read(length) if kind == WRITE else b""
        answer = disk.carry_out(kind, offset, data, length if kind == READ else 0)
        if answer is None:
            return False
        stream.write(struct.pack(">IIQ", SIMPLE_REPLY, answer[0], handle) + answer[1])
        stream.flush()
        return True
