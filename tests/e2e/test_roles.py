# SPDX-License-Identifier: Apache-2.0
"""ece-enroll roles: seen, set, verified; and what is refused."""

import json

import tap
from bench import HOST_IP, EndToEnd
from coordsim.process import TOKENS


class Roles(EndToEnd):
    def roles(self, *words):
        return self.bench.spoken("roles", *words, "--spec", self.bench.spec_path)

    def there(self, *roles, blessed=(), **members):
        self.sim.control.add_runner(**dict({"runner_id": HOST_IP, "host_ip": HOST_IP, "roles": list(roles), "blessed": list(blessed)}, **members))

    def seen(self):
        page = json.loads(self.roles("--json")[1])
        return {role["role"]: (role["listed"], role["blessed"]) for role in page["roles"]}

    def listed(self):
        answer = self.sim.ask("GET", "/platform/infrastructure/runners/" + HOST_IP, auth=self.sim.api_key())
        return [role["role_name"] for role in answer.value["roles"]]

    def changes(self):
        return [entry["path"] for entry in self.sim.requests() if entry["method"] not in ("GET", "HEAD")]


class Shown(Roles):
    def test_a_member(self):
        self.there("allocator", "proxy", blessed=["proxy"])
        code, out, err = self.roles()
        self.assertEqual((code, err), (0, ""))
        rows = {line.split()[0]: line.split()[1:4] for line in out.splitlines()[3:]}
        self.assertEqual(rows, {"allocator": ["yes", "no", "no"], "coordinator": ["no", "no", "no"], "director": ["no", "no", "no"],
                                "proxy": ["yes", "yes", "no"]})
        self.assertEqual(self.seen(), {"allocator": (True, False), "coordinator": (False, False), "director": (False, False), "proxy": (True, True)})
        self.assertEqual(self.changes(), [])

    def test_nobody(self):
        code, out, err = self.roles()
        self.assertEqual((code, out), (76, ""))
        self.assertIn("verify.runner-not-found", err)

    def test_another_runner(self):
        self.there(runner_id="r2", host_ip="198.51.100.7")
        page = json.loads(self.roles("--runner-id", "r2", "--json")[1])
        self.assertEqual((page["runner_id"], page["host_ip"]), ("r2", "198.51.100.7"))

    def test_another_host_bears_our_id(self):
        self.there("allocator", host_ip="198.51.100.7")
        code, _, err = self.roles("--set", "allocator")
        self.assertEqual(code, 76)
        self.assertIn("verify.foreign-host", err)
        self.assertEqual(self.changes(), [])


class Set(Roles):
    def test_after_a_role_less_join(self):
        answer = self.sim.ask("POST", TOKENS, {"persistent": False, "roles": []}, auth=self.sim.api_key())
        token = self.bench.secret_file("token", answer.value["token"])
        self.bench.write_spec(credential=None, token={"source": "file", "path": str(token)}, verify={"by": "local"}, host={"roles": []})
        self.assertEnrolled(self.bench.run())
        self.assertNotIn("allocator", self.listed())
        self.bench.write_spec()
        code, out, err = self.roles("--set", "allocator")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"(?m)^allocator +yes +yes +no +yes$")
        self.assertEqual(self.listed(), ["beats-runner", "services-forwarder", "allocator"])
        self.assertEnrolled(self.bench.run(), installs=1)  # and so the agent sees it

    def test_others_go_and_the_systems_own_stay(self):
        self.there("proxy", "coordinator", blessed=["proxy", "coordinator"])
        for words, now in ((("--set", "allocator", "proxy"), ["allocator", "proxy"]), (("--set=allocator,director",), ["allocator", "director"]),
                           (("--set", "none", "--force"), [])):
            code, _, err = self.roles(*words)
            self.assertEqual(code, 0, err)
            self.assertEqual(sorted(self.listed()), sorted(["beats-runner", "services-forwarder"] + now))

    def test_nothing_to_do(self):
        self.there("allocator", blessed=["allocator"])
        code, _, err = self.roles("--set", "allocator")
        self.assertEqual(code, 0)
        self.assertIn("nothing to do", err)
        self.assertEqual(self.changes(), [])

    def test_listed_and_not_blessed_is_something_to_do(self):
        self.there("allocator")
        self.assertEqual(self.roles("--set", "allocator")[0], 0)
        self.assertEqual(self.seen()["allocator"], (True, True))

    def test_the_director_is_not_taken_away(self):
        self.there("director", "allocator", blessed=["director", "allocator"])
        code, out, err = self.roles("--set", "allocator")
        self.assertEqual((code, out), (64, ""))
        self.assertIn("ZooKeeper", err)
        self.assertEqual(self.changes(), [])
        self.assertEqual(self.roles("--set", "allocator", "--force")[0], 0)

    def test_combinations_that_are_advised_against(self):
        self.there()
        code, _, err = self.roles("--set", "allocator,coordinator")
        self.assertEqual(code, 0)
        self.assertIn("warning", err)

    def test_no_effect(self):
        self.there()
        self.fault("status", method="GET", path="/blueprinter/roles/allocator", status=503)
        code, _, err = self.roles("--set", "allocator", "--timeout", "1s")
        self.assertNotEqual(code, 0)
        self.sim.control.clear_faults()
        self.there()
        self.fault("value", method="PUT")  # says yes and does nothing
        code, out, err = self.roles("--set", "allocator", "--timeout", "1ms")
        self.assertEqual(code, 76, err)
        self.assertIn("verify.role-missing", err)
        self.assertRegex(out, r"(?m)^allocator +no")  # what is there is shown all the same

    def test_refused(self):
        self.there()
        for status, name, code in ((400, "runners.runner_set_roles_failed", 78), (403, "root.unauthorized.rbac", 77)):
            self.sim.control.clear_faults()
            self.fault("status", method="PUT", status=status, code=name)
            self.assertEqual(self.roles("--set", "allocator")[0], code)

    def test_calls_that_mean_nothing(self):
        for words in (("--set", "alocator"), ("allocator",), ("--set", "allocator", "root"), ("--set", ""), ("--runner-id", "a/b"),
                      ("--runner-id", ""), ("--timeout", "0", "--set", "proxy")):
            self.assertEqual(self.roles(*words)[0], 64, words)
        self.assertEqual(self.sim.requests("", "/runners"), [])


if __name__ == "__main__":
    tap.main()
