# SPDX-License-Identifier: Apache-2.0
"""The memory of the real programs while an installer runs: where the secrets are, and what a core dump would hold.

Read by root through /proc/PID/mem, which is what nobody else may do. A mapping that is excluded from dumps says so in smaps
(VmFlags "dd"); a core holds all the others, so these are searched.
"""

import os
import pathlib
import re
import unittest

import tap
from bench import EndToEnd

JWT = re.compile(rb"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")
SIZE_MAX = 1 << 30  # beyond it is a sanitizer's shadow, which holds no data
HEAD = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+) *(.*)$")


def mappings(pid):
    """(first, last, permissions, name, VmFlags)"""
    head = None
    for line in pathlib.Path("/proc/%d/smaps" % pid).read_text().splitlines():
        found = HEAD.match(line)
        if found:
            head = (int(found[1], 16), int(found[2], 16), found[3], found[5])
        elif line.startswith("VmFlags:"):
            yield (*head, line.split()[1:])


def guard_flags(pid):
    """Not dumped, wiped in a child, locked; AddressSanitizer, whose shadow takes terabytes, makes mlock(2) do nothing."""
    sanitized = any(last - first > 1 << 40 for first, last, *_ in mappings(pid))
    return {"dd", "wf"} if sanitized else {"dd", "wf", "lo"}


def memory(pid, wanted):
    """The content of the mappings that are wanted(flags), one after the other."""
    fd = os.open("/proc/%d/mem" % pid, os.O_RDONLY)
    try:
        for first, last, permissions, name, flags in mappings(pid):
            if "r" in permissions and name not in ("[vvar]", "[vsyscall]") and last - first < SIZE_MAX and wanted(flags):
                try:
                    yield os.pread(fd, last - first, first)
                except OSError:
                    continue  # device memory
    finally:
        os.close(fd)


def processes(name):
    """Ids of the processes whose program is called so."""
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(os.path.basename(word) == name.encode() for word in words[:2]):
            yield int(path.parent.name)


@unittest.skipIf(os.getuid() != 0, "needs root, who alone can look into them")
class Memory(EndToEnd):
    def setUp(self):
        super().setUp()
        self.engine.behave({"hold": True})
        self.bench.write_spec()
        self.agent = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start", timeout_s=30), "no installer was started")
        self.key = self.sim.credentials["api_key"].encode()
        self.family = {name: [pid for pid in processes(name) if self.is_ours(pid)] for name in
                       ("ece-installd", "elastic-cloud-enterprise.sh", "docker")}
        self.family["ece-enroll"] = [self.agent.pid]

    def is_ours(self, pid):
        try:
            return str(self.bench.top).encode() in pathlib.Path("/proc/%d/cmdline" % pid).read_bytes() + \
                pathlib.Path("/proc/%d/environ" % pid).read_bytes()
        except OSError:
            return False

    def finish(self):
        self.bench.containers.release()
        self.assertEnrolled(self.bench.end(self.agent))

    def test_no_core_from_anybody(self):
        """Agent, keeper, the script and the engine's client that the shim has become."""
        for name, pids in self.family.items():
            self.assertTrue(pids, name)
            for pid in pids:
                limits = pathlib.Path("/proc/%d/limits" % pid).read_text()
                self.assertRegex(limits, r"Max core file size +0 +0 +bytes", name)
        self.finish()

    def test_not_dumpable(self):
        """The kernel gives /proc/PID of a process that is not dumpable to root, whoever it runs as."""
        keeper = self.family["ece-installd"][0]
        status = pathlib.Path("/proc/%d/status" % keeper).read_text()
        self.assertRegex(status, r"(?m)^Uid:\s+%d\s" % self.bench.user.pw_uid)
        self.assertEqual(os.stat("/proc/%d/mem" % keeper).st_uid, 0)
        # The looking works: the script is dumpable, and is its user's.
        script = self.family["elastic-cloud-enterprise.sh"][0]
        self.assertEqual(os.stat("/proc/%d/mem" % script).st_uid, self.bench.user.pw_uid)
        self.finish()

    def test_what_a_core_would_hold(self):
        """The token is in the agent's memory (so looking works), in pages that are locked, not dumped and wiped in a child; and
        nowhere else in either program. Neither is the key."""
        agent, keeper = self.family["ece-enroll"][0], self.family["ece-installd"][0]
        guarded = guard_flags(agent)
        held = b"\0".join(memory(agent, lambda flags: guarded <= set(flags)))
        self.assertIn(self.key, held)
        self.assertRegex(held, JWT)
        for name, pid in (("ece-enroll", agent), ("ece-installd", keeper)):
            for content in memory(pid, lambda flags: "dd" not in flags):
                self.assertNotIn(self.key, content, name)
                self.assertIsNone(JWT.search(content), name)
        self.finish()


if __name__ == "__main__":
    tap.main()
