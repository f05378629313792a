"""Opening the coupled record from the other system: what the *Business Central* button and its mirror call."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from crosstie.app.records import find_records, is_guid
from crosstie.app.session import Session
from crosstie.app.synchronising import run_synchronise
from crosstie.engine.context import Context, Scope, Task
from crosstie.model.causes import CAUSES
from crosstie.model.couplings import Coupling
from crosstie.model.errors import (
    InvalidOption,
    NotCoupled,
    SystemFailure,
    UnknownConnection,
    UnknownMapping,
    UnknownRecord,
)
from crosstie.model.mappings import Mapping
from crosstie.model.places import Place
from crosstie.model.records import Record, Side
from crosstie.model.schema import FieldType

_PATIENCE = 5
"""Seconds that somebody who follows a link waits for a system to say whether the record is there."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Where the coupled record is, and whether it was coupled by this very call."""

    address: str
    mapping: str
    local_id: str
    remote_id: str
    coupled_now: bool


async def open_record(session: Session, connection: str, table: str, id: str) -> Opened:
    """Return the address of the record that a record of `connection` is coupled with (engine rules U-9, U-10).

    `connection` is a connection's name, its kind, or the side: local or remote; `id` may also be what people call the
    record. An uncoupled record gets its partner created and is coupled with it, if its mapping allows. Raises
    UnknownMapping if no mapping has the table, UnknownRecord also if the partner no longer exists, AmbiguousRecord,
    InvalidOption if the id is none, and NotCoupled saying why it cannot be coupled by itself.
    """
    side = _side(session, connection)
    id = id.strip()
    if not id:
        raise InvalidOption("The record's id is missing.", next_step="Give the id that the form's address carries.")
    mappings = [m for m in session.mappings() if m.table(side).casefold() == table.strip().casefold()]
    if not mappings:
        tables = ", ".join(dict.fromkeys(m.table(side) for m in session.mappings()))
        raise UnknownMapping(f"No mapping has the table {table!r}; there are mappings for {tables}.", table=table)
    id = await _identified(session, side, mappings, id)
    for mapping in mappings:
        with session.store.begin() as unit:
            coupling = unit.couplings.by_record(mapping.name, side, [id]).get(id)
        if coupling is not None:
            await _refuse_half(session, mapping, side, coupling)
            return _opened(session, mapping, side, coupling.local_id, coupling.remote_id, coupled_now=False)
    return await _couple_and_open(session, side, mappings, id)


async def _refuse_half(session: Session, mapping: Mapping, side: Side, coupling: Coupling) -> None:
    """Refuse to open a partner that is gone. Where its system cannot be asked now, the address is good all the same."""
    system, id = session.systems[side.other], coupling.record_id(side.other)
    table = mapping.table(side.other)
    with suppress(SystemFailure, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            found = await system.get(table, [id], (mapping.name_field(side.other),))
        if id not in found:
            raise UnknownRecord(
                f"The record is coupled, but {system.name} no longer has the {table} that it is coupled with.",
                next_step=CAUSES["partner-deleted"].next_step,
                place=Place.HALF,
                mapping=mapping.name,
                side=side.value,
                id=coupling.record_id(side),
            )


async def _identified(session: Session, side: Side, mappings: Sequence[Mapping], text: str) -> str:
    """Return the id of the record that is called `text`; what looks like an id is taken for one."""
    if is_guid(text):
        return text.strip("{}").lower()
    schema = (await session.compiled(mappings[0].name)).schema(side)
    if schema.fields[schema.key].type is not FieldType.GUID:
        return text
    ctx = await session.context(mappings[0].name, Task(scope=Scope.RECORDS))
    return (await find_records(ctx, [text], sides=(side,)))[0][1]


async def _couple_and_open(session: Session, side: Side, mappings: Sequence[Mapping], id: str) -> Opened:
    """Create and couple the partner under the mapping whose filter admits the record, if that mapping allows it."""
    reasons: list[str] = []
    fitting = mappings[0]
    for mapping in mappings:
        task = Task(scope=Scope.RECORDS, records=((side, id),), on_purpose=True, create=True)
        ctx = await session.context(mapping.name, task)
        record = await _read(ctx, side, id)
        if not ctx.in_filter(side, record.values):
            reasons.append(f"the filter of {mapping.name} leaves it out (it admits: {ctx.filter_words(side)})")
            continue
        fitting = mapping
        if not mapping.enabled:
            reasons.append(f"{mapping.name} is disabled")
        elif not mapping.reaches(side.other):
            reasons.append(f"{mapping.name} flows {mapping.direction.value} only")
        elif mapping.only_coupled:
            reasons.append(f"{mapping.name} synchronises only coupled records")
        else:
            report = await run_synchronise(ctx)
            with session.store.begin() as unit:
                made = unit.couplings.by_record(mapping.name, side, [id]).get(id)
            if made is not None:
                return _opened(session, mapping, side, made.local_id, made.remote_id, coupled_now=True)
            failure = report.failures[0] if report.failures else None
            words = failure.words if failure else "it could not be created"
            raise NotCoupled(
                f"The record is not coupled, and {mapping.name} could not create its partner: {words}",
                next_step=failure.next_step if failure else "",
                attempted=True,
                mapping=mapping.name,
                id=id,
            )
    raise NotCoupled(
        f"The record is not coupled, and is not coupled by itself: {'; '.join(reasons)}.",
        place=Place.COUPLE_LOCAL if side is Side.LOCAL else Place.COUPLE_REMOTE,
        mapping=fitting.name,
        id=id,
    )


async def _read(ctx: Context, side: Side, id: str) -> Record:
    table = ctx.compiled.mapping.table(side)
    record = (await ctx.systems[side].get(table, [id], ctx.reads(side))).get(id)
    if record is None:
        raise UnknownRecord(f"{ctx.systems[side].name} has no {table} with the id {id}.", table=table, id=id)
    return record


def _opened(
    session: Session, mapping: Mapping, side: Side, local_id: str, remote_id: str, *, coupled_now: bool
) -> Opened:
    target = side.other
    id = local_id if target is Side.LOCAL else remote_id
    return Opened(
        address=session.systems[target].link(mapping.table(target), id),
        mapping=mapping.name,
        local_id=local_id,
        remote_id=remote_id,
        coupled_now=coupled_now,
    )


def _side(session: Session, connection: str) -> Side:
    wanted = connection.strip().casefold()
    for side, found in session.connections.items():
        if wanted in (found.name.casefold(), found.kind.value, side.value):
            return side
    names = ", ".join(found.name for found in session.connections.values())
    raise UnknownConnection(f"There is no connection {connection!r}; there are: {names}.", connection=connection)
