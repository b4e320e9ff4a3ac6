# SPDX-License-Identifier: Apache-2.0
"""Whatever a host needs comes after the agent: network, name server, engine, coordinator, the right time.

Nothing that is late may cost a token or a person's attention: the agent waits in PREFLIGHT, says at which gate, asks the platform
nothing, and goes on when the gate opens. With --full the wait is as long as the scenario's name says; without, it lasts until
the agent has been seen waiting, for to the agent the one is the other a hundred times over.
"""

import dataclasses
import socket
import threading
import time
import typing

import scenarios
from bed import COORDINATOR, NAME
from machinetest import MachineTest

# systemd's own wait for the network would hold the agent back, and give up after 120 s.
WAIT_ONLINE = "etc/systemd/system/systemd-networkd-wait-online.service"


class NameServer:
    """Knows one name, and its IPv4 address (RFC 1035)."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((COORDINATOR, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                query, peer = self.socket.recvfrom(512)
            except OSError:
                return
            end = query.index(b"\0", 12) + 5
            known = query[12:end - 4] == b"".join(bytes([len(part)]) + part.encode() for part in NAME.split(".")) + b"\0"
            has_it = known and query[end - 4:end - 2] == b"\0\1"
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(COORDINATOR) if has_it else b""
            head = query[:2] + (b"\x81\x80" if known else b"\x81\x83") + b"\0\1" + bytes([0, has_it]) + bytes(4)
            self.socket.sendto(head + query[12:end] + answer, peer)

    def close(self) -> None:
        self.socket.close()


@dataclasses.dataclass
class Late:
    what: str
    seconds: int
    gate: str  # the one that is shut meanwhile
    furnish: typing.Callable  # makes that it isn't there
    come: typing.Callable  # and that it is
    leaf: str = "good"
    spec: dict = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return "%s late by %d s" % (self.what, self.seconds) if scenarios.FULL else "%s late" % self.what


class Lateness(MachineTest):
    crowd = True
    limit_s = 400

    # What is late: how it is kept away, how it comes

    def no_network(self, host, platform):
        host.write(WAIT_ONLINE, "[Service]\nType=oneshot\nExecStart=/bin/true\n")
        host.plug_in(False)

    def network(self, host, platform):
        host.plug_in()

    def no_name_server(self, host, platform):
        host.write("etc/resolv.conf", "nameserver %s\n" % COORDINATOR)

    def name_server(self, host, platform):
        self.addCleanup(NameServer().close)

    def no_engine_yet(self, host, platform):
        self.no_engine(host)

    def an_engine(self, host, platform):
        self.there_is_an_engine(host)

    def no_coordinator(self, host, platform):
        platform.control.listener(False)

    def coordinator(self, host, platform):
        platform.control.listener(True)

    def wrong_clock(self, host, platform):
        """A container's clock is its machine's. What a wrong one does is to make a certificate's dates wrong, so these are."""

    def right_clock(self, host, platform):
        self.successors[platform] = self.platform(instead_of=platform)

    def lateness(self):
        return (
            Late("the network", 120, "address", self.no_network, self.network),
            Late("the name server", 60, "names", self.no_name_server, self.name_server, spec={"coordinators": ["https://%s:%d"]}),
            Late("the engine", 90, "engine-socket", self.no_engine_yet, self.an_engine),
            Late("the coordinator", 90, "coordinator", self.no_coordinator, self.coordinator),
            Late("the right time (the clock is behind)", 30, "time", self.wrong_clock, self.right_clock, leaf="not-yet-valid"),
            Late("the right time (the clock is ahead)", 30, "time", self.wrong_clock, self.right_clock, leaf="expired"))

    # The course of all

    def wait(self, host, late, platform) -> None:
        """Until it is seen to wait, and with --full for as long as the name says; all the time at the same gate."""
        begin = time.monotonic()
        host.wait_for(lambda: host.gate(late.gate) == "shut", "gate '%s' is shut" % late.gate)
        while scenarios.FULL and time.monotonic() - begin < late.seconds:
            self.assertEqual((host.status()["state"], host.gate(late.gate)), ("PREFLIGHT", "shut"))
            time.sleep(1)
        self.assertEqual(host.status()["state"], "PREFLIGHT")
        self.assertEqual(set(host.boots()[-1]), {"PREFLIGHT"})
        self.assertFalse(host.active("ece-enrolled.target"))
        self.assertEqual(platform.requests(), [])

    def enroll(self, late, host, platform) -> str:
        host.boot()
        self.wait(host, late, platform)
        late.come(host, platform)
        self.wait_enrolled(host)
        self.assertIn("gate '%s' is open now" % late.gate, host.messages("-u", "ece-enrolld.service"))
        # The clock's scenarios end at another platform than they began at.
        seen = self.verdict(host, self.successors.get(platform, platform))
        scenarios.note(host.tale())
        return seen

    def test_late(self):
        played = []
        self.successors = {}
        for late in self.lateness():
            platform = self.platform(late.leaf)
            spec = {key: [each % (NAME, platform.address.port) for each in value] for key, value in late.spec.items()}
            host = self.furnished("late", platform, retry={"give_up_after": "10m"}, **spec)
            late.furnish(host, platform)
            played.append(scenarios.Scenario(late.name, "ENROLLED, 1 token, 1 installer",
                                             lambda late=late, host=host, platform=platform: self.enroll(late, host, platform)))
        scenarios.play(self, played, at_once=len(played) if scenarios.FULL else scenarios.AT_ONCE)
