"""Browsing: records of one side in the system's own pages, without those that are not wanted.

What the system cannot tell, as whether a record is coupled, is found by looking at many ids at once. Where few of many
are wanted, a page is filled in several requests: how far it has got is kept for a while, so that the page asked for
again goes on from there.
"""

import time
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import msgspec

from crosstie.app.rows import rows_of_records
from crosstie.app.stages import StagePage, fields_of_rows, read_place, read_records
from crosstie.engine.context import Context
from crosstie.model.browsing import Sort
from crosstie.model.filters import compile_filter
from crosstie.model.records import Record, Side
from crosstie.systems.base import System

SCAN = 3000
"""So many ids are looked at in one request where the system cannot tell which records are wanted."""
MOST_READS = 10
"""So often a page reads on before it answers with what it has found."""
KEPT_SECONDS = 60.0
"""So old may be what is kept; where the system counts, another number of records ends it sooner."""
_MOST_KEPT = 200


class _At(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place within a page of the system: what comes before `skip` has been dealt with."""

    place: str | None = None
    skip: int = 0


class _Kept(msgspec.Struct, frozen=True):
    """What a page has found, and where it goes on.

    It holds as long as the `couplings` there were, by number and last id, are all there, and `total` records are.
    """

    ids: tuple[str, ...]
    at: _At | None
    couplings: tuple[int, int]
    total: int | None
    kept_at: float


_Key = tuple[object, ...]
_KEPT: WeakKeyDictionary[System, dict[_Key, _Kept]] = WeakKeyDictionary()


class Browse:
    """Records that a filter admits, without those that an `earlier` one does: these have been shown before.

    A page answers when `deadline` (of `time.monotonic`) has passed, with what it has found, but not before it has read
    once.
    """

    def __init__(
        self,
        ctx: Context,
        side: Side,
        columns: Sequence[str],
        filter: str,
        order: Sequence[Sort],
        earlier: Sequence[str] = (),
        *,
        uncoupled_only: bool = False,
        deadline: float | None = None,
    ) -> None:
        self._ctx = ctx
        self._side = side
        self._columns = columns
        self._filter = filter or None
        self._order = tuple(order)
        self._earlier = [compile_filter(each, ctx.compiled.schema(side)) for each in earlier]
        self._uncoupled_only = uncoupled_only
        self._deadline = deadline
        self._key: _Key = (id(ctx.store), ctx.mapping_name, side, filter, self._order, *earlier, uncoupled_only)

    async def read(self, place: str | None, size: int) -> StagePage:
        """Return up to `size` rows; less, with a following place, where the page has looked far enough for now."""
        begin = _At() if place is None else read_place(place, _At)
        at: _At | None = begin
        couplings = self._couplings()
        kept = await self._kept(begin, size)
        ids: list[str] = []
        if kept is not None:
            ids, at = list(self._free(kept.ids)), kept.at
        records: dict[str, Record] = {}
        reads = 0
        while at is not None and len(ids) < size and reads < MOST_READS and not (reads and self._is_late()):
            taken, at = await self._read(at, size - len(ids))
            ids += [record.id for record in taken]
            records |= {record.id: record for record in taken}
            reads += 1
        if reads > 1 or (reads and at is not None and len(ids) < size):
            total = await self._total() if kept is None else kept.total
            self._keep(begin, size, _Kept(tuple(ids), at, couplings, total, time.monotonic()))
        if self._uncoupled_only or kept is not None:
            records = await read_records(self._ctx, self._side, ids, self._columns)
        rows = rows_of_records(self._ctx, self._side, [records[id] for id in ids if id in records], self._columns)
        return StagePage(rows, None if at is None else msgspec.json.encode(at).decode())

    async def _read(self, at: _At, size: int) -> tuple[list[Record], _At | None]:
        """Return at most `size` of the next records that are wanted, and where those behind them begin."""
        page = await self._ctx.systems[self._side].browse(
            self._ctx.compiled.mapping.table(self._side),
            self._fields(),
            filter=self._filter,
            order=self._order,
            size=SCAN if self._uncoupled_only else size + at.skip,
            after=at.place,
        )
        taken, skip = self._take(page.records[at.skip :], size)
        if skip is not None:
            return taken, _At(at.place, at.skip + skip)
        return taken, None if page.following is None else _At(page.following)

    def _fields(self) -> tuple[str, ...]:
        """Return what to read: all that a row shows, or only that without which it cannot be told what is wanted."""
        ctx, side = self._ctx, self._side
        names = (ctx.compiled.schema(side).key,) if self._uncoupled_only else fields_of_rows(ctx, side, self._columns)
        return tuple(dict.fromkeys([*names, *(name for filter in self._earlier for name in filter.fields)]))

    def _take(self, records: Sequence[Record], size: int) -> tuple[list[Record], int | None]:
        """Return the first records wanted, at most `size`, and after how many the next page begins, if within these."""
        free = set(self._free([record.id for record in records]))
        taken: list[Record] = []
        for at, record in enumerate(records):
            if len(taken) == size:
                return taken, at
            if record.id in free and not any(filter.admits(record.values) for filter in self._earlier):
                taken.append(record)
        return taken, None

    def _free(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those of the ids that are wanted as far as couplings tell."""
        if not self._uncoupled_only or not ids:
            return ids
        with self._ctx.store.begin() as unit:
            marks = unit.couplings.marks(self._ctx.mapping_name, self._side, ids)
        return [id for id in ids if id not in marks]

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    async def _kept(self, begin: _At, size: int) -> _Kept | None:
        """Return how far a page has got, if nothing is known to have changed that it has passed over."""
        kept = _KEPT.get(self._system, {}).get((*self._key, begin, size))
        if kept is None or time.monotonic() - kept.kept_at > KEPT_SECONDS:
            return None
        if self._couplings(kept.couplings[1]) != kept.couplings or await self._total() != kept.total:
            return None
        return kept

    def _keep(self, begin: _At, size: int, kept: _Kept) -> None:
        pages = _KEPT.setdefault(self._system, {})
        pages.pop(key := (*self._key, begin, size), None)
        pages[key] = kept
        while len(pages) > _MOST_KEPT:
            del pages[next(iter(pages))]

    @property
    def _system(self) -> System:
        return self._ctx.systems[self._side]

    def _couplings(self, last: int | None = None) -> tuple[int, int]:
        if not self._uncoupled_only:
            return 0, 0
        with self._ctx.store.begin() as unit:
            return unit.lists.count_couplings(self._ctx.mapping_name, last)

    async def _total(self) -> int | None:
        return await self._system.count(self._ctx.compiled.mapping.table(self._side), self._filter)
