#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A container engine's daemon as small as the keeper's tests allow: a list of containers in a file, and the calls that the
keeper makes. FILE is read anew for each request and written back when that changed something, so that a test sets and sees the state by it:

    {"images": ["NAME"], "containers": [inspect objects with "Name" and "Id"], "stubborn": false}

With "stubborn" a stop or removal is answered and not done. Usage: engine.py SOCKET FILE LOG; LOG gets a line per request."""

import http.server
import json
import os
import re
import socketserver
import sys
import urllib.parse

SOCKET, FILE, LOG = sys.argv[1:4]


class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return "keeper"

    def log_message(self, *arguments):
        pass

    def reply(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        with open(LOG, "a", encoding="utf-8") as log:
            log.write(f"{self.command} {urllib.parse.unquote(self.path)}\n")
        with open(FILE, encoding="utf-8") as file:
            before = file.read()
        world = json.loads(before)
        self.reply(*self.answer(urllib.parse.urlsplit(self.path).path, world))
        if world == json.loads(before):
            return  # a test may be writing another one, now that it has been answered
        with open(FILE + ".new", "w", encoding="utf-8") as file:
            json.dump(world, file)
        os.rename(FILE + ".new", FILE)

    do_GET = do_POST = do_DELETE = handle_any

    def answer(self, path, world):
        containers = world["containers"]
        if path == "/_ping":
            return 200, "OK"
        if path == "/containers/json":
            return 200, [{"Id": c["Id"], "Names": ["/" + c["Name"]]} for c in containers]
        image = re.fullmatch("/images/(.*)/json", path)
        if image:
            return (200, {}) if image.group(1) in world["images"] else (404, {"message": "no such image"})
        name, _, verb = path.removeprefix("/containers/").partition("/")
        found = [c for c in containers if c["Id"] == name]
        if not found:
            return 404, {"message": "no such container"}
        if verb == "json":
            return 200, found[0]
        if world.get("stubborn"):
            return 204, None
        if verb == "stop":
            found[0]["State"]["Status"] = "exited"
            return 204, None
        if self.command == "DELETE" and found[0]["State"]["Status"] == "running":
            return 409, {"message": "You cannot remove a running container"}
        containers.remove(found[0])
        return 204, None


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # the keeper may hang up at any moment


server = Server(SOCKET, Handler)
os.write(1, b"r")  # one byte: whoever waits for it reads no more
server.serve_forever()
