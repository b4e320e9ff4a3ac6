# SPDX-License-Identifier: Apache-2.0
"""The HTTPS door: TLS, HTTP/1.1, the log of requests, and all the ways in which a reply may go wrong."""

import base64
import email.utils
import fcntl
import http.server
import json
import socket
import socketserver
import ssl
import struct
import sys
import termios
import threading
import time

from . import api

HANDSHAKE_TIMEOUT_S = 20
BODY_MAX = 1 << 20


def reset(connection) -> None:
    """Closes with a TCP reset instead of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # An SSLSocket that is closed sends nothing more by itself.
    connection.close()


class RequestLog:
    """requests.jsonl: one line for each request. Holds no secret: of Authorization only the scheme."""

    KEPT = ("Accept", "Content-Type", "Content-Length", "User-Agent", "Host")

    def __init__(self, path):
        self._file = open(path, "a", buffering=1, encoding="utf-8")
        self._lock = threading.Lock()

    def close(self) -> None:
        self._file.close()

    def write(self, listener, request, status, actions) -> None:
        scheme = (request.headers.get("Authorization") or "").partition(" ")[0] or None
        entry = {
            "at": round(time.time(), 3), "listener": listener, "method": request.method,
            "path": request.target, "headers": list(request.headers.keys()),
            "kept": {name: request.headers[name] for name in self.KEPT if name in request.headers},
            "auth": scheme, "user": request.caller.user.name if request.caller else None,
            "status": status, "faults": actions,
        }
        entry.update(self._body(request))
        with self._lock:
            self._file.write(json.dumps(entry) + "\n")

    @staticmethod
    def _body(request):
        if request.path.endswith("/users/auth/_login"):
            return {"body": "(password)"}
        try:
            return {"body": request.body.decode("utf-8")}
        except UnicodeDecodeError:
            return {"body_base64": base64.b64encode(request.body).decode("ascii")}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "ece-coordinator-sim", ""
    timeout = 60
    # Head and body are written apart: else the second waits until the client has acknowledged the first, in its own time.
    disable_nagle_algorithm = True

    def handle_any(self):
        request = api.Request(self.command, self.path, self.headers, self._read_body())
        taken = self.server.sim.faults.take("request", self.command, self.path, self.server.number)
        request.taken = taken
        reply = taken.instead()
        if reply is None:
            reply = taken.bend(api.answer(self.server.sim.platform, request))
        self._log(request, reply, taken)
        self._send(reply)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_any

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > BODY_MAX:
            self.close_connection = True
            return b""
        return self.rfile.read(int(length))

    def _log(self, request, reply, taken) -> None:
        sim = self.server.sim
        sim.log.write(self.server.number, request, reply.status, taken.names)
        sim.platform.tell("request", method=request.method, path=request.target,
                          status=reply.status, listener=self.server.number)

    # Sending

    def _send(self, reply) -> None:
        wire = reply.wire
        self.server.sim.pause(wire.get("delay_s", 0) + wire.get("hang_s", 0))
        if wire.get("reset"):
            self.close_connection = True
            # Nobody else may flush or close it in an orderly way.
            reset(self.connection)
        elif wire.get("close"):
            self.close_connection = True
        else:
            self._send_head(reply)
            self._send_body(reply)
            if wire.get("then_reset"):
                self._reset_after_sending()

    def _send_head(self, reply) -> None:
        lines = ["HTTP/1.1 %d %s" % (reply.status, self.responses.get(reply.status, ("Scripted",))[0])]
        headers = dict(reply.headers, Server=self.server_version)
        if not reply.wire.get("no_date"):
            headers["Date"] = self._date(reply.wire)
        if reply.wire.get("chunked") or reply.wire.get("endless"):
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(reply.body))
        lines += ["%s: %s" % item for item in headers.items()]
        head = "\r\n".join(lines + ["", ""]).encode("latin-1")
        if "head_delay_s" in reply.wire:
            self._drip(head, 1, reply.wire["head_delay_s"])
        else:
            self.wfile.write(head)

    def _date(self, wire) -> str:
        if "date_text" in wire:
            return wire["date_text"]
        now = self.server.sim.platform.clock.now() + wire.get("date_offset_s", 0)
        return email.utils.formatdate(now, usegmt=True)

    def _send_body(self, reply) -> None:
        body, wire = reply.body, reply.wire
        if self.command == "HEAD":
            return
        if "keep" in wire:
            self.wfile.write(body[:wire["keep"]])
            self.close_connection = True
        elif wire.get("endless"):
            self._send_for_ever()
        elif wire.get("chunked"):
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        elif "chunk" in wire:
            self._drip(body, wire["chunk"], wire["chunk_delay_s"])
        else:
            self.wfile.write(body)

    def _drip(self, data, size, delay_s) -> None:
        for start in range(0, len(data), size):
            self.wfile.write(data[start:start + size])
            self.wfile.flush()
            self.server.sim.pause(delay_s)

    def _send_for_ever(self) -> None:
        """Chunks until the client has had enough, which shows as an error of ours."""
        chunk = b"%x\r\n%s\r\n" % (1 << 14, b" " * (1 << 14))
        while not self.server.sim.stopping:
            self.wfile.write(chunk)

    def _reset_after_sending(self) -> None:
        """What was sent has been taken in by the client before the reset: a reset overtakes what is still on its way."""
        self.close_connection = True
        self.wfile.flush()
        left, deadline = 1, time.monotonic() + HANDSHAKE_TIMEOUT_S
        while left and time.monotonic() < deadline:
            left = struct.unpack("i", fcntl.ioctl(self.connection.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
        reset(self.connection)

    def log_message(self, format, *arguments):
        """Silent: requests.jsonl tells it all."""


class Listener(socketserver.ThreadingTCPServer):
    """One coordinator of the installation."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, number, sim):
        self.number, self.sim = number, sim
        self._live, self._down = set(), threading.Event()
        super().__init__(address, Handler)

    def server_bind(self):
        """Bound to a number and not to "any", or the port would be lost while we are down."""
        super().server_bind()
        chosen, self.socket = self.socket, socket.socket(self.address_family, self.socket_type)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        chosen.close()

    def finish_request(self, connection, client_address):
        """In the connection's own thread: a slow handshake holds up nobody else."""
        how = self.sim.faults.take("connect", listener=self.number).connect() or {}
        self.sim.platform.tell("connect", listener=self.number)
        connection.settimeout(HANDSHAKE_TIMEOUT_S)
        if "tls" not in how and how:
            self._misbehave(connection, how)
            return
        secure = self.sim.context(**how.get("tls", {})).wrap_socket(connection, server_side=True,
                                                                    do_handshake_on_connect=False)
        self._live.add(secure)
        try:
            if self._down.is_set():
                return
            secure.do_handshake()
            super().finish_request(secure, client_address)
        finally:
            self._live.discard(secure)
            self._finish(secure)

    def _misbehave(self, connection, how) -> None:
        self.sim.pause(how.get("hang_s", 0))
        if how.get("hear") or "text" in how:
            connection.recv(1 << 14)
        if "text" in how:
            # Heard to the end, or closing would be a reset that may overtake the text.
            connection.sendall(how["text"])
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 14):
                pass
        if how.get("reset"):
            reset(connection)

    def go_down(self) -> None:
        """As a coordinator that dies: connections are cut, further ones refused. The port stays ours."""
        self._down.set()  # before the look at those that live: who comes later sees it
        self.socket.shutdown(socket.SHUT_RDWR)
        for secure in list(self._live):
            try:
                socket.socket.shutdown(secure, socket.SHUT_RDWR)
            except OSError:
                pass

    def come_back(self) -> None:
        self._down.clear()
        self.socket.listen(self.request_queue_size)

    def get_request(self):
        if self._down.is_set():
            time.sleep(0.01)  # such a socket always counts as readable
            raise OSError("down")
        return super().get_request()

    @staticmethod
    def _finish(secure) -> None:
        if secure.fileno() >= 0:
            try:
                secure.unwrap()
            except OSError:
                pass
            secure.close()

    def shutdown_request(self, request):
        try:
            super().shutdown_request(request)
        except OSError:
            pass

    def handle_error(self, request, client_address):
        """Clients that refuse our certificate or hang up are what many tests are about."""
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, ValueError)):
            super().handle_error(request, client_address)
        self.sim.platform.tell("broken-connection", listener=self.number, error=str(error))


class Contexts:
    """TLS as the coordinators speak it: as it should be, and as some rule wants it. Made when first wanted."""

    def __init__(self, pki, directory):
        self._pki, self._directory = pki, directory
        self._lock, self._made = threading.Lock(), {}

    def get(self, leaf=None, maximum=None) -> ssl.SSLContext:
        with self._lock:
            if (leaf, maximum) not in self._made:
                self._made[leaf, maximum] = self._make(leaf, maximum)
            return self._made[leaf, maximum]

    def _make(self, leaf, maximum):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if leaf or maximum:
            context.set_ciphers("ALL:@SECLEVEL=0")  # or OpenSSL would not be so weak
        if maximum:
            context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion[maximum]
        chain = (self._pki.chain, self._pki.key)
        if leaf:
            chain = self._pki.further_leaf(leaf, self._directory / ("leaf-" + leaf))
        context.load_cert_chain(*chain)
        return context


def _serve(server) -> None:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class Simulator:
    """All doors of one installation around one Platform."""

    def __init__(self, platform, faults, pki, directory):
        self.platform, self.faults = platform, faults
        self.log = RequestLog(directory / "requests.jsonl")
        self._contexts = Contexts(pki, directory)
        self.context = self._contexts.get
        self.context()  # a certificate that can't be used is no matter for a later thread
        self._servers = []
        self._stopping = threading.Event()
        self.urls = []

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def pause(self, seconds) -> None:
        if seconds:
            self._stopping.wait(seconds)

    def listen(self, host, port) -> str:
        server = Listener((host, port), len(self.urls), self)
        self.urls.append("https://%s:%d" % (host, server.server_address[1]))
        self.add_door(server)
        return self.urls[-1]

    def add_door(self, server) -> None:
        self._servers.append(server)
        _serve(server)

    def listener(self, number) -> Listener:
        return next(server for server in self._servers if getattr(server, "number", None) == number)

    def close(self) -> None:
        self._stopping.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self.log.close()
