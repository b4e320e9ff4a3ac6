# SPDX-License-Identifier: Apache-2.0
"""The tables of a run: as text for a terminal, and in doc/performance.md between a line `<!-- table: NAME -->` and the next
`<!-- end -->`; all else in the page is written by hand. documented() reads from there what a later run is held against.
"""

import re

import figures
from figures import KIB, Spread, verdict
from places import PLACES


def targets(results):
    found = figures.values(results)
    yield "what", "at most", "measured", ""
    for target in figures.TARGETS:
        if target.key in found:
            bound = "" if target.bound is None else "%g%s" % (target.bound, target.unit)
            yield target.what, bound, found[target.key].text(target.form) + target.unit, verdict(target, found[target.key])


def _times(results, key):
    return lambda name: Spread.of(results["candidates"][name][key]).text("%.1f" if name != "ansible" else "%.0f")


def _counted(results, table, key, form="%d", scale=1):
    return lambda name: form % (results[table][name][key] / scale) if name in results[table] else ""


def costs(results):
    names = list(results["candidates"])
    yield ("of one enrollment", *names)
    rows = (
        ("processor time, ms", _times(results, "cpu_ms")),
        ("wall, ms", _times(results, "wall_ms")),
        ("instructions, million", lambda name: "%.1f" % (sum(results["instructions"][name].values()) / 1e6)
         if name in results["instructions"] else ""),
        ("processes", _counted(results, "trees", "processes")),
        ("programs", _counted(results, "trees", "programs")),
        ("peak memory of all at once: Pss, MiB", _counted(results, "trees", "pss_kib", "%.1f", KIB)),
        ("peak memory of all at once: RssAnon, MiB", _counted(results, "trees", "anon_kib", "%.1f", KIB)),
        ("requests", _counted(results, "wire", "requests")),
        ("connections", _counted(results, "wire", "connections")),
        ("TLS handshakes", _counted(results, "wire", "handshakes")),
        ("round trips", _counted(results, "wire", "round_trips")),
        ("bytes sent", _counted(results, "wire", "sent")),
        ("bytes received", _counted(results, "wire", "received")),
    )
    for what, cell in rows:
        yield (what, *map(cell, names))


def parts(results):
    yield "process", "ms"
    measured = results["candidates"].get("ece-enroll", {"parts": []})["parts"]
    for name in sorted({name for each in measured for name in each}):
        words = " and its installer" if name == "ece-installd" else ""
        yield name + words, Spread.of([each.get(name, 0) for each in measured]).text()


def instructions(results):
    yield "candidate", "program", "million"
    for candidate, programs in results["instructions"].items():
        for name, count in sorted(programs.items(), key=lambda item: -item[1]):
            yield candidate, name, "%.1f" % (count / 1e6)


def places(results):
    programs = list(results["places"])
    yield ("million instructions", *programs)
    for what in ["all", *(what for what, _ in PLACES)]:
        counts = [results["places"][program].get(what) for program in programs]
        if any(counts):
            yield (what, *("%.1f" % (count / 1e6) if count else "" for count in counts))


def waiting(results):
    yield "", "RssAnon, KiB", "Pss, KiB", "wake-ups in %d s" % results["wakeups"]["seconds"], "start, ms", "of it processor, ms"
    for name, measured in results["waiting"].items():
        start = results["start"].get(name)
        yield (name, *(Spread.of([memory[key] for memory in measured]).text("%d") for key in ("anon_kib", "pss_kib")),
               str(results["wakeups"]["counts"].get(name, "")),
               *(Spread.of([pair[at] for pair in start]).text() if start else "" for at in (0, 1)))


def sizes(results):
    yield "program", "stripped, KiB"
    for name, size in results["sizes"].items():
        yield name, "%.1f" % (size / KIB)
    yield "all", "%.1f" % (sum(results["sizes"].values()) / KIB)


def machine(results):
    yield "", "version"
    yield from results["machine"].items()
    yield "rounds", str(results["runs"])


# Name in the page -> title on a terminal, rows.
TABLES = {
    "targets": ("Targets", targets),
    "costs": ("An enrollment", costs),
    "parts": ("Processor time of ece-enroll run, by process", parts),
    "instructions": ("Instructions, by program", instructions),
    "places": ("Instructions, by place", places),
    "waiting": ("Waiting, and getting there", waiting),
    "sizes": ("Sizes", sizes),
    "machine": ("Measured on", machine),
}


def tables(results):
    return {name: list(rows(results)) for name, (_, rows) in TABLES.items()}


# --- For a terminal ---

def text(results):
    for name, rows in tables(results).items():
        widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
        yield "\n%s\n" % TABLES[name][0]
        for row in rows:
            yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()


# --- For the page ---

def markdown(rows):
    head, *rest = rows
    lines = ["| %s |" % " | ".join(head), "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| %s |" % " | ".join(row) for row in rest])


def write(results, path) -> None:
    made = tables(results)

    def between(match):
        return "<!-- table: %s -->\n\n%s\n\n<!-- end -->" % (match[1], markdown(made[match[1]]))

    path.write_text(re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", between, path.read_text(), flags=re.DOTALL))


def documented(path):
    """{key of a target: the page's figure}, for those that it has."""
    found, known = {}, {target.what: target.key for target in figures.TARGETS}
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 4 and cells[0] in known:
            found[known[cells[0]]] = float(cells[2].split()[0])
    return found


def regressions(results, path):
    """(target, measured, how much is let pass) of all that has to be held against the page."""
    measured, written = figures.values(results), documented(path)
    for target in figures.TARGETS:
        yield target, measured.get(target.key), written[target.key] * target.slack if target.key in written else None


