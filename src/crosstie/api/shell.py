"""The outermost layer: number, size limit, headers, log line and figures of every request, whatever becomes of it."""

import logging
import re
import time
from uuid import uuid4

import structlog

from crosstie.api.asgi import REQUEST_ID, ASGIApp, Message, Receive, Scope, Send, header, principal_in, refuse
from crosstie.api.figures import Figures
from crosstie.model.errors import RequestTooLarge

ACCESS = "crosstie.access"
"""The log of requests; quiet unless somebody asks for it."""
MOST_BYTES = 2 * 1024 * 1024
"""Of a request's body."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
)
"""What every answer carries that does not say otherwise itself."""


class Shell:
    """Wraps an application. `most_bytes` is the largest body that it reads."""

    def __init__(self, app: ASGIApp, figures: Figures, *, most_bytes: int = MOST_BYTES) -> None:
        self._app = app
        self._figures = figures
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # nothing here speaks anything but HTTP
            return
        given = header(scope, b"x-request-id") or ""
        number = given if _ID.fullmatch(given) else uuid4().hex
        scope[REQUEST_ID] = number
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=number)
        began = time.perf_counter()
        answered = _Answered(send, number)
        try:
            await self._serve(scope, receive, answered)
        finally:
            self._note(scope, answered.status, time.perf_counter() - began)

    async def _serve(self, scope: Scope, receive: Receive, send: "_Answered") -> None:
        limit = _Limit(receive, self._most)
        try:
            if int(header(scope, b"content-length") or 0) > self._most:
                raise limit.error()
            await self._app(scope, limit, send)
        except Exception as error:
            if send.status is not None:
                raise  # half an answer cannot be taken back; the connection is closed
            await refuse(scope, send, error)

    def _note(self, scope: Scope, status: int | None, seconds: float) -> None:
        route = str(scope.get("path_template") or "")
        self._figures.note(scope["method"], route, status or 500, seconds)
        if not logging.getLogger(ACCESS).isEnabledFor(logging.INFO):
            return
        principal = principal_in(scope)
        client = scope.get("client")
        structlog.get_logger(ACCESS).info(
            "request",
            method=scope["method"],
            path=scope["path"],
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            who=principal.name if principal else "",
            kind=principal.kind.value if principal else "",
            address=client[0] if client else "",
        )


class _Answered:
    """Sends on, adds the headers of every answer, and remembers the status."""

    def __init__(self, send: Send, number: str) -> None:
        self._send = send
        self._number = number
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = {name for name, _ in message["headers"]}
            added = [(name, value) for name, value in _HEADERS if name not in given]
            added.append((b"x-request-id", self._number.encode()))
            message["headers"] = [*message["headers"], *added]
        await self._send(message)


class _Limit:
    """Receives on, until the body is larger than it may be."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = most
        self._read = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > self._most:
                raise self.error()
        return message

    def error(self) -> RequestTooLarge:
        return RequestTooLarge(f"The body has more than {self._most:,} bytes.", most=self._most)
