# SPDX-License-Identifier: Apache-2.0
"""ece-enroll token: the platform's roles tokens by hand. What is asked, what is printed where, what is spared."""

import json
import os
import pty
import subprocess

import tap
from bench import EndToEnd
from coordsim import jwt
from coordsim.process import TOKENS

EMERGENCY = ("coordinator", "director", "proxy")


class Tokens(EndToEnd):
    def token(self, *words, **environment):
        return self.bench.spoken("token", *words, "--spec", self.bench.spec_path, **environment)

    def make(self, *roles):
        """A persistent one, made by somebody else: its identifier."""
        answer = self.sim.ask("POST", TOKENS, {"persistent": True, "roles": list(roles)}, auth=self.sim.api_key())
        return answer.value["token_id"]

    def listed(self):
        answer = self.sim.ask("GET", TOKENS, auth=self.sim.api_key())
        return {token["token_id"]: token["roles"] for token in answer.value["tokens"]}

    def calls(self):
        return [(entry["method"], entry["path"]) for entry in self.sim.requests() if TOKENS in entry["path"]]

    def minted(self):
        return self.sim.control.events("mint")


class Create(Tokens):
    def test_any_roles(self):
        for words, roles in ((("--role", "allocator"), ["allocator"]), (("--role", "proxy", "--role", "allocator"), ["allocator", "proxy"]),
                             (("--role", "allocator,director,coordinator,proxy"), ["allocator", "coordinator", "director", "proxy"]),
                             (("--role", "allocator", "proxy"), ["allocator", "proxy"]), (("--role", "none"), [])):
            code, out, err = self.token("create", *words)
            self.assertEqual(code, 0, err)
            self.assertEqual(out.count("\n"), 1)
            claims = jwt.claims_of(out.strip())
            self.assertEqual(sorted(claims["roles"]), roles)
            self.assertIn("can't be revoked", err)
            self.assertEqual(self.minted()[-1]["persistent"], False)
            self.assertNotIn(out.strip(), err)
        self.assertEqual(self.listed(), {})

    def test_its_life(self):
        now = int(jwt.claims_of(self.token("create", "--role", "allocator")[1].strip())["exp"])
        soon = int(jwt.claims_of(self.token("create", "--role", "allocator", "--validity", "20m")[1].strip())["exp"])
        self.assertTrue(2400 - 60 <= now - soon <= 2400, now - soon)  # 1 h is the spec's default

    def test_a_persistent_one(self):
        code, out, err = self.token("create", "--role", "proxy", "--persistent")
        self.assertEqual(code, 0, err)
        claims = jwt.claims_of(out.strip())
        self.assertEqual((claims["roles"], "exp" in claims), (["proxy"], False))
        self.assertEqual(self.listed(), {claims["sub"]: ["proxy"]})
        self.assertIn("ece-enroll token delete " + claims["sub"], err)

    def test_json(self):
        code, out, err = self.token("create", "--role", "proxy", "--persistent", "--json")
        page = json.loads(out)
        self.assertEqual((code, page["roles"], page["persistent"], page["remaining_s"]), (0, ["proxy"], True, None))
        self.assertEqual(jwt.claims_of(page["token"])["sub"], page["token_id"])
        page = json.loads(self.token("create", "--role", "proxy", "--validity", "10m", "--json")[1])
        self.assertEqual((page["persistent"], page["token_id"]), (False, None))
        self.assertTrue(590 <= page["remaining_s"] <= 600)

    def on_a_terminal(self, *words):
        ours, theirs = pty.openpty()
        done = subprocess.run([self.bench.programs / "ece-enroll", "token", "create", *words, "--spec", self.bench.spec_path], stdout=theirs,
                              stderr=subprocess.PIPE, text=True, env=self.bench.environment(), check=False)
        os.close(theirs)
        try:
            out = os.read(ours, 65536).decode()
        except OSError:
            out = ""
        os.close(ours)
        return done.returncode, out, done.stderr

    def test_a_terminal_gets_none_unless_asked_for(self):
        code, out, err = self.on_a_terminal("--role", "allocator")
        self.assertEqual((code, out), (64, ""))
        self.assertIn("--show", err)
        self.assertEqual(self.minted(), [])
        code, out, err = self.on_a_terminal("--role", "allocator", "--show")
        self.assertEqual(code, 0, err)
        self.assertEqual(jwt.claims_of(out.strip())["roles"], ["allocator"])

    def test_calls_that_mean_nothing(self):
        for words in ((), ("--persistent",), ("--role", "alocator"), ("--role", "allocator", "root"), ("--role", ""), ("--role", "allocator,"),
                      ("--role", "proxy", "--persistent", "--validity", "1h"), ("--role", "proxy", "--validity", "59s"),
                      ("--role", "proxy", "--validity", "soon"), ("--role", "proxy", "--validity", "400d")):
            code, out, err = self.token("create", *words)
            self.assertEqual((code, out), (64, ""), words)
            self.assertNotEqual(err, "")
        self.assertEqual(self.calls(), [])

    def test_a_reply_that_is_lost(self):
        self.fault("drop-after-read", method="POST", times=1)
        code, out, err = self.token("create", "--role", "proxy", "--persistent")
        self.assertEqual((code, out), (69, ""))
        self.assertIn("ece-enroll token list", err)

    def test_nowhere_to_write(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([self.bench.programs / "ece-enroll", "token", "create", "--role", "proxy", "--persistent", "--spec",
                                   self.bench.spec_path], stdout=full, stderr=subprocess.PIPE, text=True, env=self.bench.environment(), check=False)
        self.assertEqual(done.returncode, 70)
        (identity,) = self.listed()
        self.assertIn("token delete " + identity, done.stderr)  # it exists, and somebody has to know

    def test_who_may_not(self):
        self.fault("status", status=403, code="root.unauthorized.rbac")
        code, out, err = self.token("create", "--role", "proxy")
        self.assertEqual((code, out), (77, ""))
        self.assertIn("credential.not-permitted", err)


class Listing(Tokens):
    def test_none(self):
        code, out, err = self.token("list")
        self.assertEqual((code, out), (0, ""))
        self.assertIn("no persistent", err)
        self.assertEqual(json.loads(self.token("list", "--json")[1]), {"tokens": []})

    def test_kinds(self):
        ordinary, emergency, roleless = self.make("allocator", "proxy"), self.make(*EMERGENCY), self.make()
        code, out, err = self.token("list")
        self.assertEqual((code, err), (0, ""))
        lines = {line.split()[0]: line.split()[1:] for line in out.splitlines()[1:]}
        self.assertEqual(lines, {ordinary: ["ordinary", "allocator,proxy"], emergency: ["emergency", "coordinator,director,proxy"],
                                 roleless: ["role-less", "none"]})
        page = json.loads(self.token("list", "--json")[1])["tokens"]
        self.assertEqual({token["token_id"]: token["kind"] for token in page},
                         {ordinary: "ordinary", emergency: "emergency", roleless: "role-less"})
        self.assertEqual(sorted(page[0]), ["kind", "other_roles", "roles", "token_id"])

    def test_no_credential(self):
        self.bench.write_spec(credential=None, token={"source": "file", "path": "/nonexistent"}, verify={"by": "local"})
        code, out, err = self.token("list")
        self.assertEqual((code, out), (77, ""))
        self.assertIn("credential.missing", err)


class Delete(Tokens):
    def test_several_at_once(self):
        first, second, third = (self.make(role) for role in ("allocator", "proxy", "director"))
        code, out, err = self.token("delete", first, third)
        self.assertEqual(code, 0, err)
        self.assertEqual(out.splitlines(), ["%s deleted, and not listed any more" % one for one in (first, third)])
        self.assertEqual(self.listed(), {second: ["proxy"]})
        self.assertNotIn("last", err)
        # The list was read before and after.
        self.assertEqual([method for method, _ in self.calls()][-5:], ["GET", "DELETE", "DELETE", "GET", "GET"])  # the last one is ours

    def test_the_last_one(self):
        code, _, err = self.token("delete", self.make("proxy"))
        self.assertEqual(code, 0)
        self.assertIn("last persistent token", err)
        self.assertIn("token create", err)

    def test_two_kinds_are_spared(self):
        for roles, why in ((EMERGENCY, "save the installation when all coordinators are lost"), ((), "has no roles")):
            spared, other = self.make(*roles), self.make("proxy")
            code, out, err = self.token("delete", other, spared)
            self.assertEqual((code, out), (64, ""))
            self.assertIn(why, err)
            self.assertIn("--force", err)
            self.assertEqual(set(self.listed()), {spared, other})  # not the other one either
            code, _, err = self.token("delete", other, spared, "--force")
            self.assertEqual(code, 0, err)
            self.assertEqual(self.listed(), {})

    def test_one_that_is_not_there(self):
        here = self.make("proxy")
        code, out, err = self.token("delete", "00000000-0000-0000-0000-000000000000", here)
        self.assertEqual(code, 78)
        self.assertIn("platform.token-unknown", err)
        self.assertIn(here, out)
        self.assertEqual(self.listed(), {})

    def test_json(self):
        here, other = self.make("proxy"), self.make("proxy")
        code, out, _ = self.token("delete", here, "nowhere", "--json")
        self.assertEqual(code, 78)
        self.assertEqual(json.loads(out), {"deleted": [here], "unknown": ["nowhere"], "remaining": 1})
        self.assertEqual(set(self.listed()), {other})

    def test_one_that_stays(self):
        here = self.make("proxy")
        self.fault("value", method="DELETE")
        code, _, err = self.token("delete", here)
        self.assertEqual(code, 76)
        self.assertIn("token.still-listed", err)

    def test_the_second_is_refused(self):
        first, second = self.make("proxy"), self.make("director")
        self.fault("status", path=TOKENS + "/" + second, status=403, code="root.unauthorized.rbac")
        code, out, err = self.token("delete", first, second)
        self.assertEqual(code, 77)
        self.assertIn(first, out)
        self.assertIn("credential.not-permitted", err)
        self.assertEqual(set(self.listed()), {second})

    def test_a_token_is_no_identifier(self):
        answer = self.sim.ask("POST", TOKENS, {"persistent": True, "roles": ["proxy"]}, auth=self.sim.api_key())
        for word in (answer.value["token"], "../runners/x", "a/b", "..", ""):
            code, out, err = self.token("delete", word)
            self.assertEqual((code, out), (64, ""), word)
            self.assertNotIn(answer.value["token"], err)
        self.assertEqual(set(self.listed()), {answer.value["token_id"]})


class Calls(Tokens):
    def test_that_mean_nothing(self):
        for words, told in (((), "create, list or delete"), (("creat",), "did you mean 'create'"), (("delete",), "which one"),
                            (("list", "all"), "too many"), (("prune", "--older=30d"), ""), (("prune",), "can't be pruned by age")):
            code, out, err = self.token(*words)
            self.assertEqual((code, out), (64, ""))
            self.assertIn(told, err)
        self.assertEqual(self.calls(), [])

    def test_help(self):
        self.assertIn("token create", self.bench.spoken("token", "--help")[1])


if __name__ == "__main__":
    tap.main()
