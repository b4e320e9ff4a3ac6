# SPDX-License-Identifier: Apache-2.0
"""An installer that is held at work while those who watch over it are killed, stopped and started again.

Kills at each step and at any instant are tests/reliability/kills.py's.
"""

import os
import pathlib
import signal
import time

import tap
from bench import EndToEnd


class RunKilled(EndToEnd):
    def begin(self):
        self.engine.behave({"hold": True})
        process = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start", timeout_s=30), "no installer was started")
        return process

    def test_the_next_run_takes_over(self):
        process = self.begin()
        self.bench.wait_status("INSTALLING")
        self.kill_group(process)
        again = self.bench.start_run()
        self.bench.wait_status("INSTALLING")
        self.bench.containers.release()
        self.assertEnrolled(self.bench.end(again))

    def test_also_when_the_installer_has_ended_meanwhile(self):
        process = self.begin()
        self.kill_group(process)
        self.bench.containers.release()
        self.assertTrue(self.bench.containers.wait("remove"))
        self.assertEnrolled(self.bench.run())

    def test_interrupted(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(code):
                process = self.begin() if code == 130 else self.again()
                process.send_signal(number)
                outcome = self.bench.end(process)
                self.assertExit(outcome, code)
                self.assertEqual(self.bench.installer_containers(), [])

    def again(self):
        self.engine.behave({"hold": True}, {"hold": True})
        process = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start", count=2, timeout_s=30))
        return process

    def test_interrupted_as_the_installer_ends(self):
        """The end of the installer and the request to end it cross: whichever is read first, it is over at once."""
        self.engine.behave({"hold": True, "exit": 1})
        process = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start", timeout_s=30))
        self.bench.wait_status("INSTALLING")
        keeper, = self.processes_with(b"ece-installd")
        os.kill(keeper, signal.SIGSTOP)
        self.bench.containers.release()
        self.until(lambda: not self.processes_with(bytes(self.bench.script)))
        process.send_signal(signal.SIGINT)
        self.bench.wait_status("TERMINATING")
        os.kill(keeper, signal.SIGCONT)
        self.assertExit(self.bench.end(process, timeout_s=20), 130)
        self.assertEqual(self.bench.installer_containers(), [])

    def until(self, true):
        deadline = time.monotonic() + 15
        while not true():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def processes_with(self, word):
        """Ids of this bench's processes that have the word in their command line; the dead have none."""
        found = [(path, self.command_line(path)) for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
        return [int(path.parent.name) for path, line in found if word in line and bytes(self.bench.top) in line]

    @staticmethod
    def command_line(path):
        try:
            return path.read_bytes()
        except OSError:
            return b""

    def test_two_runs_at_once(self):
        process = self.begin()
        second = self.bench.run()
        self.assertExit(second, 75)
        self.bench.containers.release()
        self.assertEnrolled(self.bench.end(process))


class DaemonPair(EndToEnd):
    def begin(self, *behaviour):
        self.engine.behave(*behaviour)
        self.unit = self.bench.socket_unit()
        self.agent = self.bench.daemon()

    def begin_and_hold(self):
        self.begin({"hold": True})
        self.assertTrue(self.bench.containers.wait("start", timeout_s=30), "no installer was started")
        self.bench.wait_status("INSTALLING")

    def finish(self, **counts):
        self.bench.wait_status("ENROLLED")
        self.assertEnrolled(**counts)

    def test_it_enrolls(self):
        self.begin()
        self.finish()
        self.bench.wait_for((self.bench.runtime / "enrolled").exists)  # it comes after the status that says so

    def test_agent_killed_in_the_middle(self):
        self.begin_and_hold()
        self.kill_group(self.agent)
        self.agent = self.bench.daemon()
        self.assertTrue(self.sim.control.wait("mint"))
        self.bench.containers.release()
        self.finish()

    def test_agent_killed_and_the_installer_ends_meanwhile(self):
        self.begin_and_hold()
        self.kill_group(self.agent)
        self.bench.containers.release()
        self.assertTrue(self.bench.containers.wait("remove"))
        self.agent = self.bench.daemon()
        self.finish()

    def test_agent_stopped_in_the_middle_leaves_the_installer_alone(self):
        self.begin_and_hold()
        self.agent.send_signal(signal.SIGTERM)
        self.assertIn(self.bench.end(self.agent).code, (0, 143))
        self.assertEqual(len(self.bench.installer_containers()), 1)
        self.agent = self.bench.daemon()
        self.bench.containers.release()
        self.finish()

    def test_keeper_killed_in_the_middle(self):
        self.begin_and_hold()
        self.unit.kill()
        self.assertTrue(self.bench.containers.names())
        self.bench.containers.release()
        self.bench.wait_status("ENROLLED")
        # The dead keeper's installer may have been stopped and run again, never beside another one.
        self.assertEqual(self.bench.installer_containers(), [])
        self.assertEqual(self.bench.containers.events("conflict"), [])
        self.assertLessEqual(self.bench.installs(), 2)

    def test_both_killed(self):
        self.begin_and_hold()
        self.kill_group(self.agent)
        self.unit.kill()
        self.agent = self.bench.daemon()
        self.bench.containers.release()
        self.bench.wait_status("ENROLLED")
        self.assertEqual(self.bench.installer_containers(), [])
        self.assertEqual(self.bench.containers.events("conflict"), [])


if __name__ == "__main__":
    tap.main()
