# SPDX-License-Identifier: Apache-2.0
"""
Holds the simulator against Elastic's published OpenAPI document, of which extracts may lie in the directory
named by ECE_OPENAPI_DIR or in ../shared/ece/openapi beside the tree. Every route must be an operation of the
document, every reply must have its shape and no member that it does not know.
"""

import datetime
import json
import os
import pathlib
import unittest

from simtest import TOKENS, SimTest, tap

from coordsim.api import ROUTES
from coordsim.join import join

TOP = pathlib.Path(__file__).resolve().parents[2]
DIRECTORY = pathlib.Path(os.environ.get("ECE_OPENAPI_DIR") or TOP.parent / "shared" / "ece" / "openapi")

TYPES = {"string": str, "boolean": bool, "array": list, "object": dict, "number": (int, float), "integer": int}
BITS = {"int32": 31, "int64": 63}


class Document:
    """All extracts as one."""

    def __init__(self, directory):
        self.paths, self.definitions = {}, {}
        for path in sorted(directory.glob("*.json")):
            part = json.loads(path.read_text())
            self.definitions.update(part.get("definitions", {}))
            for name, operations in part.get("paths", {}).items():
                self.paths.setdefault(name, {}).update(operations)

    def operation(self, operation_id):
        for path, operations in self.paths.items():
            for method, operation in operations.items():
                if isinstance(operation, dict) and operation.get("operationId") == operation_id:
                    return method.upper(), path, operation
        return None

    def complaints(self, schema, value, where="$"):
        """Where value is not of the schema, in words. Data nests no deeper than the schemas do."""
        if "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        kind = schema.get("type", "object")
        if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            return ["%s: %s wanted, %r found" % (where, kind, value)]
        return {"object": self._object, "array": self._array}.get(kind, self._scalar)(schema, value, where)

    def _object(self, schema, value, where):
        known, more = schema.get("properties", {}), schema.get("additionalProperties")
        found = ["%s.%s is missing" % (where, n) for n in schema.get("required", []) if n not in value]
        for name, member in value.items():
            inner = known.get(name, more if isinstance(more, dict) else None)
            if inner is not None:
                found += self.complaints(inner, member, where + "." + name)
            elif known or more is None and "properties" in schema:
                found.append("%s.%s is unknown" % (where, name))
        return found

    def _array(self, schema, value, where):
        return [c for n, item in enumerate(value)
                for c in self.complaints(schema["items"], item, "%s[%d]" % (where, n))]

    @staticmethod
    def _scalar(schema, value, where):
        if "enum" in schema and value not in schema["enum"]:
            return ["%s: %r is none of %s" % (where, value, schema["enum"])]
        bits = BITS.get(schema.get("format"))
        if bits and not -2**bits <= value < 2**bits:
            return ["%s: %r is no %s" % (where, value, schema["format"])]
        if schema.get("format") == "date-time":
            try:
                datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ")
            except ValueError:
                return ["%s: %r is no date-time" % (where, value)]
        return []


@unittest.skipUnless(DIRECTORY.is_dir(), "no OpenAPI extracts in %s (ECE_OPENAPI_DIR names another place)" % DIRECTORY)
class OpenApi(SimTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.document = Document(DIRECTORY)
        cls.host = {"token": None, "runner_id": "192.0.2.10", "host_ip": "192.0.2.10", "version": "4.0.3",
                    "roles": "allocator,coordinator,director,proxy", "zone": "z"}

    def setUp(self):
        super().setUp()
        token = self.mint(["allocator", "coordinator", "director", "proxy"])
        self.assertTrue(join(self.sim.join, dict(self.host, token=token))["accepted"])
        self.sim.control.change_runner(runner_id="192.0.2.10", instances=0, maintenance=False)

    def check(self, operation_id, body=None, query="", status=200, auth="", **path_parameters):
        """Asks as the document says and holds the reply against it."""
        method, path, operation = self.document.operation(operation_id)
        for name, value in path_parameters.items():
            path = path.replace("{%s}" % name, value)
        self.assertNotIn("{", path)
        answer = self.ask(method, path + query, body, auth=auth)
        self.assertEqual(answer.status, status, answer.body)
        response = operation["responses"].get(str(status))
        schema = response["schema"] if response else {"$ref": "#/definitions/BasicFailedReply"}
        self.assertEqual(self.document.complaints(schema, answer.value), [])
        # The codes of the authorisation layer ("root.") are documented for few operations and come from all.
        if response and status >= 400 and not answer.code.startswith("root."):
            self.assertIn(answer.code, response["description"])
            if "x-cloud-error-codes" in response.get("headers", {}):
                self.assertEqual(answer.headers["x-cloud-error-codes"], answer.code)
        return answer.value

    def test_every_route_is_documented(self):
        for operation_id, method, path, _, _ in ROUTES:
            with self.subTest(operation_id):
                known = self.document.operation(operation_id)
                self.assertIsNotNone(known)
                self.assertEqual((method, path), known[:2])

    def test_tokens(self):
        self.check("create-enrollment-token", {"persistent": False, "roles": ["proxy"], "validity_in_seconds": 60})
        made = self.check("create-enrollment-token", {"persistent": True})
        self.check("create-enrollment-token", {"persistent": False, "roles": ["king"]}, status=400)
        self.check("create-enrollment-token", {"persistent": False}, status=401, auth=None)
        self.check("create-enrollment-token", {"persistent": False}, status=403, auth=self.sim.basic("readonly"))
        self.check("get-enrollment-tokens")
        self.check("delete-enrollment-token", token=made["token_id"])
        self.check("delete-enrollment-token", token=made["token_id"], status=404)

    def test_the_documented_refusals_as_faults(self):
        self.sim.control.fault("status", path=TOKENS, times=1, status=403, codes_header=False,
                               code="enrollment_tokens.signing_key_not_found")
        self.check("create-enrollment-token", {"persistent": False}, status=403)

    def test_platform_and_user(self):
        self.check("get-platform")
        self.check("get-current-user")

    def test_runners(self):
        self.check("get-runner", runner_id="192.0.2.10")
        self.check("get-runner", runner_id="nobody", status=404)
        self.check("get-runners")
        self.check("search-runners", {"size": 10})
        self.check("resync-runner", runner_id="192.0.2.10")
        self.check("resync-runners", status=202)
        self.check("set-runner-roles", {"roles": [{"role_name": "proxy"}]}, "?bless=true", runner_id="192.0.2.10")
        self.check("set-runner-roles", {"roles": [{"role_name": "king"}]}, runner_id="192.0.2.10", status=400)
        self.check("delete-runner", runner_id="192.0.2.10")
        self.check("delete-runner", runner_id="192.0.2.10", status=404)

    def test_blueprinter(self):
        self.check("list-blueprinter-roles")
        for role in ("allocator", "coordinator", "director", "proxy", "beats-runner"):
            self.check("get-blueprinter-role", blueprinter_role_id=role)
        self.check("get-blueprinter-role", blueprinter_role_id="king", status=404)
        where = {"blueprinter_role_id": "proxy", "runner_id": "192.0.2.10"}
        self.check("add-blueprinter-blessing", {"value": True}, **where)
        self.check("add-blueprinter-blessing", {"value": True}, "?version=0", status=409, **where)

    def test_allocators(self):
        where = {"allocator_id": "192.0.2.10"}
        self.sim.control.change_runner(runner_id="192.0.2.10", instances=2)
        self.check("get-allocators")
        self.check("get-allocator", **where)
        self.check("get-allocator", allocator_id="nobody", status=404)
        self.check("delete-allocator", status=400, **where)
        self.check("start-allocator-maintenance-mode", status=202, **where)
        self.check("stop-allocator-maintenance-mode", status=202, **where)
        self.check("move-clusters", status=202, **where)

    def test_proxies_and_coordinators(self):
        found = self.check("get-proxies")["proxies"]
        self.check("get-proxy", proxy_id=found[0]["proxy_id"])
        self.check("get-proxy", proxy_id="nobody", status=404)
        self.check("get-coordinators")
        self.check("get-coordinator-candidates")

    def test_sessions_and_keys(self):
        good = {"username": "ops", "password": self.sim.credentials["ops_password"]}
        bearer = "Bearer " + self.check("login", good)["token"]
        self.check("login", dict(good, password="wrong"), status=401)
        self.check("refresh-token", auth=bearer)
        self.check("refresh-token", status=401)
        self.check("logout", auth=bearer)
        made = self.check("create-api-key", {"description": "x"}, status=201)
        self.check("create-api-key", {"description": "x", "expiration": "soon"}, status=400)
        self.check("get-api-keys")
        self.check("get-api-key", api_key_id=made["id"])
        self.check("delete-api-key", api_key_id=made["id"])
        self.check("get-api-key", api_key_id=made["id"], status=404)


class Checker(unittest.TestCase):
    """The checker itself can say no."""

    DOCUMENT = Document(pathlib.Path("/nonexistent"))
    SCHEMA = {"type": "object", "required": ["a"], "properties": {
        "a": {"type": "integer", "format": "int32"}, "b": {"type": "array", "items": {"type": "string"}},
        "c": {"type": "string", "enum": ["x"]}, "d": {"type": "string", "format": "date-time"}}}

    def test_it_complains(self):
        for value in ({}, {"a": True}, {"a": "1"}, {"a": 2**31}, {"a": 1, "z": 1}, {"a": 1, "b": [1]},
                      {"a": 1, "c": "y"}, {"a": 1, "d": "now"}, []):
            self.assertNotEqual(self.DOCUMENT.complaints(self.SCHEMA, value), [], value)
        self.assertEqual(self.DOCUMENT.complaints(self.SCHEMA, {"a": 1, "b": ["x"], "c": "x"}), [])


if __name__ == "__main__":
    tap.main()
