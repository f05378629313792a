"""Jobs and history: what was done, when, and to which values."""

from collections.abc import Collection, Sequence
from contextlib import suppress

import msgspec

from crosstie.app.home import Home
from crosstie.app.record_history import ToldEntry, told, told_plainly
from crosstie.app.records import find_records
from crosstie.app.session import Session, find_mapping
from crosstie.engine.context import Task
from crosstie.model.errors import SystemFailure, UnknownJob, UsageError
from crosstie.model.jobs import Job, JobKind, JobState, JournalEntry, Outcome
from crosstie.model.records import Side


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
    kinds: Collection[JobKind] = (),
    limit: int = 50,
    before_id: int | None = None,
) -> list[Job]:
    """Return jobs, newest first; with `states` or `kinds` those that are in one, or of one. Raises UnknownMapping."""
    with home.store.begin() as unit:
        name = find_mapping(unit.mappings(), mapping).name if mapping else None
        return unit.jobs(name, states=states, kinds=kinds, limit=limit, before_id=before_id)


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
        job = unit.background.job(job_id)
        if job is None:
            raise UnknownJob(f"There is no job {job_id}.", job=job_id)
        ids = [job_id, *(part.id for part in unit.background.parts(job_id))]
        counts = unit.count_journal(ids)
        outcomes = () if outcome is None else (outcome,)
        found = unit.journal(job_ids=ids, outcomes=outcomes, limit=limit + 1, before_id=before_id)
    page = found[:limit]
    told_page = await _told(session, page) if session is not None else told_plainly(home.store, page)
    return JobEntries(
        job=job,
        entries=[(entry.mapping, entry) for entry in told_page],
        counts=counts,
        before_id=page[-1].id if len(found) > limit else None,
    )


async def _told(session: Session, entries: Sequence[JournalEntry]) -> list[ToldEntry]:
    """Return entries in words, those of a mapping or system that is away as they were written."""
    known = {mapping.name for mapping in session.mappings()}
    found: dict[int, ToldEntry] = {}
    for name in dict.fromkeys(entry.mapping for entry in entries):
        mine = [entry for entry in entries if entry.mapping == name]
        found.update((entry.id, entry) for entry in await _told_of(session, name if name in known else None, mine))
    return [found[entry.id] for entry in entries]


async def _told_of(session: Session, mapping: str | None, entries: Sequence[JournalEntry]) -> list[ToldEntry]:
    if mapping is not None:
        with suppress(SystemFailure, UsageError):  # what was done can be read without the systems
            return await told(session, await session.context(mapping, Task()), entries)
    return told_plainly(session.store, entries)


async def list_history(
    session: Session, mapping: str, record: str | None = None, *, limit: int = 100, before_id: int | None = None
) -> list[ToldEntry]:
    """Return what was done to the records of a mapping, or to one of them, newest first.

    Fields and values are told in words, as far as the systems can be asked. A record that no longer exists is found by
    its id. Raises UnknownMapping, UnknownRecord, AmbiguousRecord.
    """
    name = session.mapping(mapping).name
    return await _told(session, await _entries(session, name, record, limit, before_id))


async def _entries(
    session: Session, name: str, record: str | None, limit: int, before_id: int | None
) -> list[JournalEntry]:
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
