# SPDX-License-Identifier: Apache-2.0
"""A relay before the simulator, for what only the wire knows: connections, TLS handshakes, bytes in both directions.

It passes bytes on and understands of them only how a TLS record begins. A round trip is what somebody has to wait for: one for a
TCP connection, one for a handshake of TLS 1.3 (two of an older one), one for a request; requests are the simulator's count.
"""

import selectors
import socket
import threading

CHUNK = 1 << 16
HANDSHAKE, CLIENT_HELLO = 22, 1
# The extension supported_versions of a ServerHello that has chosen TLS 1.3 (RFC 8446, 4.2.1).
TLS_1_3 = b"\x00\x2b\x00\x02\x03\x04"


class Counts:
    def __init__(self):
        self.connections = self.handshakes = self.handshake_trips = self.sent = self.received = 0

    def round_trips(self, requests) -> int:
        return self.connections + self.handshake_trips + requests


class Flow:
    """One direction of a connection."""

    def __init__(self, source, sink, take):
        self.source, self.sink, self.take, self.first = source, sink, take, True

    def move(self) -> bool:
        """False at its end."""
        try:
            data = self.source.recv(CHUNK)
            if data:
                self.take(data, self.first)
                self.first = False
                self.sink.sendall(data)
                return True
            self.sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return False


class Relay:
    """In front of HOST:PORT, on a port of its own. counts are of all that has come through since begin()."""

    def __init__(self, host, port):
        self.target, self.counts = (host, port), Counts()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._stop = threading.Event()
        self._lock, self._threads = threading.Lock(), []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def begin(self) -> Counts:
        """Of one after the other: whoever came before has to have gone."""
        self.drain()
        self.counts = Counts()
        return self.counts

    def drain(self) -> None:
        while self._threads:
            self._threads.pop().join()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._stop.is_set():
                client.close()
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _from_client(self, data, first) -> None:
        with self._lock:
            self.counts.sent += len(data)
            if first and len(data) > 5 and data[0] == HANDSHAKE and data[5] == CLIENT_HELLO:
                self.counts.handshakes += 1

    def _from_server(self, data, first) -> None:
        with self._lock:
            self.counts.received += len(data)
            if first and data[0] == HANDSHAKE:
                self.counts.handshake_trips += 1 if TLS_1_3 in data else 2

    def _serve(self, client) -> None:
        with self._lock:
            self.counts.connections += 1
        server = socket.create_connection(self.target)
        with client, server, selectors.DefaultSelector() as selector:
            for flow in (Flow(client, server, self._from_client), Flow(server, client, self._from_server)):
                selector.register(flow.source, selectors.EVENT_READ, flow)
            while selector.get_map():
                for key, _ in selector.select():
                    if not key.data.move():
                        selector.unregister(key.data.source)

    def close(self) -> None:
        self._stop.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self.drain()
        self._listener.close()
