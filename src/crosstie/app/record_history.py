"""The history as people read it: fields by labels, owners, options and references in words (F10).

Pages, REST and the command line all tell it by `told`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from crosstie.app.session import Session
from crosstie.engine.context import Context, Task
from crosstie.engine.converting import as_text
from crosstie.engine.undo import can_be_undone
from crosstie.engine.wording import Wording
from crosstie.model.jobs import FieldChange, Job, JobKind, JournalEntry, Outcome
from crosstie.model.records import Side
from crosstie.model.schema import FieldSchema
from crosstie.model.values import Scalar
from crosstie.store.base import Store


class ToldChange(msgspec.Struct, frozen=True, kw_only=True):
    """A field that was written, and why: values as they were written, and in words. `lost` is an edit that made way."""

    field: str
    label: str
    before: Scalar
    before_words: str
    after: Scalar
    after_words: str
    lost: Scalar
    lost_words: str
    reason: str


class ToldEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the history as all surfaces show it. `side` was written; None where a coupling came or went."""

    id: int
    at: datetime
    job_id: int
    job_kind: JobKind | None
    """None where the job's row has been cleared away."""
    asked_by: str
    """Who wanted it: a person, an API token, the schedule or the command line; empty where nobody knows any more."""
    mapping: str
    coupling_id: int | None
    local_id: str | None
    remote_id: str | None
    name: str
    side: Side | None
    outcome: Outcome
    code: str
    words: str
    changes: list[ToldChange]
    can_be_undone: bool


class RecordHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the history of a record, newest first. `before_id` is where the next page begins, None at the end."""

    entries: list[ToldEntry]
    before_id: int | None


async def record_history(
    session: Session, mapping: str, side: Side, id: str, *, limit: int = 50, before_id: int | None = None
) -> RecordHistory:
    """Return what was done to a record of `side`, whether or not it still exists. Reads a name or two where it must.

    Raises UnknownMapping, SystemFailure.
    """
    ctx = await session.context(session.mapping(mapping).name, Task())
    with session.store.begin() as unit:
        found = unit.journal(
            mapping=ctx.mapping_name,
            side=side,
            record_id=id.strip("{}").lower(),
            limit=limit + 1,
            before_id=before_id,
        )
    page = found[:limit]
    return RecordHistory(
        entries=await told(session, ctx, page), before_id=page[-1].id if len(found) > limit and page else None
    )


async def job_entries(session: Session, mapping: str, job_id: int) -> list[ToldEntry]:
    """Return what a job of few records, and the jobs that are parts of it, did, in the order in which it was done."""
    ctx = await session.context(session.mapping(mapping).name, Task())
    with session.store.begin() as unit:
        jobs = [job_id, *(part.id for part in unit.background.parts(job_id))]
        found = [entry for id in jobs for entry in unit.journal(job_id=id, limit=100)]
    mine = [entry for entry in found if entry.mapping == ctx.mapping_name]
    return await told(session, ctx, sorted(mine, key=lambda entry: entry.id))


async def told(session: Session, ctx: Context, entries: Sequence[JournalEntry]) -> list[ToldEntry]:
    """Return entries of the context's mapping in words."""
    values = [value for entry in entries for change in entry.changes for value in (change.before, change.after)]
    lost = [change.lost for entry in entries for change in entry.changes if change.lost is not None]
    wording = Wording(ctx, (), (*values, *lost))
    await wording.ask(_values(entries))
    jobs = _jobs(session.store, entries)
    return [
        _told(entry, jobs, [_change(ctx, entry.side, each, wording) for each in entry.changes]) for entry in entries
    ]


def told_plainly(store: Store, entries: Sequence[JournalEntry]) -> list[ToldEntry]:
    """Return entries with fields and values as they were written, for where no system can be asked."""
    jobs = _jobs(store, entries)
    return [_told(entry, jobs, [_as_told(each, each.field, as_text) for each in entry.changes]) for entry in entries]


def _jobs(store: Store, entries: Sequence[JournalEntry]) -> dict[int, Job]:
    with store.begin() as unit:
        found = {id: unit.background.job(id) for id in {entry.job_id for entry in entries}}
    return {id: job for id, job in found.items() if job is not None}


def _told(entry: JournalEntry, jobs: Mapping[int, Job], changes: list[ToldChange]) -> ToldEntry:
    job = jobs.get(entry.job_id)
    return ToldEntry(
        id=entry.id,
        at=entry.at,
        job_id=entry.job_id,
        job_kind=job.kind if job is not None else None,
        asked_by=job.wanted_by if job is not None else "",
        mapping=entry.mapping,
        coupling_id=entry.coupling_id,
        local_id=entry.local_id,
        remote_id=entry.remote_id,
        name=entry.name,
        side=entry.side,
        outcome=entry.outcome,
        code=entry.code,
        words=entry.words,
        changes=changes,
        can_be_undone=can_be_undone(entry),
    )


def _as_told(change: FieldChange, label: str, words: Callable[[Scalar], str]) -> ToldChange:
    return ToldChange(
        field=change.field,
        label=label,
        before=change.before,
        before_words=words(change.before),
        after=change.after,
        after_words=words(change.after),
        lost=change.lost,
        lost_words=words(change.lost),
        reason=change.reason,
    )


def _change(ctx: Context, side: Side | None, change: FieldChange, wording: Wording) -> ToldChange:
    schema = ctx.compiled.schema(side).fields.get(change.field) if side is not None else None

    def words(value: Scalar) -> str:
        return wording.words(schema, side, value) if schema is not None and side is not None else as_text(value)

    return _as_told(change, _label(ctx, side, change.field, schema), words)


def _label(ctx: Context, side: Side | None, name: str, schema: FieldSchema | None) -> str:
    mapped = (row.label for row in ctx.compiled.fields if side is not None and row.field_name(side) == name)
    return next(mapped, (schema.label if schema else "") or name)


def _values(entries: Iterable[JournalEntry]) -> Iterator[tuple[str, str]]:
    """Yield fields and texts that were written on the remote side, or read there."""
    for entry in entries:
        if entry.side is Side.REMOTE:
            for change in entry.changes:
                for value in (change.before, change.after, change.lost):
                    if isinstance(value, str):
                        yield change.field, value
