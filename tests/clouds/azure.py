# SPDX-License-Identifier: Apache-2.0
"""Azure's instance metadata service with scheduled events, and the part of its resource manager that protects an instance.

https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events
https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-instance-protection
"""

import email.utils
import time

from service import Answer, Service, as_json

NAME, TOKEN = "ece-hosts_3", "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwcyJ9.c2VjcmV0LXNpZ25hdHVyZQ"
RESOURCE = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/ece/providers/Microsoft.Compute/virtualMachineScaleSets/ece-hosts/virtualMachines/3"


def event(number, kind="Terminate", machines=(NAME,), in_s=300, status="Scheduled"):
    return {"EventId": "602d9444-d2cd-49c7-8624-8643e717%04d" % number, "EventStatus": status, "EventType": kind, "ResourceType": "VirtualMachine",
            "Resources": list(machines), "NotBefore": email.utils.formatdate(time.time() + in_s, usegmt=True),
            "Description": 'Virtual machine is going to be deleted (the "EventType" of [%s])' % kind, "EventSource": "User", "DurationInSeconds": -1}


class Metadata(Service):
    def __init__(self):
        super().__init__()
        self.events, self.approved, self.identity, self.resource = [], [], True, RESOURCE

    def answer(self, request):
        if request.headers.get("Metadata") != "true" or "X-Forwarded-For" in request.headers:
            return as_json(400, {"error": "Bad request. Required metadata header not specified"})
        if "api-version" not in request.query:
            return as_json(400, {"error": "Bad request. api-version was not specified in the request"})
        if request.path == "/metadata/scheduledevents":
            return self._events(request)
        if request.path == "/metadata/identity/oauth2/token":
            return self._token(request)
        text = {"/metadata/instance/compute/name": NAME, "/metadata/instance/compute/resourceId": self.resource}.get(request.path)
        return Answer(200, text) if text and request.query.get("format") == "text" else Answer(404)

    def _events(self, request):
        with self.turn:
            if request.method == "GET":
                return as_json(200, {"DocumentIncarnation": 1, "Events": self.events})
            ids = [start["EventId"] for start in request.json["StartRequests"]]
            if not set(ids) <= {e["EventId"] for e in self.events}:
                return as_json(400, {"error": "no such event"})
            self.approved += ids
            self.events = [e for e in self.events if e["EventId"] not in ids]
            return Answer(200)

    def _token(self, request):
        if request.query.get("resource") != "https://management.azure.com/":
            return as_json(400, {"error": "invalid_resource"})
        if not self.identity:
            return as_json(400, {"error": "invalid_request", "error_description": "Identity not found"})
        return as_json(200, {"access_token": TOKEN, "client_id": "", "expires_in": "86399", "resource": request.query["resource"], "token_type": "Bearer"})


class Manager(Service):
    def __init__(self, pki):
        super().__init__(pki)
        self.protected, self.allowed = False, True

    def answer(self, request):
        if request.headers.get("Authorization") != "Bearer " + TOKEN:
            return as_json(401, {"error": {"code": "AuthenticationFailed"}})
        if not self.allowed:
            return as_json(403, {"error": {"code": "AuthorizationFailed"}})
        if request.path != RESOURCE or "api-version" not in request.query:
            return as_json(404, {"error": {"code": "ResourceNotFound"}})
        with self.turn:
            if request.method == "PUT":
                self.protected = request.json["properties"]["protectionPolicy"]["protectFromScaleIn"]
            policy = {"protectionPolicy": {"protectFromScaleIn": True}} if self.protected else {}
        return as_json(200, {"name": NAME, "instanceId": "3", "properties": dict({"latestModelApplied": True}, **policy)})
