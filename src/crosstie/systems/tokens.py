"""Access tokens by OAuth 2 client credentials: one request to the token address, kept until shortly before its end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import msgspec

from crosstie.model.connections import Connection
from crosstie.model.errors import CredentialsRefused, GarbledAnswer, InvalidConnection
from crosstie.systems.answers import Answer, excerpt, is_html, refusal, without_correlation

_ENTRA = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_EARLIER = 120.0
"""Seconds before its end at which a token counts as spent; a tenth of its life where that is less."""

Post = Callable[[str, dict[str, str], bytes], Awaitable[Answer]]


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float = 3599


class _Denied(msgspec.Struct):
    error: Any = ""
    error_description: str = ""


class Tokens:
    """Gives the bearer token of a connection. Several requests that need a new one share one."""

    def __init__(
        self, connection: Connection, scope: str, post: Post, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        if not connection.token_url and not connection.tenant_id:
            raise InvalidConnection(f"The connection {connection.name} has neither a tenant nor a token address.")
        self._url = connection.token_url or _ENTRA.format(tenant=connection.tenant_id)
        self._name = connection.name
        self._client_id = connection.client_id
        self._form = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": connection.client_id,
                "client_secret": connection.secret,
                "scope": scope,
            }
        ).encode()
        self._post = post
        self._now = now
        self._token = ""
        self._ends_at = 0.0
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        """Return a token that is good for the next request. Raises CredentialsRefused with the system's words."""
        if self._now() < self._ends_at:
            return self._token
        async with self._lock:
            if self._now() >= self._ends_at:
                await self._renew()
            return self._token

    def forget(self, token: str) -> None:
        """Drop a token that the system no longer takes; one that was renewed meanwhile stays."""
        if token == self._token:
            self._ends_at = 0.0

    async def _renew(self) -> None:
        answer = await self._post(self._url, _HEADERS, self._form)
        if 400 <= answer.status < 500 and not is_html(answer):
            raise CredentialsRefused(
                f"{self._name}: the sign-in of client {self._client_id} was refused: {_reason(answer)}",
                status=answer.status,
            )
        try:
            granted = msgspec.json.decode(answer.body, type=_Granted, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GarbledAnswer(f"The token address {self._url} gives no token: {excerpt(answer.body)}") from error
        self._token = granted.access_token
        self._ends_at = self._now() + granted.expires_in - min(_EARLIER, granted.expires_in / 10)


def _reason(answer: Answer) -> str:
    try:
        denied = msgspec.json.decode(answer.body, type=_Denied)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return excerpt(answer.body)
    if isinstance(denied.error, dict):
        return refusal(answer.body, answer.status).message
    return without_correlation(denied.error_description or str(denied.error) or f"status {answer.status}")
