# SPDX-License-Identifier: Apache-2.0
"""On a virtual machine: its clock is years behind until somebody sets it, and MemoryMax= is what the kernel enforces."""

import time
import unittest

import guest
import scenarios
from machinetest import KEY, MachineTest

AGENT = "ece-enrolld.service"
MEMORY_MAX = 128 << 20  # ece-enrolld.service
BOOT_S = 240
GLUTTON = "ExecStart=/usr/bin/python3 -c 'import time; x = bytearray(%d); time.sleep(600)'"


@unittest.skipIf(guest.missing(), guest.missing() or "")
class VirtualMachine(MachineTest):
    crowd = True
    limit_s = 600

    def machine(self):
        host = guest.Guest(clock="2020-01-01T00:00:00")
        self.addCleanup(host.close)
        host.write("etc/ece-enroll/enroll.yaml", self.spec(retry={"give_up_after": "20m"}, installer={"attempt_timeout": "3m"},
                                                           verify={"timeout": "3m"}))
        host.write("etc/credstore/" + KEY, self.key, 0o600)
        return host

    def wrong_clock(self, host) -> str:
        host.boot()
        host.wait_for(host.is_up, "the machine is up", timeout_s=BOOT_S)
        host.wait_for(lambda: host.gate("time") == "shut", "the gate time is shut", timeout_s=BOOT_S)
        self.assertEqual((host.status()["state"], self.sim.requests()), ("PREFLIGHT", []))
        before = int(host.run("date", "+%s")[1])
        self.assertLess(before, time.time() - 86400)
        host.run("date", "--set=@%d" % time.time())
        self.wait_enrolled(host, BOOT_S)
        scenarios.note(host.tale())
        return self.verdict(host)

    def memory(self, host) -> str:
        """The real agent has kept within it, all through an enrollment; a program in its place that does not is ended, and
        no other."""
        group = "/sys/fs/cgroup/system.slice/%s/" % AGENT
        self.assertEqual(host.run("cat", group + "memory.max")[1].strip(), str(MEMORY_MAX))
        peak = int(host.run("cat", group + "memory.peak")[1])
        print("# the agent's memory at its most: %d KiB of %d" % (peak >> 10, MEMORY_MAX >> 10))
        words = ["%s by the agent" % ("kept" if 0 < peak < MEMORY_MAX else "not kept")]
        for size in (MEMORY_MAX // 2, MEMORY_MAX * 2):
            lines = ["[Service]", "Type=exec", "WatchdogSec=0", "Restart=no", "ExecStart=", GLUTTON % size]
            host.run("sh", "-c", 'mkdir -p "$1" && printf "%s\\n" "$2" >"$1/other.conf" && systemctl daemon-reload && systemctl restart "$3"',
                     "sh", "/etc/systemd/system/%s.d" % AGENT, "\n".join(lines), AGENT)
            if size < MEMORY_MAX:
                host.wait_for(lambda: int(host.run("cat", group + "memory.current")[1]) > MEMORY_MAX // 2, "it has it", timeout_s=BOOT_S)
                words.append("half of it: " + host.property(AGENT, "ActiveState"))
            else:
                host.wait_for(lambda: host.property(AGENT, "ActiveState") == "failed", "it has ended", timeout_s=BOOT_S)
                words.append("twice of it: " + host.property(AGENT, "Result"))
        failed = host.run("systemctl", "list-units", "--failed", "--no-legend", "--plain")[1].split("\n")
        return ", ".join([*words, *("%s failed" % line.split()[0] for line in failed if line.strip())])

    def test_clock_and_memory(self):
        host = self.machine()
        scenarios.play(self, [scenarios.Scenario("the clock is set after the boot, by years", "ENROLLED, 1 token, 1 installer",
                                                 lambda: self.wrong_clock(host))])
        scenarios.play(self, [scenarios.Scenario("MemoryMax= of the agent's unit",
                                                 "kept by the agent, half of it: active, twice of it: oom-kill, %s failed" % AGENT,
                                                 lambda: self.memory(host))])
