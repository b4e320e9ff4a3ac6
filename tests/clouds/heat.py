# SPDX-License-Identifier: Apache-2.0
"""A wait condition's handle of OpenStack Heat, native and as CloudFormation has it, and a receiver of webhooks.

https://docs.openstack.org/heat/latest/template_guide/openstack.html#OS::Heat::WaitConditionHandle
"""

from service import Answer, Service, as_json

TOKEN = "gAAAAABnEXAMPLE-token_of-keystone=="
SIGNATURE = "kq%2FEXAMPLEsignature%3D"
ENDPOINT = "/v1/0123456789abcdef/stacks/ece/7d3a/resources/handle/signal"
SIGNED = ("/v1/waitcondition/arn%3Aopenstack%3Aheat%3A%3A0123%3Astacks%2Fece%2F7d3a%2Fresources%2Fhandle?Timestamp=2026-11-28T12%3A00%3A00Z"
          "&SignatureMethod=HmacSHA256&AWSAccessKeyId=EXAMPLE&SignatureVersion=2&Signature=" + SIGNATURE)


class Heat(Service):
    def __init__(self, pki):
        super().__init__(pki)
        self.signals = {}

    def answer(self, request):
        if request.path == ENDPOINT and request.method == "POST":
            if request.headers.get("X-Auth-Token") != TOKEN:
                return as_json(401, {"error": {"message": "The request you have made requires authentication."}})
            names = ("id", "status", "reason", "data")
        elif request.target == SIGNED and request.method == "PUT":
            names = ("UniqueId", "Status", "Reason", "Data")
        else:
            return as_json(403 if "Signature" in request.target else 404, {})
        signal = request.json
        if request.headers.get("Content-Type") != "application/json" or set(signal) != set(names) or signal[names[1]] not in ("SUCCESS", "FAILURE"):
            return as_json(400, {})
        with self.turn:
            self.signals[signal[names[0]]] = tuple(signal[name] for name in names[1:])
        return as_json(200, {})


class Receiver(Service):
    def __init__(self, pki, **headers):
        super().__init__(pki)
        self.wanted, self.seen = {name.replace("_", "-"): value for name, value in headers.items()}, {}

    def answer(self, request):
        if any(request.headers.get(name) != value for name, value in self.wanted.items()):
            return Answer(401)
        with self.turn:
            self.seen[request.headers["Idempotency-Key"]] = (request.headers["ECE-Enroll-State"], request.json)
        return Answer(204)
