#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A throw-away server for the tests of rooms http and coordinator.

    server.py LOG SCRIPT [--tls CHAIN KEY] [--unix PATH]

SCRIPT is a JSON list, one entry a connection, in order; the last one stays for all further ones. An entry:

    {"status": 200, "headers": ["Name: value"], "body": "text", "repeat": 1}   a reply with its Content-Length
    {"raw": "bytes as latin-1", "fill": "more", "repeat": 9}                   raw, then fill so many times, then closed
    {"do": "empty"}   the request is read, then the connection is closed without a word
    {"do": "reset"}   the same with a TCP reset
    {"do": "gone"}    the same as empty, and nobody listens any more
    {"do": "stall"}   the request is read, and nothing said until the client goes away
    {"do": "cut"}     closed before the TLS handshake
    {"do": "plain"}   answers the TLS handshake in plain text

With "keep": true a reply leaves its connection open, and the next entry is for the next request on it, if the client has one.

Prints its port (0 with --unix) and a newline when it listens. Serves one connection after the other, so a test meets
no race, and ends when its standard input does. Each request that arrives is appended to LOG, as it came, ended by "\\n~~\\n";
behind the last one of a connection that was kept open stands "##\\n".
No time limit but a guard against a hung test: the client under test is who has time limits.
"""

import json
import select
import socket
import ssl
import struct
import sys

GUARD_S = 30
LISTENING = []


def read_request(connection):
    """Head and body of one request, as many bytes as Content-Length says."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        chunk = connection.recv(65536)
        if not chunk:
            break
        body += chunk
    return head + b"\r\n\r\n" + body


def reply_bytes(entry):
    if "raw" in entry:
        return (entry["raw"] + entry.get("fill", "") * entry.get("repeat", 1)).encode("latin-1")
    body = (entry.get("body", "") * entry.get("repeat", 1)).encode()
    lines = [f"HTTP/1.1 {entry.get('status', 200)} Said"]
    lines += entry.get("headers", ["Content-Type: application/json"])
    lines += [f"Content-Length: {len(body)}"] + ([] if entry.get("keep") else ["Connection: close"])
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def next_entry(script):
    return script.pop(0) if len(script) > 1 else script[0]


def serve(raw, script, context, log):
    """One connection."""
    entry = next_entry(script)
    action = entry.get("do")
    if action == "cut":
        return
    if action == "plain":
        raw.recv(65536)
        raw.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        return
    connection = context.wrap_socket(raw, server_side=True) if context else raw
    kept = entry.get("keep")
    while answer(connection, entry, context, log) and entry.get("keep"):
        entry = next_entry(script)
    if kept:
        log.write(b"##\n")
        log.flush()


def answer(connection, entry, context, log):
    """One request; False when there was none."""
    request = read_request(connection)
    action = entry.get("do")
    if request:
        log.write(request + b"\n~~\n")
        log.flush()
    if entry.get("keep"):
        if request:
            connection.sendall(reply_bytes(entry))
        return bool(request)
    if action == "gone":
        LISTENING.pop().close()
    if action == "reset":
        reset(connection)
        # Under TLS the descriptor has moved into the wrapper; close() without unwrap() sends no close_notify.
    elif action == "stall":
        connection.recv(1)
    elif action not in ("empty", "gone"):
        connection.sendall(reply_bytes(entry))
        if context:
            connection.unwrap()
    connection.close()
    return True


def listener(unix):
    if unix:
        made = socket.socket(socket.AF_UNIX)
        made.bind(unix)
    else:
        made = socket.socket(socket.AF_INET)
        made.bind(("127.0.0.1", 0))
    made.listen(16)
    return made, 0 if unix else made.getsockname()[1]


def option(arguments, name, count):
    if name not in arguments:
        return [None] * count
    at = arguments.index(name)
    return arguments[at + 1:at + 1 + count]


def main(arguments):
    script = json.loads(arguments[1])
    chain, key = option(arguments, "--tls", 2)
    context = None
    if chain:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # weak ones are for the client to refuse
        context.load_cert_chain(chain, key)
    listening, port = listener(option(arguments, "--unix", 1)[0])
    LISTENING.append(listening)
    print(port, flush=True)
    with open(arguments[0], "wb") as log:
        while True:
            ready, _, _ = select.select([*LISTENING, sys.stdin], [], [])
            if listening not in ready:
                return  # standard input ended, and nobody waits to be served
            connection, _ = listening.accept()
            connection.settimeout(GUARD_S)
            try:
                serve(connection, script, context, log)
            except OSError:
                pass  # a client that refuses our certificate, or leaves: what many tests are about
            finally:
                connection.close()


main(sys.argv[1:])
