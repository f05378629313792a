"""Synchronise Now, and the synchronisation of what changed: for records, a mapping, or all mappings in order."""

from collections.abc import Mapping as Those
from collections.abc import Sequence

import msgspec

from crosstie.app.records import find_records, listed
from crosstie.app.running import run_job
from crosstie.app.selecting import Selection, ids_of
from crosstie.app.session import Session
from crosstie.engine.context import Context, Guards, Observer, Report, Scope, Task
from crosstie.engine.outcomes import target_of
from crosstie.engine.planning import order_mappings
from crosstie.engine.synchronise import synchronise as run_synchronisation
from crosstie.engine.tallying import Tallied, names_of, tally
from crosstie.model.decisions import Preference
from crosstie.model.errors import InvalidOption, NotCoupled, UnknownMapping
from crosstie.model.jobs import JobKind
from crosstie.model.mappings import Direction, Mapping
from crosstie.model.places import Place
from crosstie.model.records import Side


async def synchronise(
    session: Session,
    mapping: str | None,
    records: Sequence[str] = (),
    *,
    selection: Selection | None = None,
    direction: Preference | None = None,
    full: bool = False,
    create: bool = False,
    dry_run: bool = False,
    forced: bool = False,
    patient: bool = False,
    observer: Observer | None = None,
) -> list[Report]:
    """Synchronise records of a mapping, what changed in it, or (no mapping) all enabled ones in dependency order.

    The records are those named by `records`, or those of a `selection` of a list.
    `direction` is a preference for coupled records: send, get, or merge. `full` looks at every record, `create`
    also makes missing partners, `dry_run` writes nothing and only tells the observer, `forced` passes the guards.
    A disabled mapping is planned and its records are synchronised where they are named, but not as a whole.
    Raises UnknownMapping, UnknownRecord, AmbiguousRecord, InvalidOption, NotCoupled if none of the records named has a
    partner; SystemFailure; GuardStopped.
    """
    if mapping is None:
        names = [m.name for m in order_mappings(m for m in session.mappings() if m.enabled)]
        if not names:
            raise UnknownMapping(
                "There is no enabled mapping.",
                next_step="Enable a mapping, or load the standard ones.",
                place=Place.MAPPING_RESET,
            )
    else:
        one = session.mapping(mapping)
        if not (one.enabled or records or selection or dry_run):
            raise InvalidOption(
                f"The mapping {one.name} is disabled.",
                next_step="Enable it first, or name the records that are meant all the same.",
                mapping=one.name,
            )
        names = [one.name]
    reports = []
    for name in names:
        check_direction(session.mapping(name), direction)
        named = bool(records) or selection is not None
        scope = Scope.RECORDS if named else Scope.FULL if full else Scope.CHANGES
        task = Task(
            scope=scope,
            preference=direction or Preference.MERGE,
            create=create,
            on_purpose=named,
            dry_run=dry_run,
            patient=patient,
        )
        ctx = await session.context(name, task, guards=Guards(forced=forced), observer=observer)
        skipped: list[Tallied] = []
        if selection is not None:
            found = [(selection.side, id) for id in await ids_of(ctx, selection)]
            skipped = _name_records(ctx, f"{len(found):,} selected records", found)
        elif records:
            found = await find_records(ctx, records, sides=(Side.LOCAL, Side.REMOTE))
            skipped = _name_records(ctx, listed(records), found)
        reports.append(await run_synchronise(ctx, skipped))
    return reports


async def run_synchronise(ctx: Context, skipped: Sequence[Tallied] = ()) -> Report:
    """Run the context's task: as a job, or, where it is a dry run, without a trace.

    `skipped` are records that were named and are not even looked at.
    """

    async def work(job: Context) -> None:
        with job.store.begin() as unit:
            tally(job, unit, skipped)
        await run_synchronisation(job)

    if ctx.task.dry_run:
        await work(ctx)
        return ctx.report
    ctx.tallied = ctx.assignment is not None
    kind = JobKind.FULL_SYNCHRONISATION if ctx.task.scope is Scope.FULL else JobKind.SYNCHRONISATION
    direction = direction_of(ctx)
    named = ctx.task.scope is Scope.RECORDS
    expected = len(ctx.task.records) if named else await _expected(ctx)
    return await run_job(ctx, kind, direction, work, exclusive=not named, expected=expected)


async def _expected(ctx: Context) -> int | None:
    """Return how many records and pairs there are to look at; None where only reading them would tell.

    Asked only where somebody watches from afar: of a worker's full, or first, synchronisation.
    """
    mapping = ctx.compiled.mapping
    with ctx.store.begin() as unit:
        if ctx.assignment is None or ctx.task.scope is Scope.DUE:
            return None
        if ctx.task.scope is not Scope.FULL and unit.cursor(ctx.mapping_name, Side.LOCAL) is not None:
            return None
        coupled = sum(unit.couplings.count(ctx.mapping_name).values())
    there = [await ctx.systems[side].count(mapping.table(side), mapping.filter(side) or None) for side in Side]
    known = [number for number in there if number is not None]
    return max(sum(known) - coupled, *known) if len(known) == len(there) else None


def _name_records(ctx: Context, words: str, found: Sequence[tuple[Side, str]]) -> list[Tallied]:
    """Put records into the task; return those without a partner that are skipped where none is to be created."""
    kept = found
    if not ctx.task.create and ctx.compiled.mapping.only_coupled:
        kept = _only_coupled(ctx, words, found)
    ctx.task = msgspec.structs.replace(ctx.task, records=tuple(kept))
    left = set(found) - set(kept)
    return left_alone(target_of(ctx, Side.LOCAL), {record: None for record in found if record in left})


def left_alone(target: Side, records: Those[tuple[Side, str], int | None]) -> list[Tallied]:
    """Return how records (by side and id, with their coupling if any) count that were named and are left alone."""
    return [
        Tallied(names_of(coupling, *((id, None) if side is Side.LOCAL else (None, id))), target, "skipped")
        for (side, id), coupling in records.items()
    ]


def _only_coupled(ctx: Context, words: str, found: Sequence[tuple[Side, str]]) -> list[tuple[Side, str]]:
    coupled: set[tuple[Side, str]] = set()
    with ctx.store.begin() as unit:
        for side in Side:
            ids = [id for at, id in found if at is side]
            coupled |= {(side, id) for id in unit.couplings.by_record(ctx.mapping_name, side, ids)}
    kept = [record for record in found if record in coupled]
    if not kept:
        raise NotCoupled(f"{words}: not coupled under {ctx.mapping_name}.", mapping=ctx.mapping_name)
    return kept


def direction_of(ctx: Context) -> Direction:
    """Return the direction under which the log lists a job: that of its preference, else of its mapping."""
    match ctx.task.preference:
        case Preference.SEND:
            return Direction.TO_REMOTE
        case Preference.GET:
            return Direction.FROM_REMOTE
        case _:
            return ctx.compiled.mapping.direction


def check_direction(mapping: Mapping, direction: Preference | None) -> None:
    """Refuse a direction that the mapping does not have. Raises InvalidOption naming both."""
    wanted = {Preference.SEND: Side.REMOTE, Preference.GET: Side.LOCAL}.get(direction) if direction else None
    if wanted is not None and not mapping.reaches(wanted):
        raise InvalidOption(
            f"The mapping {mapping.name} flows {mapping.direction.value}; {direction.value if direction else ''} "
            "is not one of its directions.",
            next_step="Leave the direction away, or change that of the mapping.",
            place=Place.DIRECTION,
            mapping=mapping.name,
        )
