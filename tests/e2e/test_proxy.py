# SPDX-License-Identifier: Apache-2.0
"""The way to the coordinators: a proxy that the spec names, one that the environment names, and a certificate of this host."""

import base64
import contextlib
import os
import re
import socket
import ssl
import subprocess
import threading
import unittest

import tap
from bench import EndToEnd, Scratch
from coordsim.pki import Pki
from test_memory import memory

PASSWORD = "proxy-password-of-ours"


class Proxy(threading.Thread):
    """CONNECT, and what it was sent before the tunnel was open. answer: what it says instead of opening one; inside: the TLS
    context with which it stands in for the coordinator."""

    def __init__(self, answer=None, wants=None, inside=None):
        super().__init__(daemon=True)
        self.answer, self.wants, self.inside = answer, wants, inside
        self.requests, self.heard = [], bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.start()

    def run(self):
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            head = b""
            while b"\r\n\r\n" not in head:
                data = connection.recv(4096)
                if not data:
                    return
                head += data
            self.heard += head
            self.requests.append(head.decode())
            if self.wants and self.wants not in head:
                connection.sendall(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
            elif self.answer is not None:
                connection.sendall(self.answer)
                self._swallow(connection)
            elif self.inside:
                connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                with self.inside.wrap_socket(connection, server_side=True) as secure:
                    self._swallow(secure)
            else:
                host, _, port = head.split()[1].decode().rpartition(":")
                with socket.create_connection((host.strip("[]"), int(port)), 10) as there:
                    connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                    self._join(connection, there)

    def _swallow(self, connection):
        connection.settimeout(5)
        while True:
            data = connection.recv(65536)
            if not data:
                return
            self.heard += data

    def _join(self, one, other):
        back = threading.Thread(target=self._pipe, args=(other, one, False), daemon=True)
        back.start()
        self._pipe(one, other, True)
        back.join()

    def _pipe(self, source, sink, kept):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if kept:
                    self.heard += data
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self._listener.close()


class ProxyTest(EndToEnd):
    def proxy(self, *arguments, **more):
        proxy = Proxy(*arguments, **more)
        self.addCleanup(proxy.close)
        return proxy

    def assertKept(self, proxy):
        """Neither the key nor anything of it went to the proxy, whatever else did."""
        heard = bytes(proxy.heard)
        self.assertNotIn(self.sim.credentials["api_key"].encode(), heard)
        self.assertNotIn(b"Authorization: ApiKey", heard)


class ThroughIt(ProxyTest):
    def test_all_of_it_goes_through(self):
        proxy = self.proxy()
        self.bench.write_spec(proxy=proxy.url)
        self.assertEnrolled(self.bench.run())
        self.assertEqual({request.split()[0] for request in proxy.requests}, {"CONNECT"})
        self.assertKept(proxy)

    def test_a_password(self):
        path = self.bench.secret_file("proxy-password", PASSWORD)
        wanted = b"Basic " + base64.b64encode(b"ops:" + PASSWORD.encode())
        proxy = self.proxy(wants=wanted)
        self.bench.write_spec(proxy=proxy.url, proxy_credential={"user": "ops", "password": {"from": "file", "path": str(path)}})
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertNotIn(PASSWORD, outcome.output)
        self.assertTrue(all(wanted.decode() in request for request in proxy.requests))
        for entry in self.sim.requests():
            self.assertNotIn("Proxy-Authorization", entry["headers"])

    def test_a_password_that_is_mended(self):
        """The daemon asks on, and reads it again."""
        path = self.bench.secret_file("proxy-password", "a-wrong-one")
        proxy = self.proxy(wants=b"Basic " + base64.b64encode(b"ops:" + PASSWORD.encode()))
        self.bench.write_spec(proxy=proxy.url, proxy_credential={"user": "ops", "password": {"from": "file", "path": str(path)}})
        self.bench.socket_unit()
        self.bench.daemon()
        self.bench.wait_gate("coordinator", "shut")
        self.bench.secret_file("proxy-password", PASSWORD)
        self.bench.wait_status("ENROLLED")

    def test_a_password_is_not_for_the_coordinator(self):
        path = self.bench.secret_file("proxy-password", PASSWORD)
        self.bench.write_spec(proxy=self.proxy().url, no_proxy=["127.0.0.0/8"],
                              proxy_credential={"user": "ops", "password": {"from": "file", "path": str(path)}})
        self.assertEnrolled(self.bench.run())
        for entry in self.sim.requests():
            self.assertNotIn("Proxy-Authorization", entry["headers"])

    def test_no_proxy(self):
        proxy = self.proxy()
        self.bench.write_spec(proxy=proxy.url, no_proxy=["127.0.0.1"])
        self.assertEnrolled(self.bench.run())
        self.assertEqual(proxy.requests, [])

    def test_the_environment_is_ignored_and_told(self):
        proxy = self.proxy()
        outcome = self.bench.run(https_proxy=proxy.url, HTTPS_PROXY=proxy.url, ALL_PROXY=proxy.url)
        self.assertEnrolled(outcome)
        self.assertEqual(proxy.requests, [])
        self.assertIn("https_proxy is set in the environment and ignored", outcome.output)

    def test_check_goes_through_it(self):
        proxy = self.proxy()
        self.bench.write_spec(proxy=proxy.url)
        self.bench.command("check", str(self.bench.spec_path))
        self.assertEqual(len(proxy.requests), 1)


class Refusals(ProxyTest):
    def met(self, reason, code, *arguments, **more):
        proxy = self.proxy(*arguments, **more)
        self.bench.write_spec(give_up_after="1500ms", proxy=proxy.url)
        self.assertExit(self.bench.run(), code, reason)
        self.assertEqual(self.sim.requests(), [])
        self.assertKept(proxy)

    def test_nobody_is_there(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        self.bench.write_spec(give_up_after="1500ms", proxy="http://127.0.0.1:%d" % port)
        self.assertExit(self.bench.run(), 69, "proxy.unreachable")

    def test_it_wants_a_password(self):
        self.met("proxy.authentication", 78, wants=b"nothing of ours")

    def test_it_forbids(self):
        self.met("proxy.forbidden", 78, b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")

    def test_it_does_not_get_through(self):
        self.met("proxy.failing", 69, b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    def test_it_speaks_html(self):
        self.met("proxy.failing", 69, b"HTTP/1.1 503 X\r\nContent-Type: text/html\r\n\r\n<html>" + b"x" * 65536)

    def test_headers_without_end(self):
        self.met("proxy.unreachable", 69, b"HTTP/1.1 200 OK\r\n" + b"X-Y: %s\r\n" % (b"z" * 1000) * 2000)

    def test_it_redirects(self):
        self.met("proxy.other", 69, b"HTTP/1.1 302 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    def test_it_answers_itself(self):
        """It opens a tunnel to nowhere and answers in the coordinator's place, without being able to prove it."""
        self.met("coordinator.tls-protocol", 69, b"HTTP/1.1 200 Connected\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{\"version\":\"4.0.3\"}")

    def test_it_breaks_tls_open(self):
        """As inspecting proxies do: a tunnel to itself, and a certificate for the right name from an authority of its own."""
        theirs = Pki(self.bench.top / "inspector")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(theirs.chain, theirs.key)
        self.met("coordinator.tls-untrusted", 69, inside=context)


class ClientCertificate(EndToEnd):
    def setUp(self):
        super().setUp()
        self.made = self.bench.top / "client"
        self.made.mkdir()
        self.ca, self.certificate = self.issue("ours")
        self.front = self._front()

    def issue(self, name):
        ca, key = self.made / (name + "-ca.pem"), self.made / (name + "-ca.key")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", ca, "-subj", "/CN=" + name, "-days", 2)
        leaf, request, leaf_key = (self.made / (name + end) for end in (".pem", ".csr", ".key"))
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", leaf_key, "-out", request, "-subj", "/CN=host")
        self.openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", key, "-CAcreateserial", "-out", leaf, "-days", 2)
        leaf_key.chmod(0o600)
        return ca, leaf

    @staticmethod
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    @staticmethod
    def _message(stream):
        """One request or reply with its body; empty when there is none any more."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = stream.recv(65536)
            if not more:
                return b""
            data += more
        length = re.search(rb"\r\ncontent-length: *([0-9]+)\r\n", data, re.IGNORECASE)
        missing = data.index(b"\r\n\r\n") + 4 + int(length[1] if length else 0) - len(data)
        while missing > 0:
            more = stream.recv(missing)
            if not more:
                return b""
            data, missing = data + more, missing - len(more)
        return data

    def _front(self):
        """Something before the coordinator that wants a certificate, and then passes everything on."""
        pki = Scratch.get().pki
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki / "chain.pem", pki / "leaf.key")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.ca)
        there = ssl.create_default_context(cafile=str(self.sim.ca))
        there.check_hostname = False
        behind = self.sim.urls[0].rpartition(":")[2]
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.addCleanup(listener.close)

        def refuse(connection):
            """Lets its alert arrive: a socket that is closed with something unread takes it back."""
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

        def serve(connection):
            with contextlib.suppress(OSError), connection:
                secure = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                try:
                    secure.do_handshake()
                except ssl.SSLError:
                    return refuse(socket.socket(fileno=secure.detach()))
                with secure as one, there.wrap_socket(socket.create_connection(("127.0.0.1", int(behind)))) as other:
                    while request := self._message(one):
                        other.sendall(request)
                        one.sendall(self._message(other))

        def loop():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()
        return "https://127.0.0.1:%d" % listener.getsockname()[1]

    def spec(self, certificate=None, key=None, **more):
        client = certificate and {"file": str(certificate), "key": {"from": "file", "path": str(key or certificate.with_suffix(".key"))}}
        self.bench.write_spec(coordinators=[self.front], client_certificate=client, **more)

    def test_it_is_shown(self):
        self.spec(self.certificate)
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertNotIn("PRIVATE", outcome.output)

    def test_no_connection_is_kept(self):
        """The key would lie about in it. What stands before the coordinator opens one for each that it accepts."""
        self.spec(self.certificate)
        self.assertEnrolled(self.bench.run())
        events = [event["event"] for event in self.sim.control.events()]
        self.assertEqual(events.count("connect"), events.count("request"))

    def test_without_one(self):
        self.spec(give_up_after="1500ms")
        self.assertExit(self.bench.run(), 78, "coordinator.wants-certificate")
        self.assertEqual(self.sim.requests(), [])

    def test_one_of_another_issuer(self):
        self.spec(self.issue("theirs")[1], give_up_after="1500ms")
        self.assertExit(self.bench.run(), 78, "coordinator.wants-certificate")

    def test_a_key_of_another(self):
        self.issue("theirs")
        self.spec(self.certificate, self.made / "theirs.key")
        self.assertExit(self.bench.run(), 78, "credential.client-certificate")

    def test_a_key_with_a_passphrase(self):
        locked = self.made / "locked.key"
        self.openssl("pkey", "-in", self.certificate.with_suffix(".key"), "-aes256", "-passout", "pass:abcd", "-out", locked)
        locked.chmod(0o600)
        self.spec(self.certificate, locked)
        outcome = self.bench.run()
        self.assertExit(outcome, 78, "credential.client-certificate")
        self.assertIn("passphrase", outcome.output)

    def test_a_key_that_others_may_read(self):
        self.certificate.with_suffix(".key").chmod(0o644)
        self.spec(self.certificate)
        self.assertExit(self.bench.run(), 78, "credential.permissions")

    def test_one_that_others_may_change(self):
        self.certificate.chmod(0o666)
        self.spec(self.certificate, self.certificate.with_suffix(".key"))
        outcome = self.bench.run()
        self.assertExit(outcome, 78, "credential.client-certificate")
        self.assertIn("writable by everybody", outcome.output)

    def test_an_expired_one(self):
        chain, key = Pki(self.made / "pki").further_leaf("expired", self.made / "expired")
        key.chmod(0o600)
        self.spec(chain, key, give_up_after="1500ms")  # which is the server's to say, by a clock that can be trusted
        self.assertExit(self.bench.run(), 78, "coordinator.wants-certificate")

    @staticmethod
    def pieces(lines):
        """Whatever of a key would give it away: its lines, its bytes, and these as numbers hold them."""
        private = base64.b64decode("".join(lines))
        wanted = {line.encode() for line in lines[2:]}
        for at in range(300, len(private) - 32, 16):  # behind the public half, which is nobody's secret
            wanted |= {private[at:at + 16], private[at:at + 16][::-1]}
        return re.compile(b"|".join(map(re.escape, sorted(wanted))))

    def in_a_core(self, wanted, agent):
        return [found.group() for content in memory(agent.pid, lambda flags: "dd" not in flags) for found in wanted.finditer(content)]

    @unittest.skipIf(os.getuid() != 0, "needs root, who alone can look")
    def test_the_key_is_in_guarded_memory_alone(self):
        self.engine.behave({"hold": True})
        self.spec(self.certificate)
        agent = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start", timeout_s=30), "no installer was started")
        lines = self.certificate.with_suffix(".key").read_text().splitlines()[1:-1]
        self.assertIn(lines[8].encode(), b"\0".join(memory(agent.pid, lambda flags: "dd" in flags)))
        # A handshake that is under way has the key at hand; what one has left behind is there each time.
        wanted = self.pieces(lines)
        self.assertFalse(all(self.in_a_core(wanted, agent) for _ in range(3)))
        self.bench.containers.release()
        self.assertEnrolled(self.bench.end(agent))

    def test_no_certificate_in_the_file(self):
        (self.made / "empty.pem").write_text("nothing")
        self.spec(self.made / "empty.pem", self.certificate.with_suffix(".key"))
        self.assertExit(self.bench.run(), 78, "credential.client-certificate")


if __name__ == "__main__":
    tap.main()
