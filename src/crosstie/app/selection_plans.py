"""Synchronise Now for many: what would become of each record, in groups, and then only what was shown (F06, B1)."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import sha256

import msgspec

from crosstie.app.coupling import create_partners
from crosstie.app.selecting import Selection, couplings_of, ids_of
from crosstie.app.session import Session
from crosstie.app.synchronising import check_direction, run_synchronise, synchronise
from crosstie.engine.context import Context, Report, Scope, Task
from crosstie.engine.outcomes import name_of
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.decisions import Decision, Preference, RecordAction
from crosstie.model.errors import AlreadyCoupled, InvalidOption
from crosstie.model.records import Record, Side

MOST_PLANNED = 50
"""So many records are planned, and synchronised, while somebody waits; more are a worker's."""


class PlanGroup(StrEnum):
    """What would become of a record, as the plan groups it."""

    UPDATE = "update"
    CREATE = "create"
    DELETE = "delete"
    """The mapping's policy deletes or uncouples it, for its partner is gone."""
    CONFLICT = "conflict"
    SKIPPED = "skipped"
    """Paused; naming it tries it again."""
    OUT_OF_FILTER = "out_of_filter"
    """Coupled, but its filter leaves it out of jobs; naming it synchronises it all the same."""
    GONE = "gone"
    FAILING = "failing"
    UNCHANGED = "unchanged"
    NOT_COUPLED = "not_coupled"


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a plan, by its id on the side from which it was selected. `seen` stands for what was shown."""

    id: str
    name: str
    group: PlanGroup
    decision: Decision | None
    seen: str


class PlanApplied(msgspec.Struct, frozen=True, kw_only=True):
    """What applying came to. `report` is None if nothing was done; `moved` are the ids left to be shown again."""

    report: Report | None
    moved: list[str]


_OF_ACTION = {
    RecordAction.UPDATE: PlanGroup.UPDATE,
    RecordAction.CREATE_LOCAL: PlanGroup.CREATE,
    RecordAction.CREATE_REMOTE: PlanGroup.CREATE,
    RecordAction.DELETE_LOCAL: PlanGroup.DELETE,
    RecordAction.DELETE_REMOTE: PlanGroup.DELETE,
    RecordAction.UNCOUPLE: PlanGroup.DELETE,
    RecordAction.DELETION_CONFLICT: PlanGroup.GONE,
    RecordAction.FAIL: PlanGroup.FAILING,
    RecordAction.UNCHANGED: PlanGroup.UNCHANGED,
    RecordAction.AGREE: PlanGroup.UNCHANGED,
    RecordAction.IGNORE: PlanGroup.NOT_COUPLED,
    RecordAction.SKIP: PlanGroup.SKIPPED,
}


class _Collector:
    """Keeps the decisions of a dry run, by the record's id on one side."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self.decisions: dict[str, Decision] = {}

    def decided(self, decision: Decision) -> None:
        """Keep a decision; a record that is decided again, by the later one."""
        pair = decision.pair
        record = pair.local if self._side is Side.LOCAL else pair.remote
        if pair.coupling is not None:
            self.decisions[pair.coupling.record_id(self._side)] = decision
        elif record is not None:
            self.decisions[record.id] = decision

    def progress(self, done: int) -> None:
        """Take no notice."""


async def plan_selection(
    session: Session, mapping: str, selection: Selection, preference: Preference = Preference.MERGE
) -> list[PlanRow]:
    """Return what synchronising the selected records would do to each. Reads both systems and writes nothing.

    Raises InvalidOption for more than `MOST_PLANNED` records, or a direction that the mapping does not have,
    UnknownMapping, SystemFailure.
    """
    found = session.mapping(mapping)
    check_direction(found, preference)
    task = Task(scope=Scope.RECORDS, preference=preference, on_purpose=True, dry_run=True)
    seen = _Collector(selection.side)
    ctx = await session.context(found.name, task, observer=seen)
    ids = await _few(ctx, selection)
    couplings = {each.record_id(selection.side): each for each in couplings_of(ctx, selection.side, ids)}
    wanted = [id for id in ids if id in couplings or not found.only_coupled]
    await _dry_run(ctx, selection.side, wanted)
    names = await _names(ctx, selection.side, [id for id in ids if id not in couplings])
    return [_row(ctx, id, couplings.get(id), seen.decisions.get(id), names.get(id)) for id in ids]


async def plan_creation(session: Session, mapping: str, selection: Selection) -> list[PlanRow]:
    """Return what creating the partners of the selected records would write.

    Coupled ones come as unchanged. Raises InvalidOption for more than `MOST_PLANNED` records, or if the mapping does
    not flow that way, UnknownMapping, SystemFailure.
    """
    name = session.mapping(mapping).name
    ctx = await session.context(name, Task())
    ids = await _few(ctx, selection)
    seen = _Collector(selection.side)
    named = Selection(side=selection.side, ids=tuple(ids))
    try:
        await create_partners(session, name, selection=named, dry_run=True, observer=seen)
    except AlreadyCoupled:
        seen.decisions.clear()
    couplings = {each.record_id(selection.side): each for each in couplings_of(ctx, selection.side, ids)}
    names = await _names(ctx, selection.side, [id for id in ids if id not in couplings])
    rows = [_row(ctx, id, couplings.get(id), seen.decisions.get(id), names.get(id)) for id in ids]
    return [
        msgspec.structs.replace(row, group=PlanGroup.UNCHANGED) if row.decision is None and row.id in couplings else row
        for row in rows
    ]


async def apply_plan(
    session: Session, mapping: str, side: Side, seen: Mapping[str, str], preference: Preference = Preference.MERGE
) -> PlanApplied:
    """Synchronise records as they were shown: `seen` is what each row of the plan stands for, by id.

    Those of which something else would be made now are left alone and named. Raises what `plan_selection` and
    `synchronise` raise.
    """
    rows = await plan_selection(session, mapping, Selection(side=side, ids=tuple(seen)), preference)
    still = [row.id for row in rows if row.seen == seen[row.id]]
    moved = [row.id for row in rows if row.seen != seen[row.id]]
    if not still:
        return PlanApplied(report=None, moved=moved)
    kept = Selection(side=side, ids=tuple(still))
    reports = await synchronise(session, mapping, selection=kept, direction=preference)
    return PlanApplied(report=reports[0], moved=moved)


async def _few(ctx: Context, selection: Selection) -> list[str]:
    ids = await ids_of(ctx, selection)
    if len(ids) > MOST_PLANNED:
        raise InvalidOption(
            f"{len(ids):,} records are selected; a plan shows {MOST_PLANNED} at most.",
            next_step="Let a worker deal with them, or select fewer.",
        )
    return ids


async def _dry_run(ctx: Context, side: Side, ids: Sequence[str]) -> None:
    if ids:
        ctx.task = msgspec.structs.replace(ctx.task, records=tuple((side, id) for id in ids))
        await run_synchronise(ctx)


async def _names(ctx: Context, side: Side, ids: Sequence[str]) -> dict[str, Record]:
    """Read what records that no coupling knows are called."""
    if not ids:
        return {}
    mapping = ctx.compiled.mapping
    key = mapping.key_field(side)
    fields = (*([key] if key else []), mapping.name_field(side), *ctx.filter_fields.get(side, ()))
    return await ctx.systems[side].get(mapping.table(side), ids, tuple(dict.fromkeys(fields)))


def _row(ctx: Context, id: str, coupling: Coupling | None, decision: Decision | None, record: Record | None) -> PlanRow:
    pair = decision.pair if decision is not None else None
    if pair is not None and (pair.local or pair.remote):
        name = name_of(ctx, pair.local, pair.remote, coupling)
    elif coupling is not None:
        name = coupling.name()
    else:
        name = " ".join(str(value) for value in _called(ctx, record)) or id
    return PlanRow(id=id, name=name, group=group_of(coupling, decision), decision=decision, seen=seen_of(decision))


def _called(ctx: Context, record: Record | None) -> list[object]:
    mapping = ctx.compiled.mapping
    fields = {name for side in Side for name in (mapping.key_field(side), mapping.name_field(side)) if name}
    values = record.values if record is not None else {}
    return [value for name, value in values.items() if name in fields and value is not None]


def group_of(coupling: Coupling | None, decision: Decision | None) -> PlanGroup:
    """Return the group in which a plan shows a record; without a decision nobody synchronises it."""
    if decision is None:
        return PlanGroup.NOT_COUPLED
    group = _OF_ACTION[decision.action]
    pair = decision.pair
    if coupling is None or group is PlanGroup.UNCHANGED:
        return group
    if coupling.state is CouplingState.SKIPPED:
        return PlanGroup.SKIPPED
    if decision.problem_code == "conflict":
        return PlanGroup.CONFLICT
    if not (pair.local_in_filter and pair.remote_in_filter):
        return PlanGroup.OUT_OF_FILTER
    return group


def seen_of(decision: Decision | None) -> str:
    """Return what stands for a decision: the versions on which it rests, and what it writes."""
    if decision is None:
        return ""
    records = [
        (record.version or record.values) if record is not None else None
        for record in (decision.pair.local, decision.pair.remote)
    ]
    parts = [decision.action.value, decision.problem_code, records, decision.to_local, decision.to_remote]
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:24]
