# SPDX-License-Identifier: Apache-2.0
"""Who is measured: each candidate joins the same stranger to the same platform, and what it asked is checked after each run."""

import json
import pathlib
import shutil
import subprocess
import sys

from world import HERE, HOST_IP, SYSTEM_PATH, ZONE

TREE = HERE / "tree.py"
# The interpreter of the system, for Ansible's modules: any other has its own ideas of where modules are.
PYTHON = "/usr/bin/python3"


class Failed(Exception):
    """A candidate did not do what it is measured for."""


class Candidate:
    """name, what it is called in tables; needs: programs that have to be there."""

    name = what = ""
    needs = ()

    def __init__(self, bed):
        self.bed = bed

    @classmethod
    def missing(cls):
        return [name for name in cls.needs if not shutil.which(name, path=SYSTEM_PATH)]

    def command(self):
        raise NotImplementedError

    def environment(self, **more):
        return self.bed.environment(**more)

    def stdin(self):
        return subprocess.DEVNULL

    def facts(self):
        return {"url": self.bed.url, "ca_file": self.bed.sim.ca, "key_file": self.bed.key_path, "installer": self.bed.script,
                "runner_id": HOST_IP, "host_ip": HOST_IP, "zone": ZONE}

    def run(self, prefix=(), watch=None, **environment):
        """One enrollment of a stranger. Returns what tree.py says of it; prefix: words of a program that becomes it or runs it;
        watch(pid of tree.py) is called while it runs."""
        self.bed.forget()
        seen, result, output = self.bed.seen(), self.bed.top / "result.json", self.bed.top / "candidate.out"
        command = [sys.executable, "-I", "-S", TREE, result, *prefix, *self.command()]
        stdin = self.stdin()
        with open(output, "wb") as out:
            process = subprocess.Popen(list(map(str, command)), env=self.environment(**environment), stdin=stdin, stdout=out, stderr=out,
                                       cwd="/")
        if stdin is not subprocess.DEVNULL:
            stdin.close()
        if watch:
            watch(process.pid)
        process.wait()
        said = pathlib.Path(result).read_text() if process.returncode == 0 else "{}"
        found = json.loads(said)
        self.check(found, seen, output)
        return found

    def check(self, found, seen, output) -> None:
        """What did less than it should would be measured as fast."""
        asked = [(entry["method"], entry["path"]) for entry in self.bed.requests_since(seen)]
        joined = HOST_IP in self.bed.sim.control.state()["runners"]
        wanted = self.bed.wanted or asked
        if found.get("status") != 0 or not joined or not self.same(asked, wanted):
            raise Failed("%s: status %s, %s, asked %s\n%s" % (
                self.name, found.get("status"), "joined" if joined else "not joined", asked, output.read_text(errors="replace")))

    @staticmethod
    def same(asked, wanted) -> bool:
        return sorted(asked) == sorted(wanted)


class Enroll(Candidate):
    name, what = "ece-enroll", "`ece-enroll run`"

    def command(self):
        return [self.bed.programs / "ece-enroll", "run", *self.bed.options()]

    def check(self, found, seen, output) -> None:
        """Its keeper outlives it: what that costs has to be in there, unless a tracer stands between them and us."""
        super().check(found, seen, output)
        names = {process["name"] for process in found["processes"]}
        if "ece-enroll" in names and "ece-installd" not in names:
            raise Failed("ece-enroll: its keeper was not counted: %s" % found)


class Floor(Candidate):
    name, what = "floor", "the same requests, nothing else"

    def command(self):
        return [self.bed.floor, self.bed.url, self.bed.sim.ca, self.bed.key_path, self.bed.door.directory]

    def stdin(self):
        return open(self.bed.list, "rb")


class Shell(Candidate):
    name, what = "bash", "bash, curl and jq"
    needs = ("bash", "curl", "jq")

    def command(self):
        return [self.bed.script.parent / "recipe.sh", *self.facts().values()]


class Play(Candidate):
    name, what = "ansible", "an Ansible play"
    needs = ("ansible-playbook",)

    def command(self):
        words = ["--extra-vars=%s" % json.dumps({name: str(value) for name, value in self.facts().items()})]
        return ["ansible-playbook", "--inventory=localhost,", *words, "--extra-vars=ansible_python_interpreter=" + PYTHON,
                self.bed.script.parent / "play.yaml"]

    def environment(self, **more):
        return super().environment(ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_HOME=str(self.bed.top / "ansible"), **more)


ALL = (Enroll, Floor, Shell, Play)
