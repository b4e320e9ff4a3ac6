# SPDX-License-Identifier: Apache-2.0
"""Nobody else on the host sees the token or the credential: shown by looking, and that looking works is shown too."""

import tap
from bench import EndToEnd
from sampler import Sampler


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


class SamplerItself(EndToEnd):
    def test_it_finds_what_is_there(self):
        self.bench.secret_file("visible", "a-secret-of-ours")
        with Sampler([self.bench.top], {"it": "a-secret-of-ours"}) as sampler:
            process = self.bench.start("ece-enroll", "status", "--runtime-dir", "/nonexistent", SEEN="a-secret-of-ours")
            process.wait()
        self.assertIn(("file", "it"), sampler.found)


if __name__ == "__main__":
    tap.main()
