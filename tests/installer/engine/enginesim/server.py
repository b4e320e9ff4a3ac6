# SPDX-License-Identifier: Apache-2.0
"""The daemon's socket: as much of Docker's HTTP API as its client needs, and /_bench/ for the test itself."""

import http.server
import json
import re
import socketserver
import struct
import time
import urllib.parse

from .model import INSTALLER, EngineError
from .installer import Installer

API_VERSION = "1.45"
ENGINE_VERSION = "27.0.3"


def moment(seconds) -> str:
    if not seconds:
        return "0001-01-01T00:00:00Z"
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return "%s.%09dZ" % (whole, int(seconds % 1 * 1e9))


def summary(c) -> dict:
    """An element of containers/json."""
    return {"Id": c.id, "Names": ["/" + c.name], "Image": c.image, "ImageID": "sha256:" + "0" * 64,
            "Command": " ".join(c.command), "Created": int(c.created_s), "State": c.status,
            "Status": "Up 1 second" if c.running else c.status.capitalize(), "Labels": c.labels,
            "Ports": [], "Mounts": [], "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {}}


def inspection(c) -> dict:
    """containers/ID/json. Like the real one it shows the environment, token included."""
    return {
        "Id": c.id, "Name": "/" + c.name, "Created": moment(c.created_s), "Image": "sha256:" + "0" * 64,
        "Path": (c.command or [""])[0], "Args": c.command[1:], "RestartCount": 0,
        "State": {"Status": c.status, "Running": c.running, "Paused": False, "Restarting": False,
                  "OOMKilled": False, "Dead": False, "Pid": 0, "ExitCode": c.exit_code, "Error": "",
                  "StartedAt": moment(c.started_s), "FinishedAt": moment(c.finished_s)},
        "Config": {"Image": c.image, "Cmd": c.command, "Env": ["%s=%s" % item for item in c.env.items()],
                   "Labels": c.labels, "Tty": False, "OpenStdin": c.config.get("OpenStdin", False)},
        "HostConfig": {"AutoRemove": c.auto_remove, "LogConfig": {"Type": "json-file", "Config": {}}},
        "NetworkSettings": {"Networks": {}}, "Mounts": [],
    }


def _wanted(filters, name):
    """The values of one filter, in either of the two forms that clients send."""
    values = filters.get(name) or []
    return [k for k, on in values.items() if on] if isinstance(values, dict) else list(values)


def _has_label(c, label) -> bool:
    key, equals, value = label.partition("=")
    return key in c.labels and (not equals or c.labels[key] == value)


def selected(c, show_all, filters) -> bool:
    names, labels = _wanted(filters, "name"), _wanted(filters, "label")
    states = _wanted(filters, "status")
    return ((show_all or states or c.running)
            and (not names or any(re.search(n, "/" + c.name) or re.search(n, c.name) for n in names))
            and all(_has_label(c, label) for label in labels)
            and (not states or c.status in states))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Docker/" + ENGINE_VERSION, "(linux)"

    # Plumbing

    def _dispatch(self):
        parts = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        path = re.sub(r"^/v[0-9.]+/", "/", parts.path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            for method, pattern, operation in ROUTES:
                found = re.fullmatch(pattern, path)
                if method == self.command and found:
                    return operation(self, *map(urllib.parse.unquote, found.groups()))
            raise EngineError(404, "page not found")
        except EngineError as error:
            self._value(error.status, {"message": str(error)})
        except (ValueError, KeyError) as error:
            self._value(400, {"message": "%s: %s" % (type(error).__name__, error)})

    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = _dispatch

    def log_message(self, format, *arguments):
        pass

    @property
    def engine(self):
        return self.server.engine

    def _head(self, status, **headers):
        self.send_response(status)
        self.send_header("Api-Version", API_VERSION)
        self.send_header("Ostype", "linux")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _value(self, status, value, media="application/json"):
        data = b"" if status in (204, 304) else json.dumps(value).encode("utf-8") + b"\n"
        self._head(status, Content_Type=media, Content_Length=str(len(data)))
        if self.command != "HEAD":
            self.wfile.write(data)

    def _json(self) -> dict:
        return json.loads(self.body) if self.body else {}

    # Daemon

    def ping(self):
        self._head(200, Content_Type="text/plain", Content_Length="2", Docker_Experimental="false")
        if self.command != "HEAD":
            self.wfile.write(b"OK")

    def version(self):
        self._value(200, {"Version": ENGINE_VERSION, "ApiVersion": API_VERSION, "MinAPIVersion": "1.24",
                          "Os": "linux", "Arch": "amd64", "KernelVersion": "6.1.0", "GoVersion": "go1.21"})

    def info(self):
        self._value(200, {"ID": "stand-in", "ServerVersion": ENGINE_VERSION, "OSType": "linux",
                          "Driver": "overlay2", "DockerRootDir": "/var/lib/docker", "Containers": len(self.engine.containers),
                          "IndexServerAddress": "https://index.docker.io/v1/"})

    def bridge(self):
        """Docker's default network, as a daemon has it that nobody has told otherwise."""
        self._value(200, {"Name": "bridge", "Driver": "bridge", "Scope": "local",
                          "Options": {"com.docker.network.bridge.default_bridge": "true",
                                      "com.docker.network.bridge.enable_icc": "true"}})

    # Images

    def image_list(self):
        self._value(200, [{"Id": "sha256:" + "0" * 64, "RepoTags": [image], "Created": 0, "Size": 0,
                           "Labels": {}, "Containers": -1} for image in sorted(self.engine.images)])

    def image_inspect(self, name):
        if name not in self.engine.images:
            raise EngineError(404, "No such image: %s" % name)
        self._value(200, {"Id": "sha256:" + "0" * 64, "RepoTags": [name], "Os": "linux",
                          "Architecture": "amd64", "Config": {}, "RootFS": {"Type": "layers", "Layers": []}})

    def image_create(self):
        reference = self.query["fromImage"]
        if self.query.get("tag"):
            reference += ":" + self.query["tag"]
        self.server.hold_pull(reference)
        error = self.server.pull_error()
        if error:
            self._value(200, {"errorDetail": {"message": error}, "error": error})
            return
        self.engine.pull(reference)
        self._value(200, {"status": "Status: Downloaded newer image for " + reference})

    # Containers

    def container_list(self):
        filters = json.loads(self.query.get("filters") or "{}")
        show_all = self.query.get("all") in ("1", "true", "True")
        with self.engine.lock:
            self._value(200, [summary(c) for c in self.engine.containers.values()
                              if selected(c, show_all, filters)])

    def container_inspect(self, key):
        self._value(200, inspection(self.engine.find(key)))

    def container_create(self):
        config = self._json()
        with self.engine.lock:
            behaviour = self.server.behaviour_of(config)
            container = self.engine.create(self.query.get("name"), config)
            container.behaviour = behaviour
        self._value(201, {"Id": container.id, "Warnings": []})

    def container_start(self, key):
        container = self.engine.find(key)
        if container.running:
            raise EngineError(304, "")
        self.server.start(container)
        self._value(204, None)

    def container_wait(self, key):
        """The head goes out at once: the client wants to know that it waits before it starts the container."""
        container = self.engine.find(key)
        self._head(200, Content_Type="application/json", Transfer_Encoding="chunked")
        self.wfile.flush()
        code = self.engine.wait(container, self.query.get("condition") == "removed")
        data = json.dumps({"StatusCode": code}).encode("utf-8") + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))

    def container_kill(self, key):
        self.engine.signal(self.engine.find(key), self.query.get("signal"))
        self._value(204, None)

    def container_stop(self, key):
        self.engine.stop(self.engine.find(key), float(self.query.get("t") or 10))
        self._value(204, None)

    def container_remove(self, key):
        self.engine.remove(self.engine.find(key), self.query.get("force") in ("1", "true", "True"))
        self._value(204, None)

    def container_resize(self, key):
        self._value(200, {})

    def container_attach(self, key):
        container = self.engine.find(key)
        if self.headers.get("Upgrade"):
            self.wfile.write(b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
                             b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        else:
            self._head(200, Content_Type="application/vnd.docker.raw-stream")
        self.close_connection = True
        self._stream(container)

    def _stream(self, container):
        """The output in frames, from the start to the end of the container."""
        sent = 0
        while True:
            with self.engine.lock:
                self.engine.lock.wait_for(lambda: len(container.output) > sent
                                          or container.status == "exited" or container.removed)
                fresh = container.output[sent:]
                over = container.status == "exited" or container.removed
            for stream, data in fresh:
                self.wfile.write(struct.pack(">BxxxL", stream, len(data)) + data)
            sent += len(fresh)
            if over and not fresh:
                return

    # For tests

    def bench_state(self):
        with self.engine.lock:
            kinds = [event["event"] for event in self.engine.events]
            self._value(200, {"events": self.engine.events, "counts": {k: kinds.count(k) for k in set(kinds)},
                              "containers": [summary(c) for c in self.engine.containers.values()]})

    def bench_wait(self):
        kind, count = self.query["event"], int(self.query.get("count", 1))
        name = self.query.get("name", INSTALLER)

        def enough():
            return sum(e["event"] == kind and (not name or e.get("name", name) == name)
                       for e in self.engine.events) >= count

        with self.engine.lock:
            reached = self.engine.lock.wait_for(enough, float(self.query.get("timeout", 10)))
        self._value(200, {"reached": bool(reached)})

    def bench_release(self):
        with self.engine.lock:
            for container in self.engine.containers.values():
                container.released = True
            self.engine.lock.notify_all()
        self._value(200, {})

    def bench_place(self):
        container = self.engine.place(**self._json())
        self._value(201, {"Id": container.id})


_KEY = r"/containers/([^/]+)"
ROUTES = (
    ("GET", "/_ping", Handler.ping), ("HEAD", "/_ping", Handler.ping),
    ("GET", "/version", Handler.version), ("GET", "/info", Handler.info),
    ("GET", "/networks/bridge", Handler.bridge),
    ("GET", "/images/json", Handler.image_list),
    ("POST", "/images/create", Handler.image_create),
    ("GET", "/images/(.+)/json", Handler.image_inspect),
    ("GET", "/containers/json", Handler.container_list),
    ("POST", "/containers/create", Handler.container_create),
    ("GET", _KEY + "/json", Handler.container_inspect),
    ("POST", _KEY + "/attach", Handler.container_attach),
    ("POST", _KEY + "/start", Handler.container_start),
    ("POST", _KEY + "/wait", Handler.container_wait),
    ("POST", _KEY + "/kill", Handler.container_kill),
    ("POST", _KEY + "/stop", Handler.container_stop),
    ("POST", _KEY + "/resize", Handler.container_resize),
    ("DELETE", _KEY, Handler.container_remove),
    ("GET", "/_bench/state", Handler.bench_state),
    ("GET", "/_bench/wait", Handler.bench_wait),
    ("POST", "/_bench/release", Handler.bench_release),
    ("POST", "/_bench/containers", Handler.bench_place),
)


class EngineServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path, engine, behaviour, join_address, directory):
        self.engine, self.behaviour = engine, behaviour
        self.join_address, self.directory = join_address, directory
        super().__init__(path, Handler)

    def handle_error(self, request, client_address):
        """A client that was killed is no error of ours."""

    def behaviour_of(self, config) -> dict:
        """The script for this container; a scripted refusal ends its creation."""
        if (config.get("Cmd") or [""])[0] != INSTALLER or config.get("Image") not in self.engine.images:
            return {}
        script = self.behaviour.next()
        if "create_error" in script:
            self.engine.tell("refused", name=INSTALLER)
            raise EngineError(*script["create_error"])
        return script

    def start(self, container) -> None:
        script = container.behaviour
        if "start_error" in script:
            self.engine.fail(container)
            raise EngineError(*script["start_error"])
        if container.command[:1] == [INSTALLER]:
            self.engine.start(container, Installer(self.engine, self.join_address, script))
        else:
            self.engine.start(container)

    def hold_pull(self, reference) -> None:
        """While DIR/pull-hold exists a pull waits; /_bench/release has it look again."""
        path = self.directory / "pull-hold"
        if path.exists():
            self.engine.tell("pulling", image=reference)
        with self.engine.lock:
            self.engine.lock.wait_for(lambda: not path.exists())

    def pull_error(self):
        """The text of DIR/pull-error, while it exists."""
        path = self.directory / "pull-error"
        return path.read_text().strip() if path.exists() else None
