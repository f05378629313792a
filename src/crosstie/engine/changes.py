"""Changes: what may have changed on one side since the cursor, and what is gone.

Times and versions only bound what to read. A record that comes twice, or comes back unchanged, does no harm.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

import msgspec

from crosstie.engine.context import Context, Scope
from crosstie.model.couplings import Coupling, CouplingState, Mark
from crosstie.model.errors import CursorExpired
from crosstie.model.records import Record, Side
from crosstie.model.schema import ChangeFeed
from crosstie.store.base import Cursor

SWEEP_ALWAYS = 20_000
"""Up to so many records, comparing the ids costs one request and is done at every look."""
_CONFIRM = 500
_BLOCK_BITS = 16
_IN_BLOCK = (1 << _BLOCK_BITS) - 1


class _Position(msgspec.Struct, frozen=True):
    """What we keep inside `Cursor.cursor`: the system's own cursor and the newest modification seen.

    `passed_over`: a job that creates no partners went past records without one; the next that does looks at all again.
    `marks` are those of rules whose values move by themselves, by field (`rules.base.Moving`).
    """

    cursor: str | None
    newest: datetime | None = None
    passed_over: bool = False
    marks: dict[str, str] = {}


class CouplingSet:
    """Ids of couplings, one bit each, so that a table of a million costs a few hundred kilobytes."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}

    def add(self, ids: Iterable[int]) -> None:
        blocks = self._blocks
        for id in ids:
            block = blocks.get(id >> _BLOCK_BITS)
            if block is None:
                block = blocks[id >> _BLOCK_BITS] = bytearray(1 << _BLOCK_BITS >> 3)
            block[(id & _IN_BLOCK) >> 3] |= 1 << (id & 7)

    def without(self, ids: Iterable[int]) -> list[int]:
        """Return those of `ids` that are not among these."""
        blocks, none = self._blocks, bytes(1 << _BLOCK_BITS >> 3)
        return [id for id in ids if not blocks.get(id >> _BLOCK_BITS, none)[(id & _IN_BLOCK) >> 3] & 1 << (id & 7)]


class Feed:
    """The changes of one side for one job. Read `records()` to its end, then `deletions()`, then take `cursor`.

    `creates`: the job creates the partner of what has none on this side.
    """

    def __init__(self, ctx: Context, side: Side, *, creates: bool) -> None:
        self.ctx = ctx
        self.side = side
        self.schema = ctx.compiled.local_schema if side is Side.LOCAL else ctx.compiled.remote_schema
        with ctx.store.begin() as unit:
            stored = unit.cursor(ctx.mapping_name, side)
        fresh = stored is None or stored.cursor is None or stored.mapping_digest != ctx.compiled.digest
        # Without a cursor nobody knows under which mapping couplings came to be in step.
        self.remapped = stored is None or stored.mapping_digest != ctx.compiled.digest
        self.known_count = stored.known_count if stored else None
        self.position = (
            _Position(None)
            if fresh or stored is None or stored.cursor is None
            else msgspec.json.decode(stored.cursor, type=_Position)
        )
        behind = creates and self.position.passed_over
        self.whole = ctx.task.scope is Scope.FULL or fresh or behind or self.schema.feed is ChangeFeed.FULL
        self._creates = creates
        self._passed_over = self.position.passed_over and not creates
        self._next: str | None = None
        self._newest = self.position.newest
        self._seen = CouplingSet()
        self._count = 0
        self._deleted: list[str] = []
        self._has_new = False
        self._knows_present = False
        self.marks = dict(self.position.marks)

    async def records(self) -> AsyncIterator[tuple[Record, ...]]:
        """Yield pages of records that may have changed.

        A system that has forgotten the cursor is read as a whole; records may then come twice.
        """
        try:
            async for records in self._read(None if self.whole else self.position.cursor):
                yield records
        except CursorExpired:
            if self.whole:
                raise
            self.whole = True
            self._next, self._seen, self._count, self._deleted = None, CouplingSet(), 0, []
            async for records in self._read(None):
                yield records

    async def _read(self, start: str | None) -> AsyncIterator[tuple[Record, ...]]:
        system = self.ctx.systems[self.side]
        async for page in system.changes(self.schema.name, start, self.ctx.reads(self.side)):
            self._count += len(page.records)
            self._deleted.extend(page.deleted)
            if page.cursor is not None:
                self._next = page.cursor
            if page.present is not None and not self.whole:
                self._knows_present, self._count = True, len(page.present)
                self._see(page.present)
            newest = max((r.modified_at for r in page.records if r.modified_at), default=None)
            if newest and (self._newest is None or newest > self._newest):
                self._newest = newest
            if page.records:
                yield page.records

    def note_coupled(self, marks: Iterable[Mark]) -> None:
        """Take notice of the couplings of what was read: their records exist, and one of them may be new."""
        if self.whole:
            self._seen.add(mark.coupling_id for mark in marks)
        elif not self._has_new:
            self._has_new = any(mark.is_new for mark in marks)

    def note_uncoupled(self, records: Iterable[Record]) -> None:
        """Take notice of records without coupling: where they are new, the count alone no longer betrays deletions."""
        known = self.position.newest
        for record in records:
            if known is None or record.modified_at is None or record.modified_at > known:
                self._has_new = True
            if not self._creates and self.ctx.in_filter(self.side, record.values):
                self._passed_over = True

    async def deletions(self) -> AsyncIterator[list[Coupling]]:
        """Yield couplings whose record on this side is gone; every one was asked for by id and is not there."""
        ctx = self.ctx
        if self.schema.feed is ChangeFeed.DELTA and not self.whole:
            for start in range(0, len(self._deleted), _CONFIRM):
                ids = self._deleted[start : start + _CONFIRM]
                with ctx.store.begin() as unit:
                    found = unit.couplings.by_record(ctx.mapping_name, self.side, ids)
                if gone := await self._confirm(list(found.values())):
                    yield gone
            return
        if not (self.whole or self._knows_present):
            if not await self._worth_sweeping():
                return
            await self._sweep()
        self.known_count = self._count
        with ctx.store.begin() as unit:
            missing = [
                coupling
                for part in unit.couplings.unseen(ctx.mapping_name, self._seen.without, ctx.started_at)
                for coupling in part
                if not self._known_gone(coupling)
            ]
        for start in range(0, len(missing), _CONFIRM):
            if gone := await self._confirm(missing[start : start + _CONFIRM]):
                yield gone

    async def _sweep(self) -> None:
        """See which couplings have their record, from the ids of all records."""
        ctx, self._count = self.ctx, 0
        async for page in ctx.systems[self.side].scan(self.schema.name, (self.schema.key,)):
            self._count += len(page.records)
            self._see([record.id for record in page.records])

    def _see(self, ids: Sequence[str]) -> None:
        """Note that the records of these ids exist."""
        with self.ctx.store.begin() as unit:
            self._seen.add(unit.couplings.coupled(self.ctx.mapping_name, self.side, ids))

    async def _worth_sweeping(self) -> bool:
        """Whether records may be gone: not so if none is new, to make up for them, and the number is the same."""
        if self.known_count is None or self.known_count <= SWEEP_ALWAYS or self._has_new:
            return True
        if self.ctx.counters(self.side).inserted:
            return True
        return await self.ctx.systems[self.side].count(self.schema.name) != self.known_count

    def _known_gone(self, coupling: Coupling) -> bool:
        """Whether a person has been asked about this deletion already."""
        gone = CouplingState.LOCAL_DELETED if self.side is Side.LOCAL else CouplingState.REMOTE_DELETED
        return coupling.state is gone and self.ctx.task.scope is Scope.CHANGES

    async def _confirm(self, couplings: list[Coupling]) -> list[Coupling]:
        if not couplings:
            return []
        ids = [coupling.record_id(self.side) for coupling in couplings]
        there = await self.ctx.systems[self.side].get(self.schema.name, ids, (self.schema.key,))
        return [coupling for coupling in couplings if coupling.record_id(self.side) not in there]

    def cursor(self) -> Cursor:
        """Return the cursor to store once everything that this feed named has been recorded."""
        position = _Position(self._next or self.position.cursor, self._newest, self._passed_over, self.marks)
        return Cursor(
            cursor=msgspec.json.encode(position).decode(),
            known_count=self.known_count,
            mapping_digest=self.ctx.compiled.digest,
        )
