#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command as people and scripts use it: what it prints, where, and the exit codes of the contract."""

import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import tap  # noqa: E402
from bench import EndToEnd  # noqa: E402


class Command(EndToEnd):
    def call(self, *words, **environment):
        return self.bench.end(self.bench.start("ece-enroll", *words, **environment))


class Usage(Command):
    def test_no_command(self):
        outcome = self.call()
        self.assertEqual(outcome.code, 64)
        self.assertIn("Usage: ece-enroll COMMAND", outcome.output)

    def test_a_misspelt_command(self):
        outcome = self.call("statsu")
        self.assertEqual(outcome.code, 64)
        self.assertIn("unknown command 'statsu'; did you mean 'status'?", outcome.output)

    def test_a_wrong_option(self):
        self.assertEqual(self.call("status", "--insecure").code, 64)
        self.assertEqual(self.call("validate", "a", "b").code, 64)

    def test_help_of_each_command(self):
        names = re.findall(r"^  (\w+) ", self.call("--help").output, re.M)
        self.assertEqual(sorted(names), ["check", "diag", "explain", "health", "hooks", "leave", "pin", "plan", "retry", "roles", "run", "schema", "status", "token", "validate", "wait"])
        for name in names:
            outcome = self.call(name, "--help")
            self.assertEqual(outcome.code, 0)
            self.assertIn("Examples:", outcome.output)

    def test_version(self):
        outcome = self.call("--version")
        self.assertEqual(outcome.code, 0)
        self.assertRegex(outcome.output, r"^ece-enroll \d+\.\d+")

    def test_an_answer_that_could_not_be_written_is_a_failure(self):
        """As a shell would have it: ece-enroll explain >/dev/full."""
        into_full = ["sh", "-c", 'exec "$@" >/dev/full', "sh"]
        for words in (["explain"], ["--version"], ["schema"], ["plan", "--spec", self.bench.spec_path]):
            outcome = self.bench.end(self.bench.start("ece-enroll", *words, prefix=into_full))
            self.assertEqual(outcome.code, 70, words)
            self.assertIn("standard output", outcome.output)

    def test_an_enrollment_without_anybody_to_tell_is_one(self):
        into_full = ["sh", "-c", 'exec "$@" >/dev/full', "sh"]
        self.assertEnrolled(self.bench.end(self.bench.start("ece-enroll", "run", *self.bench.options(), prefix=into_full)))


class Names(Command):
    """One file, three programs: the name by which it was called says which."""

    ALL = ("ece-enroll", "ece-enrolld", "ece-installd")

    def called(self, *words, file="ece-enroll", **more):
        """(exit code, standard output, what the kernel calls the process), looked at when it has ended and is not yet forgotten."""
        with subprocess.Popen(words, executable=self.bench.programs / file, env=self.bench.environment(), cwd="/", text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **more) as process:
            said = process.stdout.read()
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            comm = pathlib.Path("/proc/%d/comm" % process.pid).read_text().strip()
        return process.returncode, said, comm

    def assertProgram(self, name, called):
        code, said, comm = called
        self.assertRegex(said, "^%s [0-9.]+\n$" % name)
        self.assertEqual((code, comm), (0, name))

    def test_the_daemons_are_links(self):
        for name in self.ALL[1:]:
            self.assertEqual(os.readlink(self.bench.programs / name), "ece-enroll")

    def test_each_name_in_each_form(self):
        for name in self.ALL:
            for form in ("%s", "./%s", "/usr/sbin/%s", "../sbin//%s", "-%s"):
                for file in self.ALL:
                    with self.subTest(form % name, file=file):
                        self.assertProgram(name, self.called(form % name, "--version", file=file))

    def test_any_other_name_is_the_command(self):
        for form in ("", "-", "/", "sh", "ece-installd/", "ece-enrolld2", "ece-installd.old", "ECE-ENROLLD", "--ece-installd"):
            with self.subTest(form):
                self.assertProgram("ece-enroll", self.called(form, "--version", file="ece-installd"))

    def test_without_a_name(self):
        """No word at all; newer kernels make one empty word of it."""
        self.assertEqual(self.called(file="ece-enrolld")[:2], (64, ""))

    def test_started_by_a_descriptor(self):
        """The file is then called after the descriptor, or after what the link leads to."""
        by_descriptor = "import os, sys; os.execve(int(sys.argv[2]), [sys.argv[1], '--version'], os.environ)"
        for name in self.ALL:
            fd = os.open(self.bench.programs / name, os.O_RDONLY)
            self.assertProgram(name, self.called("python3", "-c", by_descriptor, name, str(fd), file=sys.executable, pass_fds=[fd]))
            os.close(fd)


class Validate(Command):
    def test_a_good_spec(self):
        self.bench.write_spec()
        outcome = self.call("validate", self.bench.spec_path)
        self.assertEqual((outcome.code, outcome.output.strip()), (0, "%s: valid" % self.bench.spec_path))
        self.assertUntouched()

    def test_every_error_with_its_place(self):
        self.bench.spec_path.write_text("version: 2\ncoordinators: []\nhost:\n  role: [alocator]\n")
        outcome = self.call("validate", ECE_ENROLL_SPEC=str(self.bench.spec_path))
        self.assertEqual(outcome.code, 78)
        lines = outcome.output.splitlines()
        self.assertIn("%s:4:3: unknown key 'role' in host; did you mean 'roles'?" % self.bench.spec_path, lines)
        self.assertGreater(len(lines), 3)
        for line in lines:
            self.assertRegex(line, r"^%s:\d+:\d+: ." % re.escape(str(self.bench.spec_path)))

    def test_no_spec(self):
        outcome = self.call("validate", self.bench.top / "none.yaml")
        self.assertEqual(outcome.code, 78)
        self.assertIn("none.yaml: No such file or directory", outcome.output)


class Plan(Command):
    def test_offline_it_contacts_nobody(self):
        self.bench.write_spec(host={"roles": ["proxy", "allocator"]})
        outcome = self.call("plan", self.bench.spec_path)
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn('{"persistent":false,"roles":["allocator","proxy"],"validity_in_seconds":3600}', outcome.output)
        self.assertIn("--roles-token <roles token>", outcome.output)
        self.assertEqual(self.sim.requests(), [])

    def test_json(self):
        self.bench.write_spec()
        outcome = self.call("plan", "--json", self.bench.spec_path)
        self.assertEqual(outcome.code, 0, outcome)
        plan = json.loads(outcome.output)
        self.assertEqual(plan["command"][1], "install")
        self.assertNotIn("", plan["command"])

    def test_online_it_only_reads(self):
        self.bench.write_spec()
        outcome = self.call("plan", "--online", self.bench.spec_path)
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("version 4.0.3; this host is no member", outcome.output)
        self.assertEqual({request["method"] for request in self.sim.requests()}, {"GET"})

    def test_online_with_a_wrong_key(self):
        self.bench.write_spec(credential={"api_key": {"from": "env", "name": "KEY", "path": None}})
        outcome = self.call("plan", "--online", self.bench.spec_path, KEY="wrong")
        self.assertEqual(outcome.code, 77, outcome)

    def test_online_for_a_member(self):
        self.bench.write_spec()
        self.assertEnrolled(self.bench.run())
        minted = self.bench.minted()
        outcome = self.call("plan", "--online", self.bench.spec_path)
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("a member as planned: nothing would be minted", outcome.output)
        self.assertTrue(json.loads(self.call("plan", "--online", "--json", self.bench.spec_path).output)["online"]["as_planned"])
        self.bench.write_spec(host={"roles": ["allocator", "proxy"]})
        outcome = self.call("plan", "--online", self.bench.spec_path)
        self.assertIn("known, and differs from the spec:", outcome.output)
        self.assertRegex(outcome.output, r"(?m)^ +- .*proxy")
        page = json.loads(self.call("plan", "--online", "--json", self.bench.spec_path).output)
        self.assertIn("proxy", json.dumps(page["online"]["differences"]))
        self.assertEqual(self.bench.minted(), minted)

    def test_a_token_that_is_given(self):
        path = self.bench.secret_file("token", "x")
        for source, said in (({"source": "file", "path": str(path)}, "the one in %s; none is asked for" % path),
                             ({"source": "credential", "name": "ece-token"}, "the one in the credential ece-token; none is asked for"),
                             ({"source": "command", "argv": ["/bin/token", "x"]}, "what /bin/token prints; none is asked for")):
            self.bench.write_spec(token=source)
            outcome = self.call("plan", self.bench.spec_path)
            self.assertEqual(outcome.code, 0, outcome)
            self.assertIn(said, outcome.output)
            self.assertNotIn("POST", outcome.output)

    def test_the_way_and_the_hand_over(self):
        self.bench.write_spec(proxy="http://192.0.2.99:3128", no_proxy=["192.0.2.0/24"], installer={"handoff": "argv"})
        outcome = self.call("plan", self.bench.spec_path, https_proxy="http://elsewhere:1")
        self.assertIn("through the proxy http://192.0.2.99:3128, but for what no_proxy names", outcome.output)
        self.assertIn("https_proxy is set in the environment and ignored", outcome.output)
        self.assertIn("argv: local users can see the token", outcome.output)
        page = json.loads(self.call("plan", "--json", self.bench.spec_path).output)
        self.assertEqual((page["proxy"], page["handoff"]), ("http://192.0.2.99:3128", "argv"))

    def test_a_bad_spec(self):
        self.bench.spec_path.write_text("version: 2\n")
        outcome = self.call("plan", self.bench.spec_path)
        self.assertEqual(outcome.code, 78)
        self.assertRegex(outcome.output, r"enroll\.yaml:1:\d+: ")


class Status(Command):
    def test_before_the_first_run(self):
        outcome = self.call("status", "--runtime-dir", self.bench.runtime)
        self.assertEqual(outcome.code, 78)
        self.assertIn("no agent has run", outcome.output)

    def test_watched_to_the_end(self):
        """From before there is anything to see; each page as it comes, and the last one is the answer."""
        self.bench.write_spec()
        self.engine.behave({"hold": True})
        watch = self.bench.start("ece-enroll", "status", "--watch", "--runtime-dir", self.bench.runtime)
        agent = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start", timeout_s=30), "no installer was started")
        self.bench.containers.release()
        self.assertEnrolled(self.bench.end(agent))
        outcome = self.bench.end(watch)
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("ece-enroll: INSTALLING since", outcome.output)
        self.assertRegex(outcome.output, r"ece-enroll: ENROLLED since")

    def test_watched_where_nothing_is(self):
        outcome = self.call("status", "--watch", "--runtime-dir", self.bench.top / "missing")
        self.assertEqual(outcome.code, 70)
        self.assertIn("can't watch", outcome.output)

    def test_what_is_no_status(self):
        for text, said in (("{", "not"), ("[]", "status.json"), ("", "status.json")):
            (self.bench.runtime / "status.json").write_text(text)
            outcome = self.call("status", "--runtime-dir", self.bench.runtime)
            self.assertNotEqual(outcome.code, 0, text)
            self.assertIn(said, outcome.output)

    def test_after_a_failure(self):
        self.bench.write_spec(installer={"sha256": "0" * 64})
        self.assertEqual(self.bench.run().code, 78)
        page = self.call("status", "--runtime-dir", self.bench.runtime)
        self.assertEqual(page.code, 0)
        self.assertRegex(page.output, r"^ece-enroll: FAILED since 20\d\d-")
        self.assertIn("what to do: ", page.output)
        status = json.loads(self.call("status", "--json", "--runtime-dir", self.bench.runtime).output)
        self.assertEqual(status["state"], "FAILED")
        self.assertTrue(status["reason"]["remedy"])


class Explain(Command):
    def test_all_of_them_fit_a_page(self):
        lines = self.call("explain").output.splitlines()
        self.assertLessEqual(max(map(len, lines)), 100)
        ids = [line.split()[0] for line in lines if not line.startswith(" ")]
        self.assertEqual(ids, sorted(ids))
        self.assertEqual(ids, [reason["id"] for reason in json.loads(self.call("explain", "--json").output)])

    def test_one_in_full(self):
        reasons = json.loads(self.call("explain", "--json").output)
        self.assertGreater(len(reasons), 100)
        for reason in reasons[::8]:
            outcome = self.call("explain", reason["id"])
            self.assertEqual(outcome.code, 0)
            self.assertLessEqual(max(map(len, outcome.output.splitlines())), 100)
            text = " ".join(outcome.output.split())
            for part in (reason["id"], reason["class"], reason["what"], reason["agent"], reason["remedy"],
                         "exit code %d" % reason["exit_code"], *(match["words"] for match in reason["matches"])):
                self.assertIn(part, text)
            self.assertEqual(json.loads(self.call("explain", reason["id"], "--json").output), reason)

    def test_what_leads_to_a_reason_is_data_too(self):
        reason = json.loads(self.call("explain", "installer.engine-denied", "--json").output)
        self.assertIn({"origin": "installer", "number": "4", "code": None,
                       "words": "installer exit 4 without other evidence"}, reason["matches"])

    def test_a_misspelt_reason(self):
        outcome = self.call("explain", "coordinator.connect-refuse")
        self.assertEqual(outcome.code, 64)
        self.assertIn("did you mean 'coordinator.connect-refused'?", outcome.output)

    def test_half_a_reason(self):
        outcome = self.call("explain", "pull")
        self.assertEqual(outcome.code, 64)
        self.assertIn("there are 'installer.pull-failed'", outcome.output)


if __name__ == "__main__":
    tap.main()
