"""A sandbox of two doubles: real servers, sockets, databases and orders around systems of a few lines."""

from collections.abc import Iterable, Iterator

import pytest

from crosstie.sandbox.clock import Clock
from crosstie.sandbox.database import Database
from crosstie.sandbox.http import Request, Response, json_response
from crosstie.sandbox.launch import Sandbox, running_sandbox
from crosstie.sandbox.settings import Setting, Settings
from crosstie.sandbox.tokens import Tokens


class Ledger:
    """A system whose every POST adds a row and whose GET lists them; other tables are counted only."""

    name = "business_central"

    def __init__(self, database: Database, clock: Clock, tokens: Tokens, settings: Settings) -> None:
        self.database, self.tokens, self.settings = database, tokens, settings
        self._loaded: dict[str, int] = {}
        self._make()

    def _make(self) -> None:
        self.database.execute("CREATE TABLE IF NOT EXISTS entry (text TEXT)")

    def handle(self, request: Request) -> Response:
        refused = self.tokens.check(request)
        if refused is not None:
            raise refused
        if request.path.endswith("/$batch"):
            return Response(200, [], b"{}", parts=[("PATCH", "companies(1)/customers(2)"), ("POST", "customers")])
        if request.path.endswith("/broken"):
            raise RuntimeError("a defect of the system")
        with self.database.transaction():
            if request.method == "POST":
                self.database.execute("INSERT INTO entry VALUES (?)", (request.body.decode(),))
        rows = [row[0] for row in self.database.execute("SELECT text FROM entry")]
        return json_response({"path": request.path, "query": request.query(), "base": request.base_url, "rows": rows})

    def reset(self) -> None:
        self.database.reset()
        self._loaded.clear()
        self._make()

    def counts(self) -> dict[str, int]:
        entries = self.database.execute("SELECT count(*) FROM entry").fetchone()[0]
        return {"entry": entries, **self._loaded}

    def insert_many(self, table: str, rows: Iterable[dict[str, object]]) -> None:
        self._loaded[table] = self._loaded.get(table, 0) + sum(1 for _ in rows)

    @classmethod
    def settings_schema(cls) -> list[Setting]:
        return [
            Setting("page_size", 5000, "rows in a page"),
            Setting("mode", "strict", "how to behave", ("strict", "lenient")),
            Setting("refuse_write_ids", [], "ids that may not be written"),
        ]


class OtherLedger(Ledger):
    name = "dataverse"


CLASSES = {"business_central": Ledger, "dataverse": OtherLedger}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(data="empty", classes=CLASSES) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave a shared sandbox as it was found."""
    yield
    if "sandbox" in request.fixturenames:
        running: Sandbox = request.getfixturevalue("sandbox")
        for host in (running.business_central, running.dataverse):
            host.faults.clear()
            host.settings.reset()
        running.tokens.settings.reset()
        running.clock.real()
