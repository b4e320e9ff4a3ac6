# SPDX-License-Identifier: Apache-2.0
"""The coordinator is down, slow, new, old or lying."""

import base64
import json
import os
import socket

import tap
from bench import HOST_IP, Bench, EndToEnd
from coordsim.process import TOKENS

RUNNERS = "/infrastructure/runners/"


def dead_url() -> str:
    """Nobody listens there: a port that was ours a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "https://127.0.0.1:%d" % probe.getsockname()[1]


class Unreachable(EndToEnd):
    def test_nobody_there(self):
        self.bench.write_spec(coordinators=[dead_url()], give_up_after="2s")
        self.assertExit(self.bench.run(), 69, "coordinator.connect-refused")
        self.assertUntouched()

    def test_another_platforms_ca(self):
        self.bench.write_spec(trust={"ca_file": str(self.sim.other_ca)}, give_up_after="2s")
        self.assertExit(self.bench.run(), 69, "coordinator.tls-untrusted")
        self.assertEqual(self.sim.requests(), [])

    def test_a_wrong_pin(self):
        pin = "sha256//" + base64.b64encode(bytes(32)).decode()
        self.bench.write_spec(trust={"pins": [pin]}, give_up_after="2s")
        self.assertExit(self.bench.run(), 69, "coordinator.tls-pin-mismatch")
        self.assertEqual(self.sim.requests(), [])

    def test_no_tls(self):
        self.fault("connect-plain", event="connect")
        self.bench.write_spec(give_up_after="2s")
        self.assertExit(self.bench.run(), 69)

    def test_connections_that_break_are_tried_again(self):
        for action in ("connect-close", "connect-reset"):
            self.fault(action, event="connect", times=1)
        self.assertEnrolled(self.bench.run())


class BadCertificate(EndToEnd):
    leaf, reason = "wrong-name", "coordinator.tls-name-mismatch"

    def make_bench(self):
        return Bench("--leaf", self.leaf, own_certificates=True)

    def test_it_is_not_believed(self):
        self.bench.write_spec(give_up_after="2s")
        self.assertExit(self.bench.run(), 69, self.reason)
        self.assertEqual(self.sim.requests(), [])


class ExpiredCertificate(BadCertificate):
    leaf, reason = "expired", "coordinator.tls-expired"


class Refused(EndToEnd):
    def test_a_wrong_key(self):
        self.bench.secret_file("key", "bm9ib2R5OndyaXRlcw==")
        self.assertExit(self.bench.run(), 77, "credential.denied")
        self.assertUntouched()

    def test_no_right_to_mint(self):
        self.bench.secret_file("key", self.sim.credentials["viewer_api_key"])
        self.assertExit(self.bench.run(), 77, "credential.not-permitted")
        self.assertUntouched()
        self.assertEqual(len(self.sim.mints()), 1, "a permanent refusal is not asked for again")

    def test_elevated_permissions_wanted(self):
        self.fault("status", path=TOKENS, status=449,
                   code='"root.unauthorized.rbac.elevated_permissions_required"')
        self.assertExit(self.bench.run(), 77, "credential.elevation-required")
        self.assertEqual(len(self.sim.mints()), 1)

    def test_a_bad_request_is_not_repeated(self):
        self.fault("status", path=TOKENS, status=400, code="enrollment_tokens.invalid_token_request")
        self.assertExit(self.bench.run(), 78, "coordinator.request-invalid")
        self.assertEqual(len(self.sim.mints()), 1)


class Recovered(EndToEnd):
    """Each of these goes away, and then the host is enrolled with one installer."""

    def recovers(self, action, path="", times=2, minted=1, **arguments):
        self.fault(action, path=path, times=times, **arguments)
        self.assertEnrolled(self.bench.run(), minted=minted)

    def test_html(self):
        self.recovers("html", status=502)

    def test_html_with_200(self):
        self.recovers("html")

    def test_empty(self):
        self.recovers("empty")

    def test_cut_off(self):
        self.recovers("truncate")

    def test_half_a_json_text(self):
        self.recovers("truncate-json")

    def test_no_reply(self):
        self.recovers("no-reply")

    def test_reset(self):
        self.recovers("reset")

    def test_not_ready_with_200(self):
        self.recovers("200-with-errors")

    def test_ok_false(self):
        self.recovers("ok-false", times=1)

    def test_internal_error(self):
        self.recovers("status", status=500)

    def test_a_balancer_without_a_body(self):
        self.recovers("text", status=503)

    def test_no_signing_key_yet(self):
        self.recovers("status", TOKENS, times=1, status=403, code="enrollment_tokens.signing_key_not_found")

    def test_unknown_members_change_nothing(self):
        self.recovers("extra-members", times=None)

    def test_chunked_and_slow(self):
        self.fault("chunked")
        self.assertEnrolled(self.bench.run())

    def test_no_date(self):
        self.recovers("no-date", times=None)

    def test_a_nonsensical_date(self):
        self.recovers("garbage-date", times=None)

    def test_an_expired_token_is_replaced(self):
        self.recovers("exp-past", TOKENS, times=1, minted=2)

    def test_a_lost_reply_has_minted_a_token(self):
        self.recovers("drop-after-read", TOKENS, times=1, minted=2)

    def test_a_host_that_was_rejected_once(self):
        self.fault("reject", event="join", times=1, code="token.expired")
        outcome = self.bench.run()
        self.assertExit(outcome, 0)
        self.assertEqual(self.bench.installs(), 2)

    def test_retry_after_is_kept_to(self):
        self.fault("status", path=TOKENS, times=1, status=429, code="root.too_many_requests",
                   headers={"Retry-After": "1"})
        self.assertEnrolled(self.bench.run())
        first, second = self.sim.mints()
        self.assertGreaterEqual(second["at"] - first["at"], 1)


class SeveralCoordinators(EndToEnd):
    sim_options = ("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0")

    def test_one_is_dead(self):
        self.bench.write_spec(coordinators=[dead_url(), self.sim.urls[0], dead_url()])
        self.assertEnrolled(self.bench.run())

    def test_one_is_starting(self):
        self.fault("status", listener=0, status=503, code="root.unavailable")
        self.assertEnrolled(self.bench.run())


class OtherClocks(EndToEnd):
    """exp is the platform's time; the host's wall clock has no part in it."""

    def test_ahead(self):
        self.sim.control.change_platform(offset_s=7200)
        self.assertEnrolled(self.bench.run())

    def test_behind(self):
        self.sim.control.change_platform(offset_s=-7200)
        self.assertEnrolled(self.bench.run())


class Lies(EndToEnd):
    def test_a_token_without_the_role(self):
        self.bench.write_spec(host={"roles": ["allocator", "proxy"]})
        self.fault("missing-role", path=TOKENS, role="proxy")
        outcome = self.bench.run()
        self.assertExit(outcome, 76, "token.role-missing")
        self.assertIn("proxy", outcome.output)
        self.assertUntouched(minted=1)

    def test_a_role_that_is_listed_and_not_blessed(self):
        self.bench.write_spec(verify={"timeout": "1s"})
        self.fault("no-bless", event="join")
        outcome = self.bench.run()
        self.assertExit(outcome, 76, "verify.role-not-blessed")
        self.assertIn("allocator", outcome.output)
        self.assertEqual(self.bench.installs(), 1)

    def test_an_allocator_that_is_healthy_and_not_connected(self):
        self.bench.write_spec(verify={"timeout": "1s"})
        self.fault("never-effective", event="join")
        self.assertExit(self.bench.run(), 76, "verify.role-not-effective")

    def test_other_differences(self):
        for action, reason in (("unhealthy", "runner-not-healthy"), ("never-connected", "runner-not-connected"),
                               ("wrong-zone", "zone-differs"), ("wrong-version", "version-differs"),
                               ("pending", "role-pending"), ("unlisted-role", "role-missing"),
                               ("foreign-host", "foreign-host")):
            with self.subTest(action):
                bench = self.fresh()
                bench.write_spec(verify={"timeout": "1s"})
                bench.sim.control.fault(action, event="join")
                self.assertExit(bench.run(), 76, "verify." + reason)

    def fresh(self):
        """One more host with a platform of its own."""
        bench = Bench()
        self.addCleanup(bench.close)
        return bench

    def test_an_extra_role_is_reported(self):
        self.fault("extra-role", path=TOKENS, role="proxy")
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertIn("proxy", outcome.output + json.dumps(outcome.status))

    def test_a_redirect_is_not_followed(self):
        self.fault("redirect", location=self.sim.url + "/api/v1/platform/elsewhere")
        self.bench.write_spec(give_up_after="2s")
        self.assertExit(self.bench.run(), 78, "coordinator.redirect")
        self.assertEqual(self.sim.requests(path="elsewhere"), [])

    def test_a_token_that_would_run_code(self):
        loot = self.bench.top / "loot"
        self.fault("token-text", path=TOKENS, value="a.b';touch${IFS}%s;'.c" % loot)
        self.assertExit(self.bench.run(), 78, "token.malformed")
        self.assertEqual((self.bench.installs(), loot.exists()), (0, False))

    def test_a_version_that_would_run_code(self):
        loot = self.bench.top / "loot"
        self.fault("edit", path="/platform$", set={"version": "a[$(touch %s)].1.1" % loot})
        self.bench.write_spec(give_up_after="2s")
        self.assertExit(self.bench.run(), 69, "coordinator.reply-unusable")
        self.assertUntouched()
        self.assertFalse(loot.exists())

    def test_wrong_types(self):
        # The first look at the runner is a 404, which has no such member.
        for path, member, after, code in ((TOKENS, "token", 0, 78), ("/platform$", "version", 0, 69),
                                          (RUNNERS + HOST_IP, "connected", 1, 69)):
            with self.subTest(member):
                bench = self.fresh()
                bench.write_spec(give_up_after="2s", verify={"timeout": "1s"})
                bench.sim.control.fault("wrong-type", path=path, member=member, after=after)
                outcome = bench.run()
                self.assertEqual(outcome.code, code, outcome)

    def test_an_endless_body(self):
        self.fault("big-body", path="/platform$", bytes=16 << 20)
        self.bench.write_spec(give_up_after="2s")
        self.assertExit(self.bench.run(), 69, "coordinator.reply-too-large")
        self.assertUntouched()

    def test_the_platforms_own_secrets_are_told_to_nobody(self):
        self.bench.write_spec(host={"roles": ["allocator", "proxy"]})
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        secret = self.sim.credentials["secret_in_roles"].encode()
        self.assertNotIn(secret, outcome.output.encode())
        for directory in (self.bench.state, self.bench.runtime):
            for where, _, names in os.walk(directory):
                for name in names:
                    path = os.path.join(where, name)
                    if os.path.isfile(path):
                        with open(path, "rb") as file:
                            self.assertNotIn(secret, file.read(), path)


if __name__ == "__main__":
    tap.main()
