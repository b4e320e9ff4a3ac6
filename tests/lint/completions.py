# SPDX-License-Identifier: Apache-2.0
"""The completions of the shells against the program: the part that is made is what it prints now, and what people see in --help
is in it.

With ECE_ENROLL_UPDATE_GOLDEN set, the made parts are written anew.
"""

import os
import re
import shutil
import subprocess

import lint

FILES = {"bash": "completions/bash/ece-enroll", "zsh": "completions/zsh/_ece-enroll", "fish": "completions/fish/ece-enroll.fish"}
BEGIN = "# Made: from here to the next such line this is what the program prints.\n"
END = "# Made: end.\n"
ENROLL = lint.BUILD / "ece-enroll"


def said(*words):
    return subprocess.run([ENROLL, *words], capture_output=True, text=True, check=True).stdout


def made(shell):
    if not ENROLL.is_file():
        return "no ece-enroll in the build directory"
    name, printed = FILES[shell], said("--completion", shell)
    text = lint.text(name)
    before, _, rest = text.partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("ECE_ENROLL_UPDATE_GOLDEN"):
        (lint.TOP / name).write_text(before + BEGIN + printed + END + after, encoding="utf-8")
        return []
    old, new = written.splitlines(), printed.splitlines()
    return [f"{name}: not what ece-enroll prints: {line}" for line in new if line not in old][:5] or \
           ([] if old == new else [f"{name}: other lines, or another order, than ece-enroll prints"])


def offered(shell, command):
    """The options that a file has for a command."""
    text = lint.text(FILES[shell])
    if shell == "fish":
        return {"--" + name for name in re.findall(rf"-n '__ece_enroll_is {command}' -l ([a-z-]+)", text)}
    entry = re.search(rf"^ +{command}\) (.*?) ;;$", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"(?<![\w-])--[a-z-]+(?=[\[= '])", entry[1] if entry else ""))


def complete(shell):
    """Asked of --help, where people look, and not of the table from which all of it is made."""
    if not ENROLL.is_file():
        return "no ece-enroll in the build directory"
    complaints = []
    for command in re.findall(r"^  ([a-z-]+) ", said("--help"), re.MULTILINE):
        listed = said(command, "--help").partition("\n\n")[2].split("\n\n")[0]
        true = set(re.findall(r"^ +(?:-\S, )?(--[a-z-]+)", listed, re.MULTILINE)) - {"--help", "--usage"}
        complaints += [f"{FILES[shell]}: {command} {option}" for option in sorted(true ^ offered(shell, command))]
    return complaints


def readable(shell):
    """The shell itself reads the file without executing it."""
    if not shutil.which(shell):
        return f"no {shell}"
    ran = subprocess.run([shell, "-n", lint.TOP / FILES[shell]], capture_output=True, text=True, check=False)
    return (ran.stdout + ran.stderr).splitlines() or ([] if ran.returncode == 0 else [f"{FILES[shell]}: {shell} -n fails"])


def shellcheck():
    if not shutil.which("shellcheck"):
        return "no shellcheck"
    return subprocess.run(["shellcheck", "-f", "gcc", lint.TOP / FILES["bash"]], capture_output=True, text=True, check=False).stdout.splitlines()


lint.main([
    *((f"{name} is made from the tables", made(shell)) for shell, name in FILES.items()),
    *((f"{name} has every option of every command", complete(shell)) for shell, name in FILES.items()),
    *((f"{shell} reads {name}", readable(shell)) for shell, name in FILES.items()),
    ("shellcheck has nothing to say", shellcheck()),
])
