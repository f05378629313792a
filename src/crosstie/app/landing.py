"""The landing page: why a record of Dataverse is not in Business Central yet, and what can be done about it (F07)."""

import msgspec

from crosstie.app.candidates import ALMOST_SURE, Candidate, candidates
from crosstie.app.previewing import preview_creation
from crosstie.app.session import Session
from crosstie.engine.context import Context, Scope, Task
from crosstie.engine.outcomes import name_of
from crosstie.engine.pairing import fetch
from crosstie.model.errors import UnknownMapping, UnknownRecord
from crosstie.model.mappings import Mapping
from crosstie.model.records import Record, Side

_CERTAIN = 40
"""Candidates of a lower score are not worth a button that couples at once."""


class Uncoupled(msgspec.Struct, frozen=True, kw_only=True):
    """A record that is not coupled and does not become so by itself.

    `mapping` is the one under which it would be, `reasons` why it is not by itself. `cannot_create` says why no partner
    can be created for it; empty where one can.
    """

    mapping: str
    table: str
    local_table: str
    id: str
    name: str
    address: str
    reasons: list[str]
    admitted: bool
    """Whether a mapping's filter admits the record, so that it can be coupled at all."""
    candidates: list[Candidate]
    cannot_create: str
    almost_sure: int = ALMOST_SURE
    """From this score on linking is proposed before creating."""


async def explain_uncoupled(session: Session, table: str, id: str, *, limit: int = 5) -> Uncoupled:
    """Return why a record of the remote side is not coupled, and with what it may be. Writes nothing.

    Raises UnknownMapping if no mapping has the table, UnknownRecord, SystemFailure.
    """
    id = id.strip().strip("{}").lower()
    mappings = [each for each in session.mappings() if each.remote_table.casefold() == table.strip().casefold()]
    if not mappings:
        raise UnknownMapping(f"No mapping has the table {table!r}.", table=table)
    reasons: list[str] = []
    fitting: tuple[Context, Record] | None = None
    for mapping in mappings:
        ctx = await session.context(mapping.name, Task(scope=Scope.RECORDS, on_purpose=True))
        record = (await fetch(ctx, Side.REMOTE, [id])).get(id)
        if record is None:
            raise UnknownRecord(f"{ctx.systems[Side.REMOTE].name} has no {table} with the id {id}.", id=id)
        fitting = fitting or (ctx, record)
        if not ctx.in_filter(Side.REMOTE, record.values):
            reasons.append(f"The filter of {mapping.name} leaves it out; it admits: {ctx.filter_words(Side.REMOTE)}.")
            continue
        fitting = (ctx, record)
        if why := _by_itself(mapping):
            reasons.append(why)
        return await _described(session, ctx, record, reasons, admitted=True, limit=limit)
    assert fitting is not None, "there is a mapping"
    return await _described(session, *fitting, reasons, admitted=False, limit=limit)


def _by_itself(mapping: Mapping) -> str:
    """Return why a mapping does not create a partner by itself; empty if it does."""
    if not mapping.enabled:
        return f"{mapping.name} is disabled."
    if not mapping.reaches(Side.LOCAL):
        return f"{mapping.name} flows {mapping.direction.value} only."
    return f"{mapping.name} synchronises only coupled records." if mapping.only_coupled else ""


async def _described(
    session: Session, ctx: Context, record: Record, reasons: list[str], *, admitted: bool, limit: int
) -> Uncoupled:
    mapping = ctx.compiled.mapping
    found: list[Candidate] = []
    cannot = reasons[-1] if reasons else ""
    if admitted:
        found = await candidates(session, mapping.name, record.id, side=Side.REMOTE, limit=limit)
        foreseen = await preview_creation(session, mapping.name, record.id, side=Side.REMOTE)
        cannot = foreseen.blocked.words if foreseen.blocked else ""
        if not ctx.compiled.local_schema.creatable:
            cannot = f"Records of {mapping.local_table} cannot be created."
    return Uncoupled(
        mapping=mapping.name,
        table=mapping.remote_table,
        local_table=mapping.local_table,
        id=record.id,
        name=name_of(ctx, None, record, None),
        address=ctx.systems[Side.REMOTE].link(mapping.remote_table, record.id),
        reasons=reasons,
        admitted=admitted,
        candidates=[each for each in found if each.free and each.score >= _CERTAIN],
        cannot_create=cannot,
    )
