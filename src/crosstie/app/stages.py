"""Stages: where the rows of a list come from, one source after the other, and how a page goes on where the last ended.

Couplings of some states come from the store, records from their system in its own pages. What the system cannot tell,
as whether a record is coupled, is found by looking at many ids at once.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec

from crosstie.app.rows import rows_of_couplings, rows_of_records
from crosstie.engine.context import Context
from crosstie.model.browsing import Sort
from crosstie.model.couplings import CouplingState
from crosstie.model.errors import InvalidOption
from crosstie.model.filters import Filter
from crosstie.model.lists import RecordRow
from crosstie.model.records import Record, Side
from crosstie.store.base_lists import Column, Place

S = TypeVar("S", bound=msgspec.Struct)

SCAN = 2000
"""So many ids are looked at in one request where the system cannot tell which records are wanted."""
MOST_READS = 10
"""So often a page reads on before it answers with what it has found."""


class StagePage(msgspec.Struct, frozen=True):
    """Some rows of a stage, and where it goes on; None at its end."""

    rows: list[RecordRow]
    following: str | None


class Stage(Protocol):
    """A source of rows."""

    async def read(self, place: str | None, size: int) -> StagePage: ...


class _Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    stage: int
    place: str | None = None


class _At(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place within a page of the system: what comes before `skip` has been dealt with."""

    place: str | None = None
    skip: int = 0


async def read_stages(stages: Sequence[Stage], after: str | None, size: int) -> tuple[list[RecordRow], str | None]:
    """Return a page of rows and the cursor of the next. Raises InvalidOption if `after` is no cursor of a list."""
    cursor = _Cursor(0) if after is None else _decoded(after)
    rows: list[RecordRow] = []
    stage, place = cursor.stage, cursor.place
    for _ in range(MOST_READS):
        if stage >= len(stages) or len(rows) >= size:
            break
        page = await stages[stage].read(place, size - len(rows))
        rows += page.rows
        place = page.following
        stage += place is None
    return rows, _encoded(_Cursor(stage, place)) if stage < len(stages) else None


def _encoded(cursor: _Cursor) -> str:
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _decoded(after: str) -> _Cursor:
    try:
        found = msgspec.json.decode(urlsafe_b64decode(after.encode() + b"=" * (-len(after) % 4)), type=_Cursor)
    except ValueError as error:
        raise _no_place(after) from error
    if found.stage < 0:
        raise _no_place(after)
    return found


def read_place(place: str, wanted: type[S]) -> S:
    """Return a place of a stage as it was encoded. Raises InvalidOption if it is none."""
    try:
        return msgspec.json.decode(place, type=wanted)
    except ValueError as error:
        raise _no_place(place) from error


def _no_place(after: str) -> InvalidOption:
    return InvalidOption(
        f"The list cannot go on from {after[:80]!r}: that is no place in it.", next_step="Begin with the first page."
    )


class Coupled:
    """Couplings of some states, with the records of one side as they are now."""

    def __init__(
        self,
        ctx: Context,
        side: Side,
        columns: Sequence[str],
        states: Sequence[CouplingState],
        search: str,
        order: Sequence[Sort],
    ) -> None:
        self._ctx = ctx
        self._side = side
        self._columns = columns
        self._states = states
        self._search = search
        self._column = _column(ctx, side, order)
        self._descending = bool(order) and order[0].descending

    async def read(self, place: str | None, size: int) -> StagePage:
        ctx, side = self._ctx, self._side
        after = None if place is None else read_place(place, Place)
        with ctx.store.begin() as unit:
            found = unit.lists.couplings(
                ctx.mapping_name,
                states=self._states,
                search=self._search,
                side=side,
                column=self._column,
                descending=self._descending,
                limit=size + 1,
                after=after,
            )
        page = found[:size]
        records = await _with(ctx, side, [coupling.record_id(side) for coupling in page], self._columns)
        rows = rows_of_couplings(ctx, side, page, records, self._columns)
        if len(found) <= size:
            return StagePage(rows, None)
        value = getattr(page[-1], f"{side.value}_{self._column.value}") if self._column else None
        return StagePage(rows, msgspec.json.encode(Place(page[-1].id, value)).decode())


def _column(ctx: Context, side: Side, order: Sequence[Sort]) -> Column | None:
    """Return the column of couplings by which a list is sorted; other fields are not known to them."""
    mapping = ctx.compiled.mapping
    field = order[0].field if order else None
    if field is not None and field == mapping.key_field(side):
        return Column.KEY
    return Column.NAME if field is not None and field == mapping.name_field(side) else None


class Browse:
    """Records of one side in the system's own pages; those that an `earlier` filter admits have been shown before."""

    def __init__(
        self,
        ctx: Context,
        side: Side,
        columns: Sequence[str],
        filter: str,
        order: Sequence[Sort],
        earlier: Sequence[Filter] = (),
        *,
        uncoupled_only: bool = False,
    ) -> None:
        self._ctx = ctx
        self._side = side
        self._columns = columns
        self._filter = filter
        self._order = order
        self._earlier = earlier
        self._uncoupled_only = uncoupled_only
        self._whole = _reads(ctx, side, columns, earlier)

    async def read(self, place: str | None, size: int) -> StagePage:
        ctx, side = self._ctx, self._side
        at = _At() if place is None else read_place(place, _At)
        schema = ctx.compiled.schema(side)
        scans = self._uncoupled_only
        page = await ctx.systems[side].browse(
            schema.name,
            self._needed() if scans else self._whole,
            filter=self._filter or None,
            order=self._order,
            size=SCAN if scans else size + at.skip,
            after=at.place,
        )
        taken, skip = self._take(page.records[at.skip :], size)
        if skip is not None:
            following: _At | None = _At(at.place, at.skip + skip)
        else:
            following = None if page.following is None else _At(page.following)
        if scans and taken:
            found = await _with(ctx, side, [record.id for record in taken], self._columns)
            taken = [found[record.id] for record in taken if record.id in found]
        rows = rows_of_records(ctx, side, taken, self._columns)
        return StagePage(rows, None if following is None else msgspec.json.encode(following).decode())

    async def records(self, ids: Sequence[str]) -> list[Record]:
        """Return those of the records that exist, with all that a row shows, in the order of the ids."""
        found = await _with(self._ctx, self._side, ids, self._columns)
        return [found[id] for id in ids if id in found]

    def _needed(self) -> tuple[str, ...]:
        """Return the fields without which it cannot be told which records are wanted."""
        names = [name for filter in self._earlier for name in filter.fields]
        return tuple(dict.fromkeys((self._ctx.compiled.schema(self._side).key, *names)))

    def _take(self, records: Sequence[Record], size: int) -> tuple[list[Record], int | None]:
        """Return the first records wanted, at most `size`, and after how many the next page begins, if within these."""
        coupled: set[str] = set()
        if self._uncoupled_only:
            with self._ctx.store.begin() as unit:
                ids = [record.id for record in records]
                coupled = set(unit.couplings.marks(self._ctx.mapping_name, self._side, ids)) if ids else set()
        taken: list[Record] = []
        for at, record in enumerate(records):
            if len(taken) == size:
                return taken, at
            if record.id not in coupled and not any(filter.admits(record.values) for filter in self._earlier):
                taken.append(record)
        return taken, None


def _reads(ctx: Context, side: Side, columns: Sequence[str], earlier: Sequence[Filter]) -> tuple[str, ...]:
    mapping = ctx.compiled.mapping
    key = mapping.key_field(side)
    names = [*columns, *([key] if key else []), mapping.name_field(side), *ctx.filter_fields.get(side, ())]
    return tuple(dict.fromkeys([*names, *(name for filter in earlier for name in filter.fields)]))


async def _with(ctx: Context, side: Side, ids: Sequence[str], columns: Sequence[str]) -> dict[str, Record]:
    """Read records with all that a row shows."""
    if not ids:
        return {}
    table = ctx.compiled.mapping.table(side)
    return await ctx.systems[side].get(table, ids, _reads(ctx, side, columns, ()))
