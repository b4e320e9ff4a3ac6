# SPDX-License-Identifier: Apache-2.0
"""Everyone who looks knows why: the same reason in each place where somebody may look at a host."""

import functools

import places_table
from matrix import Case
from places_watch import PLACES, everywhere

TITLE = "The same reason everywhere"
METHOD = """\
Each fault is injected under the real daemon, which has a service manager, a journal and a receiver of webhooks of the case's own.
In each state that the row names, with status.json having come to the reason, everybody is asked: `ece-enroll status` (its page
and --json, which have to agree), the last STATUS= for the service manager, the last record of the state in the journal (its field, and the
reason in its sentence, with a remedy), status.json, the file of metrics, and in FAILED the event that the webhook got. A webhook
carries verdicts, so a host that waits, drifts, stops or has no spec has none for it, nor has one that can't read where it is or can't
keep a report: "-". A fault that is waited out is looked at
twice, while the host waits and after the enrollment's time is over, which a changed spec cuts short.
"""
COLUMNS = ("fault", "reason injected", "in the states", *PLACES)


def cells(result):
    """A row by places: named there in each of the states in which it has to be."""
    row = {row.name: row for row in places_table.ROWS}[result.fault]
    places = []
    for place in PLACES:
        wanted = any(place in row.places_in(state) for state in row.states)
        places.append("yes" if wanted else "-")
    if result.skip or not result.good:
        places = ["skipped: " + result.skip if result.skip else "NOT: " + result.seen] + [""] * (len(PLACES) - 1)
    return (row.name, row.reason, ", ".join(row.states), *places)


def cases(full):
    for row in places_table.ROWS:
        if full or row.whole:
            yield Case(row.name, row.expected, functools.partial(everywhere, row))
