# SPDX-License-Identifier: Apache-2.0
"""The real docker and the real podman-remote in the place of the stand-in clients.

docker: a host enrolls by it, and nobody sees the token. podman-remote speaks an API of its own (libpod), which the stand-in
engine does not; what it hands to its engine is recorded, and is what the shim has promised.

$ECE_ENGINE_CLIENTS is the folder of the clients (scripts/engine-clients prints it); a docker on PATH is tried as well.
"""

import http.server
import json
import os
import pathlib
import shutil
import socketserver
import subprocess
import threading
import unittest

import tap
from bench import IMAGE, EndToEnd
from sampler import Sampler

CLIENTS = os.environ.get("ECE_ENGINE_CLIENTS", "")
PLACES = [CLIENTS, *os.get_exec_path(), "/usr/local/bin", "/usr/bin"]
TOKEN = "QWxhZGRpbg.b3BlbiBzZXNhbWU.c2lnbmF0dXJl"
ATTEMPT = "00112233445566778899aabbccddeeff"


def is_real(path) -> bool:
    """The stand-ins are scripts."""
    with open(path, "rb") as file:
        return CLIENTS and path.startswith(CLIENTS) or file.read(2) != b"#!"


def clients(name):
    """Each real one once."""
    found = [shutil.which(name, path=place) for place in PLACES if place]
    return sorted({os.path.realpath(path): path for path in found if path and is_real(path)}.values())


class Recorder(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """An engine that answers what a client asks before it makes a container, keeps that request, and refuses it."""

    daemon_threads = True

    def __init__(self, path):
        self.asked, self.made = [], []
        super().__init__(str(path), RecorderHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that hangs up early is its own affair."""


class RecorderHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return ""

    def log_message(self, *words):
        pass

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self, status, text) -> None:
        self.send_response(status)
        for name, value in (("Api-Version", "1.41"), ("Libpod-API-Version", "4.3.1"), ("Content-Type", "application/json"),
                            ("Content-Length", len(text))):
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def do(self):
        body = self.body()
        self.server.asked.append("%s %s" % (self.command, self.path.partition("?")[0]))
        if self.path.partition("?")[0].endswith("/containers/create"):
            self.server.made.append(json.loads(body))
            self.answer(500, json.dumps({"cause": "recorded", "message": "recorded", "response": 500}))
        elif self.path.partition("?")[0].endswith("/images/pull"):
            self.answer(200, json.dumps({"images": ["sha256:" + "a" * 64], "id": "a" * 64}) + "\n")
        else:
            self.answer(200, "{}")

    do_GET = do_POST = do_HEAD = do_DELETE = do


class HandOver(EndToEnd):
    """The shim before the real client, called as the installer calls it."""

    def hand_over(self, name, client):
        """Returns the request that made the container, and the client's arguments as it was started."""
        folder = pathlib.Path(self.bench.owned("handover-" + name))
        path = folder / "engine.sock"
        engine = Recorder(path)
        self.addCleanup(engine.server_close)
        self.addCleanup(engine.shutdown)
        (folder / name).symlink_to(self.bench.programs / "ece-enroll-shim")
        token = os.memfd_create("token")
        os.write(token, b"RUNNER_ROLES_TOKEN=%s\n" % TOKEN.encode())
        os.lseek(token, 0, os.SEEK_SET)
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        before = ["-H", "unix://%s" % path] if name == "docker" else ["--url", "unix://%s" % path]
        words = [name, *before, "run", "--rm", "--env", "RUNNER_ROLES_TOKEN=ece-enroll.placeholder." + ATTEMPT, "--env", "ROLE=x y",
                 "--name", "elastic-cloud-enterprise-installer", "-i", IMAGE, "elastic-cloud-enterprise-installer"]
        said = subprocess.run(
            words, executable=str(folder / name), pass_fds=[token, writer], stdin=subprocess.DEVNULL, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder),
                 "ECE_ENROLL_SHIM_TOKEN_FD": str(token), "ECE_ENROLL_SHIM_NOTE_FD": str(writer), "ECE_ENROLL_SHIM_LABEL": ATTEMPT,
                 "ECE_ENROLL_SHIM_CLIENT_" + name.upper().replace("-", "_"): client})
        os.close(token)
        os.close(writer)
        self.assertEqual(os.read(reader, 100), b"reached\n", said.stdout)
        self.assertEqual(len(engine.made), 1, (said.stdout, engine.asked))
        self.assertEqual(said.returncode, 125, said.stdout)  # the client's own status for an engine that refuses
        self.assertNotIn(TOKEN, said.stdout)
        return engine.made[0]

    @unittest.skipUnless(clients("docker"), "no real docker (scripts/engine-clients fetches one)")
    def test_docker(self):
        for number, client in enumerate(clients("docker")):
            with self.subTest(client):
                made = self.hand_over("docker", client)
                self.assertIn("RUNNER_ROLES_TOKEN=" + TOKEN, made["Env"])
                self.assertIn("ROLE=x y", made["Env"])
                self.assertEqual([pair for pair in made["Env"] if "placeholder" in pair], [])
                self.assertEqual(made["Labels"], {"ece-enroll.attempt": ATTEMPT})
                shutil.rmtree(self.bench.top / "handover-docker")

    @unittest.skipUnless(clients("podman-remote"), "no real podman-remote (scripts/engine-clients fetches one)")
    def test_podman_remote(self):
        for client in clients("podman-remote"):
            with self.subTest(client):
                made = self.hand_over("podman-remote", client)
                self.assertEqual(made["env"]["RUNNER_ROLES_TOKEN"], TOKEN)
                self.assertEqual(made["env"]["ROLE"], "x y")
                self.assertEqual(made["labels"], {"ece-enroll.attempt": ATTEMPT})
                # podman tells its engine how it was called: these words are kept with the container.
                self.assertNotIn(TOKEN, " ".join(made["containerCreateCommand"]))
                shutil.rmtree(self.bench.top / "handover-podman-remote")


@unittest.skipUnless(clients("docker"), "no real docker (scripts/engine-clients fetches one)")
class Docker(EndToEnd):
    def use(self, client):
        folder = self.bench.top / "clients"
        shutil.rmtree(folder, True)
        folder.mkdir()
        (folder / "docker").symlink_to(client)
        self.bench.clients = folder

    def write_spec(self, **installer):
        # The installer's table of systems and engines has none of these clients' versions.
        self.bench.write_spec(installer={"extra_args": ["--skip-cloud-enterprise-version-check"], **installer})

    def test_a_host_enrolls(self):
        for client in clients("docker"):
            with self.subTest(client):
                bench = self.make_bench()
                self.addCleanup(bench.close)
                self.bench, self.sim, self.engine = bench, bench.sim, bench.engine
                self.use(client)
                self.write_spec()
                self.engine.behave({"hold": True})
                with Sampler([bench.state, bench.runtime, bench.storage], {"key": self.sim.credentials["api_key"]}) as sampler:
                    agent = bench.start_run()
                    self.assertTrue(bench.containers.wait("start", timeout_s=60), "no installer was started")
                    sampler.wait_rounds(3)
                    bench.containers.release()
                    self.assertEnrolled(bench.end(agent))
                self.assertEqual(sampler.found, {})
                self.assertEqual(sampler.places_of_tokens([event["sub"] for event in self.sim.control.events("mint")]), set())
                self.assertIn(os.path.basename(os.path.realpath(client)).encode(), sampler.programs)

    def test_one_that_is_stopped(self):
        """The clock ends an attempt: TERM to the client, which the real one passes on to the container."""
        self.use(clients("docker")[0])
        self.engine.behave({"hold": True}, rest={})
        self.write_spec(attempt_timeout="3s")
        self.assertEnrolled(self.bench.run(), installs=2)


if __name__ == "__main__":
    tap.main()
