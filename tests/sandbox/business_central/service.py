"""A Business Central for one test, and what its answers say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from crosstie.sandbox.business_central import BusinessCentral
from crosstie.sandbox.clock import Clock
from crosstie.sandbox.data.ids import COMPANY_ID
from crosstie.sandbox.database import Database
from crosstie.sandbox.http import Headers, HttpError, Request, Response
from crosstie.sandbox.settings import Settings
from crosstie.sandbox.tokens import Tokens

ROOT = "/v2.0/sandbox/api/v2.0"
SYNC = "/v2.0/sandbox/api/crosstie/sync/v1.0"
HOST = "http://bc.example"
COMPANY = f"companies({COMPANY_ID})"
NO_ID = "00000000-0000-0000-0000-000000000000"

Json = dict[str, Any]


@dataclass
class Answer:
    """One answer, read."""

    status: int
    headers: dict[str, str]
    raw: bytes
    parts: list[tuple[str, str]]

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def rows(self) -> list[Json]:
        value: list[Json] = self.json["value"]
        return value

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.json["error"]["code"])

    @property
    def message(self) -> str:
        """The words of a refusal, without the correlation id."""
        text = str(self.json["error"]["message"])
        assert "  CorrelationId:  " in text
        return text.partition("  CorrelationId:")[0]

    @property
    def refusal(self) -> tuple[int, str]:
        return self.status, self.code

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


class Service:
    """The system with a clock that stands still until it is moved, called without a network."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.set(datetime(2026, 5, 4, 8, 0, 0, 123000, UTC))
        self.tokens = Tokens(self.clock)
        self.settings = Settings(BusinessCentral.settings_schema())
        self.database = Database(":memory:")
        self.system = BusinessCentral(self.database, self.clock, self.tokens, self.settings)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        root: str = ROOT,
        token: str = "sandbox",
    ) -> Answer:
        path, _, query = path.partition("?")
        full = path if path.startswith("/") else f"{root}/{path}"
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        query = quote(query, safe="=&$,()'/%+@;*")
        request = Request(method, full, query, Headers(sent.items()), raw, HOST)
        return answer_of(self._handled(request))

    def _handled(self, request: Request) -> Response:
        try:
            return self.system.handle(request)
        except HttpError as error:
            return error.response

    def get(self, path: str, root: str = ROOT, **headers: str) -> Answer:
        return self.call("GET", path, None, _named(headers), root)

    def post(self, path: str, body: object, root: str = ROOT, **headers: str) -> Answer:
        return self.call("POST", path, body, _named(headers), root)

    def patch(self, path: str, body: object, root: str = ROOT, if_match: str | None = "*", **headers: str) -> Answer:
        given = _named(headers) | ({} if if_match is None else {"If-Match": if_match})
        return self.call("PATCH", path, body, given, root)

    def delete(self, path: str, root: str = ROOT, **headers: str) -> Answer:
        return self.call("DELETE", path, None, _named(headers), root)

    def made(self, path: str, body: object, root: str = ROOT) -> Json:
        """The entity that a POST made."""
        answer = self.post(path, body, root)
        assert answer.status == 201, answer.raw
        entity: Json = answer.json
        return entity

    def changed(self, path: str, body: object, root: str = ROOT) -> Json:
        """The entity after a PATCH."""
        answer = self.patch(path, body, root)
        assert answer.status == 200, answer.raw
        entity: Json = answer.json
        return entity

    def one(self, path: str, root: str = ROOT) -> Json:
        """The only entity of a collection."""
        rows = self.get(path, root).rows
        assert len(rows) == 1, rows
        return rows[0]

    def batch(self, requests: list[Json], path: str = "$batch", root: str = ROOT, **headers: str) -> list[Json]:
        """The answers of a JSON batch."""
        answer = self.post(path, {"requests": requests}, root, **headers)
        assert answer.status == 200, answer.raw
        answers: list[Json] = answer.json["responses"]
        return answers


def answer_of(response: Response) -> Answer:
    """A response, read."""
    headers = {name.lower(): value for name, value in response.headers}
    return Answer(response.status, headers, response.body, list(response.parts))


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
