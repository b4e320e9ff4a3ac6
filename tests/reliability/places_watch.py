# SPDX-License-Identifier: Apache-2.0
"""Looks at a host with a fault in every place where somebody may look, and says which reason each of them names.

A place is asked at a moment: in one state with one reason, as status.json has them. It is told of a little after status.json
(the agent writes one after the other), so a place that still names something else is asked again for a while, as long as status.json
stays as it is.
"""

import dataclasses
import json
import re
import time
import typing

from bench import Bench, Scratch, merged
from fault_link import CLONE_NEWNS, run, unshare
from fault_watch import Fault
from journal_ear import Journal, ServiceManager
from matrix import note
from scene import need_root
from test_webhook import Receiver

PLACES = ("status", "STATUS=", "journal", "status.json", "metrics", "webhook")
VERDICT = "FAILED"
# Long enough that a state stays to be looked at; the end is brought about by another spec, but for VERIFYING, which has an end.
PATIENT = {"retry": {"backoff": {"min": "10m", "max": "10m"}, "give_up_after": "1h"}, "verify": {"timeout": "10m"}}
SHORT = {"retry": {"backoff": {"min": "100ms", "max": "100ms"}, "give_up_after": "1s"}, "installer": {"attempt_timeout": "1s"},
         "verify": {"timeout": "1s"}}
REACHED_S, TOLD_S = 40, 5


@dataclasses.dataclass
class Seen:
    """A fault, and where it is to be seen."""

    name: str
    reason: str
    states: tuple  # in which it is looked at, one after the other; FAILED after another state is brought about
    fault: Fault = dataclasses.field(default_factory=Fault)
    later: typing.Callable = None  # (bench): the fault itself, when the host has come to the state `first`
    first: str = ""
    enter: typing.Callable = None  # a network of the case's own
    keeper: bool = True
    reports: bool = True  # there is a webhook that gets verdicts
    whole: bool = True  # in the bounded run, too

    @property
    def expected(self) -> str:
        return seen_text(self.reason, {state: dict.fromkeys(self.places_in(state), self.reason) for state in self.states})

    def places_in(self, state):
        """The webhook gets verdicts, and there is none elsewhere."""
        return PLACES if state == VERDICT and self.reports else PLACES[:-1]


def seen_text(reason, moments) -> str:
    words = []
    for state, named in moments.items():
        other = ["%s: %s" % (place, found or "none") for place, found in named.items() if found != reason]
        words.append("%s in %d places" % (state, len(named) - len(other)) + "".join(", but " + text for text in other))
    return "%s: %s" % (reason, "; ".join(words))


class Onlooker:
    """One host, and everybody who looks at it."""

    def __init__(self, row):
        self.row = row
        self.bench = Bench(*row.fault.options, own_certificates=row.fault.own_certificates)
        self.journal, self.manager = Journal(self.bench.top / "journal"), ServiceManager(self.bench.top / "notify")
        self.receiver = Receiver(Scratch.get().pki)
        self.metrics = self.bench.top / "metrics.prom"
        self.spec = merged({"report": {"metrics_textfile": str(self.metrics), "webhook": {
            "url": self.receiver.url.replace("127.0.0.1", "localhost"), "ca_file": str(Scratch.get().pki / "ca.pem")}}}, merged(PATIENT, row.fault.spec(self.bench)))
        self.bench.write_spec(**self.spec)

    def start(self) -> None:
        self.row.fault.inject(self.bench)
        if self.row.keeper:
            self.bench.socket_unit()
        self.process = self.bench.daemon(prefix=self.journal.prefix, NOTIFY_SOCKET=self.manager.path)

    def close(self) -> None:
        self.receiver.close()
        self.bench.close()

    # What each place says of this state; "" where it says nothing of it

    def status(self, state) -> str:
        code, page, _ = self.bench.spoken("status", "--runtime-dir", self.bench.runtime)
        shown = re.search(r"^ *why: .* \[([a-z0-9.-]+), [a-z]+\]$", page, re.MULTILINE)
        _, text, _ = self.bench.spoken("status", "--json", "--runtime-dir", self.bench.runtime)
        told = json.loads(text) if text else {}
        if not shown or not page.startswith("ece-enroll: %s " % state) or (told.get("reason") or {}).get("id") != shown[1]:
            note("status, exit %d:\n%s" % (code, page))
            return ""
        return shown[1]

    def service_manager(self, state) -> str:
        shown = re.fullmatch(r"(\w+): .* \[([a-z0-9.-]+)\]", (self.manager.told or [""])[-1])
        return shown[2] if shown and shown[1] == state else ""

    def journal_record(self, state) -> str:
        """The last record of this state; its sentence names the reason as its field does."""
        for record in reversed(self.journal.records):
            if record.get("ECE_ENROLL_STATE") == state and "ECE_ENROLL_REASON" in record:
                reason = record["ECE_ENROLL_REASON"]
                remedy = (self.bench.status() or {}).get("reason", {}).get("remedy", "")
                return reason if "[%s]" % reason in record["MESSAGE"] and record.get("ECE_ENROLL_REMEDY", "") == remedy else ""
        return ""

    def status_json(self, state) -> str:
        status = self.bench.status() or {}
        return (status.get("reason") or {}).get("id", "") if status.get("state") == state else ""

    def metrics_file(self, state) -> str:
        page = self.metrics.read_text() if self.metrics.exists() else ""
        shown = re.search(r'^ece_enroll_reason\{reason="([^"]+)",', page, re.MULTILINE)
        return shown[1] if shown and 'ece_enroll_state{state="%s"} 1\n' % state in page else ""

    def webhook(self, state) -> str:
        events = self.receiver.events()
        return events[-1]["data"].get("error", {}).get("code", "") if events else ""

    def look(self, state):
        asked = dict(zip(PLACES, (self.status, self.service_manager, self.journal_record, self.status_json, self.metrics_file,
                                  self.webhook)))
        named, deadline = {}, time.monotonic() + TOLD_S
        while True:
            for place in self.row.places_in(state):
                if named.get(place) != self.row.reason:
                    named[place] = asked[place](state)
            if set(named.values()) == {self.row.reason} or time.monotonic() > deadline:
                return named
            time.sleep(0.01)

    # The course

    def wait(self, state, reason) -> bool:
        deadline = time.monotonic() + REACHED_S
        while time.monotonic() < deadline:
            status = self.bench.status() or {}
            if status.get("state") == state and reason in ("", (status.get("reason") or {}).get("id")):
                return True
            time.sleep(0.01)
        return False

    def go_to(self, state, before) -> bool:
        if state == VERDICT and before and "VERIFYING" not in before:
            self.bench.write_spec(**merged(self.spec, SHORT))
        if state == "STOPPING":
            self.process.terminate()
            self.process.wait()
        return self.wait(state, self.row.reason)

    def course(self) -> str:
        moments = {}
        self.start()
        if self.row.later:
            if not self.wait(self.row.first, ""):
                return "never %s" % self.row.first
            self.row.later(self.bench)
        for state in self.row.states:
            if not self.go_to(state, moments):
                note(json.dumps(self.bench.status(), indent=1))
                status = self.bench.status() or {}
                return "never %s with it, but %s with %s" % (state, status.get("state"), (status.get("reason") or {}).get("id"))
            moments[state] = self.look(state)
        return seen_text(self.row.reason, moments)


def everywhere(row) -> str:
    need_root("give the agent a journal of its own")
    if row.enter:
        row.enter()
    unshare(CLONE_NEWNS)  # for what a row mounts
    run("mount", "--make-rprivate", "/")
    onlooker = Onlooker(row)
    try:
        return onlooker.course()
    finally:
        note("\n".join(record["MESSAGE"] for record in onlooker.journal.records if "MESSAGE" in record))
        onlooker.close()


def row_of(rows, name):
    """(reason, fault) of a row of fault_table.py, whatever else stands in it."""
    for row in rows:
        if row[0] == name:
            return row[1], next(member for member in row if isinstance(member, Fault))
    raise KeyError(name)
