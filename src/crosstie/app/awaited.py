"""What others wait for: a record that must be coupled first, whether its partner can be made, and making it."""

from collections.abc import Sequence

import msgspec

from crosstie.app.coupling import create_partners
from crosstie.app.records import find_record
from crosstie.app.session import Session
from crosstie.app.solving import Solution, Solved, solve
from crosstie.app.views import ProblemView
from crosstie.engine.context import Context, Report, Task
from crosstie.model.errors import UnknownRecord
from crosstie.model.problems import Problem, ProblemFilter, WaitsFor
from crosstie.model.records import Record, Side

_SHOWN = 1000


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """A record that others wait for.

    `id` is None if there is no such record. `cannot` says why no partner can be created for it, `problem` is what is
    in its own way.
    """

    wait: WaitsFor
    id: str | None
    name: str
    coupled: bool
    cannot: str
    problem: ProblemView | None
    waiting: int
    names: list[str]
    """Of those that wait, at most a thousand."""


class Provided(msgspec.Struct, frozen=True, kw_only=True):
    """What creating a partner came to; `healed` is what became of those that waited, None if it was not created."""

    awaited: Awaited
    report: Report
    healed: Solved | None


async def awaited_record(session: Session, wait: WaitsFor) -> Awaited:
    """Say what a record that others wait for needs. Reads its system. Raises UnknownMapping, SystemFailure."""
    ctx = await session.context(session.mapping(wait.mapping).name, Task())
    record = await find_record(ctx, wait.side, wait.key)
    own: list[Problem] = []
    coupled = False
    with ctx.store.begin() as unit:
        waiting = unit.lists.problems(ProblemFilter(waits_for=wait), limit=_SHOWN)
        groups = unit.lists.problem_groups(ProblemFilter(waits_for=wait), ctx.now())
        if record is not None:
            own = unit.problems(ctx.mapping_name, records=[(wait.side, record.id)], limit=1)
            coupled = bool(unit.couplings.by_record(ctx.mapping_name, wait.side, [record.id]))
    return Awaited(
        wait=wait,
        id=record.id if record is not None else None,
        name=_name(ctx, wait, record),
        coupled=coupled,
        cannot=_cannot(ctx, wait.side, record, coupled),
        problem=ProblemView.of(own[0]) if own else None,
        waiting=sum(each.count for each in groups),
        names=[each.name for each in waiting],
    )


def _name(ctx: Context, wait: WaitsFor, record: Record | None) -> str:
    if record is None:
        return wait.key
    mapping = ctx.compiled.mapping
    key = mapping.key_field(wait.side)
    parts = (record.values.get(key) if key else None, record.values.get(mapping.name_field(wait.side)))
    return " ".join(str(part) for part in parts if part) or wait.key


def _cannot(ctx: Context, side: Side, record: Record | None, coupled: bool) -> str:
    mapping, schema = ctx.compiled.mapping, ctx.compiled.schema(side.other)
    if record is None:
        return f"{ctx.systems[side].name} has no such record."
    if coupled:
        return "It is coupled already."
    if not mapping.reaches(side.other):
        return f"{mapping.name} flows {mapping.direction.value} only, so that its partner cannot be created."
    if not schema.creatable:
        return f"Records of {schema.name} cannot be created."
    if not ctx.in_filter(side, record.values):
        return f"The filter of {mapping.name} leaves it out; it admits: {ctx.filter_words(side)}."
    return ""


async def provide_partner(session: Session, wait: WaitsFor, problems: Sequence[Problem]) -> Provided:
    """Create the partner of a record that others wait for, and look at those `problems` again once it is coupled.

    Raises UnknownRecord if there is no such record, and what `create_partners` raises.
    """
    found = await awaited_record(session, wait)
    if found.id is None:
        raise UnknownRecord(f"There is no record {wait.key} under {wait.mapping}.", mapping=wait.mapping)
    report = await create_partners(session, wait.mapping, [found.id], side=wait.side)
    healed = None
    if not report.failed and problems:
        healed = await solve(session, Solution.RETRY, problems)
    return Provided(awaited=await awaited_record(session, wait), report=report, healed=healed)
