"""Comparing: reads both systems back and says where coupled records differ, without believing the store's base."""

from collections.abc import Sequence

import msgspec

from crosstie.app.session import Session
from crosstie.engine.context import PAGE, Context, Task
from crosstie.engine.converting import Unfit, fitted, same
from crosstie.engine.pairing import Paired, pair_named, translate
from crosstie.model.couplings import Coupling
from crosstie.model.problems import Problem
from crosstie.model.records import Record, Side
from crosstie.model.schema import FieldSchema
from crosstie.model.values import Scalar


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A mapped field whose values do not agree; `problem` is the code of the open problem that explains it."""

    mapping: str
    record: str
    local_id: str
    remote_id: str
    field: str
    label: str
    local: Scalar
    remote: Scalar
    problem: str | None


class Comparison(msgspec.Struct, kw_only=True):
    """How many fields of how many records were compared, and what differs."""

    records: int = 0
    fields: int = 0
    differences: list[Difference] = msgspec.field(default_factory=list)


async def compare(session: Session, names: Sequence[str]) -> Comparison:
    """Compare every mapped field of every coupled record of these mappings. Reads both systems; writes nothing."""
    found = Comparison()
    for name in names:
        ctx = await session.context(name, Task(dry_run=True))
        after = 0
        while True:
            with session.store.begin() as unit:
                page = unit.couplings.page(name, after_id=after, limit=PAGE)
                problems = _by_coupling(unit.problems(name, limit=100_000))
            if not page:
                break
            after = page[-1].id
            await _compare_page(ctx, page, problems, found)
    return found


def _by_coupling(problems: Sequence[Problem]) -> dict[int, Problem]:
    return {problem.coupling_id: problem for problem in problems if problem.coupling_id is not None}


async def _compare_page(
    ctx: Context, page: Sequence[Coupling], problems: dict[int, Problem], found: Comparison
) -> None:
    paired = await pair_named(ctx, Side.LOCAL, [coupling.local_id for coupling in page])
    await translate(ctx, paired)
    for item in paired:
        coupling = item.pair.coupling
        assert coupling is not None, "the page is one of couplings"
        problem = problems.get(coupling.id)
        found.records += 1
        if item.pair.local is None or item.pair.remote is None:
            gone = "local record" if item.pair.local is None else "remote record"
            found.differences.append(_difference(ctx, coupling, gone, gone, None, None, problem))
            continue
        _compare_fields(ctx, item, coupling, item.pair.local, item.pair.remote, problem, found)


def _compare_fields(
    ctx: Context,
    item: Paired,
    coupling: Coupling,
    local: Record,
    remote: Record,
    problem: Problem | None,
    found: Comparison,
) -> None:
    for field in ctx.compiled.fields:
        here = local.values.get(field.local_field) if field.local_field else None
        there = remote.values.get(field.remote_field) if field.remote_field else None
        if field.local is None or field.remote is None:
            continue
        found.fields += 1
        agrees = same(here, _seen_from(field.local, there), field.local) or any(
            transferred is not None
            and field.position in transferred.values
            and same(transferred.values[field.position], value, schema)
            for transferred, value, schema in ((item.sent, there, field.remote), (item.fetched, here, field.local))
        )
        left_alone = all(
            transferred is None or field.position not in transferred.values for transferred in (item.sent, item.fetched)
        )
        if not agrees and not (left_alone and problem is None):
            found.differences.append(_difference(ctx, coupling, field.name, field.label, here, there, problem))


def _seen_from(schema: FieldSchema, value: Scalar) -> Scalar:
    """Return a value of the other side as a field of `schema` would hold it; what does not fit equals nothing there."""
    try:
        return fitted(value, schema)
    except Unfit:
        return value


def _difference(
    ctx: Context, coupling: Coupling, field: str, label: str, local: Scalar, remote: Scalar, problem: Problem | None
) -> Difference:
    return Difference(
        mapping=ctx.mapping_name,
        record=coupling.name(),
        local_id=coupling.local_id,
        remote_id=coupling.remote_id,
        field=field,
        label=label,
        local=local,
        remote=remote,
        problem=problem.code if problem else None,
    )
