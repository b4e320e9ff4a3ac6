# SPDX-License-Identifier: Apache-2.0
"""Who may ask: users, API keys, login sessions, and what their roles permit.

ECE takes Basic, ApiKey and Bearer. There is no role that may only enroll hosts: minting wants a full
platform admin. The built-in users can't have API keys.
"""

import base64
import binascii
import hmac
import secrets
import uuid

from . import jwt

ADMIN, VIEWER, DEPLOYER = "ece_platform_admin", "ece_platform_viewer", "ece_deployment_manager"
ROLES = (ADMIN, VIEWER, DEPLOYER)


class AuthError(Exception):
    """Refused: carries ECE's code and sentence."""

    def __init__(self, code, message, status=401):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def unauthenticated() -> AuthError:
    return AuthError("root.unauthenticated", "The supplied authentication is invalid")


def stale_session() -> AuthError:
    return AuthError("root.unauthorized", "The authentication token is invalid or expired.")


class User:
    def __init__(self, name, password, role, builtin=False):
        self.name, self.password, self.role, self.builtin = name, password, role, builtin


class Key:
    def __init__(self, owner, secret, description, created_s, expires_s):
        self.id = uuid.uuid4().hex[:20]
        self.owner, self.secret, self.description = owner, secret, description
        self.created_s, self.expires_s = created_s, expires_s


class Caller:
    """The authenticated sender of one request."""

    def __init__(self, user, scheme, key=None):
        self.user, self.scheme, self.key = user, scheme, key


class Accounts:
    def __init__(self, clock, session_life_s=3600):
        self.clock = clock
        self.session_life_s = session_life_s
        self.session_key = secrets.token_bytes(32)
        self.logged_out = set()
        self.users = {}
        self.keys = {}

    def add_user(self, name, password, role, builtin=False) -> User:
        if role not in ROLES:
            raise ValueError("unknown role %r" % role)
        self.users[name] = User(name, password, role, builtin)
        return self.users[name]

    def add_key(self, owner, description="", secret=None, life_s=90 * 86400) -> Key:
        now = self.clock.now()
        # The form of Elasticsearch's API keys: base64 of "id:secret".
        plain = "%s:%s" % (secrets.token_urlsafe(15), secrets.token_urlsafe(16))
        secret = secret or base64.b64encode(plain.encode("ascii")).decode("ascii")
        key = Key(self.users[owner], secret, description, now, now + life_s)
        self.keys[key.id] = key
        return key

    def authenticate(self, header) -> Caller:
        """The caller that an Authorization header names, or AuthError."""
        scheme, _, value = (header or "").partition(" ")
        check = {"basic": self._basic, "apikey": self._api_key, "bearer": self._bearer}.get(
            scheme.lower())
        if check is None or not value:
            raise unauthenticated()
        return check(value.strip())

    def _basic(self, value) -> Caller:
        try:
            name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise unauthenticated() from error
        if not colon:
            raise unauthenticated()
        return Caller(self._check_password(name, password), "Basic")

    def _check_password(self, name, password) -> User:
        user = self.users.get(name)
        if user is None or not hmac.compare_digest(user.password.encode(), password.encode()):
            raise unauthenticated()
        return user

    def _api_key(self, value) -> Caller:
        for key in self.keys.values():
            if hmac.compare_digest(key.secret.encode(), value.encode()):
                if key.expires_s <= self.clock.now():
                    raise unauthenticated()
                return Caller(key.owner, "ApiKey", key)
        raise unauthenticated()

    def _bearer(self, value) -> Caller:
        try:
            claims = jwt.verify(value, self.session_key)
        except jwt.BadToken as error:
            raise stale_session() from error
        if claims["exp"] <= self.clock.now() or claims["jti"] in self.logged_out:
            raise stale_session()
        return Caller(self.users[claims["sub"]], "Bearer", claims["jti"])

    def login(self, name, password):
        return self.new_session(self._check_password(name, password))

    def new_session(self, user):
        """(bearer token, second at which it ends)."""
        ends_s = self.clock.now() + self.session_life_s
        claims = {"sub": user.name, "exp": ends_s, "jti": uuid.uuid4().hex}
        return jwt.sign(claims, self.session_key), ends_s

    def logout(self, caller) -> None:
        if caller.scheme == "Bearer":
            self.logged_out.add(caller.key)
