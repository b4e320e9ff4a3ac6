# SPDX-License-Identifier: Apache-2.0
"""HTTP servers in threads of ours; a service is a function from a Request to a Reply."""

import dataclasses
import http.server
import json
import ssl
import threading
import urllib.parse

BODY_MAX = 1 << 20


@dataclasses.dataclass
class Request:
    method: str
    target: str  # path and query as they were sent
    headers: dict  # names in small letters
    body: bytes
    peer: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict:
        """The last value of each name."""
        return dict(urllib.parse.parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclasses.dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    kind: str = "text/plain"
    headers: dict = dataclasses.field(default_factory=dict)


def text(words, status=200) -> Reply:
    return Reply(status, words.encode())


def value(content, status=200, kind="application/json") -> Reply:
    return Reply(status, json.dumps(content).encode(), kind)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def answer(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), BODY_MAX)
        request = Request(self.command, self.path, {name.lower(): each for name, each in self.headers.items()},
                          self.rfile.read(length), self.client_address[0])
        reply = self.server.service(request)
        self.server.seen.append((request, reply))
        self.send_response(reply.status)
        for name, each in {"Content-Type": reply.kind, "Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, each)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_PUT = do_POST = answer

    def log_message(self, *words):
        """Tests look at what was seen, and not at lines."""


class Web(http.server.ThreadingHTTPServer):
    """Serves until close(). seen: (Request, Reply) of each, in order. tls: (chain, key)."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address, service, tls=None):
        super().__init__(address, _Handler)
        self.service, self.seen = service, []
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            # The handshake is made by the connection's own thread, when it first reads.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def handle_error(self, request, client_address):
        """A client that goes away in the middle is nothing to tell."""

    def close(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()
