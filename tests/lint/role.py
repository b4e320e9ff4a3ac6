# SPDX-License-Identifier: Apache-2.0
"""The Ansible role: its variables have the same names wherever they are named, secrets are in no output, and ansible-lint's word for the rest."""

import os
import re
import shutil
import subprocess
import tempfile

import lint

ROLE = "packaging/ansible/roles/ece_enroll/"


def variables():
    """README.md, defaults, argument specs and tasks."""
    defaults = set(re.findall(r"^(ece_enroll_\w+):", lint.text(ROLE + "defaults/main.yml"), re.MULTILINE)) | {"ece_enroll_spec"}
    options = set(re.findall(r"^      (ece_enroll_\w+):", lint.text(ROLE + "meta/argument_specs.yml"), re.MULTILINE))
    documented = set(re.findall(r"^\| `(ece_enroll_\w+)` \|", lint.text(ROLE + "README.md"), re.MULTILINE))
    for name, found in (("meta/argument_specs.yml", options), ("README.md", documented)):
        yield from (f"{ROLE}{name}: {variable}" for variable in sorted(found ^ defaults))
    used = " ".join(lint.text(name) for name in lint.files(".yml", ".j2") if name.startswith((ROLE + "tasks/", ROLE + "templates/")))
    # What a task makes for the next ones.
    own = set(re.findall(r"register: (ece_enroll_\w+)", used)) | {"ece_enroll_mapping"}
    yield from (f"{ROLE}tasks: {variable}" for variable in sorted(set(re.findall(r"\bece_enroll_\w+", used)) - own ^ defaults))


def secrets():
    """Each task that takes a secret's value says no_log, and writes it for root alone."""
    tasks = re.split(r"^- ", lint.text(ROLE + "tasks/configure.yml"), flags=re.MULTILINE)
    bearing = [task for task in tasks if "ece_enroll_credentials | dict2items" in task]
    if len(bearing) != 1:
        yield f"{ROLE}tasks/configure.yml: {len(bearing)} tasks take secrets"
    for task in bearing:
        for line in ("  no_log: true", '    mode: "0400"', "    owner: root"):
            if not re.search(f"^{line}$", task, re.MULTILINE):
                yield f"{ROLE}tasks/configure.yml: no {line.strip()}"
    if "item.value" in lint.text(ROLE + "templates/credentials.conf.j2"):
        yield f"{ROLE}templates/credentials.conf.j2: names a value"


def only_this():
    """It prepares nothing and asks ECE nothing."""
    for name in lint.files(".yml", ".j2"):
        if name.startswith(ROLE):
            for number, line in enumerate(lint.text(name).splitlines(), 1):
                if re.search(r"\b(uri|get_url|shell|sysctl|mount|filesystem|user|group|reboot):($| )", re.sub(r"^\s+(owner|group): root$", "", line)):
                    yield f"{name}:{number}: {line.strip()}"


def ansible_lint():
    if not shutil.which("ansible-lint"):
        return "ansible-lint is not installed"
    # A copy, for it writes beside what it reads.
    with tempfile.TemporaryDirectory(prefix="ece-role-") as folder:
        shutil.copytree(lint.TOP / "packaging/ansible", folder + "/ansible")
        said = subprocess.run(["ansible-lint", "--offline", "--nocolor", "--parseable", "--profile=production", "site.yml", "roles/ece_enroll"],
                              cwd=folder + "/ansible", env={**os.environ, "HOME": folder, "ANSIBLE_HOME": folder}, capture_output=True, text=True, check=False)
    return [] if said.returncode == 0 else (said.stdout + said.stderr).splitlines()[:40]


lint.main([
    ("variables have the same names everywhere", variables()),
    ("secrets are in no output and for root alone", secrets()),
    ("the role does what it says and nothing else", only_this()),
    ("ansible-lint", ansible_lint()),
])
