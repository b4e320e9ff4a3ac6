#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hosts in clouds: the real agent, its hooks run by ece-enroll, and what the cloud has heard in the end; and hosts that are to go."""

import datetime
import pathlib
import shutil
import signal
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "clouds")]

import tap  # noqa: E402
import aws  # noqa: E402
import azure  # noqa: E402
import gce  # noqa: E402
import heat  # noqa: E402
from bench import HOST_IP, EndToEnd, Scratch  # noqa: E402
from hookbench import HOOKS, SHELLS, wrapped_programs  # noqa: E402
from service import HANG, RESET, Answer  # noqa: E402

RUNNER = "/api/v1/platform/infrastructure/runners/" + HOST_IP
EVENTS = ("progress", "enrolled", "failed", "leaving")
# How soon a group hears that a host has failed for good.
ABANDON_WITHIN_S = 5


class CloudHost(EndToEnd):
    def setUp(self):
        super().setUp()
        self.pki = Scratch.get().pki
        self.hooks, self.record = self.bench.top / "hooks.d", self.bench.top / "record"
        self.programs = shutil.copytree(HOOKS, self.bench.top / "libexec")
        command = self.bench.top / "ece-enroll"
        command.write_text('#!/bin/sh\nexec %s "$@" --state-dir %s --runtime-dir %s\n' % (self.bench.programs / "ece-enroll", self.bench.state, self.bench.runtime))
        command.chmod(0o755)
        self.path = wrapped_programs(self.bench.top / "bin", self.record, {"ece-enroll": command})
        self.bench.write_spec(report={"hooks_dir": str(self.hooks)})
        self.secrets = []
        self.addCleanup(self.look_for_secrets)

    def service(self, service):
        self.addCleanup(service.close)
        return service

    def look_for_secrets(self):
        record = self.record.read_text(errors="replace")
        self.assertIn("PATH=", record)
        for secret in self.secrets:
            self.assertFalse(secret in record, "a secret is in the record")

    def configure(self, hook, **keys):
        path = self.bench.top / (hook + ".conf")
        path.write_text("".join("%s=%s\n" % item for item in keys.items()))
        return path

    def hook(self, event, name, body):
        path = self.hooks / event / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + body)
        path.chmod(0o755)

    def link(self, hook, *events, **keys):
        """In the place of the link that an administrator makes: it says where configuration and programs are."""
        path = self.configure(hook, **keys)
        for event in events or EVENTS:
            self.hook(event, "50-" + hook, "PATH=%s exec %s --conf %s\n" % (self.path, self.programs / hook, path))

    def follow(self):
        return self.bench.start("ece-enroll", "hooks", "--spec", self.bench.spec_path, "--runtime-dir", self.bench.runtime,
                                RUNTIME_DIRECTORY=str(self.bench.top / "hooks-run"))

    def there(self, *roles, **members):
        self.sim.control.add_runner(**dict({"runner_id": HOST_IP, "host_ip": HOST_IP, "roles": list(roles), "blessed": list(roles)}, **members))

    def is_gone(self):
        return HOST_IP not in self.sim.control.state()["runners"]

    def deleted_at(self):
        (entry,) = self.sim.requests("DELETE", RUNNER)
        return entry["at"]


class Aws(CloudHost):
    def setUp(self):
        super().setUp()
        self.keys = aws.Keys()
        self.metadata = self.service(aws.Metadata(self.keys))
        self.group = self.service(aws.AutoScaling(self.keys, self.pki))
        self.secrets += [self.keys.secret, self.keys.session]
        self.keys_of_conf = {"launching_hook": aws.LAUNCHING, "terminating_hook": aws.TERMINATING, "group": aws.GROUP, "metadata": self.metadata.url,
                             "endpoint": self.group.url, "ca_file": self.pki / "ca.pem", "interval": "0"}
        self.link("aws-autoscaling", **self.keys_of_conf)

    def assertAbandonedInTime(self):
        self.group.wait(lambda group: group.done and group.done[-1][3])
        at, _, hook, result = self.group.done[-1]
        since = datetime.datetime.fromisoformat(self.bench.wait_status("FAILED")["since"].replace("Z", "+00:00")).timestamp()
        self.assertEqual((hook, result), (aws.LAUNCHING, "ABANDON"))
        print("# ABANDON %.2f s after FAILED" % (at - since))
        self.assertLess(at - since, ABANDON_WITHIN_S)


class AwsJoins(Aws):
    def test_a_member(self):
        self.assertEnrolled(self.bench.run())
        *before, last = self.group.told()
        self.assertEqual(last, (aws.LAUNCHING, "CONTINUE"))
        self.assertTrue(before and set(before) == {(aws.LAUNCHING, None)}, before)

    def test_a_failure(self):
        self.fault("status", method="POST", status=401, code="root.unauthenticated")
        self.assertExit(self.bench.run(), 77, "credential.denied")
        self.assertEqual([result for _, result in self.group.told() if result], ["ABANDON"])

    def test_a_failure_is_told_in_time(self):
        """The daemon, and the hooks beside it; a hook for progress that never ends is in the way."""
        hung = self.bench.top / "hung"
        self.hook("progress", "10-hangs", "echo $$ >>%s\nexec sleep 1000\n" % hung)
        self.engine.behave(rest={"hold": True, "exit": 126})
        self.bench.socket_unit()
        self.follow()
        self.bench.daemon()
        self.assertTrue(self.bench.containers.wait("start"))
        self.bench.wait_for(lambda: hung.exists() and hung.read_text().endswith("\n"))
        self.assertTrue(pathlib.Path("/proc", hung.read_text().split()[-1]).exists())
        self.bench.containers.release()
        self.assertAbandonedInTime()

    def test_a_failure_is_told_in_time_while_a_sign_of_life_is(self):
        """The group does not answer the sign of life, and our own hook waits for it."""
        self.group.instead(HANG)
        self.engine.behave(rest={"hold": True, "exit": 126})
        self.bench.socket_unit()
        self.follow()
        self.bench.daemon()
        self.assertTrue(self.bench.containers.wait("start"))
        self.group.wait(lambda group: group.requests)
        self.bench.containers.release()
        self.assertAbandonedInTime()

    def test_a_failure_is_told_in_time_by_a_group_that_is_slow_to_hear(self):
        """The first answer is lost: the hook is run again, and that is still soon enough for most."""
        self.group.instead(RESET, method="POST")
        self.hooks.joinpath("progress/50-aws-autoscaling").unlink()
        self.engine.behave(rest={"exit": 126})
        self.bench.socket_unit()
        self.follow()
        self.bench.daemon()
        self.group.wait(lambda group: group.done)
        self.assertEqual([r.status for r in self.group.requests], [None, 200])

    def test_throttled_and_then_told_once(self):
        self.hooks.joinpath("progress/50-aws-autoscaling").unlink()
        self.group.instead(aws.AutoScaling.error(400, "Throttling"))
        self.hook("enrolled", "90-other", "echo other >>%s\n" % (self.bench.top / "other"))
        self.assertEnrolled(self.bench.run())
        self.assertEqual(self.group.told(), [(aws.LAUNCHING, "CONTINUE")])
        self.assertEqual((self.bench.top / "other").read_text(), "other\n")

    def test_refused_is_not_tried_again(self):
        self.hooks.joinpath("progress/50-aws-autoscaling").unlink()
        self.group.change(allowed=set())
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertIn("50-aws-autoscaling: ended with exit status 77", outcome.output)
        self.assertEqual(len(self.group.requests), 1)

    def test_linked(self):
        shutil.rmtree(self.hooks)
        (self.hooks / "enrolled").mkdir(parents=True)
        (self.hooks / "enrolled" / "aws").symlink_to(self.programs / "aws-autoscaling")
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        # There is no configuration in /etc/ece-enroll, which only the hook itself can have said.
        self.assertIn("hooks.d/enrolled/aws: ended with exit status 78", outcome.output)
        self.record.write_text("PATH=\n")  # nothing of it was wrapped

    def test_a_leave_by_hand(self):
        self.there("proxy")
        code, _, err = self.bench.spoken("leave", "--yes", *self.bench.options())
        self.assertEqual((code, "warning" in err), (0, False), err)
        self.assertEqual(self.group.told(), [(aws.TERMINATING, None), (aws.TERMINATING, "CONTINUE")])


class Others(CloudHost):
    def link_all(self):
        def conf(service, **more):
            return dict({"metadata": service.url, "ca_file": self.pki / "ca.pem"}, **more)
        self.azure, self.manager = self.service(azure.Metadata()), self.service(azure.Manager(self.pki))
        self.gce, self.compute = self.service(gce.Metadata()), self.service(gce.Compute(self.pki))
        self.heat, self.receiver = self.service(heat.Heat(self.pki)), self.service(heat.Receiver(self.pki, Authorization="Bearer s3cret"))
        self.secrets += [azure.TOKEN, gce.TOKEN, heat.TOKEN, "s3cret"]
        self.link("azure-scale-set", protect="yes", **conf(self.azure, endpoint=self.manager.url))
        self.link("gce-mig", on_failure="recreate", **conf(self.gce, endpoint=self.compute.url))
        self.link("openstack-heat", "enrolled", "failed", endpoint=self.heat.url + heat.ENDPOINT, ca_file=self.pki / "ca.pem",
                  token_file=self.bench.secret_file("heat-token", heat.TOKEN))
        self.link("webhook", "enrolled", "failed", url=self.receiver.url + "/", ca_file=self.pki / "ca.pem", bearer_file=self.bench.secret_file("bearer", "s3cret"))

    def test_a_member(self):
        self.link_all()
        outcome = self.bench.run()
        self.assertEnrolled(outcome)
        self.assertNotIn("hooks.d", outcome.output)
        self.assertFalse(self.manager.protected)
        self.assertEqual(self.gce.attributes, {"ece-enroll/state": "ENROLLED", "ece-enroll/reason": "none"})
        self.assertEqual(self.compute.done, [])
        self.assertEqual(self.heat.signals, {HOST_IP: ("SUCCESS", "enrolled", "allocator")})
        ((state, page),) = self.receiver.seen.values()
        self.assertEqual((state, page["state"], page["runner_id"]), ("ENROLLED", "ENROLLED", HOST_IP))

    def test_a_failure(self):
        self.link_all()
        self.fault("status", method="POST", status=401, code="root.unauthenticated")
        outcome = self.bench.run()
        self.assertExit(outcome, 77, "credential.denied")
        self.assertNotIn("hooks.d", outcome.output)
        self.assertFalse(self.manager.protected)
        self.assertEqual(self.gce.attributes, {"ece-enroll/state": "FAILED", "ece-enroll/reason": "credential.denied"})
        self.assertEqual([method for method, _ in self.compute.done], ["recreateInstances"])
        self.assertEqual(self.heat.signals, {HOST_IP: ("FAILURE", "credential.denied", "allocator")})
        ((state, page),) = self.receiver.seen.values()
        self.assertEqual((state, page["reason"]["id"]), ("FAILED", "credential.denied"))


class GoesAway(CloudHost):
    """What waits for the end, run as its unit does."""

    shell = ()

    def scale_in(self, cloud, **keys):
        return self.bench.start(self.programs / ("scale-in-" + cloud), "--conf", self.configure("scale-in", **keys), PATH=str(self.path),
                                ECE_ENROLL_SPEC=str(self.bench.spec_path), prefix=self.shell)

    def time_given(self):
        """Seconds that leave was given."""
        lines = self.record.read_text(errors="replace").splitlines()
        return int(lines[lines.index("--timeout") + 1].removesuffix("s"))

    def assertEnds(self, process, code):
        outcome = self.bench.end(process)
        self.assertEqual(outcome.code, code, outcome)
        return outcome.output


class AwsGoes(GoesAway):
    def setUp(self):
        super().setUp()
        self.keys = aws.Keys()
        self.metadata = self.service(aws.Metadata(self.keys))
        self.group = self.service(aws.AutoScaling(self.keys, self.pki))
        self.secrets += [self.keys.secret, self.keys.session]
        self.there("allocator", instances=2)

    def start(self, **more):
        return self.scale_in("aws", **dict({"terminating_hook": aws.TERMINATING, "group": aws.GROUP, "metadata": self.metadata.url,
                                            "endpoint": self.group.url, "ca_file": self.pki / "ca.pem", "interval": "0", "leave_timeout": "50"}, **more))

    def looked(self, times):
        """The target state was asked for so often more, from now on."""
        until = len(self.metadata.asked(path="target-lifecycle-state")) + times
        self.metadata.wait(lambda metadata: len([r for r in metadata.requests if "target-lifecycle-state" in r.target]) >= until)

    def test_a_group_that_scales_in(self):
        process = self.start()
        self.looked(3)
        self.metadata.expire()
        self.metadata.instead(RESET, Answer(503), Answer(401), path=self.metadata.TOKENS)
        self.metadata.instead(RESET, Answer(500, "Terminated"), path="target-lifecycle-state")
        self.looked(4)
        self.assertFalse(self.is_gone())
        self.metadata.change(target_state="Terminated")
        self.group.instead(aws.AutoScaling.error(503, "ServiceUnavailable"))
        self.assertEnds(process, 0)
        self.assertTrue(self.is_gone())
        self.assertEqual(self.group.told(), [(aws.TERMINATING, "CONTINUE")])
        self.assertGreaterEqual(self.group.done[0][0], self.deleted_at())
        self.assertEqual(self.time_given(), 50)

    def test_each_shell(self):
        """They differ in when a child that has ended is seen to have."""
        self.metadata.change(target_state="Terminated")
        for shell in SHELLS:
            self.there("proxy")
            self.group.change(active={aws.TERMINATING}, done=[])
            self.shell = (shell, "sh") if shell.endswith("busybox") else (shell,)
            self.assertEnds(self.start(), 0)
            self.assertTrue(self.is_gone())
            self.assertEqual(self.group.told(), [(aws.TERMINATING, "CONTINUE")])

    def test_a_spot_instance(self):
        process = self.start(leave_timeout="3600")
        self.looked(1)
        self.metadata.change(spot=("stop", "2026-01-01T00:00:00Z"))
        self.looked(2)
        self.assertFalse(self.is_gone())
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=120)
        self.metadata.change(spot=("terminate", at.strftime("%Y-%m-%dT%H:%M:%SZ")))
        self.assertEnds(process, 0)
        self.assertTrue(self.is_gone())
        self.assertLessEqual(self.time_given(), 110)
        self.assertGreater(self.time_given(), 60)

    def test_an_instance_for_which_there_is_no_room(self):
        """The group is not told that the host has left; its hook's time will be over."""
        self.sim.control.change_runner(runner_id=HOST_IP, room_elsewhere=0)
        self.metadata.change(target_state="Terminated")
        output = self.assertEnds(self.start(leave_timeout="1"), 76)
        self.assertIn("ece-enroll leave ends with 76", output)
        self.assertFalse(self.is_gone())
        self.assertEqual(self.group.told(), [])

    def test_one_that_may_not_leave(self):
        self.there("director")
        self.metadata.change(target_state="Terminated")
        self.assertIn("ZooKeeper", self.assertEnds(self.start(), 64))
        self.assertEqual(self.group.told(), [])

    def test_one_without_a_credential(self):
        self.bench.key_path.unlink()
        self.metadata.change(target_state="Terminated")
        self.assertNotEqual(self.bench.end(self.start()).code, 0)
        self.assertEqual((self.is_gone(), self.group.told()), (False, []))

    def test_a_group_that_does_not_hear_it(self):
        """The unit tries again, and then the leave is over at once."""
        self.metadata.change(target_state="Terminated")
        self.group.always(Answer(503))
        self.assertEnds(self.start(), 75)
        self.assertTrue(self.is_gone())
        self.group.relent()
        self.assertEnds(self.start(), 0)
        self.assertEqual(self.group.told(), [(aws.TERMINATING, "CONTINUE")])

    def test_it_is_stopped_while_it_leaves(self):
        self.sim.control.change_runner(runner_id=HOST_IP, room_elsewhere=0)
        self.metadata.change(target_state="Terminated")
        process = self.start(leave_timeout="3600")
        self.bench.wait_for(lambda: self.sim.requests("POST", "_move"))
        process.send_signal(signal.SIGTERM)
        self.assertEnds(process, 143)
        self.assertEqual([entry for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline") if self.is_our_leave(entry)], [])

    def is_our_leave(self, path):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            return False
        return b"leave" in words and str(self.bench.state).encode() in words


class AzureGoes(GoesAway):
    def setUp(self):
        super().setUp()
        self.metadata = self.service(azure.Metadata())
        self.there("proxy")

    def start(self, **more):
        return self.scale_in("azure", **dict({"metadata": self.metadata.url, "interval": "0"}, **more))

    def looked(self, times):
        until = len(self.metadata.asked(path="scheduledevents")) + times
        self.metadata.wait(lambda metadata: len([r for r in metadata.requests if "scheduledevents" in r.target]) >= until)

    def test_a_scale_set_that_scales_in(self):
        process = self.start()
        self.metadata.change(events=[azure.event(1, machines=("ece-hosts_4",)), azure.event(2, "Reboot")])
        self.metadata.instead(RESET, Answer(429), Answer(500), path="scheduledevents")
        self.looked(5)
        self.assertFalse(self.is_gone())
        ours = azure.event(3)
        self.metadata.change(events=[*self.metadata.events, ours])
        self.assertEnds(process, 0)
        self.assertTrue(self.is_gone())
        self.assertEqual(self.metadata.approved, [ours["EventId"]])
        (approval,) = self.metadata.asked("POST")
        self.assertGreaterEqual(approval.at, self.deleted_at())
        self.assertLessEqual(self.time_given(), 290)
        self.assertGreater(self.time_given(), 200)

    def test_a_spot_machine(self):
        self.metadata.change(events=[azure.event(1, "Preempt", in_s=30)])
        self.assertEnds(self.start(), 0)
        self.assertTrue(self.is_gone())
        self.assertLessEqual(self.time_given(), 20)

    def test_an_event_without_a_time(self):
        self.metadata.change(events=[dict(azure.event(1), NotBefore="")])
        self.assertEnds(self.start(leave_timeout="77"), 0)
        self.assertEqual(self.time_given(), 77)

    def test_what_has_not_left_approves_nothing(self):
        self.there("director")
        self.metadata.change(events=[azure.event(1)])
        self.assertEnds(self.start(), 64)
        self.assertEqual(self.metadata.approved, [])


class GceGoes(GoesAway):
    def setUp(self):
        super().setUp()
        self.metadata = self.service(gce.Metadata())
        self.there("proxy")

    def test_a_spot_machine(self):
        process = self.scale_in("gce", metadata=self.metadata.url, interval="0")
        self.metadata.wait(lambda metadata: metadata.requests)
        self.metadata.instead(RESET, Answer(503), Answer(200, "TRUE"), path="preempted")
        self.assertFalse(self.is_gone())
        self.metadata.change(preempted=True)
        self.assertEnds(process, 0)
        self.assertTrue(self.is_gone())
        self.assertEqual(self.time_given(), 25)
        self.assertEqual({r.query["wait_for_change"] for r in self.metadata.requests}, {"true"})
        self.assertEqual(self.metadata.asked()[-1].query["last_etag"], "0")

    def test_before_anybody_looked(self):
        self.metadata.change(preempted=True)
        self.assertEnds(self.scale_in("gce", metadata=self.metadata.url), 0)
        self.assertTrue(self.is_gone())


class Shutdown(GoesAway):
    """What systemd is about to do, as `systemctl list-jobs` has it."""

    def shut_down(self, *jobs, words=("50",)):
        text = "".join("%d %s %s waiting\n" % (n, unit, kind) for n, (unit, kind) in enumerate(jobs, 100))
        systemctl = self.path / "systemctl"
        systemctl.write_text("#!/bin/sh\n[ \"$1 $2\" = 'list-jobs --no-legend' ] || exit 1\ncat <<'EOT'\n%sEOT\n" % text.replace("waiting", "running"))
        systemctl.chmod(0o755)
        (self.path / "cat").symlink_to(shutil.which("cat")) if not (self.path / "cat").exists() else None
        self.record.write_text("")
        process = self.bench.start(self.programs / "leave-at-shutdown", *words, PATH=str(self.path), ECE_ENROLL_SPEC=str(self.bench.spec_path))
        if words:
            self.bench.wait_for(lambda: "sleep\ninfinity\n" in self.record.read_text())
            process.send_signal(signal.SIGTERM)
        return self.bench.end(process)

    def test_for_good(self):
        for target in ("poweroff", "halt"):
            self.there("proxy")
            outcome = self.shut_down(("ece-enroll-leave-at-shutdown.service", "stop"), (target + ".target", "start"), ("shutdown.target", "start"))
            self.assertEqual(outcome.code, 0, outcome)
            self.assertTrue(self.is_gone())
            self.assertEqual(self.time_given(), 50)

    def test_not_for_good(self):
        self.there("proxy")
        for jobs in ((("ece-enroll-leave-at-shutdown.service", "stop"),), (), *(((target + ".target", "start"), ("shutdown.target", "start"))
                                                                             for target in ("reboot", "kexec", "soft-reboot"))):
            self.assertEqual(self.shut_down(*jobs).code, 0)
            self.assertFalse(self.is_gone())
        self.assertEqual(self.shut_down(words=()).code, 64)


if __name__ == "__main__":
    tap.main()
