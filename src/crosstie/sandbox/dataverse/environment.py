"""What every part of the system works with: database, clock, switches and schema, and one request's circumstances."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeVar, cast

from crosstie.sandbox.clock import Clock
from crosstie.sandbox.database import Database
from crosstie.sandbox.dataverse.errors import UNKNOWN_USER, Refusal
from crosstie.sandbox.dataverse.loading import load_schema
from crosstie.sandbox.dataverse.schema import Schema, Table, identity
from crosstie.sandbox.dataverse.storage import create_tables, load_customizing, select_in
from crosstie.sandbox.dataverse.types import Decode, Encode, decoder, encoder
from crosstie.sandbox.http import Request
from crosstie.sandbox.settings import Settings

APPLICATION_USER: Final = identity("systemuser", "application")
SYSTEM_USER: Final = identity("systemuser", "system")
ROOT_BUSINESS_UNIT: Final = identity("businessunit", "root")
DEFAULT_TEAM: Final = identity("team", "default")
ORGANIZATION: Final = identity("organization", "sandbox")
BASE_CURRENCY: Final = identity("transactioncurrency", "base")

MAX_PAGE: Final = 5000

T = TypeVar("T")

_PREFERENCE = re.compile(r'([A-Za-z.\-]+)\s*(?:=\s*(?:"([^"]*)"|([^,;"\s]+)))?')
_GUID_TEXT = re.compile(r"[0-9a-fA-F-]{36}")


class Environment:
    """One Dataverse environment."""

    def __init__(self, db: Database, clock: Clock, settings: Settings) -> None:
        self.db = db
        self.clock = clock
        self.settings = settings
        self.schema: Schema = load_schema()
        self._facts: dict[tuple[str, ...], object] = {}
        self._rows: dict[tuple[str, object], tuple[object, ...] | None] = {}
        self.next_job: float | None = None
        """When the next asynchronous job is due, in seconds since 1970."""
        self.prepare()

    def prepare(self) -> None:
        """Make the tables and read what was customized."""
        create_tables(self.db, self.schema)
        load_customizing(self.db, self.schema)
        self.next_job = self.db.execute("SELECT MIN(due) FROM job").fetchone()[0]

    def reset(self) -> None:
        """Drop everything and make the tables anew, as delivered."""
        self.schema = load_schema()
        self._facts.clear()
        self._rows.clear()
        self.db.reset()
        self.prepare()

    def remember(self, key: tuple[str, ...], make: Callable[[], T]) -> T:
        """What *make* gave when *key* was asked for first since the last reset (facts that follow from the schema)."""
        known = self._facts.get(key)
        if known is None:
            known = self._facts[key] = make()
        return cast("T", known)

    def schema_changed(self) -> None:
        """Forget what :meth:`remember` keeps: after a change of options or keys."""
        self._facts.clear()

    def encoders(self, table: Table) -> dict[str, Encode]:
        """By column: what turns a JSON value into the stored one."""
        return self.remember(
            ("encoders", table.name),
            lambda: {column.name: encoder(table, column) for column in table.columns.values()},
        )

    def decoders(self, table: Table) -> dict[str, Decode]:
        """By column, where stored and JSON values differ: what turns the stored value into the JSON one."""
        return self.remember(("decoders", table.name), lambda: _decoders(table))

    def row(self, table: Table, row_id: str) -> dict[str, object] | None:
        """The stored values of one row."""
        cursor = self.db.execute(f"SELECT * FROM {table.name} WHERE {table.id} = ?", (row_id,))
        found = cursor.fetchone()
        return None if found is None else dict(zip((item[0] for item in cursor.description), found, strict=True))

    def version_of(self, table: Table, row_id: str) -> int | None:
        """The version of one row, or None where there is no such row."""
        found = self.db.execute(f"SELECT versionnumber FROM {table.name} WHERE {table.id} = ?", (row_id,)).fetchone()
        return None if found is None else int(found[0])

    def small_row(self, sql: str, row_id: object) -> tuple[object, ...] | None:
        """The row that *sql* gives for one id, kept until :meth:`forget_rows` (users, teams, currencies)."""
        key = (sql, row_id)
        if key not in self._rows:
            self._rows[key] = self.db.execute(sql, (row_id,)).fetchone()
        return self._rows[key]

    def forget_rows(self) -> None:
        """Forget what :meth:`small_row` keeps: after a write to those tables, and after anything that rolled back."""
        self._rows.clear()

    def names(self, table: Table, ids: list[str]) -> dict[str, str]:
        """The primary names of rows by id, of tables whose rows have one."""
        if not table.named:
            return {}
        sql = f"SELECT {table.id}, {table.primary} FROM {table.name} WHERE {table.id} IN ({{ids}})"
        return {str(row_id): str(name) for row_id, name in select_in(self.db, sql, ids) if name is not None}


def _decoders(table: Table) -> dict[str, Decode]:
    every = ((column.name, decoder(column)) for column in table.columns.values())
    return {name: decode for name, decode in every if decode is not None}


@dataclass(slots=True)
class Prefer:
    """The preferences of a request; names that the sandbox does not know are passed over, as the protocol wants."""

    representation: bool = False
    page_size: int | None = None
    track_changes: bool = False
    continue_on_error: bool = False
    annotations: tuple[str, ...] = ()
    applied: list[str] = field(default_factory=list)
    """What goes into ``Preference-Applied``."""

    @classmethod
    def parse(cls, text: str) -> "Prefer":
        """The preferences in a ``Prefer`` header."""
        prefer = cls()
        for match in _PREFERENCE.finditer(text):
            name, value = match[1].lower(), match[2] if match[2] is not None else match[3]
            match name:
                case "return":
                    prefer.representation = value == "representation"
                case "odata.maxpagesize" | "maxpagesize" if value and value.isdigit() and int(value) > 0:
                    prefer.page_size = int(value)
                case "odata.track-changes" | "track-changes":
                    prefer.track_changes = True
                case "odata.continue-on-error" | "continue-on-error":
                    prefer.continue_on_error = (value or "true").lower() != "false"
                case "odata.include-annotations" | "include-annotations" if value:
                    prefer.annotations = tuple(part.strip() for part in value.split(",") if part.strip())
        return prefer

    def apply_annotations(self) -> None:
        """Note that the answer heeds ``odata.include-annotations``."""
        if self.annotations:
            self.applied.append(f'odata.include-annotations="{",".join(self.annotations)}"')


class Call:
    """One request to the API, or one part of a batch."""

    __slots__ = ("__dict__", "env", "query", "references", "request", "root")

    def __init__(self, env: Environment, request: Request, root: str, references: dict[str, str] | None = None) -> None:
        self.env = env
        self.request = request
        self.root = root
        """``https://host/api/data/v9.2``"""
        self.references = references if references is not None else {}
        """Addresses of rows by Content-ID, for ``$1`` inside a batch."""
        self.query: dict[str, str] = request.query() if request.raw_query else {}

    @cached_property
    def prefer(self) -> Prefer:
        """The preferences of the request."""
        text = self.request.headers.get("prefer")
        return Prefer.parse(text) if text else Prefer()

    @cached_property
    def caller(self) -> str:
        """The user in whose name the request runs: the application user, or the one it impersonates.

        Raises :class:`Refusal` 403 where the impersonated user does not exist or is disabled.
        """
        headers = self.request.headers
        named = headers.get("mscrmcallerid")
        column = "systemuserid"
        if named is None:
            named, column = headers.get("callerobjectid"), "azureactivedirectoryobjectid"
        if named is None:
            return APPLICATION_USER
        found = None
        if _GUID_TEXT.fullmatch(named):
            sql = f"SELECT systemuserid, isdisabled FROM systemuser WHERE {column} = ?"
            found = self.env.db.execute(sql, (named.lower(),)).fetchone()
        if found is None or found[1]:
            raise Refusal(403, UNKNOWN_USER, f"The user with id {named} does not exist or is disabled.")
        return str(found[0])

    def check_caller(self) -> None:
        """Refuse the request where it impersonates somebody who cannot be impersonated."""
        headers = self.request.headers
        if "mscrmcallerid" in headers or "callerobjectid" in headers:
            _ = self.caller

    @property
    def on_behalf(self) -> str | None:
        """The user who acts for the caller, where that is somebody else."""
        return None if self.caller == APPLICATION_USER else APPLICATION_USER

    def condition(self, name: str) -> str | None:
        """A conditional header; the literal ``null`` counts as absent."""
        value = self.request.headers.get(name)
        return None if value is None or value.strip().lower() == "null" else value.strip()

    def annotated(self) -> bool:
        """Whether errors carry annotations."""
        return "include-annotations" in self.request.headers.get("prefer", "")
