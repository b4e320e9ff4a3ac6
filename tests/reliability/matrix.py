# SPDX-License-Identifier: Apache-2.0
"""What the parts of the reliability run share: a case, its result, the table.

A part is a module with

    TITLE   a heading
    METHOD  a paragraph: what is injected, how, and how it is proved to have hit
    cases(full)  yields Case objects; without full a bounded choice
    COLUMNS, cells(result)  heads and a row of its table, if it has others than fault, expected, seen

and nothing in it runs at import.
"""

import dataclasses
import signal
import time
import traceback
import typing

import tap

LIMIT_S = 180
_notes = []


class Skip(Exception):
    """Raised by a case that can't run here; says which missing thing it needs."""


@dataclasses.dataclass
class Case:
    fault: str  # unique in its part; the first column
    expected: str  # the second column, and what run() has to return
    run: typing.Callable[[], str]  # injects, runs, returns what was seen in the same words
    limit_s: int = LIMIT_S


@dataclasses.dataclass
class Result:
    part: str
    fault: str
    expected: str
    seen: str
    seconds: float
    details: str = ""
    skip: str = ""

    @property
    def good(self) -> bool:
        return bool(self.skip) or self.seen == self.expected


def note(text) -> None:
    """Something that a person wants to read when the case in this process is not as expected, and only then."""
    _notes.append(text)


class TimedOut(Exception):
    """The case took longer than its limit."""


def _on_alarm(number, frame):
    raise TimedOut


def run_case(part, case) -> dict:
    """In a process of its own: runs the case within its limit, then ends what is left of it."""
    result = Result(part=part, fault=case.fault, expected=case.expected, seen="", seconds=0)
    begin = time.monotonic()
    tap.adopt_orphans()
    signal.signal(signal.SIGALRM, _on_alarm)
    signal.alarm(case.limit_s)
    try:
        result.seen = case.run()
    except Skip as missing:
        result.skip = str(missing)
    except TimedOut:
        result.seen = "no end within %d s" % case.limit_s
    except Exception as error:
        result.seen = "%s: %s" % (type(error).__name__, str(error).splitlines()[0] if str(error) else "")
        result.details = traceback.format_exc()[-4000:]
    signal.alarm(0)
    if not result.good:
        result.details += "".join(text + "\n" for text in _notes)[-4000:]
    left = tap.sweep()
    if left and not result.skip:
        result.details += "left running, ended by the bench: %s\n" % ", ".join(sorted(left))
    result.seconds = round(time.monotonic() - begin, 1)
    return vars(result)


def _columns(rows):
    return [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]


def _cells(result):
    seen = "skipped: " + result.skip if result.skip else "as expected" if result.good else "NOT: " + result.seen
    return result.fault, result.expected, seen


def table(module, results):
    """Lines of aligned text: fault, expected, seen, and a mark where they differ; or what the part has for columns."""
    cells = getattr(module, "cells", _cells)
    rows = [getattr(module, "COLUMNS", ("fault", "expected", "seen")), *map(cells, results)]
    widths = _columns(rows)
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def tables(modules, results):
    for part, module in modules.items():
        mine = [result for result in results if result.part == part]
        if mine:
            yield from ("", module.TITLE, "", *table(module, mine))
