# SPDX-License-Identifier: Apache-2.0
"""Stores of secrets, each a service for web.Web, by the host that it answers for. Each gives one secret to one identity.

AWS    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
Azure  https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
GCE    https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
"""

import base64
import json

from cloudsim import sigv4
from cloudsim.metadata import PROJECT, REGION
from cloudsim.web import text, value

AMAZON = "application/x-amz-json-1.1"


class SecretsManager:
    host = "secretsmanager.%s.amazonaws.com" % REGION

    def __init__(self, metadata, name, secret):
        self.metadata, self.name, self.secret, self.objections = metadata, name, secret, []

    def __call__(self, request):
        objection = sigv4.objection(request, self.metadata.role, REGION, "secretsmanager")
        if objection:
            self.objections.append(objection)
            return value({"__type": objection}, 400, AMAZON)
        if request.headers.get("x-amz-target") != "secretsmanager.GetSecretValue" or request.headers.get("content-type") != AMAZON:
            return value({"__type": "UnknownOperationException"}, 400, AMAZON)
        if json.loads(request.body) != {"SecretId": self.name}:
            return value({"__type": "ResourceNotFoundException"}, 400, AMAZON)
        return value({"ARN": "arn:aws:secretsmanager:%s:123456789012:secret:%s-a1b2c3" % (REGION, self.name), "CreatedDate": 1.7e9,
                      "Name": self.name, "SecretString": self.secret, "VersionId": "EXAMPLE1",
                      "VersionStages": ["AWSCURRENT"]}, 200, AMAZON)


class _Bearer:
    """What goes by the token of the machine's identity."""

    def __init__(self, metadata, name, secret):
        self.metadata, self.name, self.secret, self.objections = metadata, name, secret, []
        self.not_yet = 0  # so many requests come before the identity's role has reached the store

    def __call__(self, request):
        if self.not_yet > 0:
            self.not_yet -= 1
            return value({"error": {"code": 403}}, 403)
        if request.headers.get("authorization") != "Bearer " + self.metadata.access_token:
            self.objections.append("no bearer token, or a wrong one")
            return value({"error": {"code": 401}}, 401)
        return self.give(request) or value({"error": {"code": 404}}, 404)


class KeyVault(_Bearer):
    host = "ece-vault.vault.azure.net"

    def give(self, request):
        if request.method != "GET" or request.path != "/secrets/" + self.name or "api-version" not in request.query:
            return None
        return value({"value": self.secret, "id": "https://%s%s/4387e9f3d6e14c459867679a90fd0f79" % (self.host, request.path),
                      "attributes": {"enabled": True, "created": 1493938410, "recoveryLevel": "Recoverable+Purgeable"}})


class SecretManager(_Bearer):
    host = "secretmanager.googleapis.com"

    def give(self, request):
        if request.method != "GET" or request.path != "/v1/projects/%s/secrets/%s/versions/latest:access" % (PROJECT, self.name):
            return None
        return value({"name": "projects/1/secrets/%s/versions/1" % self.name,
                      "payload": {"data": base64.b64encode(self.secret.encode()).decode(), "dataCrc32c": "1"}})


class ByHost:
    """One server for several names."""

    def __init__(self, *services):
        self.services = {service.host: service for service in services}
        self.names = list(self.services)

    def __call__(self, request):
        service = self.services.get(request.headers.get("host"))
        return service(request) if service else text("", 404)
