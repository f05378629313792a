"""Idempotency keys: a writing request that is sent again with its key is not carried out again."""

import asyncio
import hashlib
import re

import msgspec
import structlog

from crosstie.api.asgi import (
    SECRET,
    ASGIApp,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    header,
    principal_in,
    refuse,
)
from crosstie.api.refusing import invalid
from crosstie.app.answering import Request, begin, forget, keep
from crosstie.app.home import Home
from crosstie.model.answers import Answer

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_KEPT_HEADERS = frozenset({"content-type", "location"})
REPEATED = "Idempotency-Replayed"


class Once:
    """Wraps an application: answers that did something are kept, and given again to whoever repeats the request."""

    def __init__(self, app: ASGIApp, home: Home) -> None:
        self._app = app
        self._home = home

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        key = None if scope["type"] != "http" or scope["method"] in _READING else header(scope, b"idempotency-key")
        if key is None:
            await self._app(scope, receive, send)
            return
        try:
            if not _KEY.fullmatch(key):
                raise invalid("The Idempotency-Key is not 1 to 255 visible characters.", "Idempotency-Key")
            body = await _whole_body(receive)
            request = _request(scope, key, body)
            kept = await asyncio.to_thread(begin, self._home, request)
        except Exception as error:
            await refuse(scope, send, error)
            return
        if kept is not None:
            await answer(send, kept.status, kept.body.encode(), {**kept.headers, REPEATED: "true"})
            return
        await self._serve(scope, _Again(body, receive), send, request)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request: Request) -> None:
        recorder = _Recorder(send)
        try:
            await self._app(scope, receive, recorder)
        finally:
            # Also where whoever asked has gone meanwhile: what was done must be known when the request comes again.
            await asyncio.shield(asyncio.to_thread(self._settle, request, recorder.answer(), SECRET in scope))

    def _settle(self, request: Request, given: Answer | None, secret: bool) -> None:
        if given is None or not 200 <= given.status < 300:
            forget(self._home, request)
        elif secret:
            keep(self._home, request, Answer(status=given.status, headers=given.headers, body=_without(given.body)))
        else:
            keep(self._home, request, given)


def _request(scope: Scope, key: str, body: bytes) -> Request:
    principal = principal_in(scope)
    who = f"{principal.kind.value}:{principal.id}:{principal.name}" if principal else "nobody"
    asked = hashlib.sha256()
    for part in (scope["method"].encode(), scope["path"].encode(), scope["query_string"], body):
        asked.update(len(part).to_bytes(8, "big") + part)
    return Request(
        key=key,
        id=hashlib.sha256(f"{who}\0{key}".encode()).hexdigest(),
        digest=asked.hexdigest(),
    )


def _without(body: str) -> str:
    """Leave the secret out of an answer that is kept: it is shown once, and stored nowhere."""

    document = msgspec.json.decode(body)
    return msgspec.json.encode({**document, "secret": None}).decode()


async def _whole_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise invalid("The connection was closed before the body had come.", "$")
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


class _Again:
    """Gives a body that has been read once more, then goes on with the connection."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()


class _Recorder:
    """Sends on, and keeps what was sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = b""
        self._whole = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            found = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in message["headers"])
            self._headers = {name: value for name, value in found if name in _KEPT_HEADERS}
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            self._whole = not message.get("more_body")
        try:
            await self._send(message)
        except OSError as error:
            structlog.get_logger(__name__).info("unheard", error=str(error))

    def answer(self) -> Answer | None:
        """Return the answer, None if there was none."""
        if not self._whole:
            return None
        return Answer(status=self._status, headers=self._headers, body=self._body.decode())
