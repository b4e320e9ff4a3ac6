# SPDX-License-Identifier: Apache-2.0
"""Nobody else on the host sees the token or the credential: shown by looking, and that looking works is shown too."""

import os
import re
import shutil
import signal
import unittest

import tap
from bench import EndToEnd
from sampler import Sampler, subjects_in


class Sampled(EndToEnd):
    def sampled_run(self, *behaviour, start=None):
        self.engine.behave(*behaviour or [{"seconds": 0.7}])
        directories = [self.bench.state, self.bench.runtime, self.bench.storage]
        with Sampler(directories, {"key": self.sim.credentials["api_key"]}) as sampler:
            outcome = self.bench.run()
        self.subjects = [event["sub"] for event in self.sim.control.events("mint")]
        return sampler, outcome

    def assertSilent(self, sampler, outcome):
        self.assertEqual(sampler.found, {})
        self.assertEqual(sampler.places_of_tokens(self.subjects), set())
        self.assertNotIn(self.sim.credentials["api_key"], outcome.output)
        self.assertNotRegex(outcome.output, r"eyJ[A-Za-z0-9_-]{8,}\.eyJ")

    def test_shim(self):
        sampler, outcome = self.sampled_run()
        self.assertEnrolled(outcome)
        self.assertSilent(sampler, outcome)
        # It has looked while all of them were there.
        self.assertGreater(sampler.rounds, 5)
        self.assertTrue({b"ece-enroll", b"ece-installd", b"bash"} <= sampler.programs, sampler.programs)

    def test_shim_with_failures(self):
        sampler, outcome = self.sampled_run({"exit": 1, "seconds": 0.3}, {"exit": 1, "seconds": 0.3})
        self.assertEnrolled(outcome, installs=3)
        self.assertSilent(sampler, outcome)

    def test_shim_with_an_installer_that_prints_it(self):
        """A log line that looks like a token is redacted before anybody sees it."""
        text = "token eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJ4IiwieCI6MX0.c2lnbmF0dXJl password: hunter2secret"
        sampler, outcome = self.sampled_run({"lines": ["working", text], "seconds": 0.3})
        self.assertEnrolled(outcome)
        self.assertNotIn("eyJzdWIiOiJ4IiwieCI6MX0", outcome.output)
        self.assertNotIn("hunter2secret", outcome.output)

    def test_the_credential_while_refused(self):
        self.fault("status", status=401, code="root.unauthenticated", times=1)
        sampler, outcome = self.sampled_run()
        self.assertEnrolled(outcome)
        self.assertSilent(sampler, outcome)

    def test_argv_is_seen(self):
        """The documented way of passing the token, for those who choose it: proves that the sampler sees."""
        self.bench.write_spec(installer={"handoff": "argv"})
        sampler, outcome = self.sampled_run()
        self.assertEnrolled(outcome)
        self.assertIn("cmdline", sampler.places_of_tokens(self.subjects))
        self.assertNotIn("file", sampler.places_of_tokens(self.subjects))
        self.assertEqual(sampler.found, {})


class ManyInstalls(EndToEnd):
    """The same over many hosts, one after the other: ECE_INSTALLS says how many. Successes, failures and a killed agent."""

    WAYS = ([{}], [{"exit": 1}], [{"exit": 1}, {"exit": 137}], [{"lines": ["Error: something"], "exit": 2}])

    def enroll(self, number, handoff):
        bench = self.make_bench()
        self.addCleanup(bench.close)
        bench.write_spec(installer={"handoff": handoff})
        bench.engine.behave(*(dict(run, seconds=0.1) for run in self.WAYS[number % len(self.WAYS)]), rest={"seconds": 0.1})
        key = bench.sim.credentials["api_key"]
        with Sampler([bench.state, bench.runtime, bench.storage, "/dev/shm"], {"key": key}) as sampler:
            process = bench.start_run()
            if number % 5 == 4:
                bench.sim.control.wait("mint")
                process.kill()
                process.wait()
                process = bench.start_run()
            outcome = bench.end(process)
        subjects = [event["sub"] for event in bench.sim.control.events("mint")]
        self.assertExit(outcome, 0)
        bench.close()
        return sampler, sampler.places_of_tokens(subjects), len(subjects)

    def many(self, count, handoff):
        signal.alarm(tap.LIMIT_S + 10 * count)
        hits, tokens, rounds, looked, processes = [], 0, 0, 0, 0
        for number in range(count):
            sampler, places, minted = self.enroll(number, handoff)
            hits += sorted(places) + sorted(place for place, _ in sampler.found)
            tokens, rounds, looked = tokens + minted, rounds + sampler.rounds, looked + sampler.looked
            processes += len(sampler.pids)
        print("# handoff %s: %d hosts, %d tokens, %d rounds, %d processes, %d looks: %d hits%s" % (
            handoff, count, tokens, rounds, processes, looked, len(hits), " in " + ", ".join(sorted(set(hits))) if hits else ""))
        return hits

    def test_shim(self):
        self.assertEqual(self.many(int(os.environ.get("ECE_INSTALLS", "8")), "shim"), [])

    def test_argv_is_seen(self):
        self.assertEqual(set(self.many(2, "argv")), {"cmdline"})


@unittest.skipUnless(shutil.which("strace"), "needs strace")
@unittest.skipIf(os.getuid() != 0, "needs root, to trace programs of several users")
class EveryExec(EndToEnd):
    """A sampler can be too slow for a short life. strace sees each execve(2) there is, with all words and variables."""

    def traced_run(self, handoff):
        log = self.bench.top / "execs"
        self.engine.behave({"exit": 1}, rest={})
        self.bench.write_spec(installer={"handoff": handoff})
        prefix = ["strace", "-D", "-f", "-qq", "-v", "-s", "131072", "-e", "trace=execve,execveat", "-e", "signal=none", "-o", log]
        # A leak sanitizer traces itself, and there can be one tracer only.
        options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        outcome = self.bench.end(self.bench.start_run(prefix=prefix, ASAN_OPTIONS=options))
        self.assertEnrolled(outcome, installs=2)
        seen = log.read_text(errors="replace")
        for name in ("ece-enroll", "ece-installd", "elastic-cloud-enterprise.sh", "docker"):
            self.assertRegex(seen, r"(?m)^\d+ +execve\(\"[^\"]*/%s\"" % re.escape(name))
        self.assertNotRegex(seen, r'\]\.\.\.|"\.\.\.[,\]]')  # nothing was cut short
        return seen, {event["sub"] for event in self.sim.control.events("mint")}

    def test_shim(self):
        seen, subjects = self.traced_run("shim")
        self.assertEqual(subjects_in(seen.encode()) & subjects, set())
        self.assertNotIn(self.sim.credentials["api_key"], seen)

    def test_argv_is_seen(self):
        seen, subjects = self.traced_run("argv")
        self.assertNotEqual(subjects_in(seen.encode()) & subjects, set())
        self.assertNotIn(self.sim.credentials["api_key"], seen)


class SamplerItself(EndToEnd):
    def test_it_finds_what_is_there(self):
        self.bench.secret_file("visible", "a-secret-of-ours")
        with Sampler([self.bench.top], {"it": "a-secret-of-ours"}) as sampler:
            process = self.bench.start("ece-enroll", "status", "--runtime-dir", "/nonexistent", SEEN="a-secret-of-ours")
            process.wait()
        self.assertIn(("file", "it"), sampler.found)


if __name__ == "__main__":
    tap.main()
