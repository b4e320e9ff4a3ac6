# SPDX-License-Identifier: Apache-2.0
"""What the lint tests share: the list of files, C without its comments, TAP.

A lint test is a list of cases; a case has a name and a list of complaints, and no complaint means ok.
Complaints are "FILE:LINE: sentence", so that an editor can jump there.
"""

import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(os.environ.get("ECE_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("ECE_BUILD_DIR") or TOP / "build" / "default")

# Without git's list, what bootstrap and builds make has to be left out by name.
_GENERATED = {"autom4te.cache", "build", "_build", "_inst", "build-aux", "__pycache__", ".git", ".deps",
              "Makefile", "Makefile.in", "aclocal.m4", "configure", "config.h.in", "config.h", "config.log", "config.status"}


def in_git():
    """True when TOP is the top of a git work tree, and not an unpacked tarball inside of one."""
    return (TOP / ".git").exists() and subprocess.run(
        ["git", "-C", TOP, "rev-parse"], capture_output=True, check=False).returncode == 0


def files(*suffixes):
    """Relative names of all files of the project, or of those that end in one of the suffixes, sorted."""
    if in_git():
        listed = subprocess.run(["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, check=True).stdout.decode()
        names = {name for name in listed.split("\0") if name and (TOP / name).is_file()}
    else:
        names = {path.relative_to(TOP).as_posix() for path in TOP.rglob("*")
                 if path.is_file() and not _GENERATED & set(path.relative_to(TOP).parts)}
    return sorted(name for name in names if not suffixes or name.endswith(suffixes))


def text(name):
    return (TOP / name).read_text(encoding="utf-8")


def first_line(name):
    with open(TOP / name, "rb") as file:
        return file.readline(200).decode("utf-8", "replace").rstrip("\n")


_C_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def code(source):
    """C source in which comments, and what stands in quotes, are blank; lines and columns stay where they were."""
    def blank(match):
        token = match.group()
        keep = token[0] if token[0] in "\"'" else " "
        inside = re.sub(r"[^\n]", " ", token[1:-1] if keep != " " else token[1:])
        return keep + inside + (keep if keep != " " else "")
    return _C_TOKEN.sub(blank, source)


def line_of(source, offset):
    return source.count("\n", 0, offset) + 1


def table(document, heading):
    """Rows (lists of cells, back quotes taken away) of the first Markdown table below a heading."""
    rows, below, inside = [], False, False
    for line in text(document).splitlines():
        if line.startswith("#"):
            below = line.lstrip("# ") == heading
        elif below and line.startswith("|"):
            inside = True
            rows.append([cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")])
        elif inside:
            break
    return rows[2:]


def metrics():
    """(name without ece_enroll_, type, HELP) of each metric that the agent writes, in its order."""
    return re.findall(r'\b(?:head|single)\(&?p, "(\w+)", "(\w+)",\s+"([^"]*)"', text("agent/report/metrics.c"))


def main(cases):
    """Prints cases, pairs of a name and a list of complaints, as TAP, and leaves. A string is the reason of a skip."""
    cases = list(cases)
    print(f"1..{len(cases)}")
    failed = 0
    for number, (name, complaints) in enumerate(cases, 1):
        if isinstance(complaints, str):
            print(f"ok {number} - {name} # SKIP {complaints}")
            continue
        complaints = list(complaints)
        failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {number} - {name}")
        for complaint in complaints:
            for line in str(complaint).splitlines():
                print(f"# {line}")
    sys.exit(1 if failed else 0)
