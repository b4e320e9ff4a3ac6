# SPDX-License-Identifier: Apache-2.0
"""doc/fleet.md against what it was made from: scenarios, policies, defaults; and that the choice of constants is a fair one."""

import re
import sys

import lint

sys.path.insert(0, str(lint.TOP / "tests" / "fleet"))

import front  # noqa: E402
import page  # noqa: E402
import scenes  # noqa: E402

AGAIN = "scripts/fleet --document writes it anew"


def written(name):
    """Rows of a table of the page, and its head."""
    match = next((match for match in page.TABLE.finditer(lint.text("doc/fleet.md")) if match[2] == name), None)
    return [line for line in match[0].splitlines() if line.startswith("|")] if match else []


def tables():
    """Every table has its place, and those that are not measured are as they would be made now."""
    places = [match[2] for match in page.TABLE.finditer(lint.text("doc/fleet.md"))]
    yield from (f"doc/fleet.md: no place for the table {name}" for name in page.TABLES if name not in places)
    yield from (f"doc/fleet.md: the table {name} is empty" for name in page.TABLES if len(written(name)) < 3)
    if written("scenarios") != page.markdown(*page.scenario_rows(None)).splitlines():
        yield f"doc/fleet.md: other scenarios than in tests/fleet/scenes.py; {AGAIN}"
    for name in ("peak", "requests", "connections", "member"):
        policies = [line.split("|")[1].strip() for line in written(name)[2:]]
        if policies != [policy for policy, _ in scenes.POLICIES]:
            yield f"doc/fleet.md: the table {name} has other policies than tests/fleet/scenes.py; {AGAIN}"


def peers():
    known = re.findall(r'^        \{ "([\w-]+)", \d+, \w+ \},$', lint.text("tests/fleet/peer.c"), re.MULTILINE)
    if known != scenes.PEERS:
        yield f"tests/fleet/scenes.py: PEERS are not those of peer.c: {known}"


def defaults():
    """What is called shipped is what is shipped."""
    rows = {row[0]: row[1] for row in lint.table("doc/spec.md", "Keys")}
    shipped = tuple(rows[key] for key in ("retry.splay", "retry.backoff.min", "retry.backoff.max"))
    if shipped != tuple(f"{seconds}s" for seconds in scenes.SHIPPED) or scenes.SHIPPED not in scenes.CANDIDATES:
        yield f"tests/fleet/scenes.py: SHIPPED are not the defaults: {shipped}"


def seeds(words):
    first, last = map(int, words.split("-"))
    return set(range(first, last + 1))


def unseen():
    """Constants are judged by what they were not chosen by; that nothing is wrong is no scenario that could be another one."""
    if seeds(scenes.TUNING["seeds"]) & seeds(scenes.JUDGING["seeds"]) or scenes.TUNING["hosts"] == scenes.JUDGING["hosts"]:
        yield "tests/fleet/scenes.py: the two sets share seeds or the number of hosts"
    yield from (f"tests/fleet/scenes.py: in both sets: {words}" for words in set(scenes.TUNING["scenarios"]) & set(scenes.JUDGING["scenarios"]) if words)


def fronts():
    def measured(*values):
        return dict(zip(front.MEASURES, values))
    points = {"a": measured(1, 100, 10, 50), "b": measured(1, 100, 10, 40), "c": measured(0, 300, 20, None), "d": measured(5, 101, 12, 41),
              "e": measured(1, 101, 8, 40)}
    if front.of(points) != {"b", "c", "e"}:
        yield f"tests/fleet/front.py: the front is {sorted(front.of(points))}"
    if front.clearly_better(points, "a") != ["b", "e"] or front.clearly_better(points, "b") != ["e"] or front.clearly_better(points, "e"):
        yield "tests/fleet/front.py: not who is clearly better"


lint.main([
    ("doc/fleet.md has the tables of scripts/fleet", tables()),
    ("its policies are those that there are", peers()),
    ("its defaults are the defaults", defaults()),
    ("constants are judged on what they were not chosen by", unseen()),
    ("a front is a front", fronts()),
])
