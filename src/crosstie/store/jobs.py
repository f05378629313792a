"""The queries on the log of jobs and on the journal of what they did to each record."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, literal_column, or_, select, type_coerce, update
from sqlalchemy.exc import IntegrityError

from crosstie.model.errors import JobRunning
from crosstie.model.jobs import Counters, Job, JobKind, JobState, JournalEntry, Outcome
from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from crosstie.store.codec import decode_changes, decode_counters, decode_values, encode
from crosstie.store.columns import JsonText
from crosstie.store.queries import Queries
from crosstie.store.schema import jobs, journal
from crosstie.store.work import AnyRow

_JOB_COLUMNS = Job.__struct_fields__
_NO_ARGUMENTS: ColumnElement[bytes] = type_coerce(literal_column("'{}'"), JsonText()).label("arguments")
SELECT_JOBS = select(*(_NO_ARGUMENTS if name == "arguments" else jobs.c[name] for name in _JOB_COLUMNS))
"""For lists: without the arguments, which may name every record of a table."""
SELECT_WHOLE_JOBS = select(*(jobs.c[name] for name in _JOB_COLUMNS))
_RUNNING: ColumnElement[str] = literal_column(f"'{JobState.RUNNING.value}'")
"""Spelt out, because an index on running jobs only is of no use to a query that leaves the state open."""
_OUTCOMES: dict[Outcome, ColumnElement[str]] = {outcome: literal_column(f"'{outcome.value}'") for outcome in Outcome}
"""Spelt out as well: one index holds the entries of removed couplings only."""
_ENTRY_COLUMNS = JournalEntry.__struct_fields__
_SELECT_ENTRIES = select(*(journal.c[name] for name in _ENTRY_COLUMNS)).order_by(journal.c.id.desc())
_INSERT_ENTRIES = insert(journal)


class JobQueries(Queries):
    """The jobs' and the journal's part of a unit."""

    def start_job(
        self,
        kind: JobKind,
        mapping: str,
        direction: Direction,
        *,
        exclusive: bool,
        owner: str,
        now: datetime,
        parent_id: int | None = None,
        asked_by: str = "",
        scheduled: bool = False,
    ) -> Job:
        row = {
            "kind": kind.value,
            "mapping": mapping,
            "direction": direction.value,
            "exclusive": exclusive,
            "state": JobState.RUNNING.value,
            "owner": owner,
            "started_at": now,
            "to_remote": encode(Counters()),
            "from_remote": encode(Counters()),
            "message": "",
            "details": encode({}),
            "parent_id": parent_id,
            "asked_by": asked_by,
            "scheduled": scheduled,
        }
        try:
            with self._work.savepoint():
                [(job_id,)] = self._work.write_returning(insert(jobs).values(row).returning(jobs.c.id))
        except IntegrityError as error:
            raise self._job_running(mapping) from error
        return Job(
            id=job_id,
            kind=kind,
            mapping=mapping,
            direction=direction,
            exclusive=exclusive,
            state=JobState.RUNNING,
            owner=owner,
            started_at=now,
            to_remote=Counters(),
            from_remote=Counters(),
            parent_id=parent_id,
            asked_by=asked_by,
            scheduled=scheduled,
        )

    def running_jobs(self, mapping: str | None = None) -> list[Job]:
        query = SELECT_JOBS.where(jobs.c.state == _RUNNING).order_by(jobs.c.id)
        if mapping is not None:
            query = query.where(jobs.c.mapping == mapping)
        return [job_of(row) for row in self._work.read(query)]

    def update_job(
        self,
        job_id: int,
        *,
        to_remote: Counters,
        from_remote: Counters,
        state: JobState | None = None,
        message: str = "",
        finished_at: datetime | None = None,
    ) -> None:
        changed: dict[str, Any] = {"to_remote": encode(to_remote), "from_remote": encode(from_remote)}
        if state is not None:
            changed["state"] = state.value
        if message:
            changed["message"] = message
        if finished_at is not None:
            changed["finished_at"] = finished_at
        self._work.write(update(jobs).where(jobs.c.id == job_id).values(changed))

    def jobs(
        self,
        mapping: str | None = None,
        *,
        states: Collection[JobState] = (),
        kinds: Collection[JobKind] = (),
        limit: int = 50,
        before_id: int | None = None,
    ) -> list[Job]:
        query = SELECT_JOBS.order_by(jobs.c.id.desc()).limit(limit)
        if mapping is not None:
            query = query.where(jobs.c.mapping == mapping)
        if states:
            query = query.where(jobs.c.state.in_([state.value for state in states]))
        if kinds:
            query = query.where(jobs.c.kind.in_([kind.value for kind in kinds]))
        if before_id is not None:
            query = query.where(jobs.c.id < before_id)
        return [job_of(row) for row in self._work.read(query)]

    def add_journal(self, entries: Sequence[JournalEntry]) -> None:
        self._work.write_many(_INSERT_ENTRIES, [_entry_row(entry) for entry in entries])

    def journal(
        self,
        *,
        mapping: str | None = None,
        job_id: int | None = None,
        job_ids: Collection[int] = (),
        outcomes: Collection[Outcome] = (),
        side: Side | None = None,
        record_id: str | None = None,
        limit: int = 100,
        before_id: int | None = None,
    ) -> list[JournalEntry]:
        query = _SELECT_ENTRIES.limit(limit)
        if mapping is not None:
            query = query.where(journal.c.mapping == mapping)
        if job_id is not None:
            query = query.where(journal.c.job_id == job_id)
        if job_ids:
            query = query.where(journal.c.job_id.in_(list(job_ids)))
        if outcomes:
            query = query.where(or_(*(journal.c.outcome == _OUTCOMES[outcome] for outcome in outcomes)))
        if record_id is not None:
            if side is None:
                raise ValueError("record_id names a record only together with its side")
            column = journal.c.local_id if side is Side.LOCAL else journal.c.remote_id
            query = query.where(column == record_id)
        if before_id is not None:
            query = query.where(journal.c.id < before_id)
        return [_entry(row) for row in self._work.read(query)]

    def count_journal(self, job_ids: Collection[int]) -> dict[Outcome, int]:
        query = (
            select(journal.c.outcome, func.count())
            .where(journal.c.job_id.in_(list(job_ids)))
            .group_by(journal.c.outcome)
        )
        return {Outcome(outcome): number for outcome, number in self._work.read(query)}

    def _job_running(self, mapping: str) -> JobRunning:
        running = next((job for job in self.running_jobs(mapping) if job.exclusive), None)
        if running is None:
            return JobRunning(f"A job of mapping {mapping} has just been running.", mapping=mapping)
        return JobRunning(
            f"Job {running.id} of mapping {mapping} is running since {running.started_at:%Y-%m-%d %H:%M:%S} UTC "
            f"({running.owner}).",
            mapping=mapping,
            job=running.id,
            owner=running.owner,
        )


def job_of(row: AnyRow) -> Job:
    """Return the job of a row of `SELECT_JOBS`."""
    values = dict(zip(_JOB_COLUMNS, row, strict=True))
    return Job(
        **values
        | {
            "kind": JobKind(values["kind"]),
            "direction": Direction(values["direction"]),
            "state": JobState(values["state"]),
            "to_remote": decode_counters(values["to_remote"]),
            "from_remote": decode_counters(values["from_remote"]),
            "details": decode_values(values["details"]),
            "arguments": decode_values(values["arguments"]),
        }
    )


def _entry_row(entry: JournalEntry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in _ENTRY_COLUMNS if name != "id"}
    row["side"] = None if entry.side is None else entry.side.value
    row["outcome"] = entry.outcome.value
    row["changes"] = encode(entry.changes)
    return row


def _entry(row: AnyRow) -> JournalEntry:
    values = dict(zip(_ENTRY_COLUMNS, row, strict=True))
    values["side"] = None if values["side"] is None else Side(values["side"])
    values["outcome"] = Outcome(values["outcome"])
    values["changes"] = decode_changes(values["changes"])
    return JournalEntry(**values)
