"""Stages: where the rows of a list come from, one source after the other, and how a page goes on where the last ended.

Couplings of some states come from the store (`Coupled`), records from their system (`app.browsing`).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec

from crosstie.app.rows import rows_of_couplings
from crosstie.engine.context import Context
from crosstie.model.browsing import Sort
from crosstie.model.couplings import CouplingState
from crosstie.model.errors import InvalidOption
from crosstie.model.lists import RecordRow
from crosstie.model.records import Record, Side
from crosstie.store.base_lists import Column, Place

S = TypeVar("S", bound=msgspec.Struct)


class StagePage(msgspec.Struct, frozen=True):
    """Some rows of a stage, and where it goes on; None at its end.

    A page that is not full, and goes on, has looked as far as one page may.
    """

    rows: list[RecordRow]
    following: str | None


class Stage(Protocol):
    """A source of rows."""

    async def read(self, place: str | None, size: int) -> StagePage: ...


class _Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    stage: int
    place: str | None = None


async def read_stages(stages: Sequence[Stage], after: str | None, size: int) -> tuple[list[RecordRow], str | None]:
    """Return a page of rows and the cursor of the next. Raises InvalidOption if `after` is no cursor of a list."""
    cursor = _Cursor(0) if after is None else _decoded(after)
    rows: list[RecordRow] = []
    stage, place = cursor.stage, cursor.place
    while stage < len(stages) and len(rows) < size:
        page = await stages[stage].read(place, size - len(rows))
        rows += page.rows
        place = page.following
        if place is not None:
            break
        stage += 1
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
        records = await read_records(ctx, side, [coupling.record_id(side) for coupling in page], self._columns)
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


def fields_of_rows(ctx: Context, side: Side, columns: Sequence[str]) -> tuple[str, ...]:
    """Return what has to be read of a record for a row with these columns."""
    mapping = ctx.compiled.mapping
    key = mapping.key_field(side)
    names = [*columns, *([key] if key else []), mapping.name_field(side), *ctx.filter_fields.get(side, ())]
    return tuple(dict.fromkeys(names))


async def read_records(ctx: Context, side: Side, ids: Sequence[str], columns: Sequence[str]) -> dict[str, Record]:
    """Return those of the records that exist, with all that a row shows."""
    if not ids:
        return {}
    return await ctx.systems[side].get(ctx.compiled.mapping.table(side), ids, fields_of_rows(ctx, side, columns))
