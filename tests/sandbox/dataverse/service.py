"""Talking to a Dataverse without sockets, and the bodies of batches."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from crosstie.sandbox.clock import Clock
from crosstie.sandbox.database import Database
from crosstie.sandbox.dataverse import Dataverse
from crosstie.sandbox.http import Headers, HttpError, Request, Response
from crosstie.sandbox.settings import Settings
from crosstie.sandbox.tokens import Tokens

BASE = "https://org.example"
ROOT = f"{BASE}/api/data/v9.2"
NOBODY = "99999999-9999-9999-9999-999999999999"


@dataclass(frozen=True)
class Answer:
    """An answer of the service."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def value(self) -> list[dict[str, Any]]:
        return self.json["value"]

    @property
    def code(self) -> str:
        return self.json["error"]["code"]

    @property
    def message(self) -> str:
        return self.json["error"]["message"]

    @property
    def id(self) -> str:
        return self.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")


class Service:
    """One Dataverse in memory."""

    def __init__(self, path: str = ":memory:") -> None:
        self.clock = Clock()
        self.tokens = Tokens(self.clock)
        self.settings = Settings(Dataverse.settings_schema())
        self.database = Database(path)
        self.system = Dataverse(self.database, self.clock, self.tokens, self.settings)

    def send(self, method: str, address: str, body: object = None, **headers: str) -> Answer:
        """Send a request; header names are written with ``_`` for ``-``."""
        path, _, query = address.removeprefix(ROOT).lstrip("/").partition("?")
        named = {"Authorization": "Bearer sandbox", **{name.replace("_", "-"): v for name, v in headers.items()}}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = Request(
            method, f"/api/data/v9.2/{path}", query, Headers(named.items()), content, base_url=BASE, raw_path=""
        )
        return self.ask(request)

    def ask(self, request: Request) -> Answer:
        """Answer a request as the server would."""
        try:
            response: Response = self.system.handle(request)
        except HttpError as error:
            response = error.response
        return Answer(response.status, dict(response.headers), response.body)

    def get(self, address: str, **headers: str) -> Answer:
        return self.send("GET", address, **headers)

    def rows(self, address: str, **headers: str) -> list[dict[str, Any]]:
        """The rows of a collection that must be there."""
        answer = self.get(address, **headers)
        assert answer.status == 200, answer.body
        return answer.value

    def filtered(self, condition: str, table: str = "accounts", show: str = "name") -> list[Any]:
        """The values of one column in the rows that meet a condition, in order."""
        return [row[show] for row in self.rows(f"{table}?$select={show}&$orderby={show}&$filter={quote(condition)}")]

    def create(self, entity_set: str, **values: object) -> str:
        """Create a row that must be accepted; returns its id. ``__`` stands for ``@odata.`` in names."""
        answer = self.send("POST", entity_set, {name.replace("__", "@odata."): v for name, v in values.items()})
        assert answer.status == 204, answer.body
        return answer.id

    def change(self, address: str, **values: object) -> Answer:
        """PATCH what must exist."""
        body = {name.replace("__", "@odata."): v for name, v in values.items()}
        answer = self.send("PATCH", address, body, If_Match="*")
        assert answer.status == 204, answer.body
        return answer

    def row(self, address: str, **headers: str) -> dict[str, Any]:
        """A row that must be there."""
        answer = self.get(address, **headers)
        assert answer.status == 200, answer.body
        return answer.json


def part(method: str, address: str, body: object = None, newline: str = "\r\n", **headers: str) -> str:
    """One request of a batch."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    content_id = headers.pop("Content_ID", None)
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"{method} {address} HTTP/1.1"]
    if body is not None:
        lines.append("Content-Type: application/json")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += ["", json.dumps(body) if body is not None else ""]
    return newline.join(lines)


def change_set(parts: Sequence[str], boundary: str = "changeset_1", newline: str = "\r\n") -> str:
    """Requests of a batch that are carried out all or none."""
    body = "".join(f"--{boundary}{newline}{text}{newline}" for text in parts)
    return f"Content-Type: multipart/mixed; boundary={boundary}{newline}{newline}{body}--{boundary}--"


def multipart(parts: Sequence[str], boundary: str = "batch_1", newline: str = "\r\n") -> bytes:
    """The body of a batch."""
    return ("".join(f"--{boundary}{newline}{text}{newline}" for text in parts) + f"--{boundary}--{newline}").encode()


def statuses(answer: Answer) -> list[int]:
    """The status of every answer inside the answer to a batch."""
    lines = answer.body.decode().split("\r\n")
    return [int(line.split()[1]) for line in lines if line.startswith("HTTP/1.1 ")]
