# SPDX-License-Identifier: Apache-2.0
"""The journal's catalogue explains each message id of the code, no other, and uses fields that the code sets."""

import re

import lint

CATALOG = "etc/catalog/ece-enroll.catalog"
IDS = set(re.findall(r'#define MESSAGE_ID_\w+ "([0-9a-f]{32})"', lint.text("agent/report/journal.h")))
ENTRIES = re.findall(r"^-- ([0-9a-f]{32})$", lint.text(CATALOG), re.MULTILINE)


def form():
    for entry in re.split(r"^-- ", lint.text(CATALOG), flags=re.MULTILINE)[1:]:
        head = entry.partition("\n\n")[0].splitlines()
        for key in ("Subject: ", "Defined-By: "):
            if sum(line.startswith(key) for line in head) != 1:
                yield f"{CATALOG}: {head[0]}: not exactly one {key.strip()}"


def remedies():
    """Whoever reads an entry learns what to do: the record's own remedy, a command that tells, or that there is nothing to do."""
    for entry in re.split(r"^-- ", lint.text(CATALOG), flags=re.MULTILINE)[1:]:
        if not re.search(r"@ECE_ENROLL_REMEDY@|`ece-enroll explain @ECE_ENROLL_REASON@`|Nothing\s+needs\s+to\s+be\s+done", entry):
            yield f"{CATALOG}: {entry.splitlines()[0]}: it does not say what to do"


def fields():
    known = set(re.findall(r'"([A-Z_]+)"', lint.text("agent/report/journal.c")))
    return [f"{CATALOG}: no record has the field {name}"
            for name in sorted(set(re.findall(r"@([A-Z_]+)@", lint.text(CATALOG))) - known)]


lint.main([
    ("every id is explained", [f"{CATALOG}: {one} is missing" for one in sorted(IDS - set(ENTRIES))]),
    ("no id is explained that does not exist", [f"{CATALOG}: {one}" for one in sorted(set(ENTRIES) - IDS)]),
    ("no id twice", [one for one in ENTRIES if ENTRIES.count(one) > 1]),
    ("entries have a subject", form()),
    ("entries say what to do", remedies()),
    ("fields exist", fields()),
])
