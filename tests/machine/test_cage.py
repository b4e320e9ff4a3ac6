# SPDX-License-Identifier: Apache-2.0
"""The units' promises, kept by a real systemd and a real kernel: what is forbidden, and that all is well without it."""

import fcntl
import os
import pathlib
import re
import signal

from bed import COORDINATOR, PORT, TESTS
from bench import INSTALLER
from machinetest import KEY, MachineTest

EXAMPLES = TESTS.parent / "etc/examples"
AGENT, KEEPER = "ece-enrolld.service", "ece-installd.service"
# A credential's command as a cloud's own tools are: an interpreter with modules, threads, sockets and children.
HELPER = """#!/usr/bin/python3
import http.client, socket, ssl, subprocess, threading
ssl.create_default_context()
socket.create_connection(("%s", %d), 5).close()
thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
print(subprocess.run(["cat", "/etc/ece-enroll/api-key"], stdout=subprocess.PIPE, check=True, text=True).stdout)
""" % (COORDINATOR, PORT)


def process_status(pid) -> dict:
    """What the kernel says of a process."""
    return dict(re.findall(r"^(\w+):\s*(.*)$", pathlib.Path("/proc/%s/status" % pid).read_text(), re.MULTILINE))


class Caged(MachineTest):
    def credential_host(self, name="host", **changes):
        host = self.host(name, **changes)
        host.write("etc/credstore/" + KEY, self.key, 0o600)
        return host

    def main_process(self, host, unit):
        """Its number outside, which is where we look from."""
        inside = host.property(unit, "MainPID")
        namespace = os.readlink("/proc/%d/ns/pid" % host.leader)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if process_status(pid)["NSpid"].split()[1:] == [inside] and os.readlink("/proc/%s/ns/pid" % pid) == namespace:
                    return pid
            except (OSError, KeyError):
                pass
        raise AssertionError("%s has no process %s" % (unit, inside))


class SystemCalls(Caged):
    def test_none_is_missed(self):
        """A call that the filter forbids kills here instead of failing, in everything that the agent ever does. The one
        exception is known: may the clock's state be read? ProtectClock= forbids it once more, and the agent can do without."""
        host = self.host(credential={"api_key": {"from": "command", "name": None, "argv": ["/opt/helper"]}})
        host.write("opt/helper", HELPER, 0o755)
        host.write("etc/ece-enroll/api-key", self.key, 0o640)
        host.run_in_tree("chgrp", "ece-enroll", "/etc/ece-enroll/api-key")
        host.drop_in("kill", "SystemCallErrorNumber=kill", "SystemCallFilter=adjtimex clock_adjtime")
        self.assertEnrolls(host)
        host.write("etc/ece-enroll/enroll.yaml", "version: 2\n")
        host.wait_status("FAILED")
        host.write("etc/ece-enroll/enroll.yaml", self.spec())
        host.write("etc/credstore/" + KEY, self.key, 0o600)
        host.run("systemctl", "reload", AGENT)
        # A credential of systemd is there from the next start on, and not before.
        host.wait_for(lambda: (host.status()["reason"] or {}).get("id") == "credential.missing", "it is read anew")
        host.run("systemctl", "restart", AGENT)
        host.wait_status("ENROLLED")
        host.run("systemctl", "stop", AGENT)
        for name, value in (("Result", "success"), ("NRestarts", "0"), ("ExecMainStatus", "0")):
            self.assertEqual(host.property(AGENT, name), value, name)

    def test_the_filter_is_there(self):
        """Else the test above would prove nothing: the unit's filter around a program that does what is forbidden."""
        host = self.credential_host()
        host.drop_in("other", "SystemCallErrorNumber=kill", "ExecStart=", "Type=oneshot", "Restart=no",
                     "ExecStart=/usr/bin/python3 -c 'import os; os.chroot(\"/\")'")
        host.boot()
        host.wait_for(lambda: host.property(AGENT, "Result") == "signal", "a signal")
        self.assertEqual(host.property(AGENT, "ExecMainStatus"), str(int(signal.SIGSYS)))

    def test_of_the_processes(self):
        host = self.credential_host()
        self.engine_holds(host)
        host.boot()
        self.assertTrue(self.containers(host).wait("start", timeout_s=30), host.tale())
        for unit, user in ((AGENT, "ece-enroll"), (KEEPER, "elastic")):
            with self.subTest(unit):
                status = process_status(self.main_process(host, unit))
                self.assertEqual(status["Uid"].split()[0], host.run("id", "-u", user)[1].strip())
                self.assertEqual({status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")}, {"0" * 16})
                self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        self.containers(host).release()
        self.assertEnrolls(host)


class Addresses(Caged):
    """The documented drop-in, with this platform's address in the place of the example's."""

    def drop_in(self, allowed):
        text = (EXAMPLES / "ece-enrolld-coordinators.conf").read_text()
        made = re.sub(r"^IPAddressAllow=192\.0\.2\.10 .*$", "IPAddressAllow=" + allowed, text, flags=re.MULTILINE)
        self.assertNotEqual(made, text)
        return made

    def test_allowed(self):
        host = self.credential_host()
        host.write("etc/systemd/system/%s.d/coordinators.conf" % AGENT, self.drop_in(COORDINATOR))
        self.assertEnrolls(host)

    def test_not_allowed(self):
        host = self.credential_host()
        host.write("etc/systemd/system/%s.d/coordinators.conf" % AGENT, self.drop_in("198.51.100.1"))
        host.boot()
        status = host.wait_for(lambda: (lambda now: now if now and now["reason"] else None)(host.status()), "a reason")
        print("# %s: %s / %s" % (status["reason"]["id"], status["reason"]["text"], status["reason"]["remedy"]))
        self.assertEqual(self.sim.requests(), [])
        self.assertIn("IPAddressAllow", status["reason"]["remedy"])


class Ports(Caged):
    def test_none_is_opened(self):
        """The unit around a program that wants to listen."""
        host = self.credential_host()
        host.drop_in("other", "ExecStart=", "Type=oneshot", "Restart=no",
                     "ExecStart=/usr/bin/python3 -c 'import socket; socket.create_server((\"127.0.0.1\", 4711))'")
        host.boot()
        host.wait_for(lambda: host.property(AGENT, "Result") == "exit-code", "it fails")
        self.assertIn("PermissionError", host.messages("-u", AGENT))


class Lifecycle(Caged):
    def test_a_stop_is_no_failure(self):
        host = self.credential_host()
        self.assertEnrolls(host)
        host.run("systemctl", "stop", AGENT)
        self.assertEqual([host.property(AGENT, name) for name in ("ActiveState", "Result", "ExecMainStatus")],
                         ["inactive", "success", "0"])

    def test_the_keeper_restarts_and_the_installer_goes_on(self):
        host = self.credential_host()
        self.engine_holds(host)
        host.boot()
        self.assertTrue(self.containers(host).wait("start", timeout_s=30), host.tale())
        before = host.property(KEEPER, "MainPID")
        host.run("systemctl", "restart", KEEPER)
        self.assertNotEqual(host.property(KEEPER, "MainPID"), before)
        self.containers(host).release()
        self.assertEnrolls(host)
        self.assertEqual(len(self.containers(host).events("start", INSTALLER)), 1)

    def test_another_agent_has_the_state(self):
        """It is tried again, unhurriedly, until the other one is gone; nobody has to help."""
        host = self.credential_host()
        host.run_in_tree("install", "-d", "-m", "0700", "-o", "ece-enroll", "-g", "ece-enroll", "/var/lib/ece-enroll")
        fd = os.open(host.tree / "var/lib/ece-enroll", os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        host.boot()
        host.wait_for(lambda: "another agent is at work" in host.messages("-u", AGENT), "the other agent is seen")
        host.wait_for(lambda: host.property(AGENT, "SubState") == "auto-restart", "auto-restart")
        self.assertEqual(host.property(AGENT, "ExecMainStatus"), "70")
        self.assertEqual(host.property(AGENT, "RestartUSec"), "5s")
        os.close(fd)
        self.assertEnrolls(host)
        self.assertLessEqual(int(host.property(AGENT, "NRestarts")), 3)
