# SPDX-License-Identifier: Apache-2.0
"""The simulator's API: authentication, tokens, joining, verification, and its strictness."""

import base64
import json
import time
import unittest

from simtest import TOKENS, SimTest, tap

from coordsim import jwt
from coordsim.join import join

INFRA = "/platform/infrastructure"


class Authentication(SimTest):
    def test_nobody_is_refused_everywhere(self):
        for path in ("", "/platform", TOKENS, INFRA + "/runners/x", "/nowhere"):
            answer = self.ask("GET", path, auth=None)
            self.assertEqual((answer.status, answer.code), (401, "root.unauthenticated"), path)

    def test_every_scheme_opens(self):
        login = self.ask("POST", "/users/auth/_login", {
            "username": "ops", "password": self.sim.credentials["ops_password"]}, auth=None)
        self.assertEqual(set(login.value), {"token", "session_expiration_time"})
        for auth in (self.key, self.sim.basic("admin"), "Bearer " + login.value["token"]):
            self.assertEqual(self.ask("GET", "/platform", auth=auth).status, 200)

    def test_wrong_credentials(self):
        wrong = "Basic " + base64.b64encode(b"admin:wrong").decode()
        for auth, code in ((wrong, "root.unauthenticated"), ("ApiKey nonsense", "root.unauthenticated"),
                           ("Basic !", "root.unauthenticated"), ("Bearer a.b.c", "root.unauthorized"),
                           ("Digest x", "root.unauthenticated")):
            answer = self.ask("GET", "/platform", auth=auth)
            self.assertEqual((answer.status, answer.code), (401, code), auth)

    def test_only_a_platform_admin_mints(self):
        for auth in (self.sim.api_key("viewer_api_key"), self.sim.basic("deployer"), self.sim.basic("readonly")):
            answer = self.ask("POST", TOKENS, {"persistent": False}, auth=auth)
            self.assertEqual((answer.status, answer.code), (403, "root.unauthorized.rbac"))

    def test_a_viewer_may_look(self):
        viewer = self.sim.api_key("viewer_api_key")
        self.assertEqual(self.ask("GET", "/platform", auth=viewer).status, 200)
        self.assertEqual(self.ask("GET", "/platform", auth=self.sim.basic("deployer")).status, 403)

    def test_key_replies_name_the_keys_end(self):
        name = "X-Elastic-Api-Key-Expiration"
        self.assertRegex(self.ask("GET", "/platform").headers[name], r"^\d{4}-")
        self.assertNotIn(name, self.ask("GET", "/platform", auth=self.sim.basic()).headers)

    def test_permissions_are_operation_ids(self):
        self.assertIn("create-enrollment-token", self.ask("GET", "/user").value["security"]["permissions"])
        viewer = self.ask("GET", "/user", auth=self.sim.api_key("viewer_api_key")).value["security"]
        self.assertIn("get-runner", viewer["permissions"])
        self.assertNotIn("create-enrollment-token", viewer["permissions"])

    def test_a_session_ends_with_logout(self):
        body = {"username": "admin", "password": self.sim.credentials["admin_password"]}
        bearer = "Bearer " + self.ask("POST", "/users/auth/_login", body, auth=None).value["token"]
        self.assertEqual(self.ask("POST", "/users/auth/_refresh", auth=bearer).status, 200)
        self.assertEqual(self.ask("POST", "/users/auth/_logout", auth=bearer).status, 200)
        self.assertEqual(self.ask("GET", "/platform", auth=bearer).status, 401)

    def test_login_with_a_path_redirects(self):
        body = {"username": "admin", "password": self.sim.credentials["admin_password"],
                "login_state": {"path": "/"}}
        self.assertEqual(self.ask("POST", "/users/auth/_login", body, auth=None).status, 302)

    def test_built_in_users_get_no_key(self):
        answer = self.ask("POST", "/users/auth/keys", {"description": "x"}, auth=self.sim.basic())
        self.assertEqual((answer.status, answer.code), (400, "api_keys.invalid_input"))
        made = self.ask("POST", "/users/auth/keys", {"description": "x", "expiration": "3h"})
        self.assertEqual(made.status, 201)
        self.assertEqual(self.ask("GET", "/user", auth="ApiKey " + made.value["key"]).status, 200)


class ShortSessions(SimTest):
    options = ("--bearer-life", "0")

    def test_a_spent_session(self):
        body = {"username": "admin", "password": self.sim.credentials["admin_password"]}
        bearer = "Bearer " + self.ask("POST", "/users/auth/_login", body, auth=None).value["token"]
        answer = self.ask("GET", "/platform", auth=bearer)
        self.assertEqual((answer.status, answer.code), (401, "root.unauthorized"))


class NoAuthenticationCluster(SimTest):
    options = ("--no-authentication-cluster",)

    def test_login_is_impossible(self):
        answer = self.ask("POST", "/users/auth/_login", {"username": "a", "password": "b"}, auth=None)
        self.assertEqual((answer.status, answer.code), (501, "authc.no_authentication_cluster"))


class Addresses(SimTest):
    def test_both_forms(self):
        self.assertEqual(self.ask("GET", "/regions/ece-region/platform").status, 200)

    def test_another_region(self):
        answer = self.ask("GET", "/regions/us-east-1/platform")
        self.assertEqual((answer.status, answer.code), (404, "root.region_not_found"))

    def test_unknown_path(self):
        answer = self.ask("GET", "/nowhere")
        self.assertEqual((answer.status, answer.code), (404, "root.resource_not_found"))

    def test_old_api(self):
        answer = self.ask("GET", "/api/v0.1/platform", raw=True)
        self.assertIs(answer.value["ok"], False)


class Tokens(SimTest):
    def test_ephemeral(self):
        asked = time.time()
        answer = self.ask("POST", TOKENS, {"persistent": False, "roles": ["allocator", "proxy"],
                                           "validity_in_seconds": 600})
        self.assertEqual(set(answer.value), {"token"})
        claims = jwt.claims_of(answer.value["token"])
        self.assertEqual(set(claims), {"sub", "roles", "iss", "exp"})
        self.assertEqual((claims["roles"], claims["iss"]), (["allocator", "proxy"], "bootstrap-initial"))
        self.assertAlmostEqual(claims["exp"], asked + 600, delta=5)

    def test_an_hour_by_default_and_null_roles(self):
        answer = self.ask("POST", TOKENS, {"persistent": False, "roles": None})
        claims = jwt.claims_of(answer.value["token"])
        self.assertEqual(claims["roles"], [])
        self.assertAlmostEqual(claims["exp"], time.time() + 3600, delta=5)

    def test_persistent_is_listed_and_revoked(self):
        made = self.ask("POST", TOKENS, {"persistent": True, "roles": ["proxy"]}).value
        claims = jwt.claims_of(made["token"])
        self.assertEqual((claims["sub"], claims["persistent"]), (made["token_id"], True))
        self.assertNotIn("exp", claims)
        self.assertIn({"token_id": made["token_id"], "roles": ["proxy"]}, self.ask("GET", TOKENS).value["tokens"])
        self.assertEqual(self.ask("DELETE", TOKENS + "/" + made["token_id"]).value, {})
        again = self.ask("DELETE", TOKENS + "/" + made["token_id"])
        self.assertEqual((again.status, again.code), (404, "enrollment_tokens.invalid_token_id"))

    def test_ephemeral_is_neither_listed_nor_revocable(self):
        before = self.ask("GET", TOKENS).value
        token = self.mint()
        self.assertEqual(self.ask("GET", TOKENS).value, before)
        self.assertEqual(self.ask("DELETE", TOKENS + "/" + token).status, 404)

    def test_bad_requests(self):
        schema, format_ = "root.invalid_json_request", "enrollment_tokens.invalid_token_request"
        for body, code in ((b"{", schema), (b"[]", schema), ({}, schema), ({"persistent": "no"}, schema),
                           ({"persistent": 0}, schema), ({"persistent": False, "roles": "proxy"}, schema),
                           ({"persistent": False, "roles": [1]}, schema),
                           ({"persistent": False, "more": 1}, schema),
                           ({"persistent": False, "validity_in_seconds": "1h"}, schema),
                           ({"persistent": False, "validity_in_seconds": 1.5}, schema),
                           ({"persistent": False, "validity_in_seconds": True}, schema),
                           ({"persistent": False, "validity_in_seconds": 2**31}, schema),
                           ({"persistent": False, "roles": ["king"]}, format_),
                           ({"persistent": False, "validity_in_seconds": 0}, format_),
                           ({"persistent": True, "validity_in_seconds": 60}, format_)):
            answer = self.ask("POST", TOKENS, body)
            self.assertEqual((answer.status, answer.code), (400, code), body)

    def test_the_media_type_matters(self):
        answer = self.ask("POST", TOKENS, '{"persistent":false}', headers={"Content-Type": "text/plain"})
        self.assertEqual(answer.status, 400)

    def test_the_log_has_the_exact_body_and_no_secret(self):
        body = '{"persistent":false, "roles":["director"]}'
        self.ask("POST", TOKENS, body)
        entry = self.sim.mints()[-1]
        self.assertEqual((entry["body"], entry["auth"], entry["status"]), (body, "ApiKey", 200))
        log = self.sim.read("requests.jsonl")
        for name, secret in self.sim.credentials.items():
            self.assertNotIn(secret, log, name)


class Joining(SimTest):
    def host(self, token, runner_id="192.0.2.10", roles="allocator", **more):
        request = {"token": token, "runner_id": runner_id, "roles": roles, "host_ip": "192.0.2.10",
                   "zone": "ece-zone-1b", "version": "4.0.3"}
        return join(self.sim.join, dict(request, **more))

    def runner(self, runner_id="192.0.2.10"):
        return self.ask("GET", INFRA + "/runners/" + runner_id)

    def blessing(self, role, runner_id="192.0.2.10"):
        value = self.ask("GET", INFRA + "/blueprinter/roles/" + role).value
        return value["blessings"]["value"]["runner_ids_to_blessing"].get(runner_id, {}).get("value")

    def pending(self, role, runner_id="192.0.2.10"):
        value = self.ask("GET", INFRA + "/blueprinter/roles/" + role).value
        return value["pending"]["value"]["runner_ids_to_pending_state"][runner_id]["value"]

    def tearDown(self):
        for runner in self.ask("GET", INFRA + "/runners").value["runners"]:
            self.ask("DELETE", INFRA + "/runners/" + runner["runner_id"])

    def test_before(self):
        answer = self.runner()
        self.assertEqual((answer.status, answer.code), (404, "runners.runner_not_found"))

    def test_a_good_one_is_listed_blessed_effective(self):
        self.assertTrue(self.host(self.mint(["allocator", "proxy", "director"]),
                                  roles="allocator,proxy,director")["accepted"])
        view = self.runner().value
        self.assertTrue(view["connected"] and view["healthy"])
        self.assertEqual((view["zone"], view["build_info"]["version"]), ("ece-zone-1b", "4.0.3"))
        self.assertEqual({r["role_name"] for r in view["roles"]},
                         {"allocator", "proxy", "director", "beats-runner", "services-forwarder"})
        for role in ("allocator", "proxy", "director"):
            self.assertIs(self.blessing(role), True)
        self.assertIsNone(self.blessing("coordinator"))
        self.assertTrue(self.ask("GET", INFRA + "/allocators/192.0.2.10").value["status"]["connected"])
        self.assertEqual(self.ask("GET", INFRA + "/proxies").value["proxies"][0]["runner_id"], "192.0.2.10")
        self.assertEqual(len(self.ask("GET", INFRA + "/coordinators").value["coordinators"]), 1)

    def test_the_trap(self):
        """A token without the role: the host joins, the role is listed and not granted."""
        self.assertTrue(self.host(self.mint(["proxy"]), roles="allocator,proxy")["accepted"])
        self.assertIn({"role_name": "allocator"}, self.runner().value["roles"])
        self.assertEqual((self.blessing("allocator"), self.blessing("proxy")), (False, True))
        self.assertEqual(self.ask("GET", INFRA + "/allocators/192.0.2.10").status, 404)
        put = self.ask("PUT", INFRA + "/runners/192.0.2.10/roles?bless=true",
                       {"roles": [{"role_name": "allocator"}]})
        self.assertEqual(put.status, 200)
        self.assertIs(self.blessing("allocator"), True)
        self.assertIsNone(self.blessing("proxy"))

    def test_without_roles(self):
        self.assertTrue(self.host(self.mint([]), roles="")["accepted"])
        self.assertEqual({r["role_name"] for r in self.runner().value["roles"]},
                         {"beats-runner", "services-forwarder"})

    def test_rejections(self):
        good = self.mint()
        head, claims, _ = good.split(".")
        forged = jwt.sign(jwt.claims_of(good), b"another key")
        self.sim.control.fault("exp-past", times=1)
        expired = self.mint()
        revoked = self.ask("POST", TOKENS, {"persistent": True, "roles": []}).value
        self.ask("DELETE", TOKENS + "/" + revoked["token_id"])
        for token, more, code in ((forged, {}, "token.invalid"), (head + "." + claims + ".x", {}, "token.invalid"),
                                  (None, {}, "token.invalid"), (expired, {}, "token.expired"),
                                  (revoked["token"], {}, "token.revoked"),
                                  (good, {"version": "4.1.0"}, "version.mismatch"),
                                  (good, {"runner_id": ""}, "host.incomplete"),
                                  (good, {"roles": "allocator, proxy"}, "host.role")):
            answer = self.host(token, **more)
            self.assertEqual((answer["accepted"], answer.get("code")), (False, code))
        self.assertEqual(self.runner().status, 404)

    def test_a_token_works_more_than_once(self):
        token = self.mint()
        self.assertTrue(self.host(token)["accepted"])
        self.assertTrue(self.host(token, "other", host_ip="192.0.2.11")["accepted"])

    def test_one_id_one_host(self):
        token = self.mint()
        self.host(token)
        self.assertEqual(self.host(token, host_ip="192.0.2.99")["code"], "host.duplicate")

    def test_faults_of_joining(self):
        for action, check in (
                ("no-bless", lambda: self.assertIs(self.blessing("allocator"), False)),
                ("unhealthy", lambda: self.assertIs(self.runner().value["healthy"], False)),
                ("foreign-host", lambda: self.assertNotEqual(self.runner().value["host_ip"], "192.0.2.10")),
                ("never-connected", lambda: self.assertIs(self.runner().value["connected"], False)),
                ("wrong-zone", lambda: self.assertNotEqual(self.runner().value["zone"], "ece-zone-1b")),
                ("wrong-version", lambda: self.assertNotEqual(
                    self.runner().value["build_info"]["version"], "4.0.3")),
                ("unlisted-role", lambda: self.assertNotIn({"role_name": "allocator"}, self.runner().value["roles"])),
                ("additional-role", lambda: self.assertIn({"role_name": "proxy"}, self.runner().value["roles"])),
                ("pending", lambda: self.assertIs(self.pending("allocator"), True)),
                ("maintenance", lambda: self.assertTrue(self.ask(
                    "GET", INFRA + "/allocators/192.0.2.10").value["status"]["maintenance_mode"])),
                ("never-indexed", lambda: self.assertEqual(
                    self.ask("GET", INFRA + "/runners").value["runners"], [])),
                ("reject", lambda: self.assertEqual(self.runner().status, 404))):
            with self.subTest(action):
                self.sim.control.fault(action, event="join", times=1)
                self.host(self.mint())
                check()
                self.ask("DELETE", INFRA + "/runners/192.0.2.10")

    def test_a_disconnected_allocator_looks_healthy(self):
        self.sim.control.fault("never-effective", event="join", times=1)
        self.host(self.mint())
        status = self.ask("GET", INFRA + "/allocators/192.0.2.10").value["status"]
        self.assertEqual((status["connected"], status["healthy"]), (False, True))

    def test_role_objects_hold_secrets(self):
        body = self.ask("GET", INFRA + "/blueprinter/roles/allocator").body.decode()
        self.assertIn(self.sim.credentials["secret_in_roles"], body)

    def test_version_conflict(self):
        self.host(self.mint())
        path = INFRA + "/blueprinter/roles/proxy/blessings/192.0.2.10"
        self.assertEqual(self.ask("PUT", path + "?version=0", {"value": True}).code, "roles.version_conflict")
        version = self.ask("GET", INFRA + "/blueprinter/roles/proxy").headers["x-cloud-resource-version"]
        self.assertEqual(self.ask("PUT", path + "?version=" + version, {"value": True}).status, 200)
        self.assertEqual(self.ask("GET", INFRA + "/blueprinter/roles/king").code, "roles.not_found")

    def test_leaving(self):
        self.host(self.mint())
        self.sim.control.change_runner(runner_id="192.0.2.10", instances=2)
        allocator = INFRA + "/allocators/192.0.2.10"
        self.assertEqual(self.ask("DELETE", INFRA + "/runners/192.0.2.10").code, "runners.runner_deletion_failed")
        self.assertEqual(self.ask("POST", allocator + "/maintenance-mode/_start").status, 202)
        self.assertTrue(self.ask("GET", allocator).value["status"]["maintenance_mode"])
        self.assertEqual(self.ask("POST", allocator + "/clusters/_move").status, 202)
        for left in (2, 1, 0):  # one arrives with each look
            self.assertEqual(len(self.ask("GET", allocator).value["instances"]), left)
        self.assertEqual(self.ask("DELETE", allocator).code, "allocators.delete_connected_allocator_attempt")
        self.assertEqual(self.ask("DELETE", INFRA + "/runners/192.0.2.10").status, 200)

    def test_a_preset_stale_runner(self):
        self.sim.control.add_runner(runner_id="old", host_ip="192.0.2.50", roles=["proxy"], connected=False)
        self.assertIs(self.runner("old").value["connected"], False)
        self.sim.control.change_runner(runner_id="old", connected=True)
        self.assertIs(self.runner("old").value["connected"], True)


class Delays(SimTest):
    options = ("--join-delay", "0.3", "--index-lag", "60")

    def test_connected_after_a_while_and_indexed_later(self):
        join(self.sim.join, {"token": self.mint([]), "runner_id": "r", "host_ip": "192.0.2.9",
                             "version": "4.0.3"})
        path = INFRA + "/runners/r"
        self.assertIs(self.ask("GET", path).value["connected"], False)
        deadline = time.monotonic() + 10
        while not self.ask("GET", path).value["connected"]:
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(self.ask("GET", INFRA + "/runners").value["runners"], [])
        self.ask("POST", path + "/_resync")
        self.assertEqual(len(self.ask("GET", INFRA + "/runners").value["runners"]), 1)


class SeveralCoordinators(SimTest):
    options = ("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--clock-offset", "7200")

    def test_they_share_everything(self):
        self.assertEqual(len(self.sim.urls), 2)
        made = self.ask("POST", TOKENS, {"persistent": True, "roles": []}, listener=0).value
        listed = self.ask("GET", TOKENS, listener=1).value["tokens"]
        self.assertIn(made["token_id"], json.dumps(listed))

    def test_the_platforms_clock_is_its_own(self):
        claims = jwt.claims_of(self.mint())
        self.assertAlmostEqual(claims["exp"], time.time() + 7200 + 3600, delta=10)


if __name__ == "__main__":
    tap.main()
