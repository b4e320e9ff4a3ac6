# SPDX-License-Identifier: Apache-2.0
"""systemd's own judgement of our files, which it gives without running as PID 1."""

import re
import shutil
import subprocess
import tempfile
import pathlib

import lint

# By systemd's own measure, 0 to 10. The keeper's cage is the installer's as well: see its unit.
EXPOSURE_MAX = {"ece-enrolld.service": 1.2, "ece-installd.service": 5.0, "ece-enroll-wait.service": 1.2,
                "ece-enroll-health@.service": 1.2, "ece-enroll-console.service": 1.2}
UNITS = ["ece-enrolld.service", "ece-installd.service", "ece-installd.socket", "ece-enrolld.path", "ece-enrolled.path", "ece-enrolled.target",
         "ece-enroll-wait.service", "ece-enroll-console.service", "ece-enroll-hooks.service", "ece-enroll-health.socket", "ece-enroll-health@.service",
         "ece-enroll-leave-at-shutdown.service", "ece-enroll-scale-in@.service"]


def unit_text(name):
    made, plain = lint.BUILD / "systemd" / name, lint.TOP / "systemd" / name
    return (made if made.is_file() else plain).read_text(encoding="utf-8")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def verify(folder):
    """Units as they are, but with programs that exist: verify looks for those of ExecStart=."""
    for name in UNITS:
        (folder / name).write_text(re.sub(r"^(ExecSt\w+)=\S+", r"\1=/bin/true", unit_text(name), flags=re.MULTILINE))
    said = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *[str(folder / name) for name in UNITS]).stderr
    return [line for line in said.splitlines() if "ece-" in line]


def exposure(folder, name):
    """(what systemd says, complaints)."""
    said = run("systemd-analyze", "security", "--offline=yes", "--no-pager", str(folder / name)).stdout
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    if not found:
        return "?", said.splitlines()[-3:] or [f"no answer for {name}"]
    return found.group(1), [] if float(found.group(1)) <= EXPOSURE_MAX[name] else [f"systemd/{name}.in: {found.group(0)}"]


def placeholders():
    return [f"systemd/{name}: {match}" for name in UNITS for match in re.findall(r"@\w+@", unit_text(name))]


def kept():
    """What must not be lost by an edit: an installer survives its keeper, and its unit hides nothing from it."""
    installd = unit_text("ece-installd.service")
    for line in ("KillMode=process", "RuntimeDirectoryPreserve=yes"):
        if not re.search(f"^{line}$", installd, re.MULTILINE):
            yield f"systemd/ece-installd.service.in: no {line}"
    for key in ("ProcSubset", "ProtectKernelTunables", "PrivateTmp", "PrivateNetwork", "PrivateDevices", "SystemCallFilter"):
        if re.search(f"^{key}=", installd, re.MULTILINE):
            yield f"systemd/ece-installd.service.in: {key}= would break the installer"


# Of systemd.exec(5): what implies NoNewPrivileges= for a unit that is not root's, that itself, and what would take sudo its capabilities.
NO_SUDO = {"CapabilityBoundingSet", "LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices", "ProtectClock", "ProtectHostname",
           "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime",
           "RestrictSUIDSGID", "SystemCallArchitectures", "SystemCallFilter", "SystemCallLog"}


def sudo():
    """The example for hosts whose installer calls sudo takes back each line of the keeper's unit that forbids it, and no other."""
    example = (lint.TOP / "etc/examples/ece-installd-sudo.conf").read_text(encoding="utf-8")
    forbidding, taken_back = ({key for key in re.findall(r"^(\w+)=", text, re.MULTILINE)} for text in (unit_text("ece-installd.service"), example))
    for key in sorted((forbidding & NO_SUDO) ^ taken_back):
        yield f"etc/examples/ece-installd-sudo.conf: {key}= is {'left out' if key in forbidding else 'not in the unit'}"


def dry(*command):
    said = run(*command)
    return [] if said.returncode == 0 else (said.stdout + said.stderr).splitlines()


def cases():
    yield "no placeholder is left", placeholders()
    yield "the keeper's unit keeps its promises", kept()
    yield "the example for sudo fits the keeper's unit", sudo()
    if not shutil.which("systemd-analyze"):
        for name in ("verify", "exposure", "sysusers"):
            yield name, "systemd-analyze is not installed (Debian: systemd)"
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        yield "systemd-analyze verify", verify(folder)
        for unit, most in EXPOSURE_MAX.items():
            value, complaints = exposure(folder, unit)
            yield f"{unit}: exposure {value}, at most {most}", complaints
        yield "sysusers.d is well-formed", dry("systemd-sysusers", f"--root={name}", "--dry-run",
                                               str(lint.TOP / "etc/sysusers.d/ece-enroll.conf"))


lint.main(cases())
