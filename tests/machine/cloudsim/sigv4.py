# SPDX-License-Identifier: Apache-2.0
"""AWS Signature Version 4, as a service checks it. Written from
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and held against its worked numbers.
"""

import datetime
import hashlib
import hmac
import re
import time
import urllib.parse

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_S = 300
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, *SignedHeaders=([a-z0-9;-]+), *"
                           r"Signature=([0-9a-f]{64})")


def _mac(key, words) -> bytes:
    return hmac.new(key, words.encode(), hashlib.sha256).digest()


def signing_key(secret, day, region, service) -> bytes:
    return _mac(_mac(_mac(_mac(("AWS4" + secret).encode(), day), region), service), "aws4_request")


def canonical(request, signed) -> str:
    path, _, query = request.target.partition("?")
    pairs = sorted((urllib.parse.quote(name, safe="-_.~"), urllib.parse.quote(each, safe="-_.~"))
                   for name, each in urllib.parse.parse_qsl(query, keep_blank_values=True))
    headers = "".join("%s:%s\n" % (name, " ".join(request.headers[name].split())) for name in signed)
    return "\n".join([request.method, path or "/", "&".join("%s=%s" % pair for pair in pairs), headers, ";".join(signed),
                      hashlib.sha256(request.body).hexdigest()])


def signature_of(request, signed, secret, moment, region, service) -> str:
    scope = "/".join((moment[:8], region, service, "aws4_request"))
    told = "\n".join([ALGORITHM, moment, scope, hashlib.sha256(canonical(request, signed).encode()).hexdigest()])
    return hmac.new(signing_key(secret, moment[:8], region, service), told.encode(), hashlib.sha256).hexdigest()


def objection(request, role, region, service):
    """Why this service refuses the request, or None. role: AccessKeyId, SecretAccessKey, Token."""
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    moment = request.headers.get("x-amz-date", "")
    if not found or not re.fullmatch(r"\d{8}T\d{6}Z", moment):
        return "IncompleteSignature"
    key_id, day, for_region, for_service, signed, signature = found.groups()
    signed = signed.split(";")
    if key_id != role["AccessKeyId"] or request.headers.get("x-amz-security-token") != role["Token"]:
        return "UnrecognizedClientException"
    stamp = datetime.datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
    if (day, for_region, for_service) != (moment[:8], region, service) or abs(time.time() - stamp) > SKEW_S:
        return "SignatureDoesNotMatch: scope or time"
    # "You must include the host header, any x-amz-* headers in the request".
    if signed != sorted(signed) or not {"host", *(name for name in request.headers if name.startswith("x-amz-"))} <= set(signed):
        return "SignatureDoesNotMatch: not all that has to be is signed: " + ";".join(signed)
    right = signature_of(request, signed, role["SecretAccessKey"], moment, region, service)
    return None if hmac.compare_digest(right, signature) else "SignatureDoesNotMatch"
