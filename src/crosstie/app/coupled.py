"""Finding couplings by what people call their records, also where one of the two no longer exists."""

from collections.abc import Iterable, Sequence

import msgspec

from crosstie.app.records import find_records
from crosstie.engine.context import Context
from crosstie.model.couplings import Coupling
from crosstie.model.errors import AmbiguousRecord
from crosstie.model.records import Side
from crosstie.store.base import Unit

_MOST_NAMESAKES = 100
_SHOWN = 5


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was named: `side` and `id` of the one meant, and its coupling, None if it is not coupled."""

    text: str
    side: Side
    id: str
    coupling: Coupling | None


async def find_named(ctx: Context, texts: Sequence[str]) -> list[Found]:
    """Return the records named by id, number, code or name of either side, each once.

    Couplings are looked through first: they still know records that are gone. Only what none of them knows is asked
    of the systems. Raises UnknownRecord, and AmbiguousRecord with the candidates.
    """
    wanted = list(dict.fromkeys(text.strip() for text in texts))
    with ctx.store.begin() as unit:
        found = {text: _coupled(text, coupling) for text, coupling in _known(ctx, unit, wanted).items()}
    missing = [text for text in wanted if text not in found]
    if missing:
        records = await find_records(ctx, missing, sides=(Side.LOCAL, Side.REMOTE))
        with ctx.store.begin() as unit:
            for text, (side, id) in zip(missing, records, strict=True):
                coupling = unit.couplings.by_record(ctx.mapping_name, side, [id]).get(id)
                found[text] = Found(text=text, side=side, id=id, coupling=coupling)
    once: dict[tuple[Side, str], Found] = {}
    for text in wanted:
        each = found[text]
        key = (Side.LOCAL, each.coupling.local_id) if each.coupling else (each.side, each.id)
        once.setdefault(key, each)
    return list(once.values())


def _known(ctx: Context, unit: Unit, texts: Sequence[str]) -> dict[str, Coupling]:
    """Return the couplings that the store knows by id, then key, then name."""
    found: dict[str, Coupling] = {}
    ids = {text.strip("{}").lower(): text for text in texts}
    for side in Side:
        for id, coupling in unit.couplings.by_record(ctx.mapping_name, side, ids).items():
            found.setdefault(ids[id], coupling)
    for side in Side:
        left = [text for text in texts if text not in found]
        found.update(unit.couplings.by_key(ctx.mapping_name, side, left) if left else {})
    for text in texts:
        named = _by_name(ctx, unit, text) if text and text not in found else None
        if named is not None:
            found[text] = named
    return found


def _by_name(ctx: Context, unit: Unit, text: str) -> Coupling | None:
    page = unit.couplings.page(ctx.mapping_name, search=text, limit=_MOST_NAMESAKES)
    namesakes = [each for each in page if text in (each.local_name, each.remote_name)]
    if len(namesakes) > 1:
        raise AmbiguousRecord(
            f"{text!r} names {len(namesakes)} coupled records of {ctx.mapping_name}: {_listed(namesakes)}.",
            text=text,
            candidates=[each.local_id for each in namesakes],
        )
    return namesakes[0] if namesakes else None


def _listed(couplings: Iterable[Coupling]) -> str:
    words = [f"{each.name()} ({each.local_id})" for each in couplings]
    return "; ".join(words[:_SHOWN]) + ("; ..." if len(words) > _SHOWN else "")


def _coupled(text: str, coupling: Coupling) -> Found:
    is_remote = text.strip("{}").lower() == coupling.remote_id
    side = Side.REMOTE if is_remote else Side.LOCAL
    return Found(text=text, side=side, id=coupling.record_id(side), coupling=coupling)
