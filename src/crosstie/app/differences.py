"""Synchronise Now for one record: the differences before anything is written, then only what was shown (rule Y-8)."""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from crosstie.app.coupled import find_named
from crosstie.app.running import run_job
from crosstie.app.session import Session
from crosstie.app.synchronising import direction_of
from crosstie.app.views import CouplingView, ProblemView
from crosstie.engine.carrying import carry_out
from crosstie.engine.context import Context, Observer, Report, Scope, Task
from crosstie.engine.differing import choose, decide_each, field_differences, preselected, preset
from crosstie.engine.outcomes import Carried, name_of
from crosstie.engine.pairing import Paired, pair_named, translate
from crosstie.engine.recovery import settle_open_intents
from crosstie.engine.wording import worded
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Preference
from crosstie.model.differences import FieldDifference, Preset, SideOfRecord
from crosstie.model.errors import NotCoupled, NothingToDo
from crosstie.model.jobs import Due, DueReason, JobKind
from crosstie.model.records import Record, Side


class RecordDifferences(msgspec.Struct, frozen=True, kw_only=True):
    """A coupled record side by side.

    `presets` are the preferences that the mapping allows, `preselected` the one to propose; None where a record is
    gone, or both agree in everything. `seen` stands for the versions on which all this rests, and is to be handed back
    to `apply_differences`. `missing` are the sides without a record.
    """

    mapping: str
    label: str
    name: str
    coupling: CouplingView
    sides: dict[Side, SideOfRecord]
    missing: tuple[Side, ...]
    problem: ProblemView | None
    fields: list[FieldDifference]
    presets: list[Preset]
    preselected: Preference | None
    conflicts: int
    """Fields that need a choice before a merge is complete."""
    seen: str


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What applying came to. If the record had moved since it was shown, `again` shows it anew.

    `report` is None if nothing was written; else of a record that moved while it was written, one side may have been.
    """

    report: Report | None
    again: RecordDifferences | None


async def differences(session: Session, mapping: str, record: str) -> RecordDifferences:
    """Show a coupled record side by side with what sending, getting and merging would write. Reads both systems.

    Raises NotCoupled, UnknownMapping, UnknownRecord, AmbiguousRecord, SystemFailure.
    """
    ctx, coupling = await _find(session, mapping, record, Task(scope=Scope.RECORDS, on_purpose=True))
    return await side_by_side(ctx, await _pair(ctx, coupling), coupling)


async def apply_differences(
    session: Session,
    mapping: str,
    record: str,
    preference: Preference,
    *,
    seen: str,
    choices: Mapping[str, Side] | None = None,
    observer: Observer | None = None,
) -> Applied:
    """Bring a record in step as chosen, if it still is as it was shown; else show it again.

    `choices` name, for single fields, the side whose value both get; conflicts without a choice stay and become a
    problem. Every write carries the version that was shown. Raises NothingToDo if both records agree already,
    InvalidOption, UnknownField, NotCoupled, UnknownMapping, UnknownRecord, AmbiguousRecord, SystemFailure.
    """
    task = Task(scope=Scope.RECORDS, preference=preference, on_purpose=True)
    ctx, coupling = await _find(session, mapping, record, task)
    await settle_open_intents(ctx)
    item = await _pair(ctx, coupling)
    if item.pair.local is None or item.pair.remote is None or seen != _seen(ctx, item):
        return Applied(report=None, again=await side_by_side(ctx, item, coupling))
    decision = choose(ctx.compiled, item, decide_each(ctx.compiled, item), preference, choices or {})
    if not decision.fields and decision.problem_code is None:
        raise NothingToDo(f"{coupling.name()}: both records agree.", next_step="Nothing needs to be done.")
    if observer is not None:
        ctx.observer = observer
    moved: list[Carried] = []

    async def work(job: Context) -> None:
        moved.extend(await carry_out(job, [Carried(decision, item.base)], Side.LOCAL, final=False))
        if moved:
            _look_again(job, coupling)

    report = await run_job(ctx, JobKind.SYNCHRONISATION, direction_of(ctx), work, exclusive=False)
    if not moved:
        return Applied(report=report, again=None)
    wrote = report.to_remote.modified + report.from_remote.modified
    return Applied(report=report if wrote else None, again=await differences(session, mapping, coupling.local_id))


async def _find(session: Session, mapping: str, record: str, task: Task) -> tuple[Context, Coupling]:
    ctx = await session.context(session.mapping(mapping).name, task)
    found = (await find_named(ctx, [record]))[0]
    if found.coupling is None:
        raise NotCoupled(
            f"{record} is not coupled under {ctx.mapping_name}.", mapping=ctx.mapping_name, side=found.side, id=found.id
        )
    return ctx, found.coupling


async def _pair(ctx: Context, coupling: Coupling) -> Paired:
    paired = await pair_named(ctx, Side.LOCAL, [coupling.local_id])
    if not paired:
        raise NotCoupled(f"{coupling.name()} has just been uncoupled.", mapping=ctx.mapping_name)
    await translate(ctx, paired)
    return paired[0]


def _look_again(ctx: Context, coupling: Coupling) -> None:
    """Let the next job look at a record that moved while it was written, whatever the person decides."""
    due = Due(
        mapping=ctx.mapping_name,
        side=Side.LOCAL,
        record_id=coupling.local_id,
        reason=DueReason.INTERRUPTED,
        not_before=ctx.now(),
    )
    with ctx.store.begin() as unit:
        unit.add_due([due])


# --- showing --------------------------------------------------------------------------------------------------


async def side_by_side(ctx: Context, item: Paired, coupling: Coupling) -> RecordDifferences:
    """Return a pair that was read and translated as it is shown. Raises SystemFailure."""
    pair, compiled = item.pair, ctx.compiled
    missing = tuple(side for side, record in _records(item) if record is None)
    fields: list[FieldDifference] = []
    presets: list[Preset] = []
    if not missing:
        decisions = decide_each(compiled, item)
        kept = (*item.base.local.values(), *item.base.remote.values()) if item.base else ()
        wording = await worded(ctx, pair.local, pair.remote, decisions.values(), kept)
        fields = field_differences(compiled, item, decisions, wording)
        presets = [preset(preference, decision) for preference, decision in decisions.items()]
    differing = [field for field in fields if field.differs]
    with ctx.store.begin() as unit:
        problems = unit.problems(ctx.mapping_name, records=[(Side.LOCAL, coupling.local_id)], limit=1)
    merge = next((each for each in presets if each.preference is Preference.MERGE), None)
    return RecordDifferences(
        mapping=ctx.mapping_name,
        label=compiled.mapping.label,
        name=name_of(ctx, pair.local, pair.remote, coupling),
        coupling=CouplingView.of(pair.coupling or coupling),
        sides={side: side_of_record(ctx, side, coupling.record_id(side), record) for side, record in _records(item)},
        missing=missing,
        problem=ProblemView.of(problems[0]) if problems else None,
        fields=fields,
        presets=presets,
        preselected=preselected(compiled, item, fields) if differing else None,
        conflicts=merge.conflicts if merge else 0,
        seen=_seen(ctx, item),
    )


def _records(item: Paired) -> tuple[tuple[Side, Record | None], ...]:
    return (Side.LOCAL, item.pair.local), (Side.REMOTE, item.pair.remote)


def side_of_record(ctx: Context, side: Side, id: str, record: Record | None) -> SideOfRecord:
    """Return what a side-by-side view says of one of the two records."""
    table = ctx.compiled.mapping.table(side)
    if record is None:
        return SideOfRecord(side=side, id=id, exists=False, words="")
    local, remote = (record, None) if side is Side.LOCAL else (None, record)
    return SideOfRecord(
        side=side,
        id=id,
        exists=True,
        words=name_of(ctx, local, remote, None),
        in_filter=ctx.in_filter(side, record.values),
        modified_at=record.modified_at,
        version=record.version,
        address=ctx.systems[side].link(table, id),
    )


def _seen(ctx: Context, item: Paired) -> str:
    """Return what stands for mapping, base and both records: their versions, their values where they have none."""
    coupling = item.pair.coupling
    parts = [
        ctx.compiled.digest,
        "" if coupling is None or coupling.base is None else coupling.base,
        *((record.version or record.values) if record is not None else None for _, record in _records(item)),
    ]
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:24]
