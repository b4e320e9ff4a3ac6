# SPDX-License-Identifier: Apache-2.0
"""ece-enroll leave: a host goes, in the right order, as often as it is told, and never over somebody's data."""

import json
import stat

import tap
from bench import HOST_IP, EndToEnd

INFRASTRUCTURE = "/api/v1/platform/infrastructure/"
RUNNER = INFRASTRUCTURE + "runners/" + HOST_IP
ALLOCATOR = INFRASTRUCTURE + "allocators/" + HOST_IP


class Leave(EndToEnd):
    def setUp(self):
        super().setUp()
        self.hooks = self.bench.top / "hooks.d"
        self.told = self.bench.top / "told"
        self.bench.write_spec(report={"hooks_dir": str(self.hooks)})

    def leave(self, *words, **more):
        return self.bench.spoken("leave", *words, *self.bench.options(), **more)

    def there(self, *roles, **members):
        self.sim.control.add_runner(**dict({"runner_id": HOST_IP, "host_ip": HOST_IP, "roles": list(roles), "blessed": list(roles)}, **members))

    def runners(self):
        return set(self.sim.control.state()["runners"])

    def changes(self):
        return [(e["method"], e["path"]) for e in self.sim.requests() if e["method"] not in ("GET", "HEAD")]

    def assertLeft(self, result):
        code, out, err = result
        self.assertEqual(code, 0, err)
        self.assertNotIn(HOST_IP, self.runners())
        return out, err


class Goes(Leave):
    def test_an_allocator_with_instances(self):
        self.there("allocator", instances=3)
        out, err = self.assertLeft(self.leave("--yes"))
        self.assertEqual(self.changes(), [("POST", ALLOCATOR + "/maintenance-mode/_start"), ("POST", ALLOCATOR + "/clusters/_move"), ("DELETE", RUNNER)])
        for words in ("maintenance mode", "holds 3 instances (3072 MB), 0 under way", "holds 1 instance (1024 MB)", "remove the runner"):
            self.assertIn(words, err)
        self.assertIn("still on this host", out)
        # The runner went only when the allocator had been seen empty, and it was looked for afterwards.
        asked = [(e["method"], e["path"]) for e in self.sim.requests()]
        self.assertEqual(asked[-2:], [("GET", RUNNER), ("GET", ALLOCATOR)])
        self.assertEqual([event["left"] for event in self.sim.control.events("arrived")], [2, 1, 0])

    def test_other_roles(self):
        for roles in ((), ("proxy",), ("allocator",), ("allocator", "proxy")):
            self.there(*roles)
            self.assertLeft(self.leave("--yes"))

    def test_one_that_is_not_connected(self):
        self.there("allocator", connected_from=1e12)
        self.assertLeft(self.leave("--yes"))
        self.assertEqual(self.changes(), [("DELETE", RUNNER)])

    def test_a_coordinator_with_another(self):
        self.there("coordinator")
        self.sim.control.add_runner(runner_id="r2", host_ip="198.51.100.2", roles=["coordinator"], blessed=["coordinator"])
        self.assertLeft(self.leave("--yes"))
        self.assertEqual(self.runners(), {"r2"})

    def test_again(self):
        self.there("proxy")
        self.assertLeft(self.leave("--yes"))
        before = len(self.changes())
        out, _ = self.assertLeft(self.leave("--yes"))
        self.assertIn("nothing was left to be done", out)
        self.assertEqual(len(self.changes()), before)

    def test_json(self):
        self.there("proxy")
        page = json.loads(self.leave("--yes", "--json")[1])
        self.assertEqual({name: page[name] for name in ("runner_id", "left", "removed_now")}, {"runner_id": HOST_IP, "left": True, "removed_now": True})
        self.assertIs(json.loads(self.leave("--yes", "--json")[1])["removed_now"], False)

    def test_a_coordinator_that_is_away_for_a_while(self):
        self.there("allocator", instances=1)
        self.fault("status", status=503, times=3, after=2)
        self.fault("reset", times=2, after=6)
        self.assertLeft(self.leave("--yes"))

    def test_an_allocator_that_outlives_its_runner(self):
        self.there("allocator")
        self.fault("status", method="GET", path="/runners/", status=404, code="runners.runner_not_found", times=1)
        self.assertEqual(self.leave("--yes", "--timeout", "1s")[0], 76)  # connected, and so not to be deleted
        self.assertEqual(self.changes()[0], ("DELETE", ALLOCATOR))


class Stays(Leave):
    def assertUntouched(self, result, code, *words):
        self.assertEqual(result[0], code, result)
        for word in words:
            self.assertIn(word, result[2])
        self.assertEqual(self.changes(), [])
        self.assertIn(HOST_IP, self.runners())
        self.assertFalse((self.bench.state / "left").exists())

    def test_without_yes(self):
        self.there("allocator", instances=2)
        result = self.leave()
        self.assertUntouched(result, 64)
        self.assertIn("2 instances (2048 MB) would be moved", result[1])

    def test_a_director(self):
        self.there("director", "allocator")
        self.assertUntouched(self.leave("--yes"), 64, "ZooKeeper", "--force")
        self.assertUntouched(self.leave(), 64, "ZooKeeper")
        self.assertLeft(self.leave("--yes", "--force"))

    def test_the_last_coordinator(self):
        self.there("coordinator")
        self.sim.control.add_runner(runner_id="r2", host_ip="198.51.100.2", roles=["coordinator"], blessed=["coordinator"], connected_from=1e12)
        self.sim.control.add_runner(runner_id="r3", host_ip="198.51.100.3", roles=["proxy"], blessed=["proxy"])
        self.assertUntouched(self.leave("--yes"), 64, "last coordinator", "--force")
        self.assertLeft(self.leave("--yes", "--force"))

    def test_another_host_bears_our_id(self):
        self.there("allocator", host_ip="198.51.100.9")
        self.assertUntouched(self.leave("--yes", "--force"), 76, "verify.foreign-host")

    def test_no_room_elsewhere(self):
        self.there("allocator", instances=3, room_elsewhere=1)
        code, _, err = self.leave("--yes", "--timeout", "3s")
        self.assertEqual(code, 76)
        self.assertIn("for 2 of 3 the platform has found no place", err)
        self.assertIn("not enough capacity", err)
        self.assertIn("verify.instances-left", err)
        self.assertIn("stays in maintenance mode", err)
        self.assertNotIn(("DELETE", RUNNER), self.changes())
        self.sim.control.change_runner(runner_id=HOST_IP, room_elsewhere=5)
        self.assertLeft(self.leave("--yes"))  # and goes on when there is

    def test_nobody_moves_them(self):
        self.there("allocator", instances=1)
        code, _, err = self.leave("--yes", "--no-move", "--timeout", "1s")
        self.assertEqual(code, 76)
        self.assertIn("verify.instances-left", err)
        self.assertEqual(self.changes(), [("POST", ALLOCATOR + "/maintenance-mode/_start")])

    def test_refused(self):
        for method, path, status, name, code in (
                ("POST", "_start", 403, "root.unauthorized.rbac", 77), ("POST", "_move", 403, "clusters.command_prohibited", 76),
                ("DELETE", "/runners/", 400, "runners.runner_deletion_failed", 76), ("GET", "/runners/", 401, "root.unauthenticated", 77)):
            self.sim.control.clear_faults()
            self.there("allocator", instances=1)
            self.fault("status", method=method, path=path, status=status, code=name)
            result = self.leave("--yes")
            self.assertEqual(result[0], code, result)
            self.assertIn(HOST_IP, self.runners())

    def test_while_it_joins(self):
        self.bench.write_spec()
        self.engine.behave({"hold": True})
        run = self.bench.start_run()
        self.assertTrue(self.bench.containers.wait("start"))
        code, _, err = self.leave("--yes")
        self.assertEqual(code, 75)
        self.assertIn("being enrolled (INSTALLING)", err)
        self.bench.containers.release()
        self.assertEnrolled(self.bench.end(run))
        self.assertLeft(self.leave("--yes"))

    def test_nobody_answers(self):
        self.there("proxy")
        self.fault("reset")
        self.assertUntouched(self.leave("--yes", "--timeout", "1s"), 69)


class Hooks(Leave):
    def hook(self, name, body, mode=0o755):
        directory = self.hooks / "leaving"
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / name
        path.write_text("#!/bin/sh\n" + body)
        path.chmod(mode)
        return path

    def test_they_are_told(self):
        self.hook("20-second", "echo second >>%s\n" % self.told)
        self.hook("10-first", "echo $ECE_ENROLL_STATE $ECE_ENROLL_RUNNER_ID $ECE_ENROLL_ROLES ${ECE_ENROLL_DEADLINE_S:+deadline} >>%s; cat >>%s\n"
                  % (self.told, self.told))
        self.there("proxy", "allocator")
        self.bench.runtime.mkdir(exist_ok=True)
        (self.bench.runtime / "status.json").write_text('{"state":"ENROLLED"}\n')
        self.assertLeft(self.leave("--yes"))
        self.assertEqual(self.told.read_text().splitlines(),
                         ["LEAVING %s allocator,proxy deadline" % HOST_IP, '{"state":"ENROLLED"}', "second",
                          "LEFT %s allocator,proxy deadline" % HOST_IP, '{"state":"ENROLLED"}', "second"])

    def test_what_they_do_wrong_stops_nothing(self):
        self.hook("fails", "exit 3\n")
        self.hook("dies", "kill -9 $$\n")
        self.hook("open", "touch %s\n" % self.told, 0o757)
        self.hook("plain", "touch %s\n" % self.told, 0o644)
        self.hook(".hidden", "touch %s\n" % self.told)
        self.hook("backup~", "touch %s\n" % self.told)
        self.there("proxy")
        _, err = self.assertLeft(self.leave("--yes"))
        for words in ("fails: ended with exit status 3", "dies: was ended by signal 9", "writable by everybody", "plain: is not executable"):
            self.assertEqual(err.count(words), 2, err)
        self.assertFalse(self.told.exists())

    def test_they_see_no_secret(self):
        self.hook("all", "cat /proc/self/environ >>%s; ls -l /proc/self/fd >>%s\n" % (self.told, self.told))
        self.there("proxy")
        self.assertLeft(self.leave("--yes", ECE_TEST_SECRET="do not look"))
        told = self.told.read_text(errors="replace")
        self.assertNotIn("do not look", told)
        self.assertNotIn("socket:", told)


class Mark(Leave):
    def test_it_is_written_before_anything_is_done(self):
        self.there("allocator", instances=1, room_elsewhere=0)
        self.leave("--yes", "--timeout", "1s")
        mark = self.bench.state / "left"
        self.assertEqual(json.loads(mark.read_text())["runner_id"], HOST_IP)
        self.assertEqual(stat.S_IMODE(mark.stat().st_mode), 0o644)

    def test_nothing_is_done_without_it(self):
        self.there("proxy")
        self.bench.state.mkdir(exist_ok=True)
        (self.bench.state / ".left.new").mkdir()  # in the way of the file that becomes it
        (self.bench.state / ".left.new" / "x").touch()
        code, _, err = self.leave("--yes")
        self.assertEqual(code, 70)
        self.assertIn("would enroll this host again", err)
        self.assertEqual(self.changes(), [])


if __name__ == "__main__":
    tap.main()
