# SPDX-License-Identifier: Apache-2.0
"""The clients: what the commands docker and podman-remote do, as far as the installer uses them.

Like the real ones: values of --env-file are read by the client, signals are passed on to the container,
the container's status becomes the client's, 125 is an error of the engine, and a client that is killed leaves its
container running.
"""

import http.client
import json
import os
import signal
import socket
import struct
import sys
import urllib.parse

DEFAULT_SOCKET = "/var/run/docker.sock"
WITH_VALUE = {"--env", "-e", "--env-file", "--name", "--label", "-l", "--publish", "-p", "--volume", "-v",
              "--network", "--user", "-u", "--workdir", "-w", "--entrypoint", "--label-file", "--cidfile"}
SWITCHES = {"--rm", "--interactive", "-i", "--tty", "-t", "--detach", "-d", "-it", "-ti", "--init", "--privileged"}
ENGINE_FAILED = 125
SEE_HELP = "\nRun 'docker run --help' for more information"


class Failure(Exception):
    def __init__(self, message, status=ENGINE_FAILED):
        super().__init__(message)
        self.status = status


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=None):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    """Calls to a daemon's socket."""

    def __init__(self, path, timeout=None):
        self.path, self.timeout = path, timeout

    def open(self, method, target, body=None, headers=None):
        connection = UnixConnection(self.path, self.timeout)
        data = None if body is None else json.dumps(body)
        try:
            connection.request(method, target, data, dict({"Content-Type": "application/json"}, **headers or {}))
        except OSError as error:
            raise Failure("Cannot connect to the Docker daemon at unix://%s. Is the docker daemon running?"
                          % self.path) from error
        return connection

    def call(self, method, target, body=None):
        """(status, value)."""
        connection = self.open(method, target, body)
        try:
            response = connection.getresponse()
            data = response.read()
            return response.status, json.loads(data) if data.strip() else None
        finally:
            connection.close()

    def expect(self, method, target, body=None):
        status, value = self.call(method, target, body)
        if status >= 400:
            raise Failure("Error response from daemon: %s" % (value or {}).get("message", status))
        return value


class Bench(Api):
    """A test's view of the daemon."""

    def state(self) -> dict:
        return self.expect("GET", "/_bench/state")

    def events(self, kind, name=None):
        return [e for e in self.state()["events"] if e["event"] == kind and name in (None, e.get("name"))]

    def names(self):
        return sorted(c["Names"][0][1:] for c in self.state()["containers"])

    def wait(self, event, count=1, timeout_s=10, **more) -> bool:
        query = urllib.parse.urlencode(dict(more, event=event, count=count, timeout=timeout_s))
        return self.expect("GET", "/_bench/wait?" + query)["reached"]

    def release(self) -> None:
        self.expect("POST", "/_bench/release")

    def place(self, **members) -> str:
        return self.expect("POST", "/_bench/containers", members)["Id"]


# Options of run

def _env_file(path):
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line and not line.startswith("#"):
                yield from _env(line)


def _env(text):
    """NAME=VALUE, or NAME alone: the client's own value, if it has one."""
    name, equals, _ = text.partition("=")
    if equals:
        yield text
    elif name in os.environ:
        yield "%s=%s" % (name, os.environ[name])


def parse_run(arguments):
    """(name, container configuration) from the words behind `run`."""
    config = {"Env": [], "Labels": {}, "HostConfig": {"AutoRemove": False, "Binds": [], "PortBindings": {}},
              "OpenStdin": False, "Tty": False, "AttachStdout": True, "AttachStderr": True}
    files, values, name, words = [], [], "", list(arguments)
    while words and words[0].startswith("-"):
        option, equals, value = words.pop(0).partition("=")
        if option in SWITCHES:
            config["HostConfig"]["AutoRemove"] |= option == "--rm"
            config["OpenStdin"] |= option in ("--interactive", "-i")
            continue
        if option not in WITH_VALUE:
            raise Failure("unknown flag: %s%s" % (option, SEE_HELP))
        if not equals:
            if not words:
                raise Failure("flag needs an argument: %s%s" % (option, SEE_HELP))
            value = words.pop(0)
        if option in ("--env", "-e"):
            values += _env(value)
        elif option == "--env-file":
            files += _env_file(value)
        elif option == "--name":
            name = value
        elif option in ("--label", "-l"):
            key, _, text = value.partition("=")
            config["Labels"][key] = text
        elif option in ("--volume", "-v"):
            config["HostConfig"]["Binds"].append(value)
        elif option in ("--publish", "-p"):
            config["HostConfig"]["PortBindings"][value.rpartition(":")[2] + "/tcp"] = [
                {"HostPort": value.rpartition(":")[0]}]
    if not words:
        raise Failure("'docker run' requires at least 1 argument" + SEE_HELP)
    # A later entry of the same name wins, and an explicit one wins over a file's.
    config["Env"] = ["%s=%s" % item for item in
                     dict(entry.split("=", 1) for entry in files + values).items()]
    config["Image"], config["Cmd"] = words[0], words[1:]
    return name, config


# run

def _create(api, name, config) -> str:
    target = "/containers/create" + ("?name=" + urllib.parse.quote(name) if name else "")
    status, value = api.call("POST", target, config)
    if status == 404:
        print("Unable to find image '%s' locally" % config["Image"], file=sys.stderr)
        pull(api, config["Image"])
        status, value = api.call("POST", target, config)
    if status >= 400:
        raise Failure("Error response from daemon: %s" % value["message"])
    return value["Id"]


def _pass_signals(api, container) -> None:
    def forward(number, frame):
        try:
            api.call("POST", "/containers/%s/kill?signal=%d" % (container, number))
        except (Failure, OSError):
            pass
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, forward)


def _copy_output(stream) -> None:
    outputs = {1: sys.stdout.buffer, 2: sys.stderr.buffer}
    while True:
        head = stream.read(8)
        if len(head) < 8:
            return
        number, size = struct.unpack(">BxxxL", head)
        outputs[number].write(stream.read(size))
        outputs[number].flush()


def run(api, arguments) -> int:
    name, config = parse_run(arguments)
    container = _create(api, name, config)
    _pass_signals(api, container)
    attached = api.open("POST", "/containers/%s/attach?stream=1&stdout=1&stderr=1" % container)
    output = attached.getresponse()
    waiting = api.open("POST", "/containers/%s/wait?condition=%s" % (
        container, "removed" if config["HostConfig"]["AutoRemove"] else "next-exit"))
    ended = waiting.getresponse()
    try:
        api.expect("POST", "/containers/%s/start" % container)
    except Failure:
        api.call("DELETE", "/containers/%s?force=1" % container)
        raise
    _copy_output(output)
    return json.loads(ended.read())["StatusCode"]


# The other commands

def pull(api, reference) -> None:
    image, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        image, tag = reference, ""
    value = api.expect("POST", "/images/create?" + urllib.parse.urlencode({"fromImage": image, "tag": tag}))
    if "error" in value:
        raise Failure("Error response from daemon: " + value["error"])
    print(value["status"], file=sys.stderr)


def ps(api, arguments) -> int:
    show_all = "1" if {"-a", "--all"} & set(arguments) else "0"
    containers = api.expect("GET", "/containers/json?all=" + show_all)
    print("CONTAINER ID   IMAGE   COMMAND   STATUS   NAMES")
    for c in containers:
        print("   ".join((c["Id"][:12], c["Image"], c["Command"], c["Status"], c["Names"][0][1:])))
    return 0


def _global_options(words):
    """(socket, remaining words): what stands before the command."""
    path = os.environ.get("DOCKER_HOST") or DEFAULT_SOCKET
    while words and words[0] in ("-H", "--host", "--url"):
        path, words = words[1], words[2:]
    return path[len("unix://"):] if path.startswith("unix://") else path, words


def _main(program, words) -> int:
    path, words = _global_options(words)
    api, command, rest = Api(path), words[0] if words else "", words[1:]
    if command in ("--version", "-v"):
        print("Docker version 27.0.3, build 7d4bcd8")
        return 0
    if command == "version":
        print("5.2.2" if program == "podman-remote" else api.expect("GET", "/version")["Version"])
        return 0
    if command == "ps":
        return ps(api, rest)
    if command == "pull":
        pull(api, rest[-1])
        return 0
    if command == "run":
        return run(api, rest)
    raise Failure("%s: '%s' is not a command of this stand-in" % (program, command))


def main(program, words) -> int:
    try:
        return _main(program, words)
    except Failure as failure:
        command = "docker: " if "run" in words else ""
        print(command + str(failure), file=sys.stderr)
        return failure.status if command else 1
    except BrokenPipeError:
        return 141
