# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema that is installed is the one that the program prints.

With ECE_ENROLL_UPDATE_GOLDEN set, it is written anew; read the difference.
"""

import difflib
import os
import subprocess

import lint

NAME = "etc/enroll.schema.json"
ENROLL = lint.BUILD / "ece-enroll"


def made():
    if not ENROLL.is_file():
        return "no ece-enroll in the build directory"
    printed = subprocess.run([ENROLL, "schema"], capture_output=True, text=True, check=True).stdout
    if os.environ.get("ECE_ENROLL_UPDATE_GOLDEN"):
        (lint.TOP / NAME).write_text(printed, encoding="utf-8")
    written = lint.text(NAME) if (lint.TOP / NAME).is_file() else ""
    return list(difflib.unified_diff(written.splitlines(), printed.splitlines(), NAME, "ece-enroll schema", lineterm="", n=1))[:20]


lint.main([(f"{NAME} is what ece-enroll prints", made())])
