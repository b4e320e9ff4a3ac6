#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The webhook: each verdict reaches its receiver once, whatever lies between them, and nobody waits for it."""

import http.server
import importlib.util
import json
import pathlib
import signal
import ssl
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import tap  # noqa: E402
from bench import HOST_IP, EndToEnd, TESTS, Scratch  # noqa: E402
from coordsim.pki import Pki  # noqa: E402

_found = importlib.util.spec_from_file_location("verify_webhook", TESTS.parent / "etc/examples/verify-webhook.py")
EXAMPLE = importlib.util.module_from_spec(_found)
_found.loader.exec_module(EXAMPLE)
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """What somebody's own would do: verifies, dedups, answers as it is told to for a while."""

    def __init__(self, pki, answers=(), port=0):
        self.requests, self.accepted, self.answers = [], {}, list(answers)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = outer.judge(self.path, self.headers, body)
                self.send_response(status)
                for line in headers.items():
                    self.send_header(*line)
                self.end_headers()

            def log_message(self, *words):
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki / "chain.pem", pki / "leaf.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = "https://127.0.0.1:%d/ece?from=hosts" % self.port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def judge(self, path, headers, body):
        self.requests.append((path, dict(headers), body))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, tuple):
            return answer
        if 200 <= answer < 300:
            if headers["webhook-id"] in self.accepted:
                return 409, {}
            self.accepted[headers["webhook-id"]] = json.loads(body)
        return answer, {}

    def events(self):
        return list(self.accepted.values())

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Webhook(EndToEnd):
    def setUp(self):
        super().setUp()
        self.pki = Scratch.get().pki
        self.key = self.bench.secret_file("webhook-key", KEY)

    def receiver(self, *answers, port=0):
        receiver = Receiver(self.pki, answers, port)
        self.addCleanup(receiver.close)
        return receiver

    def write_spec(self, url, **changes):
        self.bench.write_spec(report={"webhook": {"url": url, "ca_file": str(self.pki / "ca.pem"),
                                                  "hmac_key": {"from": "file", "path": str(self.key)}}}, **changes)

    def outbox(self):
        return sorted((self.bench.state / "outbox").glob("*.json"))


class Verdict(Webhook):
    def test_enrolled(self):
        receiver = self.receiver()
        self.write_spec(receiver.url)
        self.assertEnrolled(self.bench.run())
        ((path, headers, body),) = receiver.requests
        self.assertEqual((path, headers["Content-Type"]), ("/ece?from=hosts", "application/cloudevents+json"))
        self.assertEqual(headers["Idempotency-Key"], '"%s"' % headers["webhook-id"])
        (event,) = receiver.events()
        self.assertEqual((event["id"], event["type"], event["subject"]), (headers["webhook-id"], "ece-enroll.host.enrolled", HOST_IP))
        self.assertEqual(event["data"]["ece_enroll"]["roles"], ["allocator"])
        self.assertEqual((event["data"]["host"]["ip"], event["data"]["event"]["outcome"]), ([HOST_IP], "success"))
        self.assertEqual((self.outbox(), self.bench.status()["webhook"]), ([], {"pending": 0, "last": ""}))
        # By the example's eyes: the key's owner believes it, and nobody else, nor later.
        key, now = EXAMPLE.key_bytes(KEY), int(headers["webhook-timestamp"])
        self.assertIsNone(EXAMPLE.verify(key, headers, body, now))
        self.assertIn("not ours", EXAMPLE.verify(b"other", headers, body, now))
        self.assertIn("not ours", EXAMPLE.verify(key, headers, body + b" ", now))
        self.assertIn("not ours", EXAMPLE.verify(key, dict(headers, **{"webhook-timestamp": str(now + 1)}), body, now))
        self.assertIn("too old", EXAMPLE.verify(key, headers, body, now + 301))

    def test_failed(self):
        receiver = self.receiver()
        self.write_spec(receiver.url)
        self.fault("status", method="POST", status=401, code="root.unauthenticated")
        self.assertExit(self.bench.run(), 77, "credential.denied")
        (event,) = receiver.events()
        self.assertEqual((event["type"], event["data"]["error"]["code"]), ("ece-enroll.host.failed", "credential.denied"))

    def test_without_a_key_it_is_not_signed(self):
        receiver = self.receiver()
        self.bench.write_spec(report={"webhook": {"url": receiver.url, "ca_file": str(self.pki / "ca.pem")}})
        self.assertEnrolled(self.bench.run())
        self.assertNotIn("webhook-signature", receiver.requests[0][1])

    def test_no_secret_is_in_it(self):
        receiver = self.receiver()
        self.write_spec(receiver.url)
        self.assertEnrolled(self.bench.run())
        said = repr(receiver.requests)
        self.assertNotIn(self.sim.credentials["api_key"], said)
        self.assertNotIn(KEY, said)
        self.assertNotIn("eyJ", said)

    def test_the_same_verdict_is_reported_once(self):
        """Another agent on a member: nothing new."""
        receiver = self.receiver()
        self.write_spec(receiver.url)
        self.bench.socket_unit()
        for _ in range(2):
            agent = self.bench.daemon()
            self.bench.wait_status("ENROLLED")
            self.bench.wait_for(lambda: receiver.events() and not self.outbox())  # sent, and known to be accepted
            agent.send_signal(signal.SIGTERM)
            self.assertEqual(self.bench.end(agent).code, 0)
            self.bench.wait_status("STOPPING")
        self.assertEqual(len(receiver.requests), 1)


class Trouble(Webhook):
    def test_nobody_waits_for_a_receiver_that_is_down(self):
        """It is told, and the next start sends it."""
        receiver = self.receiver()
        url, port = receiver.url, receiver.port
        receiver.close()
        self.write_spec(url)
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertEqual(len(self.outbox()), 1)
        self.assertEqual(self.bench.status()["webhook"]["pending"], 1)
        self.assertIn("connect", self.bench.status()["webhook"]["last"])
        again = self.receiver(port=port)
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.outbox(), [])
        self.assertEqual([event["type"] for event in again.events()], ["ece-enroll.host.enrolled"])

    def test_it_is_tried_again(self):
        for answers in ((503,), (429, 500), (302,)):
            receiver = self.receiver(*answers)
            self.write_spec(receiver.url)
            self.bench.socket_unit()
            agent = self.bench.daemon()
            self.bench.wait_for(receiver.events)
            self.bench.wait_for(lambda: not self.outbox())
            self.assertEqual(len({headers["webhook-id"] for _, headers, _ in receiver.requests}), 1)
            self.assertEqual(len(receiver.requests), len(answers) + 1)
            agent.send_signal(signal.SIGTERM)
            self.bench.end(agent)
            self.bench.close()
            self.setUp()

    def test_a_reply_that_is_lost(self):
        """The receiver has it, and the agent does not know: sent again, taken once."""
        receiver = self.receiver()
        lost = []
        judge = receiver.judge

        def lose_the_first(path, headers, body):
            answer = judge(path, headers, body)
            if not lost:
                lost.append(body)
                return 500, {}
            return answer

        receiver.judge = lose_the_first
        self.write_spec(receiver.url)
        self.bench.socket_unit()
        self.bench.daemon()
        self.bench.wait_for(lambda: len(receiver.requests) == 2)
        self.bench.wait_for(lambda: not self.outbox())
        self.assertEqual(len(receiver.events()), 1)

    def test_one_that_wants_none(self):
        receiver = self.receiver(410)
        self.write_spec(receiver.url)
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertEqual((self.outbox(), len(receiver.requests)), ([], 1))

    def test_a_stranger_gets_nothing(self):
        """Not by the authority that the spec names: no byte of a report."""
        receiver = Receiver(Pki(self.bench.top / "other-pki").directory)
        self.addCleanup(receiver.close)
        self.write_spec(receiver.url)
        self.assertEnrolled(self.bench.run())
        self.assertEqual((receiver.requests, len(self.outbox())), ([], 1))

    def test_killed_at_any_moment(self):
        """Once in the outbox it arrives; before that, the next agent finds the same verdict and reports it."""
        receiver = self.receiver()
        self.write_spec(receiver.url)
        self.bench.socket_unit()
        for _ in range(4):
            agent = self.bench.daemon()
            self.bench.wait_for(lambda: (self.bench.status() or {}).get("state") == "ENROLLED" or agent.poll() is not None)
            self.kill_group(agent)
            (self.bench.runtime / "status.json").unlink()
        self.bench.daemon()
        self.bench.wait_status("ENROLLED")
        self.bench.wait_for(lambda: not self.outbox() and receiver.events())
        self.assertEqual([event["type"] for event in receiver.events()], ["ece-enroll.host.enrolled"])

    def test_down_over_three_boots(self):
        """Power is lost each time: neither agent nor keeper can say anything, and nothing in /run is left."""
        receiver = self.receiver()
        url, port = receiver.url, receiver.port
        receiver.close()
        self.write_spec(url)
        for _ in range(3):
            keeper, agent = self.bench.socket_unit(), self.bench.daemon()
            self.bench.wait_for(lambda: (self.bench.status() or {}).get("webhook", {}).get("last"))
            self.kill_group(agent)
            if keeper.process and keeper.process.poll() is None:
                keeper.kill()
            for path in self.bench.runtime.iterdir():
                if path.is_file() or path.is_socket():
                    path.unlink()
        again = self.receiver(port=port)
        self.bench.socket_unit()
        self.bench.daemon()
        self.bench.wait_for(lambda: again.events() and not self.outbox())
        self.assertEqual([event["type"] for event in again.events()], ["ece-enroll.host.enrolled"])
        self.assertEqual(len(again.requests), 1)

    def test_a_key_that_is_not_there(self):
        receiver = self.receiver()
        self.key.unlink()
        self.write_spec(receiver.url)
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertEqual((receiver.requests, len(self.outbox())), ([], 1))
        self.assertIn("no such file", self.bench.status()["webhook"]["last"])

    def test_a_key_that_is_none(self):
        receiver = self.receiver()
        self.key = self.bench.secret_file("webhook-key", "whsec_a*cd")
        self.write_spec(receiver.url)
        self.assertEnrolled(self.bench.run())
        self.assertEqual((receiver.requests, len(self.outbox())), ([], 1))
        self.assertIn("hmac_key", self.bench.status()["webhook"]["last"])

    def test_an_authority_that_is_none(self):
        receiver = self.receiver()
        (self.bench.top / "none.pem").write_text("no certificate\n")
        self.bench.write_spec(report={"webhook": {"url": receiver.url, "ca_file": str(self.bench.top / "none.pem")}})
        self.assertEnrolled(self.bench.run())
        self.assertEqual((receiver.requests, len(self.outbox())), ([], 1))
        self.assertIn("none.pem", self.bench.status()["webhook"]["last"])


if __name__ == "__main__":
    tap.main()
