# SPDX-License-Identifier: Apache-2.0
"""A host with a real systemd as its first process: booted by systemd-nspawn in the bed, looked at from outside.

    host = Host("name", credentials={"ece-api-key": key})
    host.write("etc/ece-enroll/enroll.yaml", text)
    host.boot()
    host.wait_for(lambda: host.active("ece-enrolled.target"))
    host.close()

Files are written before or after the boot. What a program inside needs a control group for (limits, address filters)
is started there by systemd itself, with systemd-run; everything else by run(). The journal is read from outside.
"""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import time

from bed import COORDINATOR, CGROUPS, bed, run

DEADLINE_S = 60
# Without these the filter of addresses is silently not there, and no network of its own can be managed from inside.
NSPAWN = ("--quiet", "--boot", "--register=no", "--keep-unit", "--link-journal=no", "--resolv-conf=off", "--timezone=off",
          "--kill-signal=SIGRTMIN+3", "--console=read-only", "--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_BPF",
          "--system-call-filter=bpf")
REBOOT = 133
NETWORK = """
[Match]
Name=eth0
[Network]
Address=%s/24
Gateway=%s
IPv6AcceptRA=no
LinkLocalAddressing=no
"""


_numbers = itertools.count(21)  # the last one of an address; drawn by threads, too


class Host:
    def __init__(self, name="host", nspawn=(), disk_mb=None):
        """disk_mb: of a disk of its own for what it writes, which can then be full."""
        number = next(_numbers)
        self.bed, self.name, self.nspawn = bed(), "%s-%d" % (name, number), tuple(nspawn)
        self.address = "192.0.2.%d" % number
        self.top = self.bed.top / self.name
        self.tree, self.console = self.top / "tree", self.bed.top / (self.name + ".console")
        self.process = self.leader = None
        self.closed = False
        self.top.mkdir()
        self.has_disk = disk_mb is not None
        if self.has_disk:
            run("mount", "-t", "tmpfs", "-o", "size=%dM,mode=755" % disk_mb, "none", self.top)
        self.bed.overlay(self.tree, self.top / "own", self.bed.site, self.bed.root)
        self.write("etc/hostname", self.name + "\n")
        self._network()

    def _network(self) -> None:
        self.plug = "v-%s" % self.address.rpartition(".")[2]
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", "name", self.plug, "master", "wire", "type", "veth", "peer", "name", "eth0", "netns", self.name)
        self.plug_in()
        # The rest is the host's own doing, so that "the network is there" is an event at boot like anywhere else.
        self.write("etc/systemd/network/eth0.network", NETWORK % (self.address, COORDINATOR))

    @property
    def mac(self) -> str:
        """Of its card, before or after the boot."""
        return json.loads(run("ip", "-netns", self.name, "-json", "link", "show", "dev", "eth0"))[0]["address"]

    def plug_in(self, inside=True) -> None:
        """The cable; without it eth0 has no carrier."""
        run("ip", "link", "set", self.plug, "up" if inside else "down")

    # Files

    def write(self, path, text, mode=0o644, owner=0):
        """A file of the host, root's unless told otherwise, below folders that are made."""
        at = self.tree / path
        at.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(at, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)
            os.fchown(file.fileno(), owner, owner)
            file.write(text if isinstance(text, bytes) else text.encode())
        return at

    def run_in_tree(self, *words) -> str:
        """A program of the host's before it has booted, as an installation of a package would run it."""
        return run("chroot", self.tree, *words)

    def drop_in(self, name, *lines, unit="ece-enrolld.service"):
        self.write("etc/systemd/system/%s.d/%s.conf" % (unit, name), "[Service]\n" + "\n".join(lines) + "\n")

    def path(self, path) -> pathlib.Path:
        """As the host itself sees it; what lies in /run is in no layer."""
        return pathlib.Path("/proc/%d/root" % self.leader) / str(path).lstrip("/")

    # Life

    def boot(self) -> None:
        """Returns when there is a first process; systemd is then at work."""
        # The card outlives the host that was switched off; a machine starts without an address.
        run("ip", "-netns", self.name, "address", "flush", "dev", "eth0")
        group = CGROUPS / self.bed.top.name / self.name
        group.mkdir(parents=True, exist_ok=True)
        words = ["systemd-nspawn", "--directory=%s" % self.tree, "--machine=" + self.name,
                 "--network-namespace-path=/run/netns/" + self.name, *NSPAWN, *self.nspawn]
        enter = 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"'
        with open(self.console, "ab") as console:
            self.process = subprocess.Popen(["sh", "-c", enter, "enter", group, *words], stdin=subprocess.DEVNULL, stdout=console,
                                            stderr=console, start_new_session=True)
        self.group = group
        self.leader = self.wait_for(self._leader, "the first process")

    def _leader(self):
        """nspawn's child that is the first process in there and has its own root."""
        if self.process.poll() is not None:
            raise AssertionError("nspawn has ended: " + self.console.read_text(errors="replace")[-2000:])
        children = pathlib.Path("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)).read_text().split()
        for pid in children:
            try:
                ids = pathlib.Path("/proc/%s/status" % pid).read_text().partition("NSpid:")[2].partition("\n")[0].split()
                if ids[1:] == ["1"] and pathlib.Path("/proc/%s/comm" % pid).read_text() == "systemd\n":
                    return int(pid)
            except OSError:
                pass
        return None

    def power_off(self) -> None:
        """As by the button; waits for the end."""
        if self.process:
            os.kill(self.leader, signal.SIGRTMIN + 4)
            try:
                self.process.wait(DEADLINE_S)
            finally:
                self.cut()

    def order_reboot(self) -> None:
        """As a person does; wait_down() waits for the end of it, and boot() is what comes next."""
        self.run("systemctl", "--no-block", "reboot")

    def wait_down(self) -> None:
        try:
            code = self.process.wait(DEADLINE_S)
        finally:
            self.cut()
        if code != REBOOT:
            raise AssertionError("no reboot: nspawn has left with %d\n%s" % (code, self.tale()))

    def cut(self) -> None:
        """Everything in it ends at once."""
        if self.process:
            (self.group / "cgroup.kill").write_text("1")
            self.process.wait()
            # The first process becomes ours when nspawn goes before it.
            if self.leader:
                try:
                    os.waitpid(self.leader, 0)
                except ChildProcessError:
                    pass
            self.process = None

    def close(self) -> None:
        """More than once, too."""
        self.cut()
        if self.closed:
            return
        self.closed = True
        subprocess.run(["umount", "-l", self.tree, *([self.top] if self.has_disk else [])], check=False)
        subprocess.run(["ip", "netns", "delete", self.name], check=False)

    # Looking

    def run(self, *words, check=True):
        """A program in there, as root and outside of any unit: (exit code, output)."""
        said = subprocess.run(["nsenter", "--all", "-t", str(self.leader), "--", *map(str, words)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        if check and said.returncode:
            raise AssertionError("%s: %d: %s" % (" ".join(map(str, words)), said.returncode, said.stdout))
        return said.returncode, said.stdout

    def active(self, unit) -> bool:
        return self.run("systemctl", "is-active", "--quiet", unit, check=False)[0] == 0

    def property(self, unit, name) -> str:
        """Empty while nobody answers yet."""
        code, text = self.run("systemctl", "show", "--value", "--property=" + name, unit, check=False)
        return "" if code else text.strip()

    def journal(self, *matches):
        """All of it, as fields; read from outside."""
        said = run("journalctl", "--directory=%s" % (self.tree / "var/log/journal"), "--output=json", "--no-pager", *matches)
        return [json.loads(line) for line in said.splitlines()]

    def messages(self, *matches) -> str:
        return "\n".join(str(entry.get("MESSAGE")) for entry in self.journal(*matches))

    def status(self):
        try:
            return json.loads(self.path("/run/ece-enroll/status.json").read_text())
        except (OSError, ValueError):
            return None

    def told(self):
        """(boot, state) of each transition in the journal, in their order."""
        return [(entry["_BOOT_ID"], entry["ECE_ENROLL_STATE"]) for entry in self.journal("_COMM=ece-enrolld") if "ECE_ENROLL_STATE" in entry]

    def boots(self):
        """Of those in the journal, the oldest first, the states that the agent has told of."""
        found = {}
        for boot, state in self.told():
            found.setdefault(boot, []).append(state)
        return list(found.values())

    def gate(self, name) -> str:
        """"open", "shut", "untried"; empty while there is no status."""
        return {gate["name"]: gate["state"] for gate in (self.status() or {}).get("gates", ())}.get(name, "")

    def processes(self, word):
        """Numbers, as seen from outside, of its processes that have the word in their command lines."""
        found = []
        for procs in self.group.rglob("cgroup.procs"):
            for pid in procs.read_text().split():
                try:
                    if word.encode() in pathlib.Path("/proc/%s/cmdline" % pid).read_bytes():
                        found.append(int(pid))
                except OSError:
                    pass
        return found

    def engine_log(self) -> str:
        path = self.tree / "var/lib/engine/events.jsonl"
        return path.read_text() if path.exists() else ""

    def wait_for(self, look, what="", timeout_s=DEADLINE_S):
        """What look() gives once it gives something; several times a second, because nobody outside is told."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError("never: %s\n%s" % (what or look, self.tale()))

    def wait_status(self, *states) -> dict:
        return self.wait_for(lambda: (lambda now: now if now and now["state"] in states else None)(self.status()), "/".join(states))

    def tale(self) -> str:
        """For a test that failed: what is known of the host."""
        parts = [json.dumps(self.status(), indent=1), self.console.read_text(errors="replace")[-1500:]]
        try:
            parts.append(self.messages("-u", "ece-enrolld.service", "-u", "ece-installd.service", "-u", "ece-installd.socket")[-5000:])
        except RuntimeError as error:
            parts.append(str(error))
        return "\n".join(parts)
