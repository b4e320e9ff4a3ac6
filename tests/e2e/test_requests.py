# SPDX-License-Identifier: Apache-2.0
"""What a coordinator is asked, request by request and connection by connection, held against doc/coordinator-load.md.

With ECE_ENROLL_UPDATE_GOLDEN set, the rows of the page are written anew; read the difference.
"""

import os
import pathlib
import re
import unittest

import tap
from bench import HOST_IP, ZONE, EndToEnd
from coordsim.process import TOKENS
from test_proxy import Proxy

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE = TOP / "doc" / "coordinator-load.md"
SCENARIOS = TOP / "tests" / "simulation" / "scenarios" / "load.txt"
UPDATE = os.environ.get("ECE_ENROLL_UPDATE_GOLDEN")
ROLES = ("allocator", "coordinator", "director", "proxy")
POST_AFTER_S = 1  # agent/http/http-connection.c: a POST takes no connection that has waited longer for it


def rows(heading):
    """The cells of the first table below a heading."""
    section = PAGE.read_text(encoding="utf-8").partition("\n## %s\n" % heading)[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names():
    """{pattern of "METHOD path": the page's name for it}"""
    found = {}
    for name, request, *_ in rows("Requests"):
        request = request.strip("`")
        found[re.compile(re.sub(r"\\\{\w+\\\}", "[^/?]+", re.escape(request)) + "$")] = name
    return found


def write_row(heading, row) -> None:
    """In the place of the one with the same first cell, or behind the last one."""
    before, head, rest = PAGE.read_text(encoding="utf-8").partition("\n## %s\n" % heading)
    lines = rest.splitlines()
    table = [number for number, line in enumerate(lines) if line.startswith("|")]
    end = next((number for number in table if number + 1 not in table), len(lines) - 1)
    same = [number for number in table if number <= end and lines[number].startswith("| %s |" % row[0])]
    lines[same[0] if same else end + 1:same[0] + 1 if same else end + 1] = ["| %s |" % " | ".join(row)]
    PAGE.write_text(before + head + "\n".join(lines) + "\n", encoding="utf-8")


class Requests(EndToEnd):
    """One case of the page for each test. A case is one enrollment, or one look of an agent that goes on."""

    heading = "Requests per enrollment"

    def setUp(self):
        super().setUp()
        self.names = names()
        self.begin()

    def begin(self):
        """What was asked until now is no part of the case."""
        self.seen = len(self.sim.control.events())

    def fresh(self):
        return self.sim.control.events()[self.seen:]

    def named(self, event):
        asked = "%s %s" % (event["method"], event["path"].removeprefix("/api/v1"))
        found = [name for pattern, name in self.names.items() if pattern.match(asked)]
        self.assertEqual(len(found), 1, "%s is not in the table of requests, or twice" % asked)
        return found[0]

    def hold(self, case, events=None):
        """The case's row: how many requests, which ones in their order, how many connections for them."""
        events = self.fresh() if events is None else events
        asked = [event for event in events if event["event"] == "request"]
        row = [case, str(len(asked)), self.told(asked), str(self.connections(events))]
        if UPDATE:
            write_row(self.heading, row)
        self.assertEqual(row, next((known for known in rows(self.heading) if known[0] == case), None))

    def connections(self, events=None):
        """How many were opened, to whichever coordinator. One that a POST has for itself, because this machine was too slow, is not counted."""
        events = self.fresh() if events is None else events
        asked = [event for event in events if event["event"] == "request"]
        late = sum(event["method"] == "POST" and event["at"] - before["at"] > POST_AFTER_S for before, event in zip(asked, asked[1:]))
        opened = sum(event["event"] == "connect" for event in events)
        return max(opened - late, min(opened, 1))

    def told(self, asked):
        """Their names in order; of the same few, again and again, it is told how often."""
        words = [self.named(event) for event in asked]
        told, at = [], 0
        while at < len(words):
            size, times = max(((size, self.repeats(words, at, size)) for size in range(1, 8)), key=lambda pair: pair[0] * (pair[1] - 1))
            if size * (times - 1) < 2:
                size, times = 1, 1
            piece = ", ".join(words[at:at + size])
            told.append("%d x (%s)" % (times, piece) if times > 1 else piece)
            at += size * times
        return ", ".join(told)

    @staticmethod
    def repeats(words, at, size):
        piece, times = words[at:at + size], 1
        while len(piece) == size and words[at + times * size:at + (times + 1) * size] == piece:
            times += 1
        return times

    def join(self, case, installs=1, **changes):
        self.bench.write_spec(**changes)
        self.assertEnrolled(self.bench.run(), installs=installs)
        self.hold(case)


class New(Requests):
    def test_an_allocator(self):
        self.join("a new host: allocator")

    def test_all_roles(self):
        self.join("a new host: all four roles", host={"roles": list(ROLES)})

    def test_no_role(self):
        self.join("a new host: no role", host={"roles": []})

    def test_both_witnesses(self):
        self.join("a new host: allocator, `verify.by: both`", verify={"by": "both"})

    def test_a_runner_that_connects_later(self):
        self.fault("edit", method="GET", path="/runners/", after=1, times=3, set={"connected": False})
        self.join("a new host: allocator, connected at the fourth look")

    def test_a_role_that_has_its_effect_later(self):
        self.fault("edit", method="GET", path="/allocators/", times=3, set={"status.connected": False})
        self.join("a new host: allocator, of effect at the fourth look")

    def test_an_allocator_under_another_id(self):
        """One that was installed without a runner id may have one; here only the answer says so."""
        self.fault("status", method="GET", path="/allocators/", status=404, code="allocators.allocator_not_found")
        self.join("a new host: allocator, to be searched for in the list")

    def test_an_installer_that_fails_once(self):
        self.engine.behave({"exit": 1})
        self.join("a new host: allocator, the first installer fails", installs=2)

    def test_a_persistent_token(self):
        self.join("a new host: allocator, `token.persistent`", token={"persistent": True})

    def test_a_session(self):
        path = self.bench.secret_file("password", self.sim.credentials["ops_password"])
        self.join("a new host: allocator, `credential.bearer`",
                  credential={"api_key": None, "bearer": {"user": "ops", "password": {"from": "file", "path": str(path)}}})

    def test_a_stale_runner(self):
        self.sim.control.add_runner(runner_id=HOST_IP, host_ip=HOST_IP, zone=ZONE, roles=["allocator"], connected=False)
        self.join("a new host: allocator, in the place of a stale runner", on_stale_runner="replace")


class Several(Requests):
    sim_options = ("--listen", "127.0.0.1:0") * 3

    def test_three_coordinators(self):
        self.join("a new host: allocator, three coordinators")


class Given(Requests):
    """A token that was minted elsewhere."""

    def give(self, *roles):
        answer = self.sim.ask("POST", TOKENS, {"persistent": False, "roles": list(roles)}, auth=self.sim.api_key())
        self.token = {"source": "file", "path": str(self.bench.secret_file("token", answer.value["token"]))}
        self.begin()

    def enroll(self, case, **changes):
        self.give(*changes.pop("of", ["allocator"]))
        self.bench.write_spec(token=self.token, **changes)
        self.assertExit(self.bench.run(), 0)
        self.hold(case)

    def test_no_credential(self):
        self.enroll("a given token: no credential, `verify.by: local`", credential=None, verify={"by": "local"})

    def test_a_credential(self):
        self.enroll("a given token: a credential to look with")

    def test_a_token_of_no_role(self):
        self.enroll("a given token: of no role, the roles are set", of=[])


class Again(Requests):
    def again(self, case, **changes):
        self.bench.write_spec(**changes)
        self.assertEnrolled(self.bench.run())
        self.begin()
        self.assertEnrolled(self.bench.run())
        self.hold(case)

    def test_an_allocator(self):
        self.again("a member, once more: allocator")

    def test_all_roles(self):
        self.again("a member, once more: all four roles", host={"roles": list(ROLES)})

    def test_one_that_is_not_held_against_its_spec(self):
        self.again("a member, once more: allocator, `on_member: ignore`", on_member="ignore")

    def test_no_credential(self):
        Given.give(self, "allocator")
        self.bench.write_spec(token=self.token, credential=None, verify={"by": "local"})
        self.assertExit(self.bench.run(), 0)
        self.begin()
        self.assertExit(self.bench.run(), 0)
        self.hold("a member, once more: no credential, `verify.by: local`")

    def looked_at(self):
        """A daemon whose host is enrolled, and is looked at each second."""
        self.bench.write_spec(verify={"drift_every": "1s"})
        self.bench.socket_unit()
        self.bench.daemon()
        self.bench.wait_status("ENROLLED")

    def looks(self, count):
        """So many further looks from their begin to the begin of one more, as far as it is of them: a connection comes before its requests."""
        before = sum(map(self.begins_look, self.sim.control.events()))
        self.assertTrue(self.sim.control.wait("request", count=before + count + 1, timeout_s=30, path="/platform$"))
        events = self.sim.control.events()
        begins = [number for number, event in enumerate(events) if self.begins_look(event)][before:before + count + 1]
        opened = max(number for number in range(begins[0]) if events[number]["event"] == "connect")
        last = max(number for number in range(begins[-1]) if events[number]["event"] == "request")
        return events[opened:last + 1]

    @staticmethod
    def begins_look(event):
        return event["event"] == "request" and event["path"].endswith("/platform")

    def test_a_look_at_an_enrolled_host(self):
        """From its begin to the next one's."""
        self.looked_at()
        self.hold("a look at an enrolled host: allocator", self.looks(1))

    def test_nothing_is_kept_at_rest(self):
        """Usually an hour lies between two looks: what is open is closed at once, and each look has a connection of its own."""
        self.looked_at()
        events = self.looks(3)
        self.assertEqual((self.connections(events), len(events)), (3, 3 * (1 + 4)))


class Connections(Requests):
    """In numbers that are written down here, for a page can be written anew."""

    def enroll(self, **changes):
        self.bench.write_spec(**changes)
        self.assertEnrolled(self.bench.run())
        return self.connections()

    def test_a_join(self):
        self.assertEqual(self.enroll(), 1)

    def test_a_member(self):
        self.enroll()
        self.begin()
        self.assertEqual(self.enroll(), 1)

    def test_looks_at_a_runner_that_is_not_there_yet(self):
        self.fault("edit", method="GET", path="/runners/", after=1, times=5, set={"connected": False})
        self.assertEqual(self.enroll(), 1)
        self.assertEqual(sum("/runners/" in event.get("path", "") for event in self.fresh()), 1 + 5 + 1)

    def test_a_tunnel_through_a_proxy(self):
        proxy = Proxy()
        self.addCleanup(proxy.close)
        self.assertEqual(self.enroll(proxy=proxy.url), 1)
        self.assertEqual(len(proxy.requests), sum(event["event"] == "connect" for event in self.fresh()))

    def test_one_that_was_cut(self):
        """What is read may be asked again, on another one, which then serves the rest."""
        self.fault("reset", method="GET", path="/runners/", after=1, times=1)
        self.assertEqual(self.enroll(), 2)


class ConnectionsOfSeveral(Connections):
    """Those who are not asked are not even greeted."""

    sim_options = ("--listen", "127.0.0.1:0") * 3


class Page(unittest.TestCase):
    def test_each_request_occurs_and_no_other(self):
        """Which these are, the cases above show."""
        named = [row[0] for row in rows("Requests")]
        shown = {word for row in rows(Requests.heading) for word in re.sub(r"\d+ x \(|\)", "", row[2]).split(", ")}
        self.assertEqual((set(named), len(named)), (shown, len(set(named))))

    def test_each_row_has_its_case(self):
        source = pathlib.Path(__file__).read_text(encoding="utf-8")
        for case, *_ in rows(Requests.heading):
            self.assertEqual(source.count('"%s"' % case), 1, case)

    def test_the_scenarios(self):
        """How often in hours of virtual time: proved by tests/simulation/test-scenarios, and told here in the same words."""
        found = re.findall(r"^scenario: (.*)\n(?:  .*\n)*?  then: .*?([\d to]+) requests", SCENARIOS.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertTrue(found)
        for row in found:
            if UPDATE:
                write_row("Over time", [row[0], row[1].strip()])
        self.assertEqual(rows("Over time"), [[name, count.strip()] for name, count in found])


if __name__ == "__main__":
    tap.main()
