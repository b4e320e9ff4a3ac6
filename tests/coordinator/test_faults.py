# SPDX-License-Identifier: Apache-2.0
"""The scripted faults: each does on the wire what its name says."""

import email.utils
import gzip
import http.client
import json
import socket
import ssl
import time
import unittest

from simtest import TOKENS, SimTest, tap

from coordsim import jwt
from coordsim.faults import ACTIONS, Bucket, Rule


class Rules(unittest.TestCase):
    def test_unknown_names_are_refused(self):
        with self.assertRaises(ValueError):
            Rule({"action": "explode"})
        with self.assertRaises(ValueError):
            Rule({"action": "html", "match": {"verb": "GET"}})

    def test_counting(self):
        rule = Rule({"action": "html", "after": 1, "times": 2})
        self.assertEqual([rule.take() for _ in range(5)], [False, True, True, False, False])

    def test_what_is_above_a_rate(self):
        now_s = [100.0]
        rule = Rule({"action": "html", "above": 2})
        rule.bucket = Bucket(2, lambda: now_s[0])
        self.assertEqual([rule.take() for _ in range(3)], [False, False, True])
        now_s[0] += 0.5
        self.assertEqual([rule.take() for _ in range(2)], [False, True])
        now_s[0] += 60
        self.assertEqual([rule.take() for _ in range(3)], [False, False, True])


class Instead(SimTest):
    def once(self, action, **arguments):
        self.sim.control.fault(action, times=1, **arguments)
        return self.ask("GET", "/platform")

    def test_replies(self):
        for action, status, body in (("html", 200, b"<html>"), ("text", 200, b"upstream"), ("empty", 200, b""),
                                     ("ok-false", 200, b'{"ok": false'), ("errors-null", 200, b'{"errors": null}'),
                                     ("errors-empty", 200, b'{"errors": []}'), ("error-string", 200, b'{"error": "'),
                                     ("redirect", 302, b"{}"), ("status", 500, b'{"errors": [{'),
                                     ("200-with-errors", 200, b'{"errors": [{"code": "controller_route.')):
            with self.subTest(action):
                answer = self.once(action)
                self.assertEqual(answer.status, status)
                self.assertTrue(answer.body.startswith(body), answer.body)
                self.assertEqual(self.ask("GET", "/platform").value["version"], "4.0.3")

    def test_status_and_headers(self):
        answer = self.once("status", status=429, code="root.rate", headers={"Retry-After": "7"})
        self.assertEqual((answer.status, answer.code, answer.headers["Retry-After"]), (429, "root.rate", "7"))

    def test_the_request_is_not_processed(self):
        before = self.sim.control.state()["counts"].get("mint", 0)
        self.sim.control.fault("status", path=TOKENS, times=1)
        self.assertEqual(self.ask("POST", TOKENS, {"persistent": False}).status, 500)
        self.assertEqual(self.sim.control.state()["counts"].get("mint", 0), before)

    def test_no_reply(self):
        with self.assertRaises(http.client.RemoteDisconnected):
            self.once("no-reply")

    def test_hang(self):
        with self.assertRaises(http.client.RemoteDisconnected):
            self.once("hang", seconds=0.1)

    def test_reset(self):
        with self.assertRaises(ConnectionResetError):
            self.once("reset")

    def test_matching(self):
        self.sim.control.fault("html", method="^POST$", path="/nowhere$")
        self.assertEqual(self.ask("GET", "/nowhere").status, 404)
        self.assertEqual(self.ask("POST", "/nowhere").status, 200)


class Bent(SimTest):
    def once(self, action, **arguments):
        self.sim.control.fault(action, times=1, **arguments)
        return self.ask("POST", TOKENS, {"persistent": False, "roles": ["allocator", "proxy"]})

    def claims(self, action, **arguments):
        return jwt.claims_of(self.once(action, **arguments).value["token"])

    def test_claims(self):
        self.assertEqual(self.claims("missing-role")["roles"], ["proxy"])
        self.assertEqual(self.claims("missing-role", role="proxy")["roles"], ["allocator"])
        self.assertEqual(self.claims("extra-role", role="director")["roles"], ["allocator", "proxy", "director"])
        self.assertLess(self.claims("exp-past")["exp"], time.time())
        self.assertAlmostEqual(self.claims("exp-in", seconds=90)["exp"], time.time() + 90, delta=5)
        self.assertNotIn("exp", self.claims("no-exp"))
        self.assertNotIn("roles", self.claims("no-roles"))
        self.assertIs(self.claims("persistent-claim")["persistent"], True)
        self.assertIn("constructor", self.claims("foreign-role")["roles"])

    def test_bodies(self):
        self.assertNotIsInstance(self.once("wrong-type").value["token"], str)
        self.assertIn("_links", self.once("extra-members").value)
        self.assertGreater(len(self.once("big-body", bytes=1 << 16).body), 1 << 16)
        with self.assertRaises(ValueError):
            json.loads(self.once("truncate-json").body)
        self.assertIn("'", self.once("token-text").value["token"])
        self.assertEqual(self.once("edit", remove=["token"], set={"x": 1}).value, {"x": 1})
        self.assertEqual(self.once("chunked").status, 200)
        self.assertEqual(self.once("slow-body", chunk_delay_s=0.001).status, 200)

    def test_a_compressed_body(self):
        answer = self.once("gzip")
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertIn("token", json.loads(gzip.decompress(answer.body)))

    def test_another_status_with_the_same_body(self):
        answer = self.once("other-status", status=299)
        self.assertEqual((answer.status, "token" in answer.value), (299, True))

    def test_a_body_that_ends_too_soon(self):
        with self.assertRaises(http.client.IncompleteRead):
            self.once("truncate")

    def test_a_body_that_is_cut_off_by_a_reset(self):
        with self.sim.open() as connection:
            self.sim.control.fault("truncate-reset", times=1)
            connection.sendall(b"GET /api/v1/platform HTTP/1.1\r\nHost: x\r\n\r\n")
            # Below TLS, because Python takes a reset there for an end.
            with self.assertRaises(ConnectionResetError):
                while socket.socket.recv(connection, 1 << 14):
                    pass

    def test_a_body_without_end(self):
        with self.sim.open() as connection:
            self.sim.control.fault("endless", times=1)
            connection.sendall(b"GET /api/v1/platform HTTP/1.1\r\nHost: x\r\n\r\n")
            got = 0
            while got < 4 << 20:
                got += len(connection.recv(1 << 16))

    def test_a_head_that_comes_byte_by_byte(self):
        with self.sim.open() as connection:
            self.sim.control.fault("slow-head", times=1, head_delay_s=0.02)
            connection.sendall(b"GET /api/v1/platform HTTP/1.1\r\nHost: x\r\n\r\n")
            started, head = time.monotonic(), b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(1 << 14)
                self.assertEqual(len(piece), 1)
                head += piece
            self.assertGreaterEqual(time.monotonic() - started, 0.02 * (len(head) - 1))

    def test_dates(self):
        self.assertNotIn("Date", self.once("no-date").headers)
        self.assertEqual(self.once("garbage-date").headers["Date"], "yesterday")
        shown = email.utils.parsedate_to_datetime(self.once("wrong-date", seconds=-3600).headers["Date"])
        self.assertAlmostEqual(shown.timestamp(), time.time() - 3600, delta=5)

    def test_a_lost_reply_has_minted_all_the_same(self):
        before = self.sim.control.state()["counts"].get("mint", 0)
        with self.assertRaises(ConnectionError):
            self.once("drop-after-read")
        self.assertEqual(self.sim.control.state()["counts"]["mint"], before + 1)

    def test_an_orderly_end_instead_of_the_reply(self):
        with self.assertRaises(http.client.RemoteDisconnected):
            self.once("close-after-read")

    def test_delay(self):
        started = time.monotonic()
        self.once("delay", seconds=0.2)
        self.assertGreaterEqual(time.monotonic() - started, 0.2)

    def test_several_act_together(self):
        self.sim.control.fault("no-date", times=1)
        answer = self.once("header", name="X-Odd", value="1")
        self.assertEqual((answer.headers["X-Odd"], answer.headers["Date"]), ("1", None))


class Connections(SimTest):
    def test_each(self):
        for action, error in (("connect-close", OSError), ("connect-reset", ConnectionError),
                              ("connect-hang", OSError), ("connect-plain", ssl.SSLError),
                              ("connect-ssh", ssl.SSLError), ("connect-garbage", ssl.SSLError),
                              ("connect-cut", ssl.SSLEOFError)):
            with self.subTest(action):
                self.sim.control.fault(action, event="connect", times=1, seconds=0.05)
                with self.assertRaises(error):
                    self.ask("GET", "/platform")
                self.assertEqual(self.ask("GET", "/platform").status, 200)

    def test_what_a_port_says_that_is_no_coordinators(self):
        self.sim.control.fault("connect-ssh", event="connect", times=1)
        with socket.create_connection((self.sim.address.hostname, self.sim.address.port), 20) as connection:
            connection.sendall(b"hello")
            self.assertTrue(connection.recv(100).startswith(b"SSH-2.0-"))

    def test_old_tls(self):
        self.sim.control.fault("connect-tls", event="connect", times=2, maximum="TLSv1_1")
        with self.assertRaises(ssl.SSLError):
            self.ask("GET", "/platform")
        context = ssl._create_unverified_context()
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
        with self.sim.open(context) as connection:
            self.assertEqual(connection.version(), "TLSv1.1")

    def test_a_coordinator_dies_and_comes_back(self):
        with self.sim.open() as connection:
            self.sim.control.listener(up=False)
            self.assertEqual(connection.recv(1), b"")
        for _ in range(2):
            with self.assertRaises(ConnectionRefusedError):
                self.ask("GET", "/platform")
        self.sim.control.listener(up=True)
        self.assertEqual(self.ask("GET", "/platform").status, 200)

    def test_waiting_for_events(self):
        self.ask("GET", "/user")
        self.assertTrue(self.sim.control.wait("request", path="/user$"))
        self.assertFalse(self.sim.control.wait("join", timeout_s=0.05))


class Certificates(unittest.TestCase):
    def test_bad_leaves_are_refused(self):
        for leaf in ("expired", "not-yet-valid", "wrong-name"):
            class Bad(SimTest):
                options = ("--leaf", leaf)
                pki = None

            with self.subTest(leaf):
                Bad.setUpClass()
                try:
                    with self.assertRaises(ssl.SSLCertVerificationError):
                        Bad.sim.ask("GET", "")
                finally:
                    Bad.doClassCleanups()


class OtherLeaves(SimTest):
    """Each of them in place of the good one for as long as a rule says so."""

    def test_each(self):
        for leaf, why in (("expired", "expired"), ("not-yet-valid", "not yet valid"), ("wrong-name", "mismatch"),
                          ("self-signed", "self-signed"), ("weak-key", "too weak|key too small"),
                          ("weak-digest", "md too weak|CA signature digest algorithm too weak")):
            with self.subTest(leaf):
                self.sim.control.fault("connect-tls", event="connect", leaf=leaf, times=1)
                context = ssl.create_default_context(cafile=str(self.sim.ca))
                context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
                context.set_ciphers("DEFAULT:@SECLEVEL=2")
                with self.assertRaisesRegex(ssl.SSLError, why):
                    self.sim.open(context).close()
                self.assertEqual(self.ask("GET", "/platform").status, 200)


class Completeness(unittest.TestCase):
    def test_every_action_is_in_some_test(self):
        """A fault that no test of this directory names is a fault nobody has seen work."""
        import pathlib
        text = "".join(p.read_text() for p in pathlib.Path(__file__).parent.glob("test_*.py"))
        missing = [name for name in ACTIONS if '"%s"' % name not in text]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    tap.main()
