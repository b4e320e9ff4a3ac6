# SPDX-License-Identifier: Apache-2.0
"""The tarball holds what git holds: asked of make, without packing one."""

import os
import pathlib
import re
import subprocess

import lint

# For those who have the repository, not for those who have the tarball.
ONLY_IN_GIT = re.compile(r"^\.github/")


def packed():
    """Relative names of what `make dist` packs; folders stand for all that is in them."""
    make = (os.environ.get("MAKE") or "make").split()[0]
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    said = subprocess.run([make, "-s", "--no-print-directory", "-C", lint.BUILD, "list-distfiles"],
                          capture_output=True, text=True, check=True, env=environment)
    names = set()
    for line in said.stdout.splitlines():
        # Found by VPATH, or prefixed with the source directory: either way it is a name below it.
        path = pathlib.Path(os.path.normpath(lint.BUILD / line))
        if not path.is_relative_to(lint.TOP) or path.is_relative_to(lint.BUILD):
            path = lint.TOP / os.path.normpath(line)
        names.add(path.relative_to(lint.TOP).as_posix())
    return names


def missing(names):
    for name in lint.files():
        if ONLY_IN_GIT.search(name) or name in names:
            continue
        if not any(parent.as_posix() in names for parent in pathlib.PurePosixPath(name).parents):
            yield f"{name}: not in any EXTRA_DIST or _SOURCES"


def twins():
    """Fuzz targets are registered, and each has seeds."""
    listed = set(re.findall(r"tests/fuzz/(fuzz-[\w-]+)", lint.text("tests/fuzz/fuzz.am")))
    there = {pathlib.PurePosixPath(name).stem for name in lint.files(".c") if name.startswith("tests/fuzz/fuzz-")}
    for name in sorted(there - listed):
        yield f"tests/fuzz/{name}.c: not in tests/fuzz/fuzz.am"
    for name in sorted(there):
        if not any((lint.TOP / "tests/fuzz/corpus" / name.removeprefix("fuzz-")).glob("*")):
            yield f"tests/fuzz/{name}.c: no seed in tests/fuzz/corpus/{name.removeprefix('fuzz-')}/"


def cases():
    yield "fuzz targets are registered and have seeds", twins()
    if not lint.in_git():
        yield "the tarball holds what git holds", "not a git work tree"
    elif not (lint.BUILD / "Makefile").is_file():
        yield "the tarball holds what git holds", "no configured build directory"
    else:
        yield "the tarball holds what git holds", missing(packed())


lint.main(cases())
