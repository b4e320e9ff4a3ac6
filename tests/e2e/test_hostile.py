# SPDX-License-Identifier: Apache-2.0
"""Servers that are not who they should be, or are and misbehave: how many bytes of the credential does each of them get?

Each server keeps every byte that it is sent, decrypted where a handshake came to its end. A stranger is met twice: from the
first connection on, and by an agent that has already shown its credential there and means to do so again ("turned": the first
connection is an honest server's, which says to come later and hangs up; what that one hears does not count). What is counted is the longest
piece of the secret, of eight bytes or more, in anything that was received.
"""

import base64
import contextlib
import gzip
import json
import socket
import ssl
import threading

import tap
from bench import EndToEnd
from coordsim.pki import Pki

LATER = b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
PIECE = 8
TABLE = []


def exposed(secret, data) -> int:
    """The longest piece of the secret in data, as it is and as base64 has it."""
    best = 0
    for form in (secret.encode(), base64.b64encode(secret.encode())):
        for begin in range(len(form) - PIECE + 1):
            length = best or PIECE
            while begin + length <= len(form) and form[begin:begin + length] in data:
                best = length
                length += 1
    return best


class Server(threading.Thread):
    """One port. contexts(n): the TLS context of the n-th connection or None for none; words: what it answers; first: the context
    of an honest first connection."""

    def __init__(self, contexts, words=b"", raw=b"", endless=b"", first=None):
        super().__init__(daemon=True)
        self.first = first
        self.contexts, self.words, self.raw, self.endless = contexts, words, raw, endless
        self.heard, self.connections, self.requests = bytearray(), 0, 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.url = "https://127.0.0.1:%d" % self.port
        self._closing = False
        self.start()

    def run(self):
        while not self._closing:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection, number):
        connection.settimeout(20)
        with contextlib.suppress(OSError, ValueError), connection:
            if self.first and number == 1:
                with self.first.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(LATER)
                return
            context = self.contexts(number)
            if context is None:
                connection.sendall(self.raw)
                self._keep(connection)
                return
            with context.wrap_socket(connection, server_side=True) as secure:
                self._answer(secure)

    def _keep(self, connection):
        while True:
            data = connection.recv(65536)
            if not data:
                return
            self.heard += data

    def _answer(self, secure):
        request = b""
        while b"\r\n\r\n" not in request:
            data = secure.recv(65536)
            if not data:
                break
            request += data
            self.heard += data
        if not request:
            return
        self.requests += 1
        secure.sendall(self.words)
        while self.endless:
            secure.sendall(self.endless)
        if self.words:
            return
        self._keep(secure)

    def close(self):
        self._closing = True
        self._listener.close()


def context(chain, key, maximum=None, ciphers=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(ciphers or "DEFAULT:@SECLEVEL=0")
    if maximum:
        made.minimum_version, made.maximum_version = ssl.TLSVersion.TLSv1, maximum
    if chain:
        made.load_cert_chain(chain, key)
    return made


class Hostile(EndToEnd):
    def setUp(self):
        super().setUp()
        self.pki = Pki(self.bench.top / "own")
        self.secret = self.sim.credentials["api_key"]
        self.honest = context(self.pki.chain, self.pki.key)

    def leaf(self, kind):
        return self.pki.further_leaf(kind, self.bench.top / ("leaf-" + kind))

    def serve(self, *arguments, **more):
        server = Server(*arguments, **more)
        self.addCleanup(server.close)
        return server

    def meet(self, server, ca=None, pins=None, give_up_after="1500ms", **changes):
        self.bench.write_spec(give_up_after=give_up_after, coordinators=[server.url],
                              trust={"ca_file": str(ca or self.pki.ca), "pins": pins}, **changes)
        outcome = self.bench.run()
        self.assertNotEqual(outcome.code, 0, outcome)
        self.assertEqual(self.bench.installs(), 0)
        return outcome

    def row(self, case, reason, *servers):
        counts = [exposed(self.secret, bytes(server.heard)) for server in servers]
        TABLE.append("%-44s %-34s %s" % (case, reason, " ".join(map(str, counts))))
        return counts


def stranger(kind, reason, make, **trust):
    """Two tests: met at once, and met when it is too late to look away."""
    def meet(self, turned):
        hostile = make(self)
        server = self.serve(lambda n: hostile, first=self.honest if turned else None)
        given = {name: value(self) for name, value in trust.items()}
        outcome = self.meet(server, **given)
        self.assertGreater(server.connections, 1 if turned else 0)
        counts = self.row(kind + (", turned" if turned else ""), outcome.reason, server)
        self.assertEqual(counts, [0])
        self.assertEqual(server.requests, 0)
        self.assertEqual(outcome.reason, reason, outcome)
    return lambda self: meet(self, False), lambda self: meet(self, True)


def of(kind, **more):
    return lambda self: context(*self.leaf(kind), **more)


def old(version):
    return lambda self: context(self.pki.chain, self.pki.key, maximum=version)


STRANGERS = {
    "another_authority": stranger("another authority's certificate", "coordinator.tls-untrusted",
                                  lambda self: self.other()),
    "self_signed": stranger("self-signed", "coordinator.tls-untrusted", of("self-signed")),
    "another_name": stranger("made out to another name", "coordinator.tls-name-mismatch", of("wrong-name")),
    "expired": stranger("expired", "coordinator.tls-expired", of("expired")),
    "not_yet_valid": stranger("not yet valid", "coordinator.tls-not-yet-valid", of("not-yet-valid")),
    "weak_key": stranger("RSA key of 1024 bits", "coordinator.tls-weak", of("weak-key")),
    "weak_digest": stranger("signed with SHA-1", "coordinator.tls-weak", of("weak-digest")),
    "tls_1_0": stranger("TLS 1.0", "coordinator.tls-protocol", old(ssl.TLSVersion.TLSv1)),
    "tls_1_1": stranger("TLS 1.1", "coordinator.tls-protocol", old(ssl.TLSVersion.TLSv1_1)),
    "anonymous": stranger("no certificate at all (anonymous DH)", "coordinator.tls-protocol",
                          lambda self: context(None, None, maximum=ssl.TLSVersion.TLSv1_2, ciphers="ADH:AECDH:@SECLEVEL=0")),
    "null_cipher": stranger("no encryption (NULL cipher)", "coordinator.tls-protocol",
                            lambda self: context(self.pki.chain, self.pki.key, maximum=ssl.TLSVersion.TLSv1_2,
                                                 ciphers="NULL:@SECLEVEL=0")),
}


class Strangers(Hostile):
    def other(self):
        other = Pki(self.bench.top / "other")
        return context(other.chain, other.key)

    def test_a_pin_of_nobody(self):
        server = self.serve(lambda n: self.honest)
        outcome = self.meet(server, pins=["sha256//" + "A" * 43 + "="])
        self.assertEqual(self.row("right authority, wrong pin", outcome.reason, server), [0])
        self.assertEqual(outcome.reason, "coordinator.tls-pin-mismatch", outcome)

    def test_a_pinned_certificate_stapled_on(self):
        """The pinned CA is public: anybody can send it along with a leaf that it never signed."""
        shown = self.bench.command("pin", self.serve(lambda n: self.honest).url, "--json")
        pinned = json.loads(shown.output)["chain"][-1]["pin"]
        forged_chain = self.bench.top / "forged.pem"
        key = self.leaf("self-signed")[1]
        forged_chain.write_bytes(self.leaf("self-signed")[0].read_bytes() + self.pki.ca.read_bytes())
        forged = context(forged_chain, key)
        server = self.serve(lambda n: forged)
        self.bench.write_spec(give_up_after="1500ms", coordinators=[server.url], trust={"ca_file": None, "pins": [pinned]})
        outcome = self.bench.run()
        self.assertEqual(self.row("pinned CA stapled to a foreign leaf", outcome.reason, server), [0])
        self.assertEqual(outcome.reason, "coordinator.tls-untrusted", outcome)

    def words(self, case, reason, raw, **more):
        server = self.serve(lambda n: None, raw=raw)
        outcome = self.meet(server, **more)
        self.assertEqual(self.row(case, outcome.reason, server), [0])
        self.assertIn(outcome.reason, reason, outcome)

    def test_plain_http(self):
        self.words("plain HTTP on the port", ("coordinator.tls-protocol",), b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def test_garbage(self):
        self.words("garbage for a handshake", ("coordinator.tls-protocol",), bytes(range(256)) * 8)

    def test_half_a_handshake(self):
        self.words("half a handshake, then silence", ("coordinator.timeout", "coordinator.reset"),
                   b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", give_up_after="8s")  # more than two handshakes may take

    def test_another_address(self):
        """Right in all, made out to another address."""
        elsewhere = Pki(self.bench.top / "elsewhere", address="127.0.0.2", names=())
        server = self.serve(lambda n: context(elsewhere.chain, elsewhere.key))
        outcome = self.meet(server, ca=elsewhere.ca)
        self.assertEqual(self.row("made out to another address", outcome.reason, server), [0])
        self.assertEqual(outcome.reason, "coordinator.tls-name-mismatch", outcome)

    def test_a_very_long_chain(self):
        """As many certificates as make more than a hundred kilobytes."""
        chain = self.bench.top / "long.pem"
        chain.write_bytes(self.pki.chain.read_bytes() + self.pki.other_ca.read_bytes() * 200)
        long = context(chain, self.pki.key)
        server = self.serve(lambda n: long)
        outcome = self.meet(server)
        self.assertEqual(self.row("chain of 203 certificates", outcome.reason, server), [0])
        self.assertEqual(outcome.reason, "coordinator.tls-protocol", outcome)

    def test_a_slow_handshake(self):
        """The right server's own handshake, a byte now and then."""
        stop = threading.Event()
        self.addCleanup(stop.set)
        honest = self.honest

        class Slow(Server):
            def _serve(self, connection, number):
                into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
                secure = honest.wrap_bio(into, out, server_side=True)
                with contextlib.suppress(OSError), connection:
                    while True:
                        with contextlib.suppress(ssl.SSLWantReadError):
                            secure.do_handshake()
                        for byte in out.read():
                            if stop.wait(0.3):
                                return
                            connection.sendall(bytes([byte]))
                        data = connection.recv(65536)
                        if not data:
                            return
                        self.heard += data
                        into.write(data)

        server = Slow(lambda n: honest)
        self.addCleanup(server.close)
        outcome = self.meet(server, give_up_after="12s")  # more than two handshakes may take
        self.assertEqual(self.row("slow loris in the handshake", outcome.reason, server), [0])
        self.assertEqual(outcome.reason, "coordinator.timeout", outcome)

    def test_the_counter_counts(self):
        """The control: an honest server is sent the whole secret, and it is seen."""
        server = self.serve(lambda n: self.honest, words=b"HTTP/1.1 503 Wait\r\nContent-Length: 0\r\n\r\n")
        outcome = self.meet(server)
        self.assertEqual(self.row("control: the right server", outcome.reason, server), [len(self.secret)])


for _name, (_at_once, _turned) in STRANGERS.items():
    setattr(Strangers, "test_" + _name, _at_once)
    setattr(Strangers, "test_%s_turned" % _name, _turned)


class Misbehaving(Hostile):
    """The right server, which may know the secret, and what it does to pass it on or to exhaust us."""

    def answered(self, case, words, endless=b""):
        server = self.serve(lambda n: self.honest, words=words, endless=endless)
        outcome = self.meet(server)
        return server, outcome, self.row(case, outcome.reason, server)

    def assertHeldOff(self, case, words, reasons, endless=b""):
        _, outcome, counts = self.answered(case, words, endless)
        self.assertIn(outcome.reason, reasons, outcome)
        self.assertEqual(counts, [len(self.secret)])

    def redirected(self, case, elsewhere, location):
        words = ("HTTP/1.1 307 Elsewhere\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location).encode()
        server = self.serve(lambda n: self.honest, words=words)
        outcome = self.meet(server)
        self.assertEqual(self.row(case, outcome.reason, server, elsewhere), [len(self.secret), 0])
        self.assertEqual(elsewhere.connections, 0)
        self.assertEqual(outcome.reason, "coordinator.redirect", outcome)

    def test_redirect_to_http(self):
        elsewhere = self.serve(lambda n: None)
        self.redirected("redirect to http", elsewhere, "http://127.0.0.1:%d/" % elsewhere.port)

    def test_redirect_to_another_server(self):
        elsewhere = self.serve(lambda n: self.honest)
        self.redirected("redirect to another https server", elsewhere, elsewhere.url + "/api/v1/platform")

    def test_large_body(self):
        size = 64 << 20
        self.assertHeldOff("body of 64 MiB", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size,
                           ("coordinator.reply-too-large",), b"x" * 65536)

    def test_endless_chunks(self):
        self.assertHeldOff("chunks without end", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                           ("coordinator.reply-too-large",), b"1000\r\n" + b"x" * 4096 + b"\r\n")

    def test_endless_headers(self):
        self.assertHeldOff("headers without end", b"HTTP/1.1 200 OK\r\n", ("coordinator.reply-too-large",), b"X-Y: %s\r\n" % (b"z" * 4096))

    def test_one_endless_header(self):
        self.assertHeldOff("one header line without end", b"HTTP/1.1 200 OK\r\nX-Y: ",
                           ("coordinator.reply-too-large",), b"z" * 65536)

    def test_endless_interim_replies(self):
        self.assertHeldOff("100 Continue without end", b"", ("coordinator.reply-too-large",), b"HTTP/1.1 100 Continue\r\n\r\n" * 64)

    def test_bomb(self):
        packed = gzip.compress(b"0" * (256 << 20), 9)
        self.assertHeldOff("compressed bomb (256 MiB in %d KiB)" % (len(packed) >> 10),
                           b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s"
                           % (len(packed), packed), ("coordinator.reply-unusable", "coordinator.reply-too-large"))

    def test_upgrade(self):
        self.assertHeldOff("101 Switching Protocols", b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
                           ("coordinator.timeout", "coordinator.empty-reply", "coordinator.unknown-answer", "coordinator.reset"))

    def test_upgrade_to_http_2(self):
        """Frames for an answer, as a server sends them that heard HTTP/2."""
        self.assertHeldOff("HTTP/2 frames", b"\0\0\x12\x04\0\0\0\0\0" + bytes(18) + b"\0\0\x04\x08\0\0\0\0\0" + bytes(4),
                           ("coordinator.unknown-answer",))

    def test_old_http(self):
        self.assertHeldOff("HTTP/0.9", b"{\"version\":\"4.0.3\"}", ("coordinator.unknown-answer",))

    def test_cookies_and_challenges(self):
        words = (b"HTTP/1.1 401 Who\r\nSet-Cookie: a=b\r\nWWW-Authenticate: Basic realm=\"x\"\r\nWWW-Authenticate: Negotiate\r\n"
                 b"Content-Length: 0\r\n\r\n")
        server, outcome, _ = self.answered("401 with cookies and challenges", words)
        self.assertNotIn(b"Cookie", bytes(server.heard))
        self.assertEqual({line for line in bytes(server.heard).split(b"\r\n") if line.startswith(b"Authorization")},
                         {b"Authorization: ApiKey " + self.secret.encode()})

    def test_slow_body(self):
        self.trickle("slow loris in the body", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")

    def test_slow_headers(self):
        self.trickle("slow loris in the headers", b"HTTP/1.1 200 OK\r\nX-Y: ")

    def trickle(self, case, words):
        """A byte now and then, for ever: the whole transfer has an end, whatever trickles."""
        stop = threading.Event()
        self.addCleanup(stop.set)
        honest = self.honest

        class Slow(Server):
            def _answer(self, secure):
                self.heard += secure.recv(65536)
                self.requests += 1
                secure.sendall(words)
                while not stop.wait(0.5):
                    secure.sendall(b" ")

        server = Slow(lambda n: honest)
        self.addCleanup(server.close)
        outcome = self.meet(server)
        self.assertEqual(self.row(case, outcome.reason, server), [len(self.secret)])


PERMISSIVE = """openssl_conf = here
[here]
ssl_conf = ssl
[ssl]
system_default = weak
[weak]
MinProtocol = TLSv1
CipherString = ALL:eNULL@SECLEVEL=0
"""


class PermissiveHost(Hostile):
    """A host whose own OpenSSL is told to take anything, and an environment that would have the agent trust or tell more."""

    def strange(self, case, reason, hostile, **environment):
        server = self.serve(lambda n: hostile)
        self.bench.write_spec(give_up_after="1500ms", coordinators=[server.url], trust={"ca_file": str(self.pki.ca), "pins": None})
        outcome = self.bench.run(**environment)
        self.assertEqual(self.row(case, outcome.reason, server), [0])
        self.assertEqual((outcome.reason, server.requests), (reason, 0), outcome)

    def permissive(self):
        path = self.bench.top / "openssl.cnf"
        path.write_text(PERMISSIVE)
        return {"OPENSSL_CONF": str(path)}

    def test_weak_key(self):
        self.strange("RSA key of 1024 bits, permissive host", "coordinator.tls-weak", context(*self.leaf("weak-key")), **self.permissive())

    def test_weak_digest(self):
        self.strange("signed with SHA-1, permissive host", "coordinator.tls-weak", context(*self.leaf("weak-digest")),
                     **self.permissive())

    def test_old_protocol(self):
        self.strange("TLS 1.1, permissive host", "coordinator.tls-protocol",
                     context(self.pki.chain, self.pki.key, maximum=ssl.TLSVersion.TLSv1_1), **self.permissive())

    def test_no_encryption(self):
        hostile = context(self.pki.chain, self.pki.key, maximum=ssl.TLSVersion.TLSv1_2, ciphers="NULL:@SECLEVEL=0")
        self.strange("NULL cipher, permissive host", "coordinator.tls-protocol", hostile, **self.permissive())

    def test_an_authority_of_the_environment(self):
        other = Pki(self.bench.top / "other")
        names = ("SSL_CERT_FILE", "CURL_CA_BUNDLE")
        self.strange("another authority, named by the environment", "coordinator.tls-untrusted", context(other.chain, other.key),
                     **dict.fromkeys(names, str(other.ca)))

    def test_the_keys_of_the_connections_are_logged_nowhere(self):
        """SSLKEYLOGFILE makes libcurl write what decrypts a recorded conversation, and with it the credential and the token."""
        path = self.bench.top / "keylog"
        self.assertEnrolled(self.bench.run(SSLKEYLOGFILE=str(path)))
        self.assertFalse(path.exists())


class TheTable(EndToEnd):
    """Last by its name: what was seen, for people."""

    def test_the_table(self):
        print("# %-44s %-34s %s" % ("server", "what the agent says", "bytes of the secret that were received"))
        for line in TABLE:
            print("# " + line)
        self.assertGreater(len(TABLE), 30)


if __name__ == "__main__":
    tap.main()
