"""``$batch``: many requests in one multipart body (wire-dataverse section 11).

The parser is made for speed and takes what clients really send: CRLF or LF, blank lines too many, boundaries with or
without quotes, a missing epilogue.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from crosstie.sandbox.dataverse.address import resolve_reference
from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, Refusal
from crosstie.sandbox.http import Headers, Request, Response

MAX_PARTS: Final = 1000

Dispatch = Callable[[Request, dict[str, str]], Response]
"""Answers one inner request, given the addresses behind the Content-IDs so far."""

_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_REQUEST_LINE = re.compile(r"([A-Za-z]+)\s+(\S.*?)(?:\s+HTTP/\d(?:\.\d)?)?\s*")
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
_REASONS: Final = {
    200: "OK",
    201: "Created",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    412: "Precondition Failed",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One inner request; *address* is as it was written."""

    method: str
    address: str
    headers: Headers
    body: bytes
    content_id: str | None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Inner requests that are carried out all or none."""

    parts: tuple[Part, ...]


def parse(content_type: str, body: bytes) -> list[Part | ChangeSet]:
    """The parts of a batch in order; raises :class:`Refusal` 400 on a malformed one."""
    items: list[Part | ChangeSet] = []
    for headers, content in _sections(content_type, body):
        kind = headers.get("content-type", "")
        if kind.lower().startswith("multipart/mixed"):
            inner = [_part(inside, text) for inside, text in _sections(kind, content)]
            items.append(ChangeSet(tuple(inner)))
        else:
            items.append(_part(headers, content))
    return items


def _sections(content_type: str, body: bytes) -> Iterator[tuple[Headers, bytes]]:
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise _malformed(f"the Content-Type '{content_type}' names no boundary")
    delimiter = b"--" + (match[1] or match[2]).encode("latin-1")
    pieces = re.split(rb"(?:^|\r?\n)" + re.escape(delimiter) + rb"(?=--|[ \t]*\r?\n|\s*$)", body)
    if len(pieces) < 2:
        raise _malformed("the boundary does not occur in the body")
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return
        if piece.strip():
            yield _split_headers(piece.lstrip(b" \t"))


def _split_headers(piece: bytes) -> tuple[Headers, bytes]:
    """The headers of a section, and what follows the blank line behind them."""
    text = piece.lstrip(b"\r\n")
    match = _BLANK.search(text)
    head, rest = (text, b"") if match is None else (text[: match.start()], text[match.end() :])
    lines = (line.partition(":") for line in head.decode("utf-8", "replace").splitlines() if line.strip())
    return Headers((name.strip(), value.strip()) for name, _, value in lines), rest


def _part(outer: Headers, content: bytes) -> Part:
    text = content.lstrip(b"\r\n \t")
    line, _, rest = text.partition(b"\n")
    match = _REQUEST_LINE.fullmatch(line.decode("utf-8", "replace").strip())
    if match is None:
        raise _malformed(f"'{line[:100].decode('utf-8', 'replace')}' is no request line")
    if rest.lstrip(b" \t").startswith((b"\r\n", b"\n")):
        headers, body = Headers(), rest
    else:
        headers, body = _split_headers(rest)
    content_id = outer.get("content-id") or headers.get("content-id")
    return Part(match[1].upper(), match[2], headers, body.strip(b"\r\n"), content_id)


def _malformed(reason: str) -> Refusal:
    return Refusal(400, BAD_ARGUMENT, f"The batch request is malformed: {reason}.")


def run(call: Call, dispatch: Dispatch) -> Response:
    """Carry out a batch: in order, a change set as one, and stopping at the first failure unless told to go on."""
    kind = call.request.headers.get("content-type", "")
    if not kind.lower().lstrip().startswith("multipart/mixed"):
        raise Refusal(
            415, BAD_ARGUMENT, f"The content type '{kind}' is not supported for a batch request: send multipart/mixed."
        )
    items = parse(kind, call.request.body)
    count = sum(len(item.parts) if isinstance(item, ChangeSet) else 1 for item in items)
    if count > MAX_PARTS:
        raise Refusal(
            400, BAD_ARGUMENT, f"The batch has {count} requests; the maximum allowed number of them is {MAX_PARTS}."
        )
    runner = Runner(call, dispatch)
    boundary = f"batchresponse_{uuid.uuid4()}"
    sections: list[bytes] = []
    status = 200
    with call.env.db.transaction():
        for item in items:
            section, failed = runner.change_set(item) if isinstance(item, ChangeSet) else runner.alone(item)
            sections.append(section)
            if failed and not call.prefer.continue_on_error:
                status = 400
                break
    body = _join(boundary, sections)
    headers = [("Content-Type", f"multipart/mixed; boundary={boundary}")]
    return Response(status, headers, body, parts=runner.seen)


class Runner:
    """Carries the parts of one batch out and writes their answers."""

    def __init__(self, call: Call, dispatch: Dispatch) -> None:
        self._call = call
        self._dispatch = dispatch
        self._references: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []

    def alone(self, part: Part) -> tuple[bytes, bool]:
        """One request outside change sets: its answer, and whether it failed."""
        response = self._answer(part)
        return _section(response, part.content_id), response.status >= 400

    def change_set(self, change_set: ChangeSet) -> tuple[bytes, bool]:
        """A change set: the answers of all its requests, or that of the one that failed."""
        db = self._call.env.db
        boundary = f"changesetresponse_{uuid.uuid4()}"
        sections: list[bytes] = []
        try:
            with db.transaction():
                for part in change_set.parts:
                    response = self._in_change_set(part)
                    sections.append(_section(response, part.content_id))
        except _ChangeSetFailed as failure:
            return _section(failure.response, failure.content_id), True
        head = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
        return head + _join(boundary, sections), False

    def _in_change_set(self, part: Part) -> Response:
        if part.method == "GET":
            refusal = Refusal(400, BAD_ARGUMENT, "A change set cannot hold GET requests.")
            raise _ChangeSetFailed(refusal.response(annotated=False), part.content_id)
        response = self._answer(part)
        if response.status >= 400:
            raise _ChangeSetFailed(response, part.content_id)
        return response

    def send(self, method: str, address: str, headers: Headers, body: bytes, content_id: str | None) -> Response:
        """The answer to one request that was read elsewhere."""
        return self._answer(Part(method, address, headers, body, content_id))

    def _answer(self, part: Part) -> Response:
        try:
            request = self._request(part)
            self.seen.append((part.method, request.path))
            response = self._dispatch(request, self._references)
        except Refusal as refusal:
            return refusal.response(annotated=False)
        if part.content_id is not None:
            address = next((value for name, value in response.headers if name == "OData-EntityId"), None)
            if address is not None:
                self._references[part.content_id] = address
            elif part.method == "PATCH":
                self._references[part.content_id] = f"{request.base_url}{request.path}"
        return response

    def _request(self, part: Part) -> Request:
        """An inner request as if it had come alone; its address may be absolute, host-relative or relative."""
        call = self._call
        address = part.address
        if address.startswith(("$", "/$")) and not address.lstrip("/").startswith(("$metadata", "$batch")):
            inner = Call(call.env, call.request, call.root, self._references)
            address = resolve_reference(inner, address)
        path, _, query = address.partition("?")
        if "://" in path:
            path = "/" + path.partition("://")[2].partition("/")[2]
        elif not path.startswith("/"):
            path = f"{call.root.removeprefix(call.request.base_url)}/{path}"
        return Request(
            method=part.method,
            path=unquote(path) if "%" in path else path,
            raw_query=query,
            headers=part.headers,
            body=part.body,
            base_url=call.request.base_url,
            client=call.request.client,
        )


class _ChangeSetFailed(Exception):
    """Undoes a change set; carries the answer of the request that failed."""

    def __init__(self, response: Response, content_id: str | None) -> None:
        super().__init__(response.status)
        self.response = response
        self.content_id = content_id


def _section(response: Response, content_id: str | None) -> bytes:
    """One answer as a part of the multipart body."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id is not None:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}"]
    for name, value in response.headers:
        streamed = name == "Content-Type" and value.startswith("application/json")
        lines.append(f"{name}: {value}{'; odata.streaming=true' if streamed else ''}")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + response.body


def _join(boundary: str, sections: list[bytes]) -> bytes:
    mark = b"--" + boundary.encode()
    return b"".join(mark + b"\r\n" + section + b"\r\n" for section in sections) + mark + b"--\r\n"
