#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a receiver of ece-enroll's webhook verifies what it gets, and answers: a page of code, to be read and adapted.

    verify-webhook.py --key FILE --port 8443 --certificate PEM

Signature: Standard Webhooks, HMAC-SHA256 over "ID.TIMESTAMP.BODY" in base64 behind "v1,". A message that is older than five minutes, or
from the future, is refused: who replays an old one has no use of it. One whose identifier is known is answered with 409, which
the sender takes for "I have it"; what was accepted before a crash is not lost to it in an example, and should not be in yours either.
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import ssl
import time

TOLERANCE_S = 300


def key_bytes(text):
    return base64.b64decode(text[len("whsec_"):]) if text.startswith("whsec_") else text.encode()


def verify(key, headers, body, now):
    """None, or why the message is not to be believed. headers: a mapping, whose names are looked up as written here."""
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identifier or not timestamp.isdigit():
        return "no identifier or no time"
    if abs(now - int(timestamp)) > TOLERANCE_S:
        return "too old, or from the future"
    expected = hmac.new(key, b"%s.%s.%s" % (identifier.encode(), timestamp.encode(), body), hashlib.sha256).digest()
    for signature in headers.get("webhook-signature", "").split(" "):
        version, _, value = signature.partition(",")
        if version == "v1" and hmac.compare_digest(value, base64.b64encode(expected).decode()):
            return None
    return "the signature is not ours"


class Receiver(http.server.BaseHTTPRequestHandler):
    key, known = b"", set()

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 1 << 20))
        trouble = verify(self.key, self.headers, body, time.time())
        identifier = self.headers.get("webhook-id")
        status = 401 if trouble else 409 if identifier in self.known else 204
        if status == 204:
            event = json.loads(body)
            print(event["time"], event["type"], event.get("subject"), event["data"]["message"], flush=True)
            self.known.add(identifier)
        self.send_response(status, trouble)
        self.end_headers()

    def log_message(self, *words):
        """The line above is enough."""


def main():
    parser = argparse.ArgumentParser(description="Receives ece-enroll's reports and verifies them.")
    parser.add_argument("--key", required=True, type=pathlib.Path)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--certificate", required=True, help="PEM with certificate and key")
    options = parser.parse_args()
    Receiver.key = key_bytes(options.key.read_text().strip())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate)
    server = http.server.HTTPServer(("127.0.0.1", options.port), Receiver)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
