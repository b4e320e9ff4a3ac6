# SPDX-License-Identifier: Apache-2.0
"""Containers and images. One lock for all; everything that changes notifies it."""

import hashlib
import json
import secrets
import threading
import time

INSTALLER = "elastic-cloud-enterprise-installer"
SIGNALS = {"1": "HUP", "2": "INT", "3": "QUIT", "9": "KILL", "15": "TERM"}
NUMBERS = {name: int(number) for number, name in SIGNALS.items()}


class EngineError(Exception):
    """An error reply of the daemon."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def signal_name(text) -> str:
    name = (text or "KILL").upper()
    if name.startswith("SIG"):
        name = name[3:]
    return SIGNALS.get(name, name)


class Container:
    def __init__(self, engine, name, config):
        self.engine, self.name, self.config = engine, name, config
        self.id = secrets.token_hex(32)
        self.image = config.get("Image", "")
        self.command = config.get("Cmd") or []
        self.env = dict(entry.partition("=")[::2] for entry in config.get("Env") or [])
        self.labels = config.get("Labels") or {}
        self.auto_remove = (config.get("HostConfig") or {}).get("AutoRemove", False)
        self.status, self.exit_code = "created", 0
        self.created_s, self.started_s, self.finished_s = time.time(), 0.0, 0.0
        self.signals, self.output = [], []
        self.released = self.removed = False
        self.behaviour = {}  # of the installer's run, see installer.py

    @property
    def running(self) -> bool:
        return self.status == "running"

    def print(self, line, stream=1) -> None:
        with self.engine.lock:
            self.output.append((stream, line.encode("utf-8") + b"\n"))
            self.engine.lock.notify_all()

    def sleep(self, seconds, hold=False, deaf_to=()):
        """
        Waits; with hold until released. Returns the signal that ended it, or None. KILL is always heard.
        """
        def over():
            self.signals = [s for s in self.signals if s not in deaf_to]
            return bool(self.signals) or (hold and self.released)

        with self.engine.lock:
            self.engine.lock.wait_for(over, None if hold else seconds)
            return self.signals[0] if self.signals else None


class Engine:
    def __init__(self, directory, program):
        self.directory, self.program = directory, program
        self.lock = threading.Condition(threading.RLock())
        self.containers = {}
        self.images = set()
        self.events = []
        self._log = open(directory / "events.jsonl", "a", buffering=1, encoding="utf-8")

    def tell(self, event, container=None, **facts) -> None:
        with self.lock:
            entry = dict(facts, event=event)
            if container is not None:
                entry.update(name=container.name, image=container.image, command=container.command)
            self.events.append(entry)
            self._log.write(json.dumps(entry) + "\n")
            self.lock.notify_all()

    # Images

    def pull(self, reference) -> None:
        with self.lock:
            self.images.add(reference)
        self.tell("pull", image=reference)

    # Containers

    def find(self, key) -> Container:
        with self.lock:
            for container in self.containers.values():
                if container.name == key or container.id.startswith(key):
                    return container
        raise EngineError(404, "No such container: %s" % key)

    def create(self, name, config) -> Container:
        container = Container(self, name or "unnamed-" + secrets.token_hex(4), config)
        with self.lock:
            if container.image not in self.images:
                raise EngineError(404, "No such image: %s" % container.image)
            for other in self.containers.values():
                if other.name == container.name:
                    self.tell("conflict", container)
                    raise EngineError(409, 'Conflict. The container name "/%s" is already in use by container '
                                      '"%s". You have to remove (or rename) that container to be able to '
                                      'reuse that name.' % (container.name, other.id))
            self.containers[container.id] = container
        token = container.env.get("RUNNER_ROLES_TOKEN", "")
        self.tell("create", container, labels=container.labels,
                  env={k: v for k, v in container.env.items() if k != "RUNNER_ROLES_TOKEN"},
                  token_sha256=hashlib.sha256(token.encode("utf-8")).hexdigest() if token else None)
        return container

    def place(self, name, image, command=(), env=(), labels=None, status="running", program=None):
        """A container that is simply there. program: what it does (default: sleeps for ever)."""
        self.images.add(image)
        container = self.create(name, {"Image": image, "Cmd": list(command), "Env": list(env),
                                       "Labels": labels or {}})
        if status != "created":
            self.start(container, program or sleeper)
        if status == "exited":
            self.signal(container, "KILL")
            self.wait(container)
        return container

    def start(self, container, program=None) -> None:
        with self.lock:
            if container.running:
                return
            container.status, container.started_s = "running", time.time()
        self.tell("start", container)
        threading.Thread(target=self._run, args=(container, program or self.program), daemon=True).start()

    def _run(self, container, program) -> None:
        try:
            code = program(container)
        except Exception as error:  # a defect of the stand-in must not look like a container that hangs
            container.print("stand-in: %s: %s" % (type(error).__name__, error), 2)
            code = 70
        self._end(container, code)
        self.tell("exit", container, code=code)
        if container.auto_remove:
            self.remove(container)

    def _end(self, container, code) -> None:
        with self.lock:
            container.status, container.exit_code = "exited", code
            container.finished_s = time.time()
            self.lock.notify_all()

    def fail(self, container) -> None:
        """It could not be started; with --rm that is its end."""
        self._end(container, 128)
        self.tell("refused", container)
        if container.auto_remove:
            self.remove(container)

    def signal(self, container, name) -> None:
        with self.lock:
            if not container.running:
                raise EngineError(409, "Container %s is not running" % container.id)
            container.signals.append(signal_name(name))
        self.tell("signal", container, signal=signal_name(name))

    def stop(self, container, grace_s) -> None:
        with self.lock:
            if not container.running:
                raise EngineError(304, "")
            self.signal(container, "TERM")
            if not self.lock.wait_for(lambda: not container.running, grace_s):
                self.signal(container, "KILL")
                self.wait(container)

    def wait(self, container, removed=False) -> int:
        def over():
            gone = container.removed or not container.auto_remove
            return container.status == "exited" and (gone or not removed)
        with self.lock:
            self.lock.wait_for(over)
            return container.exit_code

    def remove(self, container, force=False) -> None:
        with self.lock:
            if container.running:
                if not force:
                    raise EngineError(409, "cannot remove container %s: container is running: stop the "
                                      "container before removing or force remove" % container.id)
                container.auto_remove = False
                self.signal(container, "KILL")
                self.wait(container)
            self.containers.pop(container.id, None)
            container.removed = True
        self.tell("remove", container)


def sleeper(container) -> int:
    """Sleeps until a signal ends it."""
    return 128 + NUMBERS.get(container.sleep(0, hold=True), 0)
