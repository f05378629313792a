"""Jobs and history: what was done, when, and to which values."""

from collections.abc import Collection, Sequence

import msgspec

from crosstie.app.home import Home
from crosstie.app.record_history import ToldEntry, told, told_plainly
from crosstie.app.records import find_records
from crosstie.app.session import Session, find_mapping
from crosstie.engine.context import Task
from crosstie.model.errors import SystemFailure, UnknownJob, UsageError
from crosstie.model.jobs import Job, JobState, JournalEntry, Outcome
from crosstie.model.records import Side
from crosstie.store.base import Unit


class JobEntries(msgspec.Struct, frozen=True, kw_only=True):
    """What a job, and the jobs that are parts of it, did to records: a page, newest first, and how many by outcome.

    `before_id` is where the next page begins, None at the end. `undoable` counts what an undo would go through.
    """

    job: Job
    entries: list[tuple[str, ToldEntry]]
    """Each with the name of its mapping."""
    counts: dict[Outcome, int]
    before_id: int | None

    @property
    def undoable(self) -> int:
        return sum(number for outcome, number in self.counts.items() if outcome in _UNDOABLE)


_UNDOABLE = (Outcome.INSERTED, Outcome.MODIFIED, Outcome.DELETED, Outcome.COUPLED, Outcome.UNCOUPLED)


def list_jobs(
    home: Home,
    mapping: str | None = None,
    *,
    states: Collection[JobState] = (),
    limit: int = 50,
    before_id: int | None = None,
) -> list[Job]:
    """Return jobs, newest first; with `states` those that are in one of them. Raises UnknownMapping."""
    with home.store.begin() as unit:
        name = find_mapping(unit.mappings(), mapping).name if mapping else None
        return unit.jobs(name, states=states, limit=limit, before_id=before_id)


async def list_job_entries(
    home: Home,
    session: Session | None,
    job_id: int,
    *,
    outcome: Outcome | None = None,
    limit: int = 50,
    before_id: int | None = None,
) -> JobEntries:
    """Return what became of the records of a job, those of one outcome or all.

    With a `session` fields and values are told in words, as far as the systems can be asked. Raises UnknownJob.
    """
    with home.store.begin() as unit:
        job, ids = _with_parts(unit, job_id)
        counts = unit.count_journal(ids)
    found = job_journal(home, job_id, outcome=outcome, limit=limit + 1, before_id=before_id)
    page = found[:limit]
    told_by_id = await _told(session, page) if session is not None else {}
    return JobEntries(
        job=job,
        entries=[(entry.mapping, told_by_id.get(entry.id) or told_plainly(entry)) for entry in page],
        counts=counts,
        before_id=page[-1].id if len(found) > limit else None,
    )


def job_journal(
    home: Home, job_id: int, *, outcome: Outcome | None = None, limit: int = 100, before_id: int | None = None
) -> list[JournalEntry]:
    """Return what a job, and the jobs that are parts of it, did to records, newest first. Raises UnknownJob."""
    with home.store.begin() as unit:
        _, ids = _with_parts(unit, job_id)
        outcomes = () if outcome is None else (outcome,)
        return unit.journal(job_ids=ids, outcomes=outcomes, limit=limit, before_id=before_id)


def _with_parts(unit: Unit, job_id: int) -> tuple[Job, list[int]]:
    job = unit.background.job(job_id)
    if job is None:
        raise UnknownJob(f"There is no job {job_id}.", job=job_id)
    return job, [job_id, *(part.id for part in unit.background.parts(job_id))]


async def _told(session: Session, entries: Sequence[JournalEntry]) -> dict[int, ToldEntry]:
    """Return entries in words, by id; those of a mapping or system that is away stay out."""
    known = {mapping.name for mapping in session.mappings()}
    found = {}
    for name in {entry.mapping for entry in entries} & known:
        try:
            ctx = await session.context(name, Task())
            told_now = await told(session, ctx, [entry for entry in entries if entry.mapping == name])
        except (SystemFailure, UsageError):
            continue
        found.update({entry.id: entry for entry in told_now})
    return found


async def list_history(
    session: Session, mapping: str, record: str | None = None, *, limit: int = 100, before_id: int | None = None
) -> list[JournalEntry]:
    """Return what was done to the records of a mapping, or to one of them, newest first.

    A record that no longer exists is found by its id. Raises UnknownMapping, UnknownRecord, AmbiguousRecord.
    """
    name = session.mapping(mapping).name
    if record is None:
        return _journal(session, name, None, None, limit, before_id)
    for side in (Side.LOCAL, Side.REMOTE):
        if entries := _journal(session, name, side, record.strip().lower(), limit, before_id):
            return entries
    ctx = await session.context(name, Task())
    side, id = (await find_records(ctx, [record], sides=(Side.LOCAL, Side.REMOTE)))[0]
    return _journal(session, name, side, id, limit, before_id)


def _journal(
    session: Session, mapping: str, side: Side | None, id: str | None, limit: int, before_id: int | None
) -> list[JournalEntry]:
    with session.store.begin() as unit:
        return unit.journal(mapping=mapping, side=side, record_id=id, limit=limit, before_id=before_id)
