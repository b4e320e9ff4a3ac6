# SPDX-License-Identifier: Apache-2.0
"""Amazon's instance metadata service and Auto Scaling API, as far as a lifecycle hook goes; written from the documentation.

Metadata, version 2: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
Signature, version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
Actions and errors: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/
"""

import datetime
import hashlib
import hmac
import json
import re
import time
import urllib.parse

from service import Answer, Service

INSTANCE, REGION, GROUP, ROLE = "i-0a1b2c3d4e5f60718", "eu-central-1", "ece allocators/blue+1", "ece-host"
LAUNCHING, TERMINATING = "ece-launching", "ece-terminating"
MAX_SKEW_S = 300


class Keys:
    """What the role's credentials are at the moment."""

    def __init__(self, number=1):
        self.id = "ASIAIOSFODNN7EXAMPLE%d" % number
        self.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
        self.session = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLXdlc3QtMiJHMEUCIQ%d==" % number

    def page(self):
        return {"Code": "Success", "LastUpdated": "2026-11-28T12:00:00Z", "Type": "AWS-HMAC", "AccessKeyId": self.id,
                "SecretAccessKey": self.secret, "Token": self.session, "Expiration": "2026-11-28T18:00:00Z"}


class Metadata(Service):
    TOKENS = "/latest/api/token"

    def __init__(self, keys):
        super().__init__()
        self.keys, self.tokens = keys, {}
        self.target_state, self.spot, self.tags, self.role = "InService", None, False, ROLE

    def answer(self, request):
        # A request that a proxy has passed on is refused.
        if "X-Forwarded-For" in request.headers:
            return Answer(403)
        if request.path == self.TOKENS:
            return self._token(request)
        if self.tokens.get(request.headers.get("X-aws-ec2-metadata-token"), 0) < time.monotonic():
            return Answer(401, "Unauthorized")
        value = self._values().get(request.path.removeprefix("/latest/meta-data/"))
        return Answer(404, "<html>Not Found</html>") if value is None else Answer(200, value)

    def _token(self, request):
        life = request.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if request.method != "PUT":
            return Answer(405)
        if not life.isdigit() or not 1 <= int(life) <= 21600:
            return Answer(400)
        token = "AQAEA%d_token-%dQ==" % (len(self.tokens), id(self))
        self.tokens[token] = time.monotonic() + int(life)
        return Answer(200, token)

    def expire(self):
        with self.turn:
            self.tokens.clear()

    def _values(self):
        values = {"instance-id": INSTANCE, "placement/region": REGION, "autoscaling/target-lifecycle-state": self.target_state}
        if self.role:
            values["iam/security-credentials/"] = self.role
            values["iam/security-credentials/" + self.role] = json.dumps(self.keys.page(), indent=2)
        if self.tags:
            values["tags/instance/aws:autoscaling:groupName"] = GROUP
        if self.spot:
            values["spot/instance-action"] = json.dumps({"action": self.spot[0], "time": self.spot[1]})
        return values


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret, date, region, service, text):
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = _hmac(key, part)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def canonical(method, path, query, headers, names, body):
    """headers: pairs. The canonical request of the documentation, step 1."""
    values = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(" ".join(value.split()))
    pairs = sorted((urllib.parse.quote(k, "-_.~"), urllib.parse.quote(v, "-_.~")) for k, v in urllib.parse.parse_qsl(query, True))
    lines = [method, urllib.parse.quote(path, "/-_.~"), "&".join("=".join(pair) for pair in pairs)]
    lines += ["%s:%s" % (name, ",".join(values[name])) for name in names]
    return "\n".join([*lines, "", ";".join(names), hashlib.sha256(body).hexdigest()])


def string_to_sign(stamp, scope, request):
    return "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])


class Refused(Exception):
    """(status, code) of the API's own."""


class AutoScaling(Service):
    ACTIONS = {"CompleteLifecycleAction": {"LifecycleActionResult"}, "RecordLifecycleActionHeartbeat": set()}
    COMMON = {"Action", "Version", "AutoScalingGroupName", "LifecycleHookName", "InstanceId"}

    def __init__(self, keys, pki):
        super().__init__(pki)
        self.keys = keys
        self.active = {LAUNCHING, TERMINATING}
        self.allowed = set(self.ACTIONS)
        self.done = []  # (time, action, hook, result)
        self.refusals = []

    def answer(self, request):
        try:
            self._authenticate(request)
            return self._act(request)
        except Refused as refused:
            self.refusals.append(refused.args[1])
            return self.error(*refused.args)

    @staticmethod
    def error(status, code, message=""):
        return Answer(status, '<ErrorResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">\n  <Error>\n    <Type>Sender</Type>\n'
                      "    <Code>%s</Code>\n    <Message>%s</Message>\n  </Error>\n  <RequestId>7c6e177f-f082-11e1-ac58-3714bEXAMPLE</RequestId>\n"
                      "</ErrorResponse>" % (code, message), "text/xml")

    def _authenticate(self, request):
        form = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/(\d{8})/([a-z0-9-]+)/([a-z]+)/aws4_request, SignedHeaders=([a-z0-9;-]+), "
                            r"Signature=([0-9a-f]{64})", request.headers.get("Authorization", ""))
        if not form:
            raise Refused(403, "MissingAuthenticationToken")
        key, date, region, service, names, claimed = form.groups()
        stamp = request.headers.get("X-Amz-Date", "")
        self._check_time(stamp, date)
        if key != self.keys.id or request.headers.get("X-Amz-Security-Token") != self.keys.session:
            raise Refused(403, "InvalidClientTokenId")
        wanted = {"host"} | {n.lower() for n in request.headers if n.lower().startswith("x-amz-") or n.lower() == "content-type"}
        names = names.split(";")
        if (region, service) != (REGION, "autoscaling") or set(names) != wanted or names != sorted(names):
            raise Refused(403, "SignatureDoesNotMatch")
        text = string_to_sign(stamp, "/".join([date, region, service, "aws4_request"]),
                              canonical(request.method, request.path, "", request.headers.items(), names, request.body))
        if not hmac.compare_digest(signature(self.keys.secret, date, region, service, text), claimed):
            raise Refused(403, "SignatureDoesNotMatch")

    @staticmethod
    def _check_time(stamp, date):
        try:
            at = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        except ValueError:
            raise Refused(400, "IncompleteSignature") from None
        if abs(at.timestamp() - time.time()) > MAX_SKEW_S or not stamp.startswith(date):
            raise Refused(403, "SignatureDoesNotMatch")

    def _act(self, request):
        form = request.form
        action = form.get("Action")
        if action not in self.ACTIONS or form.get("Version") != "2011-01-01":
            raise Refused(400, "InvalidAction")
        if action not in self.allowed:
            raise Refused(403, "AccessDenied")
        if set(form) != self.COMMON | self.ACTIONS[action] or form.get("LifecycleActionResult", "CONTINUE") not in ("CONTINUE", "ABANDON"):
            raise Refused(400, "ValidationError")
        if form["AutoScalingGroupName"] != GROUP or form["InstanceId"] != INSTANCE or form["LifecycleHookName"] not in self.active:
            return self.error(400, "ValidationError", "No active Lifecycle Action found with instance ID " + form["InstanceId"])
        with self.turn:
            self.done.append((request.at, action, form["LifecycleHookName"], form.get("LifecycleActionResult")))
            if action == "CompleteLifecycleAction":
                self.active.discard(form["LifecycleHookName"])
        return Answer(200, '<%sResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">\n  <%sResult/>\n  <ResponseMetadata>\n'
                      "    <RequestId>7c6e177f-f082-11e1-ac58-3714bEXAMPLE</RequestId>\n  </ResponseMetadata>\n</%sResponse>"
                      % (action, action, action), "text/xml")

    def told(self):
        """(hook, result or None for a sign of life)"""
        with self.turn:
            return [(hook, result) for _, _, hook, result in self.done]
