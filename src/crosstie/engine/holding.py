"""Holding: which records other mappings of the same table have coupled, as an account can be a vendor, too."""

from collections.abc import Sequence

from crosstie.engine.context import Context
from crosstie.model.couplings import Coupling
from crosstie.model.records import Side


def held_elsewhere(ctx: Context, side: Side, ids: Sequence[str]) -> dict[str, Coupling]:
    """Return a coupling under another mapping of each of these records that has one, in one query."""
    table = ctx.compiled.mapping.table(side)
    with ctx.store.begin() as unit:
        others = [each.name for each in unit.mappings() if each.table(side) == table and each.name != ctx.mapping_name]
        held = unit.couplings.elsewhere(others, side, ids) if others and ids else {}
    return {id: found[0] for id, found in held.items()}


def held_words(coupling: Coupling) -> str:
    """Return that a record is coupled under another mapping as well, in words."""
    return f"It is coupled as {coupling.name()} under {coupling.mapping} as well."
