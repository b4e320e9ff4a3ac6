# SPDX-License-Identifier: Apache-2.0
"""The simulator as a process of its own, for tests: start it, ask it, read its log, end it."""

import base64
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import urllib.parse

from .control import Control

PROGRAM = pathlib.Path(__file__).resolve().parent.parent / "ece-coordinator-sim"
TOKENS = "/platform/configuration/security/enrollment-tokens"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def value(self):
        return json.loads(self.body)

    @property
    def code(self):
        """Code of the first error."""
        return self.value["errors"][0]["code"]


class SimProcess:
    """A running simulator. pki: a directory that is made once and shared, because keys take a second."""

    def __init__(self, directory, *options, pki=None):
        self.directory = pathlib.Path(directory)
        command = [sys.executable, "-B", str(PROGRAM), "--dir", str(self.directory)]
        command += ["--pki", str(pki)] if pki else []
        self.process = subprocess.Popen(command + [str(o) for o in options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE)
        if not self.process.stdout.readline().startswith(b"ready"):
            self.close()
            raise RuntimeError("the coordinator simulator did not start")
        self.urls = self.read("urls").split()
        self.url = self.urls[0]
        self.join = self.read("join").strip()
        self.control = Control(self.read("control").strip())
        self.credentials = json.loads(self.read("credentials.json"))
        self.ca, self.other_ca = self.directory / "ca.pem", self.directory / "other-ca.pem"

    def read(self, name) -> str:
        return (self.directory / name).read_text()

    def requests(self, method="", path=""):
        """The logged requests whose method and path contain these."""
        entries = map(json.loads, self.read("requests.jsonl").splitlines())
        return [e for e in entries if method in e["method"] and path in e["path"]]

    def mints(self):
        return self.requests("POST", TOKENS)

    # Authorization headers

    def api_key(self, name="api_key") -> str:
        return "ApiKey " + self.credentials[name]

    def basic(self, user="admin") -> str:
        plain = "%s:%s" % (user, self.credentials[user + "_password"])
        return "Basic " + base64.b64encode(plain.encode()).decode()

    def ask(self, method, path, body=None, auth=None, listener=0, headers=None, raw=False) -> Answer:
        """One request; path below /api/v1 unless raw."""
        address = urllib.parse.urlsplit(self.urls[listener])
        context = ssl.create_default_context(cafile=str(self.ca))
        # The documented chain has no extensions beyond the plain ones; newer Pythons ask for more.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        connection = http.client.HTTPSConnection(address.hostname, address.port, context=context, timeout=20)
        sent = dict({"Content-Type": "application/json"} if body is not None else {}, **headers or {})
        if auth:
            sent["Authorization"] = auth
        data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
        try:
            connection.request(method, path if raw else "/api/v1" + path, data, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    @property
    def address(self):
        return urllib.parse.urlsplit(self.url)

    def open(self, context=None):
        """A bare TLS connection, for tests that look at bytes; without a context nothing is verified."""
        plain = socket.create_connection((self.address.hostname, self.address.port), 20)
        try:
            return (context or ssl._create_unverified_context()).wrap_socket(plain, server_hostname=self.address.hostname)
        except BaseException:
            plain.close()
            raise

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
