# SPDX-License-Identifier: Apache-2.0
"""What was played on whole hosts: for each scenario what had to be seen, what was seen, and how long it took.

A scenario's end is said in a few words by the one who has looked ("ENROLLED, 1 token, 1 installer"), and must be, word for word,
what was written down before. play() runs several at once, because hosts that boot mostly wait. run-machine prints
the table of them all.
"""

import concurrent.futures
import dataclasses
import threading
import time
import typing

FULL = False  # run-machine --full: the long and complete forms
AT_ONCE = 4


@dataclasses.dataclass
class Scenario:
    name: str
    expected: str
    run: typing.Callable[[], str]  # says what was seen
    seen: str = "not come to its end"
    seconds: float = 0


_played = []
_tales = threading.local()


def note(tale) -> None:
    """What is known of the host, for whoever wants to know why this scenario, the thread's own, has not ended as it should."""
    _tales.text = tale


def _run(scenario) -> str:
    """The note."""
    begin = time.monotonic()
    _tales.text = ""
    try:
        scenario.seen = scenario.run()
    except Exception as error:
        scenario.seen = "%s: %s" % (type(error).__name__, str(error).partition("\n")[0])
        raise
    finally:
        scenario.seconds = time.monotonic() - begin
    return _tales.text


def play(test, scenarios, at_once=AT_ONCE) -> None:
    """Each is a subtest, told of when all have ended."""
    scenarios = list(scenarios)
    _played.extend(scenarios)
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        ends = [pool.submit(_run, scenario) for scenario in scenarios]
    for scenario, end in zip(scenarios, ends):
        with test.subTest(scenario.name):
            tale = end.result()
            test.assertEqual(scenario.seen, scenario.expected, tale)


def table():
    """Lines of aligned text; nothing when no scenario was played."""
    rows = [("scenario", "expected", "seen", "seconds")]
    rows += [(s.name, s.expected, "as expected" if s.seen == s.expected else "NOT: " + s.seen, "%.1f" % s.seconds) for s in _played]
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3].rjust(7)]) for row in rows]
    return lines if _played else []
