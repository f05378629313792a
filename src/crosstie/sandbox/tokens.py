"""Tokens: the endpoint that issues them and the check of those that come back.

One store serves both systems; the endpoint is served on each system's port, under the paths of Microsoft Entra.
Facts: wire-dataverse section 2, wire-businesscentral section 2.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from crosstie.sandbox.clock import Clock
from crosstie.sandbox.http import HttpError, Request, Response, error_response, json_response
from crosstie.sandbox.settings import Setting, Settings

TENANT_ID: Final = "7c0d5a1e-5b2f-4c1b-9a66-2f5f0a3c9d10"
CLIENT_ID: Final = "c2b5f6de-3a41-4d0c-8f1e-61b8a7e4d521"
CLIENT_SECRET: Final = "sandbox-client-secret"
DEVELOPMENT_TOKEN: Final = "sandbox"

_DATAVERSE = "/api/data/"
_PATH = re.compile(r"^/(?P<tenant>[^/]+)/oauth2/(?:v2\.0/)?token/?$")

SETTINGS: Final = (
    Setting("token_life_seconds", 3599, "how long a token that is issued from now on is good for"),
    Setting("accept_development_token", True, "whether the fixed token 'sandbox' is accepted"),
)

Deny = Callable[[str], Response]


def _plain_denial(reason: str) -> Response:
    return error_response(401, "Unauthorized", reason)


class Tokens:
    """Issues and checks access tokens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.settings = Settings(SETTINGS)
        self._issued: dict[str, datetime] = {}
        self._refresh: set[str] = set()

    def check(self, request: Request, deny: Deny = _plain_denial) -> HttpError | None:
        """None where the request's bearer token is good, else the error to raise: ``deny(reason)`` is its answer.

        Business Central on premises knows no tokens but users with web service keys: there HTTP Basic with any user
        and a good token as password is let in.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() == "basic" and not request.path.startswith(_DATAVERSE):
            token = _basic(token)[1]
        elif scheme.lower() != "bearer" or not token:
            return HttpError(deny("no bearer token came with the request"))
        if token == DEVELOPMENT_TOKEN and self.settings.flag("accept_development_token"):
            return None
        expires = self._issued.get(token)
        if expires is None:
            return HttpError(deny("the token is not known"))
        if expires <= self._clock.now():
            del self._issued[token]
            return HttpError(deny("the token has expired"))
        return None

    def serves(self, request: Request) -> bool:
        """Whether the request is for the token endpoint."""
        return _PATH.match(request.path) is not None

    def handle(self, request: Request) -> Response:
        """Answer the token endpoint: ``client_credentials`` and ``refresh_token``, secret in the body or by Basic."""
        if request.method != "POST":
            return _refusal(405, "invalid_request", "the token endpoint takes POST")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        client_id, secret = _credentials(request, form)
        if client_id != CLIENT_ID:
            text = f"AADSTS700016: Application with identifier '{client_id}' was not found in the directory."
            return _refusal(400, "unauthorized_client", text)
        if not secrets.compare_digest(secret.encode(), CLIENT_SECRET.encode()):
            return _refusal(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            return self._grant(refresh=False)
        if grant == "refresh_token":
            if form.get("refresh_token") not in self._refresh | {DEVELOPMENT_TOKEN}:
                return _refusal(400, "invalid_grant", "AADSTS9002313: The refresh token is not known.")
            return self._grant(refresh=True)
        text = f"AADSTS70003: The app requested an unsupported grant type '{grant}'."
        return _refusal(400, "unsupported_grant_type", text)

    def issue(self) -> str:
        """A new token that is good for ``token_life_seconds``."""
        token = secrets.token_urlsafe(24)
        self._issued[token] = self._clock.now() + timedelta(seconds=self.settings.number("token_life_seconds"))
        return token

    def revoke_all(self) -> int:
        """Make every issued token worthless; returns how many there were."""
        count = len(self._issued)
        self._issued.clear()
        return count

    def _grant(self, refresh: bool) -> Response:
        life = self.settings.number("token_life_seconds")
        answer: dict[str, object] = {
            "token_type": "Bearer",
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": self.issue(),
        }
        if refresh:
            answer["refresh_token"] = secrets.token_urlsafe(24)
            self._refresh.add(str(answer["refresh_token"]))
        return json_response(answer, headers=[("Cache-Control", "no-store")], content_type="application/json")


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret, from HTTP Basic where it is used, else from the form."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        user, password = _basic(value)
        return unquote_plus(user), unquote_plus(password)
    return form.get("client_id", ""), form.get("client_secret", "")


def _basic(value: str) -> tuple[str, str]:
    """User and password of HTTP Basic; both blank where it is garbled."""
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _refusal(status: int, error: str, description: str) -> Response:
    body = {"error": error, "error_description": description}
    return json_response(body, status, content_type="application/json")
