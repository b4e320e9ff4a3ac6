# SPDX-License-Identifier: Apache-2.0
"""ece-enroll pin: what a server presents, told to nobody's advantage."""

import json
import socket
import ssl
import subprocess
import threading

import tap
from bench import EndToEnd


def pin_of(certificate) -> str:
    """By OpenSSL's own tools, as a person would."""
    text = subprocess.run("openssl x509 -in '%s' -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary"
                          " | openssl base64" % certificate, shell=True, check=True, capture_output=True, text=True).stdout
    return "sha256//" + text.strip()


class Deaf(threading.Thread):
    """A server that says something of its own and keeps what it hears."""

    def __init__(self, words=b""):
        super().__init__(daemon=True)
        self.words, self.heard = words, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        connection = self.listener.accept()[0]
        connection.sendall(self.words)
        while True:
            data = connection.recv(65536)
            if not data:
                break
            self.heard += data
            if self.words:
                break
        connection.close()

    def close(self):
        self.listener.close()


class Pin(EndToEnd):
    def address(self):
        return self.sim.urls[0].removeprefix("https://")

    def chain(self, *words):
        outcome = self.bench.command("pin", self.address(), "--json", *words)
        self.assertExit(outcome, 0)
        return json.loads(outcome.output)

    def test_the_pins_are_those_of_openssl(self):
        page = self.chain()
        self.assertIs(page["verified"], False)
        leaf = ssl.get_server_certificate(("127.0.0.1", int(self.address().rpartition(":")[2])))
        path = self.bench.top / "leaf.pem"
        path.write_text(leaf)
        self.assertEqual(page["chain"][0]["pin"], pin_of(path))
        self.assertEqual(page["chain"][0]["kind"].split(",")[0], "leaf")
        self.assertIn("127.0.0.1", page["chain"][0]["names"])

    def test_a_pin_that_it_printed_is_trusted(self):
        pin = self.chain()["chain"][0]["pin"]
        self.bench.write_spec(trust={"ca_file": None, "pins": [pin]})
        self.assertEnrolled(self.bench.run())
        outcome = self.bench.command("pin", self.address(), "--spec", self.bench.spec_path)
        self.assertExit(outcome, 0)
        self.assertIn(pin + "  (in the spec)", outcome.output)
        self.assertIn("Nobody has verified them", outcome.output)

    def test_no_request_is_made(self):
        before = len(self.sim.requests())
        self.chain()
        self.assertEqual(len(self.sim.requests()), before)

    def test_the_credential_is_not_touched(self):
        self.bench.key_path.unlink()
        self.chain("--spec", self.bench.spec_path)

    def test_a_spec_that_is_broken_is_no_matter(self):
        self.bench.spec_path.write_text("nonsense: [")
        self.chain("--spec", self.bench.spec_path)

    def test_nobody_is_there(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        outcome = self.bench.command("pin", "127.0.0.1:%d" % port)
        self.assertEqual(outcome.code, 69, outcome)
        self.assertIn("coordinator.connect-refused", outcome.output)

    def test_what_speaks_no_tls(self):
        server = Deaf(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        self.addCleanup(server.close)
        outcome = self.bench.command("pin", "127.0.0.1:%d" % server.port)
        self.assertEqual(outcome.code, 69, outcome)

    def test_usage(self):
        for words in ([], ["http://192.0.2.1:1"], ["192.0.2.1:70000"], ["u:p@192.0.2.1:1"], ["a" * 300], ["-x"]):
            self.assertEqual(self.bench.command("pin", *words).code, 64, words)


if __name__ == "__main__":
    tap.main()
