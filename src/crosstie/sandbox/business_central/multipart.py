"""``$batch`` as multipart/mixed, as older OData clients send it.

A change set may hold one operation only (wire-businesscentral section 6).
"""

import re
from dataclasses import dataclass
from typing import Final

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.business_central.batch import Batch, all_or_nothing, answered, check_size
from crosstie.sandbox.business_central.call import VERSION
from crosstie.sandbox.database import Database
from crosstie.sandbox.http import Handler, Request, Response

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_REASONS: Final = {
    200: "OK",
    201: "Created",
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    500: "Internal Server Error",
    501: "Not Implemented",
}
_ANSWERS_BOUNDARY: Final = "batchresponse_0"
_CHANGES_BOUNDARY: Final = "changesetresponse_0"


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a batch: one request, or the several of a change set."""

    requests: tuple[tuple[str, Request], ...]
    """Content id and request."""
    change_set: bool = False


def is_multipart(request: Request) -> bool:
    """Whether the request's body is multipart."""
    return "multipart/mixed" in request.headers.get("content-type", "").lower()


def run(batch: Batch, handle: Handler, database: Database, size: int) -> Response:
    """Answer a multipart batch, part by part, in the same form."""
    parts = [_part(batch, text) for text in _pieces(batch.outer.body, batch.outer.headers["content-type"])]
    requests = [request for part in parts for _, request in part.requests]
    check_size(len(requests), size)
    responses = all_or_nothing(batch.outer, database, lambda: [_answered(part, handle) for part in parts])
    chunks = [_written(part, response) for part, response in zip(parts, responses, strict=True)]
    return Response(
        200,
        [("Content-Type", f"multipart/mixed; boundary={_ANSWERS_BOUNDARY}"), VERSION],
        _joined(chunks, _ANSWERS_BOUNDARY),
        parts=[(request.method, request.path) for request in requests],
    )


def _answered(part: _Part, handle: Handler) -> Response:
    if len(part.requests) != 1:
        text = "Multiple requests within the same change set are not supported by Microsoft Dynamics 365 Business"
        return errors.refusal(500, "Internal_ServerError", f"{text} Central OData web services.").response
    return answered(part.requests[0][1], handle)


def _pieces(body: bytes, content_type: str) -> list[tuple[dict[str, str], bytes]]:
    """Headers and content of what stands between the boundaries; raises 400 where there are none."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise errors.bad_request("The Content-Type of a multipart batch must name its boundary.")
    body = body.replace(b"\r\n", b"\n")
    pieces = re.split(rb"(?:^|\n)--" + re.escape(match[1].strip().encode()) + rb"(?:--)?[ \t]*(?=\n|$)", body)
    return [_head_and_rest(piece.lstrip(b"\n")) for piece in pieces[1:] if piece.strip()]


def _head_and_rest(text: bytes) -> tuple[dict[str, str], bytes]:
    head, _, rest = text.partition(b"\n\n")
    return _headers(head), rest


def _headers(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode("utf-8", "replace").split("\n") if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _part(batch: Batch, piece: tuple[dict[str, str], bytes]) -> _Part:
    headers, content = piece
    if "multipart/mixed" in headers.get("content-type", "").lower():
        inner = [_request(batch, *item) for item in _pieces(content, headers["content-type"])]
        return _Part(tuple(inner), change_set=True)
    return _Part((_request(batch, headers, content),))


def _request(batch: Batch, outer: dict[str, str], content: bytes) -> tuple[str, Request]:
    line, _, rest = content.lstrip(b"\n").partition(b"\n")
    words = line.decode("utf-8", "replace").split(" ")
    if len(words) < 2 or not words[0].isalpha():
        raise errors.bad_request(f"'{line.decode('utf-8', 'replace')}' is not the first line of a request.")
    url = " ".join(words[1:-1] if words[-1].startswith("HTTP/") else words[1:])
    headers, body = _head_and_rest(rest) if rest[:1] != b"\n" else ({}, rest[1:])
    return outer.get("content-id", ""), batch.inner(words[0], url, headers, body.rstrip(b"\n"))


def _written(part: _Part, response: Response) -> bytes:
    chunk = _http(part.requests[0][0] if part.requests else "", response)
    if not part.change_set or response.status >= 400:
        return chunk
    head = f"Content-Type: multipart/mixed; boundary={_CHANGES_BOUNDARY}\r\n\r\n".encode()
    return head + _joined([chunk], _CHANGES_BOUNDARY)


def _http(content_id: str, response: Response) -> bytes:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Error')}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return "\r\n".join([*lines, "", ""]).encode() + response.body


def _joined(chunks: list[bytes], boundary: str) -> bytes:
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + chunk + b"\r\n" for chunk in chunks) + mark + b"--\r\n"
