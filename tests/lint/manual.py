# SPDX-License-Identifier: Apache-2.0
"""The manual against the programs: what is made from tables is what they print now, what is written by hand names
every command, option, exit code, message id and field, and no other; all pages are clean roff.

With ECE_ENROLL_UPDATE_GOLDEN set, the made parts are written anew; read the difference.
"""

import json
import os
import re
import shutil
import subprocess

import lint

MAN = lint.TOP / "doc" / "man"
PAGES = sorted(path.name for path in MAN.iterdir() if path.suffix[1:].isdigit())
BEGIN = '.\\" Keys: from here to the end of the section this is made from the schema\'s table.\n'
END = '.\\" Keys end.\n'
UPDATE = os.environ.get("ECE_ENROLL_UPDATE_GOLDEN")


def said(program, *words):
    """What a program prints, or None when this build has none."""
    path = lint.BUILD / program
    if not path.is_file():
        return None
    return subprocess.run([path, *words], capture_output=True, text=True, check=True).stdout


def page(name):
    return (MAN / name).read_text(encoding="utf-8")


def plain(text):
    """Roff without its fonts and escapes, enough to find names in."""
    return re.sub(r"\\f[BIR]", "", text).replace("\\-", "-").replace("\\(aq", "'").replace('"', "")


def section(name, heading):
    found = re.search(rf'^\.SH "?{heading}"?$(.*?)(?=^\.SH |\Z)', page(name), re.MULTILINE | re.DOTALL)
    return plain(found.group(1)) if found else ""


def terms(name, heading):
    """The terms of a section's list: the line after each .TP, without the macro."""
    return [re.sub(r"^\.[A-Z]+ ", "", line) for line in re.findall(r"^\.TP\n(.*)$", section(name, heading), re.MULTILINE)]


def options(text):
    return set(re.findall(r"--[a-z][a-z-]*", text))


def differences(name, written, true):
    return [f"doc/man/{name}: {what} is missing" for what in sorted(true - written)] + \
           [f"doc/man/{name}: {what} does not exist" for what in sorted(written - true)]


def made(name, text, before="", after=""):
    """The page is what the program prints, or holds it between two lines."""
    if text is None:
        return "no ece-enroll in the build directory"
    written = page(name)
    start = written.index(before) + len(before)
    end = written.index(after, start) if after else len(written)
    if UPDATE:
        (MAN / name).write_text(written[:start] + text + written[end:], encoding="utf-8")
        return []
    old, new = written[start:end].splitlines(), text.splitlines()
    return [f"doc/man/{name}: not what ece-enroll prints: {line}" for line in new if line not in old][:5] or \
           ([] if old == new else [f"doc/man/{name}: other lines, or another order, than ece-enroll prints"])


def commands():
    overview = said("ece-enroll", "--help")
    return overview and set(re.findall(r"^  ([a-z]+) ", overview, re.MULTILINE))


def command_list():
    known = commands()
    if known is None:
        return "no ece-enroll in the build directory"
    return differences("ece-enroll.1", {term.split()[0] for term in terms("ece-enroll.1", "COMMANDS")}, known)


def command_options():
    """Each option names the commands that take it, and only those."""
    known = commands()
    if known is None:
        return "no ece-enroll in the build directory"
    taken = {}
    for command in known:
        for option in options(said("ece-enroll", command, "--help").partition("\n\n")[2].split("\n\n")[0]):
            taken.setdefault(option, set()).add(command)
    for common in ("--help", "--usage"):
        taken.pop(common)
    text = section("ece-enroll.1", "OPTIONS")
    entries = {min(options(head)): set(re.findall(r"[a-z]+", rest.partition("\nFor\n")[2].replace(".BR", "")))
               for head, rest in re.findall(r"^\.TP\n([^\n]*)\n(.*?)(?=^\.TP|\Z)", text, re.MULTILINE | re.DOTALL)}
    for common in ("--help", "--usage", "--version"):
        if entries.pop(common, None) is None:
            return [f"doc/man/ece-enroll.1: {common} is missing"]
    return differences("ece-enroll.1", set(entries), set(taken)) + [
        complaint for option in entries.keys() & taken.keys()
        for complaint in differences("ece-enroll.1", {f"{option} for {one}" for one in entries[option]},
                                     {f"{option} for {one}" for one in taken[option]})]


def daemon_options(program):
    text = said(program, "--help")
    if text is None:
        return f"no {program} in the build directory"
    return differences(program + ".8", set().union(*map(options, terms(program + ".8", "OPTIONS"))), options(text))


def exit_codes():
    true = set(re.findall(r"^\s+EXIT_\w+ = (\d+),", lint.text("agent/model/outcome.h"), re.MULTILINE))
    written = [code for term in terms("ece-enroll.1", "EXIT STATUS") for code in re.findall(r"\d+", term)]
    yield from differences("ece-enroll.1", set(written), true)
    for name in ("ece-enrolld.8", "ece-installd.8"):
        for term in terms(name, "EXIT STATUS"):
            yield from (f"doc/man/{name}: exit code {code}" for code in re.findall(r"\d+", term) if code not in true)


def journal():
    text = section("ece-enrolld.8", "JOURNAL")
    yield from differences("ece-enrolld.8", set(re.findall(r"\b[0-9a-f]{32}\b", text)),
                           set(re.findall(r'#define MESSAGE_ID_\w+ "([0-9a-f]{32})"', lint.text("agent/report/journal.h"))))
    yield from differences("ece-enrolld.8", set(re.findall(r"ECE_ENROLL_[A-Z_]+", text)),
                           set(re.findall(r'"(ECE_ENROLL_[A-Z_]+)"', lint.text("agent/report/journal.c"))))


def metrics():
    """Each metric is a term, with its type, and its paragraph begins with its HELP line."""
    text = " ".join(section("ece-enrolld.8", "METRICS").split())
    true = {f"ece_enroll_{name}": (kind, words) for name, kind, words in lint.metrics()}
    yield from differences("ece-enrolld.8", {term.split()[0] for term in terms("ece-enrolld.8", "METRICS")}, set(true))
    for name, (kind, words) in true.items():
        if not re.search(rf"\b{name} \({kind}[^)]*\) {re.escape(words)}", text):
            yield f"doc/man/ece-enrolld.8: {name} is not described as: ({kind}) {words}"


def reasons():
    """Every reason and every row of its table is in the page, and reasons that other pages name exist."""
    table = said("ece-enroll", "explain", "--json")
    if table is None:
        return "no ece-enroll in the build directory"
    table = json.loads(table)
    text = " ".join(plain(page("ece-enroll-reasons.7")).split())
    ids = {reason["id"] for reason in table}
    complaints = [f"doc/man/ece-enroll-reasons.7: {what} is missing" for reason in table
                  for what in (f"{reason['id']} ({reason['class']}, exit code {reason['exit_code']})",
                               reason["what"][1:] + ".",
                               *(match["words"] for match in reason["matches"])) if what not in text]
    groups = "|".join(sorted({one.partition(".")[0] for one in ids} - {"spec", "host", "token", "installer", "credential", "verify"}))
    for name in PAGES:
        complaints += [f"doc/man/{name}: no reason {one}"
                       for one in re.findall(rf"\b(?:{groups})\.[a-z]+(?:-[a-z]+)*\b", plain(page(name))) if one not in ids]
    return complaints


def advice():
    """What remedies and the catalogue tell people to call can be called."""
    known = commands()
    if known is None:
        return "no ece-enroll in the build directory"
    texts = {reason["id"]: reason["remedy"] for reason in json.loads(said("ece-enroll", "explain", "--json"))}
    texts.update((name, lint.text(name)) for name in ("etc/catalog/ece-enroll.catalog", "monitoring/ece-enroll.rules.yaml"))
    calls = re.compile(r"['`(]ece-enroll ([a-z]+)")
    return [f"{name}: there is no command '{one}'" for name, text in texts.items()
            for one in calls.findall(text) if one not in known]


def roff():
    """No warning of groff's, nor of mandoc's where it is installed."""
    if not shutil.which("groff"):
        return "no groff"
    complaints = []
    for name in PAGES:
        ran = subprocess.run(["groff", "-ww", "-z", "-man", "-Kutf8", "-Tutf8", MAN / name],
                             capture_output=True, text=True, check=False)
        complaints += ran.stderr.splitlines()
        if shutil.which("mandoc"):
            ran = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", MAN / name], capture_output=True, text=True, check=False)
            complaints += [line for line in ran.stdout.splitlines() if "missing date" not in line]
    return complaints


def security():
    """ece-enroll-security(7) speaks of what SECURITY.md speaks of, in its order, and of the limits that tests/lint/units.py holds."""
    name = "ece-enroll-security.7"
    pairs = [(heading, list(dict.fromkeys(row[column] for row in lint.table("SECURITY.md", there))))
             for heading, there, column in (("WHAT IS PROTECTED", "What is to be protected", 0), ("FROM WHOM", "From whom", 0))]
    hidden = lint.text("SECURITY.md").partition("## What can't be hidden")[2].partition("\n## ")[0]
    pairs.append(("WHAT CAN'T BE HIDDEN", [word.replace("`", "") for word in re.findall(r"^\* \*\*(.+?)\*\*", hidden, re.MULTILINE)]))
    for heading, true in pairs:
        written = terms(name, heading)
        yield from differences(name, set(written), set(true))
        if not true or (sorted(written) == sorted(true) and written != true):
            yield f"doc/man/{name}: {heading}: another order than in SECURITY.md, or nothing was found there"
    measured = dict(re.findall(r'"(ece-\w+\.service)": ([\d.]+)', lint.text("tests/lint/units.py")))
    shut = " ".join(section(name, "HOW FAR THE UNITS ARE SHUT IN").split())
    for unit in ("ece-enrolld.service", "ece-installd.service"):
        said_of_it = re.search(rf"{re.escape(unit)} runs .*? at most ([\d.]+\d)", shut)
        if not said_of_it or said_of_it[1] != measured.get(unit):
            yield f"doc/man/{name}: {unit}: not the {measured.get(unit)} of tests/lint/units.py"


def see_also():
    """Pages name each other, and no page that does not exist."""
    names = {f"{name.rpartition('.')[0]} ({name.rpartition('.')[2]})" for name in PAGES}
    for name in PAGES:
        own = f"{name.rpartition('.')[0]} ({name.rpartition('.')[2]})"
        found = set(re.findall(r"\S+ \(\d\)", section(name, "SEE ALSO")))
        yield from differences(name, {one for one in found if not one.startswith("systemd")}, names - {own})


lint.main([
    ("ece-enroll-reasons(7) is made from the table", made("ece-enroll-reasons.7", said("ece-enroll", "explain", "--man"))),
    ("enroll.yaml(5) has the schema's keys", made("enroll.yaml.5", said("ece-enroll", "validate", "--man"), BEGIN, END)),
    ("ece-enroll(1) has every command", command_list()),
    ("ece-enroll(1) has every option of every command", command_options()),
    ("ece-enrolld(8) has every option", daemon_options("ece-enrolld")),
    ("ece-installd(8) has every option", daemon_options("ece-installd")),
    ("exit codes", exit_codes()),
    ("message ids and fields of the journal", journal()),
    ("metrics", metrics()),
    ("reasons", reasons()),
    ("commands that people are told to call exist", advice()),
    (f"clean roff ({len(PAGES)} pages)", roff()),
    ("ece-enroll-security(7) and SECURITY.md", security()),
    ("see also", see_also()),
])
