"""Filters of a mapping before they are stored: as rows, in words, what they admit, which couplings leave them."""

import asyncio
from collections import Counter
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence

import msgspec

from crosstie.app.session import Session
from crosstie.engine.changes import CouplingSet
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.errors import CrosstieError, SystemFailure, UsageError
from crosstie.model.filter_rows import FilterRow, RowOperator, operators_of, rows_of, text_of
from crosstie.model.filter_words import in_words
from crosstie.model.mappings import Mapping
from crosstie.model.records import Side
from crosstie.model.schema import TableSchema

SHOWN = 10
"""So many of the couplings that leave a filter are named."""
_DELETED = (CouplingState.LOCAL_DELETED, CouplingState.REMOTE_DELETED)


class SideFilter(msgspec.Struct, frozen=True, kw_only=True):
    """The filter of a side. `rows` is None where no rows can say it, a figure where the system does not tell."""

    table: str
    text: str
    rows: list[FilterRow] | None
    words: str
    matching: int | None
    total: int | None


class FilterView(msgspec.Struct, frozen=True, kw_only=True):
    """A filter as it is typed: what it is, or why it cannot be used or asked about."""

    text: str
    filter: SideFilter | None = None
    error: CrosstieError | None = None


class LeavingCoupling(msgspec.Struct, frozen=True, kw_only=True):
    """A coupling that falls outside."""

    name: str
    local_id: str
    remote_id: str


class FilterPreview(msgspec.Struct, frozen=True, kw_only=True):
    """Filters as they would be stored, and what becomes of the couplings; `leaving_first` names some of those leaving.

    `leaving` are synchronised now and fall outside, `returning` are outside now and come back, `outside` are outside
    and stay so. All of them stay coupled.
    """

    mapping: str
    changed: bool
    local: SideFilter
    remote: SideFilter
    couplings: int
    leaving: int
    returning: int
    outside: int
    leaving_first: list[LeavingCoupling]
    words: list[str]


class FilterField(msgspec.Struct, frozen=True, kw_only=True):
    """A field that a filter can ask about; no other has its `label`. `options` are there to choose from."""

    name: str
    label: str
    type: str
    operators: tuple[RowOperator, ...]
    options: dict[str, str]


async def preview_filters(
    session: Session,
    mapping: str,
    *,
    texts: Dictionary[Side, str] | None = None,
    rows: Dictionary[Side, list[FilterRow]] | None = None,
) -> FilterPreview:
    """Return what filters would admit and which couplings would leave them; nothing is stored.

    A side is given as text or as rows; one that is not given keeps its filter. Raises UnknownMapping, UnknownField and
    InvalidFilter naming field and value, SystemFailure.
    """
    found = session.mapping(mapping)
    schemas = dict(zip(Side, await asyncio.gather(*(_schema(session, found, side) for side in Side)), strict=True))
    wanted = {side: (found.filter(side) or "").strip() for side in Side}
    wanted.update({side: text.strip() for side, text in (texts or {}).items()})
    wanted.update({side: text_of(given, schemas[side]) for side, given in (rows or {}).items()})
    local, remote = await asyncio.gather(
        *(_side_filter(session, found, side, wanted[side], schemas[side]) for side in Side)
    )
    differing = [side for side in Side if wanted[side] != (found.filter(side) or "").strip()]
    return await _with_couplings(session, found, local, remote, differing)


async def filter_views(session: Session, mapping: str, texts: Dictionary[Side, str]) -> dict[Side, FilterView]:
    """Return what filters would admit on the sides of a mapping, each with what is wrong. Raises UnknownMapping."""
    found = session.mapping(mapping)
    views = await asyncio.gather(*(_filter_view(session, found, side, text.strip()) for side, text in texts.items()))
    return dict(zip(texts, views, strict=True))


async def _filter_view(session: Session, mapping: Mapping, side: Side, text: str) -> FilterView:
    try:
        schema = await _schema(session, mapping, side)
        return FilterView(text=text, filter=await _side_filter(session, mapping, side, text, schema))
    except (UsageError, SystemFailure) as error:
        return FilterView(text=text, error=error)


async def filter_fields(session: Session, mapping: str, side: Side) -> list[FilterField]:
    """Return the fields of a side in the order of their captions. Raises UnknownMapping, SystemFailure."""
    schema = await _schema(session, session.mapping(mapping), side)
    fields = sorted(schema.fields.values(), key=lambda field: ((field.label or field.name).casefold(), field.name))
    often = Counter(field.label for field in fields)
    return [
        FilterField(
            name=field.name,
            label=f"{field.label} ({field.name})" if often[field.label] > 1 else field.label or field.name,
            type=field.type.value,
            operators=operators_of(field),
            options={option: label for option, label in field.options.items() if option.strip() and label.strip()},
        )
        for field in fields
    ]


async def filter_rows(session: Session, mapping: str, side: Side, text: str) -> list[FilterRow] | None:
    """Return the rows of a filter; see `rows_of`. Raises UnknownMapping, InvalidFilter, UnknownField, SystemFailure."""
    return rows_of(text, await _schema(session, session.mapping(mapping), side))


async def filter_text(session: Session, mapping: str, side: Side, rows: list[FilterRow]) -> str:
    """Return the text of rows; see `text_of`. Raises UnknownMapping, InvalidFilter, UnknownField, SystemFailure."""
    return text_of(rows, await _schema(session, session.mapping(mapping), side))


async def _schema(session: Session, mapping: Mapping, side: Side) -> TableSchema:
    return await session.systems[side].describe(mapping.table(side))


async def _side_filter(session: Session, mapping: Mapping, side: Side, text: str, schema: TableSchema) -> SideFilter:
    words, rows = in_words(text, schema), rows_of(text, schema)
    system, table = session.systems[side], mapping.table(side)
    matching, total = await asyncio.gather(system.count(table, text or None), system.count(table))
    return SideFilter(table=table, text=text, rows=rows, words=words, matching=matching, total=total)


class _Couplings(msgspec.Struct):
    """The couplings that a change of filters concerns."""

    leaving: int = 0
    outside: int = 0
    first: list[Coupling] = []


async def _with_couplings(
    session: Session, mapping: Mapping, local: SideFilter, remote: SideFilter, differing: list[Side]
) -> FilterPreview:
    with session.store.begin() as unit:
        states = unit.couplings.count(mapping.name)
    out_now, total = states.get(CouplingState.OUT_OF_FILTER, 0), sum(states.values())
    found = _Couplings(outside=0 if differing else out_now)
    if differing and total:
        # Who is outside now may be so for the filter that stays as it is.
        texts = {Side.LOCAL: local.text, Side.REMOTE: remote.text}
        found = await _outside(session, mapping, {side: texts[side] for side in (Side if out_now else differing)})
    returning = out_now - found.outside
    return FilterPreview(
        mapping=mapping.name,
        changed=bool(differing),
        local=local,
        remote=remote,
        couplings=total,
        leaving=found.leaving,
        returning=returning,
        outside=found.outside,
        leaving_first=[
            LeavingCoupling(name=each.name(), local_id=each.local_id, remote_id=each.remote_id) for each in found.first
        ],
        words=_effects(mapping, found.leaving, returning, found.outside) if differing else [],
    )


async def _outside(session: Session, mapping: Mapping, texts: Dictionary[Side, str]) -> _Couplings:
    """Return the couplings one of whose records a filter does not admit; deleted ones are no matter of filters."""
    admitted = [await _admitted(session, mapping, side, text) for side, text in texts.items()]
    found = _Couplings()
    with session.store.begin() as unit:
        for part in unit.couplings.unseen(mapping.name, lambda ids: _not_in_all(admitted, ids), session.now()):
            found.outside += sum(each.state is CouplingState.OUT_OF_FILTER for each in part)
            leaving = [each for each in part if each.state not in (CouplingState.OUT_OF_FILTER, *_DELETED)]
            found.leaving += len(leaving)
            found.first += leaving[: SHOWN - len(found.first)]
    return found


async def _admitted(session: Session, mapping: Mapping, side: Side, text: str) -> CouplingSet:
    """Return the couplings whose record of a side a filter admits."""
    system, table, found = session.systems[side], mapping.table(side), CouplingSet()
    key = (await system.describe(table)).key
    async for page in system.scan(table, (key,), text or None):
        with session.store.begin() as unit:
            found.add(unit.couplings.coupled(mapping.name, side, [record.id for record in page.records]))
    return found


def _not_in_all(sets: list[CouplingSet], ids: Sequence[int]) -> list[int]:
    absent: set[int] = set()
    for each in sets:
        absent.update(each.without(ids))
    return sorted(absent)


def _effects(mapping: Mapping, leaving: int, returning: int, outside: int) -> list[str]:
    """Return what becomes of couplings, in sentences."""
    said = []
    if leaving:
        said.append(
            f"{_couplings(leaving)} fall{'s' * (leaving == 1)} outside: the records stay coupled and are not "
            "synchronised any longer, in neither direction. What is edited meanwhile is carried over once they are "
            "in the filters again."
        )
    if returning:
        said.append(f"{_couplings(returning)} come{'s' * (returning == 1)} back and will be synchronised again.")
    if outside:
        said.append(f"{_couplings(outside)} {'is' if outside == 1 else 'are'} outside already and stay so.")
    if not said:
        said.append("No coupling falls outside.")
    if not mapping.only_coupled:
        said.append("Records that the filters admit and that have no partner get one with the next synchronisation.")
    return said


def _couplings(number: int) -> str:
    return f"{number:,} coupling{'s' * (number != 1)}"
