"""Candidates: records of the other side with which one may be coupled, the best first, with reasons (F02, B1)."""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from crosstie.app.records import find_records
from crosstie.app.rows import partner_of
from crosstie.app.searching import beginning, containing, equalling, search_filters
from crosstie.app.session import Session
from crosstie.engine.context import Context, Task
from crosstie.engine.ranking import (
    Compared,
    Evidence,
    Reason,
    compared_fields,
    domain_of,
    host,
    reasons_for,
    score_of,
    telling_word,
)
from crosstie.model.lists import Partner
from crosstie.model.records import Record, Side
from crosstie.model.schema import FieldSchema
from crosstie.model.values import Scalar, Values

LIKELY = 60
"""From this score on a free record may be the partner already, so that creating one wants a second look."""
ALMOST_SURE = 85
"""From this score on it is proposed in place of a creation."""
_OF_ONE_KIND = 25
"""So many records are looked at for one piece of evidence."""
_LEAST_GROUP = 3
"""A group of a phone number's digits is telling from so many digits on."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A record that may be the partner. `coupled_to` is who holds it, `current` whether that is the record itself."""

    id: str
    key: str | None
    name: str | None
    score: int
    """From 0 to 100."""
    reasons: list[Reason]
    values: dict[str, Scalar]
    """What was compared, by field."""
    in_filter: bool
    coupled_to: Partner | None
    current: bool

    @property
    def free(self) -> bool:
        """Whether it can be coupled at once."""
        return self.in_filter and self.coupled_to is None


async def candidates(
    session: Session, mapping: str, record: str, search: str = "", *, side: Side = Side.LOCAL, limit: int = 20
) -> list[Candidate]:
    """Return records of the other side that may be the partner of a record of `side`, the best first.

    Without `search` they are looked for by number, e-mail, phone, name, home page and post code, and only those with a
    reason come; with it, all that have the text in key or name, each with its reasons. Free ones stand before those
    that are coupled or outside of the mapping's filter, which say so. Costs a few small requests, however many records
    there are. Raises UnknownMapping, UnknownRecord, AmbiguousRecord, SystemFailure.
    """
    ctx = await session.context(session.mapping(mapping).name, Task())
    id = (await find_records(ctx, [record], sides=(side,)))[0][1]
    compared = compared_fields(ctx.compiled.mapping, ctx.compiled.local_schema, ctx.compiled.remote_schema)
    values = await _values(ctx, side, id, compared)
    filters = search_filters(ctx, side.other, search) or list(_evidence_filters(ctx, side, compared, values))
    found = await _look(ctx, side.other, filters, compared)
    ranked = [(reasons_for(compared, side, values, each.values), each) for each in found]
    kept = [(reasons, each) for reasons, each in ranked if reasons or search.strip()]
    made = _candidates(ctx, side, id, kept, compared)
    made.sort(key=lambda each: (not each.free, -each.score, each.name or "", each.id))
    return made[:limit]


async def _values(ctx: Context, side: Side, id: str, compared: Sequence[Compared]) -> Values:
    table = ctx.compiled.mapping.table(side)
    names = tuple(dict.fromkeys([ctx.compiled.schema(side).key, *(each.field(side) for each in compared)]))
    found = await ctx.systems[side].get(table, [id], names)
    if id in found:
        return found[id].values
    # Gone, but still known to its coupling: nothing can be compared.
    return {}


def _evidence_filters(ctx: Context, side: Side, compared: Sequence[Compared], values: Values) -> Iterator[str]:
    """Yield the filters under which a partner would be found, each for one field, the most telling first."""
    order = list(Evidence)
    schema = ctx.compiled.schema(side.other)
    for each in sorted(compared, key=lambda found: order.index(found.evidence)):
        value = values.get(each.field(side))
        if isinstance(value, str) and value.strip():
            field = schema.fields[each.field(side.other)]
            yield from filter(None, _filters_for(ctx, side.other, each.evidence, field, value.strip()))


def _filters_for(ctx: Context, side: Side, evidence: Evidence, field: FieldSchema, value: str) -> list[str]:
    schema = ctx.compiled.schema(side)
    match evidence:
        case Evidence.NAME:
            word = telling_word(value)
            return [equalling(schema, field, value), beginning(schema, field, word), containing(schema, field, word)]
        case Evidence.EMAIL:
            domain = domain_of(value)
            return [equalling(schema, field, value), containing(schema, field, f"@{domain}") if domain else ""]
        case Evidence.PHONE:
            groups = [group for group in _groups(value) if len(group) >= _LEAST_GROUP]
            return [equalling(schema, field, value), containing(schema, field, groups[-1]) if groups else ""]
        case Evidence.HOME_PAGE:
            return [containing(schema, field, host(value)) if "." in host(value) else ""]
        case Evidence.NUMBER | Evidence.POST_CODE | Evidence.ADDRESS:
            return [equalling(schema, field, value)]
        case Evidence.CITY:
            # Too many records share it; it only adds to what was found otherwise.
            return []


def _groups(number: str) -> list[str]:
    return "".join(each if each.isdecimal() else " " for each in number).split()


async def _look(ctx: Context, side: Side, filters: Sequence[str], compared: Sequence[Compared]) -> list[Record]:
    """Read the first records under each filter, all at the same time; each record once."""
    mapping = ctx.compiled.mapping
    key = mapping.key_field(side)
    names = [*(each.field(side) for each in compared), *([key] if key else []), mapping.name_field(side)]
    fields = tuple(dict.fromkeys([*names, *ctx.filter_fields.get(side, ())]))
    pages = await asyncio.gather(
        *(
            ctx.systems[side].browse(mapping.table(side), fields, filter=each, size=_OF_ONE_KIND)
            for each in dict.fromkeys(filters)
        )
    )
    return list({record.id: record for page in pages for record in page.records}.values())


def _candidates(
    ctx: Context,
    side: Side,
    id: str,
    found: Sequence[tuple[list[Reason], Record]],
    compared: Sequence[Compared],
) -> list[Candidate]:
    mapping, other = ctx.compiled.mapping, side.other
    with ctx.store.begin() as unit:
        ids = [record.id for _, record in found]
        coupled = unit.couplings.by_record(ctx.mapping_name, other, ids) if ids else {}
    key, name = mapping.key_field(other), mapping.name_field(other)
    names = dict.fromkeys(each.field(other) for each in compared)
    return [
        Candidate(
            id=record.id,
            key=_text(record.values.get(key)) if key else None,
            name=_text(record.values.get(name)),
            score=score_of(reasons),
            reasons=reasons,
            values={each: record.values.get(each) for each in names},
            in_filter=ctx.in_filter(other, record.values),
            coupled_to=partner_of(coupling, side) if (coupling := coupled.get(record.id)) else None,
            current=coupling is not None and coupling.record_id(side) == id,
        )
        for reasons, record in found
    ]


def _text(value: Scalar) -> str | None:
    return None if value is None else str(value)
