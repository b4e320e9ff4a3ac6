# SPDX-License-Identifier: Apache-2.0
"""A DHCP server for one host on the wire, from RFC 2131 and RFC 2132: as much of it as a datasource needs before the network is set up.

It has one address to give, to whoever asks. Everything is sent to everybody, because the client has no address yet.
"""

import ipaddress
import select
import socket
import struct
import threading

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
MASK, ROUTER, LEASE, KIND, SERVER, END = 1, 3, 51, 53, 54, 255
COOKIE = b"\x63\x82\x53\x63"
FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
LEASE_S = 3600


def _option(number, content) -> bytes:
    return bytes((number, len(content))) + content


def _options(data):
    found, at = {}, 0
    while at + 1 < len(data) and data[at] != END:
        if data[at] == 0:
            at += 1
            continue
        found[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return found


class Dhcp:
    """Gives address, with router as the way out and further options ({number: bytes}), on the device until close()."""

    def __init__(self, device, router, address, further=None):
        self.router, self.address, self.further = (ipaddress.ip_address(router).packed, ipaddress.ip_address(address).packed, further or {})
        self.given = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        self.socket.bind(("", 67))
        self.ending = socket.socketpair()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            ready = select.select([self.socket, self.ending[0]], [], [])[0]
            if self.ending[0] in ready:
                return
            message = self.socket.recv(2048)
            if len(message) > FIXED.size + 4 and message[0] == 1 and message[FIXED.size:FIXED.size + 4] == COOKIE:
                self._answer(message, _options(message[FIXED.size + 4:]))

    def _answer(self, message, options) -> None:
        kind = {bytes([DISCOVER]): OFFER, bytes([REQUEST]): ACK}.get(options.get(KIND))
        if not kind:
            return
        _, hardware, length, _, transaction, _, flags, *_ = fields = FIXED.unpack(message[:FIXED.size])
        fixed = FIXED.pack(2, hardware, length, 0, transaction, 0, flags, bytes(4), self.address, self.router, bytes(4), fields[11],
                           bytes(64), bytes(128))
        replied = {KIND: bytes([kind]), SERVER: self.router, LEASE: struct.pack("!I", LEASE_S), MASK: bytes((255, 255, 255, 0)),
                   ROUTER: self.router, **self.further}
        self.given += kind == ACK
        self.socket.sendto(fixed + COOKIE + b"".join(_option(*each) for each in replied.items()) + bytes([END]), ("255.255.255.255", 68))

    def close(self) -> None:
        self.ending[1].close()
        self.thread.join()
        self.socket.close()
        self.ending[0].close()
