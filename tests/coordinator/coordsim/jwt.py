# SPDX-License-Identifier: Apache-2.0
"""JSON Web Tokens with HS256, as ECE's roles tokens and login sessions use them."""

import base64
import hashlib
import hmac
import json

# Member order and spacing are those of the tokens that Elastic's documentation shows.
HEADER = {"typ": "JWT", "alg": "HS256"}


class BadToken(ValueError):
    """Not a token, or not one that was signed with our key."""


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _compact(value) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("utf-8")


def _signature(signed: str, key: bytes) -> str:
    return _encode(hmac.new(key, signed.encode("ascii"), hashlib.sha256).digest())


def sign(claims: dict, key: bytes) -> str:
    signed = _encode(_compact(HEADER)) + "." + _encode(_compact(claims))
    return signed + "." + _signature(signed, key)


def claims_of(token: str) -> dict:
    """Decodes without looking at the signature."""
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise BadToken("a token has three parts")
    try:
        header, claims = (json.loads(_decode(part)) for part in parts[:2])
    except (ValueError, UnicodeDecodeError) as error:
        raise BadToken("the token can't be decoded") from error
    if not isinstance(header, dict) or header.get("alg") != "HS256" or not isinstance(claims, dict):
        raise BadToken("not an HS256 token")
    return claims


def verify(token: str, key: bytes) -> dict:
    claims = claims_of(token)
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature, _signature(signed, key)):
        raise BadToken("the signature does not match")
    return claims
