"""Journalling: what the history says of a record that a job wrote, uncoupled, or failed at."""

from crosstie.engine.context import Context
from crosstie.engine.outcomes import Carried, called
from crosstie.model.decisions import FieldAction, FieldDecision, RecordAction
from crosstie.model.jobs import FieldChange, JournalEntry, Outcome
from crosstie.model.problems import Problem
from crosstie.model.records import Record, Side, WriteStatus
from crosstie.model.values import Scalar

_OUTCOMES = {
    RecordAction.CREATE_LOCAL: Outcome.INSERTED,
    RecordAction.CREATE_REMOTE: Outcome.INSERTED,
    RecordAction.DELETE_LOCAL: Outcome.DELETED,
    RecordAction.DELETE_REMOTE: Outcome.DELETED,
    RecordAction.UPDATE: Outcome.MODIFIED,
}


def journal_entries(ctx: Context, item: Carried, problem: Problem | None) -> list[JournalEntry]:
    """Return one entry for each side that was written, one for an uncoupling, and one for a failure."""
    entries = [
        _entry(ctx, item, _OUTCOMES[item.decision.action], side, _changes(ctx, item, side))
        for side, result in item.results.items()
        if result.status is WriteStatus.WRITTEN
    ]
    if item.decision.action is RecordAction.UNCOUPLE:
        entries.append(_entry(ctx, item, Outcome.UNCOUPLED, None, (), words=item.decision.reason))
    if problem is not None:
        failed = Outcome.FAILED
        entries.append(_entry(ctx, item, failed, item.failed_side, (), code=problem.code, words=problem.words))
    return entries


def _entry(
    ctx: Context,
    item: Carried,
    outcome: Outcome,
    side: Side | None,
    changes: tuple[FieldChange, ...],
    *,
    code: str = "",
    words: str = "",
) -> JournalEntry:
    pair = item.decision.pair
    return JournalEntry(
        job_id=ctx.job_id,
        mapping=ctx.mapping_name,
        coupling_id=pair.coupling.id if pair.coupling else None,
        local_id=item.record_id(Side.LOCAL),
        remote_id=item.record_id(Side.REMOTE),
        name=called(ctx, item.local, item.remote, pair.coupling),
        side=side,
        outcome=outcome,
        code=code,
        words=words or item.decision.reason,
        changes=changes,
        at=ctx.now(),
    )


def _changes(ctx: Context, item: Carried, side: Side) -> tuple[FieldChange, ...]:
    decision = item.decision
    before: Record | None = decision.pair.local if side is Side.LOCAL else decision.pair.remote
    if decision.action in (RecordAction.DELETE_LOCAL, RecordAction.DELETE_REMOTE):
        values = before.values if before else {}
        return tuple(FieldChange(field=name, before=value) for name, value in values.items() if value is not None)
    written = decision.to_local if side is Side.LOCAL else decision.to_remote
    reasons = _by_field(ctx, decision.fields, side)
    return tuple(_change(name, value, before, reasons.get(name)) for name, value in written.items())


def _change(name: str, value: Scalar, before: Record | None, field: FieldDecision | None) -> FieldChange:
    return FieldChange(
        field=name,
        before=before.values.get(name) if before else None,
        after=value,
        lost=field.lost if field else None,
        reason=field.reason if field else "",
    )


def _by_field(ctx: Context, fields: tuple[FieldDecision, ...], side: Side) -> dict[str, FieldDecision]:
    """Return the decisions that write to a side, by the field of that side."""
    wanted = FieldAction.TO_LOCAL if side is Side.LOCAL else FieldAction.TO_REMOTE
    found = {}
    for field in fields:
        mapped = ctx.compiled.fields[field.position]
        name = mapped.local_field if side is Side.LOCAL else mapped.remote_field
        if field.action is wanted and name is not None:
            found[name] = field
    return found
