# SPDX-License-Identifier: Apache-2.0
"""The door for hosts: one JSON object in a line, one in a line back, over plain TCP.

How a real runner talks to the platform is not public; this stands for all of it. A host sends {"token",
"runner_id", "roles": "a,b", "host_ip", "zone", "version"} and is accepted or told why not.
"""

import json
import socket
import socketserver

from .state import Rejected

LINE_MAX = 64 * 1024


class JoinHandler(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self):
        line = self.rfile.readline(LINE_MAX)
        try:
            request = json.loads(line)
            answer = self._join(request) if isinstance(request, dict) else {"accepted": False}
        except ValueError:
            answer = {"accepted": False, "code": "join.malformed", "message": "not JSON"}
        self.wfile.write(json.dumps(answer).encode("utf-8") + b"\n")

    def _join(self, request) -> dict:
        platform, taken = self.server.platform, self.server.faults.take("join")

        def twist(runner, granted):
            return taken.twist_join(runner, granted, platform)

        try:
            runner = platform.join(request, twist)
        except Rejected as rejected:
            platform.tell("rejected", runner_id=request.get("runner_id"), code=rejected.code)
            return {"accepted": False, "code": rejected.code, "message": str(rejected)}
        return {"accepted": True, "runner_id": runner.runner_id}


class JoinServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address, platform, faults):
        self.platform, self.faults = platform, faults
        super().__init__(address, JoinHandler)


def join(address, request, timeout_s=10) -> dict:
    """The other end: what a stand-in container calls. address: "host:port"."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout_s) as connection:
        connection.sendall(json.dumps(request).encode("utf-8") + b"\n")
        with connection.makefile("rb") as answer:
            return json.loads(answer.readline(LINE_MAX))
