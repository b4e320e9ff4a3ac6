# SPDX-License-Identifier: Apache-2.0
"""Scripts: shellcheck for those of the shell, the compiler for those of Python, and the mode that their first line asks for."""

import os
import shutil
import subprocess

import lint

# In a tarball, modes may be those of whoever unpacked it; what can be asked for is asked for.
SHELL, PYTHON, LOOSE = [], [], []
for script in lint.files():
    if script.startswith("tests/fuzz/corpus/"):
        continue
    head = lint.first_line(script)
    # *.py is what others run with an interpreter of their choice, and #!ipxe is no program of this system.
    if head.startswith("#!/") and not script.endswith(".py") and not os.access(lint.TOP / script, os.X_OK):
        LOOSE.append(f"{script}: begins with {head} and is not executable")
    if head.startswith("#!") and head.split("/")[-1].split()[-1] in ("sh", "bash"):
        SHELL.append(script)
    elif script.endswith(".py") or (head.startswith("#!") and "python3" in head):
        PYTHON.append(script)


def shellcheck():
    if not shutil.which("shellcheck"):
        return "shellcheck is not installed"
    said = subprocess.run(["shellcheck", "--format=gcc", "--severity=warning", "--external-sources", "--source-path=SCRIPTDIR", *SHELL], cwd=lint.TOP,
                          capture_output=True, text=True, check=False)
    return (said.stdout + said.stderr).splitlines()


def python():
    """compile(), not py_compile: nothing is written, the source may be read-only."""
    for name in PYTHON:
        try:
            compile(lint.text(name), name, "exec")
        except SyntaxError as error:
            yield f"{name}:{error.lineno}: {error.msg}"


lint.main([
    (f"shellcheck ({len(SHELL)} scripts)", shellcheck()),
    (f"python3 compiles ({len(PYTHON)} files)", python()),
    ("scripts are executable", LOOSE),
])
