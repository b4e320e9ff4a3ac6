# SPDX-License-Identifier: Apache-2.0
"""Who looks into a Secret: secret_bytes() is called where HACKING.md says so and nowhere else."""

import re

import lint

CALLERS = {row[0] for row in lint.table("HACKING.md", "Who opens a Secret")}
LOG_CALL = re.compile(r"\b(?:log_\w+|printf|fprintf|observe)\s*\([^;]*\bsecret_bytes\s*\(", re.DOTALL)


def callers():
    return {name for name in lint.files(".c", ".h") if name.startswith("agent/") and not name.startswith("agent/base/secret.")
            and re.search(r"\bsecret_bytes\s*\(", lint.code(lint.text(name)))}


def printed():
    for name in lint.files(".c"):
        if name.startswith("agent/"):
            source = lint.code(lint.text(name))
            for match in LOG_CALL.finditer(source):
                yield f"{name}:{lint.line_of(source, match.start())}: a secret on its way into a text"


lint.main([
    ("nobody else calls secret_bytes()", [f"{name}: not in the table of HACKING.md" for name in sorted(callers() - CALLERS)]),
    ("the table names nobody who does not", [f"HACKING.md: {name} does not call it" for name in sorted(CALLERS - callers())]),
    ("no secret is formatted", printed()),
])
