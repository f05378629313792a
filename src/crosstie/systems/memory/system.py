"""A system in memory with the whole semantics of the contract, quick and the same in every run."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

import msgspec

from crosstie.model.browsing import Browsed, Sort
from crosstie.model.errors import CursorExpired, UnknownTable
from crosstie.model.filters import compile_filter
from crosstie.model.records import (
    CheckFinding,
    Record,
    RecordPage,
    SystemInfo,
    Write,
    WriteKind,
    WriteResult,
    WriteStatus,
)
from crosstie.model.schema import ChangeFeed, TableSchema
from crosstie.model.values import Scalar, Values
from crosstie.systems.base import RequestCounts
from crosstie.systems.memory.browsing import browse
from crosstie.systems.memory.faults import OUTCOMES, Fault, FaultKind, Faults
from crosstie.systems.memory.table import MemoryTable, Refusal
from crosstie.systems.querying import known_fields

_OVERLAP = timedelta(seconds=2)
_IDS_IN_ONE_REQUEST = 500

Rule = Callable[[str, WriteKind, Values], str | None]
"""Given table, kind and the whole record as it would be, returns words that refuse it, or None."""
Trigger = Callable[[str, dict[str, Scalar]], None]
"""Given table and the whole record as it would be stored, changes what the system fills in by itself."""


class _Cursor(msgspec.Struct, frozen=True):
    version: int = 0
    since: datetime | None = None
    epoch: int = 0


class Ticks:
    """A clock that moves by a second each time it is read."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


class MemorySystem:
    """Holds the tables given. `put`, `change` and `remove` are what somebody else does to them.

    `rules` and `triggers` imitate a system's business logic, `faults` what goes wrong, `before_write` is called with
    table and write before each one (for somebody else's change at that very moment). Tables of up to `small` records
    are read whole at each look, as a system may do, so that their feed tells which there are.
    """

    def __init__(
        self,
        name: str,
        tables: Iterable[TableSchema],
        *,
        page_size: int = 1000,
        batch_size: int = 100,
        now: Callable[[], datetime] | None = None,
        environment: str = "memory",
        small: int = 0,
    ) -> None:
        self._name = name
        self._tables = {schema.name: MemoryTable(schema, self._exists) for schema in tables}
        self._page_size = page_size
        self._batch_size = batch_size
        self._small = small
        self._now = now or Ticks()
        self._version = 0
        self._epoch = 0
        self._described: set[str] = set()
        self._requests = RequestCounts()
        self.environment = environment
        self.faults = Faults()
        self.rules: list[Rule] = []
        self.triggers: list[Trigger] = []
        self.before_write: Callable[[str, Write], None] | None = None

    # --- what somebody else does ----------------------------------------------------------------------------

    def put(self, table: str, values: Values, id: str | None = None) -> Record:
        """Create a record as somebody else would. Raises Refusal."""
        found = self._table(table)
        new = id or found.new_id()
        return self._store(found, WriteKind.CREATE, new, found.checked(values, creating=True, id=new))

    def change(self, table: str, id: str, **values: Scalar) -> Record:
        """Change a record as somebody else would. Raises Refusal, KeyError."""
        found = self._table(table)
        return self._store(found, WriteKind.UPDATE, id, found.checked(values, creating=False, id=id))

    def remove(self, table: str, id: str) -> None:
        """Delete a record as somebody else would. Raises KeyError."""
        self._table(table).remove(id, self._next())

    def records(self, table: str) -> list[Record]:
        """Return all records with all their values, in the order of their ids."""
        found = self._table(table)
        return [found.record(id, tuple(found.schema.fields)) for id in sorted(found.rows)]

    def record(self, table: str, id: str) -> Record | None:
        """Return a record with all its values."""
        found = self._table(table)
        return found.record(id, tuple(found.schema.fields)) if id in found.rows else None

    def expire_cursors(self) -> None:
        """Make every cursor given out so far worthless."""
        self._epoch += 1

    # --- the contract -----------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self._name

    @property
    def requests(self) -> RequestCounts:
        return self._requests

    @property
    def batch_size(self) -> int:
        return self._batch_size

    async def close(self) -> None:
        """Nothing to close; what is in memory stays."""

    async def info(self) -> SystemInfo:
        self.faults.for_call(self._name, "info", None)
        self._requests.metadata += 1
        return SystemInfo(kind="memory", environment=self.environment, company=self._name)

    async def check(self) -> list[CheckFinding]:
        return [CheckFinding("address", True, f"{len(self._tables)} tables in memory")]

    async def describe(self, table: str) -> TableSchema:
        self.faults.for_call(self._name, "describe", table)
        if table not in self._described:
            self._requests.metadata += 1
            self._described.add(table)
        return self._table(table).schema

    async def changes(
        self, table: str, cursor: str | None, fields: Sequence[str], filter: str | None = None
    ) -> AsyncIterator[RecordPage]:
        found = self._table(table)
        names = known_fields(found.schema, fields)
        position = _Cursor(self._version, self._now(), self._epoch)
        last = self._position(table, cursor)
        deleted: list[str] = []
        match found.schema.feed:
            case ChangeFeed.DELTA if last is not None:
                ids, deleted = found.since(last.version)
            case ChangeFeed.MODIFIED if last is not None and last.since is not None:
                ids = list(found.modified_since(last.since - _OVERLAP))
            case _:
                ids = sorted(found.rows)
        if filter and found.schema.filters_in_feed:
            ids = self._admitted(found, ids, filter)
        async for page in self._pages("changes", found, ids, names):
            yield page
        yield RecordPage((), tuple(deleted), msgspec.json.encode(position).decode(), self._present(found, last))

    def _present(self, table: MemoryTable, last: _Cursor | None) -> tuple[str, ...] | None:
        """Return all ids where a table is so small that its feed of modifications reads it whole."""
        by_time = table.schema.feed is ChangeFeed.MODIFIED and last is not None
        return tuple(sorted(table.rows)) if by_time and len(table.rows) <= self._small else None

    async def scan(self, table: str, fields: Sequence[str], filter: str | None = None) -> AsyncIterator[RecordPage]:
        found = self._table(table)
        names = known_fields(found.schema, fields)
        ids = self._admitted(found, sorted(found.rows), filter)
        async for page in self._pages("scan", found, ids, names):
            yield page

    async def browse(
        self,
        table: str,
        fields: Sequence[str],
        *,
        filter: str | None = None,
        order: Sequence[Sort] = (),
        size: int = 50,
        after: str | None = None,
    ) -> Browsed:
        self.faults.for_call(self._name, "browse", table)
        found = self._table(table)
        names = known_fields(found.schema, fields)
        known_fields(found.schema, [term.field for term in order])
        page = browse(found, self._admitted(found, list(found.rows), filter), names, order, size, after)
        self._requests.reads += 1
        return page

    async def count(self, table: str, filter: str | None = None) -> int | None:
        self.faults.for_call(self._name, "count", table)
        found = self._table(table)
        admitted = self._admitted(found, list(found.rows), filter)
        self._requests.reads += 1
        return len(admitted)

    async def get(self, table: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        self.faults.for_call(self._name, "get", table)
        found = self._table(table)
        names = known_fields(found.schema, fields)
        self._requests.reads += ceil(len(ids) / _IDS_IN_ONE_REQUEST)
        return {id: found.record(id, names) for id in ids if id in found.rows}

    async def write(self, table: str, writes: Sequence[Write], fields: Sequence[str]) -> list[WriteResult]:
        self.faults.for_call(self._name, "write", table)
        found = self._table(table)
        names = known_fields(found.schema, fields)
        self._requests.batches += ceil(len(writes) / self._batch_size)
        self._requests.batch_parts += len(writes)
        return [self._carried_out(found, write, names) for write in writes]

    def link(self, table: str, id: str) -> str:
        return f"memory://{self._name}/{table}/{id}"

    # --- inside -----------------------------------------------------------------------------------------------

    def _carried_out(self, table: MemoryTable, write: Write, names: tuple[str, ...]) -> WriteResult:
        if self.before_write is not None:
            self.before_write(table.schema.name, write)
        fault = self.faults.for_write(table.schema.name, write)
        if fault is not None and fault.kind in OUTCOMES:
            return _ordered(fault, OUTCOMES[fault.kind])
        if fault is not None and fault.kind is FaultKind.RAISE_BEFORE and fault.error is not None:
            raise fault.error
        try:
            result = self._write(table, write, names)
        except Refusal as refusal:
            result = WriteResult(status=refusal.status, code=refusal.code, message=str(refusal), field=refusal.field)
        if fault is not None and fault.kind is FaultKind.RAISE_AFTER and fault.error is not None:
            raise fault.error
        return result if fault is None else _ordered(fault, WriteStatus.UNKNOWN)

    def _write(self, table: MemoryTable, write: Write, names: tuple[str, ...]) -> WriteResult:
        if write.kind is WriteKind.CREATE:
            return self._create(table, write, names)
        id = str(write.id)
        if id not in table.rows:
            return WriteResult(status=WriteStatus.MISSING, code="missing", message=f"There is no record {id}.")
        if write.expected_version is not None and write.expected_version != table.version(id):
            return WriteResult(status=WriteStatus.STALE, code="stale", message="Somebody else has changed the record.")
        if write.kind is WriteKind.DELETE:
            self._allow(table, "deletable", write.kind)
            self._refuse_by_rule(table, write.kind, table.rows[id].values)
            table.remove(id, self._next())
            return WriteResult(status=WriteStatus.WRITTEN)
        self._allow(table, "updatable", write.kind)
        self._store(table, write.kind, id, table.checked(write.values, creating=False, id=id))
        return WriteResult(status=WriteStatus.WRITTEN, record=table.record(id, names))

    def _create(self, table: MemoryTable, write: Write, names: tuple[str, ...]) -> WriteResult:
        self._allow(table, "creatable", write.kind)
        id = write.id if write.id and table.schema.client_ids else table.new_id()
        if id in table.rows:
            return WriteResult(status=WriteStatus.EXISTS, code="exists", message=f"The record {id} exists already.")
        self._store(table, write.kind, id, table.checked(write.values, creating=True, id=id))
        return WriteResult(status=WriteStatus.WRITTEN, record=table.record(id, names))

    def _allow(self, table: MemoryTable, capability: str, kind: WriteKind) -> None:
        if not getattr(table.schema, capability):
            raise Refusal("not-allowed", f"{table.schema.name} does not take {kind.value}.")

    def _store(self, table: MemoryTable, kind: WriteKind, id: str, values: dict[str, Scalar]) -> Record:
        before = table.rows[id].values if kind is WriteKind.UPDATE else {}
        whole = {**dict.fromkeys(table.schema.fields), **before, **values}
        self._refuse_by_rule(table, kind, whole)
        filled = dict(whole)
        for trigger in self.triggers:
            trigger(table.schema.name, filled)
        changed = {name: value for name, value in filled.items() if name in values or value != whole.get(name)}
        return table.put(id, changed, self._next(), self._now())

    def _refuse_by_rule(self, table: MemoryTable, kind: WriteKind, whole: Values) -> None:
        for rule in self.rules:
            if words := rule(table.schema.name, kind, whole):
                raise Refusal("rule", words)

    async def _pages(
        self, method: str, table: MemoryTable, ids: Sequence[str], names: tuple[str, ...]
    ) -> AsyncIterator[RecordPage]:
        for start in range(0, max(len(ids), 1), self._page_size):
            self.faults.for_call(self._name, method, table.schema.name)
            self._requests.reads += 1
            page = ids[start : start + self._page_size]
            yield RecordPage(tuple(table.record(id, names) for id in page if id in table.rows))

    def _admitted(self, table: MemoryTable, ids: Sequence[str], filter: str | None) -> list[str]:
        if not filter:
            return list(ids)
        admits = compile_filter(filter, table.schema).admits
        return [id for id in ids if admits(table.rows[id].values)]

    def _position(self, table: str, cursor: str | None) -> _Cursor | None:
        if cursor is None:
            return None
        try:
            position = msgspec.json.decode(cursor, type=_Cursor)
        except msgspec.DecodeError as error:
            raise CursorExpired(f"The stored cursor {cursor[:80]!r} of {table} cannot be read.") from error
        if position.epoch < self._epoch:
            raise CursorExpired(f"{self._name} no longer knows how far {table} was read.")
        return position

    def _table(self, name: str) -> MemoryTable:
        if name not in self._tables:
            raise UnknownTable(f"{self._name} has no table {name!r}.", table=name)
        return self._tables[name]

    def _exists(self, table: str, id: str) -> bool:
        found = self._tables.get(table)
        return found is None or id in found.rows

    def _next(self) -> int:
        self._version += 1
        return self._version


def _ordered(fault: Fault, status: WriteStatus) -> WriteResult:
    return WriteResult(status=status, code=fault.code, message=fault.message, field=fault.field)
