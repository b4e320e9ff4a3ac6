# SPDX-License-Identifier: Apache-2.0
"""What is wrong on a host for a while, or for good: disk, credential, an agent that hangs. Looked at as a person would from outside."""

import os

import scenarios
from machinetest import KEY, MachineTest

AGENT = "ece-enrolld.service"
WRONG_KEY = "d3Jvbmc6d3Jvbmc="  # of the right form, and nobody's
DISK_MB = 1400  # leaves what the gate disk-space wants while nothing fills it


def fill(path):
    """Until not a byte is free there: most of it at once, the rest in smaller and smaller pieces, for others write there, too."""
    with open(path, "wb", buffering=0) as file:
        free = os.statvfs(path)
        os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize * 9 // 10))
        file.seek(0, os.SEEK_END)
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                pass
    return path


class Trouble(MachineTest):
    crowd = True
    limit_s = 300

    def ended(self, host, platform) -> str:
        self.wait_enrolled(host)
        scenarios.note(host.tale())
        return self.verdict(host, platform)

    def at_work(self, host):
        """Boots it, and is back when its installer is held; the engine."""
        self.engine_holds(host)
        host.boot()
        engine = self.containers(host)
        self.assertTrue(engine.wait("start", timeout_s=60), host.tale())
        return engine

    # Each says what was seen

    def full_disk(self, platform) -> str:
        """All of the host's disk. The agent is there already, and the journal has its file."""
        host = self.furnished("full", platform, disk_mb=DISK_MB)
        platform.control.listener(False)
        host.boot()
        host.wait_for(lambda: host.gate("coordinator") == "shut", "it is up, and waits")
        filled = fill(host.path("/var/filled"))
        host.wait_for(lambda: host.gate("disk-space") == "shut", "the gate disk-space is shut")
        platform.control.listener(True)
        host.wait_for(lambda: host.status()["reason"]["id"] == "host.disk-space", "and that is the reason")
        self.assertEqual((host.status()["state"], platform.requests()), ("PREFLIGHT", []))
        filled.unlink()
        return self.ended(host, platform)

    def full_disk_of_the_record(self, platform) -> str:
        """Where the installer writes there is room: only what has to be on record is not done."""
        host = self.furnished("record", platform, nspawn=["--tmpfs=/var/lib/ece-enroll:size=64k,mode=0700"])
        self.no_engine(host)
        host.boot()
        host.wait_for(lambda: host.gate("engine-socket") == "shut", "it is up, and waits")
        filled = fill(host.path("/var/lib/ece-enroll/filled"))
        self.there_is_an_engine(host)
        host.wait_for(lambda: (host.status()["reason"] or {}).get("id") == "host.record", "it can't write its record")
        self.assertEqual(platform.mints(), [])
        filled.unlink()
        return self.ended(host, platform)

    def wrong_credential(self, platform) -> str:
        """For good: it is told and not tried again, and the daemon stays, so that status.json stays."""
        host = self.furnished("denied", platform)
        host.write("etc/credstore/" + KEY, WRONG_KEY, 0o600)
        host.boot()
        status = host.wait_status("FAILED")
        asked = len(platform.requests())
        self.assertIsNone(status["next"])
        self.assertEqual((host.active(AGENT), host.property(AGENT, "NRestarts")), (True, "0"))
        seen = self.verdict(host, platform)
        scenarios.note(host.tale())
        self.assertEqual(len(platform.requests()), asked)
        # Who mends it and starts the agent anew gets a member.
        host.path("/etc/credstore/" + KEY).write_text(platform.credentials["api_key"])
        host.run("systemctl", "restart", AGENT)
        return "%s; mended: %s" % (seen, self.ended(host, platform))

    def wrong_call(self, platform) -> str:
        """An agent that can't even begin is not begun again and again."""
        host = self.furnished("called", platform)
        host.drop_in("call", "ExecStart=", "ExecStart=/usr/sbin/ece-enrolld --no-such-option")
        host.boot()
        host.wait_for(lambda: host.property(AGENT, "ActiveState") == "failed", "it has failed")
        return "exit %s, %s restarts, %s" % (host.property(AGENT, "ExecMainStatus"), host.property(AGENT, "NRestarts"),
                                             host.property(AGENT, "SubState"))

    def hanging_agent(self, platform) -> str:
        """systemd hears nothing of it any more, kills it and starts it again; the installer is none the wiser."""
        host = self.furnished("hangs", platform)
        self.assertRegex((host.tree / "usr/lib/systemd/system" / AGENT).read_text(), "(?m)^WatchdogSec=60$")
        if not scenarios.FULL:
            host.drop_in("watchdog", "WatchdogSec=3")
        engine = self.at_work(host)
        before = host.property(AGENT, "MainPID")
        host.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", AGENT)
        host.wait_for(lambda: host.property(AGENT, "NRestarts") == "1", "it is started again", timeout_s=120)
        host.wait_for(lambda: host.property(AGENT, "MainPID") not in (before, "0"), "with another process")
        self.assertIn("Watchdog timeout", host.messages("UNIT=" + AGENT))
        engine.release()
        return self.ended(host, platform)

    def reload(self, platform) -> str:
        """A directory of drop-ins that was not there at the start is not watched: who makes one says so with a reload."""
        host = self.furnished("reload", platform, installer={"script": "/opt/ece/not-here.sh"})
        host.boot()
        host.wait_for(lambda: host.gate("script") == "shut", "the script is missing")
        before = host.property(AGENT, "MainPID")
        host.path("/etc/ece-enroll/enroll.yaml.d").mkdir()
        host.path("/etc/ece-enroll/enroll.yaml.d/here.yaml").write_text("installer: {script: /opt/ece/elastic-cloud-enterprise.sh}\n")
        host.run("systemctl", "reload", AGENT)
        seen = self.ended(host, platform)
        return seen if host.property(AGENT, "MainPID") == before else seen + ", the agent was started anew"

    def test_trouble(self):
        joined = "ENROLLED, 1 token, 1 installer"
        rows = (
            ("the disk is full, then it is not", joined, self.full_disk),
            ("the record's disk is full, then it is not", joined, self.full_disk_of_the_record),
            ("a wrong credential", "FAILED credential.denied, 0 tokens, 0 installers; mended: " + joined, self.wrong_credential),
            ("an agent that is called wrongly", "exit 64, 0 restarts, failed", self.wrong_call),
            ("an agent that hangs while the installer works", joined, self.hanging_agent),
            ("a reload takes up a new drop-in", joined, self.reload))
        platforms = [self.platform() for _ in rows]
        scenarios.play(self, [scenarios.Scenario(name, expected, lambda run=run, platform=platform: run(platform))
                              for (name, expected, run), platform in zip(rows, platforms)])
