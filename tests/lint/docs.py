# SPDX-License-Identifier: Apache-2.0
"""Documents against what they speak of: links, keys of the spec, exit codes, and words that don't belong here."""

import json
import re
import subprocess

import lint

DOCUMENTS = lint.files(".md")
ENROLL = lint.BUILD / "ece-enroll"


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(name):
    prose = re.sub(r"^```.*?^```", "", lint.text(name), flags=re.MULTILINE | re.DOTALL)
    return {anchor(match) for match in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)}


def links():
    for name in DOCUMENTS:
        prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", lint.text(name), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, fragment = target.partition("#")
            where = (lint.TOP / name).parent / path if path else lint.TOP / name
            if not where.exists():
                yield f"{name}: no {target}"
            elif fragment and where.suffix == ".md" and fragment not in anchors(where.resolve().relative_to(lint.TOP.resolve())):
                yield f"{name}: no heading for {target}"


def spec_keys():
    """doc/spec.md has a row for each key of the schema's table, in its order and with its default, and no other."""
    rows = re.findall(r'\[KEY_\w+\] = \{ "([\w.]+)", SPEC_TYPE_(\w+)(.*?)\.summary', lint.text("agent/model/spec-schema.c"), re.DOTALL)
    default = re.compile(r'\.otherwise = "([^"]*)"')
    schema = [[key, (default.search(rest) or [None, "required" if ".required" in rest else ""])[1]] for key, kind, rest in rows
              if kind != "SECTION"]
    written = [row[:2] for row in lint.table("doc/spec.md", "Keys")]
    yield from (f"doc/spec.md: no row {' | '.join(row)}" for row in schema if row not in written)
    yield from (f"doc/spec.md: not in the schema: {' | '.join(row)}" for row in written if row not in schema)


def keys_by_other_names():
    """What doc/coming-from-ansible.md calls our keys are keys, or sections of them."""
    keys = [row[0] for row in lint.table("doc/spec.md", "Keys")]
    for there, ours, what in lint.table("doc/coming-from-ansible.md", "Variables"):
        for key in {ours, *re.findall(r"(?:credential|host|installer|retry|token|trust|verify)\.[a-z_.]+[a-z]", what)}:
            if key not in keys:
                yield f"doc/coming-from-ansible.md: {there}: no key {key}"


def exit_codes():
    rows = {row[0] for row in lint.table("doc/spec.md", "Exit codes")}
    codes = set(re.findall(r"^\s+EXIT_\w+ = (\d+),", lint.text("agent/model/outcome.h"), re.MULTILINE))
    return [f"doc/spec.md: exit code {code}" for code in sorted(codes ^ rows)]


def preparation():
    """doc/host-preparation.md has a row for each item of the table, in its order, with the same words."""
    engines = {"FOR_ALL": "both", "FOR_DOCKER": "docker", "FOR_PODMAN": "podman"}
    rows = re.findall(r'^ +\{ "([\w-]+)", (FOR_\w+), "([^"]*)", "([^"]*)", judge_', lint.text("agent/host/preparation.c"), re.MULTILINE)
    code = [[name, engines[engine], documented, source] for name, engine, documented, source in rows]
    written = [row[:3] + row[-1:] for row in lint.table("doc/host-preparation.md", "Items")]
    if not code:
        yield "agent/host/preparation.c: no rows were found"
    yield from (f"doc/host-preparation.md: no row {' | '.join(row)}" for row in code if row not in written)
    yield from (f"doc/host-preparation.md: not in the table of items: {' | '.join(row)}" for row in written if row not in code)
    if sorted(code) == sorted(written) and code != written:
        yield "doc/host-preparation.md: another order than in the table of items"


def examples():
    if not ENROLL.is_file():
        return "no ece-enroll in the build directory"
    complaints = []
    for name in ("etc/enroll.yaml", "etc/enroll.minimal.yaml"):
        said = subprocess.run([ENROLL, "validate", lint.TOP / name], capture_output=True, text=True, check=False)
        if said.returncode != 0:
            complaints += [f"{name}: exit {said.returncode}", *(said.stdout + said.stderr).splitlines()]
    return complaints


def shown():
    """An example that no document names is found by nobody; and what a document shows as JSON is JSON."""
    prose = "".join(lint.text(name) for name in DOCUMENTS)
    for name in lint.files():
        if name.startswith(("etc/examples/cloud-init", "etc/examples/credential-commands/")) and f"../{name})" not in prose:
            yield f"{name}: in no document"
    for name in DOCUMENTS:
        for block in re.findall(r"^```json\n(.*?)^```", lint.text(name), re.MULTILINE | re.DOTALL):
            try:
                json.loads(block)
            except ValueError as error:
                yield f"{name}: {error}"


# Sentences of the installer's own text that a careless copy would bring along, as pieces so that they are not here either.
FOREIGN = ["Licensed to " + "Elasticsearch B.V.", "docker run " + "--env COORDINATOR_HOST=${", "eval \"${" + "variable}"]
# Words of a workshop, not of a product.
WORKSHOP = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|(?<![\w.])/(?:wo" r"rk|ro" r"ot)/")


def foreign():
    for name in lint.files():
        content = (lint.TOP / name).read_bytes().decode("utf-8", "replace")
        for piece in FOREIGN:
            if piece in content:
                yield f"{name}: {piece}"


def workshop():
    for name in lint.files(".c", ".h", ".py", ".md", ".am", ".in", ".ac", ".yaml"):
        for number, line in enumerate(lint.text(name).splitlines(), 1):
            if WORKSHOP.search(line) and not name.endswith("tests/lint/docs.py"):
                yield f"{name}:{number}: {line.strip()}"


def metrics():
    """monitoring/README.md has a row for each metric, as its HELP line has it."""
    true = [[f"ece_enroll_{name}", kind, words] for name, kind, words in lint.metrics()]
    written = [[row[0], row[1], row[3]] for row in lint.table("monitoring/README.md", "Metrics")]
    yield from (f"monitoring/README.md: no row {' | '.join(row)}" for row in true if row not in written)
    yield from (f"monitoring/README.md: no such metric: {' | '.join(row)}" for row in written if row not in true)


def alerts():
    """It has a row for each alert, with its severity, and they are what the rules have."""
    rules = re.findall(r"- alert: (\w+)\n.*?severity: (\w+)", lint.text("monitoring/ece-enroll.rules.yaml"), re.DOTALL)
    written = [tuple(row[:2]) for row in lint.table("monitoring/README.md", "Prometheus")]
    return [f"monitoring/README.md: {' '.join(pair)}" for pair in sorted(set(rules) ^ set(written))]


lint.main([
    (f"links resolve ({len(DOCUMENTS)} documents)", links()),
    ("doc/spec.md lists the keys of the spec", spec_keys()),
    ("doc/spec.md lists the exit codes", exit_codes()),
    ("doc/coming-from-ansible.md names keys of the spec", keys_by_other_names()),
    ("doc/host-preparation.md lists the items", preparation()),
    ("examples are valid", examples()),
    ("monitoring/README.md lists the metrics", metrics()),
    ("monitoring/README.md lists the alerts", alerts()),
    ("examples for clouds are in a document, and JSON in documents is JSON", shown()),
    ("nothing of the installer's own text", foreign()),
    ("no leftovers of the workshop", workshop()),
])
