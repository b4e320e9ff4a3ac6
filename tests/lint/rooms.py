# SPDX-License-Identifier: Apache-2.0
"""A room includes only rooms that the table in HACKING.md allows it, and the table has no circle."""

import re

import lint

INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
KNOWS = {row[0].removeprefix("agent/").rstrip("/"): set(re.findall(r"[a-z]+", row[2]))
         for row in lint.table("HACKING.md", "Rooms")}


def circles():
    """Takes away, again and again, the rooms that know nobody who is left: what stays goes round in a circle."""
    left = {room: set(known) for room, known in KNOWS.items()}
    while True:
        free = {room for room, known in left.items() if not known & set(left)}
        if not free:
            break
        left = {room: known for room, known in left.items() if room not in free}
    return [f"HACKING.md: circle among {', '.join(sorted(left))}"] if left else []


def strangers():
    for name in lint.files(".c", ".h"):
        if not name.startswith("agent/"):
            continue
        room = name.split("/")[1]
        if room not in KNOWS:
            yield f"{name}:1: the room {room} is not in the table of HACKING.md"
            continue
        source = lint.text(name)
        for match in INCLUDE.finditer(source):
            line = lint.line_of(source, match.start())
            target = match.group(1).split("/")[0]
            if not (lint.TOP / "agent" / match.group(1)).is_file():
                yield f'{name}:{line}: "{match.group(1)}" is no file below agent/'
            elif target != room and target not in KNOWS[room]:
                yield f"{name}:{line}: {room} must not know {target}"


def disorder():
    """The own header, or the room's one that includes it, comes first: so each header stands on its own feet."""
    for name in lint.files(".c"):
        if not name.startswith("agent/") or not (lint.TOP / (name[:-2] + ".h")).is_file():
            continue
        first = re.search(r'^#include [<"]([^">]+)[">]', lint.text(name), re.MULTILINE)
        if first and first.group(1).split("/")[0] != name.split("/")[1]:
            yield f"{name}: the first #include is {first.group(1)}, not the own header"


def unlisted():
    """Every source is in a fragment of its own folder."""
    for name in lint.files(".c", ".h"):
        test = re.match(r"tests/\w+/test-[\w-]+\.c$", name)
        if not test and not name.startswith("agent/"):
            continue
        folder = name.rsplit("/", 1)[0]
        listed = {word for path in (lint.TOP / folder).glob("*.am") for word in path.read_text().split()}
        # automake knows the source of a test that is named after it.
        if name not in listed and not (test and name[:-2] in listed):
            yield f"{name}: in no fragment of {folder}/"


lint.main([
    ("the table of rooms is there", [] if len(KNOWS) >= 11 else ["HACKING.md: no table below 'Rooms'"]),
    ("the table has no circle", circles()),
    ("rooms know only whom they may", strangers()),
    ("a module includes its own header first", disorder()),
    ("every file is in its fragment", unlisted()),
])
