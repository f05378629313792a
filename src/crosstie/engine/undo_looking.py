"""Looking before an undo: records as they are now, and what somebody has touched since."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from crosstie.engine.context import Context
from crosstie.engine.pairing import Paired, fetch, pair_named
from crosstie.engine.undo import Done, untouched
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Pair
from crosstie.model.records import Record, Side
from crosstie.model.schema import FieldType
from crosstie.model.values import Scalar, Values

_TOLERANCE = timedelta(minutes=5)
"""How far a system's clock may be ahead of ours: what it stamps later than that was written by somebody else."""


def labels_of(ctx: Context, side: Side) -> dict[str, str]:
    """Return what people call the mapped fields of a side, by name; of several field mappings the first counts."""
    return {name: row.label for row in reversed(ctx.compiled.fields) if (name := row.field_name(side))}


async def pairs_of(ctx: Context, done: Iterable[Done]) -> dict[tuple[Side, str], Paired]:
    """Read the records with their partners, as they are coupled now."""
    found = {}
    for side in Side:
        ids = [each.id for each in done if each.side is side]
        for item in await pair_named(ctx, side, ids) if ids else ():
            id = item.pair.coupling.record_id(side) if item.pair.coupling else None
            record = record_of(item.pair, side)
            found[side, id or (record.id if record else "")] = item
    return found


def record_of(pair: Pair, side: Side) -> Record | None:
    return pair.local if side is Side.LOCAL else pair.remote


def pair_of(side: Side, record: Record | None, partner: Record | None, coupling: Coupling | None) -> Pair:
    local, remote = (record, partner) if side is Side.LOCAL else (partner, record)
    return Pair(coupling=coupling, local=local, remote=remote)


async def with_partner(ctx: Context, done: Done, pair: Pair) -> Pair:
    """Return the pair with the record for which the other one was created, also where they are not coupled."""
    partner_id = done.partner_id()
    if pair.coupling is not None or partner_id is None:
        return pair
    other = (await fetch(ctx, done.side.other, [partner_id])).get(partner_id)
    return pair_of(done.side, record_of(pair, done.side), other, None)


async def partners_of(ctx: Context, done: Sequence[Done]) -> tuple[dict[str, Record], dict[str, str]]:
    """Return the records to which deleted ones of one side were coupled, where they exist, by id.

    Those that are coupled by now come apart, with words for it.
    """
    ids = [id for each in done if (id := each.partner_id())]
    if not ids:
        return {}, {}
    side = done[0].side.other
    records = await fetch(ctx, side, ids)
    with ctx.store.begin() as unit:
        coupled = unit.couplings.by_record(ctx.mapping_name, side, ids)
    held = {id: f"Its partner is coupled as {coupling.name()} by now." for id, coupling in coupled.items()}
    return {id: record for id, record in records.items() if id not in coupled}, held


async def whole_values(ctx: Context, done: Done, record: Record) -> Values:
    """Return the values of a record with those of changed fields that the mapping no longer reads."""
    schema = ctx.compiled.schema(done.side)
    more = [name for name in done.changes if name in schema.fields and name not in record.values]
    if not more:
        return record.values
    read = await ctx.systems[done.side].get(schema.name, [record.id], more)
    return {**record.values, **(read[record.id].values if record.id in read else {})}


async def pointing(ctx: Context, side: Side, values: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return values in which lookups that may point at several tables name the one that has the record."""
    schema, system = ctx.compiled.schema(side), ctx.systems[side]
    found = dict(values)
    for name, value in values.items():
        field = schema.fields[name]
        if field.type is not FieldType.LOOKUP or len(field.targets) < 2 or not isinstance(value, str) or ":" in value:
            continue
        for target in field.targets:
            key = (await system.describe(target)).key
            if await system.get(target, [value], (key,)):
                found[name] = f"{target}:{value}"
                break
    return found


# --- what was touched since -----------------------------------------------------------------------------------


def touched(ctx: Context, done: Done, item: Paired, record: Record) -> str:
    """Return who has touched a record since it was created; empty if nobody has, in no field at all."""
    schema, coupling = ctx.compiled.schema(done.side), item.pair.coupling
    if words := untouched(schema, done, record.values, labels_of(ctx, done.side)):
        return words
    if coupling is not None and done.partner_id() not in (None, coupling.record_id(done.side.other)):
        return f"It is coupled with {partner_words(coupling)} by now."
    version = coupling.version(done.side) if coupling is not None else None
    if version is not None and record.version is not None and version != record.version:
        return "It was changed since it was created."
    if record.modified_at is not None and record.modified_at > done.at + _TOLERANCE:
        return f"It was changed since it was created, at {record.modified_at:%Y-%m-%d %H:%M} UTC."
    return ""


def moved_on(ctx: Context, side: Side, item: Paired, values: Mapping[str, Scalar]) -> str:
    """Return which fields the other side has changed since: they are going to be synchronised, whatever is put back."""
    partner, base = record_of(item.pair, side.other), item.base
    if partner is None or base is None:
        return ""
    kept = base.remote if side is Side.LOCAL else base.local
    moved = [
        field.label
        for field in ctx.compiled.fields
        if field.field_name(side) in values
        and field.reaches(side)
        and (other := field.field_name(side.other)) in kept
        and other is not None
        and partner.values.get(other) != kept[other]
    ]
    return f"{', '.join(moved)}: changed on the {side.other} side since." if moved else ""


def partner_words(coupling: Coupling) -> str:
    """Return what people call the remote record of a coupling."""
    return " ".join(part for part in (coupling.remote_key, coupling.remote_name) if part) or coupling.remote_id
