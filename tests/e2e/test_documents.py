# SPDX-License-Identifier: Apache-2.0
"""What the documents say: each command of doc/tokens.md is executed as it stands, curl lines and ours, and does the same; those of
doc/tutorial.md one after the other in one shell, and what is shown behind them is compared; the specs of doc/coming-from-ansible.md do
on a member what it says; each row of the tables names a test that exists."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import textwrap
import unittest

import tap
from bench import BUILD, HOST_IP, MISSING, EndToEnd, Scratch, yaml
from coordsim import jwt
from coordsim.process import TOKENS

TOP = pathlib.Path(__file__).resolve().parents[2]
TESTS = TOP / "tests" / "e2e"


def commands(name):
    """[(section, [command, ...])] of a page: the lines after `$ ` in its console blocks; what follows one is its output."""
    found = []
    for section in re.split(r"^## ", (TOP / "doc" / name).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        lines = [line for block in re.findall(r"^```console\n(.*?)^```", section, re.MULTILINE | re.DOTALL) for line in block.splitlines()]
        found.append((section.partition("\n")[0], lines))
    return found


@unittest.skipUnless(shutil.which("curl"), "needs curl")
class Tokens(EndToEnd):
    def setUp(self):
        super().setUp()
        self.work = self.bench.top / "work"
        self.work.mkdir()
        self.secret = self.bench.secret_file("password", self.sim.credentials["admin_password"])

    def environment(self):
        made = self.bench.environment()
        tokens = [token["token_id"] for token in self.listed() if len(token["roles"]) == 1]
        emergency = [token["token_id"] for token in self.listed() if len(token["roles"]) == 3]
        made.update(PATH="%s:%s" % (self.bench.programs, os.environ["PATH"]), ECE_ENROLL_SPEC=str(self.bench.spec_path), COORDINATOR=self.sim.url,
                    CA=str(self.sim.ca), LOGIN="admin:" + self.sim.credentials["admin_password"], RUNNER=HOST_IP,
                    TOKENS=self.sim.url + "/api/v1" + TOKENS, ID=(tokens or [""])[-1], EMERGENCY_ID=(emergency or [""])[-1])
        return made

    def listed(self):
        return self.sim.ask("GET", TOKENS, auth=self.sim.api_key()).value["tokens"]

    def execute(self, command):
        words = ["--state-dir", self.bench.state, "--runtime-dir", self.bench.runtime] if " leave " in command else []
        done = subprocess.run(["bash", "-c", command + "".join(" '%s'" % word for word in words)], cwd=self.work, env=self.environment(), capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def follow(self, lines):
        """Executes them; a line `exit code N` behind a command says how it ends. [(command, output)]"""
        told = []
        for at, line in enumerate(lines):
            if not line.startswith("$ "):
                continue
            wanted = re.fullmatch(r"exit code (\d+)", lines[at + 1]) if at + 1 < len(lines) else None
            code, out, err = self.execute(line[2:])
            self.assertEqual(code, int(wanted[1]) if wanted else 0, (line, out, err))
            told.append((line[2:], out))
        return told

    def test_each_command(self):
        sections = dict(commands("tokens.md"))
        self.assertEqual(sum(line.startswith("$ ") for lines in sections.values() for line in lines), 21)
        self.sim.ask("POST", TOKENS, {"persistent": True, "roles": ["coordinator", "director", "proxy"]}, auth=self.sim.api_key())
        self.sim.control.add_runner(runner_id=HOST_IP, host_ip=HOST_IP, roles=[])
        for name, lines in sections.items():
            before = len(self.sim.control.events("mint"))
            told = self.follow(lines)
            for command, out in told:
                if command.startswith("curl"):
                    self.assertNotIn("errors", json.loads(out), command)
            self.compare(name, told, self.sim.control.events("mint")[before:])

    def compare(self, name, told, mints):
        """Both ways have asked for the same."""
        asked = [(mint["persistent"], sorted(mint["roles"])) for mint in mints]
        if name.startswith("An ephemeral"):
            self.assertEqual(asked, [(False, ["allocator"])] * 2 + [(False, ["coordinator", "director"])] * 3)
            self.assertEqual(jwt.claims_of((self.work / "token").read_text().strip())["roles"], ["coordinator", "director"])
        elif name.startswith("A persistent"):
            self.assertEqual(asked, [(True, ["allocator"])] * 2)
        elif name.startswith("Which"):
            curl, _, ours = (out for _, out in told)
            self.assertEqual({token["token_id"] for token in json.loads(curl)["tokens"]}, {token["token_id"] for token in json.loads(ours)["tokens"]})
        elif name.startswith("Taking"):
            self.assertEqual([token["roles"] for token in self.listed()], [["coordinator", "director", "proxy"]])
        elif name.startswith("A token without"):
            self.assertEqual(asked, [(False, [])] * 2)
            self.assertTrue(json.loads(told[-1][1])["roles"][0]["blessed"])
        elif name.startswith("Giving"):
            self.assertEqual(self.sim.control.state()["runners"], {})


class ComingFromAnsible(EndToEnd):
    """A fleet that somebody else has joined: the specs of the page, but for address and secret as they stand, on a member."""

    def specs(self):
        page = (TOP / "doc" / "coming-from-ansible.md").read_text(encoding="utf-8")
        return [textwrap.dedent(text) for text in re.findall(r"^ *```yaml\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)]

    def test_each_spec_is_valid(self):
        self.assertEqual(len(self.specs()), 2)
        for text in self.specs():
            self.bench.spec_path.write_text(text)
            outcome = self.bench.command("validate", self.bench.spec_path)
            self.assertEqual(outcome.code, 0, outcome)

    def test_a_member_is_looked_at_and_left_alone(self):
        """The page's promise: nothing is minted, changed or run, whether the platform is asked or the engine."""
        self.bench.write_spec(host={"availability_zone": "zone-1"})
        outcome = self.bench.run()
        self.assertEqual(outcome.code, 0, outcome)
        secret = self.bench.secret_file("password", self.sim.credentials["admin_password"])
        drop_ins = self.bench.spec_path.with_name("enroll.yaml.d")
        drop_ins.mkdir()
        here = self.bench.base_spec()
        here["host"] = {"host_ip": HOST_IP}
        for name in ("version", "coordinators", "trust", "credential"):
            del here[name]
        (drop_ins / "bench.yaml").write_text("\n".join(yaml(here)) + "\n")
        before = [event for event in self.sim.requests() if event["method"] != "GET"]
        for text, by in zip(self.specs(), ("coordinator", "local"), strict=True):
            shutil.rmtree(self.bench.state)
            self.bench.spec_path.write_text(
                text.replace("https://host1.example.com:12443", self.sim.url).replace("/etc/ece-enroll/coordinator-ca.pem", str(self.sim.ca))
                .replace("{from: credential, name: ece-password}", "{from: file, path: %s}" % secret))
            outcome = self.bench.run()
            self.assertEqual(outcome.code, 0, outcome)
            self.assertEqual((outcome.status["state"], outcome.status["verified"]["by"]), ("ENROLLED", by))
            self.assertEqual(self.bench.installs(), 1)
        self.assertEqual([event for event in self.sim.requests() if event["method"] != "GET"], before)


# What differs from run to run and from machine to machine, in what a page shows and in what a command prints alike.
VOLATILE = [(re.compile(pattern), word) for pattern, word in (
    (r"\S*/ece-lab\.\w+", "LAB"),
    (r"https://127\.0\.0\.1:\d+", "URL"),
    (r"\d{4}-\d\d-\d\dT[\d:]+(\.\d+)?Z", "TIME"),
    (r"\b\d+(\.\d+)?(us|ms|s|m|h|d)( \d+(us|ms|s|m|h))?\b", "DURATION"),
    (r"\s+", " "),
)]


def steady(line):
    for pattern, word in VOLATILE:
        line = pattern.sub(word, line)
    return line.strip()


def session(name):
    """[(command, exit code, [line that is shown, ...])] of a page, in its order: a command goes on behind a backslash, and to the end of
    its here-document."""
    found, lines = [], [line for _, lines in commands(name) for line in lines]
    while lines:
        command = lines.pop(0)
        end = re.search(r"<<(\w+)$", command)
        while command.endswith("\\") or (end and command.splitlines()[-1] != end[1]):
            command += "\n" + lines.pop(0)
        shown = []
        while lines and not lines[0].startswith("$ "):
            shown.append(lines.pop(0))
        code = re.fullmatch(r"exit code (\d+)", shown[0]) if shown else None
        found.append((command[2:], int(code[1]) if code else 0, shown[1 if code else 0:]))
    return found


@unittest.skipIf(MISSING, MISSING or "")
@unittest.skipIf(0 < os.getuid() < 1000, "neither root nor a user that may install")
class Tutorial(unittest.TestCase):
    """One shell for the whole page, as a reader has it."""

    def setUp(self):
        self.folder = Scratch.get().top / "tutorial"
        self.folder.mkdir()
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                       "TMPDIR": str(self.folder), "PORT": str(port)}
        self.shell = subprocess.Popen(["bash", "--norc"], cwd=TOP, env=environment, text=True, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(self.close)

    def close(self):
        self.shell.stdin.close()
        self.shell.wait()
        self.shell.stdout.close()

    def execute(self, command):
        """(exit code, output)"""
        self.shell.stdin.write(command + "\nprintf '\\n-- %d --\\n' $?\n")
        self.shell.stdin.flush()
        out = []
        for line in self.shell.stdout:
            ended = re.fullmatch(r"-- (\d+) --\n", line)
            if ended:
                return int(ended[1]), "".join(out)
            out.append(line)
        raise AssertionError("the shell has ended: %s\n%s" % (command, "".join(out)))

    def here(self, command):
        """The same command for the build that is tested: the default one may not be there, and building it takes minutes."""
        if command == "scripts/build":
            ours = BUILD.resolve().parent == TOP / "build" and (BUILD / "arguments").is_file()
            return "xargs scripts/build %s <%s/arguments" % (BUILD.name, BUILD.resolve()) if ours else "true"
        return command.replace("build/default/", "%s/" % BUILD.resolve())

    def test_each_command(self):
        told = session("tutorial.md")
        self.assertEqual((told[0][0], told[1][0]), ("scripts/setup --demo", "scripts/build"))
        self.assertEqual((len(told), sum(len(shown) for _, _, shown in told)), (54, 55))
        for command, wanted, shown in told:
            code, out = self.execute(self.here(command))
            self.assertEqual(code, wanted, (command, out))
            lines = [steady(line) for line in out.splitlines()]
            for line in shown:
                at = next((at for at, printed in enumerate(lines) if steady(line) in printed), None)
                self.assertIsNotNone(at, "%s: not shown, or not in this order: %s\n%s" % (command, line, out))
                lines = lines[at + 1:]
        self.assertEqual(list(self.folder.iterdir()), [])


class Losses(EndToEnd):
    """What doc/operations.md says of things that are lost."""

    def tokens(self):
        return self.sim.ask("GET", TOKENS, auth=self.sim.api_key()).value["tokens"]

    def killed_at_work(self):
        """A run that is killed while its installer is at work, which then comes to its end by itself."""
        self.engine.behave({"hold": True})
        process = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start", timeout_s=30))
        self.bench.wait_status("INSTALLING")
        self.kill_group(process)
        self.bench.containers.release()
        self.assertTrue(self.bench.containers.wait("remove"))

    def test_the_state_of_a_member(self):
        self.assertEnrolled(self.bench.run())
        shutil.rmtree(self.bench.state)
        self.assertEnrolled(self.bench.run())

    def test_the_mark_of_a_host_that_has_left(self):
        self.bench.socket_unit()
        daemon = self.bench.daemon()
        self.bench.wait_status("ENROLLED")
        daemon.terminate()
        daemon.wait(20)
        self.assertEqual(self.bench.spoken("leave", "--yes", *self.bench.options())[0], 0)
        shutil.rmtree(self.bench.state)
        self.bench.daemon()
        self.assertEqual(self.bench.wait_status("FAILED")["reason"]["id"], "host.other-installation")

    def test_a_persistent_token_that_nobody_knows_of(self):
        self.bench.write_spec(token={"persistent": True})
        self.killed_at_work()
        shutil.rmtree(self.bench.state)
        self.assertExit(self.bench.run(), 0)
        left, = self.tokens()
        self.assertIn(left["token_id"], self.bench.spoken("token", "list", "--spec", self.bench.spec_path)[1])
        self.assertEqual(self.bench.spoken("token", "delete", left["token_id"], "--spec", self.bench.spec_path)[0], 0)
        self.assertEqual(self.tokens(), [])

    def test_a_damaged_record(self):
        self.assertEnrolled(self.bench.run())
        record = self.bench.state / "record.json"
        record.write_text(record.read_text()[:40])
        self.assertEnrolled(self.bench.run())
        aside = [path for path in self.bench.state.iterdir() if path.name.startswith("record.json.")]
        self.assertEqual([len(path.read_text()) for path in aside], [40])

    def test_an_old_backup(self):
        self.killed_at_work()
        backup = self.bench.top / "backup"
        shutil.copytree(self.bench.state, backup)
        self.assertEnrolled(self.bench.run())
        shutil.rmtree(self.bench.state)
        shutil.copytree(backup, self.bench.state)
        self.assertEnrolled(self.bench.run())

    def test_a_platform_that_has_forgotten_its_hosts(self):
        self.bench.write_spec(verify={"drift_every": "1s"})
        self.bench.socket_unit()
        daemon = self.bench.daemon()
        self.bench.wait_status("ENROLLED")
        self.sim.ask("DELETE", "/platform/infrastructure/runners/" + HOST_IP, auth=self.sim.api_key())
        self.bench.wait_for(lambda: ((self.bench.status() or {}).get("reason") or {}).get("id") == "verify.runner-not-found")
        self.assertEqual(self.bench.status()["state"], "ENROLLED")
        daemon.terminate()
        daemon.wait(20)
        self.bench.daemon()
        self.assertEqual(self.bench.wait_status("FAILED")["reason"]["id"], "host.other-installation")


class Rows(unittest.TestCase):
    def test_each_row_has_its_test(self):
        for page, rows in (("hosts.md", 13), ("operations.md", 9), ("tokens.md", 11)):
            found = [line for line in (TOP / "doc" / page).read_text(encoding="utf-8").splitlines()
                     if line.startswith("|") and "test_" in line]
            self.assertEqual(len(found), rows, page)
            for line in found:
                for module, group, name in re.findall(r"`(test_\w+)\.(\w+)\.(test_\w+)`", line):
                    text = (TESTS / (module + ".py")).read_text(encoding="utf-8")
                    body = re.search(r"^class %s\(.*?(?=^class |\Z)" % group, text, re.MULTILINE | re.DOTALL)
                    self.assertTrue(body and "def %s(" % name in body[0], "%s: no %s.%s.%s" % (page, module, group, name))
                self.assertRegex(line, r"`test_\w+\.\w+\.test_\w+`")


if __name__ == "__main__":
    tap.main()
