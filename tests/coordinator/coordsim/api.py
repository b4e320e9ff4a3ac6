# SPDX-License-Identifier: Apache-2.0
"""The operations of the API and their routes.

Strict on purpose: unknown members and wrong types are refused, authentication comes before everything else,
an unknown path is ECE's own 404. `ROUTES` names each operation as the OpenAPI document does.
"""

import json
import re
import urllib.parse

from . import accounts, views
from .faults import Reply, failed
from .state import AUTOMATIC, ENROLLABLE

INT32_MAX = 2**31 - 1
VALIDITY_MAX_S = INT32_MAX
TOKENS = "/platform/configuration/security/enrollment-tokens"
INFRASTRUCTURE = "/platform/infrastructure"


class Refused(Exception):
    """An operation that ends in an error reply."""

    def __init__(self, status, code, message, fields=None, header=True):
        super().__init__(message)
        self.reply = failed(status, code, message, fields, header)


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        parts = urllib.parse.urlsplit(target)
        self.path = parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.caller = None
        self.taken = None  # the faults that act on it


# Bodies

def _is(kind, value) -> bool:
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= INT32_MAX
    if kind == "strings":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, kind)


def _schema_error(detail, fields=None):
    return Refused(400, "root.invalid_json_request",
                   "JSON request does not comply with schema: " + detail, fields)


def read_body(request, members, required=(), nullable=()) -> dict:
    """The request's JSON object, held against its schema."""
    if "application/json" not in request.headers.get("Content-Type", ""):
        raise _schema_error("Content-Type is not application/json")
    try:
        value = json.loads(request.body)
    except ValueError as error:
        raise _schema_error("not JSON") from error
    if not isinstance(value, dict):
        raise _schema_error("not an object")
    for name in required:
        if name not in value:
            raise _schema_error("%s is missing" % name, ["body." + name])
    for name, member in value.items():
        if name not in members:
            raise _schema_error("unknown member %s" % name, ["body." + name])
        if not (member is None and name in nullable) and not _is(members[name], member):
            raise _schema_error("%s has the wrong type" % name, ["body." + name])
    return value


# Enrollment tokens

def _invalid_token_request(message, field):
    return Refused(400, "enrollment_tokens.invalid_token_request", message, ["body." + field],
                   header=False)


def create_enrollment_token(platform, request):
    body = read_body(request, {"persistent": bool, "roles": "strings", "validity_in_seconds": int},
                     required=["persistent"], nullable=["roles"])
    roles, validity_s = body.get("roles") or [], body.get("validity_in_seconds")
    for name in roles:
        if name not in ENROLLABLE:
            raise _invalid_token_request("Unknown role [%s]" % name, "roles")
    if validity_s is not None and (body["persistent"] or validity_s <= 0):
        raise _invalid_token_request("validity_in_seconds must be positive, for ephemeral tokens only",
                                     "validity_in_seconds")

    def twist(claims):
        request.taken.twist_claims(claims, platform.clock.now())

    token, token_id = platform.mint(body["persistent"], roles, validity_s, twist)
    reply = {"token": token}
    if token_id:
        reply["token_id"] = token_id
    return Reply(200, reply)


def get_enrollment_tokens(platform, request):
    return Reply(200, {"tokens": [{"token_id": token_id, "roles": roles}
                                  for token_id, roles in platform.tokens.items()]})


def delete_enrollment_token(platform, request, token):
    if not platform.revoke(token):
        raise Refused(404, "enrollment_tokens.invalid_token_id", "Token not found", header=False)
    return Reply(200, {})


# Platform and user

def get_platform(platform, request):
    return Reply(200, views.platform_info(platform))


def get_current_user(platform, request):
    permissions = [name for name, _, _, needs, _ in ROUTES if permitted(request.caller.user, needs)]
    return Reply(200, views.user(request.caller.user, permissions))


# Runners

def _runner(platform, runner_id):
    found = platform.runners.get(runner_id)
    if found is None:
        raise Refused(404, "runners.runner_not_found", "Unable to find the %s specified runner. "
                      "Edit your request, then try again." % runner_id)
    return found


def get_runners(platform, request):
    return Reply(200, {"runners": [views.runner(platform, r) for r in platform.runners.values()
                                   if r.indexed]})


def search_runners(platform, request):
    read_body(request, {"from": int, "cursor": str, "size": int, "query": dict, "sort": list})
    return get_runners(platform, request)


def get_runner(platform, request, runner_id):
    return Reply(200, views.runner(platform, _runner(platform, runner_id)))


def delete_runner(platform, request, runner_id):
    found = _runner(platform, runner_id)
    if (found.connected and platform.refuse_connected_delete) or found.instances:
        raise Refused(400, "runners.runner_deletion_failed",
                      "The runner specified by %s could not be deleted." % runner_id)
    platform.forget(runner_id)
    platform.tell("runner-deleted", runner_id=runner_id)
    return Reply(200, {})


def set_runner_roles(platform, request, runner_id):
    found = _runner(platform, runner_id)
    body = read_body(request, {"roles": list}, required=["roles"])
    names = []
    for entry in body["roles"]:
        if not isinstance(entry, dict) or set(entry) != {"role_name"} or not _is(str, entry["role_name"]):
            raise _schema_error("a role is an object with role_name", ["body.roles"])
        names.append(entry["role_name"])
    for name in names:
        if name not in ENROLLABLE + AUTOMATIC:
            raise Refused(400, "runners.runner_set_roles_failed", "Unknown role [%s]" % name)
    found.roles = [name for name in names if name in ENROLLABLE]
    blessed = found.roles if request.query.get("bless") == "true" else [
        name for name in found.roles if platform.blessed(found, name)]
    for role in platform.roles.values():
        if role.name not in found.roles:
            role.blessings.pop(runner_id, None)
    platform.bless(found, blessed)
    return Reply(200, {"roles": [{"role_name": name} for name in list(AUTOMATIC) + found.roles]})


def resync_runner(platform, request, runner_id):
    _runner(platform, runner_id).indexed_from = 0.0
    return Reply(200, {})


def resync_runners(platform, request):
    for runner in platform.runners.values():
        runner.indexed_from = 0.0
    return Reply(202, {"results": {}})


# Blueprinter

def _role(platform, name):
    if name not in platform.roles:
        raise Refused(404, "roles.not_found", "The role can't be found.")
    return platform.roles[name]


def _role_reply(platform, role):
    return Reply(200, views.role(platform, role), {"x-cloud-resource-version": str(role.version)})


def list_blueprinter_roles(platform, request):
    return Reply(200, {"values": [views.role(platform, role) for role in platform.roles.values()]})


def get_blueprinter_role(platform, request, name):
    return _role_reply(platform, _role(platform, name))


def add_blueprinter_blessing(platform, request, name, runner_id):
    role = _role(platform, name)
    body = read_body(request, {"value": bool}, required=["value"])
    version = request.query.get("version")
    if version is not None and version != str(role.version):
        raise Refused(409, "roles.version_conflict", "Your request failed because the specified "
                      "version does not match the persisted version.")
    role.blessings[runner_id] = body["value"]
    platform.touch(role)
    return _role_reply(platform, role)


# Allocators

def _allocators(platform):
    return [r for r in platform.runners.values()
            if "allocator" in r.roles and platform.blessed(r, "allocator")]


def _allocator(platform, allocator_id):
    for found in _allocators(platform):
        if found.runner_id == allocator_id:
            return found
    raise Refused(404, "allocators.allocator_not_found",
                  "The allocator specified by %s cannot be found." % allocator_id)


def get_allocators(platform, request):
    """Nested by zone, and only a hundred unless asked for more."""
    try:
        start, size = (int(request.query.get(name, default)) for name, default in
                       (("from", 0), ("size", 100)))
    except ValueError as error:
        raise Refused(400, "root.invalid_json_request", "from and size are numbers") from error
    found = [r for r in _allocators(platform) if r.indexed]
    return Reply(200, views.allocators(platform, found[start:start + size]))


def get_allocator(platform, request, allocator_id):
    """Who looks lets time pass: with each look one of the instances under way has arrived elsewhere."""
    found = _allocator(platform, allocator_id)
    reply = Reply(200, views.allocator(platform, found))
    if found.moving > 0:
        found.moving, found.instances = found.moving - 1, found.instances - 1
        platform.tell("arrived", runner_id=allocator_id, left=found.instances)
    return reply


def delete_allocator(platform, request, allocator_id):
    found = _allocator(platform, allocator_id)
    if found.instances and request.query.get("remove_instances") != "true":
        raise Refused(400, "allocators.delete_allocator_with_instances_attempt",
                      "The allocator has instances")
    if views.allocator(platform, found)["status"]["connected"]:
        raise Refused(400, "allocators.delete_connected_allocator_attempt",
                      "The allocator is connected")
    found.instances = 0
    found.roles = [name for name in found.roles if name != "allocator"]
    return Reply(200, {})


def _maintenance(value):
    def operation(platform, request, allocator_id):
        _allocator(platform, allocator_id).maintenance = value
        platform.tell("maintenance", runner_id=allocator_id, value=value)
        return Reply(202, {})
    return operation


def move_clusters(platform, request, allocator_id):
    """One cluster for each instance. As many are planned as there is room for elsewhere; the others are named with the reason."""
    found = _allocator(platform, allocator_id)
    waiting = [views.instance(n)["cluster_id"] for n in range(found.moving, found.instances)]
    planned, refused = waiting[:found.room_elsewhere], waiting[found.room_elsewhere:]
    if request.query.get("validate_only") != "true":
        found.moving += len(planned)
        found.room_elsewhere -= len(planned)
    platform.tell("move", runner_id=allocator_id, planned=len(planned), refused=len(refused))
    moves, failures = ({name: [] for name in _MOVES} for _ in range(2))
    moves["elasticsearch_clusters"] = [{"cluster_id": one} for one in planned]
    failures["elasticsearch_clusters"] = [{"cluster_id": one, "errors": [{
        "code": "clusters.cluster_invalid_plan", "message": "There is not enough capacity to move this cluster"}]} for one in refused]
    return Reply(202, {"moves": moves, "failures": failures})


_MOVES = ("elasticsearch_clusters", "kibana_clusters", "apm_clusters", "appsearch_clusters",
          "enterprise_search_clusters")


# Proxies, coordinators

def _with_effect(platform, name):
    return [r for r in platform.runners.values() if platform.has_effect(r, name)]


def get_proxies(platform, request):
    return Reply(200, views.proxies(platform, _with_effect(platform, "proxy")))


def get_proxy(platform, request, proxy_id):
    for found in _with_effect(platform, "proxy"):
        if views.proxy_id(found) == proxy_id:
            return Reply(200, views.proxy(found))
    raise Refused(404, "proxies.proxy_not_found", "The proxy specified by %s cannot be found." % proxy_id)


def get_coordinators(platform, request):
    return Reply(200, views.coordinators(_with_effect(platform, "director")))


def get_coordinator_candidates(platform, request):
    return Reply(200, views.candidates(_with_effect(platform, "director")))


# Sessions and keys

def _session(platform, user):
    token, ends_s = platform.accounts.new_session(user)
    reply = {"token": token}
    if not platform.bare_login_reply:
        reply["session_expiration_time"] = views.moment(ends_s)
    return Reply(200, reply)


def _authentication_cluster(platform):
    if platform.no_authentication_cluster:
        raise Refused(501, "authc.no_authentication_cluster",
                      "The administrator needs to configure the authentication cluster.")


def login(platform, request):
    _authentication_cluster(platform)
    body = read_body(request, {"username": str, "password": str, "login_state": dict},
                     required=["username", "password"])
    platform.accounts.login(body["username"], body["password"])
    reply = _session(platform, platform.accounts.users[body["username"]])
    if "path" in body.get("login_state", {}):
        return Reply(302, {}, {"Location": "/sso/token#%s?state=x" % reply.value()["token"]})
    return reply


def refresh_token(platform, request):
    _authentication_cluster(platform)
    if request.caller.scheme != "Bearer":
        raise accounts.stale_session()
    return _session(platform, request.caller.user)


def logout(platform, request):
    _authentication_cluster(platform)
    platform.accounts.logout(request.caller)
    return Reply(200, {})


def create_api_key(platform, request):
    body = read_body(request, {"description": str, "expiration": str, "role_assignments": dict},
                     required=["description"])
    life = re.fullmatch(r"([0-9]{1,5})([smhd])", body.get("expiration", "90d"))
    if request.caller.user.builtin or not life or "role_assignments" in body:
        raise Refused(400, "api_keys.invalid_input",
                      "The request is invalid. Specify a different request, then try again.")
    seconds = int(life[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[life[2]]
    key = platform.accounts.add_key(request.caller.user.name, body["description"], life_s=seconds)
    return Reply(201, views.api_key(key, with_secret=True))


def _own_keys(platform, request):
    return [k for k in platform.accounts.keys.values() if k.owner is request.caller.user]


def get_api_keys(platform, request):
    return Reply(200, {"keys": [views.api_key(k) for k in _own_keys(platform, request)]})


def _own_key(platform, request, key_id):
    for key in _own_keys(platform, request):
        if key.id == key_id:
            return key
    raise Refused(404, "api_keys.key_not_found", "The %s can't be found." % key_id)


def get_api_key(platform, request, key_id):
    return Reply(200, views.api_key(_own_key(platform, request, key_id)))


def delete_api_key(platform, request, key_id):
    del platform.accounts.keys[_own_key(platform, request, key_id).id]
    return Reply(200, {})


# Routes

# What a caller needs: nothing, an account, a platform viewer's rights, an administrator's.
NOTHING, ACCOUNT, VIEW, ADMIN = range(4)

_RUNNER = INFRASTRUCTURE + "/runners/{runner_id}"
_ROLE = INFRASTRUCTURE + "/blueprinter/roles/{blueprinter_role_id}"
_ALLOCATOR = INFRASTRUCTURE + "/allocators/{allocator_id}"

# (operation id, method, path as in the OpenAPI document, need, function)
ROUTES = (
    ("create-enrollment-token", "POST", TOKENS, ADMIN, create_enrollment_token),
    ("get-enrollment-tokens", "GET", TOKENS, ADMIN, get_enrollment_tokens),
    ("delete-enrollment-token", "DELETE", TOKENS + "/{token}", ADMIN, delete_enrollment_token),
    ("get-platform", "GET", "/platform", VIEW, get_platform),
    ("get-current-user", "GET", "/user", ACCOUNT, get_current_user),
    ("get-runners", "GET", INFRASTRUCTURE + "/runners", VIEW, get_runners),
    ("search-runners", "POST", INFRASTRUCTURE + "/runners/_search", VIEW, search_runners),
    ("resync-runners", "POST", INFRASTRUCTURE + "/runners/_resync", ADMIN, resync_runners),
    ("get-runner", "GET", _RUNNER, VIEW, get_runner),
    ("delete-runner", "DELETE", _RUNNER, ADMIN, delete_runner),
    ("set-runner-roles", "PUT", _RUNNER + "/roles", ADMIN, set_runner_roles),
    ("resync-runner", "POST", _RUNNER + "/_resync", ADMIN, resync_runner),
    ("list-blueprinter-roles", "GET", INFRASTRUCTURE + "/blueprinter/roles", VIEW,
     list_blueprinter_roles),
    ("get-blueprinter-role", "GET", _ROLE, VIEW, get_blueprinter_role),
    ("add-blueprinter-blessing", "PUT", _ROLE + "/blessings/{runner_id}", ADMIN,
     add_blueprinter_blessing),
    ("get-allocators", "GET", INFRASTRUCTURE + "/allocators", VIEW, get_allocators),
    ("get-allocator", "GET", _ALLOCATOR, VIEW, get_allocator),
    ("delete-allocator", "DELETE", _ALLOCATOR, ADMIN, delete_allocator),
    ("start-allocator-maintenance-mode", "POST", _ALLOCATOR + "/maintenance-mode/_start", ADMIN,
     _maintenance(True)),
    ("stop-allocator-maintenance-mode", "POST", _ALLOCATOR + "/maintenance-mode/_stop", ADMIN,
     _maintenance(False)),
    ("move-clusters", "POST", _ALLOCATOR + "/clusters/_move", ADMIN, move_clusters),
    ("get-proxies", "GET", INFRASTRUCTURE + "/proxies", VIEW, get_proxies),
    ("get-proxy", "GET", INFRASTRUCTURE + "/proxies/{proxy_id}", VIEW, get_proxy),
    ("get-coordinators", "GET", INFRASTRUCTURE + "/coordinators", VIEW, get_coordinators),
    ("get-coordinator-candidates", "GET", INFRASTRUCTURE + "/coordinators/candidates", VIEW,
     get_coordinator_candidates),
    ("login", "POST", "/users/auth/_login", NOTHING, login),
    ("refresh-token", "POST", "/users/auth/_refresh", ACCOUNT, refresh_token),
    ("logout", "POST", "/users/auth/_logout", ACCOUNT, logout),
    ("create-api-key", "POST", "/users/auth/keys", ACCOUNT, create_api_key),
    ("get-api-keys", "GET", "/users/auth/keys", ACCOUNT, get_api_keys),
    ("get-api-key", "GET", "/users/auth/keys/{api_key_id}", ACCOUNT, get_api_key),
    ("delete-api-key", "DELETE", "/users/auth/keys/{api_key_id}", ACCOUNT, delete_api_key),
)

_COMPILED = [(re.compile(re.sub(r"\{[^}]+\}", "([^/]+)", path)), method, needs, function)
             for _, method, path, needs, function in ROUTES]
# A literal path wins over one with a parameter: `runners/_search` is no runner.
_COMPILED.sort(key=lambda route: route[0].groups)


def permitted(user, needs) -> bool:
    if user.role == accounts.ADMIN:
        return True
    return needs <= (VIEW if user.role == accounts.VIEWER else ACCOUNT)


def _local_path(path):
    """The path below /api/v1, with or without the region in it."""
    if path == "/api/v1" or path == "/api/v1/":
        return ""
    local = path[len("/api/v1"):]
    region = re.match(r"/regions/([^/]+)(/.*)", local)
    if region is None:
        return local
    if region[1] != "ece-region":
        raise Refused(404, "root.region_not_found", "Region [%s] not found" % region[1])
    return region[2]


def _find(method, local):
    for pattern, wanted, needs, function in _COMPILED:
        found = pattern.fullmatch(local)
        if found and wanted == method:
            return needs, function, [urllib.parse.unquote(group) for group in found.groups()]
    return ACCOUNT, None, []


def _answer_v1(platform, request):
    local = _local_path(request.path)
    needs, function, arguments = _find(request.method, local)
    if needs != NOTHING:
        request.caller = platform.accounts.authenticate(request.headers.get("Authorization"))
        if not permitted(request.caller.user, needs):
            raise Refused(403, "root.unauthorized.rbac", "The supplied authentication is not authorized "
                          "to access this resource. Reason: [Missing required permissions].")
    if function is None:
        raise Refused(404, "root.resource_not_found", "The requested resource could not be found")
    return function(platform, request, *arguments)


def answer(platform, request) -> Reply:
    """The reply that a request earns when nothing interferes."""
    if not re.match(r"/api/v1(/|$)", request.path):
        # The old, unsupported API and everything else.
        return Reply(401, {"ok": False, "message": "The supplied authentication is invalid"})
    try:
        with platform.lock:
            reply = _answer_v1(platform, request)
    except Refused as refused:
        reply = refused.reply
    except accounts.AuthError as error:
        reply = failed(error.status, error.code, error.message)
    if request.caller and request.caller.scheme == "ApiKey":
        reply.headers["X-Elastic-Api-Key-Expiration"] = views.moment(request.caller.key.expires_s)
    return reply
