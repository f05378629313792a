"""Which records of a whole table are not coupled: neither the system nor the store alone can tell.

Where most records are coupled, those that are not would be found only by looking through all. So the ids of a table are
read once, in the order of the list, and kept for a while beside which of them are free.
"""

import asyncio
import time
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import msgspec

from crosstie.app.rows import rows_of_records
from crosstie.app.stages import Browse, StagePage, read_place
from crosstie.engine.context import Context
from crosstie.model.browsing import Sort
from crosstie.model.records import Side
from crosstie.systems.base import System

KEPT_SECONDS = 60.0
"""So old may be what a list knows of a table's ids; where the system counts, another number of them ends it sooner."""
WAIT_SECONDS = 0.5
"""So long a first page waits for the ids of the table; then it looks through as many as one page may."""
LARGEST = 300_000
"""The ids of larger tables are not kept."""
_PAGE = 5000


class _At(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place among the free records: behind `last`, which was the one before `free`."""

    free: int
    last: str


class _Ids:
    """The ids of a table in the order of a list, and which of them are free; `reading` while they are read."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.total: int | None = None
        self.read_at = float("-inf")
        self.free: list[str] = []
        self.coupled = -1
        self.reading: asyncio.Task[None] | None = None

    def is_fresh(self, total: int | None) -> bool:
        """Whether these are the ids as far as anybody can tell without reading them again."""
        return time.monotonic() - self.read_at < KEPT_SECONDS and total == self.total


_KEPT: WeakKeyDictionary[System, dict[tuple[object, ...], _Ids]] = WeakKeyDictionary()


class Uncoupled:
    """Records without a coupling, from the ids that are kept; `look_through` finds them until these are read."""

    def __init__(
        self,
        ctx: Context,
        side: Side,
        columns: Sequence[str],
        filter: str,
        order: Sequence[Sort],
        look_through: Browse,
    ) -> None:
        self._ctx = ctx
        self._side = side
        self._columns = columns
        self._filter = filter
        self._order = tuple(order)
        self._look_through = look_through

    async def read(self, place: str | None, size: int) -> StagePage:
        at = _At(0, "") if place is None else _place(place)
        if at is None:
            return await self._look_through.read(place, size)
        found = await self._ids(patient=place is not None)
        if found is None:
            return await self._look_through.read(None, size)
        begin = _begin(found.free, at)
        page = found.free[begin : begin + size]
        with self._ctx.store.begin() as unit:
            taken = set(unit.couplings.marks(self._ctx.mapping_name, self._side, page)) if page else set()
        records = await self._look_through.records([id for id in page if id not in taken])
        rows = rows_of_records(self._ctx, self._side, records, self._columns)
        if begin + size >= len(found.free):
            return StagePage(rows, None)
        return StagePage(rows, msgspec.json.encode(_At(begin + size, page[-1])).decode())

    async def _ids(self, *, patient: bool) -> _Ids | None:
        """Return the ids; None where it is better to look through the table than to wait for them."""
        ctx, side = self._ctx, self._side
        system, table = ctx.systems[side], ctx.compiled.mapping.table(side)
        total = await system.count(table, self._filter or None)
        if total is not None and total > LARGEST:
            return None
        key = (id(ctx.store), ctx.mapping_name, side, self._filter, self._order)
        found = _KEPT.setdefault(system, {}).setdefault(key, _Ids())
        if not found.is_fresh(total):
            if found.reading is None or found.reading.done():
                found.reading = asyncio.create_task(self._read_ids(found, total))
                found.reading.add_done_callback(_noted)
            done, _ = await asyncio.wait({found.reading}, timeout=None if patient else WAIT_SECONDS)
            if not done:
                return None
            await found.reading
        self._sift(found)
        return found

    async def _read_ids(self, found: _Ids, total: int | None) -> None:
        schema = self._ctx.compiled.schema(self._side)
        ids: list[str] = []
        after: str | None = None
        while True:
            page = await self._ctx.systems[self._side].browse(
                schema.name, (schema.key,), filter=self._filter or None, order=self._order, size=_PAGE, after=after
            )
            ids += [record.id for record in page.records]
            after = page.following
            if after is None or len(ids) > LARGEST:
                break
        found.ids, found.total, found.read_at, found.coupled = ids, total, time.monotonic(), -1

    def _sift(self, found: _Ids) -> None:
        """Find the free ones anew if the number of couplings has changed."""
        with self._ctx.store.begin() as unit:
            coupled = sum(unit.couplings.count(self._ctx.mapping_name).values())
            if coupled == found.coupled:
                return
            marks = unit.couplings.marks(self._ctx.mapping_name, self._side)
        found.free, found.coupled = [id for id in found.ids if id not in marks], coupled


def _place(place: str) -> _At | None:
    """Return a place among the free records; None for one of the table itself."""
    return read_place(place, _At) if '"free"' in place else None


def _begin(free: Sequence[str], at: _At) -> int:
    """Return where a page begins, also if records before it have been coupled, or others uncoupled."""
    if not at.last or (0 < at.free <= len(free) and free[at.free - 1] == at.last):
        return max(0, at.free)
    try:
        return free.index(at.last) + 1
    except ValueError:
        return max(0, at.free)


def _noted(reading: asyncio.Task[None]) -> None:
    """Take notice of a failure that nobody waited for: the next page reads again and meets it."""
    if not reading.cancelled():
        reading.exception()
