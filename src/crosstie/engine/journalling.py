"""Journalling: what the history says of a record that a job wrote, uncoupled, or failed at."""

from crosstie.engine.context import Context
from crosstie.engine.outcomes import Carried, called
from crosstie.engine.telling import changes_of
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import RecordAction
from crosstie.model.jobs import FieldChange, JournalEntry, Outcome
from crosstie.model.problems import Problem
from crosstie.model.records import Side, WriteStatus

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
        _entry(
            ctx,
            item,
            _OUTCOMES[item.decision.action],
            side,
            item.changes.get(side) or changes_of(ctx, item.decision, side),
        )
        for side, result in item.results.items()
        if result.status is WriteStatus.WRITTEN
    ]
    if item.decision.action is RecordAction.UNCOUPLE:
        entries.append(_entry(ctx, item, Outcome.UNCOUPLED, None, (), words=item.decision.reason))
    if problem is not None:
        failed = Outcome.FAILED
        entries.append(_entry(ctx, item, failed, item.failed_side, (), code=problem.code, words=problem.words))
    return entries


def entry_of(
    ctx: Context,
    coupling: Coupling,
    outcome: Outcome,
    words: str,
    *,
    side: Side | None = None,
    changes: tuple[FieldChange, ...] = (),
    job_id: int | None = None,
) -> JournalEntry:
    """Return the entry for a coupled pair, of the context's job unless another is named."""
    return JournalEntry(
        job_id=ctx.job_id if job_id is None else job_id,
        mapping=ctx.mapping_name,
        coupling_id=coupling.id,
        local_id=coupling.local_id,
        remote_id=coupling.remote_id,
        name=coupling.name(),
        side=side,
        outcome=outcome,
        words=words,
        changes=changes,
        at=ctx.now(),
    )


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
