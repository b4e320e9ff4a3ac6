#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Those who wait for the agent, make it try again, or ask a host for its health."""

import json
import pathlib
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import tap  # noqa: E402
from bench import HOST_IP, EndToEnd  # noqa: E402


class Waiting(EndToEnd):
    def directories(self):
        return self.bench.options()[2:]

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.bench.end(process).code, 0)


class Wait(Waiting):
    def wait(self, *words, **more):
        return self.bench.spoken("wait", *words, *self.directories(), **more)

    def test_until_it_is_enrolled(self):
        """It may be there before the agent."""
        self.engine.behave({"hold": True})
        waiter = self.bench.start("ece-enroll", "wait", *self.directories())
        run = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start"))
        self.assertIsNone(waiter.poll())
        self.bench.containers.release()
        self.assertEqual(self.bench.end(waiter).code, 0)
        self.assertEnrolled(self.bench.end(run))
        self.assertEqual(self.wait(), (0, "this host is enrolled into ECE as runner %s (allocator)\n" % HOST_IP, ""))
        code, out, _ = self.wait("--json")
        self.assertEqual((code, json.loads(out)["state"]), (0, "ENROLLED"))

    def test_with_the_exit_code_of_the_failure(self):
        for code, reason, fault in ((77, "credential.denied", {"action": "status", "status": 401, "code": "root.unauthenticated"}),
                                    (76, "verify.foreign-host", {"action": "foreign-host", "event": "join"})):
            action = fault.pop("action")
            self.fault(action, **(fault if "event" in fault else dict(fault, method="POST")))
            self.assertExit(self.bench.run(), code, reason)
            waited, out, err = self.wait()
            self.assertEqual((waited, out), (code, ""))
            self.assertIn("FAILED", err)
            self.assertIn("[%s]" % reason, err)
            self.sim.control.clear_faults()

    def test_no_longer_than_it_is_told_to(self):
        self.assertEqual(self.wait("--timeout", "1s")[0], 75)
        self.engine.behave({"hold": True})
        run = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start"))
        code, _, err = self.wait("--timeout", "1s")
        self.assertEqual(code, 75)
        self.assertIn("not enrolled yet: INSTALLING", err)
        self.assertIsNone(run.poll())

    def test_not_for_a_host_that_has_left(self):
        (self.bench.state).mkdir(0o700)
        (self.bench.state / "left").write_text("{}")
        self.bench.socket_unit()
        self.bench.daemon()
        code, _, err = self.wait()
        self.assertEqual(code, 78)
        self.assertIn("[host.left]", err)

    def test_without_a_runtime_directory(self):
        code, _, err = self.bench.spoken("wait", "--runtime-dir", self.bench.top / "none")
        self.assertEqual(code, 78)
        self.assertIn("can't watch", err)


class Retry(Waiting):
    def retry(self):
        return self.bench.spoken("retry", *self.directories())

    def test_after_a_failure(self):
        self.fault("status", method="POST", status=401, code="root.unauthenticated")
        self.bench.socket_unit()
        agent = self.bench.daemon()
        self.bench.wait_status("FAILED")
        self.sim.control.clear_faults()
        code, out, err = self.retry()
        self.assertEqual((code, out), (0, ""), err)
        self.assertEqual(self.bench.spoken("wait", *self.directories())[0], 0)
        self.assertEnrolled()
        self.stop(agent)

    def test_a_pause_is_ended(self):
        """Nobody would wait for an hour."""
        self.bench.write_spec(retry={"backoff": {"min": "1h", "max": "1h"}, "give_up_after": "3h"})
        self.engine.behave({"exit": 1})
        self.bench.socket_unit()
        self.bench.daemon()
        self.bench.wait_status("BACKOFF")
        self.assertEqual(self.retry()[0], 0)
        self.bench.wait_status("ENROLLED")

    def test_nobody_is_at_work(self):
        code, _, err = self.retry()
        self.assertEqual(code, 78)
        self.assertIn("no agent is at work", err)
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.retry()[0], 78)
        self.assertFalse((self.bench.state / "retry").exists())

    def test_a_wish_of_old_is_none(self):
        """It was for an agent that ended before it saw it; the next one begins anyway."""
        self.bench.state.mkdir(0o700)
        (self.bench.state / "retry").touch()
        self.bench.socket_unit()
        self.bench.daemon()
        self.bench.wait_status("ENROLLED")
        self.assertFalse((self.bench.state / "retry").exists())
        self.assertEnrolled()


class Health(Waiting):
    def ask(self, request):
        """As systemd's Accept=yes has it: the connection is standard input and output."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            process = subprocess.Popen([self.bench.programs / "ece-enroll", "health", *map(str, self.directories())],
                                       stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=self.bench.environment())
            theirs.close()
            ours.sendall(request)
            ours.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: ours.recv(4096), b""))
            self.assertEqual((process.wait(), process.stderr.read()), (0, b""))
            process.stderr.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.split(b" ")[1:2], body

    def test_on_its_way(self):
        self.assertEqual(self.ask(b"GET / HTTP/1.1\r\n\r\n")[0], [b"503"])
        self.assertEnrolled(self.bench.run())
        code, body = self.ask(b"GET / HTTP/1.1\r\nHost: host\r\n\r\n")
        self.assertEqual((code, json.loads(body)), ([b"200"], {"state": "ENROLLED", "reason": ""}))
        code, body = self.ask(b"GET /azure HTTP/1.1\r\n\r\n")
        self.assertEqual((code, json.loads(body)["ApplicationHealthState"]), ([b"200"], "Healthy"))

    def test_failed(self):
        self.fault("status", method="POST", status=401, code="root.unauthenticated")
        self.assertExit(self.bench.run(), 77)
        code, body = self.ask(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual((code, json.loads(body)), ([b"503"], {"state": "FAILED", "reason": "credential.denied"}))
        code, body = self.ask(b"GET /azure HTTP/1.1\r\n\r\n")
        self.assertEqual((code, json.loads(body)["ApplicationHealthState"]), ([b"200"], "Unhealthy"))

    def test_what_is_no_request(self):
        for request in (b"", b"GET / HTTP/1.1\r\n", b"\x00\r\n\r\n", b"x" * 9000):
            self.assertEqual(self.ask(request), ([], b""))
        self.assertEqual(self.ask(b"\xff\xfe\r\n\r\n")[0], [b"400"])


if __name__ == "__main__":
    tap.main()
