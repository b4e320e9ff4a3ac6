# SPDX-License-Identifier: Apache-2.0
"""The other direction: somebody who has taken over ece-installd, and talks to the real agent.

Whatever he sends, the agent neither crashes nor believes that the host has joined, its terminal is not his to draw on,
status.json stays JSON that can be shown, and of its secrets he gets nothing but the token, with the one request that
is for it."""

import array
import json
import os
import re
import socket
import threading

import tap
from bench import EndToEnd

ATTEMPT = "f" * 32
NOTHING = {"origin": "none", "number": 0, "code": "", "detail": "", "where": ""}
# A terminal obeys C0 and DEL, and some obey C1; the agent itself writes line ends only, when it writes to a file.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]")


def event(kind, **members):
    return json.dumps({"protocol": 1, "kind": kind, **members}).encode()


def seen(**members):
    return {**NOTHING, **members}


def line(text):
    return event("line", attempt="", text=text)


CONTAINERS = ("frc-runners-runner", "frc-allocators-allocator", "frc-admin-consoles-admin-console", "frc-constructors-constructor",
              "frc-directors-director", "frc-zookeeper-servers-zookeeper", "frc-proxies-proxyv2", "frc-proxies-route-server")


def honest(request):
    """What a keeper says of an installation that ends at once, and has not joined."""
    attempt = request.get("attempt", "")
    return {
        "attach": [event("state", attempt="", state="none", running_s=0)],
        "probe": [event("state", attempt="", state="none", running_s=0)],
        "gates": [event("gates-open")],
        "look": [event("view", version="", **dict.fromkeys(CONTAINERS, "absent"))],
        "prepare": [event("prepared")],
        "install": [event("state", attempt=attempt, state="running", running_s=0), event("exited", attempt=attempt, seen=NOTHING)],
        "terminate": [event("exited", attempt=attempt, seen=NOTHING)],
        "settle": [event("settled", text="nothing was left")],
        "acknowledge": [event("state", attempt="", state="none", running_s=0)],
    }.get(request["kind"], [event("refused", attempt="", seen=seen(origin="keeper", code="refused"))])


class HostileKeeper(threading.Thread):
    """lie(request) gives packets instead of the honest ones, or None. A packet is bytes, a descriptor, or "close"."""

    def __init__(self, path, lie):
        super().__init__(daemon=True)
        self.lie, self.requests, self.heard, self.passed = lie, [], b"", []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(path))
        self.listener.listen(16)
        self.start()

    def run(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection:
                try:
                    self.serve(connection)
                except OSError:
                    pass  # the agent has had enough of us

    def serve(self, connection):
        while True:
            data, control, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4 * 16))
            if not data:
                return
            self.heard += data
            request = json.loads(data)
            self.requests.append(request["kind"])
            for _, _, numbers in control:
                for fd in array.array("i", numbers[:len(numbers) // 4 * 4]):
                    self.passed.append((request["kind"], os.pread(fd, 65536, 0)))
                    os.close(fd)
            lies = self.lie(request)
            for packet in honest(request) if lies is None else lies:
                if packet == "close":
                    return
                if isinstance(packet, int):
                    socket.send_fds(connection, [event("gates-open")], [packet])
                else:
                    connection.sendall(packet)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join()


class Hostile(EndToEnd):
    def play(self, lie):
        self.bench.write_spec(give_up_after="3s", retry={"windows": 2})
        keeper = HostileKeeper(self.bench.runtime / "installd.sock", lie)
        try:
            outcome = self.bench.run()
        finally:
            keeper.close()
        self.assertSafe(keeper, outcome)
        return keeper, outcome

    def another_bench(self):
        self.bench.close()
        self.bench = self.make_bench()
        self.addCleanup(self.bench.close)
        self.sim = self.bench.sim

    def when(self, kind, *packets):
        return self.play(lambda request: list(packets) if request["kind"] == kind else None)

    def assertSafe(self, keeper, outcome):
        self.assertTrue(64 <= outcome.code <= 78, outcome)  # no signal, no sanitizer, and no success
        self.assertNotEqual((outcome.status or {}).get("state"), "ENROLLED", outcome)
        self.assertIsNone(CONTROL.search(outcome.output), repr(CONTROL.search(outcome.output)))
        if outcome.status:
            self.assertIsNone(CONTROL.search(json.dumps(outcome.status, ensure_ascii=False)))
        key = self.sim.credentials["api_key"].encode()
        self.assertNotIn(key, keeper.heard)
        for kind, content in keeper.passed:
            self.assertEqual(kind, "install")
            self.assertNotIn(key, content)
            self.assertEqual(content.count(b"."), 2)
        self.assertNotRegex(keeper.heard.decode(), r"eyJ[\w-]+\.eyJ")

    def test_an_end_that_was_none(self):
        """It says that the installer has ended well. The platform is asked, and knows of no such host."""
        keeper, _ = self.play(lambda request: None)
        self.assertIn("install", keeper.requests)
        self.assertEqual({kind for kind, _ in keeper.passed}, {"install"})

    def test_escape_sequences(self):
        for text in ("\x1b[2J\x1b]0;owned\x07", "\x9b2J", "a\rb", "\x7f", "\0"):
            keeper, _ = self.when("prepare", line(text), event("prepared"))
            self.assertNotIn("install", keeper.requests)
            self.another_bench()

    def test_escape_sequences_in_a_refusal(self):
        self.when("gates", event("refused", attempt="", seen=seen(origin="host", code="script", detail="\x1b[31mred", where="\x9b")))

    def test_a_stage_that_is_too_long(self):
        self.when("install", event("stage", attempt="", text="x" * 2000))

    def test_a_stage_that_fills_the_page(self):
        self.when("prepare", event("stage", attempt="", text="W" * 1024), event("prepared"))

    def test_more_lines_than_anybody_reads(self):
        self.when("prepare", *[line("x" * 1000)] * 5000, event("prepared"))

    def test_exits_of_all_numbers(self):
        for number in (-1, 0, 1, 255, 2 ** 31 - 1, -2 ** 31, 2 ** 31):
            with self.subTest(number=number):
                self.play(lambda request: [
                    event("state", attempt=request["attempt"], state="running", running_s=2 ** 62),
                    event("exited", attempt=request["attempt"], seen=seen(origin="installer", number=number, code="run-failed")),
                ] if request["kind"] == "install" else None)
            self.another_bench()

    def test_the_end_of_another_attempt(self):
        self.when("install", event("exited", attempt=ATTEMPT, seen=NOTHING))

    def test_an_attempt_that_always_runs(self):
        self.when("attach", event("state", attempt=ATTEMPT, state="running", running_s=1))

    def test_an_end_out_of_nowhere(self):
        self.when("attach", event("exited", attempt=ATTEMPT, seen=NOTHING), event("prepared"), event("settled", text="x"),
                  event("gates-open"), event("state", attempt="", state="ended", running_s=0))

    def test_blame_for_others(self):
        """A refusal may name any origin; the worst that it can do is a failure."""
        for origin, code in (("verify", ""), ("none", ""), ("credential", "permissions"), ("agent", "internal"), ("ece", "x" * 60)):
            with self.subTest(origin=origin):
                self.when("prepare", event("refused", attempt="", seen=seen(origin=origin, code=code)))
            self.another_bench()

    def test_descriptors(self):
        with open("/dev/null", "rb") as null:
            self.when("gates", null.fileno())

    def test_requests_of_its_own(self):
        self.when("gates", event("probe", spec="0" * 64), event("gates-open"))

    def test_no_protocol(self):
        for packet in (b"\xff" * 1000, b"{" * 16000, b"[]", b"x" * 100000):
            with self.subTest(packet=packet[:4]):
                self.when("attach", packet)
            self.another_bench()

    def test_always_gone(self):
        self.play(lambda request: ["close"])

    def test_gates_without_end(self):
        gate = event("gate", name="x" * 20, state="open", found="y" * 100, seen=NOTHING, took_ms=2 ** 31 - 1)
        self.when("gates", *[gate] * 3000, event("gates-open"))


if __name__ == "__main__":
    tap.main()
