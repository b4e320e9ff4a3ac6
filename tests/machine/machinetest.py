# SPDX-License-Identifier: Apache-2.0
"""What the tests of whole hosts share: a platform, and hosts that want to join it."""

import itertools
import json
import unittest

import bed
import scenarios
from bed import COORDINATOR, JOIN_PORT, PORT, engine_unit
from bench import INSTALLER, merged, yaml
from coordsim.process import SimProcess
from enginesim.client import Bench as Engine
from host import DEADLINE_S, Host

KEY, TOKEN = "ece-api-key", "ece-token"
MISSING = bed.missing()


@unittest.skipIf(MISSING, MISSING or "")
class MachineTest(unittest.TestCase):
    """A fresh platform for each test. Hosts are made by the test, and boot when it says so. Tests that fill the machine with them say
    `crowd = True` (tap.Share)."""

    def setUp(self):
        self.bed = bed.bed()
        self._platforms = itertools.count()
        self.sim = self.platform()
        self.key = self.sim.credentials["api_key"]

    def platform(self, leaf="good", instead_of=None) -> SimProcess:
        """The test's own, on the ports that everybody knows, and each further one on the next ones. instead_of: one that is closed now,
        whose accounts and addresses this one gets."""
        number = next(self._platforms)
        directory = self.bed.top / ("platform-%s-%d" % (self.id(), number))
        places = ("%s:%d" % (COORDINATOR, PORT + number), "%s:%d" % (COORDINATOR, JOIN_PORT + number))
        options = ()
        if instead_of:
            instead_of.close()
            places = (instead_of.url.partition("//")[2], instead_of.join)
            options = ("--secrets", instead_of.directory / "credentials.json")
        sim = SimProcess(directory, "--listen", places[0], "--join", places[1], *options, pki=self.bed.certificates(leaf))
        self.addCleanup(sim.close)
        return sim

    def spec(self, platform=None, **changes) -> str:
        """What an administrator would write, in a hurry: nothing is waited for but what has to be."""
        return "\n".join(yaml(merged({
            "version": 1,
            "coordinators": [(platform or self.sim).url],
            "trust": {"ca_file": "/etc/ece-enroll/coordinator-ca.pem"},
            "credential": {"api_key": {"from": "credential", "name": KEY}},
            "host": {"roles": ["allocator"], "availability_zone": "ece-zone-1b"},
            "installer": {"script": "/opt/ece/elastic-cloud-enterprise.sh", "user": "elastic", "attempt_timeout": "60s"},
            "retry": {"splay": "0s", "backoff": {"min": "200ms", "max": "500ms"}, "give_up_after": "2m"},
            "verify": {"timeout": "30s", "stable_for": "0s"}}, changes))) + "\n"

    def host(self, name="host", nspawn=(), disk_mb=None, **changes) -> Host:
        host = Host(name, nspawn, disk_mb)
        self.addCleanup(host.close)
        host.write("etc/ece-enroll/enroll.yaml", self.spec(**changes))
        return host

    def furnished(self, name="host", platform=None, image=bed.IMAGE, **more) -> Host:
        """One that has all that it needs: a credential, and an engine that leads its installer to the platform."""
        platform = platform or self.sim
        host = self.host(name, platform=platform, **more)
        host.write("etc/credstore/" + KEY, platform.credentials["api_key"], 0o600)
        host.write("etc/systemd/system/docker.service", engine_unit(int(platform.join.rpartition(":")[2]), image))
        return host

    @staticmethod
    def no_engine(host) -> None:
        """Before the boot: none starts, as if it were not installed yet. (To disable it is not enough: systemd's presets
        enable units at a first boot.)"""
        host.write("etc/systemd/system/docker.service.d/absent.conf", "[Unit]\nConditionPathExists=/srv/engine\n")

    @staticmethod
    def there_is_an_engine(host) -> None:
        """From the next boot on; on a host that is up, at once."""
        host.write("srv/engine", "")
        if host.process:
            host.run("systemctl", "start", "docker.service")

    @staticmethod
    def engine_holds(host) -> None:
        """Before the boot: the first installer waits for containers(host).release()."""
        host.write("var/lib/engine/behaviour.json", json.dumps({"runs": [{"hold": True}], "rest": {}}))

    @staticmethod
    def containers(host):
        """The host's engine, asked from outside, as soon as it is up."""
        path = host.path("/run/docker.sock")
        host.wait_for(path.is_socket, "the engine's socket")
        return Engine(str(path), timeout=60)

    @staticmethod
    def engine_events(host):
        """All that its engine has ever written down; a new boot's engine begins with nothing at work."""
        return [json.loads(line) for line in host.engine_log().splitlines()]

    def most_installers_at_once(self, host) -> int:
        running = most = 0
        for event in self.engine_events(host):
            running = 0 if event["event"] == "begin" else running
            if event.get("name") == INSTALLER:
                running += {"start": 1, "exit": -1}.get(event["event"], 0)
                most = max(most, running)
        return most

    def verdict(self, host, platform=None) -> str:
        """What has become of it, in a scenario's words: state, tokens, installers; behind that, all that must not be."""
        platform = platform or self.sim
        status, minted = host.status(), platform.control.state()["counts"].get("mint", 0)
        words = [" ".join(filter(None, [status["state"], (status["reason"] or {}).get("id")]))]
        for number, what in ((minted, "token"), (self.installers_started(host), "installer")):
            words.append("%d %s%s" % (number, what, "" if number == 1 else "s"))
        return ", ".join([*words, *self.faults(host, platform)])

    def installers_started(self, host) -> int:
        return sum((event["event"], event.get("name")) == ("start", INSTALLER) for event in self.engine_events(host))

    def faults(self, host, platform):
        """What must not be, whatever has become of it."""
        state = host.status()["state"]
        if host.boots()[-1][-1] != state:
            yield "%s in the journal" % host.boots()[-1][-1]
        if host.active("ece-enrolled.target") != (state == "ENROLLED"):
            yield "ece-enrolled.target is wrong"
        if (host.address in platform.control.state()["runners"]) != (state == "ENROLLED"):
            yield "the platform says otherwise"
        if self.most_installers_at_once(host) > 1:
            yield "%d installers at once" % self.most_installers_at_once(host)
        if any(event["event"] == "conflict" for event in self.engine_events(host)):
            yield "an installer met another one"
        failed = host.run("systemctl", "list-units", "--failed", "--no-legend", "--plain")[1].split("\n")
        yield from ("%s failed" % line.split()[0] for line in failed if line.strip())

    def assertPlays(self, name, host, expected="ENROLLED, 1 token, 1 installer") -> None:
        """A scenario of a host that is booted, if it is not up yet, and enrolls."""
        def run():
            if not host.process:
                host.boot()
            self.wait_enrolled(host)
            scenarios.note(host.tale())
            return self.verdict(host)

        scenarios.play(self, [scenarios.Scenario(name, expected, run)])

    def wait_enrolled(self, host, timeout_s=DEADLINE_S) -> None:
        host.wait_for(lambda: host.active("ece-enrolled.target"), "ece-enrolled.target", timeout_s)

    def assertEnrolls(self, host) -> None:
        """Boots it; reached is the target that other units wait for, and the journal says so, too."""
        if not host.process:
            host.boot()
        try:
            self.wait_enrolled(host)
        except AssertionError as error:
            self.fail(error)
        self.assertEqual(host.status()["state"], "ENROLLED")
        self.assertIn(host.address, self.sim.control.state()["runners"])
        self.assertEqual(self.sim.control.state()["counts"].get("mint", 0), 1)
