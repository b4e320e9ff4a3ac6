# SPDX-License-Identifier: Apache-2.0
"""The form of files: licence line, an essay on top, one header guard, and sizes that fit into a head."""

import re

import lint

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 500
TEST_LINES_MAX = 700
COLUMNS_MAX = 140

# Licensed as a whole by LICENSE, or with a form of their own that has no place for a line.
WITHOUT_LICENCE_LINE = re.compile(
    r"^(LICENSE|NEWS|\.gitignore|\.editorconfig|\.clang-format|etc/enroll[\w.]*\.yaml|etc/examples/.*|tests/fuzz/corpus/.*|packaging/debian/(changelog|copyright|source/format))$|"
    r"\.(md|json|txt|pem|conf|golden)$")


def licences():
    for name in lint.files():
        if WITHOUT_LICENCE_LINE.search(name):
            continue
        head = "\n".join(lint.text(name).splitlines()[:3])
        if "SPDX-License-Identifier: Apache-2.0" not in head:
            yield f"{name}:1: no SPDX line"


def essays():
    for name in lint.files(".c"):
        below = lint.text(name).partition("\n")[2].lstrip()
        if not below.startswith("/*"):
            yield f"{name}:2: begins without a word about what it is for"
        elif name.startswith("agent/") and len(below[:below.find("*/")].split()) < 12:
            yield f"{name}:2: an essay has more than a few words: what, why, what may fail"


def guards():
    for name in lint.files(".h"):
        if len(re.findall(r"^#pragma once$", lint.text(name), re.MULTILINE)) != 1:
            yield f"{name}:1: not exactly one #pragma once"


def functions(source):
    """(first line, number of lines) of each function: a brace at depth 0 behind a closing parenthesis opens one."""
    clean = re.sub(r"^#.*(?:\\\n.*)*$", lambda m: re.sub(r"[^\n]", " ", m.group()), lint.code(source), flags=re.MULTILINE)
    depth, start, last_end = 0, None, 0
    for offset, char in enumerate(clean):
        if char == "{":
            if depth == 0 and clean[:offset].rstrip().endswith(")"):
                head = clean[last_end:offset]
                start = last_end + len(head) - len(head.lstrip())
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0 and start is not None:
                first = lint.line_of(clean, start)
                yield first, lint.line_of(clean, offset) - first + 1
                start = None
        if depth == 0 and char in ";}":
            last_end = offset + 1


def long_functions():
    for name in lint.files(".c", ".h"):
        for first, length in functions(lint.text(name)):
            if length > FUNCTION_LINES_MAX:
                yield f"{name}:{first}: a function of {length} lines"


def long_files():
    for name in lint.files(".c", ".h", ".py"):
        length = lint.text(name).count("\n")
        if length > (TEST_LINES_MAX if name.startswith("tests/") else FILE_LINES_MAX):
            yield f"{name}: {length} lines"


def whitespace():
    for name in lint.files(".c", ".h", ".py", ".sh", ".am", ".ac", ".m4", ".in", ".md"):
        for number, line in enumerate(lint.text(name).split("\n"), 1):
            if line != line.rstrip():
                yield f"{name}:{number}: blanks at the end of the line"
            if "\t" in line and name.endswith((".c", ".h", ".py")):
                yield f"{name}:{number}: a tab"


def wide_lines():
    for name in lint.files(".c", ".h"):
        for number, line in enumerate(lint.text(name).split("\n"), 1):
            # A long literal is better found by grep than folded.
            if len(line) > COLUMNS_MAX and '"' not in line:
                yield f"{name}:{number}: {len(line)} columns"


lint.main([
    ("every file says its licence", licences()),
    ("every C file begins with an essay", essays()),
    ("every header guards itself", guards()),
    (f"no function over {FUNCTION_LINES_MAX} lines", long_functions()),
    (f"no file over {FILE_LINES_MAX} lines, no test over {TEST_LINES_MAX}", long_files()),
    (f"no C line over {COLUMNS_MAX} columns", wide_lines()),
    ("no trailing blanks, no tabs in C and Python", whitespace()),
])
