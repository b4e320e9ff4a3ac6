#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Preparation: `check` tells how a host differs from ECE's documentation, with fixes that mend it when they are pasted.
It never changes the exit code.

The files of the machine are given to the program as files of our own, mounted over the real ones in a mount namespace; such
tests need root.
"""

import http.server
import json
import os
import pathlib
import socketserver
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import tap  # noqa: E402
from bench import EndToEnd  # noqa: E402

as_root = unittest.skipUnless(os.getuid() == 0, "mount namespaces need root")

BOTH = ["os-engine", "memory", "swap", "sysctl-max-map-count", "sysctl-ip-forward", "sysctl-tcp-retries2", "sysctl-swappiness",
        "kernel-command-line", "cgroup-version", "limit-nofile", "limit-memlock", "limit-nproc", "storage-filesystem",
        "storage-quota", "storage-owner", "storage-size", "engine-group", "engine-at-boot", "engine-data-root", "engine-driver"]
DOCKER = ["engine-icc", "engine-ulimits"]
PODMAN = ["podman-wrapper", "podman-sudoers", "podman-network", "selinux"]
LAST = ["time-sync", "time-zone", "nscd", "firewalld"]
SYSCTLS = {"vm/max_map_count": "65530", "net/ipv4/ip_forward": "0", "net/ipv4/tcp_retries2": "15", "vm/swappiness": "60"}


class Preparation(EndToEnd):
    def check(self, prefix=(), code=0, **environment):
        """All items by name. Whatever they say, the exit code is that of the gates."""
        outcome = self.bench.command("check", self.bench.spec_path, "--json", prefix=prefix, **environment)
        self.assertEqual(outcome.code, code, outcome)
        return {row["name"]: row for row in json.loads(outcome.output) if "documented" in row}

    def private(self, *mounts):
        """Words that make a mount namespace with these (what, target) mounted, and become a program there."""
        script = "set -e\n" + "".join("mount --bind %s %s\n" % mount for mount in mounts) + 'exec "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]

    def over(self, path, text, mode=0o644):
        """A file of our own, to be mounted over path."""
        if not pathlib.Path(path).exists():
            self.skipTest("there is no %s to mount something over" % path)
        mine = self.bench.top / path.replace("/", "_")
        mine.write_text(text)
        mine.chmod(mode)
        return mine, path


class Items(Preparation):
    def test_rows_beside_the_gates(self):
        items = self.check()
        self.assertEqual(list(items), BOTH + DOCKER + LAST)
        for row in items.values():
            self.assertEqual(list(row), ["name", "state", "found", "reason", "text", "remedy", "took_ms", "documented", "source"])
            self.assertIn(row["state"], ("prepared", "advised", "untried"))
            self.assertEqual(row["state"] == "advised", bool(row["remedy"] and row["text"]), row)
            self.assertTrue(row["found"] and row["documented"], row)
            self.assertTrue(row["source"].startswith("https://www.elastic.co/"), row)
        self.assertTrue(any(row["state"] == "advised" for row in items.values()), "this test's engine alone is not as documented")
        self.assertUntouched()
        self.assertEqual(self.sim.requests(), [])

    def test_for_people(self):
        outcome = self.bench.command("check", self.bench.spec_path)
        self.assertEqual(outcome.code, 0, outcome)
        gates, _, items = outcome.output.partition("\n\nPreparation of this host")
        self.assertNotIn("advised", gates)
        lines = items.splitlines()
        found = [n for n, line in enumerate(lines) if line.startswith("advised  engine-icc ")]
        self.assertEqual(len(found), 1, outcome)
        self.assertTrue(lines[found[0]].endswith("; documented: --icc=false"), lines[found[0]])
        self.assertIn('"icc": false', lines[found[0] + 1])
        self.assertIn("https://www.elastic.co/docs/", lines[found[0] + 2])

    def test_a_shut_gate_keeps_its_exit_code(self):
        self.bench.storage.rmdir()
        items = self.check(code=78)
        self.assertEqual(items["storage-size"]["state"], "untried")
        self.assertIn("storage path", items["storage-size"]["found"])

    def test_podman(self):
        self.bench.write_spec(installer={"engine": "podman"})
        self.assertEqual(list(self.check()), BOTH + PODMAN + LAST)

    def test_the_run_does_not_care(self):
        self.assertEqual(self.check()["engine-icc"]["state"], "advised")
        self.assertEnrolled(self.bench.run())
        self.assertNotIn("engine-icc", [gate["name"] for gate in self.bench.status()["gates"]])

    def test_roles(self):
        self.bench.write_spec(host={"roles": ["coordinator", "director"]})
        items = self.check()
        self.assertEqual((items["storage-filesystem"]["state"], items["storage-quota"]["state"]), ("prepared", "prepared"))
        self.assertIn("on a director", items["swap"]["found"])


class TheEngine(Preparation):
    def test_what_it_says(self):
        items = self.check()
        self.assertIn("docker 27.0.3", items["os-engine"]["found"])
        self.assertEqual((items["engine-driver"]["state"], items["engine-driver"]["found"]), ("prepared", "overlay2"))
        self.assertEqual(items["engine-icc"]["state"], "advised")
        self.assertEqual(items["engine-data-root"]["found"], "/var/lib/docker")
        self.assertIn('"data-root": "%s/docker"' % self.bench.storage.parent, items["engine-data-root"]["remedy"])

    def test_it_is_away(self):
        aside = self.engine.socket.with_suffix(".aside")
        self.engine.socket.rename(aside)
        self.addCleanup(aside.rename, self.engine.socket)
        items = self.check(code=78)
        for name in ("os-engine", "engine-driver", "engine-icc", "engine-data-root"):
            item = items[name]
            self.assertEqual((item["state"], item["found"]), ("untried", "not looked at while 'engine-socket' is not open"))

    def serve(self, replies):
        """An engine with these replies by path; None: it never comes."""
        end = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = replies.get(self.path.partition("?")[0], b"{}")
                if body is None:
                    end.wait()
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self):
                return "unix"

            def log_message(self, format, *arguments):
                pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        path = self.bench.top / "other.sock"
        server = Server(str(path), Handler)
        path.chmod(0o666)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.addCleanup(end.set)
        self.bench.write_spec(installer={"engine_socket": str(path)})

    def test_it_says_nothing_of_use(self):
        self.serve({"/containers/json": b"[]", "/version": b"<html>", "/info": b'{"Driver": 7}', "/networks/bridge": b"[]"})
        items = self.check()
        for name in ("os-engine", "engine-driver", "engine-icc", "engine-data-root"):
            self.assertEqual((items[name]["state"], items[name]["found"]), ("untried", "the engine does not say"))

    def test_it_hangs_in_the_middle(self):
        self.serve({"/containers/json": b"[]", "/version": b'{"Version": "26.1.4"}', "/info": None})
        items = self.check()
        self.assertIn("docker 26.1.4", items["os-engine"]["found"])
        self.assertEqual(items["engine-driver"]["found"], "the engine does not say")


@as_root
class Files(Preparation):
    def test_a_host_that_is_prepared(self):
        user = self.bench.user.pw_name
        limits = "".join("%s - %s\n" % (user, limit) for limit in ("nofile 1024000", "memlock unlimited", "nproc unlimited"))
        good = {"vm/max_map_count": 1048576, "net/ipv4/ip_forward": 1, "net/ipv4/tcp_retries2": 5, "vm/swappiness": 1}
        mounts = [self.over("/proc/sys/" + name, "%d\n" % value) for name, value in good.items()]
        mounts += [self.over("/etc/security/limits.conf", limits), self.over("/etc/os-release", "ID=ubuntu\nVERSION_ID=22.04\n"),
                   self.over("/proc/cmdline", "quiet cgroup_enable=memory swapaccount=1 cgroup.memory=nokmem\n"),
                   self.over("/proc/meminfo", "MemTotal: 16000000 kB\nSwapTotal: 4000000 kB\n")]
        items = self.check(prefix=self.private(*mounts))
        for name in BOTH[:8] + ["limit-nofile", "limit-memlock", "limit-nproc", "storage-owner"]:
            self.assertEqual(items[name]["state"], "prepared", items[name])

    def test_what_only_root_can_tell(self):
        mount = self.over("/etc/security/limits.conf", "", 0o600)
        anybody = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
        self.bench.key_path.chmod(0o644)
        outcome = self.bench.command("check", self.bench.spec_path, "--json", prefix=self.private(mount) + anybody)
        items = {row["name"]: row for row in json.loads(outcome.output)}
        self.assertEqual((items["limit-nofile"]["state"], items["limit-nofile"]["found"]), ("untried", "only root can tell"))

    def test_a_file_system_that_hangs(self):
        """A FUSE whose daemon never answers. The gate is shut after its time, and nobody waits for the rest either."""
        if not pathlib.Path("/dev/fuse").exists():
            self.skipTest("there is no /dev/fuse")
        script = ("set -e\nexec 9<>/dev/fuse\nmount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0,allow_other none %s\n"
                  'exec "$@"' % self.bench.storage)
        # At the end a sanitizer would want to stop the thread that hangs, to look for leaks.
        items = self.check(prefix=["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"], code=78,
                           ASAN_OPTIONS="detect_leaks=0")
        for name in ("storage-filesystem", "storage-owner", "storage-size"):
            self.assertEqual((items[name]["state"], items[name]["found"]), ("untried", "not looked at: the look at it hangs"))
        for name in ("memory", "sysctl-swappiness", "limit-nofile", "engine-group"):
            self.assertNotEqual(items[name]["state"], "untried", items[name])
        self.assertEqual(items["engine-driver"]["found"], "overlay2")

    def test_fixes_mend_when_they_are_pasted(self):
        """In the namespace, where the files are ours; sudo is a word that becomes what follows."""
        mounts = [self.over("/proc/sys/" + name, value + "\n") for name, value in SYSCTLS.items()]
        mounts += [self.over("/etc/security/limits.conf", "* soft nofile 1024\n"), self.over("/etc/sysctl.conf", "")]
        sudo = self.bench.top / "sudo"
        sudo.write_text('#!/bin/sh\nexec "$@"\n')
        sudo.chmod(0o755)
        os.chown(self.bench.storage, 0, 0)
        self.bench.storage.chmod(0o755)
        names = BOTH[3:7] + ["limit-nofile", "limit-memlock", "limit-nproc", "storage-owner"]
        before = self.check(prefix=self.private(*mounts), code=78)
        paste = 'PATH="%s:$PATH"\n' % self.bench.top
        for name in names:
            self.assertEqual(before[name]["state"], "advised", before[name])
            paste += before[name]["remedy"] + "\n"
        subprocess.run(self.private(*mounts) + ["sh", "-ec", paste], check=True, stdout=subprocess.DEVNULL)
        after = self.check(prefix=self.private(*mounts))
        for name in names:
            self.assertEqual(after[name]["state"], "prepared", after[name])


if __name__ == "__main__":
    tap.main()
