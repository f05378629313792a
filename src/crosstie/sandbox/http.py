"""Requests, responses, and the ASGI application around a system.

A system is synchronous: ``handle(request) -> response`` is plain computing and SQLite, so that a ``$batch`` can call
it for its inner requests. Everything asynchronous (reading bodies, waiting, dropping connections) stays in here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import unquote, unquote_plus

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON_TYPE = "application/json; odata.metadata=minimal"

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def to_json(value: object) -> bytes:
    """*value* as UTF-8 JSON; a Decimal becomes a number with exactly its digits."""
    return _encode(value)


def from_json(body: bytes) -> object:
    """The value of UTF-8 JSON, fractions as Decimal; raises ``msgspec.DecodeError``."""
    return _decode(body.removeprefix(b"\xef\xbb\xbf"))


class Headers(Mapping[str, str]):
    """Header fields whose names ignore case; a repeated field is joined by commas."""

    __slots__ = ("_values",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        values: dict[str, str] = {}
        for name, value in items:
            key = name.lower()
            values[key] = f"{values[key]}, {value}" if key in values else value
        self._values = values

    @classmethod
    def from_asgi(cls, raw: Iterable[tuple[bytes, bytes]]) -> "Headers":
        """The headers of an ASGI scope."""
        return cls((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values


@dataclass(slots=True)
class Request:
    """One request, whether it came alone or as part of a batch."""

    method: str
    path: str
    """Percent-decoded, with its leading slash."""
    raw_query: str = ""
    """As it came, undecoded, without the question mark."""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    base_url: str = ""
    """``scheme://host:port`` under which the client reached the server."""
    client: str = "127.0.0.1"
    raw_path: str = ""
    """The path as it came; empty where it is the same as *path*."""

    def query(self) -> dict[str, str]:
        """The query options, names and values decoded (``+`` and ``%20`` are both a blank); the last one wins."""
        out: dict[str, str] = {}
        for part in self.raw_query.split("&"):
            if part:
                name, _, value = part.partition("=")
                out[unquote_plus(name)] = unquote_plus(value)
        return out

    def json(self) -> object:
        """The body as JSON, fractions as Decimal; raises :class:`HttpError` 400 where it is none."""
        try:
            return from_json(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HttpError(error_response(400, "BadRequest", f"The body is not valid JSON: {error}")) from error


@dataclass(slots=True)
class Response:
    """One answer."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    parts: Sequence[tuple[str, str]] = ()
    """For a batch: method and address of each inner request, so that they can be counted."""


class HttpError(Exception):
    """Ends the handling of a request with the response it carries."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status} {response.body[:200].decode('utf-8', 'replace')}")
        self.response = response


Handler = Callable[[Request], Response]


def json_response(
    value: object, status: int = 200, headers: Iterable[tuple[str, str]] = (), content_type: str = JSON_TYPE
) -> Response:
    """*value* as a JSON answer."""
    return Response(status, [("Content-Type", content_type), *headers], _encode(value))


def error_response(status: int, code: str, message: str, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """An OData error body: ``{"error": {"code", "message"}}``."""
    return json_response({"error": {"code": code, "message": message}}, status, headers)


class Fault(Protocol):
    """What the ASGI application asks of a fault (see ``faults``)."""

    kind: str
    seconds: float


class FaultSource(Protocol):
    """Where the ASGI application looks for a fault before each request."""

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, if any; counts it."""

    def answer(self, fault: Fault) -> Response | None:
        """The answer that takes the place of the system's own, or None where the system is to be asked."""


class Counting(Protocol):
    """Where the ASGI application counts requests (see ``counting``)."""

    def request(self, method: str, path: str) -> None:
        """Count one request."""

    def parts(self, parts: Sequence[tuple[str, str]]) -> None:
        """Count the inner requests of a batch."""


CONTROL_ROOT = "/_sandbox"

_NO_BODY = {204, 304}


def asgi_app(
    handle: Handler,
    faults: FaultSource,
    counters: Counting,
    control: Handler | None = None,
    max_body: int = 350 * 1024 * 1024,
) -> AsgiApp:
    """The ASGI application of one system.

    *control* answers what lies under ``/_sandbox``, free of faults and counts. Faults and counts go around *handle*.
    An exception that *handle* lets through is answered with 500 and shown by the server's log.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await _lifespan(receive, send) if scope["type"] == "lifespan" else None
        body = await _read(receive, max_body)
        if body is None:
            refusal = error_response(413, "RequestTooLarge", f"A body may hold {max_body} bytes at most.")
            return await _answer(send, refusal)
        request = _request(scope, body)
        if control is not None and request.path.startswith(CONTROL_ROOT):
            return await _answer(send, _guarded(control, request))
        counters.request(request.method, request.path)
        fault = faults.take(request.method, request.path)
        if fault is None:
            response = _guarded(handle, request)
            if response.parts:
                counters.parts(response.parts)
            return await _answer(send, response)
        return await _faulty(fault, faults, handle, counters, request, receive, send)

    return app


async def _faulty(
    fault: Fault,
    faults: FaultSource,
    handle: Handler,
    counters: Counting,
    request: Request,
    receive: Receive,
    send: Send,
) -> None:
    """Answer one request that a fault hits."""
    if fault.kind == "drop_before":
        return await _drop(receive)
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    response = faults.answer(fault)
    if response is None:
        response = _guarded(handle, request)
        counters.parts(response.parts)
    if fault.kind == "drop_after":
        return await _drop(receive)
    if fault.kind == "late":
        await asyncio.sleep(fault.seconds)
    if fault.kind == "tear":
        return await _tear(response, receive, send)
    return await _answer(send, response)


def _request(scope: Scope, body: bytes) -> Request:
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    headers = Headers.from_asgi(scope["headers"])
    server = scope.get("server") or ("127.0.0.1", 0)
    host = headers.get("host") or f"{server[0]}:{server[1]}"
    client = scope.get("client")
    raw = raw_path.decode("latin-1")
    return Request(
        method=scope["method"],
        path=unquote(raw) if "%" in raw else raw,
        raw_query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        base_url=f"{scope['scheme']}://{host}",
        client=client[0] if client else "",
        raw_path=raw,
    )


def _guarded(handle: Handler, request: Request) -> Response:
    """What *handle* says, also where it says so by raising."""
    try:
        return handle(request)
    except HttpError as error:
        return error.response


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None where it is longer than *limit*."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    chunks, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
    return b"".join(chunks) if size <= limit else None


def _raw_headers(response: Response) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status not in _NO_BODY:
        headers.append((b"content-length", b"%d" % len(response.body)))
    return headers


async def _answer(send: Send, response: Response) -> None:
    await send({"type": "http.response.start", "status": response.status, "headers": _raw_headers(response)})
    body = b"" if response.status in _NO_BODY else response.body
    await send({"type": "http.response.body", "body": body})


async def _drop(receive: Receive) -> None:
    """Close the connection without a byte of an answer.

    ASGI has no word for this. Under uvicorn ``receive`` is a method of the request cycle, which holds the transport;
    once the transport is gone the server takes the application's silence for what it is.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("the connection cannot be dropped: this server does not show its transport")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        continue


async def _tear(response: Response, receive: Receive, send: Send) -> None:
    """Promise the whole body, deliver half of it, and close."""
    await send({"type": "http.response.start", "status": response.status, "headers": _raw_headers(response)})
    half = response.body[: len(response.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("the connection cannot be torn: this server does not show its transport")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        continue


async def _lifespan(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": message["type"] + ".complete"})
    await send({"type": "lifespan.shutdown.complete"})
