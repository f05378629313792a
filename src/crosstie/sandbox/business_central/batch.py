"""``$batch``: JSON, and multipart in ``multipart`` (wire-businesscentral section 6)."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

import msgspec

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.business_central.call import VERSION
from crosstie.sandbox.database import Database
from crosstie.sandbox.http import Handler, Headers, HttpError, Request, Response


class _Item(msgspec.Struct):
    """One request as it stands in a JSON batch."""

    method: str
    url: str
    id: str | int | None = None
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"")


class _Items(msgspec.Struct):
    requests: list[_Item]


class _Answer(msgspec.Struct, omit_defaults=True):
    id: str | int | None
    status: int
    headers: dict[str, str]
    body: msgspec.Raw | str | None = None


_decode = msgspec.json.Decoder(_Items).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch on its way: the outer request, the path of the service root, the path that addresses are relative to,
    and the headers that parts take over (the company)."""

    outer: Request
    root: str
    base: str
    inherited: dict[str, str]

    def inner(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Request:
        """A part as a request of its own; its address may be absolute, or relative to host, service or batch."""
        path, _, query = self._path(url).partition("?")
        return Request(
            method=method.upper(),
            path=unquote(path),
            raw_query=query.replace(" ", "%20"),
            headers=Headers((self.inherited | {name.lower(): value for name, value in headers.items()}).items()),
            body=body,
            base_url=self.outer.base_url,
            client=self.outer.client,
            raw_path=path,
        )

    def _path(self, url: str) -> str:
        if "://" in url:
            url = "/" + url.split("://", 1)[1].partition("/")[2]
        if url.startswith("/"):
            return url if unquote(url).startswith(self.root) else self._quoted(self.root) + url
        base = self.root if url.startswith(("companies", "Company(")) else self.base
        return f"{self._quoted(base)}/{url}"

    @staticmethod
    def _quoted(path: str) -> str:
        return quote(path, safe="/()'$,=-._~@:")


def run(batch: Batch, handle: Handler, database: Database, size: int) -> Response:
    """Answer a JSON batch. Each part stands alone, unless ``Isolation: snapshot`` asks for all or nothing."""
    items = _read(batch.outer, size)
    requests = [batch.inner(item.method, item.url, item.headers, _body_of(item)) for item in items]
    responses = all_or_nothing(batch.outer, database, lambda: [answered(request, handle) for request in requests])
    answers = [_answer(item.id, response) for item, response in zip(items, responses, strict=True)]
    return Response(
        200,
        [("Content-Type", "application/json; odata.metadata=minimal"), VERSION],
        b'{"responses":' + _encode(answers) + b"}",
        parts=[(request.method, request.path) for request in requests],
    )


def answered(request: Request, handle: Handler) -> Response:
    """The answer to one part, also where it is a refusal."""
    try:
        return handle(request)
    except HttpError as error:
        return error.response


class _RolledBack(Exception):
    def __init__(self, responses: list[Response]) -> None:
        super().__init__()
        self.responses = responses


def all_or_nothing(outer: Request, database: Database, work: Callable[[], list[Response]]) -> list[Response]:
    """Run *work*; under ``Isolation: snapshot`` undo everything where a part fails, and still show every answer."""
    if outer.headers.get("isolation", "").strip().lower() != "snapshot":
        return work()
    try:
        with database.transaction():
            responses = work()
            if any(response.status >= 400 for response in responses):
                raise _RolledBack(responses)
            return responses
    except _RolledBack as rolled_back:
        return rolled_back.responses


def check_size(count: int, size: int) -> None:
    """Refuse a batch of more than *size* operations."""
    if count > size:
        raise errors.bad_request(
            f"The batch request holds {count} operations; the maximum number of operations is {size}."
        )


def _read(outer: Request, size: int) -> list[_Item]:
    try:
        items = _decode(outer.body).requests
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.bad_request(f"The body is not a valid batch request: {error}") from error
    check_size(len(items), size)
    return items


def _body_of(item: _Item) -> bytes:
    body = bytes(item.body)
    return b"" if body == b"null" else body


def _answer(id: str | int | None, response: Response) -> _Answer:
    headers = {name.lower(): value for name, value in response.headers}
    if not response.body:
        return _Answer(id, response.status, headers)
    if "json" in headers.get("content-type", ""):
        return _Answer(id, response.status, headers, msgspec.Raw(response.body))
    return _Answer(id, response.status, headers, response.body.decode())
