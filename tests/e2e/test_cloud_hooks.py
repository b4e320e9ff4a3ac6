#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hooks for clouds, each by itself, against simulators of what they speak to: what is told, how often, and what is never shown."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "clouds")]

import tap  # noqa: E402
import aws  # noqa: E402
import azure  # noqa: E402
import gce  # noqa: E402
import heat  # noqa: E402
from hookbench import HOOKS, SHELLS, STATUS, HookTest  # noqa: E402
from service import PAGE, RESET, Answer  # noqa: E402


class Aws(HookTest):
    hook = "aws-autoscaling"

    def begin(self):
        self.keys = aws.Keys()
        self.metadata = self.service(aws.Metadata(self.keys))
        self.group = self.service(aws.AutoScaling(self.keys, self.pki))
        self.setting = {"launching_hook": aws.LAUNCHING, "terminating_hook": aws.TERMINATING, "group": aws.GROUP,
                        "metadata": self.metadata.url, "endpoint": self.group.url, "ca_file": self.pki / "ca.pem"}
        self.configure(**self.setting)

    def secrets(self):
        return [self.keys.secret, self.keys.session, *self.metadata.tokens]

    def without(self, *names):
        self.configure(**{name: value for name, value in self.setting.items() if name not in names})

    def test_each_state(self):
        for state, hook, result in (("PREFLIGHT", aws.LAUNCHING, None), ("INSTALLING", aws.LAUNCHING, None), ("ENROLLED", aws.LAUNCHING, "CONTINUE"),
                                    ("FAILED", aws.LAUNCHING, "ABANDON"), ("LEAVING", aws.TERMINATING, None), ("LEFT", aws.TERMINATING, "CONTINUE")):
            self.group.change(active={aws.LAUNCHING, aws.TERMINATING}, done=[])
            self.assertDone(state)
            self.assertEqual(self.group.told(), [(hook, result)])

    def test_each_shell(self):
        self.each_shell("INSTALLING", "LEAVING")
        self.assertEqual(self.group.told(), [(aws.LAUNCHING, None), (aws.TERMINATING, None)] * len(SHELLS))

    def test_an_action_that_is_over_is_done(self):
        for state in ("INSTALLING", "ENROLLED", "FAILED", "LEFT"):
            self.group.change(active=set())
            self.assertDone(state)
        self.assertEqual(self.group.told(), [])
        self.assertEqual([r.status for r in self.group.requests], [400] * 4)

    def test_hooks_that_are_not_named(self):
        self.without("launching_hook")
        for state in ("INSTALLING", "ENROLLED", "FAILED"):
            self.assertDone(state)
        self.without("terminating_hook")
        for state in ("LEAVING", "LEFT"):
            self.assertDone(state)
        self.assertEqual(self.metadata.requests + self.group.requests, [])
        self.without("launching_hook", "terminating_hook")
        self.assertEnds("ENROLLED", 78, "neither launching_hook nor terminating_hook")

    def test_the_group_from_the_tags(self):
        self.without("group")
        self.assertEnds("ENROLLED", 78, "no group")
        self.metadata.change(tags=True)
        self.assertDone("ENROLLED")
        self.assertEqual(self.group.told(), [(aws.LAUNCHING, "CONTINUE")])

    def test_only_version_2(self):
        self.assertDone("ENROLLED")
        first, *others = self.metadata.requests
        self.assertEqual((first.method, first.path), ("PUT", "/latest/api/token"))
        self.assertTrue(others and all(r.headers["X-aws-ec2-metadata-token"] in self.metadata.tokens and r.status == 200 for r in others))

    def test_throttled_and_then_not(self):
        for answer in (aws.AutoScaling.error(400, "Throttling", "Rate exceeded"), aws.AutoScaling.error(503, "ServiceUnavailable"),
                       aws.AutoScaling.error(500, "InternalFailure"), aws.AutoScaling.error(500, "ResourceContention"), Answer(502, "<html>"), RESET,
                       aws.AutoScaling.error(403, "ExpiredToken")):
            self.group.change(active={aws.LAUNCHING}, done=[])
            self.group.instead(answer)
            self.assertEnds("FAILED", 75, "Auto Scaling")
            self.assertEqual(self.group.told(), [])
            self.assertDone("FAILED")
            self.assertEqual(self.group.told(), [(aws.LAUNCHING, "ABANDON")])

    def test_nobody_runs_it_again_while_the_host_leaves(self):
        self.group.instead(aws.AutoScaling.error(503, "ServiceUnavailable"))
        self.assertDone("LEFT")
        self.assertEqual(self.group.told(), [(aws.TERMINATING, "CONTINUE")])

    def test_away(self):
        self.group.close()
        self.assertEnds("FAILED", 75, "Auto Scaling does not answer: curl ends with 7")
        self.metadata.close()
        self.assertEnds("FAILED", 75, "the metadata service does not answer: curl ends with 7")

    def test_refused(self):
        self.group.change(allowed=set())
        self.assertEnds("FAILED", 77, "Auto Scaling refuses CompleteLifecycleAction: 403 AccessDenied")
        self.group.change(allowed=set(aws.AutoScaling.ACTIONS))
        good, self.group.keys = self.keys, aws.Keys(2)
        self.assertEnds("FAILED", 77, "403 InvalidClientTokenId")
        self.group.keys = aws.Keys()
        self.group.keys.secret = "another" + good.secret[7:]
        self.assertEnds("FAILED", 77, "403 SignatureDoesNotMatch")
        self.assertEqual(self.group.refusals, ["AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch"])
        self.metadata.change(role=None)
        self.assertEnds("FAILED", 77, "has no IAM role")

    def test_somebody_else_answers(self):
        self.configure(**dict(self.setting, ca_file=self.pki / "other-ca.pem"))
        self.assertEnds("FAILED", 75, "curl ends with 60")
        self.assertEqual(self.group.requests, [])
        self.configure(**dict(self.setting, endpoint="http://127.0.0.1:1"))
        self.assertEnds("FAILED", 78, "endpoint is no URL with https")

    def test_an_environment_with_our_names(self):
        self.with_names("FAILED")

    def test_hostile(self):
        self.hostile(self.group, "FAILED")
        for path in (self.metadata.TOKENS, "instance-id", "placement/region", "iam/security-credentials/", "iam/security-credentials/" + aws.ROLE):
            self.hostile(self.metadata, "FAILED", path)
            self.metadata.instead(PAGE, path=path)
            self.assertEnds("FAILED", 76, "gives an answer that is none")
        self.group.instead(PAGE)
        self.assertEnds("FAILED", 76, "Auto Scaling gives an answer that is none")
        self.group.instead(aws.AutoScaling.error(400, "ValidationError", "1 validation error detected"))
        self.assertEnds("FAILED", 76, "400 ValidationError")
        self.assertEqual(self.group.told(), [])

    def test_configuration(self):
        self.assertStrict("group", aws.GROUP)
        self.assertEqual(self.run_hook("FAILED", "--conf", self.top / "missing").code, 78)
        self.assertEqual(self.run_hook("FAILED", "--other").code, 64)
        self.assertEqual(self.run_hook("$(id)").code, 64)
        self.assertEqual(self.run_hook("").code, 64)

    def test_linked(self):
        """As an administrator links it; /etc/ece-enroll has no configuration of it here."""
        link = self.top / "10-aws"
        link.symlink_to(HOOKS / self.hook)
        done = subprocess.run([str(link)], env=self.environment("FAILED"), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (78, "aws-autoscaling: /etc/ece-enroll/aws-autoscaling.conf names neither launching_hook nor terminating_hook\n"))


class Signature(unittest.TestCase):
    """Both sides against the examples that Amazon has published (aws-sig-v4-test-suite), and an HMAC of RFC 4231."""

    SECRET, STAMP, SCOPE = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830T123600Z", "20150830/us-east-1/service/aws4_request"
    TOKEN = ("AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/"
             "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZ"
             "bqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==")
    # headers, body, signature
    EXAMPLES = {
        "post-vanilla": ((("host", "example.amazonaws.com"), ("x-amz-date", STAMP)), "",
                         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        "post-x-www-form-urlencoded": ((("content-type", "application/x-www-form-urlencoded"), ("host", "example.amazonaws.com"), ("x-amz-date", STAMP)),
                                       "Param1=value1", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
        "post-sts-header-before": ((("host", "example.amazonaws.com"), ("x-amz-date", STAMP), ("x-amz-security-token", TOKEN)), "",
                                   "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
    }

    def shell(self, text, *words):
        program = 'set -eu; hook=test; . "$0/common.sh"; . "$0/aws.sh"; aws_id=AKIDEXAMPLE aws_region=us-east-1 aws_service=service; ' + text
        return subprocess.run(["sh", "-c", program, str(HOOKS), *words], capture_output=True, text=True, check=True, timeout=30).stdout

    def test_the_simulator(self):
        for name, (headers, body, wanted) in self.EXAMPLES.items():
            text = aws.string_to_sign(self.STAMP, self.SCOPE, aws.canonical("POST", "/", "", headers, [n for n, _ in headers], body.encode()))
            self.assertEqual(aws.signature(self.SECRET, "20150830", "us-east-1", "service", text), wanted, name)

    def test_the_hook(self):
        for name, (headers, body, wanted) in self.EXAMPLES.items():
            names = ";".join(n for n, _ in headers)
            said = self.shell('aws_secret=$1; aws_authorization POST "$2" "$3" "$4" "$5"', self.SECRET, self.STAMP, names,
                              "\n".join("%s:%s" % pair for pair in headers), body)
            self.assertEqual(said, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/%s, SignedHeaders=%s, Signature=%s" % (self.SCOPE, names, wanted), name)

    def test_hmac(self):
        self.assertEqual(self.shell('hmac "$1" "$2"', "0b" * 20, "Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        self.assertEqual(self.shell('hmac "$1" "$2"', "4a656665", "what do ya want for nothing?"),
                         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")

    def test_form_fields(self):
        self.assertEqual(self.shell('urlencode "$1"', "a/b +&=%~_.-'\"z"), "a%2Fb%20%2B%26%3D%25~_.-%27%22z")


class Azure(HookTest):
    hook = "azure-scale-set"

    def begin(self):
        self.metadata = self.service(azure.Metadata())
        self.manager = self.service(azure.Manager(self.pki))
        self.setting = {"protect": "yes", "metadata": self.metadata.url, "endpoint": self.manager.url, "ca_file": self.pki / "ca.pem"}
        self.configure(**self.setting)

    def secrets(self):
        return [azure.TOKEN]

    def test_protection(self):
        for state, protected in (("INSTALLING", True), ("VERIFYING", True), ("ENROLLED", False), ("INSTALLING", True), ("FAILED", False), ("FAILED", False)):
            self.assertDone(state)
            self.assertIs(self.manager.protected, protected)
        # Only a change is work for the platform.
        self.assertEqual([r.method for r in self.manager.requests], ["GET", "PUT", "GET", "GET", "PUT", "GET", "PUT", "GET", "PUT", "GET"])

    def test_each_shell(self):
        self.each_shell("INSTALLING", "FAILED", "LEFT")
        self.assertEqual([r.method for r in self.manager.requests], ["GET", "PUT"] * 2 * len(SHELLS))

    def test_without_protection(self):
        self.configure(metadata=self.metadata.url)
        for state in ("INSTALLING", "ENROLLED", "FAILED", "LEAVING"):
            self.assertDone(state)
        self.assertEqual(self.metadata.requests + self.manager.requests, [])

    def test_events_are_approved(self):
        ours = [azure.event(1), azure.event(2, "Preempt", ("ece-hosts_9", azure.NAME))]
        others = [azure.event(3, machines=("ece-hosts_33",)), azure.event(4, "Reboot"), azure.event(5, status="Started"), azure.event(6, machines=("x" + azure.NAME,))]
        self.metadata.change(events=[others[0], ours[0], *others[1:], ours[1]])
        self.assertDone("LEAVING")
        self.assertEqual(self.metadata.approved, [])
        self.assertDone("LEFT")
        self.assertEqual(self.metadata.approved, [e["EventId"] for e in ours])
        self.assertDone("LEFT")
        self.assertEqual(len(self.metadata.asked("POST")), 1)

    def test_throttled_and_then_not(self):
        for service, path in ((self.manager, ""), (self.metadata, "oauth2"), (self.metadata, "resourceId")):
            for answer in (Answer(429), Answer(503), RESET):
                service.instead(answer, path=path)
                self.assertEnds("INSTALLING", 75, "")
                self.assertDone("INSTALLING")
        self.metadata.change(events=[azure.event(1)])
        self.metadata.instead(Answer(429), path="scheduledevents")
        self.assertDone("LEFT")
        self.assertEqual(len(self.metadata.approved), 1)

    def test_refused(self):
        self.manager.change(allowed=False)
        self.assertEnds("INSTALLING", 77, "the scale set refuses: 403")
        self.metadata.change(identity=False)
        self.assertEnds("INSTALLING", 77, "no such managed identity (400)")
        self.metadata.change(resource=azure.RESOURCE.replace("/virtualMachineScaleSets/ece-hosts", ""))
        self.assertEnds("INSTALLING", 78, "not one of a scale set")

    def test_an_environment_with_our_names(self):
        self.with_names("INSTALLING")

    def test_hostile(self):
        self.hostile(self.manager, "INSTALLING")
        self.hostile(self.metadata, "INSTALLING", "oauth2")
        self.hostile(self.metadata, "INSTALLING", "resourceId")
        for service, path in ((self.manager, ""), (self.metadata, "oauth2"), (self.metadata, "resourceId")):
            service.instead(PAGE, path=path)
            self.assertNotEqual(self.run_hook("INSTALLING").code, 0)
        self.metadata.instead(Answer(200, '{"Events":[{"EventType":"Terminate","EventStatus":"Scheduled","Resources":["%s"],"EventId":"a\\"b","NotBefore":""}]}'
                                     % azure.NAME))
        self.assertNotEqual(self.run_hook("LEFT").code, 0)
        self.assertEqual(self.metadata.asked("POST"), [])

    def test_configuration(self):
        self.assertStrict("protect", "yes")
        self.configure(protect="perhaps")
        self.assertEnds("FAILED", 78, "protect is yes or no")
        self.configure(**dict(self.setting, client_id="a&b"))
        self.assertEnds("FAILED", 78, "client_id is none")


class Gce(HookTest):
    hook = "gce-mig"

    def begin(self):
        self.metadata = self.service(gce.Metadata())
        self.compute = self.service(gce.Compute(self.pki))
        self.setting = {"metadata": self.metadata.url, "endpoint": self.compute.url, "ca_file": self.pki / "ca.pem"}
        self.configure(**self.setting)

    def secrets(self):
        return [gce.TOKEN]

    def attributes(self):
        return {name.removeprefix("ece-enroll/"): value for name, value in self.metadata.attributes.items()}

    def test_each_state(self):
        self.assertDone("INSTALLING")
        self.assertEqual(self.attributes(), {"state": "INSTALLING"})
        self.assertDone("FAILED")
        self.assertEqual(self.attributes(), {"state": "FAILED", "reason": "credential.denied"})
        # Whoever sees the state finds its reason.
        self.assertEqual([r.path.rpartition("/")[2] for r in self.metadata.requests[-2:]], ["reason", "state"])
        self.assertDone("ENROLLED")
        self.assertEqual(self.attributes(), {"state": "ENROLLED", "reason": "none"})
        self.assertDone("LEAVING")
        self.assertDone("LEFT")
        self.assertEqual(self.attributes(), {"state": "LEFT", "reason": "none"})
        self.assertEqual(self.compute.requests, [])

    def test_each_shell(self):
        self.configure(on_failure="recreate", **self.setting)
        self.each_shell("FAILED")
        self.assertEqual(len(self.compute.done), len(SHELLS))

    def test_a_group_is_asked(self):
        for word in ("recreate", "delete"):
            self.configure(on_failure=word, **self.setting)
            self.assertDone("INSTALLING")
            self.assertDone("ENROLLED")
            self.assertEqual(self.compute.done, [])
            self.assertDone("FAILED")
            self.assertEqual(self.compute.done, [(word + "Instances", ["zones/%s/instances/%s" % (gce.ZONE, gce.NAME)])])
            self.compute.change(done=[])
            self.metadata.change(writes=[])

    def test_too_often_and_then_not(self):
        for _ in range(gce.QUESTIONS_A_MINUTE):
            self.assertDone("INSTALLING")
        self.assertEnds("INSTALLING", 75, "the metadata server answers with 429")
        self.metadata.change(writes=[])
        self.assertDone("INSTALLING")
        self.configure(on_failure="recreate", **self.setting)
        for answer in (Answer(429), Answer(503), RESET):
            self.compute.instead(answer)
            self.metadata.change(writes=[])
            self.assertEnds("FAILED", 75, "the instance group")
            self.assertDone("FAILED")
        self.assertEqual(len(self.compute.done), 3)

    def test_refused(self):
        self.metadata.change(enabled=False)
        self.assertEnds("FAILED", 77, "enable-guest-attributes=TRUE")
        self.configure(on_failure="recreate", **self.setting)
        self.metadata.change(enabled=True)
        self.compute.change(allowed=False)
        self.assertEnds("FAILED", 77, "the instance group refuses: 403")
        self.metadata.change(account=False)
        self.assertEnds("FAILED", 77, "no service account")
        for made_by in (None, "projects/1/zones/x/somebody/else"):
            self.metadata.change(created_by=made_by)
            self.assertEnds("FAILED", 78, "no managed instance group has made")

    def test_an_environment_with_our_names(self):
        self.configure(on_failure="recreate", **self.setting)
        self.with_names("FAILED")

    def test_hostile(self):
        self.hostile(self.metadata, "INSTALLING")
        self.configure(on_failure="recreate", **self.setting)
        for service, path in ((self.compute, ""), (self.metadata, "created-by"), (self.metadata, "instance/name"), (self.metadata, "zone"), (self.metadata, "token")):
            self.metadata.change(writes=[])
            service.instead(PAGE, path=path)
            self.assertNotEqual(self.run_hook("FAILED").code, 0)
        self.assertEqual(self.compute.done, [])
        self.metadata.change(created_by=gce.GROUP + "/../../x?y")
        self.assertEnds("FAILED", 76, "gives an answer that is none")

    def test_configuration(self):
        self.configure(on_failure="recreate", **self.setting)
        self.assertStrict("on_failure", "recreate")
        self.configure(on_failure="explode")
        self.assertEnds("FAILED", 78, "on_failure is")


class Heat(HookTest):
    hook = "openstack-heat"

    def begin(self):
        self.heat = self.service(heat.Heat(self.pki))
        self.token = self.secret_file(heat.TOKEN + "\n")
        self.setting = {"endpoint": self.heat.url + heat.ENDPOINT, "token_file": self.token, "ca_file": self.pki / "ca.pem"}
        self.configure(**self.setting)

    def secrets(self):
        return [heat.TOKEN, heat.SIGNATURE]

    def test_the_two_ends(self):
        for state in ("INSTALLING", "LEAVING", "LEFT"):
            self.assertDone(state)
        self.assertEqual(self.heat.requests, [])
        self.assertDone("FAILED")
        self.assertEqual(self.heat.signals, {"192.0.2.21": ("FAILURE", "credential.denied", "allocator,proxy")})
        self.assertDone("ENROLLED")
        self.assertEqual(self.heat.signals, {"192.0.2.21": ("SUCCESS", "enrolled", "allocator,proxy")})

    def test_each_shell(self):
        self.each_shell("FAILED")
        self.assertEqual(len(self.heat.requests), len(SHELLS))

    def test_a_signed_url(self):
        self.configure(url_file=self.secret_file(self.heat.url + heat.SIGNED), ca_file=self.pki / "ca.pem")
        self.assertDone("FAILED")
        self.assertEqual(self.heat.signals, {"192.0.2.21": ("FAILURE", "credential.denied", "allocator,proxy")})
        self.assertEqual([r.method for r in self.heat.requests], ["PUT"])

    def test_credentials_of_systemd(self):
        self.credentials = self.top / "credentials"
        self.credentials.mkdir()
        self.configure(**{name: value for name, value in self.setting.items() if name != "token_file"})
        self.assertEnds("ENROLLED", 78, "no token")
        (self.credentials / "ece-heat-token").write_text(heat.TOKEN)
        self.assertDone("ENROLLED")
        (self.credentials / "ece-heat-url").write_text(self.heat.url + heat.SIGNED + "\n")
        self.configure(ca_file=self.pki / "ca.pem")
        self.assertDone("ENROLLED")
        self.assertEqual([r.method for r in self.heat.requests], ["POST", "PUT"])

    def test_words_are_kept_harmless(self):
        self.assertDone("FAILED", ECE_ENROLL_REASON='a","status":"SUCCESS\\u0022\n', ECE_ENROLL_RUNNER_ID="", ECE_ENROLL_ROLES="")
        ((status, reason, _),) = self.heat.signals.values()
        self.assertEqual((status, reason), ("FAILURE", "a,status:SUCCESSu0022"))

    def test_throttled_and_then_not(self):
        for answer in (Answer(429), Answer(503), Answer(500), RESET):
            self.heat.instead(answer)
            self.assertEnds("ENROLLED", 75, "Heat")
            self.assertDone("ENROLLED")
        self.heat.close()
        self.assertEnds("ENROLLED", 75, "Heat does not answer")

    def test_refused(self):
        self.token.write_text("another\n")
        self.assertEnds("FAILED", 77, "Heat refuses: 401")
        self.configure(url_file=self.secret_file(self.heat.url + heat.SIGNED + "x"), ca_file=self.pki / "ca.pem")
        self.assertEnds("FAILED", 77, "Heat refuses: 403")

    def test_an_environment_with_our_names(self):
        self.with_names("FAILED")

    def test_hostile(self):
        self.hostile(self.heat, "FAILED")
        self.heat.instead(PAGE)
        self.assertEnds("FAILED", 76, "gives an answer that is none")
        self.assertEqual(self.heat.signals, {})

    def test_configuration(self):
        self.assertStrict("endpoint", self.setting["endpoint"])
        self.token.chmod(0o640)
        self.assertEnds("FAILED", 78, "nobody else may read")
        for text in ("", "two\nlines\n", 'quo"te', "back\\slash", "not\x07printable"):
            self.secret_file(text)
            self.assertEnds("FAILED", 78, "token_file: not one line")
        self.configure(**dict(self.setting, endpoint="http://127.0.0.1:1/"))
        self.assertEnds("FAILED", 78, "endpoint is no URL with https")
        self.configure(allow_http="yes", **dict(self.setting, endpoint="http://127.0.0.1:1/", token_file=self.secret_file(heat.TOKEN)))
        self.assertEnds("FAILED", 75, "curl ends with 7")


class Webhook(HookTest):
    hook = "webhook"

    def begin(self):
        self.receiver = self.service(heat.Receiver(self.pki, Authorization="Bearer s3cret.bearer", X_Api_Key="s3cret key"))
        self.bearer, self.header = self.top / "bearer", self.top / "header"
        for path, text in ((self.bearer, "s3cret.bearer"), (self.header, "X-Api-Key: s3cret key\n")):
            path.write_text(text)
            path.chmod(0o600)
        self.setting = {"url": self.receiver.url + "/hooks/ece?x=1", "bearer_file": self.bearer, "header_file": self.header, "ca_file": self.pki / "ca.pem"}
        self.configure(**self.setting)

    def secrets(self):
        return ["s3cret.bearer", "s3cret key"]

    def test_each_state(self):
        for state in ("INSTALLING", "ENROLLED", "FAILED", "LEAVING", "LEFT"):
            self.assertDone(state)
        self.assertEqual([state for state, _ in self.receiver.seen.values()], ["INSTALLING", "ENROLLED", "FAILED", "LEAVING", "LEFT"])
        self.assertTrue(all(page["reason"] == {"id": "a.b", "since": "1999"} for _, page in self.receiver.seen.values()))
        self.assertEqual({r.target for r in self.receiver.requests}, {"/hooks/ece?x=1"})

    def test_each_shell(self):
        self.each_shell("LEAVING", "FAILED")
        self.assertEqual(len(self.receiver.seen), 2)

    def test_the_key(self):
        self.assertDone("FAILED")
        self.assertDone("FAILED")
        self.assertDone("FAILED", status=STATUS.replace("12:00", "12:01"))
        self.assertEqual(len(self.receiver.seen), 2)
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self.assertEqual(list(self.receiver.seen)[0], boot + "-FAILED-2026-11-28T12:00:00.000000Z")

    def test_without_a_status(self):
        self.assertDone("LEAVING", status="")
        self.assertEqual(list(self.receiver.seen.values()), [("LEAVING", {})])

    def test_a_large_status(self):
        page = STATUS.replace('"a.b"', '"%s"' % ("@file " * 10000))
        self.assertDone("FAILED", status=page)
        self.assertEqual(len(self.receiver.requests[-1].body), len(page) - 1)

    def test_throttled_and_then_not(self):
        for answer in (Answer(408), Answer(429), Answer(500), Answer(503), RESET):
            self.receiver.instead(answer)
            self.assertEnds("ENROLLED", 75, "the receiver")
            self.assertDone("ENROLLED")
        self.assertEqual(len(self.receiver.seen), 1)
        self.receiver.close()
        self.assertEnds("ENROLLED", 75, "the receiver does not answer")

    def test_refused(self):
        self.header.write_text("X-Api-Key: other\n")
        self.assertEnds("FAILED", 77, "the receiver refuses: 401")
        self.header.write_text("no header\n")
        self.assertEnds("FAILED", 78, "header_file holds no header")
        self.configure(**dict(self.setting, ca_file=self.pki / "other-ca.pem"))
        self.header.write_text("X-Api-Key: s3cret key")
        self.assertEnds("FAILED", 75, "curl ends with 60")

    def test_an_environment_with_our_names(self):
        self.with_names("FAILED")

    def test_hostile(self):
        self.hostile(self.receiver, "FAILED")
        self.assertEqual(self.receiver.seen, {})

    def test_configuration(self):
        self.assertStrict("url", self.setting["url"])
        self.configure(**dict(self.setting, url="https://127.0.0.1/a b"))
        self.assertEnds("FAILED", 78, "url holds what no URL holds")


class Text(unittest.TestCase):
    """What can be said of the programs without running them."""

    PROGRAMS = sorted(path for path in HOOKS.iterdir() if path.suffix not in (".am", ".sh"))
    LIBRARIES = sorted(HOOKS.glob("*.sh"))

    def test_checkers(self):
        for checker, *words in (["shellcheck", "-x", "-a", "--source-path=SCRIPTDIR", "--severity=warning", "--exclude=SC2034"], ["checkbashisms"]):
            if not shutil.which(checker):
                print("# %s is not installed" % checker)
                continue
            done = subprocess.run([checker, *words, *map(str, self.PROGRAMS)], cwd=HOOKS, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_none_executes_what_it_has_read(self):
        for path in self.PROGRAMS + self.LIBRARIES:
            code = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
            self.assertIsNone(re.search(r"\beval\b|\bcurl\b[^\n]* (-L|--location|-k|--insecure)\b", code), path)
            self.assertEqual(len(re.findall(r"\| curl ", code)), int(path.name == "common.sh"), path)

    def test_each_says_its_keys(self):
        for path in self.PROGRAMS:
            text = path.read_text()
            library = "".join((HOOKS / name).read_text() for name in re.findall(r'\. "\$here/(\w+\.sh)"', text))
            head = text.partition("\nset -eu\n")[0]
            if path.name.startswith("scale-in-") or path.name == "leave-at-shutdown":
                continue
            keys = re.search(r'hook_begin \S+ "([^"]+)"', text)[1]
            keys = re.search(r'^%s="([^"]+)"' % keys[1:], library, re.MULTILINE)[1] if keys.startswith("$") else keys
            for key in keys.split():
                self.assertRegex(head, r"\b%s=" % key, path)


class Document(unittest.TestCase):
    """doc/autoscaling.md: what it gives to be copied is what the programs take."""

    TEXT = (HOOKS.parent / "doc" / "autoscaling.md").read_text(encoding="utf-8")

    def blocks(self, kind):
        return re.findall(r"^```%s\n(.*?)^```" % kind, self.TEXT, re.MULTILINE | re.DOTALL)

    def test_configurations(self):
        """Each is read to its end: what the hook then lacks is a state."""
        blocks = self.blocks("ini")
        self.assertEqual(len(blocks), 5)
        for block in blocks:
            hook = re.match(r"# /etc/ece-enroll/([\w-]+)\.conf\n", block)[1]
            with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
                file.write(block)
                file.flush()
                done = subprocess.run([str(HOOKS / hook), "--conf", file.name], env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL,
                                      capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (64, hook + ": no state in ECE_ENROLL_STATE\n"))

    def test_the_policy(self):
        (statement,) = [s for block in self.blocks("json") for s in json.loads(block)["Statement"]]
        self.assertEqual({action.removeprefix("autoscaling:") for action in statement["Action"]}, set(aws.AutoScaling.ACTIONS))
        self.assertRegex(statement["Resource"], r"^arn:aws:autoscaling:[a-z0-9-]+:\d{12}:autoScalingGroup:\*:autoScalingGroupName/ece-allocators$")

    def test_the_template(self):
        """The template and, within it, the cloud-config; by the only reader of YAML that may be here."""
        (block,) = self.blocks("yaml")
        try:
            import yaml
        except ImportError:
            self.skipTest("no yaml for Python")
        template = yaml.safe_load(block)
        data = template["resources"]["host"]["properties"]["user_data"]["str_replace"]
        self.assertEqual(template["resources"]["joined"]["properties"]["handle"], {"get_resource": "handle"})
        config = yaml.safe_load(data["template"])
        conf, token = config["write_files"]
        self.assertEqual(set(data["params"]), set(re.findall(r"\$[A-Z]+", conf["content"] + token["content"])))
        self.assertEqual(conf["content"].splitlines()[1], "token_file=" + token["path"])
        for words in config["runcmd"]:
            for word in words:
                if "/hooks/" in word:
                    self.assertTrue((HOOKS / word.rpartition("/")[2]).exists(), word)

    def test_names(self):
        """Programs and units that it names are there; units of hooks and health are the agent's own."""
        units = {path.name.removesuffix(".in") for path in (HOOKS.parent / "systemd").iterdir()} | {"ece-enroll-hooks.service", "ece-enroll-health.socket"}
        for name in re.findall(r"/hooks/([\w-]+)", self.TEXT):
            self.assertTrue((HOOKS / name).exists(), name)
        for name in re.findall(r"\bece-enroll[\w@-]*\.(?:service|socket)\b", self.TEXT):
            self.assertIn(re.sub(r"@\w+", "@", name), units)
        for name in {path.name for path in Text.PROGRAMS}:
            self.assertIn("`%s`" % name, self.TEXT)

    def test_events(self):
        """Links that it says to make are in directories that are looked into."""
        for event in re.findall(r"hooks\.d/([a-z]+)", self.TEXT):
            self.assertIn(event, ("progress", "enrolled", "failed", "leaving"))


if __name__ == "__main__":
    tap.main()
