"""A process that can be killed at a point: before or after a commit, before, between or after writes, at any request.

What a killed process does afterwards has no effect: its store and its systems answer nothing any more.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from crosstie.model.records import (
    CheckFinding,
    Record,
    RecordPage,
    Side,
    SystemInfo,
    Write,
    WriteKind,
    WriteResult,
    WriteStatus,
)
from crosstie.model.schema import TableSchema
from crosstie.model.values import Scalar
from crosstie.store import Store
from crosstie.store.base import Unit
from crosstie.systems.base import RequestCounts
from crosstie.systems.memory import MemorySystem
from crosstie.systems.memory.table import MemoryTable


class Killed(BaseException):
    """The process is no more."""


class Process:
    """Counts its points and dies at the one given. `owner` is how the job log knows it."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.kill_at: int | None = None
        self.passed = 0
        self.alive = True
        self.died = ""

    def point(self, name: str) -> None:
        """Pass a point, or die there."""
        self.check()
        self.passed += 1
        if self.kill_at is not None and self.passed >= self.kill_at:
            self.alive, self.died = False, name
            raise Killed(name)

    def check(self) -> None:
        if not self.alive:
            raise Killed(self.died)


class DyingStore:
    """The store as a process sees it."""

    def __init__(self, store: Store, process: Process) -> None:
        self._store = store
        self._process = process

    @contextmanager
    def begin(self) -> Iterator[Unit]:
        self._process.check()
        with self._store.begin() as unit:
            yield unit
            stores = unit._work._writing  # type: ignore[attr-defined]
            if stores:
                self._process.point("before a commit")
        if stores:
            self._process.point("after a commit")

    def close(self) -> None:
        """Nothing to do: the store outlives the process."""


class DyingSystem:
    """A system as a process sees it."""

    def __init__(self, system: "WatchedSystem", process: Process) -> None:
        self._system = system
        self._process = process

    @property
    def name(self) -> str:
        return self._system.name

    @property
    def requests(self) -> RequestCounts:
        return self._system.requests

    @property
    def batch_size(self) -> int:
        return self._system.batch_size

    async def info(self) -> SystemInfo:
        return await self._system.info()

    async def check(self) -> list[CheckFinding]:
        return await self._system.check()

    async def describe(self, table: str) -> TableSchema:
        return await self._system.describe(table)

    async def changes(
        self, table: str, cursor: str | None, fields: Sequence[str], filter: str | None = None
    ) -> AsyncIterator[RecordPage]:
        async for page in self._system.changes(table, cursor, fields, filter):
            self._process.point("reading changes")
            yield page

    async def scan(self, table: str, fields: Sequence[str], filter: str | None = None) -> AsyncIterator[RecordPage]:
        async for page in self._system.scan(table, fields, filter):
            self._process.point("scanning")
            yield page

    async def count(self, table: str, filter: str | None = None) -> int | None:
        return await self._system.count(table, filter)

    async def get(self, table: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        self._process.point("before asking")
        return await self._system.get(table, ids, fields)

    async def write(self, table: str, writes: Sequence[Write], fields: Sequence[str]) -> list[WriteResult]:
        self._process.point("before writing")
        self._system.writer = self._process
        try:
            results = await self._system.write(table, writes, fields)
        finally:
            self._system.writer = None
        self._process.point("after writing")
        return results

    def link(self, table: str, id: str) -> str:
        return self._system.link(table, id)

    async def close(self) -> None:
        """Nothing to do: the system outlives the process."""


class Written(msgspec.Struct, frozen=True):
    """A write of ours that a system carried out. `before` and `after` are the whole record; None: there is none."""

    side: Side
    table: str
    kind: WriteKind
    id: str
    values: dict[str, Scalar]
    before: dict[str, Scalar] | None
    after: dict[str, Scalar] | None


class WatchedSystem(MemorySystem):
    """A system in memory that keeps a list of our writes, and may die with the writer between two of them.

    With `keeps_ids` False it gives new records ids of its own, whatever the create brings and the table promises.
    """

    def __init__(self, side: Side, name: str, tables: Sequence[TableSchema], *, keeps_ids: bool, **traits: Any) -> None:
        super().__init__(name, tables, **traits)
        self.side = side
        self.keeps_ids = keeps_ids
        self.written: list[Written] = []
        self.writer: Process | None = None
        self.after_write: Callable[[Written], None] | None = None

    def _carried_out(self, table: MemoryTable, write: Write, names: tuple[str, ...]) -> WriteResult:
        if self.writer is not None:
            self.writer.point("between writes")
        return super()._carried_out(table, write, names)

    def _write(self, table: MemoryTable, write: Write, names: tuple[str, ...]) -> WriteResult:
        before = dict(table.rows[write.id].values) if write.id in table.rows else None
        if write.kind is WriteKind.CREATE and not self.keeps_ids:
            write = msgspec.structs.replace(write, id=None)
        result = super()._write(table, write, names)
        id = result.record.id if result.record else str(write.id)
        after = dict(table.rows[id].values) if id in table.rows else None
        if result.status is WriteStatus.WRITTEN:
            done = Written(self.side, table.schema.name, write.kind, id, dict(write.values), before, after)
            self.written.append(done)
            if self.after_write is not None:
                self.after_write(done)
        return result
