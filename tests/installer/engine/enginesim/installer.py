# SPDX-License-Identifier: Apache-2.0
"""What the installer's container does: prints, works for a while, presents itself to the platform, exits.

behaviour.json in the daemon's directory scripts it and is read anew for each run:

    {"runs": [{"exit": 1}, {"exit": 137, "seconds": 1}], "rest": {}}

The n-th run takes the n-th entry, later ones `rest`. Members of an entry:

    exit          status (0)                      seconds       how long it works (0.05)
    lines         what it prints ([])             hold          works until released by the test (false)
    join          presents itself (exit == 0)     present       members that replace what it presents ({})
    deaf          signals it ignores ([])         leave         stays behind after its end in spite of --rm (false)
    frc           leaves frc-* containers behind (joined)
    create_error, start_error   [status, message] the daemon's reply instead
"""

import json
import pathlib
import socket

from .model import NUMBERS

LINE_MAX = 64 * 1024
RULE = "~" * 72
FAILURE = (RULE, "  Errors have caused Elastic Cloud Enterprise installation to fail - Please check logs",
           "  Node type - additional", RULE)
MEMBERS = {"exit", "seconds", "lines", "hold", "join", "present", "deaf", "leave", "frc",
           "create_error", "start_error"}

# Names of the containers that roles bring; "" is what every host has (frc-<set>-<container>).
FRC = {
    "": ("runners-runner", "beats-runners-beats-runner", "client-forwarders-client-forwarder",
         "services-forwarders-services-forwarder"),
    "allocator": ("allocators-allocator", "allocator-metricbeats-allocator-metricbeat",
                  "container-task-services-container-task-service"),
    "coordinator": ("admin-consoles-admin-console", "blueprints-blueprint", "cloud-uis-cloud-ui",
                    "constructors-constructor"),
    "director": ("directors-director", "zookeeper-servers-zookeeper"),
    "proxy": ("proxies-proxyv2", "proxies-route-server"),
}


class Behaviour:
    """The script of all runs."""

    def __init__(self, path):
        self.path, self.runs = pathlib.Path(path), 0

    def next(self) -> dict:
        """The entry of the run that is being created; a create that fails counts as one too."""
        script = json.loads(self.path.read_text()) if self.path.exists() else {}
        runs = script.get("runs", [])
        entry = runs[self.runs] if self.runs < len(runs) else script.get("rest", {})
        unknown = set(entry) - MEMBERS
        if unknown:
            raise ValueError("behaviour.json: unknown members %s" % ", ".join(sorted(unknown)))
        self.runs += 1
        return entry


def present(address, request) -> dict:
    """One line to the platform's door for hosts, one back."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(json.dumps(request).encode("utf-8") + b"\n")
        with connection.makefile("rb") as answer:
            return json.loads(answer.readline(LINE_MAX))


class Installer:
    """The program of one run."""

    def __init__(self, engine, join_address, behaviour):
        self.engine, self.join_address, self.script = engine, join_address, behaviour
        self.deaf = behaviour.get("deaf", [])

    def __call__(self, container) -> int:
        with self.engine.lock:
            container.auto_remove = container.auto_remove and not self.script.get("leave", False)
        for line in self.script.get("lines", ["- Starting local runner {}", "- Started local runner {}"]):
            self._say(container, line)
        signal = container.sleep(self.script.get("seconds", 0.05), self.script.get("hold", False), self.deaf)
        if signal is not None:
            return 128 + NUMBERS.get(signal, 0)
        code = self.script.get("exit", 0)
        joined = self._join(container) if self.script.get("join", code == 0) else False
        if joined is None:
            code = code or 1
        if code != 0:
            for line in FAILURE:
                self._say(container, line)
        if self.script.get("frc", bool(joined)):
            self._leave_containers(container)
        self._log(container, "[no.found.util.LogApplicationExit$] Application is exiting {}")
        return code

    def _say(self, container, line) -> None:
        container.print(line)
        self._log(container, line)

    @staticmethod
    def _log(container, line) -> None:
        """bootstrap.log below the storage path, where people look."""
        directory = pathlib.Path(container.env.get("HOST_STORAGE_PATH", "")) / "logs" / "bootstrap-logs"
        if directory.is_absolute() and directory.is_dir():
            with open(directory / "bootstrap.log", "a", encoding="utf-8") as log:
                log.write(line + "\n")

    def _join(self, container):
        """True when accepted, None when not."""
        env = container.env
        request = {
            "token": env.get("RUNNER_ROLES_TOKEN"), "roles": env.get("RUNNER_ROLES", ""),
            "runner_id": env.get("RUNNER_ID") or env.get("HOST_IP"), "host_ip": env.get("HOST_IP"),
            "zone": env.get("AVAILABILITY_ZONE"), "coordinator_host": env.get("COORDINATOR_HOST"),
            "version": container.image.rpartition(":")[2],
        }
        request.update(self.script.get("present", {}))
        if not request["coordinator_host"] or self.join_address is None:
            self._say(container, "No coordinator host: this would be a new installation")
            return None
        answer = present(self.join_address, request)
        self.engine.tell("join", container, accepted=answer["accepted"], code=answer.get("code"))
        if not answer["accepted"]:
            self._say(container, "ERROR %s: %s" % (answer.get("code"), answer.get("message")))
        return True if answer["accepted"] else None

    def _leave_containers(self, container) -> None:
        roles = [""] + [role for role in container.env.get("RUNNER_ROLES", "").split(",") if role]
        known = {other.name for other in self.engine.containers.values()}
        for name in ("frc-" + part for role in roles for part in FRC[role]):
            if name not in known:
                self.engine.place(name, container.image, ["/elastic_cloud_apps/run"])
