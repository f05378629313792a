"""Finding records by what people call them: number, code, name or id."""

import re
from collections.abc import Sequence

from crosstie.engine.context import Context
from crosstie.model.couplings import CouplingState
from crosstie.model.errors import AmbiguousRecord, UnknownRecord
from crosstie.model.records import Record, Side
from crosstie.model.schema import FieldType

_GUID = re.compile(r"^\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?$")
_GONE = {Side.LOCAL: CouplingState.LOCAL_DELETED, Side.REMOTE: CouplingState.REMOTE_DELETED}
_MOST_CANDIDATES = 5
_SHORTEST_WORD = 4
"""Words of fewer letters do not tell records apart."""
_MOST_WORDS = 3
"""Of a text that names no record, so many are looked for in the names; each costs a request."""


def is_guid(text: str) -> bool:
    """Whether a text is an id of the kind that both systems give."""
    return _GUID.match(text) is not None


async def find_records(
    ctx: Context, texts: Sequence[str], *, sides: Sequence[Side] = (Side.LOCAL,)
) -> list[tuple[Side, str]]:
    """Return the side and id of each record named, looking on the first side before the second.

    Raises UnknownRecord, with those of a similar name, if a text names none, AmbiguousRecord with the candidates if it
    names several.
    """
    found: dict[str, tuple[Side, str]] = {}
    for side in sides:
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        for text, id in (await _known(ctx, side, missing)).items():
            found[text] = (side, id)
        for text, id in (await _by_ids(ctx, side, [text for text in missing if text not in found])).items():
            found[text] = (side, id)
        for text in [text for text in missing if text not in found and not is_guid(text)]:
            if record := await find_record(ctx, side, text):
                found[text] = (side, record.id)
    for side in sides:
        # A deleted record is meant only where no other one is called so by now.
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        found.update({text: (side, id) for text, id in (await _known(ctx, side, missing, gone=True)).items()})
    for text in texts:
        if text not in found:
            raise await unknown_record(ctx, sides, text)
    return [found[text] for text in texts]


async def find_record(ctx: Context, side: Side, text: str) -> Record | None:
    """Return the record of a side with that id, key or name, None if there is none.

    An exact key goes before an exact name, and that before a name that begins with the text.
    Raises AmbiguousRecord with the candidates if several fit equally well.
    """
    mapping, text = ctx.compiled.mapping, text.strip()
    table = mapping.table(side)
    if is_guid(text):
        id = text.strip("{}").lower()
        return (await ctx.systems[side].get(table, [id], ctx.reads(side))).get(id)
    schema = ctx.compiled.local_schema if side is Side.LOCAL else ctx.compiled.remote_schema
    key, name = mapping.key_field(side), mapping.name_field(side)
    for template, field in (("{0} eq {1}", key), ("{0} eq {1}", name), ("startswith({0},{1})", name)):
        if field is None or not text:
            continue
        value = text.upper() if schema.fields[field].type is FieldType.CODE else text
        if schema.fields[field].type not in (FieldType.CODE, FieldType.TEXT):
            continue
        candidates = await _matching(ctx, side, template.format(field, _quoted(value)))
        if len(candidates) > 1:
            raise AmbiguousRecord(
                f"{text!r} names {len(candidates)} records of {table}: {_listed(ctx, side, candidates)}.",
                text=text,
                candidates=[record.id for record in candidates],
            )
        if candidates:
            return candidates[0]
    return None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


async def _matching(ctx: Context, side: Side, filter: str) -> list[Record]:
    found: list[Record] = []
    async for page in ctx.systems[side].scan(ctx.compiled.mapping.table(side), ctx.reads(side), filter):
        found.extend(page.records)
        if len(found) > _MOST_CANDIDATES * 10:
            break
    return found


async def _known(ctx: Context, side: Side, texts: Sequence[str], *, gone: bool = False) -> dict[str, str]:
    """Return ids of records that the couplings know by number or code, without asking the system.

    Those that were deleted, as far as a job has noticed, are known only if they are asked for (`gone`).
    """
    if not texts:
        return {}
    with ctx.store.begin() as unit:
        coupled = unit.couplings.by_key(ctx.mapping_name, side, [text.strip() for text in texts])
    return {
        text: coupling.record_id(side)
        for text in texts
        if (coupling := coupled.get(text.strip())) and not is_guid(text) and (coupling.state is _GONE[side]) == gone
    }


async def _by_ids(ctx: Context, side: Side, texts: Sequence[str]) -> dict[str, str]:
    """Return those of the texts that are ids of records of the side; many are asked for in few requests."""
    ids = {text: text.strip().strip("{}").lower() for text in texts if is_guid(text)}
    if not ids:
        return {}
    key = ctx.compiled.schema(side).key
    there = await ctx.systems[side].get(ctx.compiled.mapping.table(side), list(ids.values()), (key,))
    return {text: id for text, id in ids.items() if id in there}


def _listed(ctx: Context, side: Side, records: Sequence[Record]) -> str:
    mapping = ctx.compiled.mapping
    key, name = mapping.key_field(side), mapping.name_field(side)
    words = []
    for record in records[:_MOST_CANDIDATES]:
        parts = [record.values.get(key) if key else None, record.values.get(name)]
        words.append(" ".join(str(part) for part in parts if part is not None) + f" ({record.id})")
    return "; ".join(words) + ("; ..." if len(records) > _MOST_CANDIDATES else "")


async def unknown_record(ctx: Context, sides: Sequence[Side], text: str) -> UnknownRecord:
    """Return the error for a text that names no record of these sides, with those of a similar name."""
    places = " or ".join(f"{ctx.systems[side].name} ({ctx.compiled.mapping.table(side)})" for side in sides)
    near = {side: found for side in sides if (found := await _near(ctx, side, text))}
    hint = "; ".join(_listed(ctx, side, found) for side, found in near.items())
    return UnknownRecord(
        f"There is no record {text!r} in {places}.{f' Near are: {hint}.' if hint else ''}",
        text=text,
        mapping=ctx.mapping_name,
        candidates=[record.id for found in near.values() for record in found[:_MOST_CANDIDATES]],
    )


async def _near(ctx: Context, side: Side, text: str) -> list[Record]:
    """Return records whose name has one of the longest words of a text that names none in full."""
    name = ctx.compiled.mapping.name_field(side)
    if is_guid(text) or ctx.compiled.schema(side).fields[name].type not in (FieldType.CODE, FieldType.TEXT):
        return []
    words = sorted((word for word in text.split() if len(word) >= _SHORTEST_WORD), key=len, reverse=True)
    for word in words[:_MOST_WORDS]:
        if found := await _matching(ctx, side, f"contains({name},{_quoted(word)})"):
            return found
    return []


def listed(texts: Sequence[str]) -> str:
    """Return what records were called, in words."""
    return ", ".join(texts[:_MOST_CANDIDATES]) + (
        f" and {len(texts) - _MOST_CANDIDATES} more" if len(texts) > _MOST_CANDIDATES else ""
    )
