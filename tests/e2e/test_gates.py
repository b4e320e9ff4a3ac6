#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gates: each that is shut is named and waited for, costs the platform nothing, and once it opens the host joins by itself.

What a machine has only once (its names, users, mounts) is given to the program as a file of its own, mounted over
the real one in a mount namespace of its own; such tests need root.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import tap  # noqa: E402
from bench import IMAGE, INSTALLER, Bench, EndToEnd, merged  # noqa: E402
from enginetest import as_user  # noqa: E402

# Promised are 10 s from a gate's opening; the rest is for a machine with other things to do.
PROMISE_S, SLACK_S = 10, 5

as_root = unittest.skipUnless(os.getuid() == 0, "mount namespaces need root")

HOST_GATES = ["user", "script", "script-sha256", "script-version", "engine-socket", "group", "engine-client", "storage",
              "disk-space", "address", "ports"]
ALL_GATES = HOST_GATES + ["engine", "foreign-installer", "names", "route", "coordinator", "time"]


class Door:
    """A port of its own in front of a coordinator. Shut: nobody listens. It leads to `target`, which may change."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.listener.getsockname()[1]
        self.listener.close()
        self.listener = None

    @property
    def url(self) -> str:
        return "https://127.0.0.1:%d" % self.port

    def open(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=16)
        threading.Thread(target=self._serve, args=(self.listener,), daemon=True).start()

    def close(self) -> None:
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()

    def _serve(self, listener) -> None:
        while True:
            try:
                inside, _ = listener.accept()
            except OSError:
                return
            outside = socket.create_connection(self.target)
            for pair in ((inside, outside), (outside, inside)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    @staticmethod
    def _copy(source, sink) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                sink.sendall(chunk)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def address_of(url):
    host, _, port = url.removeprefix("https://").rpartition(":")
    return host, int(port)


class Gates(EndToEnd):
    """With the pauses of real life: the spec's default for them is what the promise is about."""

    def setUp(self):
        super().setUp()
        self.write_spec()

    def write_spec(self, **changes):
        self.bench.write_spec(**merged({"retry": {"backoff": None}}, changes))

    def shut_gate(self, gate, reason, **more):
        """A run that waits for this gate, and what check says beside it."""
        run = self.bench.start_run(**more)
        shown = self.bench.wait_gate(gate, "shut")
        self.assertEqual(self.bench.status()["state"], "PREFLIGHT")
        self.assertEqual(shown["reason"], reason, shown)
        self.assertTrue(shown["text"] and shown["remedy"], shown)
        self.assertEqual(self.sim.requests(), [], "a shut gate costs the platform nothing")
        return run

    def check(self, *words, **more):
        outcome = self.bench.command("check", self.bench.spec_path, "--json", *words, **more)
        return outcome.code, self.gates_of(outcome.output)

    @staticmethod
    def gates_of(output):
        """Without the items of the preparation, which depend on the machine (test_preparation.py)."""
        return {row["name"]: row for row in json.loads(output) if "documented" not in row}

    def assertChecked(self, gate, reason, code, **more):
        found_code, gates = self.check(**more)
        self.assertEqual((gates[gate]["state"], gates[gate]["reason"]), ("shut", reason), gates[gate])
        self.assertEqual(found_code, code)
        self.assertEqual(list(gates), ALL_GATES)

    def assertGoesOn(self, run, gate, opened_s, **enrolled):
        """From the opening of the last gate to the first request it is no longer than promised."""
        self.assertTrue(self.sim.control.wait("request", timeout_s=PROMISE_S + SLACK_S), self.bench.status())
        self.assertLess(time.monotonic() - opened_s, PROMISE_S + SLACK_S)
        outcome = self.bench.end(run)
        self.assertEnrolled(outcome, **enrolled)
        for words in ("waiting for gate '%s'" % gate, "gate '%s' is open now" % gate):
            self.assertEqual(outcome.output.count(words), 1, outcome)
        states = {g["name"]: g["state"] for g in self.bench.status()["gates"]}
        self.assertEqual(states, dict.fromkeys(ALL_GATES, "open"))

    def shut_then_open(self, gate, reason, code, open_it, **enrolled):
        run = self.shut_gate(gate, reason)
        self.assertChecked(gate, reason, code)
        opened_s = time.monotonic()
        open_it()
        self.assertGoesOn(run, gate, opened_s, **enrolled)


class Engine(Gates):
    def test_no_socket(self):
        aside = self.engine.socket.with_suffix(".aside")
        self.engine.socket.rename(aside)
        self.shut_then_open("engine-socket", "host.engine-socket", 78, lambda: aside.rename(self.engine.socket))

    def test_a_socket_and_no_daemon(self):
        self.engine.process.kill()
        self.engine.process.wait()

        def start():
            self.engine.socket.unlink()
            self.engine.process.stdout.close()
            self.engine.start()

        self.shut_then_open("engine-socket", "host.engine-socket", 78, start)

    def test_a_daemon_that_hangs(self):
        self.engine.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.engine.process.send_signal, signal.SIGCONT)
        self.shut_then_open("engine", "engine.not-answering", 78,
                            lambda: self.engine.process.send_signal(signal.SIGCONT))

    def test_somebody_elses_installer(self):
        name = self.bench.containers.place(name=INSTALLER, image=IMAGE, command=["elastic-cloud-enterprise-upgrader"])
        self.shut_then_open("foreign-installer", "engine.foreign-installer", 75,
                            lambda: self.bench.containers.expect("POST", "/containers/%s/stop?t=1" % name), installs=2)

    @as_root
    def test_a_socket_of_another_group(self):
        self.engine.socket.chmod(0o600)
        os.chown(self.engine.socket, 0, 0)
        self.shut_then_open("group", "host.group", 78, lambda: self.engine.socket.chmod(0o666))


class Host(Gates):
    def test_no_storage_path(self):
        self.bench.storage.rmdir()
        self.shut_then_open("storage", "host.storage", 78, lambda: self.bench.owned("data"))

    @as_root
    def test_a_storage_path_of_another_user(self):
        os.chown(self.bench.storage, 0, 0)
        self.shut_then_open("storage", "host.storage", 78,
                            lambda: os.chown(self.bench.storage, self.bench.user.pw_uid, self.bench.user.pw_gid))

    def test_no_script(self):
        aside = self.bench.script.with_suffix(".aside")
        self.bench.script.rename(aside)
        self.shut_then_open("script", "host.script", 78, lambda: aside.rename(self.bench.script))

    def test_a_script_that_is_still_being_downloaded(self):
        whole = self.bench.script.read_bytes()
        self.write_spec(installer={"sha256": hashlib.sha256(whole).hexdigest()})
        self.bench.script.write_bytes(whole[:len(whole) // 2])
        self.shut_then_open("script-sha256", "host.script-sha256", 78, lambda: self.bench.script.write_bytes(whole))

    def test_a_busy_port(self):
        with socket.socket() as busy:
            busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            busy.bind(("127.0.0.1", 21000))
            busy.listen()
            self.shut_then_open("ports", "host.ports", 78, busy.close)


class Network(Gates):
    def test_no_coordinator_listens(self):
        door = Door(address_of(self.sim.url))
        self.addCleanup(door.close)
        self.write_spec(coordinators=[door.url])
        self.shut_then_open("coordinator", "coordinator.connect-refused", 69, door.open)

    def test_one_coordinator_is_enough(self):
        door = Door(None)
        self.write_spec(coordinators=[door.url, self.sim.url, "https://nowhere.invalid:12443"])
        self.assertEnrolled(self.bench.run())
        code, gates = self.check()
        self.assertEqual(code, 0)
        self.assertIn("nowhere.invalid", gates["names"]["found"])
        self.assertIn(door.url + " (not this one)", gates["coordinator"]["found"])


class FirstHost(Gates):
    def test_it_is_told(self):
        """Its only coordinator is itself: nobody can enroll it but a person, or its own ECE when it is up."""
        door = Door(address_of(self.sim.url))
        self.addCleanup(door.close)
        self.write_spec(coordinators=[door.url])
        run = self.shut_gate("coordinator", "coordinator.connect-refused")
        self.bench.wait_for(lambda: any("by hand" in note for note in self.bench.status()["notes"]))
        run.terminate()
        self.assertExit(self.bench.end(run), 143)
        self.assertEqual(self.bench.installs(), 0)

    def test_one_with_another_coordinator_is_none(self):
        door = Door(address_of(self.sim.url))
        self.addCleanup(door.close)
        self.write_spec(coordinators=[door.url, "https://nowhere.invalid:12443"])
        self.shut_gate("coordinator", "coordinator.resolve-failed")
        self.assertEqual(self.bench.status()["notes"], [])


class Time(Gates):
    """The coordinator's certificate is not valid yet; behind the same door there is then one that is."""

    def make_bench(self):
        return Bench("--leaf", "not-yet-valid", own_certificates=True)

    def test_a_certificate_of_the_future(self):
        later = Bench()
        self.addCleanup(later.close)
        door = Door(address_of(self.sim.url))
        self.addCleanup(door.close)
        door.open()
        both = self.bench.top / "both.pem"
        both.write_bytes(self.sim.ca.read_bytes() + later.sim.ca.read_bytes())
        self.bench.secret_file("key", later.sim.credentials["api_key"])
        self.write_spec(coordinators=[door.url], trust={"ca_file": str(both)})

        run = self.shut_gate("time", "coordinator.tls-not-yet-valid")
        self.assertChecked("time", "coordinator.tls-not-yet-valid", 69)
        shown = self.bench.wait_gate("time", "shut")
        self.assertIn("this host's clock", shown["text"])
        self.assertIn("synchronised", shown["found"])
        self.assertEqual(self.bench.wait_gate("coordinator", "open")["reason"], "")
        opened_s = time.monotonic()
        door.target = address_of(later.sim.url)
        self.assertTrue(later.sim.control.wait("request", timeout_s=PROMISE_S + SLACK_S), self.bench.status())
        self.assertLess(time.monotonic() - opened_s, PROMISE_S + SLACK_S)
        self.bench._stop(run)
        self.assertEqual(self.sim.requests(), [])


class InANamespace(Gates):
    """The program sees files and mounts of its own."""

    def private(self, *mounts):
        """Words that make a mount namespace with these (source or options, target) mounted, and become a program there."""
        script = "set -e\n" + "".join("mount %s\n" % mount for mount in mounts) + 'exec "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]

    def beside(self, run):
        return ["nsenter", "--target", str(run.pid), "--mount"]

    def file_over(self, path, text):
        """A file of our own and the mount that puts it over path. Writing to it in place changes what is seen."""
        mine = self.bench.top / pathlib.Path(path).name
        mine.write_text(text)
        mine.chmod(0o644)
        return mine, "--bind %s %s" % (mine, path)

    def shut_then_open_inside(self, gate, reason, code, prefix, open_it):
        run = self.shut_gate(gate, reason, prefix=prefix)
        self.assertChecked(gate, reason, code, prefix=self.beside(run))
        opened_s = time.monotonic()
        open_it(run)
        self.assertGoesOn(run, gate, opened_s)


@as_root
class Users(InANamespace):
    def test_a_user_that_is_not_there_yet(self):
        name = self.bench.user.pw_name
        lines = pathlib.Path("/etc/passwd").read_text().splitlines(True)
        mine, mount = self.file_over("/etc/passwd", "".join(l for l in lines if not l.startswith(name + ":")))

        def add_user(run):
            with mine.open("a") as passwd:
                passwd.writelines(l for l in lines if l.startswith(name + ":"))

        self.shut_then_open_inside("user", "host.user-missing", 78, self.private(mount), add_user)

    def test_a_group_that_the_user_gets_later(self):
        gid = 54321
        groups = pathlib.Path("/etc/group").read_text()
        mine, mount = self.file_over("/etc/group", groups + "engine-users:x:%d:\n" % gid)
        os.chown(self.engine.socket, 0, gid)
        self.engine.socket.chmod(0o660)
        self.assertIn("'engine-users'", self.text_of_the_group_gate(mount))

        def add_member(run):
            mine.write_text(groups + "engine-users:x:%d:%s\n" % (gid, self.bench.user.pw_name))

        self.shut_then_open_inside("group", "host.group", 78, self.private(mount), add_member)

    def text_of_the_group_gate(self, mount) -> str:
        return self.check(prefix=self.private(mount))[1]["group"]["text"]


@as_root
class Disk(InANamespace):
    def test_a_full_disk(self):
        user, storage = self.bench.user, self.bench.storage
        mount = "-t tmpfs -o size=64m,mode=700,uid=%d,gid=%d tmpfs %s" % (user.pw_uid, user.pw_gid, storage)

        def add_room(run):
            subprocess.run(self.beside(run) + ["mount", "-o", "remount,size=2g", str(storage)], check=True)

        self.shut_then_open_inside("disk-space", "host.disk-space", 78, self.private(mount), add_room)


@as_root
class Names(InANamespace):
    def make_bench(self):
        return Bench("--name", "ece-gates.example", own_certificates=True)

    def test_a_name_that_does_not_resolve_yet(self):
        mine, hosts = self.file_over("/etc/hosts", "127.0.0.1 localhost\n")
        # Nobody is asked over the network: there is no name server at this address.
        _, resolver = self.file_over("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self.write_spec(coordinators=["https://ece-gates.example:%d" % address_of(self.sim.url)[1]])

        def add_name(run):
            with mine.open("a") as file:
                file.write("127.0.0.1 ece-gates.example\n")

        self.shut_then_open_inside("names", "coordinator.resolve-failed", 69, self.private(hosts, resolver), add_name)


@as_root
class Route(Gates):
    """In a network namespace of its own, whose loopback is down at first. The coordinator is not in there, so this ends
    at the gate behind."""

    def test_no_route(self):
        run = self.shut_gate("route", "host.route", prefix=["unshare", "--net"])
        inside = ["nsenter", "--target", str(run.pid), "--net"]
        self.assertChecked("route", "host.route", 69, prefix=inside)
        subprocess.run(inside + ["ip", "link", "set", "lo", "up"], check=True)
        self.bench.wait_gate("route", "open", PROMISE_S + SLACK_S)
        self.bench.wait_gate("coordinator", "shut", PROMISE_S + SLACK_S)


class Daemon(Gates):
    def test_started_before_everything(self):
        """Nothing is ready when the agent starts; one thing after the other comes, in no good order."""
        door = Door(address_of(self.sim.url))
        self.addCleanup(door.close)
        self.write_spec(coordinators=[door.url])
        self.bench.socket_unit()
        aside = self.engine.socket.with_suffix(".aside")
        self.engine.socket.rename(aside)
        self.bench.storage.rmdir()
        daemon = self.bench.daemon()
        self.bench.wait_gate("engine-socket", "shut")
        self.bench.wait_gate("storage", "shut")
        self.bench.owned("data")
        self.bench.wait_gate("storage", "open", PROMISE_S + SLACK_S)
        aside.rename(self.engine.socket)
        self.bench.wait_gate("coordinator", "shut", PROMISE_S + SLACK_S)
        self.assertEqual(self.sim.requests(), [])
        opened_s = time.monotonic()
        door.open()
        self.assertTrue(self.sim.control.wait("request", timeout_s=PROMISE_S + SLACK_S), self.bench.status())
        self.assertLess(time.monotonic() - opened_s, PROMISE_S + SLACK_S)
        self.bench.wait_status("ENROLLED")
        self.assertEnrolled()
        self.bench._stop(daemon)


class Check(Gates):
    def test_all_is_well(self):
        code, gates = self.check()
        self.assertEqual(code, 0, gates)
        self.assertEqual({name: gate["state"] for name, gate in gates.items()}, dict.fromkeys(ALL_GATES, "open"))
        self.assertUntouched()
        self.assertEqual(self.sim.requests(), [], "not a byte of HTTP")
        self.assertFalse(self.bench.state.exists())
        self.assertEqual(os.listdir(self.bench.runtime), [])

    def test_for_people(self):
        self.bench.storage.rmdir()
        outcome = self.bench.command("check", self.bench.spec_path)
        self.assertEqual(outcome.code, 78)
        lines = outcome.output.splitlines()
        shut = [n for n, line in enumerate(lines) if line.startswith("shut")]
        self.assertEqual(len(shut), 1, outcome)
        self.assertRegex(lines[shut[0]], r"^shut +storage +.*\[host\.storage\]$")
        self.assertIn("Mount and create installer.storage_path", lines[shut[0] + 1])

    @as_root
    def test_as_the_install_user_and_as_anybody(self):
        user = self.bench.user
        command = [str(self.bench.programs / "ece-enroll"), "check", str(self.bench.spec_path), "--json"]

        def ask(identity):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
                                  env=self.bench.environment(), **identity)
            return done.returncode, self.gates_of(done.stdout)

        self.engine.socket.chmod(0o600)
        os.chown(self.engine.socket, user.pw_uid, user.pw_gid)
        code, gates = ask(as_user(user))
        self.assertEqual((code, {gate["state"] for gate in gates.values()}), (0, {"open"}), gates)
        code, gates = ask({"user": 54321, "group": 54321, "extra_groups": []})
        self.assertEqual(code, 0, gates)
        for name in ("group", "engine", "foreign-installer"):
            self.assertEqual(gates[name]["state"], "untried", gates[name])
            self.assertIn("only root and the install user", gates[name]["found"])
        self.assertIn("only that user and root", gates["storage"]["found"])

    def test_beside_an_installer_at_work(self):
        self.engine.behave({"hold": True})
        run = self.bench.start_run()
        self.bench.wait_status("INSTALLING")
        self.assertTrue(self.bench.containers.wait("start", name=INSTALLER))
        code, gates = self.check()
        self.assertEqual(code, 0, gates)
        self.assertIn("ours", gates["foreign-installer"]["found"])
        self.bench.containers.release()
        self.assertEnrolled(self.bench.end(run))

    def test_a_spec_that_is_wrong(self):
        self.bench.spec_path.write_text("version: 2\n")
        self.assertEqual(self.bench.command("check", self.bench.spec_path).code, 78)


if __name__ == "__main__":
    tap.main()
