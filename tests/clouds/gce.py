# SPDX-License-Identifier: Apache-2.0
"""Compute Engine's metadata server with guest attributes, and the methods of instance groups that a host may ask for.

https://cloud.google.com/compute/docs/metadata/querying-metadata
https://cloud.google.com/compute/docs/metadata/manage-guest-attributes
https://cloud.google.com/compute/docs/reference/rest/v1/instanceGroupManagers
"""

import time

from service import Answer, Service, as_json

PROJECT, ZONE, NAME, TOKEN = "123456789012", "europe-west3-a", "ece-hosts-x7k2", "ya29.c.EXAMPLE_access-token.0123456789"
GROUP = "projects/%s/zones/%s/instanceGroupManagers/ece-hosts" % (PROJECT, ZONE)
ATTRIBUTES = "instance/guest-attributes/"
QUESTIONS_A_MINUTE = 10


class Metadata(Service):
    def __init__(self):
        super().__init__()
        self.attributes, self.writes = {}, []
        self.created_by, self.account, self.enabled, self.preempted = GROUP, True, True, False

    def answer(self, request):
        if request.headers.get("Metadata-Flavor") != "Google" or "X-Forwarded-For" in request.headers:
            return Answer(403, "<html>Missing Metadata-Flavor:Google header</html>", "text/html")
        path = request.path.removeprefix("/computeMetadata/v1/")
        if path.startswith(ATTRIBUTES):
            return self._attribute(request, path.removeprefix(ATTRIBUTES))
        if path == "instance/preempted":
            return self._preempted(request)
        if path == "instance/service-accounts/default/token" and self.account:
            return as_json(200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
        value = {"instance/name": NAME, "instance/zone": "projects/%s/zones/%s" % (PROJECT, ZONE),
                 "instance/attributes/created-by": self.created_by}.get(path)
        return Answer(200, value, "application/text", ETag="5f3c") if value else Answer(404, "<html>Not Found</html>", "text/html")

    def _attribute(self, request, name):
        with self.turn:
            now = time.monotonic()
            self.writes = [at for at in self.writes if at > now - 60] + [now]
            if not self.enabled:
                return Answer(403, "Guest attributes endpoint access is disabled.")
            if len(self.writes) > QUESTIONS_A_MINUTE:
                return Answer(429, "Too many requests")
            if request.method != "PUT" or name.count("/") != 1:
                return Answer(400)
            self.attributes[name] = request.body.decode()
            return Answer(200)

    def _preempted(self, request):
        def etag():
            return "e%d" % self.preempted
        with self.turn:
            if request.query.get("wait_for_change") == "true" and request.query.get("last_etag") == etag():
                self.turn.wait_for(lambda: request.query["last_etag"] != etag(), int(request.query.get("timeout_sec", 30)))
            return Answer(200, "TRUE" if self.preempted else "FALSE", "application/text", ETag=etag(), Metadata_Flavor="Google")


class Compute(Service):
    def __init__(self, pki):
        super().__init__(pki)
        self.allowed, self.done = True, []

    def answer(self, request):
        if request.headers.get("Authorization") != "Bearer " + TOKEN:
            return as_json(401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}})
        if not self.allowed:
            return as_json(403, {"error": {"code": 403, "message": "Required 'compute.instanceGroupManagers.update' permission"}})
        group, _, method = request.path.removeprefix("/compute/v1/").rpartition("/")
        if request.method != "POST" or group != GROUP or method not in ("recreateInstances", "deleteInstances"):
            return as_json(404, {"error": {"code": 404}})
        with self.turn:
            self.done.append((method, request.json["instances"]))
        return as_json(200, {"kind": "compute#operation", "status": "RUNNING"})
