# SPDX-License-Identifier: Apache-2.0
"""The HTTPS door: TLS, HTTP/1.1, the log of requests, and all the ways in which a reply may go wrong."""

import base64
import email.utils
import http.server
import json
import socket
import socketserver
import ssl
import struct
import sys
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

    def _send_head(self, reply) -> None:
        lines = ["HTTP/1.1 %d %s" % (reply.status, self.responses.get(reply.status, ("Scripted",))[0])]
        headers = dict(reply.headers, Server=self.server_version)
        if not reply.wire.get("no_date"):
            headers["Date"] = self._date(reply.wire)
        if reply.wire.get("chunked"):
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(reply.body))
        lines += ["%s: %s" % item for item in headers.items()]
        self.wfile.write("\r\n".join(lines + ["", ""]).encode("latin-1"))

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
        elif wire.get("chunked"):
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        elif "chunk" in wire:
            for start in range(0, len(body), wire["chunk"]):
                self.wfile.write(body[start:start + wire["chunk"]])
                self.wfile.flush()
                self.server.sim.pause(wire["chunk_delay_s"])
        else:
            self.wfile.write(body)

    def log_message(self, format, *arguments):
        """Silent: requests.jsonl tells it all."""


class Listener(socketserver.ThreadingTCPServer):
    """One coordinator of the installation."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, number, context, sim):
        self.number, self.context, self.sim = number, context, sim
        super().__init__(address, Handler)

    def finish_request(self, connection, client_address):
        """In the connection's own thread: a slow handshake holds up nobody else."""
        if not self._misbehave(connection):
            connection.settimeout(HANDSHAKE_TIMEOUT_S)
            secure = self.context.wrap_socket(connection, server_side=True)
            try:
                super().finish_request(secure, client_address)
            finally:
                self._finish(secure)

    def _misbehave(self, connection) -> bool:
        how = self.sim.faults.take("connect", listener=self.number).connect()
        self.sim.platform.tell("connect", listener=self.number)
        if how is None:
            return False
        self.sim.pause(how.get("hang_s", 0))
        if how.get("reset"):
            reset(connection)
        elif how.get("plain"):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        return True

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


def tls_context(pki) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.chain, pki.key)
    return context


def _serve(server) -> None:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class Simulator:
    """All doors of one installation around one Platform."""

    def __init__(self, platform, faults, pki, directory):
        self.platform, self.faults = platform, faults
        self.log = RequestLog(directory / "requests.jsonl")
        self._context = tls_context(pki)
        self._servers = []
        self._stopping = threading.Event()
        self.urls = []

    def pause(self, seconds) -> None:
        if seconds:
            self._stopping.wait(seconds)

    def listen(self, host, port) -> str:
        server = Listener((host, port), len(self.urls), self._context, self)
        self.urls.append("https://%s:%d" % (host, server.server_address[1]))
        self.add_door(server)
        return self.urls[-1]

    def add_door(self, server) -> None:
        self._servers.append(server)
        _serve(server)

    def close(self) -> None:
        self._stopping.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self.log.close()
