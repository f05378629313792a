"""Plans of any number of records: made by a worker, kept to be looked through, and carried out as they were shown.

A plan is a job that writes nothing: its rows say for each record what would become of it, by group. Carrying it out is
another job, which does to each record exactly what was shown, and leaves alone what has moved since.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from crosstie.app.planned import planned, record_name
from crosstie.app.running import goes_on, run_job
from crosstie.app.selecting import Selection, couplings_of, ids_of
from crosstie.app.selection_plans import PlanGroup, group_of, seen_of
from crosstie.app.session import Session
from crosstie.app.synchronising import check_direction, direction_of
from crosstie.engine.context import Context, Observer, Scope, Task
from crosstie.engine.outcomes import name_of
from crosstie.engine.synchronise import synchronise as run_synchronisation
from crosstie.engine.tallying import Tallied, names_of, tally, written_of
from crosstie.model.decisions import Decision, Pair, Preference, RecordAction
from crosstie.model.errors import InvalidOption, UnknownJob
from crosstie.model.jobs import Counters, Job, JobKind
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.people import Permission
from crosstie.model.planned import PlannedRecord, PlannedRow
from crosstie.model.records import Side
from crosstie.store.base import Store

PLAN_PAGE = 1000
"""So many rows are carried out at a time."""
INCLUDED = frozenset({PlanGroup.UPDATE, PlanGroup.CREATE})
"""Groups that are carried out unless a person leaves them out."""
CHOICE = frozenset({PlanGroup.CONFLICT, PlanGroup.SKIPPED, PlanGroup.OUT_OF_FILTER, PlanGroup.DELETE})
"""Groups that are carried out only where a person includes them."""
_COUNTED = frozenset({PlanGroup.UNCHANGED, PlanGroup.NOT_COUPLED})
"""Groups of which nothing is kept but their number."""
_WRITES = frozenset(
    {
        RecordAction.CREATE_LOCAL,
        RecordAction.CREATE_REMOTE,
        RecordAction.DELETE_LOCAL,
        RecordAction.DELETE_REMOTE,
        RecordAction.UNCOUPLE,
    }
)
_NAMED = 20
"""So many of the records that were left alone are named."""


class KeptPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan: the job that made it, and how many records each group has, in the order of the groups.

    `kept` is False where it has no rows: nothing is to be done, or they have been forgotten.
    """

    job: Job
    groups: dict[PlanGroup, int]
    kept: bool

    @property
    def whole(self) -> bool:
        """Whether it is about a mapping as a whole."""
        return not self.job.arguments.get("selection")

    @property
    def permission(self) -> Permission:
        """What who makes or starts it must be permitted."""
        return Permission.SYNCHRONISE_FULLY if self.job.arguments.get("full") else Permission.SYNCHRONISE

    def may_choose(self, group: PlanGroup) -> bool:
        """Whether a person may have a group carried out; what a filter leaves out only where its records were named."""
        return group in INCLUDED or (group in CHOICE and not (self.whole and group is PlanGroup.OUT_OF_FILTER))


class _Keeper:
    """Keeps what a dry run decides, a page at a time."""

    def __init__(self, ctx: Context, inner: Observer, side: Side | None) -> None:
        self._ctx = ctx
        self._inner = inner
        self._side = side
        self._page: dict[tuple[Side, str], PlannedRow] = {}
        self.counted: dict[PlanGroup, int] = {}
        self.coupled = 0
        """How many of those kept are coupled."""

    def decided(self, decision: Decision) -> None:
        """Take note of what would become of a record; what follows from its creation is no record of its own."""
        pair = decision.pair
        if any(record is not None and not record.id for record in (pair.local, pair.remote)):
            return
        group = group_of(pair.coupling, decision)
        if group in _COUNTED:
            self.counted[group] = self.counted.get(group, 0) + 1
            return
        side, id = _record_of(decision, self._side)
        self.coupled += pair.coupling is not None and (side, id) not in self._page
        self._page[side, id] = PlannedRow(
            job_id=self._ctx.job_id,
            side=side,
            record_id=id,
            group=group.value,
            seen=seen_of(decision),
            planned=msgspec.structs.replace(
                planned(self._ctx.compiled.mapping, decision),
                name=name_of(self._ctx, pair.local, pair.remote, pair.coupling),
            ),
        )

    def progress(self, done: int) -> None:
        """Store the page."""
        rows, self._page = list(self._page.values()), {}
        with self._ctx.store.begin() as unit:
            unit.planned.add(rows)
        self._inner.progress(done)


class _Onward:
    """The observer of one of several runs: what was done before it counts too."""

    def __init__(self, inner: Observer, before: int) -> None:
        self._inner = inner
        self._before = before

    def decided(self, decision: Decision) -> None:
        self._inner.decided(decision)

    def progress(self, done: int) -> None:
        self._inner.progress(self._before + done)


class _Agreement:
    """What a person has agreed to: exactly what the plan showed; what writes nothing is no matter.

    Where an earlier process of the job has died, that may be what it had not written yet of a record.
    """

    def __init__(self, mapping: TableMapping, *, goes_on: bool) -> None:
        self._mapping = mapping
        self._goes_on = goes_on
        self._rows: dict[tuple[Side, str], PlannedRow] = {}
        self.moved: list[tuple[str, Tallied]] = []
        """The records that are left alone: what people call them, and how they count."""

    def of(self, rows: Sequence[PlannedRow]) -> None:
        """Go on with the next page of the plan."""
        self._rows = {(row.side, row.record_id): row for row in rows}
        self.moved = []

    def admits(self, decision: Decision) -> bool:
        """Return whether the decision may be carried out; one that may not is remembered by the record's name."""
        if not (decision.to_local or decision.to_remote or decision.action in _WRITES):
            return True
        pair = decision.pair
        local, remote = (_id_of(pair, side) for side in Side)
        row = self._rows.get((Side.LOCAL, local or "")) or self._rows.get((Side.REMOTE, remote or ""))
        if row is not None and (row.seen == seen_of(decision) or self._is_rest(row, decision)):
            return True
        name = row.planned.name if row is not None else record_name(self._mapping, decision)
        names = names_of(pair.coupling.id if pair.coupling is not None else None, local, remote)
        self.moved.append((name, Tallied(names, Side.REMOTE, "skipped")))
        return False

    def _is_rest(self, row: PlannedRow, decision: Decision) -> bool:
        """Whether all that is left to be written was shown, in place of the same values."""
        if not self._goes_on or decision.action in _WRITES:
            return False
        return _shown_writes(planned(self._mapping, decision)) <= _shown_writes(row.planned)


def _shown_writes(record: PlannedRecord) -> set[tuple[object, ...]]:
    return {(each.side, each.field, each.before, each.after) for each in record.fields if each.action == "write"}


async def make_plan(
    session: Session,
    mapping: str,
    selection: Selection | None = None,
    *,
    direction: Preference | None = None,
    full: bool = False,
    create: bool = False,
    observer: Observer | None = None,
) -> KeptPlan:
    """Look at what synchronising a selection, or a whole mapping, would do to each record, and keep it as a job.

    Without a selection it is about what changed, with `full` about every record. Reads both systems and writes to none;
    memory does not grow with the number of records. Raises UnknownMapping, InvalidOption, SystemFailure, GuardStopped.
    """
    found = session.mapping(mapping)
    check_direction(found, direction)
    scope = Scope.RECORDS if selection is not None else Scope.FULL if full else Scope.CHANGES
    ctx = await session.context(
        found.name,
        Task(
            scope=scope,
            preference=direction or Preference.MERGE,
            create=create,
            on_purpose=selection is not None,
            dry_run=True,
        ),
        observer=observer,
    )
    left = await _name(ctx, selection) if selection is not None else 0
    counted: dict[PlanGroup, int] = {}

    async def look(ctx: Context) -> None:
        with ctx.store.begin() as unit:
            unit.planned.forget(ctx.job_id)
        keeper = _Keeper(ctx, ctx.observer, selection.side if selection is not None else None)
        ctx.observer = keeper
        await run_synchronisation(ctx)
        counted.update(keeper.counted)
        if scope is Scope.FULL:  # most of what is unchanged is sifted out before it is decided
            with ctx.store.begin() as unit:
                coupled = sum(unit.couplings.count(ctx.mapping_name).values())
            counted[PlanGroup.UNCHANGED] = max(0, coupled - keeper.coupled)
        # The log counts what was done; a plan does nothing.
        ctx.report.to_remote, ctx.report.from_remote = Counters(), Counters()

    expected = len(ctx.task.records) if selection is not None else None
    report = await run_job(ctx, JobKind.PLAN, direction_of(ctx), look, exclusive=False, expected=expected, anew=True)
    counted[PlanGroup.NOT_COUPLED] = counted.get(PlanGroup.NOT_COUPLED, 0) + left
    assert report.job_id is not None, "a plan is a job"
    plan = kept_plan(session.store, report.job_id, {group.value: number for group, number in counted.items()})
    if ctx.assignment is None:  # a worker keeps what its job came to by itself
        with session.store.begin() as unit:
            details = {"result": counted_of(plan)}
            unit.background.close_job(plan.job, plan.job.state, message="", now=ctx.now(), details=details)
    return plan


async def carry_out_plan(
    session: Session, plan: int, groups: Collection[str], *, observer: Observer | None = None
) -> dict[str, Any]:
    """Synchronise the records of some groups of a plan as they were shown.

    Those of which something else would be made now are left alone, counted as skipped, and named in the result as
    `moved`. Raises UnknownJob, InvalidOption, SystemFailure.
    """
    with session.store.begin() as unit:
        job = unit.background.job(plan)
    arguments, chosen = arguments_of(plan, job), choosable(groups)
    selection = arguments.get("selection")
    side = Side(selection.get("side", Side.LOCAL)) if selection else None
    task = Task(
        scope=Scope.RECORDS,
        preference=Preference(arguments.get("direction") or Preference.MERGE),
        create=bool(arguments.get("create")),
        on_purpose=side is not None,
    )
    ctx = await session.context(session.mapping(str(arguments["mapping"])).name, task, observer=observer)
    ctx.tallied = ctx.assignment is not None
    agreement = _Agreement(ctx.compiled.mapping, goes_on=goes_on(ctx))
    moved: list[str] = []
    moved_total = 0
    with session.store.begin() as unit:
        counts = unit.planned.count(plan)

    async def work(ctx: Context) -> None:
        nonlocal moved_total
        ctx.agreed, watch = agreement.admits, ctx.observer
        done = after = 0
        while True:
            with ctx.store.begin() as unit:
                rows = unit.planned.page(plan, chosen, after_id=after, limit=PLAN_PAGE)
            if not rows:
                return
            after = rows[-1].id
            agreement.of(rows)
            records = tuple((row.side, row.record_id) for row in rows)
            ctx.task, ctx.observer = msgspec.structs.replace(ctx.task, records=records), _Onward(watch, done)
            await run_synchronisation(ctx)
            done += len(rows)
            names = _leave(ctx, agreement.moved)
            moved_total += len(names)
            moved.extend(names[: _NAMED - len(moved)])

    expected = sum(number for group, number in counts.items() if group in chosen)
    await run_job(ctx, JobKind.SYNCHRONISATION, direction_of(ctx), work, exclusive=False, expected=expected)
    return {"plan": plan, "moved": moved_total, "moved_names": moved} if moved_total else {"plan": plan}


def _leave(ctx: Context, moved: Sequence[tuple[str, Tallied]]) -> list[str]:
    """Count records that are left alone as skipped, and return their names; not those that the job wrote before."""
    with ctx.store.begin() as unit:
        written = written_of(ctx, unit, [each for _, each in moved])
        left = [(name, each) for name, each in moved if each.names not in written]
        tally(ctx, unit, [each for _, each in left])
        unit.update_job(ctx.job_id, to_remote=ctx.report.to_remote, from_remote=ctx.report.from_remote)
    return [name for name, _ in left]


def counted_of(plan: KeptPlan) -> dict[str, Any]:
    """Return what a plan's job keeps beside its rows."""
    return {"counted": {group.value: number for group, number in plan.groups.items() if group in _COUNTED}}


def kept_plan(store: Store, job_id: int, counted: Mapping[str, int]) -> KeptPlan:
    """Return a plan; `counted` are the groups of which nothing but the number is kept. Raises UnknownJob."""
    with store.begin() as unit:
        job, counts = unit.background.job(job_id), unit.planned.count(job_id)
    if job is None:
        raise UnknownJob(f"There is no job {job_id}.", job=job_id)
    found = {**counts, **counted}
    groups = {group: found[group.value] for group in PlanGroup if found.get(group.value)}
    return KeptPlan(job=job, groups=groups, kept=bool(counts))


async def _name(ctx: Context, selection: Selection) -> int:
    """Put the records of a selection into the task; return how many are left out for want of a partner."""
    ids = await ids_of(ctx, selection)
    wanted = ids
    if not ctx.task.create and ctx.compiled.mapping.only_coupled:
        wanted = [each.record_id(selection.side) for each in couplings_of(ctx, selection.side, ids)]
    ctx.task = msgspec.structs.replace(ctx.task, records=tuple((selection.side, id) for id in wanted))
    return len(ids) - len(wanted)


def _record_of(decision: Decision, side: Side | None) -> tuple[Side, str]:
    """Return the record by which a decision is known: of the side that was asked about, else the local one first."""
    for each in (side,) if side is not None else tuple(Side):
        if (id := _id_of(decision.pair, each)) is not None:
            return each, id
    raise AssertionError("a pair has a record or a coupling")


def _id_of(pair: Pair, side: Side) -> str | None:
    """Return the id of a side's record, or of the one that the coupling knows."""
    if pair.coupling is not None:
        return pair.coupling.record_id(side)
    record = pair.local if side is Side.LOCAL else pair.remote
    return record.id if record is not None else None


def arguments_of(job_id: int, job: Job | None) -> dict[str, Any]:
    """Return how a plan was asked for. Raises UnknownJob if the job is none."""
    if job is None or job.kind is not JobKind.PLAN:
        raise UnknownJob(f"There is no plan {job_id}.", job=job_id)
    return {"mapping": job.mapping, **job.arguments}


def choosable(groups: Collection[str]) -> list[str]:
    """Return groups that can be carried out, each once. Raises InvalidOption for any other."""
    known = {group.value for group in INCLUDED | CHOICE}
    unknown = sorted(set(groups) - known)
    if unknown:
        raise InvalidOption(
            f"{', '.join(unknown)} cannot be carried out; of a plan that can: {', '.join(sorted(known))}."
        )
    return sorted(set(groups))
