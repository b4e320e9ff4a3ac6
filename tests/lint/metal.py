# SPDX-License-Identifier: Apache-2.0
"""What a bare-metal example makes of a host, each of the formats read to the same shape.

Made{} is a host: files (path -> (mode, text)), calls of programs, and what the format says in words of its own (mounts, kernel
command line, users, time). The shell inside of an example is not read but run, in a scratch directory, with programs
that only write down how they were called: a program that nobody expects there is an error.
"""

import base64
import re
import shlex
import shutil
import subprocess

import lint

EXAMPLES = lint.TOP / "etc" / "examples"
DATA_DISK = "/mnt/data"


class Bad(Exception):
    """An example that can't be read; the text says where."""


def example(name):
    return (EXAMPLES / name).read_text(encoding="utf-8")


class Made:
    def __init__(self):
        self.files, self.calls, self.scripts = {}, [], []
        self.command_line, self.users, self.mounts, self.packages = set(), {}, {}, set()
        self.utc, self.held = False, set()

    def text(self, path):
        return self.files[path][1] if path in self.files else ""

    def called(self, *words):
        """Does one of the calls begin with these words?"""
        return any(call[:len(words)] == list(words) for call in self.calls)


# --- Shell ---------------------------------------------------------------------------------------------------

STUB = '#!/bin/sh\nfor word in "${0##*/}" "$@"; do printf "%s\\0" "$word"; done >>"$CALLS"\nprintf "\\n\\0" >>"$CALLS"\n'


def run_shell(made, script, root, real, stubs):
    """Runs it with no programs but these; files below root and calls go into made."""
    bin_dir, calls = root.parent / "bin", root.parent / "calls"
    bin_dir.mkdir()
    for name in real:
        (bin_dir / name).symlink_to(shutil.which(name))
    for name in stubs:
        (bin_dir / name).write_text(STUB)
        (bin_dir / name).chmod(0o755)
    calls.touch()
    said = subprocess.run(["/bin/sh", "-c", script], env={"PATH": str(bin_dir), "CALLS": str(calls)}, cwd=root, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if said.returncode or said.stderr:
        raise Bad("its shell ends with %d: %s" % (said.returncode, said.stderr.strip()))
    for call in calls.read_text().split("\n\0"):
        if call:
            made.calls.append(call.rstrip("\0").split("\0"))
    for path in sorted(root.rglob("*")):
        if path.is_file():
            made.files["/" + path.relative_to(root).as_posix()] = (path.stat().st_mode & 0o7777, path.read_text())
    made.scripts.append(script)


def options(words):
    """{--name: value} of a call."""
    found = {}
    for at, word in enumerate(words):
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            found[name] = value if equals else (words[at + 1] if at + 1 < len(words) else "")
    return found


def from_useradd(made, inside):
    """Users and groups that programs inside of the new system make."""
    groups = {}
    for call in made.calls:
        words = call[len(inside):] if call[:len(inside)] == list(inside) else []
        if words[:1] == ["groupadd"]:
            groups[words[-1]] = int(options(words)["--gid"])
        elif words[:1] == ["useradd"]:
            said = options(words)
            made.users[words[-1]] = (int(said["--uid"]), int(said["--gid"]), set(said["--groups"].split(",")))
            if int(said["--gid"]) not in groups.values():
                raise Bad("%s: no group %s" % (words[-1], said["--gid"]))
        elif words[:2] == ["apt-mark", "hold"]:
            made.held.update(words[2:])


def from_fstab(made, line):
    device, where, kind, said = line.split()[:4]
    made.mounts[where] = (device, kind, set(said.split(",")))


# --- Kickstart: https://pykickstart.readthedocs.io/en/latest/kickstart-docs.html ---------------------------------

# Commands of RHEL 9, and of their options those that make sense with nobody at the console.
KICKSTART = {
    "bootloader": "boot-drive append", "clearpart": "all initlabel drives", "firewall": "disabled", "firstboot": "disable",
    "group": "name gid", "ignoredisk": "only-use", "keyboard": "", "lang": "", "network": "bootproto activate",
    "part": "fstype ondisk size grow label fsoptions", "reboot": "", "repo": "name baseurl install", "reqpart": "add-boot", "rootpw": "lock",
    "selinux": "permissive", "services": "enabled", "sshkey": "username", "text": "", "timesource": "ntp-server",
    "timezone": "utc", "url": "url", "user": "name uid gid groups lock", "zerombr": ""}


def kickstart_lines(text):
    """(commands, {section: (arguments, body)}); a comment stands on a line of its own."""
    commands, sections, inside = [], {}, None
    for line in text.splitlines():
        if inside is None and line.startswith("%"):
            head = shlex.split(line)
            inside = head[0]
            if inside in sections or inside not in ("%packages", "%post"):
                raise Bad("section " + line)
            sections[inside] = (head[1:], [])
        elif inside and line == "%end":
            inside = None
        elif inside:
            sections[inside][1].append(line)
        elif line.strip() and not line.startswith("#"):
            commands.append(shlex.split(line))
    if inside:
        raise Bad("%s has no %%end" % inside)
    return commands, sections


def kickstart(name, work):
    made = Made()
    commands, sections = kickstart_lines(example(name))
    for command, *words in commands:
        if command not in KICKSTART:
            raise Bad("no command " + command)
        said = options(words)
        unknown = set(option[2:] for option in said) - set(KICKSTART[command].split())
        if unknown:
            raise Bad("%s has no --%s" % (command, ", --".join(unknown)))
        if command == "bootloader":
            made.command_line = set(said["--append"].split())
        elif command == "part":
            made.mounts[words[0]] = (said.get("--label"), said["--fstype"], set(said.get("--fsoptions", "").split(",")))
        elif command == "user" and "--uid" in said:
            made.users[said["--name"]] = (int(said["--uid"]), int(said["--gid"]), set(said["--groups"].split(",")))
        elif command == "timezone":
            made.utc = words[0] == "Etc/UTC" and "--utc" in said
    made.packages = {line for line in sections["%packages"][1] if line and not line.startswith(("#", "@"))}
    if "--erroronfail" not in sections["%post"][0]:
        raise Bad("%post goes on after an error")
    script = "\n".join(sections["%post"][1])
    put = 'put() { install -D -m "$1" /dev/stdin "$2"; }'
    if script.count(put) != 1:
        raise Bad("%post has no " + put)
    work.joinpath("root").mkdir(parents=True)
    run_shell(made, script.replace(put, put.replace('"$2"', '"%s$2"' % (work / "root"))), work / "root", ["install"],
              ["chmod", "chown", "curl", "dnf", "mkdir", "systemctl"])
    made.scripts = [script]
    made.held = {word.split("-5")[0] for call in made.calls if call[:2] == ["dnf", "versionlock"] for word in call[4:]}
    return made


# --- Preseed -------------------------------------------------------------------------------------------------

# Questions of appendix B of https://www.debian.org/releases/bookworm/amd64/apb.en.html; a misspelt one is silently never asked.
QUESTIONS = set("""
    apt-setup/cdrom/set-first apt-setup/local0/comment apt-setup/local0/key apt-setup/local0/repository apt-setup/local1/comment apt-setup/local1/key
    apt-setup/local1/repository clock-setup/ntp clock-setup/ntp-server clock-setup/utc debian-installer/add-kernel-opts debian-installer/locale
    finish-install/reboot_in_progress grub-installer/bootdev keyboard-configuration/xkb-keymap mirror/country mirror/https/directory mirror/https/hostname
    mirror/https/proxy mirror/protocol netcfg/choose_interface netcfg/get_domain netcfg/get_hostname partman-auto/choose_recipe partman-auto/disk
    partman-auto/method partman-partitioning/confirm_write_new_label partman/choose_partition partman/confirm partman/confirm_nooverwrite
    passwd/root-login passwd/user-fullname passwd/user-password-crypted passwd/username pkgsel/include pkgsel/upgrade
    popularity-contest/participate preseed/late_command tasksel/first time/zone""".split())


def preseed_answers(text):
    """{question: (kind, value)}, lines that end in a backslash joined as debconf-set-selections(1) does it."""
    found = {}
    for line in re.sub(r"\\\n", "", text).splitlines():
        if line.strip() and not line.startswith("#"):
            owner, question, kind, *value = line.split(None, 3)
            if question in found or question not in QUESTIONS or owner not in ("d-i", "tasksel", "popularity-contest"):
                raise Bad("%s: twice, unknown, or of nobody" % question)
            found[question] = (kind, value[0] if value else "")
    return found


def preseed(name, work):
    made = Made()
    answers = preseed_answers(example(name))
    made.command_line = set(answers["debian-installer/add-kernel-opts"][1].split())
    made.packages = set(answers["pkgsel/include"][1].split())
    made.utc = answers["time/zone"][1] == "Etc/UTC" and answers["clock-setup/utc"][1] == "true"
    script = answers["preseed/late_command"][1]
    work.joinpath("root").mkdir(parents=True)
    run_shell(made, script.replace("/target", str(work / "root")), work / "root", ["mkdir", "cat", "chmod"], ["in-target"])
    made.scripts = [script]
    from_useradd(made, ["in-target"])
    for line in made.text("/etc/fstab").splitlines():
        from_fstab(made, line)
    if not made.called("in-target", "mkfs.xfs"):
        raise Bad("nobody makes the file system")
    return made


# --- Autoinstall: https://canonical-subiquity.readthedocs-hosted.com/en/latest/reference/autoinstall-reference.html

AUTOINSTALL = {"version": int, "locale": str, "keyboard": dict, "timezone": str, "ssh": dict, "updates": str, "shutdown": str, "apt": dict,
               "packages": list, "storage": dict, "user-data": dict, "late-commands": list}
# https://curtin.readthedocs.io/en/latest/topics/storage.html: what an action of each type points to, and must have.
ACTIONS = {"disk": ((), ("ptable",)), "partition": (("device",), ("size",)), "format": (("volume",), ("fstype",)), "mount": (("device",), ("path",))}


def autoinstall_storage(made, actions):
    known = {}
    for action in actions:
        points, must = ACTIONS[action["type"]]
        for key in (*points, *must):
            if key not in action or (key in points and action[key] not in known):
                raise Bad("storage: %s: %s is missing or not there yet" % (action["id"], key))
        known[action["id"]] = action
        if action["type"] == "mount":
            of = known[action["device"]]
            made.mounts[action["path"]] = (of.get("label"), of["fstype"], set(action.get("options", "").split(",")))


def autoinstall(name, work, yaml):
    made = Made()
    if not example(name).startswith("#cloud-config\n"):
        raise Bad("is no cloud-config")
    said = yaml.safe_load(example(name))["autoinstall"]
    for key, value in said.items():
        if key not in AUTOINSTALL or not isinstance(value, AUTOINSTALL[key]):
            raise Bad("autoinstall: %s is unknown, or of another type" % key)
    autoinstall_storage(made, said["storage"]["config"])
    made.packages, made.utc = set(said["packages"]), said["timezone"] == "Etc/UTC"
    (script,) = said["late-commands"]
    work.joinpath("root").mkdir(parents=True)
    run_shell(made, script.replace("/target$2", "%s$2" % (work / "root")), work / "root", ["install"], ["curtin"])
    made.scripts = [script]
    inside = ["curtin", "in-target", "--target=/target", "--"]
    if any(call[:4] != inside for call in made.calls):
        raise Bad("a call outside of the new system")
    from_useradd(made, inside)
    grub = made.text("/etc/default/grub.d/70-cloudenterprise.cfg")
    made.command_line = set(re.fullmatch(r'GRUB_CMDLINE_LINUX="\$GRUB_CMDLINE_LINUX (.*)"\n', grub)[1].split())
    return made


# --- Butane and Ignition: https://coreos.github.io/butane/config-fcos-v1_4/, https://coreos.github.io/ignition/configuration-v3_3/

# Butane's word -> Ignition's, for the words that the example needs; any other is an error.
WORDS = {name: re.sub(r"_(\w)", lambda match: match[1].upper(), name) for name in """
    kernel_arguments should_exist passwd groups users name gid uid primary_group shell ssh_authorized_keys storage filesystems device path format label
    wipe_filesystem directories mode user group links target overwrite files contents source verification hash systemd units enabled dropins
    """.split()}


def ignition(value, inside=""):
    """What butane makes of it; only `inline` is more than another spelling."""
    if isinstance(value, list):
        return [ignition(item, inside) for item in value]
    if not isinstance(value, dict):
        return value
    if inside == "contents" and "inline" in value:
        return {"source": "data:;base64," + base64.b64encode(value["inline"].encode()).decode()}
    unknown = set(value) - set(WORDS)
    if unknown:
        raise Bad("butane has no %s here" % ", ".join(sorted(unknown)))
    return {WORDS[key]: ignition(item, key) for key, item in value.items()}


def butane_to_ignition(text, yaml):
    config = yaml.safe_load(text)
    if (config.pop("variant"), config.pop("version")) != ("fcos", "1.4.0"):
        raise Bad("is not of the variant that this test translates")
    return {"ignition": {"version": "3.3.0"}, **ignition(config)}


def data_url(url):
    return base64.b64decode(url.partition("base64,")[2]).decode() if url.startswith("data:") else ""


def butane(name, _work, yaml):
    """From the translation, as a host would read it."""
    made = Made()
    config = butane_to_ignition(example(name), yaml)
    made.command_line = set(config["kernelArguments"]["shouldExist"])
    gids = {group["name"]: group["gid"] for group in config["passwd"]["groups"]}
    for user in config["passwd"]["users"]:
        if "uid" in user:
            made.users[user["name"]] = (user["uid"], gids[user["primaryGroup"]], set(user["groups"]))
    for file in config["storage"]["files"]:
        made.files[file["path"]] = (file["mode"], data_url(file["contents"]["source"]))
    for folder in config["storage"]["directories"]:
        made.calls.append(["directory", folder["path"], "%o" % folder["mode"], folder["user"]["name"], folder["group"]["name"]])
    for unit in config["systemd"]["units"]:
        if "contents" in unit:
            made.files["/etc/systemd/system/" + unit["name"]] = (0o644, unit["contents"])
        for drop_in in unit.get("dropins", []):
            made.files["/etc/systemd/system/%s.d/%s" % (unit["name"], drop_in["name"])] = (0o644, drop_in["contents"])
        if unit.get("enabled"):
            made.calls.append(["systemctl", "enable", unit["name"]])
    (disk,) = config["storage"]["filesystems"]
    unit = dict(re.findall(r"^(\w+)=(.*)$", made.text("/etc/systemd/system/mnt-data.mount"), re.MULTILINE))
    if unit["What"] != "/dev/disk/by-label/" + disk["label"] or unit["Type"] != disk["format"] or unit["Where"] != disk["path"]:
        raise Bad("mount unit and file system are of different disks")
    made.mounts[disk["path"]] = (disk["label"], disk["format"], set(unit["Options"].split(",")))
    made.utc = any(link["path"] == "/etc/localtime" and link["target"].endswith("/Etc/UTC") for link in config["storage"]["links"])
    return made
