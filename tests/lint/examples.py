# SPDX-License-Identifier: Apache-2.0
"""The bare-metal examples: each is what its format allows, its shell runs, its units and its spec are valid, and all of them
prepare the same host, which is the one of the tables below.

Sources of the tables: "Configure a RHEL host" and "Configure an Ubuntu host" of ECE's documentation,
https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/configure-host-rhel and .../configure-host-ubuntu; that ECE wants cgroup v1 is
in "Prerequisites" there, and how it is switched on in systemd(1).
"""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import lint
import metal

try:
    import yaml
except ImportError:
    yaml = None

ENROLL = lint.BUILD / "ece-enroll"
SYSCTL = {"vm.max_map_count": "262144", "net.ipv4.ip_forward": "1", "net.ipv4.tcp_retries2": "5", "vm.swappiness": "1",
          "net.ipv4.tcp_max_syn_backlog": "65536", "net.core.somaxconn": "32768", "net.core.netdev_max_backlog": "32768"}
LIMITS = {(who, kind, what, value) for who, kind, what, value in (line.split() for line in """
    * soft nofile 1024000|* hard nofile 1024000|* soft memlock unlimited|* hard memlock unlimited
    elastic soft nofile 1024000|elastic hard nofile 1024000|elastic soft memlock unlimited|elastic hard memlock unlimited
    elastic soft nproc unlimited|elastic hard nproc unlimited
    root soft nofile 1024000|root hard nofile 1024000|root soft memlock unlimited""".replace("\n", "|").split("|") if line.strip())}
COMMAND_LINE = {"cgroup_enable=memory", "swapaccount=1", "cgroup.memory=nokmem", "systemd.unified_cgroup_hierarchy=0"}
MOUNT = ("ece-data", "xfs", {"prjquota", "pquota"})
USER = ("elastic", 1234, 1234)
DOCKER = {"data-root": "/mnt/data/docker", "storage-driver": "overlay2", "icc": False, "raw-logs": True, "log-driver": "json-file",
          "log-opts": {"max-size": "500m", "max-file": "10"}}
SPEC = {"version": 1, "coordinators": ["https://192.0.2.10:12443", "https://192.0.2.11:12443"],
        "trust": {"ca_file": "/etc/ece-enroll/coordinator-ca.pem"}, "token": {"source": "credential", "name": "ece-token"},
        "verify": {"by": "local"}, "host": {"roles": ["allocator"], "availability_zone": "ece-zone-1b"},
        "installer": {"script": "/opt/ece/elastic-cloud-enterprise.sh", "user": "elastic",
                      "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}
# What one of them says more, because its system wants it.
MORE = {"ece-enroll.ks": {"engine": "podman", "engine_socket": "/var/run/docker.sock"},
        "ece-enroll.preseed": {"extra_args": ["--skip-cloud-enterprise-version-check"]}}
READERS = {"ece-enroll.ks": lambda name, work: metal.kickstart(name, work), "ece-enroll.preseed": lambda name, work: metal.preseed(name, work),
           "autoinstall-user-data.yaml": lambda name, work: metal.autoinstall(name, work, yaml),
           "ece-enroll.bu": lambda name, work: metal.butane(name, work, yaml)}


def told(*command, **options):
    """What a program complains of; empty when it ends with 0."""
    said = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **options)
    return [] if said.returncode == 0 else [f"{command[0]}: {line}" for line in (said.stdout + said.stderr).splitlines()] or [f"{command[0]}: exit {said.returncode}"]


# --- The host that they make -----------------------------------------------------------------------------------

def prepared(name, made):
    """What is to be the same everywhere."""
    engine = "podman" if name == "ece-enroll.ks" else "docker"
    found = dict(line.split("=") for line in made.text("/etc/sysctl.d/70-cloudenterprise.conf").splitlines())
    if found != SYSCTL:
        yield f"{name}: sysctl: {sorted(set(found.items()) ^ set(SYSCTL.items()))}"
    limits = {tuple(line.split()) for line in made.text("/etc/security/limits.d/70-cloudenterprise.conf").splitlines()}
    if limits != LIMITS:
        yield f"{name}: limits: {sorted(limits ^ LIMITS)}"
    if made.command_line != COMMAND_LINE:
        yield f"{name}: kernel command line: {sorted(made.command_line ^ COMMAND_LINE)}"
    label, kind, options = made.mounts.get(metal.DATA_DISK, ("", "", set()))
    if (label.removeprefix("LABEL="), kind) != MOUNT[:2] or not options >= MOUNT[2]:
        yield f"{name}: {metal.DATA_DISK}: {label} {kind} {sorted(options)}"
    if made.users.get(USER[0], ())[:2] != USER[1:] or engine not in made.users[USER[0]][2]:
        yield f"{name}: user {USER[0]}: {made.users.get(USER[0])}"
    if not made.utc:
        yield f"{name}: the clock is not on UTC"
    for path, mode in (("/etc/ece-enroll/token", 0o400), ("/etc/ece-enroll/enroll.yaml", 0o644)):
        if made.files.get(path, (0, ""))[0] != mode:
            yield f"{name}: {path} is not of mode {mode:o}"


def engine(name, made):
    if name == "ece-enroll.ks":
        if 'graphroot = "/mnt/data/docker"' not in made.text("/etc/containers/storage.conf"):
            yield f"{name}: podman's data are elsewhere"
        if made.held != {"podman", "podman-remote"}:
            yield f"{name}: held: {sorted(made.held)}"
    else:
        if json.loads(made.text("/etc/docker/daemon.json")) != DOCKER:
            yield f"{name}: daemon.json: {made.text('/etc/docker/daemon.json')}"
        # Ignition installs no packages, so there is nothing to be held.
        if made.held != ({"containerd.io", "docker-ce", "docker-ce-cli"} if made.packages else set()):
            yield f"{name}: held: {sorted(made.held)}"
    if made.packages and "chrony" not in made.packages:
        yield f"{name}: no time synchronisation"
    if {"nscd", "firewalld"} & made.packages:
        yield f"{name}: installs what ECE does not stand"


def owned(name, made):
    """ECE's data belong to the install user, and to nobody else."""
    calls = [" ".join(call) for call in made.calls]
    for wanted in {"ece-enroll.bu": ["directory /mnt/data 700 elastic elastic", "directory /mnt/data/docker 700 elastic elastic"],
                   "ece-enroll.ks": ["chmod 0700 /mnt/data", "chmod 0700 /mnt/data/docker", "chown elastic:elastic /mnt/data /mnt/data/docker"]}.get(
                       name, ["chmod 0700 /mnt/data", "chown elastic:elastic /mnt/data", "install -d -m 0700 -o elastic -g elastic /mnt/data/docker"]):
        if not any(call.endswith(wanted) for call in calls):
            yield f"{name}: nobody does: {wanted}"
    if not any("systemctl enable" in call and "ece-enrolld.service" in call for call in calls):
        yield f"{name}: the agent is not enabled"


def spec(name, made, folder):
    text = made.text("/etc/ece-enroll/enroll.yaml")
    path = folder / (name + ".enroll.yaml")
    path.write_text(text)
    complaints = told(ENROLL, "validate", path)
    wanted = {**SPEC, "installer": {**SPEC["installer"], **MORE.get(name, {})}}
    if yaml and yaml.safe_load(text) != wanted:
        complaints.append(f"{name}: another spec than the others: {yaml.safe_load(text)}")
    # A spec that is to fit every host says nothing that is one host's alone, and with a token there is no credential.
    complaints += [f"{name}: {word} in the spec" for word in ("host_ip", "runner_id", "credential:") if word in text]
    return complaints


def shell(name, made):
    for script in made.scripts:
        yield from told("sh", "-n", input=script)
        # SC2016: what is written to a file is not to be expanded here.
        if shutil.which("shellcheck"):
            yield from told("shellcheck", "--format=gcc", "--shell=sh", "--exclude=SC2016", "-", input=script)
    for path, (mode, text) in made.files.items():
        # sudo passes over what others may write to, and over everything when one file can't be read.
        if path.startswith("/etc/sudoers.d/") and (mode != 0o440 or not re.fullmatch(r"(elastic|ops) ALL=\(ALL\) NOPASSWD:ALL\n", text)):
            yield f"{path}: {mode:o}: {text}"
        if text.startswith("#!") and shutil.which("shellcheck"):
            yield from told("shellcheck", "--format=gcc", "-", input=text)


def units(name, made, folder):
    """Drop-ins beside units: ours as built, others' as far as a drop-in needs them; and whole units."""
    if not shutil.which("systemd-analyze"):
        return
    at = folder / (name + ".units")
    at.mkdir()
    plain = {"service": "[Service]\nExecStart=/bin/true\n", "socket": "[Socket]\nListenStream=/run/other.sock\nAccept=yes\n"}
    ours = (lint.BUILD / "systemd/ece-enrolld.service").read_text(encoding="utf-8")
    targets = set()
    for path, (_, text) in made.files.items():
        inside = pathlib.PurePosixPath(path)
        if not path.startswith("/etc/systemd/system/"):
            continue
        unit = inside.parent.name.removesuffix(".d") if inside.suffix == ".conf" else inside.name
        (at / inside.relative_to("/etc/systemd/system")).parent.mkdir(exist_ok=True)
        (at / inside.relative_to("/etc/systemd/system")).write_text(text)
        if inside.suffix == ".conf":
            body = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", ours, flags=re.MULTILINE) if unit == "ece-enrolld.service" else plain[unit.rpartition(".")[2]]
            (at / unit).write_text(body)
            if unit.endswith(".socket"):
                (at / unit.replace(".socket", "@.service")).write_text(plain["service"])
        targets.add(unit)
    said = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *[str(at / unit) for unit in sorted(targets)]],
                          capture_output=True, text=True, check=False).stderr
    yield from (f"{name}: {line}" for line in said.splitlines() if any(unit.split(".")[0] in line for unit in targets))
    if "ece-enrolld.service" not in targets:
        yield f"{name}: no drop-in for the agent's token"


# --- Formats ---------------------------------------------------------------------------------------------------

def kickstart_tool():
    if not shutil.which("ksvalidator"):
        return "ksvalidator is not installed (pykickstart; Debian has no package of it)"
    return told("ksvalidator", "--version", "RHEL9", metal.EXAMPLES / "ece-enroll.ks")


def preseed_tool():
    if not shutil.which("debconf-set-selections"):
        return "debconf-set-selections is not installed"
    return told("debconf-set-selections", "--checkonly", metal.EXAMPLES / "ece-enroll.preseed")


def ignition_tool(folder):
    if not shutil.which("ignition-validate"):
        return "ignition-validate is not installed (Debian: ignition)"
    if not yaml:
        return "python3-yaml is not installed"
    path = folder / "ece-enroll.ign"
    try:
        path.write_text(json.dumps(metal.butane_to_ignition(metal.example("ece-enroll.bu"), yaml)))
    except metal.Bad as error:
        return [f"etc/examples/ece-enroll.bu: {error}"]
    return told("ignition-validate", path)


# https://ipxe.org/cmd; of those that load, each has a way out.
IPXE = {"set": 2, "isset": 1, "dhcp": 0, "ntp": 1, "goto": 1, "kernel": 1, "initrd": 1, "boot": 0, "echo": 0, "sleep": 1, "reboot": 0}
IPXE_MAY_FAIL = {"isset", "dhcp", "ntp", "kernel", "initrd", "boot"}
IPXE_SETTINGS = {"serial", "system"}


def ipxe():
    """Commands, labels, settings, and that the files it hands out are there."""
    name, text = "etc/examples/boot.ipxe", metal.example("boot.ipxe")
    lines = text.splitlines()
    if lines[0] != "#!ipxe":
        yield f"{name}:1: not #!ipxe"
    labels = {line[1:] for line in lines if line.startswith(":")}
    settings = IPXE_SETTINGS | {line.split()[1] for line in lines if line.startswith("set ")}
    for number, line in enumerate(lines, 1):
        if not line or line.startswith(("#", ":")):
            continue
        parts = line.split(" || ")
        for words in (part.split() for part in parts):
            if words[0] not in IPXE or len(words) - 1 < IPXE[words[0]]:
                yield f"{name}:{number}: {words[0]}"
            elif words[0] == "goto" and not words[1].startswith("${") and words[1] not in labels:
                yield f"{name}:{number}: no label {words[1]}"
        if parts[0].split()[0] in IPXE_MAY_FAIL and len(parts) < 2:
            yield f"{name}:{number}: what when it fails?"
        yield from (f"{name}:{number}: no setting {word}" for word in re.findall(r"\$\{(\w+)\}", line) if word not in settings)
        # The installer of Ubuntu reads its file below s=, by a name of its own.
        for file in re.findall(r"\$\{host\}/([\w.-]+)", line):
            if not any((metal.EXAMPLES / there).is_file() for there in (file, file.replace(".ign", ".bu"))):
                yield f"{name}:{number}: there is no example {file}"
    served = {word.replace(".ign", ".bu") for word in re.findall(r"\$\{host\}/([\w.-]+)", text)} | {"autoinstall-user-data.yaml"}
    yield from (f"{name}: boots nothing with {example}" for example in sorted(set(READERS) - served))


# --- All of it -------------------------------------------------------------------------------------------------

def one(name, folder):
    """(case, complaints) of an example."""
    try:
        made = READERS[name](name, folder / name)
    except (metal.Bad, KeyError, TypeError, ValueError) as error:
        yield f"{name}: is of its format, and its shell runs", [f"etc/examples/{name}: {error!r}"]
        return
    yield f"{name}: is of its format, and its shell runs", []
    yield f"{name}: prepares the host that ECE wants", [*prepared(name, made), *engine(name, made), *owned(name, made)]
    yield f"{name}: its shell", [f"etc/examples/{name}: {line}" for line in shell(name, made)]
    yield f"{name}: its units", "no ece-enrolld.service in the build directory" if not (lint.BUILD / "systemd/ece-enrolld.service").is_file() else units(name, made, folder)
    yield f"{name}: its spec", spec(name, made, folder) if ENROLL.is_file() else "no ece-enroll in the build directory"


def cases(folder):
    for name in READERS:
        if name in ("autoinstall-user-data.yaml", "ece-enroll.bu") and not yaml:
            yield name, "python3-yaml is not installed"
        else:
            yield from one(name, folder)
    yield "boot.ipxe: commands, labels, settings, files", ipxe()
    yield "ece-enroll.ks: ksvalidator", kickstart_tool()
    yield "ece-enroll.preseed: debconf-set-selections", preseed_tool()
    yield "ece-enroll.bu: ignition-validate", ignition_tool(folder)


with tempfile.TemporaryDirectory(prefix="ece-examples-") as scratch:
    lint.main(cases(pathlib.Path(scratch)))
