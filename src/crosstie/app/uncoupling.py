"""Before a coupling is deleted: what goes with it, and whether it could come back by itself (F09, B1)."""

import msgspec

from crosstie.app.session import Session
from crosstie.app.views import CouplingView
from crosstie.engine.context import Task
from crosstie.engine.releasing import releasing_fields
from crosstie.model.errors import NotCoupled
from crosstie.model.records import Side
from crosstie.rules.base import Belonging


class UncouplingForeseen(msgspec.Struct, frozen=True, kw_only=True):
    """What deleting one coupling comes to.

    `clears` are labels of remote fields that mark the record as coupled, `dependants` mappings whose records are
    uncoupled with it. `creates_again` are the sides of which a job creates a new partner once they are edited.
    """

    mapping: str
    coupling: CouplingView
    clears: list[str]
    dependants: list[str]
    creates_again: list[Side]


async def foresee_uncoupling(session: Session, mapping: str, side: Side, id: str) -> UncouplingForeseen:
    """Return what deleting the coupling of a record comes to. Reads the store alone. Raises NotCoupled."""
    name = session.mapping(mapping).name
    ctx = await session.context(name, Task())
    id = id.strip("{}").lower()
    with session.store.begin() as unit:
        coupling = unit.couplings.by_record(name, side, [id]).get(id)
    if coupling is None:
        raise NotCoupled(f"The record is not coupled under {name}.", mapping=name, id=id)
    dependants = []
    for other in session.dependants(name):
        rows = (await session.compiled(other.name)).fields
        if any(isinstance(row.rule, Belonging) for row in rows):
            dependants.append(other.name)
    found = session.mapping(name)
    creates = [each for each in Side if found.enabled and not found.only_coupled and found.reaches(each.other)]
    return UncouplingForeseen(
        mapping=name,
        coupling=CouplingView.of(coupling),
        clears=[row.label for row in releasing_fields(ctx)],
        dependants=dependants,
        creates_again=creates,
    )
