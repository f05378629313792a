"""Pairing: finds the partner of each record of a page, in few requests and one query.

A partner whose version is still the one in the coupling is not fetched: the base knows its values, and the
conditional write tells if that is no longer so.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from crosstie.engine.compiling import CompiledMapping
from crosstie.engine.context import Context
from crosstie.engine.transfer import Resolved, transfer
from crosstie.model.base import Base
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.decisions import Pair, Transferred
from crosstie.model.records import Record, Side
from crosstie.model.references import Reference


class Paired:
    """A pair with what is needed to decide it."""

    __slots__ = ("base", "fetched", "pair", "sent")

    def __init__(self, pair: Pair, base: Base | None) -> None:
        self.pair = pair
        self.base = base
        self.sent: Transferred | None = None
        self.fetched: Transferred | None = None

    def version(self, side: Side) -> str | None:
        """Return the version of the record of a side, None if there is none."""
        record = self.pair.local if side is Side.LOCAL else self.pair.remote
        return record.version if record else None


def base_of(compiled: CompiledMapping, coupling: Coupling | None) -> Base | None:
    """Return the base of a coupling in canonical values, None without one."""
    if coupling is None:
        return None
    return compiled.bases.read(coupling.base)


def couplings_of(ctx: Context, side: Side, ids: Iterable[str]) -> dict[str, Coupling]:
    """Return the couplings of a page of records of one side."""
    with ctx.store.begin() as unit:
        return unit.couplings.by_record(ctx.mapping_name, side, ids)


async def pair_changed(
    ctx: Context, side: Side, records: Sequence[Record], ahead: Mapping[str, Record], *, assume: bool
) -> list[Paired]:
    """Pair a page of records of `side` with their partners.

    `ahead` holds records of the other side that the job has read already. With `assume`, other partners are taken
    from the base where it vouches for them; all others are fetched.
    """
    couplings = couplings_of(ctx, side, [record.id for record in records])
    bases = {id: base_of(ctx.compiled, coupling) for id, coupling in couplings.items()}
    wanted: list[str] = []
    partners: dict[str, Record] = {}
    assumed: set[str] = set()
    for id, coupling in couplings.items():
        partner_id = coupling.record_id(side.other)
        if partner_id in ahead:
            partners[partner_id] = ahead[partner_id]
        elif assume and (taken := _from_base(ctx, coupling, bases[id], side.other)):
            partners[partner_id] = taken
            assumed.add(partner_id)
        else:
            wanted.append(partner_id)
    if wanted:
        partners.update(await fetch(ctx, side.other, wanted))
    return [
        _paired(ctx, side, record, couplings.get(id), bases.get(id), partners, assumed)
        for id, record in {record.id: record for record in records}.items()
    ]


async def pair_named(ctx: Context, side: Side, ids: Sequence[str]) -> list[Paired]:
    """Read the records named, and their partners, and pair them; what is neither there nor coupled is left out."""
    ids = list(dict.fromkeys(ids))
    records = await fetch(ctx, side, ids)
    couplings = couplings_of(ctx, side, ids)
    partners = await fetch(ctx, side.other, [coupling.record_id(side.other) for coupling in couplings.values()])
    found = []
    for id in ids:
        coupling = couplings.get(id)
        record = records.get(id)
        if record is None and coupling is None:
            continue
        found.append(_paired(ctx, side, record, coupling, base_of(ctx.compiled, coupling), partners, frozenset()))
    return found


async def fetch(ctx: Context, side: Side, ids: Sequence[str]) -> dict[str, Record]:
    """Read records of one side by id; those that do not exist are left out."""
    if not ids:
        return {}
    return await ctx.systems[side].get(ctx.compiled.mapping.table(side), ids, ctx.reads(side))


def pair_gone(ctx: Context, side: Side, couplings: Sequence[Coupling], others: Mapping[str, Record]) -> list[Paired]:
    """Pair couplings whose record of `side` is gone with what is left of them on the other side."""
    return [
        _paired(ctx, side, None, coupling, base_of(ctx.compiled, coupling), others, frozenset())
        for coupling in couplings
    ]


def _from_base(ctx: Context, coupling: Coupling, base: Base | None, side: Side) -> Record | None:
    version = coupling.version(side)
    if version is None or base is None or coupling.state is not CouplingState.IN_STEP:
        return None
    if not _covers(ctx.compiled, base):
        return None
    values = base.local if side is Side.LOCAL else base.remote
    return Record(coupling.record_id(side), version, values)


def _covers(compiled: CompiledMapping, base: Base) -> bool:
    """Whether the base has values for every field of the mapping: not so where a field mapping is new."""
    mapped = compiled.mapped
    return all(map(base.local.__contains__, mapped[Side.LOCAL])) and all(
        map(base.remote.__contains__, mapped[Side.REMOTE])
    )


def _paired(
    ctx: Context,
    side: Side,
    record: Record | None,
    coupling: Coupling | None,
    base: Base | None,
    partners: Mapping[str, Record],
    assumed: Collection[str],
) -> Paired:
    partner_id = coupling.record_id(side.other) if coupling else None
    partner = partners.get(partner_id) if partner_id else None
    is_assumed = partner_id is not None and partner_id in assumed
    local, remote = (record, partner) if side is Side.LOCAL else (partner, record)
    pair = Pair(
        coupling=coupling,
        local=local,
        remote=remote,
        local_assumed=is_assumed and side is Side.REMOTE,
        remote_assumed=is_assumed and side is Side.LOCAL,
        local_in_filter=_in_filter(ctx, Side.LOCAL, local, is_assumed and side is Side.REMOTE),
        remote_in_filter=_in_filter(ctx, Side.REMOTE, remote, is_assumed and side is Side.LOCAL),
    )
    return Paired(pair, base)


def _in_filter(ctx: Context, side: Side, record: Record | None, assumed: bool) -> bool:
    return record is None or assumed or ctx.in_filter(side, record.values)


async def translate(ctx: Context, paired: Sequence[Paired]) -> None:
    """Transfer both sides of every pair into the other's values: look-ups in one query a mapping, rules by the page."""
    for source in (Side.LOCAL, Side.REMOTE):
        if not ctx.compiled.mapping.reaches(source.other):
            continue
        work = [(item, record) for item in paired if (record := _to_transfer(item.pair, source))]
        if not work:
            continue
        records = [record for _, record in work]
        new = {record.id for item, record in work if _partner(item.pair, source) is None}
        resolved = await _resolve(ctx, records, source, new)
        for item, record in work:
            partner = _partner(item.pair, source)
            done = transfer(ctx.compiled, record, source, resolved, creating=partner is None)
            if source is Side.LOCAL:
                item.sent = done
            else:
                item.fetched = done


async def translate_one(ctx: Context, record: Record, source: Side, *, creating: bool) -> Transferred | None:
    """Transfer one record into the other side's values; None where the mapping does not flow that way."""
    if not ctx.compiled.mapping.reaches(source.other):
        return None
    resolved = await _resolve(ctx, [record], source, {record.id} if creating else set())
    return transfer(ctx.compiled, record, source, resolved, creating=creating)


def _partner(pair: Pair, source: Side) -> Record | None:
    return pair.remote if source is Side.LOCAL else pair.local


def _to_transfer(pair: Pair, source: Side) -> Record | None:
    if source is Side.LOCAL:
        return None if pair.local_assumed else pair.local
    return None if pair.remote_assumed else pair.remote


async def _resolve(ctx: Context, records: Sequence[Record], source: Side, new: Collection[str]) -> Resolved:
    """Look up what a page of records refers to; `new` are those for which a partner is to be created."""
    references: dict[Reference, None] = {}
    for record in records:
        for reference in ctx.compiled.references(record, source):
            references[reference] = None
    partners: dict[Reference, Coupling] = {}
    groups: dict[tuple[str, Side, bool], list[str]] = {}
    for reference in references:
        groups.setdefault((reference.mapping, reference.side, reference.by_key), []).append(reference.value)
    if groups:
        with ctx.store.begin() as unit:
            for (mapping, side, by_key), values in groups.items():
                look_up = unit.couplings.by_key if by_key else unit.couplings.by_record
                for value, coupling in look_up(mapping, side, values).items():
                    partners[Reference(mapping, side, by_key, value)] = coupling
    facts = await ctx.compiled.prepare(records, source, ctx.access, new)
    return Resolved(partners, facts, await _names(ctx, [r for r in references if r not in partners and not r.by_key]))


async def _names(ctx: Context, references: Sequence[Reference]) -> dict[Reference, str]:
    """Return number or code of records that are referred to by id and not coupled, for words that people understand."""
    named: dict[Reference, str] = {}
    for name, side in {(reference.mapping, reference.side) for reference in references}:
        mapping = ctx.access.mapping(name)
        if mapping is None:
            continue
        key = mapping.key_field(side) or mapping.name_field(side)
        ids = {r.value: r for r in references if r.mapping == name and r.side is side}
        found = await ctx.systems[side].get(mapping.table(side), list(ids), (key,))
        named.update({ids[id]: str(record.values[key]) for id, record in found.items() if record.values.get(key)})
    return named
