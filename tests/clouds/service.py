# SPDX-License-Identifier: Apache-2.0
"""An HTTP or HTTPS service in a thread: what the simulators of clouds have in common.

A service answers by answer(request); what it was asked is kept, with the time. instead() puts answers in front: a service that is
throttled, away, hostile. All waiting is for a request that has come.
"""

import http.server
import json
import ssl
import threading
import time
import urllib.parse

HUGE = object()  # as a body: without an end
BODY_MAX = 1 << 20


class Request:
    def __init__(self, handler, body):
        self.at = time.time()
        self.method, self.target, self.headers, self.body = handler.command, handler.path, handler.headers, body
        self.host = handler.headers.get("Host", "")
        self.path, _, query = handler.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.status = None

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode("ascii"), keep_blank_values=True, strict_parsing=True))

    @property
    def json(self):
        return json.loads(self.body)


class Answer:
    def __init__(self, status, body="", kind="text/plain", **headers):
        self.status, self.body = status, body
        self.headers = dict({"Content-Type": kind}, **{name.replace("_", "-"): value for name, value in headers.items()})


def as_json(status, value, **headers):
    return Answer(status, json.dumps(value), "application/json", **headers)


REDIRECT = Answer(302, "", Location="http://127.0.0.1:9/elsewhere")
PAGE = Answer(200, "<!DOCTYPE html><html><body>Please log in</body></html>", "text/html")
ENDLESS = Answer(200, HUGE)
RESET = None
HANG = object()  # nothing, until the service is closed


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def handle_any(self):
        length = self.headers.get("Content-Length", "0")
        request = Request(self, self.rfile.read(min(int(length), BODY_MAX)))
        service = self.server.service
        answer = service.take(request)
        if answer is RESET:
            service.keep(request)
            self.close_connection = True
            return
        if answer is HANG:
            service.keep(request)
            service.closed.wait()
            self.close_connection = True
            return
        request.status = answer.status
        service.keep(request)
        if answer.body is HUGE:
            self._endless(answer)
            return
        body = answer.body.encode("utf-8")
        self._head(answer, "Content-Length", str(len(body)))
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

    def _head(self, answer, name, value):
        self.send_response(answer.status)
        for item in [*answer.headers.items(), (name, value)]:
            self.send_header(*item)
        self.end_headers()

    def _endless(self, answer):
        self.close_connection = True
        self._head(answer, "Connection", "close")
        try:
            while True:
                self.wfile.write(b"x" * 65536)
                self.server.service.endless += 65536
        except OSError:
            pass

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service, context, address):
        super().__init__((address, 0), Handler)
        self.service = service
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        """A client that goes away in the middle is no news."""


class Service:
    """pki: a directory with chain.pem and leaf.key, for HTTPS. address: where hosts are that are not this one."""

    address = "127.0.0.1"

    def __init__(self, pki=None):
        context = None
        if pki:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pki / "chain.pem", pki / "leaf.key")
        self.requests, self._instead = [], []
        self.endless = 0  # bytes of bodies without an end that somebody has taken
        self.turn, self.closed = threading.Condition(), threading.Event()
        self._server = Server(self, context, self.address)
        self.url = "%s://%s:%d" % ("https" if pki else "http", self.address, self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self):
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request):
        raise NotImplementedError

    def instead(self, *answers, path="", method=""):
        """The next requests to such a path get these answers, one each, the service's own for none of them."""
        with self.turn:
            self._instead += [(path, method, answer) for answer in answers]

    def always(self, answer, path=""):
        self.instead(*[answer] * 1000, path=path)

    def relent(self):
        with self.turn:
            self._instead.clear()

    def take(self, request):
        with self.turn:
            for at, (path, method, answer) in enumerate(self._instead):
                if path in request.target and method in request.method:
                    del self._instead[at]
                    return answer
        return self.answer(request)

    def keep(self, request):
        with self.turn:
            self.requests.append(request)
            self.turn.notify_all()

    def asked(self, method="", path=""):
        with self.turn:
            return [r for r in self.requests if method in r.method and path in r.target]

    def wait(self, holds, timeout_s=60):
        """Until holds(self), looked at after each request."""
        with self.turn:
            if not self.turn.wait_for(lambda: holds(self), timeout_s):
                raise AssertionError("never so: %s" % [(r.method, r.target, r.status) for r in self.requests])

    def change(self, **members):
        """What an answer that is being waited for depends on."""
        with self.turn:
            for name, value in members.items():
                setattr(self, name, value)
            self.turn.notify_all()
